#include "tests/rpc/client_fixture.h"

#include "shared/base/clock.h"
#include "tests/support/test_main.h"

#include <stdlib.h>

enum { GRACE_MS = 2000 };

ClientFixture fixture;

static const Error refused = { ERROR_UNAVAILABLE, "REFUSED", "The test wants it." };

static const Error *begin(void *context, RpcCall *call, const ProtobufCMessage *request,
    ProtobufCMessage *reply, Bytes request_bytes)
{
    Backend *backend = context;

    (void)request, (void)reply, (void)request_bytes;
    if (!call->caller) /* health */
        return NULL;
    call->service = &backend->state;
    atomic_fetch_add(&backend->calls, 1);
    rpc_compress(call, atomic_load(&backend->compresses));
    clock_sleep_ms(atomic_load(&backend->sleeps_ms));
    return atomic_fetch_sub(&backend->refuses, 1) > 0 ? &refused : NULL;
}

void start_backend(Backend *backend, int port)
{
    static const RpcService *const services[] = { &echo_rpcs, NULL };
    RpcServerOptions options = backend->options;

    options.address = "127.0.0.1";
    options.port = port;
    options.hooks = (RpcHooks){ .context = backend, .begin = begin };
    options.keys = fixture.keys;
    options.services = services;

    CU_ASSERT_PTR_NULL_FATAL(rpc_server_start(fixture.arena, &options, &backend->server));
    backend->port = rpc_server_port(backend->server);
    rpc_server_set_serving(backend->server, true);
}

void stop_backend(Backend *backend)
{
    if (backend->server)
        rpc_server_stop(backend->server, GRACE_MS);
    backend->server = NULL;
}

const char *make_token(const char *scope)
{
    Caller caller = { "accounts/test", "", &scope, 1, clock_now() + 3600 * INT64_C(1000000) };
    const char *made;

    CU_ASSERT_PTR_NULL_FATAL(
        token_sign(fixture.signer, fixture.arena, &caller, clock_now(), &made));
    return made;
}

static void open_client(const RpcClientOptions *given)
{
    RpcClientOptions options = *given;

    options.token = fixture.token;
    options.transport = getenv("THROUGHLINE_TRANSPORT");
    fixture.client = rpc_client_open(fixture.arena, &options);
}

void start(void)
{
    const char *folder = test_folder();
    const char *private, *public;

    fixture.arena = arena_new();
    private = arena_printf(fixture.arena, "%s/key", folder);
    public = arena_printf(fixture.arena, "%s/keys", folder);
    CU_ASSERT_PTR_NULL_FATAL(token_keys_create(fixture.arena, private, public));
    CU_ASSERT_PTR_NULL_FATAL(token_keys_open(fixture.arena, public, &fixture.keys));
    CU_ASSERT_PTR_NULL_FATAL(token_signer_open(fixture.arena, private, &fixture.signer));
    fixture.token = make_token("*");
    for (int i = 0; i < N_BACKENDS; i++) {
        atomic_store(&fixture.backends[i].calls, 0);
        atomic_store(&fixture.backends[i].refuses, 0);
        atomic_store(&fixture.backends[i].sleeps_ms, 0);
        atomic_store(&fixture.backends[i].compresses, false);
        fixture.backends[i].options = (RpcServerOptions){ 0 };
        start_backend(&fixture.backends[i], 0);
    }
    open_client(&(RpcClientOptions){
        .target = arena_printf(fixture.arena, "127.0.0.1:%d", fixture.backends[0].port) });
}

void stop(void)
{
    rpc_client_close(fixture.client);
    for (int i = 0; i < N_BACKENDS; i++)
        stop_backend(&fixture.backends[i]);
    token_keys_close(fixture.keys);
    token_signer_close(fixture.signer);
    arena_free(fixture.arena);
}

void use_options(const RpcClientOptions *options)
{
    rpc_client_close(fixture.client);
    open_client(options);
}

void use_target(const char *target)
{
    use_options(&(RpcClientOptions){ .target = target });
}

RpcOutgoing for_ms(int milliseconds)
{
    return (RpcOutgoing){
        .arena = fixture.arena,
        .deadline = clock_monotonic() + milliseconds * INT64_C(1000),
        .context = { .channel = "web", .actor = "customers/ann" },
    };
}

const Error *echo(void)
{
    RpcOutgoing outgoing = for_ms(WAIT_MS);
    EchoRequest request = THROUGHLINE__ECHO__V1__ECHO_REQUEST__INIT;
    EchoResponse reply = THROUGHLINE__ECHO__V1__ECHO_RESPONSE__INIT;

    request.payload = (ProtobufCBinaryData){ 5, (uint8_t *)"hello" };
    return rpc_client_call(fixture.client, &outgoing, ECHO, "Echo", &request, &reply);
}

const Error *slowly(const RpcOutgoing *outgoing, int delay_ms, int code)
{
    EchoSlowlyRequest request = THROUGHLINE__ECHO__V1__ECHO_SLOWLY_REQUEST__INIT;
    EchoSlowlyResponse reply = THROUGHLINE__ECHO__V1__ECHO_SLOWLY_RESPONSE__INIT;
    Google__Protobuf__Duration delay = GOOGLE__PROTOBUF__DURATION__INIT;

    delay.seconds = delay_ms / 1000;
    delay.nanos = delay_ms % 1000 * 1000000;
    request.text = "slow";
    request.delay = &delay;
    request.code = code;
    return rpc_client_call(fixture.client, outgoing, ECHO, "EchoSlowly", &request, &reply);
}

int64_t ms_since(int64_t start_at)
{
    return (clock_monotonic() - start_at) / 1000;
}

bool call_until(bool (*is_there)(void))
{
    int64_t start_at = clock_monotonic();

    while (!is_there()) {
        if (ms_since(start_at) > WAIT_MS)
            return false;
        echo();
        clock_sleep_ms(5);
    }
    return true;
}
