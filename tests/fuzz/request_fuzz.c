/* The path of a request under hostile bytes, without sockets: a transport that the fuzzer
 * drives. The first byte says what the rest is: a call (method, flags, metadata, messages), a
 * page token, or a status that a peer sent. A call goes through the whole pipeline to a handler
 * that reads every field; whatever comes, it ends in one status. */
#include "shared/base/clock.h"
#include "shared/base/log.h"
#include "shared/codec/message.h"
#include "shared/rpc/check.h"
#include "shared/rpc/methods.h"
#include "shared/rpc/page.h"
#include "shared/rpc/transport.h"
#include "tests/fuzz/fuzz.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_METHODS = 512, MAX_SERVICES = 24, MAX_PAIRS = 12 };

typedef enum Kind { KIND_CALL, KIND_PAGE, KIND_STATUS, KIND_COUNT } Kind;
enum { FLAG_TOKEN = 1, FLAG_CONTEXT = 2, FLAG_NO_MESSAGE = 4 };

/* What is left of the input. */
typedef struct Input {
    const uint8_t *at;
    size_t left;
} Input;

/* The one call there is; the fuzzer's thread plays the engine's. */
typedef struct FuzzCall {
    TransportCall base;
    TransportPair pairs[MAX_PAIRS];
    size_t n_pairs;
    Input messages;
    TransportMessage came[2]; /* together */
    uint8_t *room;
    bool wants_message, has_sent, is_finished, was_cancelled;
    int code;
} FuzzCall;

static struct {
    Transport transport;
    TransportOptions options;
    TransportMethod methods[MAX_METHODS];
    RpcServer *server;
    TokenKeys *keys;
    const char *authorization;
    pthread_mutex_t lock;
    pthread_cond_t changed;
} fuzz = { .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER };

static uint8_t next_byte(Input *input)
{
    if (input->left == 0)
        return 0;
    input->left--;
    return *input->at++;
}

static Bytes next_bytes(Input *input, size_t size)
{
    Bytes bytes = { input->at, size < input->left ? size : input->left };

    input->at += bytes.size;
    input->left -= bytes.size;
    return bytes;
}

static const Error *fuzz_listen(
    Arena *arena, const TransportOptions *options, Transport **transport)
{
    (void)arena;
    fuzz.options = *options;
    must(options->n_methods <= MAX_METHODS);
    memcpy(fuzz.methods, options->methods, options->n_methods * sizeof(*options->methods));
    *transport = &fuzz.transport;
    return NULL;
}

static int fuzz_port(const Transport *transport)
{
    (void)transport;
    return 0;
}

static bool fuzz_metadata(const TransportCall *base, size_t i, TransportPair *pair)
{
    const FuzzCall *call = (const FuzzCall *)base;

    if (i >= call->n_pairs)
        return false;
    *pair = call->pairs[i];
    return true;
}

static TransportPeer fuzz_peer(TransportCall *call, Arena *arena)
{
    (void)call;
    return (TransportPeer){ arena_text(arena, "fuzz"), "" };
}

static void fuzz_watch(TransportCall *call)
{
    (void)call;
}

static void tell(bool *flag)
{
    pthread_mutex_lock(&fuzz.lock);
    *flag = true;
    pthread_cond_signal(&fuzz.changed);
    pthread_mutex_unlock(&fuzz.lock);
}

static void fuzz_receive(TransportCall *call)
{
    tell(&((FuzzCall *)call)->wants_message);
}

static uint8_t *fuzz_reserve(TransportCall *base, size_t size, bool may_wait)
{
    FuzzCall *call = (FuzzCall *)base;

    (void)may_wait;
    must(!call->room);
    call->room = malloc(size + 1);
    must(call->room != NULL);
    return call->room;
}

static void fuzz_send(TransportCall *base)
{
    FuzzCall *call = (FuzzCall *)base;

    must(call->room != NULL);
    free(call->room);
    call->room = NULL;
    tell(&call->has_sent);
}

static void fuzz_finish(TransportCall *base, const RpcStatus *status)
{
    FuzzCall *call = (FuzzCall *)base;

    must(status->code >= 0 && status->code <= ERROR_UNAUTHENTICATED && status->message);
    must(status->code != ERROR_INTERNAL && !call->is_finished);
    free(call->room);
    call->room = NULL;
    call->code = status->code;
    tell(&call->is_finished);
}

static size_t fuzz_calls(const Transport *transport)
{
    (void)transport;
    return 1;
}

static bool fuzz_drain(Transport *transport, int grace_ms)
{
    (void)transport, (void)grace_ms;
    return true;
}

