/* What every engine of clients needs besides its wire: the token, the pairs beside a message, how an answer is read. */
#ifndef THROUGHLINE_RPC_CLIENT_OUTGOING_H
#define THROUGHLINE_RPC_CLIENT_OUTGOING_H

#include "shared/rpc/client.h"
#include "shared/rpc/status.h"

#include <pthread.h>
#include <time.h>

enum { CLIENT_MAX_PAIRS = 9, CLIENT_MAX_MESSAGE_BYTES = 16 * 1024 * 1024 };

/* How often, and after which pauses, an idempotent call is tried. */
enum { CLIENT_ATTEMPTS = 4, CLIENT_FIRST_PAUSE_MS = 50, CLIENT_LONGEST_PAUSE_MS = 1000 };

/* How long a parent that was cancelled may go unnoticed. */
enum { CLIENT_PARENT_CHECK_MS = 20 };

/* How connections are made and kept. */
enum {
    CLIENT_CONNECT_MS = 2000,
    CLIENT_MIN_RECONNECT_MS = 100,
    CLIENT_MAX_RECONNECT_MS = 2000,
    CLIENT_MIN_RESOLUTION_MS = 1000,
    CLIENT_KEEPALIVE_MS = 60 * 1000,
    CLIENT_KEEPALIVE_TIMEOUT_MS = 10 * 1000,
};

/* The token that a client shows. Any thread. */
typedef struct ClientToken {
    const char *file; /* NULL: the text is fixed */
    pthread_mutex_t lock;
    const char *text;
    Arena *arena; /* of a text that was read from the file */
    struct timespec changed_at;
} ClientToken;

void client_token_open(ClientToken *token, const RpcClientOptions *options);
void client_token_close(ClientToken *token);

typedef struct ClientPair {
    const char *key;
    const char *value;
} ClientPair;

/* Token, context and trace of a call, in its arena. Errors: INVALID_ARGUMENT METADATA_INVALID. */
const Error *client_pairs(ClientToken *token, const RpcOutgoing *outgoing,
    ClientPair pairs[CLIENT_MAX_PAIRS], size_t *n_pairs);

/* clock_monotonic(); INT64_MAX: none. */
int64_t client_deadline(const RpcOutgoing *outgoing);

/* NULL for OK. */
const Error *client_error(Arena *arena, const RpcStatus *status);

/* Errors: INTERNAL REPLY_MALFORMED. */
const Error *client_unpack(
    Arena *arena, const ProtobufCMessageDescriptor *descriptor, Bytes bytes, void **message);

extern const Error client_reply_missing, client_tls_unreadable, client_stream_finished;

/* A whole file as a text, NULL when it cannot be read. */
char *client_read_text(Arena *arena, const char *path);

#endif
