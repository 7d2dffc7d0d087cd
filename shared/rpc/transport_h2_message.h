/* gRPC's framing: five bytes (compressed or not, size) before each message. */
#ifndef THROUGHLINE_RPC_TRANSPORT_H2_MESSAGE_H
#define THROUGHLINE_RPC_TRANSPORT_H2_MESSAGE_H

#include "shared/rpc/transport.h"
#include "shared/rpc/transport_h2_headers.h"

enum { H2_PREFIX_BYTES = 5 };

/* A message that came, or comes: then the size is that of the whole message already, and the bytes
 * still move. */
typedef struct H2Message {
    TransportMessage base;
    size_t got;
    size_t room;
    uint8_t data[];
} H2Message;

/* Where a stream of bytes stands. */
typedef struct H2Reader {
    uint8_t prefix[H2_PREFIX_BYTES];
    uint8_t n_prefix;
    H2Message *message; /* the one that comes */
} H2Reader;

typedef enum H2Read {
    H2_READ_MORE,
    H2_READ_MESSAGE,
    H2_READ_TOO_LARGE,
    H2_READ_MALFORMED,
} H2Read;

/* Takes bytes from the front of *bytes until one message is whole, which is the caller's (free)
 * from then on. Memory grows with what came, not with what was announced. */
H2Read h2_reader_take(H2Reader *reader, Bytes *bytes, size_t max, H2Message **message);
/* Whether the bytes so far end with a message. */
bool h2_reader_is_between(const H2Reader *reader);
void h2_reader_free(H2Reader *reader);

void h2_prefix_write(uint8_t prefix[H2_PREFIX_BYTES], bool is_compressed, size_t size);

/* Puts what was compressed in place of it. Never makes more than max bytes of it. */
H2Read h2_message_inflate(H2Message **message, size_t max);

/* In gzip, behind room for the prefix; NULL when that is not smaller. The caller's to free. */
uint8_t *h2_gzip(Bytes message, size_t *size);

#endif
