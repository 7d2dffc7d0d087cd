/* gRPC's interoperability cases over gRPC core: interop_client PORT CASE… says "ok CASE" or
 * "FAILED CASE: why" for each. */
#include "shared/codec/message.h"
#include "tests/rpc/raw_client.h"

#include "grpc/testing/test.pb-c.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef Grpc__Testing__SimpleRequest SimpleRequest;
typedef Grpc__Testing__SimpleResponse SimpleResponse;
typedef Grpc__Testing__StreamingInputCallRequest InputRequest;
typedef Grpc__Testing__StreamingInputCallResponse InputResponse;
typedef Grpc__Testing__StreamingOutputCallRequest OutputRequest;
typedef Grpc__Testing__StreamingOutputCallResponse OutputResponse;
typedef Grpc__Testing__ResponseParameters ResponseParameters;
typedef Grpc__Testing__Payload Payload;
typedef Grpc__Testing__BoolValue BoolValue;

#define SERVICE "/grpc.testing.TestService/"

enum {
    TIMEOUT_MS = 20000,
    TOO_SHORT_MS = 1,
    LARGE_REQUEST = 271828,
    LARGE_RESPONSE = 314159,
    MAX_ANSWERS = 4,
};

static const uint8_t zeros[LARGE_REQUEST];
static const int32_t request_sizes[] = { 27182, 8, 1828, 45904 };
static const int32_t response_sizes[] = { 31415, 9, 2653, 58979 };

/* What a case works with. `expect` notes the first thing that was not as it should be. */
static struct {
    Arena *arena;
    RawClient *client;
    RawClient *compressing; /* sends gzip */
    RawClient *verbatim;    /* hands over what came, in gzip or not */
    const char *failure;
} here;

static void expect(bool is_so, const char *what)
{
    if (!is_so && !here.failure)
        here.failure = what;
}

static void expect_status(RawCall *call, int code)
{
    const Error *error = raw_status(call);
    int got = error ? (int)error->code : 0;

    if (got != code && !here.failure)
        here.failure = arena_printf(
            here.arena, "status %d instead of %d: %s", got, code, error ? error->message : "");
}

static Payload *payload(int32_t size)
{
    Payload *made = arena_alloc(here.arena, sizeof(*made));

    grpc__testing__payload__init(made);
    made->body = (ProtobufCBinaryData){ (size_t)size, (uint8_t *)(uintptr_t)zeros };
    return made;
}

static BoolValue *truth(bool value)
{
    BoolValue *made = arena_alloc(here.arena, sizeof(*made));

    grpc__testing__bool_value__init(made);
    made->value = value;
    return made;
}

static Bytes pack(const void *message)
{
    return message_pack(here.arena, message);
}

static bool is_zeros(const Payload *got, size_t size)
{
    if (!got || got->body.len != size)
        return false;
    for (size_t i = 0; i < size; i++)
        if (got->body.data[i])
            return false;
    return true;
}

static void expect_payload(const ProtobufCMessageDescriptor *type, Bytes message, int32_t size)
{
    /* Both kinds of answers have a payload first and nothing else. */
    const OutputResponse *response = message_unpack(here.arena, type, message);

    expect(response && is_zeros(response->payload, (size_t)size), "another payload than asked for");
}

static RawCall *start(RawClient *client, const char *path, const RawPair *pairs, Bytes request)
{
    RawCall *call = raw_start(client, path, pairs, TIMEOUT_MS);

    raw_send(call, request);
    raw_finish_sending(call);
    return call;
}

static OutputRequest *output_request(
    const int32_t *sizes, size_t n_sizes, int32_t request_size, const bool *compressed)
{
    OutputRequest *request = arena_alloc(here.arena, sizeof(*request));

    grpc__testing__streaming_output_call_request__init(request);
    request->response_parameters = arena_array(here.arena, n_sizes, sizeof(ResponseParameters *));
    request->n_response_parameters = n_sizes;
    for (size_t i = 0; i < n_sizes; i++) {
        ResponseParameters *one = arena_alloc(here.arena, sizeof(*one));

        grpc__testing__response_parameters__init(one);
        one->size = sizes[i];
        one->compressed = compressed ? truth(compressed[i]) : NULL;
        request->response_parameters[i] = one;
    }
    if (request_size)
        request->payload = payload(request_size);
    return request;
}

