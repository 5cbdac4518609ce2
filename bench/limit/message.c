#include "message.h"

#include <string.h>

struct reader {
    const uint8_t *at;
    const uint8_t *end;
};

struct field {
    uint32_t number;
    uint32_t wire_type;
    uint64_t value;        // wire type 0
    const uint8_t *bytes;  // wire type 2
    size_t size;
};

static int read_varint(struct reader *reader, uint64_t *value) {
    uint64_t result = 0;
    for (unsigned shift = 0; shift < 70; shift += 7) {
        if (reader->at == reader->end) return 0;
        uint8_t byte = *reader->at++;
        result |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            *value = result;
            return 1;
        }
    }
    return 0;
}

// 1 = a field was read, 0 = the message ends here, -1 = malformed.
static int read_field(struct reader *reader, struct field *field) {
    uint64_t tag, size;
    if (reader->at == reader->end) return 0;
    if (!read_varint(reader, &tag) || tag > UINT32_MAX || tag < 8) return -1;
    field->number = (uint32_t)tag >> 3;
    field->wire_type = tag & 7;
    switch (field->wire_type) {
        case 0:
            return read_varint(reader, &field->value) ? 1 : -1;
        case 1:
            size = 8;
            break;
        case 2:
            if (!read_varint(reader, &size)) return -1;
            break;
        case 5:
            size = 4;
            break;
        default:
            return -1;
    }
    if (size > (size_t)(reader->end - reader->at)) return -1;
    field->bytes = reader->at;
    field->size = size;
    reader->at += size;
    return 1;
}

static int decode_get_quote(const uint8_t *bytes, size_t size, struct request *request) {
    struct reader reader = {bytes, bytes + size};
    struct field field;
    int more;
    while ((more = read_field(&reader, &field)) == 1) {
        if (field.number == 1 && field.wire_type == 2) {
            request->report = field.bytes;
            request->report_size = field.size;
        } else if (field.number == 2 && field.wire_type == 2) {
            request->key_id = field.bytes;
            request->key_id_size = field.size;
        } else if (field.number == 3 && field.wire_type == 2) {
            request->has_qe_report_info = 1;
        } else if (field.number == 4 && field.wire_type == 0) {
            request->has_buf_size = 1;
            request->buf_size = (uint32_t)field.value;
        }
    }
    return more == 0;
}

static int decode_key_id_count(const uint8_t *bytes, size_t size) {
    struct reader reader = {bytes, bytes + size};
    struct field field;
    int more;
    while ((more = read_field(&reader, &field)) == 1) continue;
    return more == 0;
}

void decode_request(const uint8_t *body, size_t size, struct request *request) {
    struct reader reader = {body, body + size};
    struct field field;
    int more, operation = OP_NONE;
    memset(request, 0, sizeof *request);
    while ((more = read_field(&reader, &field)) == 1) {
        if (field.wire_type != 2) continue;
        // Of two operations in one request the quote comes first in the dispatch order (spec: AESM §3.1).
        if (field.number == OP_GET_QUOTE_EX) {
            if (!decode_get_quote(field.bytes, field.size, request)) return;
            operation = OP_GET_QUOTE_EX;
        } else if (field.number == OP_KEY_ID_COUNT) {
            if (!decode_key_id_count(field.bytes, field.size)) return;
            if (operation == OP_NONE) operation = OP_KEY_ID_COUNT;
        }
    }
    if (more == 0) request->operation = operation;
}
