/* A client that says whatever a test wants in HTTP/2, well or badly: over nghttp2 where it keeps the
 * rules, in raw bytes where it does not. One thread. Waits end after ten seconds. */
#ifndef THROUGHLINE_TESTS_RPC_H2_CLIENT_H
#define THROUGHLINE_TESTS_RPC_H2_CLIENT_H

#include "shared/base/text.h"
#include "tests/rpc/raw_client.h"

typedef struct H2Client H2Client;

/* What came back on a stream. */
typedef struct H2Answer {
    int http;
    int status; /* grpc-status; -1: none came */
    char message[256], accepts[64];
    size_t size; /* of all DATA */
    size_t sent; /* of the body */
    bool is_closed;
    uint32_t reset_code; /* 0: it was not reset */
} H2Answer;

enum { H2_CLIENT_STREAMS = 256, H2_CLIENT_HEADERS = 1024 };

/* Connects; h2_client_greet sends preface and SETTINGS. */
H2Client *h2_client_connect(int port);
H2Client *h2_client_open(int port);
void h2_client_greet(H2Client *client);
void h2_client_close(H2Client *client);

/* Opens a stream: a POST to the path with gRPC's headers and the given ones, which go instead of
 * those of the same name (an empty value leaves them out). `body` goes out as it is. The answer
 * belongs to the client. */
H2Answer *h2_client_start(
    H2Client *client, const char *path, const RawPair *headers, Bytes body, bool ends);
/* The same, and waits until the stream is closed. */
H2Answer *h2_client_call(H2Client *client, const char *path, const RawPair *headers, Bytes body);
/* False when the time was over. */
bool h2_client_wait(H2Client *client, const H2Answer *answer);
/* Writes what is to be written, and gives up the stream. */
void h2_client_reset(H2Client *client, const H2Answer *answer);
/* Leaves out a stream, of this number. */
uint32_t h2_client_skip(H2Client *client);
/* The window that streams start with; 0 stops what comes. */
void h2_client_window(H2Client *client, uint32_t size);
/* Does what there is to do. */
void h2_client_turn(H2Client *client);

/* Frames or not; false when the server has hung up. */
bool h2_client_write(H2Client *client, const void *bytes, size_t size);
bool h2_client_frame(
    H2Client *client, uint8_t type, uint8_t flags, uint32_t stream, const void *bytes, size_t size);
/* Reads until the server hangs up; false when it does not. *code is that of the last GOAWAY, -1
 * without one. */
bool h2_client_is_hung_up(H2Client *client, int64_t *code);

/* A message in gRPC's framing. */
Bytes h2_message(Arena *arena, Bytes message, bool is_compressed);

#endif