static void expect_output(RawCall *call, int32_t size)
{
    Bytes message;
    bool has_come = raw_receive(call, &message);

    expect(has_come, "an answer is missing");
    if (has_come)
        expect_payload(&grpc__testing__streaming_output_call_response__descriptor, message, size);
}

static void empty_unary(void)
{
    RawCall *call = start(here.client, SERVICE "EmptyCall", NULL, (Bytes){ 0 });
    Bytes message;

    expect(raw_receive(call, &message) && message.size == 0, "no empty answer");
    expect_status(call, 0);
    raw_free(call);
}

static void unary_of(RawClient *client, const SimpleRequest *request, int code)
{
    RawCall *call = start(client, SERVICE "UnaryCall", NULL, pack(request));
    Bytes message;

    if (code == 0) {
        expect(raw_receive(call, &message), "no answer");
        if (!here.failure)
            expect_payload(
                &grpc__testing__simple_response__descriptor, message, request->response_size);
    }
    expect_status(call, code);
    raw_free(call);
}

static SimpleRequest large_request(void)
{
    SimpleRequest request = GRPC__TESTING__SIMPLE_REQUEST__INIT;

    request.response_size = LARGE_RESPONSE;
    request.payload = payload(LARGE_REQUEST);
    return request;
}

static void large_unary(void)
{
    SimpleRequest request = large_request();

    unary_of(here.client, &request, 0);
}

static void client_compressed_unary(void)
{
    SimpleRequest request = large_request();

    request.expect_compressed = truth(true);
    unary_of(here.client, &request, ERROR_INVALID_ARGUMENT);
    unary_of(here.compressing, &request, 0);
    request.expect_compressed = truth(false);
    unary_of(here.client, &request, 0);
}

static bool is_gzip(Bytes message)
{
    return message.size > 2 && message.data[0] == 0x1f && message.data[1] == 0x8b;
}

static void expect_gzip(RawCall *call, bool is_wanted)
{
    Bytes message;

    expect(raw_receive(call, &message), "no answer");
    if (!here.failure)
        expect(is_gzip(message) == is_wanted, is_wanted ? "not compressed" : "compressed");
}

static void server_compressed_unary(void)
{
    for (int i = 0; i < 2; i++) {
        SimpleRequest request = large_request();
        RawCall *call;

        request.response_compressed = truth(i == 0);
        unary_of(here.client, &request, 0);
        call = start(here.verbatim, SERVICE "UnaryCall", NULL, pack(&request));
        expect_gzip(call, i == 0);
        expect_status(call, 0);
        raw_free(call);
    }
}

static Bytes input_request(int32_t size, const BoolValue *expect_compressed)
{
    InputRequest request = GRPC__TESTING__STREAMING_INPUT_CALL_REQUEST__INIT;

    request.payload = payload(size);
    request.expect_compressed = (BoolValue *)(uintptr_t)expect_compressed;
    return pack(&request);
}

static void expect_sum(RawCall *call, int32_t sum)
{
    const InputResponse *response = NULL;
    Bytes message;

    raw_finish_sending(call);
    if (raw_receive(call, &message))
        response = message_unpack(
            here.arena, &grpc__testing__streaming_input_call_response__descriptor, message);
    expect(response && response->aggregated_payload_size == sum, "another sum");
    expect_status(call, 0);
    raw_free(call);
}

static void client_streaming(void)
{
    RawCall *call = raw_start(here.client, SERVICE "StreamingInputCall", NULL, TIMEOUT_MS);

    for (size_t i = 0; i < COUNT(request_sizes); i++)
        raw_send(call, input_request(request_sizes[i], NULL));
    expect_sum(call, 74922);
}

static void client_compressed_streaming(void)
{
    RawCall *call = raw_start(here.client, SERVICE "StreamingInputCall", NULL, TIMEOUT_MS);

    raw_send(call, input_request(27182, truth(true)));
    expect_status(call, ERROR_INVALID_ARGUMENT);
    raw_free(call);

    call = raw_start(here.compressing, SERVICE "StreamingInputCall", NULL, TIMEOUT_MS);
    raw_send(call, input_request(27182, truth(true)));
    raw_send_plain(call, input_request(45904, truth(false)));
    expect_sum(call, 73086);
}

