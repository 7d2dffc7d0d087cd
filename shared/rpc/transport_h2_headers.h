/* gRPC's own headers, read and written; pure functions of bytes. */
#ifndef THROUGHLINE_RPC_TRANSPORT_H2_HEADERS_H
#define THROUGHLINE_RPC_TRANSPORT_H2_HEADERS_H

#include "shared/base/text.h"

#include <nghttp2/nghttp2.h>
#include <string.h>

typedef enum H2Encoding {
    H2_IDENTITY,
    H2_GZIP,
    H2_DEFLATE,
    H2_ENCODING_UNKNOWN,
} H2Encoding;

/* All that h2_encoding_of knows, as grpc-accept-encoding says it. */
extern const char h2_encodings[];

/* A header's name or value, for as long as nghttp2 keeps it. These two are here in whole because
 * every header of every call passes through them: the size of a word is known where it is compared. */
static inline Bytes h2_bytes_of(nghttp2_rcbuf *buffer)
{
    nghttp2_vec piece = nghttp2_rcbuf_get_buf(buffer);

    return (Bytes){ piece.base, piece.len };
}

static inline bool h2_bytes_are(Bytes bytes, const char *word)
{
    size_t size = strlen(word);

    return bytes.size == size && !memcmp(bytes.data, word, size);
}

H2Encoding h2_encoding_of(Bytes name);
/* Whether a list with commas ("identity, gzip") has the word. */
bool h2_list_has(Bytes list, const char *word);

/* "application/grpc", alone or with "+proto" or ";charset=…" behind it. */
bool h2_is_grpc(Bytes content_type);

/* One to 18 digits and nothing else. */
bool h2_number_read(Bytes digits, int64_t *number);

/* grpc-timeout: one to eight digits and a unit (H M S m u n), in microseconds rounded up. False on
 * anything else. */
bool h2_timeout_read(Bytes text, int64_t *micros);

/* grpc-message: all but printable ASCII, and the percent sign, as %XX. `out` has room for three
 * times the size; returns what was taken of it. */
size_t h2_percent_write(Bytes text, uint8_t *out);
/* The other way: %XX is a byte, and what is no such thing stands for itself. */
char *h2_percent_read(Arena *arena, const char *text);

/* base64 without padding. `out` has room for h2_base64_size. */
size_t h2_base64_size(size_t size);
size_t h2_base64_write(Bytes bytes, uint8_t *out);

/* The next of the values that a -bin header may carry, separated by commas, decoded into the
 * arena; *rest moves behind it. False when it is not base64. */
bool h2_binary_next(Arena *arena, Bytes *rest, Bytes *value);

#endif
