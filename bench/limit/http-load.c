// The load on an HTTP server: keep-alive connections to a port of loopback, one request at a time on each.
//
//   http-load PORT TARGETS CLIENTS COUNT [SECONDS]
//
// TARGETS is a file of request targets ("/path?query"), one a line; each request takes one at random, from a generator that
// is seeded the same every time. Every answer must be 200 with a Content-Length, or it counts as an error. A latency runs
// from before the send to the last byte. Every client comes from a network (/24) of its own, 127.1.N.1, as the machines of a
// fleet do, so that limits by address apply as they are meant to. Prints one line of JSON and ends; after SECONDS (default 120) without the last
// answer it ends with status 75.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { MAX_CLIENTS = 256, MAX_ANSWER = 1 << 20, MAX_TARGET = 4096 };

struct target {
    const char *text;
    size_t size;
};

struct client {
    int fd;
    uint64_t started;
    size_t received;
    size_t whole;  // 0 until the head is complete
    int good;
    char *answer;
};

static struct sockaddr_in address = {.sin_family = AF_INET};
static struct target *targets;
static size_t target_count;
static struct client clients[MAX_CLIENTS];
static uint32_t *latencies;  // nanoseconds
static size_t to_send, sent, finished, errors, bytes;
static uint64_t state = 0x9e3779b97f4a7c15ull;

static void die(const char *what) {
    fprintf(stderr, "http-load: %s: %s\n", what, strerror(errno));
    exit(71);
}

static uint64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static uint64_t next_random(void) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

static void read_targets(const char *path) {
    FILE *file = fopen(path, "r");
    struct stat stat;
    if (file == NULL || fstat(fileno(file), &stat) != 0) die(path);
    char *text = malloc((size_t)stat.st_size + 1);
    if (text == NULL || fread(text, 1, (size_t)stat.st_size, file) != (size_t)stat.st_size) die(path);
    fclose(file);
    size_t lines = 1;
    for (off_t i = 0; i < stat.st_size; i++) lines += text[i] == '\n';
    targets = malloc(lines * sizeof *targets);
    if (targets == NULL) die(path);
    for (char *at = text, *end = text + stat.st_size; at < end;) {
        char *stop = memchr(at, '\n', (size_t)(end - at));
        if (stop == NULL) stop = end;
        size_t size = (size_t)(stop - at);
        if (size > MAX_TARGET) {
            fprintf(stderr, "http-load: a target of %s is too long\n", path);
            exit(65);
        }
        if (size > 0) targets[target_count++] = (struct target){at, size};
        at = stop + 1;
    }
    if (target_count == 0) {
        fprintf(stderr, "http-load: %s is empty\n", path);
        exit(65);
    }
}

static void ask(struct client *client) {
    char request[MAX_TARGET + 128];
    const struct target *target = &targets[target_count == 1 ? 0 : next_random() % target_count];
    int size = snprintf(request, sizeof request, "GET %.*s HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: */*\r\n\r\n",
                        (int)target->size, target->text);
    sent++;
    client->received = client->whole = 0;
    client->started = now();
    if (send(client->fd, request, (size_t)size, MSG_NOSIGNAL) != size) die("send");
}

static void open_client(struct client *client, int poller) {
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = client};
    uint32_t number = (uint32_t)(client - clients);
    struct sockaddr_in own = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f010001u + (number << 8))};
    int one = 1;
    client->answer = malloc(MAX_ANSWER + 1);
    client->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (client->answer == NULL || client->fd < 0) die("socket");
    if (bind(client->fd, (struct sockaddr *)&own, sizeof own) != 0) die("bind");
    if (connect(client->fd, (struct sockaddr *)&address, sizeof address) != 0) die("connect");
    setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (epoll_ctl(poller, EPOLL_CTL_ADD, client->fd, &event) != 0) die("epoll_ctl");
}

// The size of the whole answer, once its head is there.
static void read_head(struct client *client) {
    client->answer[client->received] = 0;
    char *end = strstr(client->answer, "\r\n\r\n");
    if (end == NULL) return;
    *end = 0;
    char *length = strcasestr(client->answer, "\r\ncontent-length:");
    *end = '\r';
    if (length == NULL) {
        fprintf(stderr, "http-load: an answer without Content-Length\n");
        exit(65);
    }
    client->whole = (size_t)(end + 4 - client->answer) + strtoul(length + strlen("\r\ncontent-length:"), NULL, 10);
    client->good = strncmp(client->answer, "HTTP/1.1 200 ", 13) == 0;
    if (client->whole > MAX_ANSWER) {
        fprintf(stderr, "http-load: an answer of %zu bytes\n", client->whole);
        exit(65);
    }
}

static void receive(struct client *client) {
    ssize_t got = recv(client->fd, client->answer + client->received, MAX_ANSWER - client->received, MSG_DONTWAIT);
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0) {
        fprintf(stderr, "http-load: the server closed a connection\n");
        exit(76);
    }
    client->received += (size_t)got;
    if (client->whole == 0) read_head(client);
    if (client->whole == 0 || client->received < client->whole) return;
    uint64_t latency = now() - client->started;
    latencies[finished++] = latency > UINT32_MAX ? UINT32_MAX : (uint32_t)latency;
    errors += !client->good || client->received != client->whole;
    bytes += client->received;
    if (sent < to_send) ask(client);
}

static int by_value(const void *a, const void *b) {
    uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
    return (left > right) - (left < right);
}

int main(int argc, char **argv) {
    size_t concurrent = argc >= 5 ? strtoul(argv[3], NULL, 10) : 0;
    if (concurrent < 1 || concurrent > MAX_CLIENTS) {
        fprintf(stderr, "usage: http-load PORT TARGETS CLIENTS COUNT [SECONDS]\n");
        return 64;
    }
    address.sin_port = htons((uint16_t)strtoul(argv[1], NULL, 10));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    read_targets(argv[2]);
    to_send = strtoul(argv[4], NULL, 10);
    uint64_t limit = (argc > 5 ? strtoul(argv[5], NULL, 10) : 120) * 1000000000ull;
    latencies = malloc((to_send + 1) * sizeof *latencies);
    int poller = epoll_create1(EPOLL_CLOEXEC);
    if (latencies == NULL || poller < 0) die("set-up");

    for (size_t i = 0; i < concurrent; i++) open_client(&clients[i], poller);
    uint64_t begin = now();
    for (size_t i = 0; i < concurrent && sent < to_send; i++) ask(&clients[i]);
    while (finished < to_send) {
        struct epoll_event events[64];
        int count = epoll_wait(poller, events, 64, 1000);
        for (int i = 0; i < count; i++) receive(events[i].data.ptr);
        if (now() - begin > limit) {
            fprintf(stderr, "http-load: %zu of %zu answers after %.0f s\n", finished, to_send, (double)limit / 1e9);
            return 75;
        }
    }
    double seconds = (double)(now() - begin) / 1e9;
    qsort(latencies, finished, sizeof *latencies, by_value);
    double p50 = finished ? latencies[finished / 2] / 1e3 : 0, p99 = finished ? latencies[finished * 99 / 100] / 1e3 : 0;
    printf("{\"requests\":%zu,\"errors\":%zu,\"bytes\":%zu,\"seconds\":%.6f,\"perSecond\":%.1f,\"p50Us\":%.1f,\"p99Us\":%.1f}\n",
           finished, errors, bytes, seconds, (double)finished / seconds, p50, p99);
    return 0;
}