static void server_streaming(void)
{
    RawCall *call = start(here.client, SERVICE "StreamingOutputCall", NULL,
        pack(output_request(response_sizes, MAX_ANSWERS, 0, NULL)));
    Bytes message;

    for (size_t i = 0; i < COUNT(response_sizes); i++)
        expect_output(call, response_sizes[i]);
    expect(!raw_receive(call, &message), "an answer too many");
    expect_status(call, 0);
    raw_free(call);
}

static void server_compressed_streaming(void)
{
    static const int32_t sizes[] = { 31415, 92653 };
    static const bool compressed[] = { true, false };
    Bytes request = pack(output_request(sizes, COUNT(sizes), 0, compressed));
    RawCall *call = start(here.client, SERVICE "StreamingOutputCall", NULL, request);

    for (size_t i = 0; i < COUNT(sizes); i++)
        expect_output(call, sizes[i]);
    expect_status(call, 0);
    raw_free(call);

    call = start(here.verbatim, SERVICE "StreamingOutputCall", NULL, request);
    for (size_t i = 0; i < COUNT(sizes); i++)
        expect_gzip(call, compressed[i]);
    expect_status(call, 0);
    raw_free(call);
}

static void ping_pong(void)
{
    RawCall *call = raw_start(here.client, SERVICE "FullDuplexCall", NULL, TIMEOUT_MS);

    for (size_t i = 0; i < COUNT(response_sizes); i++) {
        raw_send(call, pack(output_request(&response_sizes[i], 1, request_sizes[i], NULL)));
        expect_output(call, response_sizes[i]);
    }
    raw_finish_sending(call);
    expect_status(call, 0);
    raw_free(call);
}

static void empty_stream(void)
{
    RawCall *call = raw_start(here.client, SERVICE "FullDuplexCall", NULL, TIMEOUT_MS);
    Bytes message;

    raw_finish_sending(call);
    expect(!raw_receive(call, &message), "an answer to nothing");
    expect_status(call, 0);
    raw_free(call);
}

static void expect_echo(const RawCall *call)
{
    static const char initial[] = "test_initial_metadata_value";
    Bytes first = raw_metadata(call, false, "x-grpc-test-echo-initial");
    Bytes last = raw_metadata(call, true, "x-grpc-test-echo-trailing-bin");

    expect(first.size == strlen(initial) && !memcmp(first.data, initial, first.size),
        "the initial metadata do not come back");
    expect(last.size == 3 && !memcmp(last.data, "\xab\xab\xab", 3),
        "the trailing metadata do not come back");
}

static void custom_metadata(void)
{
    static const RawPair pairs[] = {
        { "x-grpc-test-echo-initial", "test_initial_metadata_value" },
        { "x-grpc-test-echo-trailing-bin", "\xab\xab\xab" },
        { 0 },
    };
    SimpleRequest request = large_request();
    RawCall *call = start(here.client, SERVICE "UnaryCall", pairs, pack(&request));

    expect_status(call, 0);
    expect_echo(call);
    raw_free(call);

    call = start(here.client, SERVICE "FullDuplexCall", pairs,
        pack(output_request(response_sizes, 1, LARGE_REQUEST, NULL)));
    expect_status(call, 0);
    expect_echo(call);
    raw_free(call);
}

static void expect_text(RawCall *call, const char *text)
{
    const Error *error = raw_status(call);

    expect(error && error->code == ERROR_UNKNOWN && text_equal(error->message, text),
        "another status or message than asked for");
    raw_free(call);
}

static Grpc__Testing__EchoStatus *unknown_status(const char *text)
{
    Grpc__Testing__EchoStatus *status = arena_alloc(here.arena, sizeof(*status));

    grpc__testing__echo_status__init(status);
    status->code = ERROR_UNKNOWN;
    status->message = arena_text(here.arena, text);
    return status;
}

