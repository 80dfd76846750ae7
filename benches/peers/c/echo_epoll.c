/* The yardstick for echo servers: epoll by hand, in C, with nothing between it and the kernel.
 *
 *   gcc -O2 -pthread -o echo_epoll benches/peers/c/echo_epoll.c
 *   ./echo_epoll [--listen 127.0.0.1:7777] [--threads 2]
 *
 * A thread for each core, each with a listening socket (SO_REUSEPORT) and an epoll of its own, so that
 * nothing is shared. Level-triggered, because that needs the fewest calls here: one epoll_wait for all that
 * is ready, then for each request one recv and one send. A recv that brings less than the buffer holds has
 * emptied the socket, so there is no second recv that only says EAGAIN. What a send does not take is kept
 * and sent when the socket is writable again; until then nothing more is read from it.
 *
 * A request that begins with '!' costs a millisecond of computing: the mixed workload's.
 *
 * At the end (SIGTERM, SIGINT) it prints how many requests (recv calls that brought something) it has
 * answered and how many system calls it has made for them, counted where they are made.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BUFFER 4096
#define EVENTS 256

struct connection {
    int fd;
    int sent, held; /* of what recv brought */
    char *rest;     /* only while a send is not finished */
};

struct counts {
    uint64_t requests, waits, recvs, sends, others;
} __attribute__((aligned(128)));

static struct sockaddr_in address;
static int threads = 2;
static struct counts counts[64];

static void die(const char *what) {
    perror(what);
    exit(1);
}

static void burn(void) {
    struct timespec from, to;
    clock_gettime(CLOCK_MONOTONIC, &from);
    do clock_gettime(CLOCK_MONOTONIC, &to);
    while ((to.tv_sec - from.tv_sec) * 1000000000L + to.tv_nsec - from.tv_nsec < 1000000);
}

static int listener(void) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), one = 1;
    if (fd < 0) die("socket");
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof one);
    if (bind(fd, (struct sockaddr *)&address, sizeof address) || listen(fd, 4096)) die("listen");
    return fd;
}

static void watch(int epoll, struct connection *it, int how, uint32_t events) {
    struct epoll_event event = {.events = events, .data.ptr = it};
    if (epoll_ctl(epoll, how, it->fd, &event)) die("epoll_ctl");
}

static void end(struct connection *it) {
    close(it->fd);
    free(it->rest);
    free(it);
}

/* Sends what is held; says whether all of it is gone, or -1 for a connection that is broken. */
static int flush(struct connection *it, char *from, struct counts *count) {
    while (it->sent < it->held) {
        count->sends++;
        ssize_t n = send(it->fd, from + it->sent, it->held - it->sent, MSG_NOSIGNAL);
        if (n < 0) return errno == EAGAIN ? 0 : -1;
        it->sent += n;
    }
    return 1;
}

static void serve(int epoll, struct connection *it, struct counts *count) {
    char buffer[BUFFER];
    if (it->rest) {
        int done = flush(it, it->rest, count);
        if (done == 0) return;
        if (done < 0) return end(it);
        free(it->rest);
        it->rest = NULL;
        count->others++;
        watch(epoll, it, EPOLL_CTL_MOD, EPOLLIN);
        return; /* level-triggered: what has come meanwhile is told again */
    }
    for (;;) {
        count->recvs++;
        ssize_t n = recv(it->fd, buffer, sizeof buffer, 0);
        if (n < 0 && errno == EAGAIN) return;
        if (n <= 0) return end(it);
        count->requests++;
        if (buffer[0] == '!') burn();
        it->sent = 0;
        it->held = n;
        int done = flush(it, buffer, count);
        if (done < 0) return end(it);
        if (done == 0) {
            it->rest = malloc(n);
            memcpy(it->rest, buffer, n);
            count->others++;
            return watch(epoll, it, EPOLL_CTL_MOD, EPOLLOUT);
        }
        if (n < (ssize_t)sizeof buffer) return;
    }
}

static void *work(void *argument) {
    struct counts *count = argument;
    struct connection door = {.fd = listener()};
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    if (epoll < 0) die("epoll_create1");
    watch(epoll, &door, EPOLL_CTL_ADD, EPOLLIN);
    struct epoll_event events[EVENTS];
    for (;;) {
        count->waits++;
        int ready = epoll_wait(epoll, events, EVENTS, -1);
        for (int i = 0; i < ready; i++) {
            struct connection *it = events[i].data.ptr;
            if (it != &door) {
                serve(epoll, it, count);
                continue;
            }
            int fd;
            while ((fd = accept4(door.fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
                int one = 1;
                setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
                it = calloc(1, sizeof *it);
                it->fd = fd;
                watch(epoll, it, EPOLL_CTL_ADD, EPOLLIN);
                count->others += 3;
            }
            count->others++;
        }
    }
    return NULL;
}

int main(int argc, char **argv) {
    char host[64] = "127.0.0.1";
    int port = 7777;
    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : "";
        if (!strcmp(argv[i], "--listen") && sscanf(value, "%63[0-9.]:%d", host, &port) == 2) i++;
        else if (!strcmp(argv[i], "--threads") && (threads = atoi(value)) > 0 && threads <= 64) i++;
        else {
            fprintf(stderr, "usage: %s [--listen 127.0.0.1:7777] [--threads 2]\n", argv[0]);
            return strcmp(argv[i], "--help") != 0;
        }
    }
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    if (inet_pton(AF_INET, host, &address.sin_addr) != 1) die("the address");

    sigset_t ends;
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGINT);
    pthread_sigmask(SIG_BLOCK, &ends, NULL);
    pthread_t thread;
    for (int i = 0; i < threads; i++)
        if (pthread_create(&thread, NULL, work, &counts[i])) die("pthread_create");
    fprintf(stderr, "listening on %s:%d\n", host, port);
    int signal;
    sigwait(&ends, &signal);

    struct counts all = {0};
    for (int i = 0; i < threads; i++) {
        all.requests += counts[i].requests;
        all.waits += counts[i].waits;
        all.recvs += counts[i].recvs;
        all.sends += counts[i].sends;
        all.others += counts[i].others;
    }
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    double requests = all.requests ? all.requests : 1;
    printf("requests %llu, system calls per request: %.3f epoll_wait, %.3f recv, %.3f send, %.3f others\n",
           (unsigned long long)all.requests, all.waits / requests, all.recvs / requests,
           all.sends / requests, all.others / requests);
    printf("cpu seconds %.3f user, %.3f system\n", used.ru_utime.tv_sec + used.ru_utime.tv_usec / 1e6,
           used.ru_stime.tv_sec + used.ru_stime.tv_usec / 1e6);
    return 0;
}