static void fuzz_destroy(Transport *transport)
{
    (void)transport;
}

static const TransportOps fuzz_transport = {
    .name = "fuzz",
    .listen = fuzz_listen,
    .port = fuzz_port,
    .metadata = fuzz_metadata,
    .peer = fuzz_peer,
    .watch = fuzz_watch,
    .receive = fuzz_receive,
    .reserve = fuzz_reserve,
    .send = fuzz_send,
    .finish = fuzz_finish,
    .calls = fuzz_calls,
    .drain = fuzz_drain,
    .destroy = fuzz_destroy,
};

/* Reads what came, to the last byte. */
static const Error *handle(RpcCall *call, const void *request, void *reply)
{
    const Error *error = NULL;
    void *message = NULL;

    check_name(call, "account", call->caller ? call->caller->account : "", "accounts/*");
    check_text(call, "journey", call->context.journey, 0, 1000);
    if (request) {
        message_pack(call->arena, request);
        return rpc_method_find(call->method)->server_streams ? rpc_send(call, reply) : NULL;
    }
    while (!(error = rpc_receive(call, &message)) && message) {
        message_pack(call->arena, message);
        rpc_recycle(call);
    }
    return error;
}

/* Every service of proto/ with that handler; health and reflection come by themselves. */
static const RpcService *const *all_services(Arena *arena)
{
    size_t count, n_services = 0;
    const RpcMethod *methods = rpc_methods(&count);
    const RpcService **services = arena_array(arena, MAX_SERVICES + 1, sizeof(*services));

    for (size_t i = 0, n = 0; i < count && n_services < MAX_SERVICES; i += n) {
        ProtobufCServiceDescriptor *descriptor = arena_alloc(arena, sizeof(*descriptor));
        ProtobufCMethodDescriptor *list = arena_array(arena, count, sizeof(*list));
        RpcService *service = arena_alloc(arena, sizeof(*service));

        for (n = 0; i + n < count && methods[i + n].service == methods[i].service; n++) {
            list[n].name = methods[i + n].name;
            service->handlers[n] = handle;
        }
        descriptor->name = methods[i].service;
        descriptor->n_methods = (unsigned)n;
        descriptor->methods = list;
        service->base.descriptor = descriptor;
        if (!text_starts_with(methods[i].service, "grpc."))
            services[n_services++] = service;
    }
    return services;
}

static void make_token(Arena *arena)
{
    char folder[] = "/tmp/request-fuzz-XXXXXX";
    const char *const scopes[] = { "*" };
    Caller caller = { "accounts/fuzz", "", scopes, 1, clock_now() + 86400000000 };
    const char *private_path, *public_path, *token;
    TokenSigner *signer;

    must(mkdtemp(folder) != NULL);
    private_path = arena_printf(arena, "%s/private.jwk", folder);
    public_path = arena_printf(arena, "%s/public.jwks", folder);
    must(!token_keys_create(arena, private_path, public_path));
    must(!token_keys_open(arena, public_path, &fuzz.keys));
    must(!token_signer_open(arena, private_path, &signer));
    must(!token_sign(signer, arena, &caller, clock_now(), &token));
    token_signer_close(signer);
    unlink(private_path);
    unlink(public_path);
    rmdir(folder);
    fuzz.authorization = arena_printf(arena, "Bearer %s", token);
}

static void start(void)
{
    static Arena *arena;

    if (arena)
        return;
    arena = arena_new();
    log_setup("fuzz", LOG_OFF);
    make_token(arena);
    fuzz.transport.ops = &fuzz_transport;
    must(!rpc_server_start(arena,
        &(RpcServerOptions){ .address = "",
            .keys = fuzz.keys,
            .transport = &fuzz_transport,
            .services = all_services(arena) },
        &fuzz.server));
}

static void add_pair(FuzzCall *call, const char *key, Bytes value)
{
    if (call->n_pairs < MAX_PAIRS)
        call->pairs[call->n_pairs++] =
            (TransportPair){ { (const uint8_t *)key, strlen(key) }, value };
}

static void add_pairs(FuzzCall *call, Input *input, uint8_t flags)
{
    static const char *const keys[] = { "authorization", "traceparent", "grpc-trace-bin",
        "throughline-channel", "throughline-actor", "throughline-on-behalf-of",
        "throughline-device", "throughline-journey", "throughline-purpose", "x-other" };
    int n = next_byte(input) % 8;

    for (int i = 0; i < n; i++) {
        const char *key = keys[next_byte(input) % COUNT(keys)];

        add_pair(call, key, next_bytes(input, next_byte(input)));
    }
    if (flags & FLAG_TOKEN)
        add_pair(call, "authorization",
            (Bytes){ (const uint8_t *)fuzz.authorization, strlen(fuzz.authorization) });
    if (flags & FLAG_CONTEXT) {
        add_pair(call, "throughline-channel", (Bytes){ (const uint8_t *)"web", 3 });
        add_pair(call, "throughline-actor", (Bytes){ (const uint8_t *)"agents/a", 8 });
    }
}