static void unary_status(const char *text)
{
    SimpleRequest request = GRPC__TESTING__SIMPLE_REQUEST__INIT;

    request.response_status = unknown_status(text);
    expect_text(start(here.client, SERVICE "UnaryCall", NULL, pack(&request)), text);
}

static void status_code_and_message(void)
{
    OutputRequest *request = output_request(NULL, 0, 0, NULL);

    unary_status("test status message");
    request->response_status = unknown_status("test status message");
    expect_text(
        start(here.client, SERVICE "FullDuplexCall", NULL, pack(request)), "test status message");
}

static void special_status_message(void)
{
    unary_status("\t\ntest with whitespace\r\nand Unicode BMP ☺ and non-BMP 😈\t\n");
}

static void expect_unimplemented(const char *path)
{
    RawCall *call = start(here.client, path, NULL, (Bytes){ 0 });

    expect_status(call, ERROR_UNIMPLEMENTED);
    raw_free(call);
}

static void unimplemented_method(void)
{
    expect_unimplemented(SERVICE "UnimplementedCall");
}

static void unimplemented_service(void)
{
    expect_unimplemented("/grpc.testing.UnimplementedService/UnimplementedCall");
}

static void cancel_after_begin(void)
{
    RawCall *call = raw_start(here.client, SERVICE "StreamingInputCall", NULL, TIMEOUT_MS);

    raw_cancel(call);
    expect_status(call, ERROR_CANCELLED);
    raw_free(call);
}

static void cancel_after_first_response(void)
{
    RawCall *call = raw_start(here.client, SERVICE "FullDuplexCall", NULL, TIMEOUT_MS);

    raw_send(call, pack(output_request(response_sizes, 1, 27182, NULL)));
    expect_output(call, response_sizes[0]);
    raw_cancel(call);
    expect_status(call, ERROR_CANCELLED);
    raw_free(call);
}

static void timeout_on_sleeping_server(void)
{
    RawCall *call = raw_start(here.client, SERVICE "FullDuplexCall", NULL, TOO_SHORT_MS);

    raw_send(call, pack(output_request(NULL, 0, 27182, NULL)));
    expect_status(call, ERROR_DEADLINE_EXCEEDED);
    raw_free(call);
}

static const struct {
    const char *name;
    void (*run)(void);
} cases[] = {
    { "empty_unary", empty_unary },
    { "large_unary", large_unary },
    { "client_compressed_unary", client_compressed_unary },
    { "server_compressed_unary", server_compressed_unary },
    { "client_streaming", client_streaming },
    { "client_compressed_streaming", client_compressed_streaming },
    { "server_streaming", server_streaming },
    { "server_compressed_streaming", server_compressed_streaming },
    { "ping_pong", ping_pong },
    { "empty_stream", empty_stream },
    { "custom_metadata", custom_metadata },
    { "status_code_and_message", status_code_and_message },
    { "special_status_message", special_status_message },
    { "unimplemented_method", unimplemented_method },
    { "unimplemented_service", unimplemented_service },
    { "cancel_after_begin", cancel_after_begin },
    { "cancel_after_first_response", cancel_after_first_response },
    { "timeout_on_sleeping_server", timeout_on_sleeping_server },
};

static void run_case(const char *name)
{
    here.failure = "there is no such case";
    for (size_t i = 0; i < COUNT(cases); i++) {
        if (!text_equal(cases[i].name, name))
            continue;
        here.failure = NULL;
        cases[i].run();
    }
    if (here.failure)
        printf("FAILED %s: %s\n", name, here.failure);
    else
        printf("ok %s\n", name);
    fflush(stdout);
    arena_reset(here.arena);
}

int main(int argc, char **argv)
{
    int port = argc > 1 ? atoi(argv[1]) : 0;

    here.arena = arena_new();
    here.client = raw_open(port);
    here.compressing = raw_open_with(&(RawOptions){ .port = port, .compresses = true });
    here.verbatim = raw_open_with(&(RawOptions){ .port = port, .keeps_compressed = true });
    for (int i = 2; i < argc; i++)
        run_case(argv[i]);
    raw_close(here.client);
    raw_close(here.compressing);
    raw_close(here.verbatim);
    arena_free(here.arena);
    return 0;
}
