/* An echo server on a free port with keys of its own, and calls to it with typed messages. One
 * at a time. */
#ifndef THROUGHLINE_TESTS_RPC_ECHO_FIXTURE_H
#define THROUGHLINE_TESTS_RPC_ECHO_FIXTURE_H

#include "shared/rpc/server.h"
#include "tests/rpc/raw_client.h"
#include "tests/support/echo_service.h"

#include "throughline/echo/v1/echo.pb-c.h"

#define ECHO_PATH "/throughline.echo.v1.EchoService/"

typedef Throughline__Echo__V1__EchoRequest EchoRequest;
typedef Throughline__Echo__V1__EchoResponse EchoResponse;
typedef Throughline__Echo__V1__EchoSlowlyRequest EchoSlowlyRequest;
typedef Throughline__Echo__V1__EchoSlowlyResponse EchoSlowlyResponse;
typedef Throughline__Echo__V1__EchoManyRequest EchoManyRequest;
typedef Throughline__Echo__V1__EchoManyResponse EchoManyResponse;
typedef Throughline__Echo__V1__EchoCountResponse EchoCountResponse;
typedef Throughline__Echo__V1__EchoContextResponse EchoContextResponse;

typedef struct Echo {
    Arena *arena;
    RpcServer *server; /* NULL once a test has stopped it */
    RawClient *client;
    Metrics *metrics;
    TokenKeys *keys;
    TokenSigner *signer;
    EchoState state;
    int port;
} Echo;

/* Serving; NULL limits: the defaults. */
Echo *echo_start(const RpcLimits *limits);
Echo *echo_start_with(const RpcServerOptions *options);
void echo_stop(Echo *echo);

/* A token for an hour; `scopes` is one scope. */
const char *echo_token(Echo *echo, const char *scope, const char *channel);
/* Metadata with a token for everything. */
const RawPair *echo_pairs(Echo *echo);
/* The same and more, NULL-ended. */
const RawPair *echo_pairs_and(Echo *echo, const RawPair *more);

/* Calls a unary method of any service; *reply is in the fixture's arena. */
const Error *echo_call(Echo *echo, const char *path, const RawPair *pairs, const void *request,
    const ProtobufCMessageDescriptor *type, void *reply);
const Error *echo_say(Echo *echo, const RawPair *pairs, const char *text, EchoResponse **reply);
const Error *echo_slowly(Echo *echo, const char *text, int delay_ms, EchoSlowlyResponse **reply);

/* Starts a call and sends its only message. */
RawCall *echo_open(Echo *echo, const char *path, const void *request, int timeout_ms);
/* The next message of a stream, NULL at its end. */
void *echo_next(Echo *echo, RawCall *call, const ProtobufCMessageDescriptor *type);

/* The page of metrics as it is now. */
const char *echo_metrics(Echo *echo);

/* Waits for up to five seconds. */
bool comes_to(atomic_int *counter, int value);

#endif
