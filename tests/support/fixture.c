#include "tests/support/fixture.h"

#include "shared/auth/token.h"
#include "shared/base/clock.h"
#include "shared/base/log.h"
#include "shared/base/text.h"
#include "shared/event/log.h"
#include "tests/support/ports.h"
#include "tests/support/test_main.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    MAX_FIXTURES = 8,
    MAX_FLAGS = 48,
    MAX_SCOPES = 32,
    TOKEN_HOURS = 1,
    CALL_MS = 10 * 1000,
    STREAM_MS =
        120 *
        1000, /* a stream lives as long as its test, which may write hundreds of events meanwhile */
    GRACE_MS = 5 * 1000,
    EVENT_WAIT_MS = 5 * 1000,
    SETTLE_MS = 10 * 1000,
    RECONNECT_MS = 10 * 1000,
    PAUSE_MS = 5,
};

/* What the services of one test share: ports that are known before any starts, and a key. */
typedef struct World {
    Arena *arena;
    const char *folder;
    TokenSigner *signer;
    Fixture *fixtures[MAX_FIXTURES];
    size_t n_fixtures;
} World;

struct Fixture {
    World *world;
    const Service *service;
    int port, reservation; /* a socket that keeps the port for this fixture */
    char *flags[MAX_FLAGS];
    int n_flags;
    RunningService *running;
    RpcClient *client;
    const char *channel;
    const char *actor;
    const char *token;
};

static void must(const Error *error, const char *what)
{
    if (!error)
        return;
    fprintf(stderr, "fixture: %s: %s: %s\n", what, error->reason, error->message);
    exit(EXIT_FAILURE);
}

static void add_flag(Fixture *fixture, const char *name, const char *value)
{
    assert(fixture->n_flags < MAX_FLAGS);
    fixture->flags[fixture->n_flags++] =
        arena_printf(fixture->world->arena, "--%s=%s", name, value);
}

static Fixture *find_fixture(const World *world, const char *name)
{
    for (size_t i = 0; i < world->n_fixtures; i++)
        if (text_equal(world->fixtures[i]->service->name, name))
            return world->fixtures[i];
    return NULL;
}

static void add_fixture(World *world, const Service *service)
{
    Fixture *fixture = arena_alloc(world->arena, sizeof(*fixture));

    assert(world->n_fixtures < MAX_FIXTURES);
    fixture->world = world;
    fixture->service = service;
    fixture->port = port_reserve(&fixture->reservation);
    fixture->channel = "web";
    fixture->actor = "customers/test";
    world->fixtures[world->n_fixtures++] = fixture;
}

static const char *in_folder(World *world, const char *name)
{
    return arena_printf(world->arena, "%s/%s", world->folder, name);
}

static void make_token_file(World *world, const char *name)
{
    const char *path = in_folder(world, name);
    FILE *file = fopen(path, "w");

    if (!file)
        abort();
    fputs(fixture_token(world->fixtures[0], "*", ""), file);
    fclose(file);
}

static void set_flags(Fixture *fixture)
{
    World *world = fixture->world;

    add_flag(fixture, "address", "127.0.0.1");
    add_flag(fixture, "port", arena_printf(world->arena, "%d", fixture->port));
    add_flag(fixture, "admin-port", "0");
    add_flag(fixture, "store-uri", arena_printf(world->arena, "embedded:%s", world->folder));
    add_flag(fixture, "token-keys", in_folder(world, "keys.json"));
    add_flag(fixture, "token-file", in_folder(world, "token"));
    for (int i = 0; i < SERVICE_MAX_PEERS && fixture->service->peers[i]; i++) {
        const char *name = fixture->service->peers[i];
        const Fixture *peer = find_fixture(world, name);

        add_flag(fixture, arena_printf(world->arena, "%s-target", name),
            arena_printf(world->arena, "127.0.0.1:%d", peer ? peer->port : port_dead()));
    }
}

static void start(Fixture *fixture)
{
    must(service_start(fixture->world->arena, fixture->service, fixture->n_flags, fixture->flags,
             &fixture->running),
        fixture->service->name);
}

static void open_client(Fixture *fixture)
{
    RpcClientOptions options = { .target = arena_printf(
                                     fixture->world->arena, "127.0.0.1:%d", fixture->port) };

    fixture->client = rpc_client_open(fixture->world->arena, &options);
    fixture_act_as(fixture, fixture->channel, fixture->actor);
}

static World *make_world(const Service *service, const Service *const *others)
{
    Arena *arena = arena_new();
    World *world = arena_alloc(arena, sizeof(*world));

    world->arena = arena;
    world->folder = test_folder();
    must(token_keys_create(arena, in_folder(world, "key.json"), in_folder(world, "keys.json")),
        "token key");
    must(token_signer_open(arena, in_folder(world, "key.json"), &world->signer), "token signer");
    add_fixture(world, service);
    for (; others && *others; others++)
        add_fixture(world, *others);
    make_token_file(world, "token");
    return world;
}

