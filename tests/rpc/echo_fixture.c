#include "tests/rpc/echo_fixture.h"

#include "shared/base/clock.h"
#include "shared/base/log.h"
#include "shared/codec/message.h"
#include "tests/rpc/engine.h"
#include "tests/support/test_main.h"

#include <stdlib.h>
#include <unistd.h>

enum { MAX_PAIRS = 16 };

static void must(const Error *error)
{
    if (!error)
        return;
    printf("echo fixture: %s: %s\n", error->reason, error->message);
    abort();
}

static void make_keys(Echo *echo)
{
    const char *folder = test_folder();
    const char *private_path = arena_printf(echo->arena, "%s/private.jwk", folder);
    const char *public_path = arena_printf(echo->arena, "%s/public.jwks", folder);

    must(token_keys_create(echo->arena, private_path, public_path));
    must(token_keys_open(echo->arena, public_path, &echo->keys));
    must(token_signer_open(echo->arena, private_path, &echo->signer));
}

Echo *echo_start_with(const RpcServerOptions *given)
{
    static const RpcService *const services[] = { &echo_rpcs, NULL };
    Echo *echo = calloc(1, sizeof(*echo));
    RpcServerOptions options = *given;

    log_setup("test", LOG_OFF);
    echo->arena = arena_new();
    echo->metrics = metrics_new();
    make_keys(echo);
    options.address = "127.0.0.1";
    options.keys = echo->keys;
    options.metrics = echo->metrics;
    options.services = services;
    if (!options.transport && getenv("THROUGHLINE_TRANSPORT"))
        options.transport = engine_named(getenv("THROUGHLINE_TRANSPORT"));
    if (!options.hooks.begin)
        options.hooks = echo_hooks(&echo->state);
    must(rpc_server_start(echo->arena, &options, &echo->server));
    rpc_server_set_serving(echo->server, true);
    echo->port = rpc_server_port(echo->server);
    echo->client = raw_open(echo->port);
    return echo;
}

Echo *echo_start(const RpcLimits *limits)
{
    RpcServerOptions options = { 0 };

    if (limits)
        options.limits = *limits;
    return echo_start_with(&options);
}

void echo_stop(Echo *echo)
{
    raw_close(echo->client);
    if (echo->server)
        rpc_server_stop(echo->server, 2000);
    token_keys_close(echo->keys);
    token_signer_close(echo->signer);
    metrics_free(echo->metrics);
    arena_free(echo->arena);
    free(echo);
}

const char *echo_token(Echo *echo, const char *scope, const char *channel)
{
    int64_t now = clock_now();
    Caller caller = { "accounts/test", channel, &scope, 1, now + 3600000000 };
    const char *token;

    must(token_sign(echo->signer, echo->arena, &caller, now, &token));
    return token;
}

const RawPair *echo_pairs_and(Echo *echo, const RawPair *more)
{
    RawPair *pairs = arena_array(echo->arena, MAX_PAIRS, sizeof(*pairs));

    pairs[0].key = "authorization";
    pairs[0].value = arena_printf(echo->arena, "Bearer %s", echo_token(echo, "*", ""));
    for (size_t i = 0; more && more[i].key; i++)
        pairs[i + 1] = more[i];
    return pairs;
}

const RawPair *echo_pairs(Echo *echo)
{
    return echo_pairs_and(echo, NULL);
}

const Error *echo_call(Echo *echo, const char *path, const RawPair *pairs, const void *request,
    const ProtobufCMessageDescriptor *type, void *reply)
{
    Bytes bytes;
    const Error *error = raw_unary(
        echo->client, echo->arena, path, pairs, message_pack(echo->arena, request), &bytes);

    if (!error)
        *(void **)reply = message_unpack(echo->arena, type, bytes);
    return error;
}

const Error *echo_say(Echo *echo, const RawPair *pairs, const char *text, EchoResponse **reply)
{
    EchoRequest request = THROUGHLINE__ECHO__V1__ECHO_REQUEST__INIT;

    request.payload = (ProtobufCBinaryData){ strlen(text), (uint8_t *)(uintptr_t)text };
    return echo_call(echo, ECHO_PATH "Echo", pairs, &request,
        &throughline__echo__v1__echo_response__descriptor, reply);
}

const Error *echo_slowly(Echo *echo, const char *text, int delay_ms, EchoSlowlyResponse **reply)
{
    EchoSlowlyRequest request = THROUGHLINE__ECHO__V1__ECHO_SLOWLY_REQUEST__INIT;
    Google__Protobuf__Duration delay = GOOGLE__PROTOBUF__DURATION__INIT;

    delay.seconds = delay_ms / 1000;
    delay.nanos = delay_ms % 1000 * 1000000;
    request.text = (char *)(uintptr_t)text;
    request.delay = &delay;
    return echo_call(echo, ECHO_PATH "EchoSlowly", echo_pairs(echo), &request,
        &throughline__echo__v1__echo_slowly_response__descriptor, reply);
}

RawCall *echo_open(Echo *echo, const char *path, const void *request, int timeout_ms)
{
    RawCall *call = raw_start(echo->client, path, echo_pairs(echo), timeout_ms);

    raw_send(call, message_pack(echo->arena, request));
    raw_finish_sending(call);
    return call;
}

void *echo_next(Echo *echo, RawCall *call, const ProtobufCMessageDescriptor *type)
{
    Bytes bytes;

    return raw_receive(call, &bytes) ? message_unpack(echo->arena, type, bytes) : NULL;
}

const char *echo_metrics(Echo *echo)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    const char *copy;

    metrics_print(echo->metrics, out);
    fclose(out);
    copy = arena_text(echo->arena, text);
    free(text);
    return copy;
}

bool comes_to(atomic_int *counter, int value)
{
    for (int i = 0; i < 2500 && atomic_load(counter) != value; i++)
        clock_sleep_ms(2);
    return atomic_load(counter) == value;
}