/* The next of a stream's messages: two bytes of length in front. */
static Bytes next_message(Input *messages)
{
    size_t size = next_byte(messages);

    size = size << 8 | next_byte(messages);
    return next_bytes(messages, size);
}

static void give_messages(FuzzCall *call)
{
    const TransportEvents *events = &fuzz.options.events;
    size_t n = 0;

    while (call->messages.left > 1 && n < COUNT(call->came)) {
        call->came[n] = (TransportMessage){ .bytes = next_message(&call->messages) };
        if (n)
            call->came[n - 1].next = &call->came[n];
        n++;
    }
    if (n)
        events->received(call->base.user, TRANSPORT_MESSAGE, call->came);
    else
        events->received(
            call->base.user, call->was_cancelled ? TRANSPORT_BROKEN : TRANSPORT_END, NULL);
}

/* Answers what the run time asks for until it has finished. A watch would go on for ever: the
 * caller leaves after the first message. */
static void play(FuzzCall *call)
{
    for (;;) {
        bool wants_message, has_sent, is_finished;

        pthread_mutex_lock(&fuzz.lock);
        while (!call->wants_message && !call->has_sent && !call->is_finished)
            pthread_cond_wait(&fuzz.changed, &fuzz.lock);
        wants_message = call->wants_message;
        has_sent = call->has_sent;
        is_finished = call->is_finished;
        call->wants_message = call->has_sent = false;
        pthread_mutex_unlock(&fuzz.lock);
        if (has_sent)
            fuzz.options.events.sent(call->base.user, true);
        if (has_sent && !call->was_cancelled && !is_finished) {
            call->was_cancelled = true;
            fuzz.options.events.cancelled(call->base.user);
        }
        if (wants_message)
            give_messages(call);
        if (is_finished)
            break;
    }
    fuzz.options.events.closed(call->base.user, call->was_cancelled);
}

static void make_call(Input input)
{
    FuzzCall call = { .base = { .transport = &fuzz.transport } };
    size_t number = next_byte(&input);
    uint8_t flags = next_byte(&input);
    TransportArrival arrival = { .deadline = INT64_MAX };

    number = (number << 8 | next_byte(&input)) % (fuzz.options.n_methods + 1);
    if (number < fuzz.options.n_methods)
        arrival.method = &fuzz.methods[number];
    add_pairs(&call, &input, flags);
    if (arrival.method && arrival.method->takes_streams) {
        call.messages = input;
    } else if (!(flags & FLAG_NO_MESSAGE)) {
        call.came[0] = (TransportMessage){ .bytes = next_bytes(&input, input.left) };
        arrival.message = call.came;
    }
    fuzz.options.events.arrived(fuzz.options.events.context, &call.base, &arrival);
    play(&call);
}

static void read_page(Input input)
{
    Arena *arena = arena_new();
    RpcCall *call = rpc_internal_call(arena, "fuzz.Service/List", &(RpcContext){ 0 }, NULL);
    char *token = arena_text_of(arena, (const char *)input.at, input.left);
    RpcPage page = page_read(call, (int32_t)input.left - 10, token, "x");

    must(page.limit > 0 && page.limit <= PAGE_MAX && page.resume);
    if (*page.resume) /* one of ours: it leads to itself */
        must(text_equal(
            page_read(call, 1, page_token(call, &page, page.resume), "x").resume, page.resume));
    arena_free(arena);
}

static void read_status(Input input)
{
    Arena *arena = arena_new();
    RpcStatus status = { next_byte(&input) % 20, "text", next_bytes(&input, input.left) };
    const Error *error = status_to_error(arena, &status);
    const Error *again;

    must((error == NULL) == (status.code == 0));
    if (error) {
        status = status_from_error(arena, error);
        again = status_to_error(arena, &status);
        must(again && again->code == error->code && text_equal(again->reason, error->reason));
    }
    arena_free(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Input input = { data, size };
    Kind kind = (Kind)(next_byte(&input) % KIND_COUNT);

    start();
    if (kind == KIND_CALL)
        make_call(input);
    else if (kind == KIND_PAGE)
        read_page(input);
    else
        read_status(input);
    return 0;
}