/* Sources that were not started tell nothing and are left out. */
static int64_t lag_of(const Fixture *fixture)
{
    int64_t lag = 0;

    for (int i = 0; i < SERVICE_MAX_CONSUMERS && lag >= 0; i++) {
        const char *source = fixture->service->consumers[i].source;
        int64_t behind;

        if (!source || !find_fixture(fixture->world, source))
            continue;
        behind = service_lag(fixture->running, source);
        lag = behind < 0 ? -1 : lag + behind;
    }
    return lag;
}

static bool is_settled(const World *world)
{
    for (size_t i = 0; i < world->n_fixtures; i++)
        if (service_waiting(world->fixtures[i]->running) != 0 || lag_of(world->fixtures[i]) != 0)
            return false;
    return true;
}

/* A channel that lost its connection tries again when its own pause is over, and its calls fail until then. */
static void wait_for_client(Fixture *fixture)
{
    int64_t until = clock_monotonic() + RECONNECT_MS * INT64_C(1000);
    const Error *error;
    Bytes reply;

    do {
        RpcOutgoing outgoing = fixture_outgoing(fixture);

        error = rpc_client_call_raw(
            fixture->client, &outgoing, "/grpc.health.v1.Health/Check", (Bytes){ 0 }, &reply);
        if (error)
            clock_sleep_ms(PAUSE_MS);
    } while (error && clock_monotonic() < until);
    must(error, fixture->service->name);
}

/* Those that started before their peers have found them in the meantime. */
static void wait_for_peers(const World *world)
{
    int64_t until = clock_monotonic() + RECONNECT_MS * INT64_C(1000);

    for (size_t i = 0; i < world->n_fixtures; i++)
        while (lag_of(world->fixtures[i]) < 0 && clock_monotonic() < until)
            clock_sleep_ms(PAUSE_MS);
}

Fixture *fixture_start_flags(
    const Service *service, const Service *const *others, const char *const *flags)
{
    World *world = make_world(service, others);
    LogLevel level = LOG_OFF;

    if (getenv("THROUGHLINE_TEST_LOG"))
        log_level_from(getenv("THROUGHLINE_TEST_LOG"), &level);
    log_setup("test", level);
    for (size_t i = 0; i < world->n_fixtures; i++)
        set_flags(world->fixtures[i]);
    for (; flags && *flags; flags++) {
        assert(world->fixtures[0]->n_flags < MAX_FLAGS);
        world->fixtures[0]->flags[world->fixtures[0]->n_flags++] = arena_text(world->arena, *flags);
    }
    for (size_t i = world->n_fixtures; i > 0; i--) {
        start(world->fixtures[i - 1]);
        open_client(world->fixtures[i - 1]);
        wait_for_client(world->fixtures[i - 1]);
    }
    wait_for_peers(world);
    return world->fixtures[0];
}

Fixture *fixture_start(const Service *service)
{
    return fixture_start_flags(service, NULL, NULL);
}

Fixture *fixture_start_with(const Service *service, const Service *const *others)
{
    return fixture_start_flags(service, others, NULL);
}

Fixture *fixture_peer(Fixture *fixture, const char *name)
{
    Fixture *peer = find_fixture(fixture->world, name);

    assert(peer && "started with the fixture");
    return peer;
}

bool fixture_stop(Fixture *fixture)
{
    World *world = fixture->world;
    bool is_clean = true;

    for (size_t i = 0; i < world->n_fixtures; i++) {
        rpc_client_close(world->fixtures[i]->client);
        is_clean &= service_stop(world->fixtures[i]->running, GRACE_MS);
        close(world->fixtures[i]->reservation);
    }
    token_signer_close(world->signer);
    arena_free(world->arena);
    return is_clean;
}

void fixture_restart(Fixture *fixture)
{
    service_stop(fixture->running, GRACE_MS);
    start(fixture);
    wait_for_client(fixture);
    wait_for_peers(fixture->world);
}

Arena *fixture_arena(Fixture *fixture)
{
    return fixture->world->arena;
}

const char *fixture_token(Fixture *fixture, const char *scopes, const char *channel)
{
    World *world = fixture->world;
    char *list = arena_text(world->arena, scopes);
    const char *separate[MAX_SCOPES];
    const char *token;
    char *rest = NULL;
    Caller caller = {
        .account = arena_printf(world->arena, "accounts/%s", *channel ? channel : "test"),
        .channel = channel,
        .scopes = separate,
        .expires_at = clock_now() + TOKEN_HOURS * INT64_C(3600) * 1000000,
    };

    for (char *scope = strtok_r(list, " ", &rest); scope; scope = strtok_r(NULL, " ", &rest)) {
        assert(caller.n_scopes < MAX_SCOPES);
        separate[caller.n_scopes++] = scope;
    }
    must(token_sign(world->signer, world->arena, &caller, clock_now(), &token), "token");
    return token;
}

