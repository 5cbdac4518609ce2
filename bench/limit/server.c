// The limit that the benchmark measures against: the same requests answered by C, epoll and OpenSSL.
//
//   server SOCKET TARGET_INFO QUOTE PROCESSES
//
// TARGET_INFO is a file with the 512 bytes that reports are made for; QUOTE one with a complete v3 quote, whose header,
// QE report and certificates are sent again and again with a new body and a new signature. PROCESSES share the
// listening socket. Prints "ready PID PID ..." and runs until SIGTERM.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "message.h"
#include "quote.h"

enum { MAX_REQUEST = 65536, MAX_QUOTE = 65536, ACCEPT_BATCH = 64, MAX_PROCESSES = 64, MAX_FD = 8192, REPLY_HEAD = 24 };
enum { PARAMETER_ERROR = 3, UNSUPPORTED_ATT_KEY_ID = 38, INVALID_REPORT = 47 };

// A request that did not arrive whole with the connection.
struct partial {
    size_t size;
    uint8_t bytes[4 + MAX_REQUEST];
};

static int listening, poller;
static struct partial *partials[MAX_FD];
static uint8_t input[4 + MAX_REQUEST];
static uint8_t template_quote[MAX_QUOTE];
static size_t quote_size;

// The reply to a quote request lives in one buffer; only body and signature differ between two of the same buf_size.
static uint8_t reply[REPLY_HEAD + MAX_QUOTE];
static uint8_t *reply_start, *reply_quote;
static size_t reply_size;
static uint32_t reply_buf_size;

static void die(const char *what) {
    fprintf(stderr, "limit server: %s: %s\n", what, strerror(errno));
    exit(71);
}

static uint8_t *put_varint(uint8_t *at, uint32_t value) {
    for (; value >= 0x80; value >>= 7) *at++ = (uint8_t)value | 0x80;
    *at++ = (uint8_t)value;
    return at;
}

static void prepare_reply(uint32_t buf_size) {
    uint8_t fields[16], message[16];
    uint8_t *end = fields;
    *end++ = 0x08, *end++ = 0;  // errorCode
    *end++ = 0x12;              // quote
    end = put_varint(end, buf_size);
    size_t fields_size = (size_t)(end - fields);
    end = message;
    *end++ = 0x8a, *end++ = 0x01;  // getQuoteExRes
    end = put_varint(end, (uint32_t)fields_size + buf_size);
    size_t message_size = (size_t)(end - message);
    uint32_t frame = (uint32_t)(message_size + fields_size + buf_size);

    reply_quote = reply + REPLY_HEAD;
    reply_start = reply_quote - fields_size - message_size - 4;
    memcpy(reply_start, &frame, 4);
    memcpy(reply_start + 4, message, message_size);
    memcpy(reply_start + 4 + message_size, fields, fields_size);
    memcpy(reply_quote, template_quote, quote_size);
    memset(reply_quote + quote_size, 0, buf_size - quote_size);
    reply_size = 4 + frame;
    reply_buf_size = buf_size;
}

static void respond(int fd, const void *bytes, size_t size) {
    // A fresh connection has room for the whole reply; what does not fit is a client that must not count as served.
    if (send(fd, bytes, size, MSG_DONTWAIT | MSG_NOSIGNAL) != (ssize_t)size) fprintf(stderr, "limit server: short send\n");
}

static void refuse_quote(int fd, uint8_t code) {
    uint8_t refusal[] = {5, 0, 0, 0, 0x8a, 0x01, 2, 0x08, code};
    respond(fd, refusal, sizeof refusal);
}

static void answer(int fd, const uint8_t *body, size_t size) {
    static const uint8_t one_key_id[] = {7, 0, 0, 0, 0xaa, 0x01, 4, 0x08, 0, 0x10, 1};
    struct request request;
    decode_request(body, size, &request);
    if (request.operation == OP_KEY_ID_COUNT) return respond(fd, one_key_id, sizeof one_key_id);
    if (request.operation != OP_GET_QUOTE_EX) return;
    if (request.report_size != REPORT_SIZE || !request.has_buf_size || request.key_id_size < 256 ||
        request.has_qe_report_info || request.buf_size < quote_size || request.buf_size > MAX_QUOTE)
        return refuse_quote(fd, PARAMETER_ERROR);
    if (memcmp(request.key_id, ECDSA_P256_KEY_ID_BASE, KEY_ID_BASE_SIZE) != 0)
        return refuse_quote(fd, UNSUPPORTED_ATT_KEY_ID);
    if (!quote_check_report(request.report)) return refuse_quote(fd, INVALID_REPORT);
    if (request.buf_size != reply_buf_size) prepare_reply(request.buf_size);
    memcpy(reply_quote + QUOTE_HEADER_SIZE, request.report, REPORT_BODY_SIZE);
    quote_sign(reply_quote);
    respond(fd, reply_start, reply_size);
}

