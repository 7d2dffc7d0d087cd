/* Two echo servers that count their calls, and a client of them. One at a time, for the tests of a
 * program. */
#ifndef THROUGHLINE_TESTS_RPC_CLIENT_FIXTURE_H
#define THROUGHLINE_TESTS_RPC_CLIENT_FIXTURE_H

#include "shared/auth/token.h"
#include "shared/rpc/client.h"
#include "tests/support/echo_service.h"

#include "throughline/echo/v1/echo.pb-c.h"

typedef Throughline__Echo__V1__EchoRequest EchoRequest;
typedef Throughline__Echo__V1__EchoResponse EchoResponse;
typedef Throughline__Echo__V1__EchoSlowlyRequest EchoSlowlyRequest;
typedef Throughline__Echo__V1__EchoSlowlyResponse EchoSlowlyResponse;
typedef Throughline__Echo__V1__EchoManyRequest EchoManyRequest;
typedef Throughline__Echo__V1__EchoManyResponse EchoManyResponse;
typedef Throughline__Echo__V1__EchoCountRequest EchoCountRequest;
typedef Throughline__Echo__V1__EchoCountResponse EchoCountResponse;
typedef Throughline__Echo__V1__EchoEachRequest EchoEachRequest;
typedef Throughline__Echo__V1__EchoEachResponse EchoEachResponse;
typedef Throughline__Echo__V1__EchoContextRequest EchoContextRequest;
typedef Throughline__Echo__V1__EchoContextResponse EchoContextResponse;

#define ECHO (&throughline__echo__v1__echo_service__descriptor)

enum { N_BACKENDS = 2, WAIT_MS = 10 * 1000 };

/* A server that counts its calls and refuses the first ones. */
typedef struct Backend {
    RpcServer *server;
    EchoState state;
    int port;
    atomic_int calls;
    atomic_int refuses;
    atomic_int sleeps_ms; /* before each call, whatever becomes of it */
    atomic_bool compresses;
    RpcServerOptions options; /* limits and TLS files, for the next start */
} Backend;

typedef struct ClientFixture {
    Arena *arena;
    TokenKeys *keys;
    TokenSigner *signer;
    const char *token;
    Backend backends[N_BACKENDS];
    RpcClient *client; /* of the first backend, until use_target */
} ClientFixture;

extern ClientFixture fixture;

/* Before and after each test. */
void start(void);
void stop(void);

void start_backend(Backend *backend, int port);
void stop_backend(Backend *backend);

/* A token for an hour. */
const char *make_token(const char *scope);

/* The client is one of this target from now on; the same with TLS files and the like. */
void use_target(const char *target);
void use_options(const RpcClientOptions *options);

/* A call of a customer that may take so long. */
RpcOutgoing for_ms(int milliseconds);

/* Echo; EchoSlowly. */
const Error *echo(void);
const Error *slowly(const RpcOutgoing *outgoing, int delay_ms, int code);

int64_t ms_since(int64_t start_at);

/* Calls until a condition holds; false when it never does. */
bool call_until(bool (*is_there)(void));

#endif