void fixture_act_as(Fixture *fixture, const char *channel, const char *actor)
{
    fixture->channel = arena_text(fixture->world->arena, channel);
    fixture->actor = arena_text(fixture->world->arena, actor);
    fixture->token = fixture_token(fixture, "*", channel);
}

RpcOutgoing fixture_outgoing(Fixture *fixture)
{
    return (RpcOutgoing){
        .arena = fixture->world->arena,
        .deadline = clock_monotonic() + CALL_MS * INT64_C(1000),
        .context = { .channel = fixture->channel, .actor = fixture->actor },
        .token = fixture->token,
    };
}

/* "CartService/AddLine": the descriptor, and the method's own name. */
static const ProtobufCServiceDescriptor *find_service(
    Fixture *fixture, const char *path, const char **method)
{
    const char *slash = strchr(path, '/');
    const ProtobufCServiceDescriptor *events = &throughline__event__v1__event_service__descriptor;

    assert(slash);
    *method = slash + 1;
    for (int i = 0; i < SERVICE_MAX_RPCS && fixture->service->rpcs[i]; i++) {
        const ProtobufCServiceDescriptor *one = fixture->service->rpcs[i]->base.descriptor;

        if (strlen(one->short_name) == (size_t)(slash - path) &&
            text_starts_with(path, one->short_name))
            return one;
    }
    if (text_starts_with(path, "EventService/"))
        return events;
    fprintf(stderr, "fixture: %s has no %s\n", fixture->service->name, path);
    abort();
}

const Error *fixture_call_with(Fixture *fixture, const RpcOutgoing *outgoing, const char *method,
    const void *request, void *reply)
{
    const char *name;
    const ProtobufCServiceDescriptor *service = find_service(fixture, method, &name);

    return rpc_client_call(fixture->client, outgoing, service, name, request, reply);
}

const Error *fixture_call(Fixture *fixture, const char *method, const void *request, void *reply)
{
    RpcOutgoing outgoing = fixture_outgoing(fixture);

    return fixture_call_with(fixture, &outgoing, method, request, reply);
}

const Error *fixture_open(
    Fixture *fixture, const char *method, const void *request, RpcClientStream **stream)
{
    RpcOutgoing outgoing = fixture_outgoing(fixture);
    const char *name;
    const ProtobufCServiceDescriptor *service = find_service(fixture, method, &name);
    const Error *error;

    outgoing.deadline = clock_monotonic() + STREAM_MS * INT64_C(1000);
    error = rpc_client_open_stream(fixture->client, &outgoing, service, name, stream);

    if (error || !request)
        return error;
    if ((error = rpc_client_send(*stream, request)) || (error = rpc_client_finish_sending(*stream)))
        rpc_client_close_stream(*stream);
    return error;
}

RpcClient *fixture_client(Fixture *fixture)
{
    return fixture->client;
}

ServiceContext *fixture_context(Fixture *fixture)
{
    return service_context(fixture->running);
}

int fixture_port(const Fixture *fixture)
{
    return fixture->port;
}

int fixture_admin_port(const Fixture *fixture)
{
    return service_admin_port(fixture->running);
}

static const Error *seal_for_test(void *context, Arena *arena, const char *aggregate,
    const ProtobufCMessage *payload, Bytes *sealed, int *partition)
{
    Fixture *fixture = context;
    RpcContext origin = { .channel = fixture->channel, .actor = fixture->actor };

    return event_seal(rpc_internal_call(arena, "tests/fixture", &origin, fixture_context(fixture)),
        arena, aggregate, payload, sealed, partition);
}

StoreView fixture_view(Fixture *fixture)
{
    return (StoreView){
        .store = fixture_context(fixture)->store,
        .arena = fixture->world->arena,
        .seal = seal_for_test,
        .seal_context = fixture,
    };
}

const Event *fixture_event(Fixture *fixture, const char *aggregate, int64_t number)
{
    StoreView view = fixture_view(fixture);
    LogRange range = { .aggregate = aggregate, .after = number - 1, .limit = 1 };
    int64_t until = clock_monotonic() + EVENT_WAIT_MS * INT64_C(1000);
    LogPage page;

    do {
        must(event_log_read(&view, &range, &page), "event log");
        if (page.n_records)
            return page.records[0]->event;
        clock_sleep_ms(PAUSE_MS);
    } while (clock_monotonic() < until);
    return NULL;
}

bool fixture_settle(Fixture *fixture)
{
    int64_t until = clock_monotonic() + SETTLE_MS * INT64_C(1000);

    /* An effect may make events of its own, which a service that was looked at before consumes. */
    while (clock_monotonic() < until) {
        if (is_settled(fixture->world) && is_settled(fixture->world))
            return true;
        clock_sleep_ms(PAUSE_MS);
    }
    return false;
}
