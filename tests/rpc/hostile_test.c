/* Bytes that no honest client sends. After each the server still answers. */
#include "shared/codec/message.h"
#include "tests/rpc/echo_fixture.h"
#include "tests/support/test_main.h"

#include <stdlib.h>
#include <string.h>

static Echo *echo;

static void start(void)
{
    echo = echo_start(NULL);
}

/* Every test ends with an honest call. */
static void stop(void)
{
    EchoSlowlyResponse *reply;

    CHECK_TEXT(error_reason(echo_slowly(echo, "alive", 0, &reply)), "OK");
    echo_stop(echo);
}

static const Error *send_bytes(const void *bytes, size_t size)
{
    return raw_unary(echo->client, echo->arena, ECHO_PATH "EchoSlowly", echo_pairs(echo),
        (Bytes){ bytes, size }, NULL);
}

static void a_cut_message_is_malformed(void)
{
    const char *const cut[] = { "\x0a",
        ("\x0a\x05"
         "abc"),
        "\x12\x02\x08", "\x18", "\x18\xff", "\x18\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
        "\x0a\xff\xff\xff\xff\x0f", "\x00", "\x07\x01", "\x0b" };

    for (size_t i = 0; i < COUNT(cut); i++) {
        const Error *error = send_bytes(cut[i], strlen(cut[i]) + (*cut[i] == '\0'));

        CHECK_INT(error ? (int)error->code : 0, ERROR_INVALID_ARGUMENT);
        CHECK_TEXT(error_reason(error), "MESSAGE_MALFORMED");
    }
}

static void the_wrong_wire_type_is_malformed(void)
{
    CHECK_TEXT(error_reason(send_bytes("\x08\x01", 2)), "MESSAGE_MALFORMED");
    CHECK_TEXT(error_reason(send_bytes("\x1a\x01x", 3)), "MESSAGE_MALFORMED");
}

static void text_that_is_not_utf8_is_named(void)
{
    const Error *error = send_bytes("\x0a\x02\xc3\x28\x2a\x01\xff", 7);

    CHECK_TEXT(error_reason(error), "FIELD_INVALID");
    CHECK_INT(error->n_violations, 2);
    CHECK_TEXT(error->violations[0].field, "text");
    CHECK_TEXT(error->violations[1].field, "items[0]");
}

static void text_with_nul_is_named(void)
{
    const Error *error = send_bytes("\x0a\x05"
                                    "ab\0cd",
        7);

    CHECK_TEXT(error_reason(error), "FIELD_INVALID");
    CHECK_TEXT(error->violations[0].field, "text");
}

/* A message inside a message, so often, each with its length in front. */
static Bytes nested(int depth)
{
    uint8_t *end = (uint8_t *)arena_alloc(echo->arena, 200000) + 200000;
    uint8_t *at = end;

    for (int i = 0; i < depth; i++) {
        size_t size = (size_t)(end - at);
        uint8_t prefix[8];
        int n = 0;

        prefix[n++] = 0x22; /* EchoSlowlyRequest.inner */
        do
            prefix[n++] = (uint8_t)((size & 0x7f) | (size > 0x7f ? 0x80 : 0));
        while ((size >>= 7));
        at -= n;
        memcpy(at, prefix, (size_t)n);
    }
    return (Bytes){ at, (size_t)(end - at) };
}

static void deep_nesting_is_refused(void)
{
    Bytes deep = nested(16000);
    Bytes fine = nested(60);

    CHECK_TEXT(error_reason(send_bytes(deep.data, deep.size)), "MESSAGE_TOO_DEEP");
    CHECK_TEXT(error_reason(send_bytes(fine.data, fine.size)), "OK");
}

static void a_million_items_are_refused(void)
{
    size_t size = 2 * 1000000;
    uint8_t *bytes = malloc(size);

    for (size_t i = 0; i < size; i += 2) {
        bytes[i] = 0x2a; /* an empty text in items */
        bytes[i + 1] = 0;
    }
    CHECK_TEXT(error_reason(send_bytes(bytes, size)), "MESSAGE_TOO_MANY_ITEMS");
    CHECK_TEXT(error_reason(send_bytes(bytes, 2 * 10000)), "OK");
    free(bytes);
}

