// The limit of quote verification: the key imports and P-256 signature checks of one verification, over and over, and
// nothing else. What they are is read from files that `signature-trace.ts` wrote; how often comes from standard input.
//
//     verify TRACE...
//     < INDEX COUNT         run that trace COUNT times
//     > CPU_US ELAPSED_US   of one run
//
// ECDSA_verify over SHA256 and a kept EC_GROUP: in OpenSSL 3 cheaper than EVP_DigestVerify, and the limit takes the
// fastest. `verify --evp TRACE...` does the same through EVP_DigestVerify.
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/obj_mac.h>
#include <openssl/sha.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { KEEP_KEY = 0, IMPORT_KEY = 1, VERIFY = 2, MAX_TRACES = 16, MAX_KEYS = 32, POINT_SIZE = 65 };

struct operation {
    uint32_t kind;
    uint32_t key;
    const uint8_t *message;  // of VERIFY; the 65-byte point of the other two
    uint32_t message_size;
    const uint8_t *signature;  // DER
    uint32_t signature_size;
};

struct trace {
    struct operation *operations;
    size_t count;
    EC_KEY *keys[MAX_KEYS];
    EVP_PKEY *evp_keys[MAX_KEYS];
};

static struct trace traces[MAX_TRACES];
static EC_GROUP *p256;
static EVP_MD_CTX *digest_context;
static const EVP_MD *sha256;
static int use_evp;

static void require(int ok, const char *what) {
    if (ok) return;
    fprintf(stderr, "limit verify: %s\n", what);
    exit(70);
}

static uint32_t take_u32(const uint8_t **at, const uint8_t *end) {
    require(end - *at >= 4, "a trace is cut");
    uint32_t value;
    memcpy(&value, *at, 4);
    *at += 4;
    return value;
}

static const uint8_t *take_bytes(const uint8_t **at, const uint8_t *end, uint32_t size) {
    require((size_t)(end - *at) >= size, "a trace is cut");
    const uint8_t *bytes = *at;
    *at += size;
    return bytes;
}

static void read_trace(struct trace *trace, const char *path) {
    FILE *file = fopen(path, "rb");
    require(file != NULL, "cannot open a trace");
    require(fseek(file, 0, SEEK_END) == 0, "cannot read a trace");
    long size = ftell(file);
    require(size > 0, "an empty trace");
    rewind(file);
    uint8_t *bytes = malloc((size_t)size);
    require(bytes != NULL && fread(bytes, 1, (size_t)size, file) == (size_t)size, "cannot read a trace");
    fclose(file);
    const uint8_t *at = bytes, *end = bytes + size;
    trace->count = take_u32(&at, end);
    trace->operations = calloc(trace->count, sizeof *trace->operations);
    require(trace->operations != NULL, "no memory");
    for (size_t i = 0; i < trace->count; i++) {
        struct operation *operation = &trace->operations[i];
        operation->kind = take_u32(&at, end);
        operation->key = take_u32(&at, end);
        operation->message_size = take_u32(&at, end);
        operation->message = take_bytes(&at, end, operation->message_size);
        operation->signature_size = take_u32(&at, end);
        operation->signature = take_bytes(&at, end, operation->signature_size);
        require(operation->kind <= VERIFY && operation->key < MAX_KEYS, "a trace has an unknown operation");
        require(operation->kind == VERIFY || operation->message_size == POINT_SIZE, "a point is not 65 bytes");
    }
    require(at == end, "a trace has bytes left over");
}

static void import_key(struct trace *trace, const struct operation *operation) {
    EC_KEY *key = EC_KEY_new();
    // EC_KEY_oct2key checks that the point is on the curve.
    require(key != NULL && EC_KEY_set_group(key, p256) && EC_KEY_oct2key(key, operation->message, POINT_SIZE, NULL),
            "a key cannot be imported");
    EC_KEY_free(trace->keys[operation->key]);
    trace->keys[operation->key] = key;
    if (!use_evp) return;
    EVP_PKEY *evp_key = EVP_PKEY_new();
    require(evp_key != NULL && EVP_PKEY_set1_EC_KEY(evp_key, key), "a key cannot be imported");
    EVP_PKEY_free(trace->evp_keys[operation->key]);
    trace->evp_keys[operation->key] = evp_key;
}

static void verify(struct trace *trace, const struct operation *operation) {
    if (use_evp) {
        require(EVP_MD_CTX_reset(digest_context) &&
                    EVP_DigestVerifyInit(digest_context, NULL, sha256, NULL, trace->evp_keys[operation->key]) &&
                    EVP_DigestVerify(digest_context, operation->signature, operation->signature_size,
                                     operation->message, operation->message_size) == 1,
                "a signature is wrong");
        return;
    }
    uint8_t digest[SHA256_DIGEST_LENGTH];
    SHA256(operation->message, operation->message_size, digest);
    require(ECDSA_verify(0, digest, sizeof digest, operation->signature, (int)operation->signature_size,
                         trace->keys[operation->key]) == 1,
            "a signature is wrong");
}

static void run(struct trace *trace) {
    for (size_t i = 0; i < trace->count; i++) {
        const struct operation *operation = &trace->operations[i];
        if (operation->kind == IMPORT_KEY) import_key(trace, operation);
        else if (operation->kind == VERIFY) verify(trace, operation);
    }
}

static double microseconds(clockid_t clock) {
    struct timespec time;
    clock_gettime(clock, &time);
    return (double)time.tv_sec * 1e6 + (double)time.tv_nsec / 1e3;
}

int main(int argc, char **argv) {
    int first = 1;
    if (argc > 1 && strcmp(argv[1], "--evp") == 0) {
        use_evp = 1;
        first = 2;
    }
    int trace_count = argc - first;
    require(trace_count > 0 && trace_count <= MAX_TRACES, "usage: verify [--evp] TRACE...");
    p256 = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
    digest_context = EVP_MD_CTX_new();
    sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    require(p256 != NULL && digest_context != NULL && sha256 != NULL, "libcrypto failed");
    for (int i = 0; i < trace_count; i++) {
        read_trace(&traces[i], argv[first + i]);
        for (size_t k = 0; k < traces[i].count; k++) {
            if (traces[i].operations[k].kind == KEEP_KEY) import_key(&traces[i], &traces[i].operations[k]);
        }
    }
    printf("ready %s\n", OpenSSL_version(OPENSSL_VERSION));
    fflush(stdout);
    unsigned index;
    unsigned long count;
    while (scanf("%u %lu", &index, &count) == 2) {
        require(index < (unsigned)trace_count && count > 0, "no such trace");
        double cpu = microseconds(CLOCK_PROCESS_CPUTIME_ID), elapsed = microseconds(CLOCK_MONOTONIC);
        for (unsigned long i = 0; i < count; i++) run(&traces[index]);
        cpu = microseconds(CLOCK_PROCESS_CPUTIME_ID) - cpu;
        elapsed = microseconds(CLOCK_MONOTONIC) - elapsed;
        printf("%.3f %.3f\n", cpu / (double)count, elapsed / (double)count);
        fflush(stdout);
    }
    return 0;
}
