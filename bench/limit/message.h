// The two AESM requests of the benchmark, decoded from their protobuf body (spec: AESM §3).
#ifndef MESSAGE_H
#define MESSAGE_H

#include <stddef.h>
#include <stdint.h>

enum { OP_NONE = 0, OP_GET_QUOTE_EX = 17, OP_KEY_ID_COUNT = 21 };

struct request {
    int operation;             // one of OP_*; OP_NONE means close without an answer
    const uint8_t *report;     // getQuoteExReq only, from here down
    size_t report_size;
    const uint8_t *key_id;
    size_t key_id_size;
    int has_qe_report_info;
    int has_buf_size;
    uint32_t buf_size;
};

// Decodes one message body of `size` bytes; unknown fields are skipped, anything malformed gives OP_NONE.
void decode_request(const uint8_t *body, size_t size, struct request *request);

#endif
