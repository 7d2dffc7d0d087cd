/* The app: C with Throughline's own client. Reads one JSON command a line, answers one JSON a line:
 * {"service": "throughline.cart.v1.CartService", "method": "QuoteCart", "actor": "customers/…", "request": {…}} → the reply, or
 * {"error": …}. With "lose_answer" it hangs up as soon as the request is sent; of a stream the first message is the reply. */
#include "shared/base/clock.h"
#include "shared/base/text.h"
#include "shared/codec/json.h"
#include "shared/codec/message.h"
#include "shared/rpc/client.h"
#include "shared/rpc/methods.h"

#include "descriptor_set.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TIMEOUT_MS = 10000, LOSE_AFTER_MS = 300 };

typedef struct App {
    json_t *targets;
    const char *token;
} App;

static const ProtobufCServiceDescriptor *find_service(const char *name)
{
    for (size_t i = 0; i < throughline_n_services; i++)
        if (text_equal(throughline_services[i]->name, name))
            return throughline_services[i];
    return NULL;
}

/* "throughline.cart.v1.CartService" → the address of cart. */
static const char *target_of(const App *app, Arena *arena, const char *service)
{
    const char *begin = strchr(service, '.') + 1;

    return json_string_value(json_object_get(
        app->targets, arena_text_of(arena, begin, (size_t)(strchr(begin, '.') - begin))));
}

static const Error *lose_answer(RpcClientStream *stream, const void *request)
{
    const Error *error;

    if ((error = rpc_client_send(stream, request)) || (error = rpc_client_finish_sending(stream)))
        return error;
    clock_sleep_ms(LOSE_AFTER_MS);
    rpc_client_cancel(stream);
    return NULL;
}

static const Error *first_message(
    RpcClientStream *stream, const void *request, Arena *arena, void **reply)
{
    const Error *error;

    if ((error = rpc_client_send(stream, request)) || (error = rpc_client_finish_sending(stream)))
        return error;
    return rpc_client_receive(stream, arena, reply);
}

static const Error *call(const App *app, Arena *arena, json_t *command, void **reply)
{
    const char *name = json_string_value(json_object_get(command, "service"));
    const char *method_name = json_string_value(json_object_get(command, "method"));
    const ProtobufCServiceDescriptor *service = find_service(name);
    const RpcMethod *method = rpc_method_find(arena_printf(arena, "%s/%s", name, method_name));
    char *text = json_dumps(json_object_get(command, "request"), JSON_COMPACT);
    RpcOutgoing outgoing = { .arena = arena,
        .deadline = clock_monotonic() + (int64_t)TIMEOUT_MS * 1000,
        .context = { .channel = "app",
            .device = "phone",
            .actor = json_string_value(json_object_get(command, "actor")) } };
    RpcClient *client = rpc_client_open(
        arena, &(RpcClientOptions){ .target = target_of(app, arena, name), .token = app->token });
    RpcClientStream *stream = NULL;
    void *request;
    const Error *error =
        json_to_message(arena, method->input, (Bytes){ (uint8_t *)text, strlen(text) }, &request);
    bool loses = json_is_true(json_object_get(command, "lose_answer"));

    free(text);
    if (!error && !loses && !method->server_streams) {
        *reply = message_new(arena, method->output);
        error = rpc_client_call(client, &outgoing, service, method_name, request, *reply);
    } else if (!error && !(error = rpc_client_open_stream(
                               client, &outgoing, service, method_name, &stream))) {
        error = loses ? lose_answer(stream, request) : first_message(stream, request, arena, reply);
        rpc_client_close_stream(stream);
    }
    rpc_client_close(client);
    return error;
}

static void answer(const App *app, const char *line)
{
    Arena *arena = arena_new();
    json_t *command = json_loads(line, 0, NULL);
    void *reply = NULL;
    const Error *error = call(app, arena, command, &reply);

    if (error) {
        json_t *wrong = json_pack("{s:s,s:s}", "error", error->message, "reason", error->reason);
        char *text = json_dumps(wrong, JSON_COMPACT);

        printf("%s\n", text);
        free(text);
        json_decref(wrong);
    } else {
        printf("%s\n", reply ? json_from_message(arena, reply, JSON_COMPACT) : "{}");
    }
    fflush(stdout);
    json_decref(command);
    arena_free(arena);
}

int main(void)
{
    App app = { .targets = json_loads(getenv("TARGETS"), 0, NULL), .token = getenv("TOKEN") };
    char *line = NULL;
    size_t room = 0;

    while (getline(&line, &room, stdin) > 0)
        answer(&app, line);
    free(line);
    json_decref(app.targets);
    return 0;
}