static void unknown_fields_are_bounded(void)
{
    uint8_t bytes[3 * 2000];

    for (size_t i = 0; i < sizeof(bytes); i += 3) {
        bytes[i] = 0xf8; /* field 1023, varint */
        bytes[i + 1] = 0x3f;
        bytes[i + 2] = 1;
    }
    CHECK_TEXT(error_reason(send_bytes(bytes, 3 * 900)), "OK");
    CHECK_INT(send_bytes(bytes, sizeof(bytes))->code, ERROR_INVALID_ARGUMENT);
}

/* Whatever they are, they are answered, and with nothing but success or the caller's fault. */
static void random_bytes_are_answered(void)
{
    unsigned seed = 20261;

    for (int i = 0; i < 2000; i++) {
        uint8_t bytes[8];
        size_t size = (size_t)(rand_r(&seed) % 8);
        const Error *error;

        for (size_t b = 0; b < size; b++)
            bytes[b] = (uint8_t)rand_r(&seed);
        error = raw_unary(echo->client, echo->arena, ECHO_PATH "EchoMany", echo_pairs(echo),
            (Bytes){ bytes, size }, NULL);
        if (error && error->code != ERROR_INVALID_ARGUMENT)
            CHECK_TEXT(error->reason, "OK or INVALID_ARGUMENT");
    }
}

static void strange_metadata_is_survived(void)
{
    const RawPair pairs[] = { { "authorization", "" }, { "traceparent", "00-" },
        { "throughline-channel", "twice" }, { "throughline-channel", "twice" },
        { "grpc-trace-bin", "x" }, { "throughline-unknown", "?" }, { "x-bin", "abc" }, { 0 } };

    CHECK_TEXT(error_reason(raw_unary(
                   echo->client, echo->arena, ECHO_PATH "Echo", pairs, (Bytes){ 0 }, NULL)),
        "TOKEN_MISSING");
}

static const char *with_pairs(const RawPair *pairs)
{
    EchoRequest request = THROUGHLINE__ECHO__V1__ECHO_REQUEST__INIT;
    EchoResponse *reply;

    return error_reason(echo_call(echo, ECHO_PATH "Echo", pairs, &request,
        &throughline__echo__v1__echo_response__descriptor, &reply));
}

static void who_comes_with_two_tokens_is_nobody(void)
{
    const char *one = arena_printf(echo->arena, "Bearer %s", echo_token(echo, "*", "web"));
    const char *other = arena_printf(echo->arena, "Bearer %s", echo_token(echo, "*", "store"));

    CHECK_TEXT(with_pairs((const RawPair[]){
                   { "authorization", one }, { "authorization", other }, { 0 } }),
        "METADATA_REPEATED");
    CHECK_TEXT(
        with_pairs((const RawPair[]){ { "authorization", one }, { "throughline-actor", "agents/a" },
            { "throughline-actor", "agents/b" }, { 0 } }),
        "METADATA_REPEATED");
    CHECK_TEXT(
        with_pairs((const RawPair[]){ { "authorization", one }, { "authorization", one }, { 0 } }),
        "OK");
}

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        { "a cut message is malformed", a_cut_message_is_malformed },
        { "the wrong wire type is malformed", the_wrong_wire_type_is_malformed },
        { "text that is not UTF-8 is named", text_that_is_not_utf8_is_named },
        { "text with NUL is named", text_with_nul_is_named },
        { "deep nesting is refused", deep_nesting_is_refused },
        { "a million items are refused", a_million_items_are_refused },
        { "unknown fields are bounded", unknown_fields_are_bounded },
        { "random bytes are answered", random_bytes_are_answered },
        { "strange metadata is survived", strange_metadata_is_survived },
        { "who comes with two tokens is nobody", who_comes_with_two_tokens_is_nobody },
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        { .pName = "hostile bytes", .pSetUpFunc = start, .pTearDownFunc = stop, .pTests = tests },
        CU_SUITE_INFO_NULL,
    };

    return test_main("rpc_hostile_test", suites, argc, argv);
}
