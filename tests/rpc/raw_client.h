/* A client without manners, straight over gRPC core: sends whatever bytes a test wants, and says
 * what came back. A call belongs to one thread; a client may be shared. Everything that comes
 * back lives until raw_free. */
#ifndef THROUGHLINE_TESTS_RPC_RAW_CLIENT_H
#define THROUGHLINE_TESTS_RPC_RAW_CLIENT_H

#include "shared/base/arena.h"
#include "shared/base/error.h"
#include "shared/base/text.h"

typedef struct RawClient RawClient;
typedef struct RawCall RawCall;

typedef struct RawPair {
    const char *key; /* NULL ends a list */
    const char *value;
} RawPair;

typedef struct RawOptions {
    int port;
    bool compresses;
    bool keeps_compressed; /* messages are handed over as they came: in gzip, if so */
    const char *tls_ca, *tls_certificate, *tls_key; /* texts in PEM; NULL: plaintext */
} RawOptions;

RawClient *raw_open(int port);
RawClient *raw_open_with(const RawOptions *options);
void raw_close(RawClient *client);

enum { RAW_NO_DEADLINE = 0 };

RawCall *raw_start(RawClient *client, const char *path, const RawPair *metadata, int timeout_ms);
/* False when the call is over. */
bool raw_send(RawCall *call, Bytes message);
/* Not compressed, whatever the client's option says. */
bool raw_send_plain(RawCall *call, Bytes message);
void raw_finish_sending(RawCall *call);
/* False at the end of the stream. */
bool raw_receive(RawCall *call, Bytes *message);
void raw_cancel(RawCall *call);
/* Waits for the status. */
const Error *raw_status(RawCall *call);
/* The value of a pair that came with the headers, or with the status; data NULL without one. After
 * raw_status. */
Bytes raw_metadata(const RawCall *call, bool is_trailing, const char *key);
void raw_free(RawCall *call);

/* One message there and one back, in the arena. */
const Error *raw_unary(RawClient *client, Arena *arena, const char *path, const RawPair *metadata,
    Bytes request, Bytes *reply);

#endif