// 1 when `size` bytes hold a complete message (or one that never will be), which is then done with.
static int handle(int fd, const uint8_t *bytes, size_t size) {
    uint32_t length;
    if (size < 4) return 0;
    memcpy(&length, bytes, 4);
    if (length > MAX_REQUEST) return 1;
    if (size < 4 + (size_t)length) return 0;
    answer(fd, bytes + 4, length);
    return 1;
}

static void wait_for_rest(int fd, const uint8_t *bytes, size_t size) {
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    if (fd >= MAX_FD || (partials[fd] = malloc(sizeof(struct partial))) == NULL ||
        epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event) != 0) {
        if (fd < MAX_FD) free(partials[fd]);
        close(fd);
        return;
    }
    partials[fd]->size = size;
    memcpy(partials[fd]->bytes, bytes, size);
}

static void continue_partial(int fd) {
    struct partial *partial = partials[fd];
    ssize_t got = recv(fd, partial->bytes + partial->size, sizeof partial->bytes - partial->size, MSG_DONTWAIT);
    if (got < 0 && errno == EAGAIN) return;
    if (got > 0) {
        partial->size += (size_t)got;
        if (!handle(fd, partial->bytes, partial->size)) return;
    }
    free(partial);
    partials[fd] = NULL;
    close(fd);
}

static void accept_batch(void) {
    for (int i = 0; i < ACCEPT_BATCH; i++) {
        int fd = accept4(listening, NULL, NULL, SOCK_CLOEXEC);
        if (fd < 0) return;
        ssize_t got = recv(fd, input, sizeof input, MSG_DONTWAIT);
        if (got < 0 && errno == EAGAIN) got = 0;
        else if (got <= 0 || handle(fd, input, (size_t)got)) {
            close(fd);
            continue;
        }
        wait_for_rest(fd, input, (size_t)got);
    }
}

static void serve(void) {
    struct epoll_event events[ACCEPT_BATCH];
    struct epoll_event event = {.events = EPOLLIN | EPOLLEXCLUSIVE, .data.fd = listening};
    if ((poller = epoll_create1(EPOLL_CLOEXEC)) < 0 || epoll_ctl(poller, EPOLL_CTL_ADD, listening, &event) != 0)
        die("epoll");
    for (;;) {
        int count = epoll_wait(poller, events, ACCEPT_BATCH, -1);
        for (int i = 0; i < count; i++) {
            if (events[i].data.fd == listening) accept_batch();
            else continue_partial(events[i].data.fd);
        }
    }
}

static size_t read_file(const char *path, uint8_t *bytes, size_t room) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t size = fd < 0 ? -1 : read(fd, bytes, room);
    if (size < 0) die(path);
    close(fd);
    return (size_t)size;
}

static void stop(int signal) {
    (void)signal;  // The children go with their parent (PR_SET_PDEATHSIG).
    _exit(0);
}

int main(int argc, char **argv) {
    uint8_t target_info[TARGET_INFO_SIZE], private_key[32];
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int processes = argc == 5 ? atoi(argv[4]) : 0;
    if (processes < 1 || processes > MAX_PROCESSES || strlen(argv[1]) >= sizeof address.sun_path) {
        fprintf(stderr, "usage: server SOCKET TARGET_INFO QUOTE PROCESSES\n");
        return 64;
    }
    quote_size = read_file(argv[3], template_quote, sizeof template_quote);
    if (read_file(argv[2], target_info, sizeof target_info) != TARGET_INFO_SIZE || quote_size < 1020) {
        fprintf(stderr, "limit server: target info or quote has the wrong size\n");
        return 65;
    }
    quote_make_key(private_key, template_quote + QUOTE_PUBLIC_KEY_AT);

    strcpy(address.sun_path, argv[1]);
    listening = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (listening < 0 || bind(listening, (struct sockaddr *)&address, sizeof address) != 0 || listen(listening, 4096) != 0)
        die(argv[1]);

    pid_t parent = getpid();
    signal(SIGTERM, stop);
    signal(SIGINT, stop);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    printf("ready");
    for (int i = 0; i < processes; i++) {
        fflush(stdout);
        pid_t child = fork();
        if (child < 0) die("fork");
        if (child == 0) {
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            if (getppid() != parent) return 0;
            quote_open(target_info, private_key);
            serve();
        }
        printf(" %d", child);
    }
    printf("\n");
    fflush(stdout);
    // A child that ends takes the measurement with it: better no figure than one from half the processes.
    wait(NULL);
    return 70;
}
