/* The load for echo servers: many connections, each with one message under way.
 *
 *   gcc -O2 -o echo_load benches/peers/c/echo_load.c
 *   ./echo_load [--connect 127.0.0.1:7777] [--connections 1000] [--requests 400000] [--size 64]
 *               [--rate REQUESTS_PER_SECOND] [--burn-every N] [--server PID]
 *
 * Without --rate a closed loop: each connection sends its next message as soon as the last one has come back.
 * With it an open one: request i is due at i / rate, on connection i modulo their number, whatever the server is at,
 * and its latency counts from there, so that a server that stalls is charged for everyone it has kept waiting.
 * With --burn-every N each Nth message begins with '!' and asks the server to compute for a millisecond; the
 * latencies are then the others'.
 *
 * One thread. Every byte that comes back is compared; a wrong one, or a connection that ends, fails the run. All
 * connections are open, and have had one message each, before the clock starts. One line of JSON: how many requests
 * were answered, requests/s, latencies in us, and with --server what CPU the server has used meanwhile, in us for
 * each request (the shares of user and system mode are sampled in ticks of 10 ms, so ask for many requests).
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define EVENTS 256
#define EVENTS_OPEN 8 /* fewer at a time, so that no request is sent late because of them */

struct connection {
    int fd;
    int busy;
    uint32_t number; /* of the message under way, or of the next */
    uint32_t due;    /* open loop: how many messages should have been sent */
    long back;       /* bytes of the message under way that have come back */
    double since;    /* when it was due, or sent */
};

static long size = 64, burn_every = 0;
static char *message, *answer;

static void die(const char *what) {
    perror(what);
    exit(1);
}

static void fail(const char *what) {
    fprintf(stderr, "%s\n", what);
    exit(1);
}

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec + time.tv_nsec / 1e9;
}

/* Every connection in turn burns: which one's turn it is depends on both. */
static int burns(struct connection *it) {
    return burn_every && (it->number + it->fd) % burn_every == 0;
}

/* A message says which connection's how manieth it is, all the way through. No byte but the first is a '!'. */
static void compose(struct connection *it, char *to) {
    uint32_t word = it->number * 2654435761u ^ (uint32_t)it->fd * 40503u;
    for (long at = 0; at < size; at++) {
        to[at] = word >> 24 | 0x80;
        word = word * 1664525u + 1013904223u;
    }
    if (burns(it)) to[0] = '!';
}

static void say(struct connection *it) {
    compose(it, message);
    it->back = 0;
    it->busy = 1;
    for (long sent = 0; sent < size;) {
        ssize_t n = send(it->fd, message + sent, size - sent, MSG_NOSIGNAL);
        if (n < 0) die("send");
        sent += n;
    }
}

/* Takes what has come back; says whether the message is complete. */
static int hear(struct connection *it) {
    ssize_t n = recv(it->fd, answer, size - it->back, MSG_DONTWAIT);
    if (n < 0 && errno == EAGAIN) return 0;
    if (n < 0) die("recv");
    if (n == 0) fail("a connection has ended");
    compose(it, message);
    if (memcmp(answer, message + it->back, n)) fail("a wrong answer");
    it->back += n;
    if (it->back < size) return 0;
    it->busy = 0;
    it->number++;
    return 1;
}

/* CPU seconds of a process: all of it to the nanosecond, and the ticks that hit it in user and in system mode. */
struct cpu {
    double all, user, system;
};

