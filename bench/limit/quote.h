// What a quote costs in cryptography: the report's MAC checked, header and body signed (spec: DCAP §2, §3, §5).
#ifndef QUOTE_H
#define QUOTE_H

#include <stddef.h>
#include <stdint.h>

enum {
    REPORT_SIZE = 432,
    REPORT_BODY_SIZE = 384,
    TARGET_INFO_SIZE = 512,
    KEY_ID_BASE_SIZE = 158,
    QUOTE_HEADER_SIZE = 48,
    QUOTE_SIGNED_SIZE = 432,
    QUOTE_SIGNATURE_AT = 436,
    QUOTE_PUBLIC_KEY_AT = 500,
};

// Once per process, after fork. Makes the cipher contexts and loads the attestation key into libcrypto's own form.
void quote_open(const uint8_t target_info[TARGET_INFO_SIZE], const uint8_t private_key[32]);

// A fresh P-256 key: 32 bytes of private key, 64 of public key (x then y, big-endian).
void quote_make_key(uint8_t private_key[32], uint8_t public_key[64]);

// 1 when the report names one of the simulated CPU's CPUSVNs and its MAC was made for our target info.
int quote_check_report(const uint8_t report[REPORT_SIZE]);

// Signs the 432 bytes of header and body that `quote` starts with, and writes r and s behind the length field.
void quote_sign(uint8_t *quote);

extern const uint8_t ECDSA_P256_KEY_ID_BASE[KEY_ID_BASE_SIZE];

#endif
