/* One handler for both versions: their messages are the same on the wire, so v1alpha is packed
 * and unpacked as v1. */
#include "shared/rpc/reflection.h"

#include "shared/codec/message.h"
#include "shared/rpc/descriptors.h"
#include "shared/rpc/exchange.h"

#include "grpc/reflection/v1/reflection.pb-c.h"
#include "grpc/reflection/v1alpha/reflection.pb-c.h"

typedef Grpc__Reflection__V1__ServerReflectionRequest Request;
typedef Grpc__Reflection__V1__ServerReflectionResponse Response;

/* Anybody may ask without a token and keeps a worker while asking. */
enum { REFLECTION_MAX_STREAMS = 8 };

static const Error too_many_streams = { ERROR_RESOURCE_EXHAUSTED, "TOO_MANY_STREAMS",
    "Too many reflection streams are open; try again later.", .retry_after_ms = 1000 };

static void answer_not_found(Arena *arena, Response *response, const char *what)
{
    response->message_response_case =
        GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__MESSAGE_RESPONSE_ERROR_RESPONSE;
    response->error_response =
        message_new(arena, &grpc__reflection__v1__error_response__descriptor);
    response->error_response->error_code = ERROR_NOT_FOUND;
    response->error_response->error_message = arena_printf(arena, "There is no %s.", what);
}

static void answer_file(Arena *arena, Response *response, int file, const char *what)
{
    Grpc__Reflection__V1__FileDescriptorResponse *files;
    const Bytes *found;

    if (file < 0) {
        answer_not_found(arena, response, what);
        return;
    }
    files = message_new(arena, &grpc__reflection__v1__file_descriptor_response__descriptor);
    files->n_file_descriptor_proto = descriptors_with_imports(arena, file, &found);
    files->file_descriptor_proto =
        arena_array(arena, files->n_file_descriptor_proto, sizeof(ProtobufCBinaryData));
    for (size_t i = 0; i < files->n_file_descriptor_proto; i++)
        files->file_descriptor_proto[i] =
            (ProtobufCBinaryData){ found[i].size, (uint8_t *)(uintptr_t)found[i].data };
    response->message_response_case =
        GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__MESSAGE_RESPONSE_FILE_DESCRIPTOR_RESPONSE;
    response->file_descriptor_response = files;
}

static void answer_extensions(Arena *arena, Response *response, const char *type)
{
    Grpc__Reflection__V1__ExtensionNumberResponse *numbers;

    if (!descriptors_has_message(type)) {
        answer_not_found(arena, response, "such message type");
        return;
    }
    numbers = message_new(arena, &grpc__reflection__v1__extension_number_response__descriptor);
    numbers->base_type_name = arena_text(arena, type);
    numbers->n_extension_number = descriptors_extensions(arena, type, &numbers->extension_number);
    response->message_response_case =
        GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__MESSAGE_RESPONSE_ALL_EXTENSION_NUMBERS_RESPONSE;
    response->all_extension_numbers_response = numbers;
}

static void answer_services(Arena *arena, Response *response, const char *const *names)
{
    Grpc__Reflection__V1__ListServiceResponse *list =
        message_new(arena, &grpc__reflection__v1__list_service_response__descriptor);

    while (names[list->n_service])
        list->n_service++;
    list->service = arena_array(arena, list->n_service, sizeof(*list->service));
    for (size_t i = 0; i < list->n_service; i++) {
        list->service[i] = message_new(arena, &grpc__reflection__v1__service_response__descriptor);
        list->service[i]->name = (char *)(uintptr_t)names[i];
    }
    response->message_response_case =
        GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__MESSAGE_RESPONSE_LIST_SERVICES_RESPONSE;
    response->list_services_response = list;
}

static void answer(Arena *arena, Response *response, Request *request, const char *const *services)
{
    response->valid_host = request->host;
    response->original_request = request;
    switch (request->message_request_case) {
    case GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_FILE_BY_FILENAME:
        answer_file(
            arena, response, descriptors_file_named(request->file_by_filename), "such file");
        break;
    case GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_FILE_CONTAINING_SYMBOL:
        answer_file(arena, response, descriptors_file_of_symbol(request->file_containing_symbol),
            "such symbol");
        break;
    case GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_FILE_CONTAINING_EXTENSION:
        answer_file(arena, response,
            descriptors_file_of_extension(request->file_containing_extension->containing_type,
                request->file_containing_extension->extension_number),
            "such extension");
        break;
    case GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_ALL_EXTENSION_NUMBERS_OF_TYPE:
        answer_extensions(arena, response, request->all_extension_numbers_of_type);
        break;
    case GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_LIST_SERVICES:
        answer_services(arena, response, services);
        break;
    default:
        answer_not_found(arena, response, "question in this request");
        break;
    }
}

static const Error *answer_all(RpcCall *call)
{
    const RpcMethod *method = call->exchange->method->method;
    const char *const *services = call->exchange->server->service_names;
    Arena *scratch = arena_new();
    const Error *error;
    void *question;

    while (!(error = rpc_receive(call, &question)) && question) {
        Response *response =
            message_new(scratch, &grpc__reflection__v1__server_reflection_response__descriptor);
        Request *request =
            message_unpack(scratch, &grpc__reflection__v1__server_reflection_request__descriptor,
                message_pack(scratch, question));

        answer(scratch, response, request, services);
        if ((error = rpc_send(
                 call, message_unpack(scratch, method->output, message_pack(scratch, response)))))
            break;
        arena_reset(scratch);
        rpc_recycle(call);
    }
    arena_free(scratch);
    return error;
}

static const Error *server_reflection_info(RpcCall *call, const void *request, void *reply)
{
    _Atomic int *streams = &call->exchange->server->reflection_streams;
    const Error *error = &too_many_streams;

    (void)request, (void)reply;
    if (atomic_fetch_add(streams, 1) < REFLECTION_MAX_STREAMS)
        error = answer_all(call);
    atomic_fetch_sub(streams, 1);
    return error;
}

const RpcService reflection_rpcs = GRPC__REFLECTION__V1__SERVER_REFLECTION__INIT();
const RpcService reflection_alpha_rpcs = GRPC__REFLECTION__V1ALPHA__SERVER_REFLECTION__INIT();
