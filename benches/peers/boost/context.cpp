// The raw switch with Boost.Context: a resume and the way back are two.

#include <boost/context/fiber.hpp>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace context = boost::context;

int main(int argc, char **argv) {
    if (argc != 4 || std::strcmp(argv[1], "switch") || std::strcmp(argv[2], "--count")) {
        std::fprintf(stderr, "usage: %s switch --count N\n", argv[0]);
        return 1;
    }
    const std::uint64_t count = std::strtoull(argv[3], nullptr, 10);
    std::uint64_t value = 0;
    bool done = false;
    context::fiber other{[&](context::fiber &&back) {
        while (!done) {
            value += 1;
            back = std::move(back).resume();
        }
        return std::move(back);
    }};
    std::uint64_t sum = 0;
    const auto begin = std::chrono::steady_clock::now();
    for (std::uint64_t number = 0; number < count; number++) {
        value = number;
        other = std::move(other).resume();
        sum += value;
    }
    const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - begin;
    std::printf("{\"result\": %llu, \"ns\": %f}\n", static_cast<unsigned long long>(sum), took.count() / (2 * count));
    done = true;
    std::move(other).resume();
}
