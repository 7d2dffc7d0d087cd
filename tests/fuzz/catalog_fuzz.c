/* Every unary handler of the catalogue under requests that no client would make, over a real store. The first byte chooses the
 * method, the rest is the request in wire form. Each answer is one that the method may give, and none is a fault of the service. */
#include "services/catalog/catalog_service.h"
#include "shared/base/clock.h"
#include "shared/base/log.h"
#include "shared/codec/message.h"
#include "shared/codec/scan.h"
#include "shared/rpc/methods.h"
#include "shared/service/running.h"
#include "tests/fuzz/fuzz.h"
#include "tests/support/fixture.h"

enum { MAX_METHODS = 128, CALL_MS = 2000, INPUTS_A_STORE = 4000 };

typedef struct Target {
    const RpcMethod *method;
    RpcHandler handler;
} Target;

static Target targets[MAX_METHODS];
static size_t n_targets;
static Fixture *fixture;
static int n_inputs;

static void take_service(const RpcService *service)
{
    const ProtobufCServiceDescriptor *descriptor = service->base.descriptor;
    Arena *arena = arena_new();

    for (unsigned i = 0; i < descriptor->n_methods; i++) {
        const RpcMethod *method = rpc_method_find(
            arena_printf(arena, "%s/%s", descriptor->name, descriptor->methods[i].name));

        must(method && n_targets < MAX_METHODS);
        if (!method->client_streams && !method->server_streams)
            targets[n_targets++] = (Target){ method, service->handlers[i] };
    }
    arena_free(arena);
}

/* A store that has been written to for long is slow: from time to time there is a new one. */
static void start(void)
{
    if (fixture && ++n_inputs % INPUTS_A_STORE)
        return;
    if (fixture)
        fixture_stop(fixture);
    else
        for (size_t i = 0; catalog_service.rpcs[i]; i++)
            take_service(catalog_service.rpcs[i]);
    fixture = fixture_start(&catalog_service);
    log_setup("fuzz", LOG_OFF);
}

/* NULL, or what a caller may be told. */
static void check_error(const Error *error)
{
    if (!error)
        return;
    must(error->code != ERROR_INTERNAL && error->code != ERROR_UNKNOWN &&
         error->code != ERROR_DATA_LOSS && error->code != ERROR_UNIMPLEMENTED);
    must(error->reason && *error->reason && error->message && *error->message);
    for (size_t i = 0; i < error->n_violations; i++)
        must(*error->violations[i].field && *error->violations[i].description);
}

static void call_method(const Target *target, Arena *arena, Bytes bytes)
{
    const RpcContext context = { .channel = "web",
        .actor = "agents/fuzz",
        .on_behalf_of = "",
        .device = "",
        .journey = "",
        .purpose = "" };
    RpcCall *call =
        rpc_internal_call(arena, target->method->path, &context, fixture_context(fixture));
    void *reply = message_new(arena, target->method->output);
    const void *request;
    const Error *error;
    StoreView view;

    if (scan_message(arena, target->method->input, bytes))
        return;
    request = message_unpack(arena, target->method->input, bytes);
    must(request != NULL);
    call->deadline = clock_monotonic() + CALL_MS * INT64_C(1000);
    view = service_view(call, fixture_context(fixture)->store);
    view.deadline = call->deadline;
    call->store = &view;

    error = target->handler(call, request, reply);

    check_error(error);
    if (!error)
        must(!scan_message(arena, target->method->output, message_pack(arena, reply)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Arena *arena;

    if (size < 1)
        return 0;
    start();
    arena = arena_new();
    call_method(&targets[data[0] % n_targets], arena, (Bytes){ data + 1, size - 1 });
    arena_free(arena);
    return 0;
}