static struct cpu cpu(int pid) {
    struct cpu cpu;
    char path[64], text[1024];
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    FILE *file = fopen(path, "r");
    if (!file || !fgets(text, sizeof text, file)) die(path);
    fclose(file);
    unsigned long long user, system;
    char *behind = strrchr(text, ')');
    if (!behind ||
        sscanf(behind + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu", &user, &system) != 2)
        fail("/proc/PID/stat is not as expected");
    double tick = sysconf(_SC_CLK_TCK);
    cpu.user = user / tick;
    cpu.system = system / tick;
    clockid_t clock;
    struct timespec time;
    if (clock_getcpuclockid(pid, &clock) || clock_gettime(clock, &time)) fail("no CPU clock for that process");
    cpu.all = time.tv_sec + time.tv_nsec / 1e9;
    return cpu;
}

static int epoll;
static struct connection *all;
static long connections = 1000;

/* Waits for up to `seconds`, and marks what was heard by calling `heard`. */
static long listen_for(double seconds, int most, void (*heard)(struct connection *)) {
    struct epoll_event events[EVENTS];
    struct timespec limit = {.tv_sec = (time_t)seconds, .tv_nsec = (long)((seconds - (time_t)seconds) * 1e9)};
    int ready = epoll_pwait2(epoll, events, most, &limit, NULL);
    if (ready < 0 && errno != EINTR) die("epoll_pwait2");
    long count = 0;
    for (int i = 0; i < ready; i++) {
        struct connection *it = events[i].data.ptr;
        if (!hear(it)) continue;
        count++;
        heard(it);
    }
    if (ready == 0 && seconds >= 10) fail("nothing has come back for ten seconds");
    return count;
}

static long requests = 400000, said, latencies_len;
static float *latencies; /* us */
static double begin, rate;

static void note(struct connection *it) {
    /* It has moved on to its next number: look back. */
    it->number--;
    if (!burns(it)) latencies[latencies_len++] = (now() - it->since) * 1e6;
    it->number++;
}

static void nothing(struct connection *it) {
    (void)it;
}

static void closed_heard(struct connection *it) {
    note(it);
    if (said == requests) return;
    said++;
    it->since = now();
    say(it);
}

static double due_at(long request) {
    return begin + request / rate;
}

/* Sends the connection's next message if it is due and none is under way. The first, that was for warming up, counts
 * as number 0. */
static void say_if_due(struct connection *it) {
    if (it->busy || it->number > it->due) return;
    it->since = due_at((long)(it->number - 1) * connections + (it - all));
    say(it);
}

static void open_heard(struct connection *it) {
    note(it);
    say_if_due(it);
}

static void closed_loop(void) {
    long heard = 0;
    for (long i = 0; i < connections && said < requests; i++, said++) {
        all[i].since = now();
        say(&all[i]);
    }
    while (heard < requests) heard += listen_for(10, EVENTS, closed_heard);
}

static void open_loop(void) {
    long heard = 0;
    while (heard < requests) {
        double time = now();
        for (; said < requests && due_at(said) <= time; said++) {
            all[said % connections].due++;
            say_if_due(&all[said % connections]);
        }
        double wait = said < requests ? due_at(said) - now() : 10;
        heard += listen_for(wait < 0 ? 0 : wait, EVENTS_OPEN, open_heard);
    }
}

static int compare(const void *a, const void *b) {
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

static double percentile(double part) {
    long at = part * latencies_len;
    return latencies[at < latencies_len ? at : latencies_len - 1];
}

int main(int argc, char **argv) {
    char host[64] = "127.0.0.1";
    int port = 7777, server = 0;
    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : "";
        if (!strcmp(argv[i], "--connect") && sscanf(value, "%63[0-9.]:%d", host, &port) == 2) i++;
        else if (!strcmp(argv[i], "--connections") && (connections = atol(value)) > 0) i++;
        else if (!strcmp(argv[i], "--requests") && (requests = atol(value)) > 0) i++;
        else if (!strcmp(argv[i], "--size") && (size = atol(value)) > 0) i++;
        else if (!strcmp(argv[i], "--rate") && (rate = atof(value)) > 0) i++;
        else if (!strcmp(argv[i], "--burn-every") && (burn_every = atol(value)) > 0) i++;
        else if (!strcmp(argv[i], "--server") && (server = atoi(value)) > 0) i++;
        else {
            fprintf(stderr,
                    "usage: %s [--connect 127.0.0.1:7777] [--connections 1000] [--requests 400000] [--size 64] "
                    "[--rate REQUESTS_PER_SECOND] [--burn-every N] [--server PID]\n", argv[0]);
            return strcmp(argv[i], "--help") != 0;
        }
    }
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    prctl(PR_SET_TIMERSLACK, 1); /* wake when it is due, not up to 50 us later */
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    if (inet_pton(AF_INET, host, &address.sin_addr) != 1) fail("no such address");
    message = malloc(size);
    answer = malloc(size);
    latencies = malloc(requests * sizeof *latencies);
    memset(latencies, 0, requests * sizeof *latencies); /* touched before the clock starts */

    epoll = epoll_create1(EPOLL_CLOEXEC);
    all = calloc(connections, sizeof *all);
    for (long i = 0; i < connections; i++) {
        int one = 1;
        all[i].fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (all[i].fd < 0) die("socket");
        if (connect(all[i].fd, (struct sockaddr *)&address, sizeof address)) die("connect");
        setsockopt(all[i].fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = &all[i]};
        if (epoll_ctl(epoll, EPOLL_CTL_ADD, all[i].fd, &event)) die("epoll_ctl");
    }
    for (long i = 0; i < connections; i++) say(&all[i]);
    for (long heard = 0; heard < connections;) heard += listen_for(10, EVENTS, nothing);

    struct cpu before = {0}, after = {0};
    if (server) before = cpu(server);
    begin = now();
    if (rate) open_loop();
    else closed_loop();
    double seconds = now() - begin;
    if (server) after = cpu(server);

    qsort(latencies, latencies_len, sizeof *latencies, compare);
    printf("{\"result\": %ld, \"per_second\": %.0f", requests, requests / seconds);
    if (latencies_len)
        printf(", \"p50_us\": %.1f, \"p99_us\": %.1f, \"p999_us\": %.1f, \"max_us\": %.1f", percentile(.5),
               percentile(.99), percentile(.999), percentile(1));
    if (server)
        printf(", \"cpu_us\": %.4f, \"user_us\": %.3f, \"system_us\": %.3f", (after.all - before.all) * 1e6 / requests,
               (after.user - before.user) * 1e6 / requests, (after.system - before.system) * 1e6 / requests);
    printf("}\n");
    return 0;
}
