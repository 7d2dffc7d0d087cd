/* Reflection as grpcurl and Postman use it, in both versions: their messages are the same on the
 * wire. */
#include "shared/codec/message.h"
#include "shared/rpc/methods.h"
#include "tests/rpc/echo_fixture.h"
#include "tests/support/test_main.h"

#include "google/protobuf/descriptor.pb-c.h"
#include "grpc/reflection/v1/reflection.pb-c.h"

#include <string.h>

typedef Grpc__Reflection__V1__ServerReflectionRequest Request;
typedef Grpc__Reflection__V1__ServerReflectionResponse Response;
typedef Google__Protobuf__FileDescriptorProto File;

static const char *const versions[] = { "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
    "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo" };

enum {
    BY_NAME = GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_FILE_BY_FILENAME,
    BY_SYMBOL =
        GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_FILE_CONTAINING_SYMBOL,
    BY_EXTENSION =
        GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_FILE_CONTAINING_EXTENSION,
    EXTENSIONS =
        GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_ALL_EXTENSION_NUMBERS_OF_TYPE,
    SERVICES = GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_LIST_SERVICES,
};

static Echo *echo;

static void start(void)
{
    echo = echo_start(NULL);
}

static void stop(void)
{
    echo_stop(echo);
}

static Response *put(RawCall *call, Request *request)
{
    if (!raw_send(call, message_pack(echo->arena, request)))
        return NULL;
    return echo_next(echo, call, &grpc__reflection__v1__server_reflection_response__descriptor);
}

static Response *ask(RawCall *call, int kind, const char *text)
{
    Request request = GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__INIT;

    request.message_request_case =
        (Grpc__Reflection__V1__ServerReflectionRequest__MessageRequestCase)kind;
    request.file_by_filename = (char *)(uintptr_t)text; /* all texts share one place */
    return put(call, &request);
}

static Response *ask_extension(RawCall *call, const char *type, int number)
{
    Grpc__Reflection__V1__ExtensionRequest extension =
        GRPC__REFLECTION__V1__EXTENSION_REQUEST__INIT;
    Request request = GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__INIT;

    extension.containing_type = (char *)(uintptr_t)type;
    extension.extension_number = number;
    request.message_request_case =
        (Grpc__Reflection__V1__ServerReflectionRequest__MessageRequestCase)BY_EXTENSION;
    request.file_containing_extension = &extension;
    return put(call, &request);
}

static RawCall *open_stream(int version)
{
    return raw_start(echo->client, versions[version], NULL, 20000);
}

static File *file_in(const Response *response, size_t i)
{
    ProtobufCBinaryData bytes = response->file_descriptor_response->file_descriptor_proto[i];

    return message_unpack(echo->arena, &google__protobuf__file_descriptor_proto__descriptor,
        (Bytes){ bytes.data, bytes.len });
}

static bool has_files(const Response *response)
{
    return response &&
           response->message_response_case ==
               GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__MESSAGE_RESPONSE_FILE_DESCRIPTOR_RESPONSE;
}

/* Whether every import of every file of the answer is in the answer. */
static bool is_closed(const Response *response)
{
    size_t n = response->file_descriptor_response->n_file_descriptor_proto;
    File *files[64];

    for (size_t i = 0; i < n; i++)
        files[i] = file_in(response, i);
    for (size_t i = 0; i < n; i++) {
        for (size_t d = 0; d < files[i]->n_dependency; d++) {
            size_t found = 0;

            for (size_t f = 0; f < n; f++)
                found += text_equal(files[f]->name, files[i]->dependency[d]);
            if (found != 1)
                return false;
        }
    }
    return true;
}

static void every_service_can_be_found_with_all_it_needs(void)
{
    for (int version = 0; version < 2; version++) {
        RawCall *call = open_stream(version);
        Response *list = ask(call, SERVICES, "");

        CU_ASSERT_FATAL(list && list->list_services_response);
        CHECK_INT(list->list_services_response->n_service, 4);
        for (size_t i = 0; i < list->list_services_response->n_service; i++) {
            Response *files = ask(call, BY_SYMBOL, list->list_services_response->service[i]->name);

            CU_ASSERT_FATAL(has_files(files));
            CU_ASSERT(is_closed(files));
        }
        raw_finish_sending(call);
        CHECK_TEXT(error_reason(raw_status(call)), "OK");
        raw_free(call);
    }
}

static void the_echo_service_has_its_methods(void)
{
    RawCall *call = open_stream(0);
    Response *response = ask(call, BY_SYMBOL, "throughline.echo.v1.EchoService");
    File *file;

    CU_ASSERT_FATAL(has_files(response));
    file = file_in(response, 0);
    CHECK_TEXT(file->name, "throughline/echo/v1/echo.proto");
    CHECK_INT(file->n_service, 1);
    CHECK_INT(file->service[0]->n_method, 6);
    CU_ASSERT(file->service[0]->method[2]->server_streaming);
    raw_free(call);
}

