// The workloads with Boost.Fiber, on one thread with its round-robin scheduler, which is its fastest.

#include <boost/fiber/all.hpp>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace fibers = boost::fibers;
using std::uint64_t;
using Clock = std::chrono::steady_clock;

namespace {

std::map<std::string, uint64_t> options;

void report(uint64_t result, Clock::time_point begin, uint64_t count) {
    const std::chrono::duration<double, std::nano> took = Clock::now() - begin;
    std::printf("{\"result\": %llu, \"ns\": %f}\n", static_cast<unsigned long long>(result), took.count() / count);
}

// Stacks that are used again; without the pool each would be allocated and freed.
fibers::pooled_fixedsize_stack stacks;

template <typename F> fibers::fiber spawn(F &&f) {
    return fibers::fiber{std::allocator_arg, stacks, std::forward<F>(f)};
}

void ping_pong() {
    // Its capacity is a power of two, and one less than that fits.
    fibers::buffered_channel<uint64_t> ping{2}, pong{2};
    fibers::fiber partner = spawn([&] {
        for (uint64_t number : ping) pong.push(number + 1);
    });
    const uint64_t count = options["count"];
    const auto begin = Clock::now();
    uint64_t sum = 0;
    for (uint64_t number = 0; number < count; number++) {
        ping.push(number);
        sum += pong.value_pop();
    }
    report(sum, begin, count);
    ping.close();
    partner.join();
}

void fan_in() {
    const uint64_t senders = options["senders"], each = options["each"];
    const auto begin = Clock::now();
    fibers::buffered_channel<uint64_t> messages{options["capacity"]};
    std::vector<fibers::fiber> all;
    for (uint64_t i = 0; i < senders; i++)
        all.push_back(spawn([&] {
            for (uint64_t number = 0; number < each; number++) messages.push(number);
        }));
    uint64_t sum = 0;
    for (uint64_t i = 0; i < senders * each; i++) sum += messages.value_pop();
    report(sum, begin, senders * each);
    for (auto &fiber : all) fiber.join();
}

void mutex() {
    const uint64_t tasks = options["tasks"], each = options["each"];
    const auto begin = Clock::now();
    fibers::mutex lock;
    uint64_t counter = 0;
    std::vector<fibers::fiber> all;
    for (uint64_t i = 0; i < tasks; i++)
        all.push_back(spawn([&] {
            for (uint64_t number = 0; number < each; number++) {
                std::lock_guard<fibers::mutex> guard{lock};
                counter++;
            }
        }));
    for (auto &fiber : all) fiber.join();
    report(counter, begin, tasks * each);
}

void spawn_join() {
    const uint64_t count = options["count"], outstanding = options["outstanding"];
    const auto begin = Clock::now();
    uint64_t sum = 0;
    std::vector<fibers::fiber> batch;
    batch.reserve(outstanding);
    for (uint64_t first = 0; first < count; first += outstanding) {
        for (uint64_t number = first; number < std::min(count, first + outstanding); number++)
            batch.push_back(spawn([&sum, number] { sum += number; }));
        for (auto &fiber : batch) fiber.join();
        batch.clear();
    }
    report(sum, begin, count);
}

// The clock starts when all have begun, which they do because the others yield.
void yields() {
    const uint64_t tasks = options["tasks"], each = options["each"];
    Clock::time_point begin{};
    uint64_t sum = 0, begun = 0;
    std::vector<fibers::fiber> all;
    for (uint64_t i = 0; i < tasks; i++)
        all.push_back(spawn([&] {
            begun++;
            while (begun < tasks) boost::this_fiber::yield();
            if (begin == Clock::time_point{}) begin = Clock::now();
            for (uint64_t number = 0; number < each; number++) {
                boost::this_fiber::yield();
                sum++;
            }
        }));
    for (auto &fiber : all) fiber.join();
    report(sum, begin, sum);
}

} // namespace

int main(int argc, char **argv) {
    const std::map<std::string, void (*)()> workloads{{"ping-pong", ping_pong},
                                                      {"fan-in", fan_in},
                                                      {"mutex", mutex},
                                                      {"spawn-join", spawn_join},
                                                      {"yield", yields}};
    const auto workload = workloads.find(argc > 1 ? argv[1] : "");
    if (workload == workloads.end()) {
        std::fprintf(stderr, "there is no such workload here\n");
        return 1;
    }
    for (int i = 2; i + 1 < argc; i += 2) options[argv[i] + 2] = std::strtoull(argv[i + 1], nullptr, 10);
    if (options["workers"] != 1) {
        std::fprintf(stderr, "one worker is what this program is for\n");
        return 1;
    }
    fibers::fiber main_fiber = spawn(workload->second);
    main_fiber.join();
}
