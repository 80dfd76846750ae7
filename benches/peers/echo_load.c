/* The load for echo servers: many connections, each with one message under way.
 *
 *   gcc -O2 -o echo_load benches/peers/echo_load.c
 *   ./echo_load [--connect 127.0.0.1:7777] [--connections 1000] [--requests 400000] [--size 64]
 *               [--server PID]
 *
 * Closed loop, one thread: each connection sends its next message as soon as the last one has come back.
 * Every byte that comes back is compared; a wrong one, or a connection that ends, fails the run. All
 * connections are open, and have had one message each, before the clock starts. With --server it also
 * prints what CPU the server has used meanwhile, from /proc: ticks of 10 ms, so ask for many requests.
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
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define EVENTS 256

struct connection {
    int fd;
    uint32_t number;  /* of the message under way */
    long long back;   /* bytes of it that have come back */
};

static long size = 64;
static char *message, *answer;

static void die(const char *what) {
    perror(what);
    exit(1);
}

static void fail(const char *what) {
    fprintf(stderr, "%s\n", what);
    exit(1);
}

/* A message says which connection's how manieth it is, all the way through. */
static void compose(struct connection *it, char *to) {
    uint32_t word = it->number * 2654435761u ^ (uint32_t)it->fd * 40503u;
    for (long at = 0; at < size; at++) {
        to[at] = word >> 24;
        word = word * 1664525u + 1013904223u;
    }
}

static void say(struct connection *it) {
    compose(it, message);
    it->back = 0;
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
    return it->back == size;
}

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec + time.tv_nsec / 1e9;
}

/* User and system CPU seconds of a process. */
static void cpu(int pid, double *user, double *system) {
    char path[64], text[1024];
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    FILE *file = fopen(path, "r");
    if (!file || !fgets(text, sizeof text, file)) die(path);
    fclose(file);
    unsigned long long u, s;
    char *behind = strrchr(text, ')');
    if (!behind || sscanf(behind + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu", &u, &s) != 2)
        fail("/proc/PID/stat is not as expected");
    double tick = sysconf(_SC_CLK_TCK);
    *user = u / tick;
    *system = s / tick;
}

int main(int argc, char **argv) {
    char host[64] = "127.0.0.1";
    int port = 7777, connections = 1000, server = 0;
    long long requests = 400000;
    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : "";
        if (!strcmp(argv[i], "--connect") && sscanf(value, "%63[0-9.]:%d", host, &port) == 2) i++;
        else if (!strcmp(argv[i], "--connections") && (connections = atoi(value)) > 0) i++;
        else if (!strcmp(argv[i], "--requests") && (requests = atoll(value)) > 0) i++;
        else if (!strcmp(argv[i], "--size") && (size = atol(value)) > 0) i++;
        else if (!strcmp(argv[i], "--server") && (server = atoi(value)) > 0) i++;
        else {
            fprintf(stderr,
                    "usage: %s [--connect 127.0.0.1:7777] [--connections 1000] [--requests 400000] "
                    "[--size 64] [--server PID]\n", argv[0]);
            return strcmp(argv[i], "--help") != 0;
        }
    }
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    if (inet_pton(AF_INET, host, &address.sin_addr) != 1) fail("no such address");
    message = malloc(size);
    answer = malloc(size);

    int epoll = epoll_create1(EPOLL_CLOEXEC);
    struct connection *all = calloc(connections, sizeof *all);
    for (int i = 0; i < connections; i++) {
        int one = 1;
        all[i].fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (all[i].fd < 0) die("socket");
        if (connect(all[i].fd, (struct sockaddr *)&address, sizeof address)) die("connect");
        setsockopt(all[i].fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = &all[i]};
        if (epoll_ctl(epoll, EPOLL_CTL_ADD, all[i].fd, &event)) die("epoll_ctl");
    }
    struct epoll_event events[EVENTS];
    double begin = 0, user = 0, system = 0;
    long long heard = 0, said = connections, end = connections + requests;
    for (int i = 0; i < connections; i++) say(&all[i]);
    while (heard < end) {
        int ready = epoll_wait(epoll, events, EVENTS, 10000);
        if (ready == 0) fail("nothing has come back for ten seconds");
        for (int i = 0; i < ready; i++) {
            struct connection *it = events[i].data.ptr;
            if (!hear(it)) continue;
            heard++;
            if (heard == connections) {
                begin = now();
                if (server) cpu(server, &user, &system);
            }
            if (said == end) continue;
            it->number++;
            said++;
            say(it);
        }
    }
    double seconds = now() - begin;
    printf("requests/s %.0f", requests / seconds);
    if (server) {
        double user_then = user, system_then = system;
        cpu(server, &user, &system);
        user -= user_then;
        system -= system_then;
        printf(", server cpu us/request %.3f (user %.3f, system %.3f)", (user + system) * 1e6 / requests,
               user * 1e6 / requests, system * 1e6 / requests);
    }
    printf("\n");
    return 0;
}