static void symbols_of_every_kind_are_found(void)
{
    const char *const symbols[] = { "throughline.echo.v1.EchoService.Echo",
        "throughline.echo.v1.EchoRequest", "throughline.echo.v1.EchoRequest.payload",
        "grpc.health.v1.HealthCheckResponse.ServingStatus",
        "grpc.health.v1.HealthCheckResponse.SERVING", "google.rpc.BadRequest.FieldViolation",
        "google.rpc.BadRequest.FieldViolation.field",
        "grpc.reflection.v1.ServerReflectionRequest.message_request", "throughline.api.v1.policy",
        "google.protobuf.Duration" };
    const char *const others[] = { "", ".", "throughline", "throughline.echo.v1",
        "throughline.echo.v1.", "throughline.echo.v1.Echo", "throughline.echo.v1.EchoServic",
        "throughline.echo.v1.EchoService.", "throughline.echo.v1.EchoRequest.payload.x",
        "google.rpc.BadRequest.FieldViolation.", "EchoRequest" };
    RawCall *call = open_stream(0);

    for (size_t i = 0; i < COUNT(symbols); i++)
        if (!has_files(ask(call, BY_SYMBOL, symbols[i])))
            CHECK_TEXT(symbols[i], "found");
    for (size_t i = 0; i < COUNT(others); i++)
        if (has_files(ask(call, BY_SYMBOL, others[i])))
            CHECK_TEXT(others[i], "not found");
    raw_free(call);
}

static void files_and_extensions_are_found(void)
{
    RawCall *call = open_stream(1);
    Response *response = ask(call, BY_NAME, "throughline/echo/v1/echo.proto");

    CU_ASSERT(has_files(response) && is_closed(response));
    response = ask_extension(call, "google.protobuf.MethodOptions", 50001);
    CU_ASSERT_FATAL(has_files(response));
    CHECK_TEXT(file_in(response, 0)->name, "throughline/api/v1/options.proto");
    response = ask(call, EXTENSIONS, "google.protobuf.MethodOptions");
    CU_ASSERT_FATAL(response && response->all_extension_numbers_response);
    CHECK_INT(response->all_extension_numbers_response->n_extension_number, 1);
    CHECK_INT(response->all_extension_numbers_response->extension_number[0], 50001);
    raw_free(call);
}

static void what_is_not_there_is_answered_and_the_stream_goes_on(void)
{
    RawCall *call = open_stream(0);
    Response *response = ask(call, BY_NAME, "no/such.proto");

    CU_ASSERT_FATAL(response && response->error_response);
    CHECK_INT(response->error_response->error_code, ERROR_NOT_FOUND);
    CHECK_TEXT(response->original_request->file_by_filename, "no/such.proto");
    CU_ASSERT_FALSE(has_files(ask_extension(call, "google.protobuf.MethodOptions", 1)));
    CU_ASSERT_FALSE(has_files(ask(call, EXTENSIONS, "no.such.Type")));
    CU_ASSERT_FALSE(has_files(ask(call, 0, "")));
    CU_ASSERT(has_files(ask(call, BY_NAME, "google/protobuf/any.proto")));
    raw_free(call);
}

static void there_is_an_end_to_streams(void)
{
    enum { LIMIT = 8 };
    RawCall *calls[LIMIT + 1];

    for (int i = 0; i <= LIMIT; i++) {
        calls[i] = open_stream(i % 2);
        if (i < LIMIT)
            CU_ASSERT(ask(calls[i], SERVICES, "") != NULL);
    }

    CHECK_TEXT(error_reason(raw_status(calls[LIMIT])), "TOO_MANY_STREAMS");
    for (int i = 0; i <= LIMIT; i++)
        raw_free(calls[i]);
}

static void the_method_table_knows_kinds_and_policies(void)
{
    const RpcMethod *const *found;
    const RpcMethod *many = rpc_method_find("throughline.echo.v1.EchoService/EchoMany");
    const RpcMethod *each = rpc_method_find("/throughline.echo.v1.EchoService/EchoEach");
    const RpcMethod *context = rpc_method_find("throughline.echo.v1.EchoService/EchoContext");
    const RpcMethod *plain = rpc_method_find("throughline.echo.v1.EchoService/Echo");

    CU_ASSERT_FATAL(many && each && context && plain);
    CU_ASSERT(!many->client_streams && many->server_streams);
    CU_ASSERT(each->client_streams && each->server_streams);
    CU_ASSERT(context->policy.is_mutation && !context->policy.is_inline);
    CHECK_TEXT(context->policy.scope, "echo.write");
    CU_ASSERT(plain->policy.is_inline && plain->policy.is_idempotent);
    CU_ASSERT_PTR_EQUAL(plain->input, &throughline__echo__v1__echo_request__descriptor);
    CU_ASSERT_PTR_NULL(rpc_method_find("throughline.echo.v1.EchoService/Nothing"));
    CU_ASSERT_PTR_NULL(rpc_method_find(""));
    CU_ASSERT(rpc_methods_of(echo->arena, "echo", &found) >= 6);
    for (size_t i = 0; i < rpc_methods_of(echo->arena, "echo", &found); i++)
        CU_ASSERT(text_starts_with(found[i]->service, "throughline.echo.v1."));
    CHECK_INT(rpc_methods_of(echo->arena, "throughline.echo.v1.EchoService", &found), 6);
    CHECK_INT(rpc_methods_of(echo->arena, "ech", &found), 0);
}

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        { "every service can be found with all it needs",
            every_service_can_be_found_with_all_it_needs },
        { "the echo service has its methods", the_echo_service_has_its_methods },
        { "symbols of every kind are found", symbols_of_every_kind_are_found },
        { "files and extensions are found", files_and_extensions_are_found },
        { "what is not there is answered and the stream goes on",
            what_is_not_there_is_answered_and_the_stream_goes_on },
        { "there is an end to streams", there_is_an_end_to_streams },
        { "the method table knows kinds and policies", the_method_table_knows_kinds_and_policies },
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        { .pName = "reflection", .pSetUpFunc = start, .pTearDownFunc = stop, .pTests = tests },
        CU_SUITE_INFO_NULL,
    };

    return test_main("rpc_reflection_test", suites, argc, argv);
}
