// The load: a fixed number of requests, one connection each, from a fixed number of concurrent clients.
//
//   load SOCKET REQUESTS REPLY CLIENTS COUNT [SECONDS]
//
// REQUESTS is a file of framed requests (4-byte length included), used in turn and again from the first. REPLY is one
// framed reply: every reply must have its length and start with its first bytes, or it counts as an error. A client is
// connect, one send, recv until the reply is whole, close; its latency runs from before connect to the last byte.
// Prints one line of JSON and ends; after SECONDS (default 120) without the last reply it ends with status 75.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { MAX_CLIENTS = 1024, MAX_REPLY = 1 << 17, COMPARED = 60 };

struct request {
    const uint8_t *bytes;
    uint32_t size;
};

struct client {
    int fd;
    uint64_t started;
    size_t received;
    uint8_t head[COMPARED];
};

static struct sockaddr_un address = {.sun_family = AF_UNIX};
static struct request *requests;
static size_t request_count;
static uint8_t *expected;
static size_t expected_size;
static struct client clients[MAX_CLIENTS];
static uint32_t *latencies;  // nanoseconds
static size_t to_start, started, finished, errors;
static int poller;

static void die(const char *what) {
    fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
    exit(71);
}

static uint64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static uint8_t *read_file(const char *path, size_t *size) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat stat;
    if (fd < 0 || fstat(fd, &stat) != 0) die(path);
    uint8_t *bytes = malloc((size_t)stat.st_size + 1);
    if (bytes == NULL) die(path);
    for (*size = 0; *size < (size_t)stat.st_size;) {
        ssize_t got = read(fd, bytes + *size, (size_t)stat.st_size - *size);
        if (got <= 0) die(path);
        *size += (size_t)got;
    }
    close(fd);
    return bytes;
}

static void index_requests(const char *path) {
    size_t size;
    uint8_t *bytes = read_file(path, &size);
    requests = malloc((size / 4 + 1) * sizeof *requests);
    if (requests == NULL) die(path);
    for (size_t at = 0; at < size;) {
        uint32_t length;
        if (size - at < 4 || (memcpy(&length, bytes + at, 4), length > size - at - 4)) {
            fprintf(stderr, "load: %s is not a sequence of frames\n", path);
            exit(65);
        }
        requests[request_count++] = (struct request){bytes + at, length + 4};
        at += length + 4;
    }
    if (request_count == 0) {
        fprintf(stderr, "load: %s is empty\n", path);
        exit(65);
    }
}

static void start(struct client *client) {
    const struct request *request = &requests[started % request_count];
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = client};
    started++;
    client->received = 0;
    client->started = now();
    client->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (client->fd < 0) die("socket");
    if (connect(client->fd, (struct sockaddr *)&address, sizeof address) != 0) die("connect");
    if (send(client->fd, request->bytes, request->size, MSG_NOSIGNAL) != (ssize_t)request->size) die("send");
    if (epoll_ctl(poller, EPOLL_CTL_ADD, client->fd, &event) != 0) die("epoll_ctl");
}

static void finish(struct client *client, int good) {
    uint64_t latency = now() - client->started;
    latencies[finished++] = latency > UINT32_MAX ? UINT32_MAX : (uint32_t)latency;
    errors += !good;
    close(client->fd);
    if (started < to_start) start(client);
}

static void receive(struct client *client) {
    static uint8_t buffer[MAX_REPLY];
    ssize_t got = recv(client->fd, buffer, sizeof buffer, MSG_DONTWAIT);
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0) return finish(client, 0);
    if (client->received < COMPARED) {
        size_t room = COMPARED - client->received;
        memcpy(client->head + client->received, buffer, (size_t)got < room ? (size_t)got : room);
    }
    client->received += (size_t)got;
    if (client->received > expected_size) return finish(client, 0);
    // A reply of another length is either too long (above) or announces itself in its own length field.
    uint32_t announced;
    memcpy(&announced, client->head, 4);
    if (client->received >= 4 && announced + 4 != expected_size) return finish(client, 0);
    if (client->received < expected_size) return;
    finish(client, memcmp(client->head, expected, expected_size < COMPARED ? expected_size : COMPARED) == 0);
}

static int by_value(const void *a, const void *b) {
    uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
    return (left > right) - (left < right);
}

int main(int argc, char **argv) {
    size_t concurrent = argc >= 6 ? strtoul(argv[4], NULL, 10) : 0;
    if (concurrent < 1 || concurrent > MAX_CLIENTS || strlen(argv[1]) >= sizeof address.sun_path) {
        fprintf(stderr, "usage: load SOCKET REQUESTS REPLY CLIENTS COUNT [SECONDS]\n");
        return 64;
    }
    strcpy(address.sun_path, argv[1]);
    index_requests(argv[2]);
    expected = read_file(argv[3], &expected_size);
    to_start = strtoul(argv[5], NULL, 10);
    uint64_t limit = (argc > 6 ? strtoul(argv[6], NULL, 10) : 120) * 1000000000ull;
    latencies = malloc((to_start + 1) * sizeof *latencies);
    if (latencies == NULL || (poller = epoll_create1(EPOLL_CLOEXEC)) < 0) die("set-up");

    uint64_t begin = now();
    for (size_t i = 0; i < concurrent && started < to_start; i++) start(&clients[i]);
    while (finished < to_start) {
        struct epoll_event events[64];
        int count = epoll_wait(poller, events, 64, 1000);
        for (int i = 0; i < count; i++) receive(events[i].data.ptr);
        if (now() - begin > limit) {
            fprintf(stderr, "load: %zu of %zu replies after %.0f s\n", finished, to_start, (double)limit / 1e9);
            return 75;
        }
    }
    double seconds = (double)(now() - begin) / 1e9;
    qsort(latencies, finished, sizeof *latencies, by_value);
    double p50 = finished ? latencies[finished / 2] / 1e3 : 0, p99 = finished ? latencies[finished * 99 / 100] / 1e3 : 0;
    printf("{\"requests\":%zu,\"errors\":%zu,\"seconds\":%.6f,\"perSecond\":%.1f,\"p50Us\":%.1f,\"p99Us\":%.1f}\n", finished,
           errors, seconds, (double)finished / seconds, p50, p99);
    return 0;
}
