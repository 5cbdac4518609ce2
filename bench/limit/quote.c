// The low-level functions of libcrypto are deprecated in OpenSSL 3 and are the fastest it has: no provider fetch, no
// DER, and a cipher context that keeps its key. The limit takes the fastest.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "quote.h"

#include <openssl/bn.h>
#include <openssl/cmac.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// The public constants of the SDK's simulated CPU (spec: DCAP §2).
static const uint8_t REPORT_BASE_KEY[16] = {0xff, 0, 0xff, 0, 0xff, 0, 0xff, 0, 0xff, 0, 0xff, 0, 0xff, 0, 0xff, 0};
static const char OWNER_EPOCH[] = "THISISOWNEREPOCH";
static const uint8_t CPU_SVNS[3][16] = {
    {0x48, 0x20, 0xf3, 0x37, 0x6a, 0xe6, 0xb2, 0xf2, 0x03, 0x4d, 0x3b, 0x7a, 0x4b, 0x48, 0xa7, 0x78},
    {0x53, 0x39, 0xae, 0x8c, 0x93, 0xae, 0x8f, 0x3c, 0xe4, 0x32, 0xdb, 0x92, 0x4d, 0x0f, 0x07, 0x33},
    {0x64, 0xea, 0x4f, 0x3f, 0xa0, 0x03, 0x0c, 0x36, 0x38, 0x3c, 0x32, 0x2d, 0x4f, 0x3a, 0x8d, 0x4f},
};

const uint8_t ECDSA_P256_KEY_ID_BASE[KEY_ID_BASE_SIZE] = {
    [4] = 32,    0,    0x8c, 0x4f, 0x57, 0x75, 0xd7, 0x96, 0x50, 0x3e, 0x96, 0x13, 0x7f, 0x77, 0xc6, 0x8a, 0x82,
    0x9a, 0x00,  0x56, 0xac, 0x8d, 0xed, 0x70, 0x14, 0x0b, 0x08, 0x1b, 0x09, 0x44, 0x90, 0xc5, 0x7b, 0xff,
    [54] = 1,    [154] = 2,
};

enum { DERIVATION_SIZE = 192, CPU_SVN_AT = 76, KEY_ID_AT = 158 };

static EC_KEY *attestation_key;
static EVP_CIPHER *aes;
static CMAC_CTX *base_cmac;             // keyed with the REPORT base key for the life of the process
static uint8_t derivation[DERIVATION_SIZE];

// Report keys seen lately. A CPU keeps its KEYID until it starts again, so an enclave's requests all hit one entry.
enum { CACHED_KEYS = 16 };
static struct {
    CMAC_CTX *cmac;
    uint8_t cpu_svn[16];
    uint8_t key_id[32];
    int used;
} cache[CACHED_KEYS];
static unsigned next_entry;

static void require(int ok, const char *what) {
    if (ok) return;
    fprintf(stderr, "limit server: libcrypto failed: %s\n", what);
    exit(70);
}

void quote_make_key(uint8_t private_key[32], uint8_t public_key[64]) {
    EC_KEY *key = EC_KEY_new_by_curve_name(NID_X9_62_prime256v1);
    uint8_t point[65];
    require(key != NULL && EC_KEY_generate_key(key), "key generation");
    require(BN_bn2binpad(EC_KEY_get0_private_key(key), private_key, 32) == 32, "private key");
    require(EC_POINT_point2oct(EC_KEY_get0_group(key), EC_KEY_get0_public_key(key), POINT_CONVERSION_UNCOMPRESSED, point,
                               sizeof point, NULL) == sizeof point,
            "public key");
    memcpy(public_key, point + 1, 64);
    EC_KEY_free(key);
}

void quote_open(const uint8_t target_info[TARGET_INFO_SIZE], const uint8_t private_key[32]) {
    attestation_key = EC_KEY_new_by_curve_name(NID_X9_62_prime256v1);
    require(attestation_key != NULL && EC_KEY_oct2priv(attestation_key, private_key, 32), "attestation key");
    aes = EVP_CIPHER_fetch(NULL, "AES-128-CBC", NULL);
    require(aes != NULL, "AES-128-CBC");
    base_cmac = CMAC_CTX_new();
    require(base_cmac != NULL && CMAC_Init(base_cmac, REPORT_BASE_KEY, 16, aes, NULL), "CMAC");
    for (int i = 0; i < CACHED_KEYS; i++) require((cache[i].cmac = CMAC_CTX_new()) != NULL, "CMAC");

    // Everything in the 192 bytes but CPUSVN and KEYID is the QE's own (spec: DCAP §2, "REPORT dd").
    derivation[0] = 3;
    memcpy(derivation + 8, target_info + 32, 16);   // ATTRIBUTES
    memcpy(derivation + 24, target_info + 52, 4);   // MISCSELECT
    memcpy(derivation + 28, OWNER_EPOCH, 16);
    memcpy(derivation + 44, target_info, 32);       // MRENCLAVE
    memcpy(derivation + 92, target_info + 50, 2);   // CONFIGSVN
    memcpy(derivation + 94, target_info + 64, 64);  // CONFIGID
}

static void cmac_of(CMAC_CTX *cmac, const uint8_t *bytes, size_t size, uint8_t tag[16]) {
    size_t tag_size;
    require(CMAC_Init(cmac, NULL, 0, NULL, NULL) && CMAC_Update(cmac, bytes, size) && CMAC_Final(cmac, tag, &tag_size),
            "CMAC");
}

static CMAC_CTX *report_cmac(const uint8_t cpu_svn[16], const uint8_t key_id[32]) {
    for (int i = 0; i < CACHED_KEYS; i++)
        if (cache[i].used && memcmp(cache[i].key_id, key_id, 32) == 0 && memcmp(cache[i].cpu_svn, cpu_svn, 16) == 0)
            return cache[i].cmac;
    uint8_t report_key[16];
    memcpy(derivation + CPU_SVN_AT, cpu_svn, 16);
    memcpy(derivation + KEY_ID_AT, key_id, 32);
    cmac_of(base_cmac, derivation, DERIVATION_SIZE, report_key);
    unsigned entry = next_entry++ % CACHED_KEYS;
    require(CMAC_Init(cache[entry].cmac, report_key, 16, aes, NULL), "CMAC");
    memcpy(cache[entry].cpu_svn, cpu_svn, 16);
    memcpy(cache[entry].key_id, key_id, 32);
    cache[entry].used = 1;
    return cache[entry].cmac;
}

int quote_check_report(const uint8_t report[REPORT_SIZE]) {
    uint8_t tag[16];
    int known = 0;
    for (int i = 0; i < 3; i++) known |= memcmp(report, CPU_SVNS[i], 16) == 0;
    if (!known) return 0;
    cmac_of(report_cmac(report, report + REPORT_BODY_SIZE), report, REPORT_BODY_SIZE, tag);
    return CRYPTO_memcmp(tag, report + REPORT_BODY_SIZE + 32, 16) == 0;
}

void quote_sign(uint8_t *quote) {
    uint8_t digest[32];
    SHA256(quote, QUOTE_SIGNED_SIZE, digest);
    ECDSA_SIG *signature = ECDSA_do_sign(digest, sizeof digest, attestation_key);
    require(signature != NULL, "ECDSA");
    BN_bn2binpad(ECDSA_SIG_get0_r(signature), quote + QUOTE_SIGNATURE_AT, 32);
    BN_bn2binpad(ECDSA_SIG_get0_s(signature), quote + QUOTE_SIGNATURE_AT + 32, 32);
    ECDSA_SIG_free(signature);
}
