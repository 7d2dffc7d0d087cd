/* What a connection reads, frame by frame, before nghttp2 sees it. Frames are counted: of those that
 * it passes over, of unknown types and on streams that are no more, nghttp2 tells nothing. And one
 * kind is kept from it. gRPC core gives up a call whose headers have not gone out with RST_STREAM
 * all the same. RFC 9113 (5.1) has that end the connection, with all other calls of the client's;
 * gRPC's own servers pass over it, and so do we. It is as if it had not come: the stream is as idle
 * as before. */
#include "shared/rpc/transport_h2.h"

#include <arpa/inet.h>
#include <string.h>

enum {
    TYPE_AT = 3, /* behind the length */
    FLAGS_AT = 4,
    STREAM_AT = 5,
    RESET_BYTES = 4,
};

static uint32_t number_at(const uint8_t *bytes)
{
    uint32_t number;

    memcpy(&number, bytes, sizeof(number));
    return ntohl(number);
}

static bool is_idle_reset(const H2Connection *connection, uint8_t type, uint32_t stream)
{
    return type == NGHTTP2_RST_STREAM && connection->payload_left == RESET_BYTES &&
           stream % 2 == 1 && stream > connection->last_stream && !connection->is_amid_block;
}

/* A frame begins. */
static void look_at(H2Connection *connection, const uint8_t head[H2_HEAD_BYTES])
{
    uint8_t type = head[TYPE_AT];
    uint32_t stream = number_at(head + STREAM_AT) & INT32_MAX;

    connection->seen++;
    connection->payload_left = number_at(head) >> 8;
    connection->is_passed_over = is_idle_reset(connection, type, stream);
    if (type == NGHTTP2_HEADERS && stream > connection->last_stream)
        connection->last_stream = stream;
    if (type == NGHTTP2_HEADERS || type == NGHTTP2_CONTINUATION)
        connection->is_amid_block = !(head[FLAGS_AT] & NGHTTP2_FLAG_END_HEADERS);
}

static void advance(Bytes *rest, size_t n)
{
    rest->data += n;
    rest->size -= n;
}

/* A head that comes in pieces is kept from nghttp2 until it is whole. */
static Bytes collect_head(H2Connection *connection, Bytes *rest)
{
    size_t missing = H2_HEAD_BYTES - connection->n_head;
    size_t n = rest->size < missing ? rest->size : missing;

    memcpy(connection->head + connection->n_head, rest->data, n);
    connection->n_head = (uint8_t)(connection->n_head + n);
    advance(rest, n);
    if (connection->n_head < H2_HEAD_BYTES)
        return (Bytes){ 0 };
    connection->n_head = 0;
    look_at(connection, connection->head);
    return (Bytes){ connection->head, connection->is_passed_over ? 0 : H2_HEAD_BYTES };
}

Bytes h2_frames_next(H2Connection *connection, Bytes *rest)
{
    Bytes run = { rest->data, 0 };

    while (rest->size) {
        if (connection->payload_left) {
            size_t left = connection->payload_left;
            size_t n = rest->size < left ? rest->size : left;

            connection->payload_left -= n;
            advance(rest, n);
            if (connection->is_passed_over)
                return run;
            run.size += n;
        } else if (connection->n_head || rest->size < H2_HEAD_BYTES) {
            return run.size ? run : collect_head(connection, rest);
        } else {
            look_at(connection, rest->data);
            run.size += connection->is_passed_over ? 0 : H2_HEAD_BYTES;
            advance(rest, H2_HEAD_BYTES);
        }
    }
    return run;
}
