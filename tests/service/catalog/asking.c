#include "tests/service/catalog/asking.h"

#include "shared/codec/json.h"
#include "shared/codec/message.h"
#include "shared/rpc/methods.h"

#include <string.h>

static const char *error_text(const Error *error)
{
    const char *all = arena_printf(arena, "%s %s", error->reason, error->message);

    for (size_t i = 0; i < error->n_violations; i++)
        all = arena_printf(
            arena, "%s %s %s", all, error->violations[i].field, error->violations[i].description);
    for (size_t i = 0; i < error->n_facts; i++)
        all = arena_printf(arena, "%s %s", all, error->facts[i].value);
    return all;
}

static void receive_all(RpcClientStream *stream, Answer *answer)
{
    void *message = NULL;

    do {
        answer->error = error_copy(arena, rpc_client_receive(stream, arena, &message));
        if (!answer->error && message) {
            answer->message = message;
            answer->text = arena_printf(
                arena, "%s %s", answer->text, json_from_message(arena, message, JSON_COMPACT));
        }
    } while (!answer->error && message);
    rpc_client_close_stream(stream);
}

/* The message that the text says. */
static void *read_message(const ProtobufCMessageDescriptor *type, const char *json)
{
    char *quoted = arena_text(arena, json);
    void *message = NULL;

    for (char *at = quoted; *at; at++)
        if (*at == '\'')
            *at = '"';
    CU_ASSERT_PTR_NULL_FATAL(
        json_to_message(arena, type, (Bytes){ (const uint8_t *)quoted, strlen(quoted) }, &message));
    return message;
}

Answer ask(const RpcOutgoing *outgoing, const char *rpc, const char *json)
{
    const RpcMethod *method =
        rpc_method_find(arena_printf(arena, "throughline.catalog.v1.%s", rpc));
    const ProtobufCServiceDescriptor *service = NULL;
    Answer answer = { .text = "" };
    RpcClientStream *stream;
    void *request;

    CU_ASSERT_PTR_NOT_NULL_FATAL(method);
    for (size_t i = 0; catalog_service.rpcs[i]; i++)
        if (text_equal(catalog_service.rpcs[i]->base.descriptor->name, method->service))
            service = catalog_service.rpcs[i]->base.descriptor;
    request = read_message(method->input, json);
    answer.message = message_new(arena, method->output);
    if (method->server_streams) {
        answer.error = rpc_client_open_stream(
            fixture_client(fixture), outgoing, service, method->name, &stream);
        CU_ASSERT_PTR_NULL_FATAL(answer.error);
        (void)rpc_client_send(stream, request);
        (void)rpc_client_finish_sending(stream);
        receive_all(stream, &answer);
    } else if (!(answer.error = rpc_client_call(fixture_client(fixture), outgoing, service,
                     method->name, request, answer.message))) {
        answer.text = json_from_message(arena, answer.message, JSON_COMPACT);
    }
    if (answer.error)
        answer.text = arena_printf(arena, "%s %s", answer.text, error_text(answer.error));
    return answer;
}
