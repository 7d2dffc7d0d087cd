/* What gRPC's interoperability cases ask of a server: sizes, statuses, metadata to echo, and
 * compression, each on request. */
#include "tests/interop/test_service.h"

#include "shared/base/clock.h"
#include "shared/rpc/check.h"

#include "grpc/testing/test.pb-c.h"

#include <string.h>

typedef Grpc__Testing__SimpleRequest SimpleRequest;
typedef Grpc__Testing__SimpleResponse SimpleResponse;
typedef Grpc__Testing__StreamingInputCallRequest InputRequest;
typedef Grpc__Testing__StreamingInputCallResponse InputResponse;
typedef Grpc__Testing__StreamingOutputCallRequest OutputRequest;
typedef Grpc__Testing__StreamingOutputCallResponse OutputResponse;
typedef Grpc__Testing__Payload Payload;
typedef Grpc__Testing__EchoStatus EchoStatus;
typedef Grpc__Testing__BoolValue BoolValue;

enum { MAX_PAYLOAD = 4 * 1024 * 1024, STEP_MS = 5, MAX_HELD = 100 };

static const Error not_compressed = { ERROR_INVALID_ARGUMENT, "NOT_COMPRESSED",
    "The request says that it is compressed, and is not." };
static const Error too_large = { ERROR_INVALID_ARGUMENT, "PAYLOAD_TOO_LARGE",
    "A payload has 0 to 4194304 bytes." };
static const Error too_many = { ERROR_RESOURCE_EXHAUSTED, "TOO_MANY_REQUESTS",
    "At most 100 requests are held until the last has come." };

static const uint8_t zeros[MAX_PAYLOAD];

static void echo_metadata(RpcCall *call)
{
    static const char initial[] = "x-grpc-test-echo-initial";
    static const char trailing[] = "x-grpc-test-echo-trailing-bin";
    Bytes value = rpc_metadata(call, initial);

    if (value.data)
        rpc_add_header(call, initial, value);
    value = rpc_metadata(call, trailing);
    if (value.data)
        rpc_add_trailer(call, trailing, value);
}

static const Error *check_compressed(const RpcCall *call, const BoolValue *expected)
{
    return expected && expected->value && !rpc_was_compressed(call) ? &not_compressed : NULL;
}

static const Error *as_asked(RpcCall *call, const EchoStatus *status)
{
    Error *error;

    if (!status || status->code == 0)
        return NULL;
    error = arena_alloc(call->arena, sizeof(*error));
    *error = (Error){ (ErrorCode)status->code, "AS_ASKED", status->message, .is_public = true };
    return error;
}

static const Error *fill(Payload *payload, int32_t size)
{
    if (size < 0 || size > MAX_PAYLOAD)
        return &too_large;
    payload->body = (ProtobufCBinaryData){ (size_t)size, (uint8_t *)(uintptr_t)zeros };
    return NULL;
}

static const Error *empty_call(RpcCall *call, const void *request, void *reply)
{
    (void)request, (void)reply;
    echo_metadata(call);
    return NULL;
}

static const Error *unary_call(RpcCall *call, const void *request, void *reply)
{
    const SimpleRequest *req = request;
    SimpleResponse *response = reply;
    const Error *error;

    echo_metadata(call);
    if ((error = check_compressed(call, req->expect_compressed)) ||
        (error = as_asked(call, req->response_status)))
        return error;
    if (req->response_compressed && req->response_compressed->value)
        rpc_compress(call, true);
    response->payload = arena_alloc(call->arena, sizeof(*response->payload));
    grpc__testing__payload__init(response->payload);
    return fill(response->payload, req->response_size);
}

/* Ends early when the call does. */
static void pause_for(const RpcCall *call, int32_t interval_us)
{
    int64_t end = clock_monotonic() + interval_us;

    while (clock_monotonic() < end && !rpc_should_stop(call))
        clock_sleep_ms(STEP_MS);
}

static const Error *answer(RpcCall *call, const OutputRequest *request)
{
    OutputResponse response = GRPC__TESTING__STREAMING_OUTPUT_CALL_RESPONSE__INIT;
    Payload payload = GRPC__TESTING__PAYLOAD__INIT;
    const Error *error = NULL;

    response.payload = &payload;
    for (size_t i = 0; !error && i < request->n_response_parameters; i++) {
        const Grpc__Testing__ResponseParameters *one = request->response_parameters[i];

        pause_for(call, one->interval_us);
        rpc_compress(call, one->compressed && one->compressed->value);
        if (!(error = fill(&payload, one->size)))
            error = rpc_send(call, &response);
    }
    return error ? error : as_asked(call, request->response_status);
}

static const Error *streaming_output_call(RpcCall *call, const void *request, void *reply)
{
    (void)reply;
    echo_metadata(call);
    return answer(call, request);
}

static const Error *streaming_input_call(RpcCall *call, const void *request, void *reply)
{
    InputResponse *response = reply;
    const Error *error;
    void *message;

    (void)request;
    echo_metadata(call);
    while (!(error = rpc_receive(call, &message)) && message) {
        const InputRequest *req = message;

        if ((error = check_compressed(call, req->expect_compressed)))
            return error;
        response->aggregated_payload_size += req->payload ? (int32_t)req->payload->body.len : 0;
        rpc_recycle(call);
    }
    return error;
}

static const Error *full_duplex_call(RpcCall *call, const void *request, void *reply)
{
    const Error *error;
    void *message;

    (void)request, (void)reply;
    echo_metadata(call);
    while (!(error = rpc_receive(call, &message)) && message) {
        if ((error = answer(call, message)))
            return error;
        rpc_recycle(call);
    }
    return error;
}

static const Error *half_duplex_call(RpcCall *call, const void *request, void *reply)
{
    const OutputRequest *held[MAX_HELD];
    size_t n_held = 0;
    const Error *error;
    void *message;

    (void)request, (void)reply;
    echo_metadata(call);
    while (!(error = rpc_receive(call, &message)) && message) {
        if (n_held == MAX_HELD)
            return &too_many;
        held[n_held++] = message;
    }
    for (size_t i = 0; !error && i < n_held; i++)
        error = answer(call, held[i]);
    return error;
}

const RpcService test_rpcs = GRPC__TESTING__TEST_SERVICE__INIT();
