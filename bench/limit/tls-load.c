// The load on an HTTPS server that is asked one thing: keep-alive TLS connections to a port of loopback, one request at a time on
// each, as API servers call webhooks.
//
//   tls-load PORT REQUEST ANSWER CLIENTS COUNT RATE [SECONDS]
//
// REQUEST is a file with one whole HTTP request, ANSWER one with the body that every answer must have after a status of 200; any other
// counts as an error. With RATE 0 each client asks again as soon as it is answered. With a RATE, requests a second are due at
// even distances, whoever is free takes the next, and a latency runs from when a request was due: a server that stands
// still cannot hide it. Otherwise a latency runs from before the write to the last byte. Prints one line of JSON and ends; after
// SECONDS (default 120) without the last answer it ends with status 75.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { MAX_CLIENTS = 256, MAX_ANSWER = 1 << 16 };

struct client {
    SSL *tls;
    uint64_t started;  // 0: free
    size_t received;
    char answer[MAX_ANSWER + 1];
};

struct file {
    char *bytes;
    size_t size;
};

static struct client clients[MAX_CLIENTS];
static struct file request, expected;
static uint32_t *latencies;  // nanoseconds
static size_t to_send, sent, finished, errors;
static uint64_t began, period;  // nanoseconds; period 0: no rate

static void die(const char *what) {
    fprintf(stderr, "tls-load: %s: %s\n", what, strerror(errno));
    exit(71);
}

static uint64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static struct file read_file(const char *path) {
    FILE *file = fopen(path, "r");
    struct file read = {.bytes = malloc(MAX_ANSWER), .size = 0};
    if (file == NULL || read.bytes == NULL) die(path);
    read.size = fread(read.bytes, 1, MAX_ANSWER, file);
    if (read.size == 0 || read.size == MAX_ANSWER) die(path);
    fclose(file);
    return read;
}

static void ask(struct client *client) {
    client->started = period == 0 ? now() : began + sent * period;
    client->received = 0;
    sent++;
    // What was asked before is answered, so the socket's buffer is empty.
    if (SSL_write(client->tls, request.bytes, (int)request.size) != (int)request.size) die("write");
}

// Whether there is a request that is due, and how long until then.
static int is_due(int64_t *wait) {
    if (sent == to_send) return 0;
    if (period == 0) return 1;
    *wait = (int64_t)(began + sent * period) - (int64_t)now();
    return *wait <= 0;
}

static void ask_what_is_due(size_t count) {
    int64_t wait;
    for (size_t i = 0; i < count && is_due(&wait); i++)
        if (clients[i].started == 0) ask(&clients[i]);
}

static void open_client(struct client *client, SSL_CTX *context, int port, int poller) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = client};
    int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) != 0) die("connect");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    client->tls = SSL_new(context);
    if (client->tls == NULL || SSL_set_fd(client->tls, fd) != 1 || SSL_connect(client->tls) != 1) die("handshake");
    if (fcntl(fd, F_SETFL, O_NONBLOCK) != 0 || epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event) != 0) die("epoll_ctl");
}

// Whether the answer is whole; then also whether it is right.
static int is_whole(struct client *client, int *right) {
    client->answer[client->received] = 0;
    char *end = strstr(client->answer, "\r\n\r\n");
    char *length = strcasestr(client->answer, "\r\ncontent-length:");
    if (end == NULL) return 0;
    if (length == NULL || length > end) {
        fprintf(stderr, "tls-load: an answer without Content-Length\n");
        exit(65);
    }
    char *body = end + 4;
    size_t size = strtoul(length + strlen("\r\ncontent-length:"), NULL, 10);
    if ((size_t)(body - client->answer) + size > client->received) return 0;
    *right = strncmp(client->answer, "HTTP/1.1 200 ", 13) == 0 && size == expected.size &&
             memcmp(body, expected.bytes, size) == 0;
    return 1;
}

static void receive(struct client *client) {
    for (;;) {
        int got = SSL_read(client->tls, client->answer + client->received, (int)(MAX_ANSWER - client->received));
        if (got <= 0) {
            if (SSL_get_error(client->tls, got) == SSL_ERROR_WANT_READ) return;
            fprintf(stderr, "tls-load: the server closed a connection, or answered more than %d bytes\n", MAX_ANSWER);
            exit(76);
        }
        client->received += (size_t)got;
        int right = 0;
        if (client->started == 0 || !is_whole(client, &right)) continue;
        uint64_t took = now() - client->started;
        latencies[finished++] = took > UINT32_MAX ? UINT32_MAX : (uint32_t)took;
        errors += !right;
        client->started = 0;
    }
}

static int by_size(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

static double percentile(double share) {
    return latencies[(size_t)((double)(finished - 1) * share)] / 1e3;
}

int main(int argc, char **argv) {
    if (argc < 7) {
        fprintf(stderr, "usage: tls-load PORT REQUEST ANSWER CLIENTS COUNT RATE [SECONDS]\n");
        return 64;
    }
    request = read_file(argv[2]);
    expected = read_file(argv[3]);
    size_t count = strtoul(argv[4], NULL, 10);
    to_send = strtoul(argv[5], NULL, 10);
    uint64_t rate = strtoul(argv[6], NULL, 10);
    uint64_t patience = (argc > 7 ? strtoul(argv[7], NULL, 10) : 120) * 1000000000u;
    if (count == 0 || count > MAX_CLIENTS || to_send < count) {
        fprintf(stderr, "tls-load: 1 to %d clients, and a request for each\n", MAX_CLIENTS);
        return 64;
    }
    latencies = malloc(to_send * sizeof *latencies);
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    int poller = epoll_create1(EPOLL_CLOEXEC);
    if (latencies == NULL || context == NULL || poller < 0) die("start");
    for (size_t i = 0; i < count; i++) open_client(&clients[i], context, atoi(argv[1]), poller);

    period = rate == 0 ? 0 : 1000000000u / rate;
    began = now();
    while (finished < to_send) {
        struct epoll_event events[MAX_CLIENTS];
        int64_t wait = 1000000000;
        ask_what_is_due(count);
        (void)is_due(&wait);
        struct timespec until = {.tv_sec = wait > 0 ? wait / 1000000000 : 0, .tv_nsec = wait > 0 ? wait % 1000000000 : 0};
        // Nothing is due, or nobody is free: an answer, or the time of the next request.
        if (wait <= 0) until.tv_nsec = 1000000;
        int ready = epoll_pwait2(poller, events, MAX_CLIENTS, &until, NULL);
        if (ready < 0 && errno != EINTR) die("epoll_pwait2");
        for (int i = 0; i < ready; i++) receive(events[i].data.ptr);
        if (now() - began > patience) {
            fprintf(stderr, "tls-load: %zu of %zu answers in time\n", finished, to_send);
            return 75;
        }
    }
    double seconds = (double)(now() - began) / 1e9;
    qsort(latencies, finished, sizeof *latencies, by_size);
    printf("{\"requests\":%zu,\"errors\":%zu,\"perSecond\":%.1f,\"p50Us\":%.1f,\"p99Us\":%.1f}\n", finished, errors,
           (double)finished / seconds, percentile(0.5), percentile(0.99));
    return 0;
}
