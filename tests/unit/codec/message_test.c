/* Pack, unpack, copy, compare, and types by name. */
#include "shared/codec/message.h"

#include "google/rpc/error_details.pb-c.h"
#include "google/rpc/status.pb-c.h"
#include "tests/support/test_main.h"
#include "throughline/echo/v1/echo.pb-c.h"
#include "throughline/event/v1/event.pb-c.h"

#include <string.h>

typedef Throughline__Echo__V1__EchoSlowlyRequest EchoSlowlyRequest;
typedef Throughline__Event__V1__Position Position;

static Arena *arena;

static void set_up(void)
{
    arena = arena_new();
}

static void tear_down(void)
{
    arena_free(arena);
}

static EchoSlowlyRequest *a_request(void)
{
    static char *items[] = { "one", "two" };
    EchoSlowlyRequest *request =
        message_new(arena, &throughline__echo__v1__echo_slowly_request__descriptor);

    request->text = "hello";
    request->code = -5;
    request->n_items = 2;
    request->items = items;
    request->inner = message_new(arena, &throughline__echo__v1__echo_slowly_request__descriptor);
    request->inner->text = "inside";
    return request;
}

static void what_is_packed_is_unpacked_again(void)
{
    EchoSlowlyRequest *request = a_request();

    EchoSlowlyRequest *back =
        message_unpack(arena, request->base.descriptor, message_pack(arena, request));

    CU_ASSERT_PTR_NOT_NULL_FATAL(back);
    CHECK_TEXT(back->text, "hello");
    CHECK_INT(back->code, -5);
    CHECK_INT(back->n_items, 2);
    CHECK_TEXT(back->items[1], "two");
    CHECK_TEXT(back->inner->text, "inside");
    CU_ASSERT_PTR_NULL(back->inner->inner);
}

static void broken_bytes_do_not_unpack(void)
{
    static const uint8_t truncated[] = { 0x0a, 0x05, 'h', 'e' };

    void *message = message_unpack(arena, &throughline__echo__v1__echo_slowly_request__descriptor,
        (Bytes){ truncated, sizeof(truncated) });

    CU_ASSERT_PTR_NULL(message);
}

static void an_empty_message_has_no_bytes(void)
{
    Position position = THROUGHLINE__EVENT__V1__POSITION__INIT;

    CHECK_INT(message_pack(arena, &position).size, 0);
    CU_ASSERT_PTR_NOT_NULL(message_unpack(arena, position.base.descriptor, (Bytes){ NULL, 0 }));
}

static void a_copy_shares_nothing(void)
{
    EchoSlowlyRequest *request = a_request();

    EchoSlowlyRequest *copy = message_copy(arena, request);

    CU_ASSERT_TRUE(message_equal(request, copy));
    CU_ASSERT_PTR_NOT_EQUAL(copy->inner, request->inner);
    copy->inner->text = "changed";
    CHECK_TEXT(request->inner->text, "inside");
    CU_ASSERT_FALSE(message_equal(request, copy));
}

static void messages_of_different_types_are_not_equal(void)
{
    Position position = THROUGHLINE__EVENT__V1__POSITION__INIT;
    Google__Rpc__Status status = GOOGLE__RPC__STATUS__INIT;

    CU_ASSERT_FALSE(message_equal(&position, &status));
}

static void types_are_found_by_their_full_name(void)
{
    CU_ASSERT_PTR_EQUAL(
        message_find("throughline.event.v1.Event"), &throughline__event__v1__event__descriptor);
    CU_ASSERT_PTR_NOT_NULL(message_find("google.protobuf.Timestamp"));
    CU_ASSERT_PTR_NULL(message_find("throughline.event.v1.Nothing"));
    CU_ASSERT_PTR_NULL(message_find(""));
}

static void an_any_opens_only_when_type_and_bytes_are_good(void)
{
    static const uint8_t bad_text[] = { 0x0a, 0x01, 0xff };
    Google__Rpc__ErrorInfo info = GOOGLE__RPC__ERROR_INFO__INIT;
    Google__Rpc__ErrorInfo *inside;
    Bytes bytes;

    info.reason = "CART_FULL";
    bytes = message_pack(arena, &info);
    inside = message_from_any(arena, "type.googleapis.com/google.rpc.ErrorInfo", bytes);

    CU_ASSERT_PTR_NOT_NULL_FATAL(inside);
    CHECK_TEXT(inside->reason, "CART_FULL");
    CU_ASSERT_PTR_NULL(message_from_any(arena, "type.googleapis.com/no.such.Type", bytes));
    CU_ASSERT_PTR_NULL(message_from_any(arena, "google.rpc.ErrorInfo", bytes));
    CU_ASSERT_PTR_NULL(message_from_any(arena, "", bytes));
    CU_ASSERT_PTR_NULL(message_from_any(
        arena, "type.googleapis.com/google.rpc.ErrorInfo", (Bytes){ bad_text, sizeof(bad_text) }));
}

static void fields_are_reached_by_name(void)
{
    Position position = THROUGHLINE__EVENT__V1__POSITION__INIT;

    position.sequence = 7;

    CU_ASSERT_PTR_EQUAL(message_field(&position, "sequence"), &position.sequence);
    CU_ASSERT_PTR_NULL(message_field(&position, "nothing"));
}

static Bytes peek(const void *message, Bytes packed, const char *field)
{
    const ProtobufCMessage *base = message;
    Bytes value = { (const uint8_t *)"none", 4 };

    message_peek(base->descriptor, packed, field, &value);
    return value;
}

static bool is_bytes(Bytes value, const char *text)
{
    return value.size == strlen(text) && memcmp(value.data, text, value.size) == 0;
}

static void a_field_is_peeked_at_without_unpacking(void)
{
    EchoSlowlyRequest *request = a_request();
    Bytes packed = message_pack(arena, request);

    CU_ASSERT(is_bytes(peek(request, packed, "text"), "hello"));
    CU_ASSERT(is_bytes(peek(request, packed, "items"), "one"));
    CU_ASSERT(is_bytes(peek(request, peek(request, packed, "inner"), "text"), "inside"));
    CU_ASSERT(is_bytes(peek(request, peek(request, packed, "inner"), "inner"), "none"));
    CU_ASSERT(is_bytes(peek(request, (Bytes){ 0 }, "text"), "none"));
}

/* Whatever is cut off: what is there is found, and nothing else is read. */
static void peeking_at_broken_bytes_finds_nothing_behind_the_break(void)
{
    EchoSlowlyRequest *request = a_request();
    Bytes packed = message_pack(arena, request);
    Bytes inner = peek(request, packed, "inner");

    for (size_t size = 0; size < packed.size; size++) {
        uint8_t *cut = arena_copy(arena, packed.data, size);
        bool is_there = size >= (size_t)(inner.data - packed.data) + inner.size;
        Bytes value = peek(request, (Bytes){ cut, size }, "inner");

        CU_ASSERT(is_there ? value.size == inner.size : is_bytes(value, "none"));
    }
    CU_ASSERT(is_bytes(
        peek(request,
            (Bytes){ (const uint8_t *)"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 11 }, "text"),
        "none"));
    CU_ASSERT(
        is_bytes(peek(request, (Bytes){ (const uint8_t *)"\x0b\x0a\x00", 3 }, "text"), "none"));
}

static CU_TestInfo tests[] = {
    { "what_is_packed_is_unpacked_again", what_is_packed_is_unpacked_again },
    { "broken_bytes_do_not_unpack", broken_bytes_do_not_unpack },
    { "an_empty_message_has_no_bytes", an_empty_message_has_no_bytes },
    { "a_copy_shares_nothing", a_copy_shares_nothing },
    { "messages_of_different_types_are_not_equal", messages_of_different_types_are_not_equal },
    { "types_are_found_by_their_full_name", types_are_found_by_their_full_name },
    { "an_any_opens_only_when_type_and_bytes_are_good",
        an_any_opens_only_when_type_and_bytes_are_good },
    { "fields_are_reached_by_name", fields_are_reached_by_name },
    { "a_field_is_peeked_at_without_unpacking", a_field_is_peeked_at_without_unpacking },
    { "peeking_at_broken_bytes_finds_nothing_behind_the_break",
        peeking_at_broken_bytes_finds_nothing_behind_the_break },
    CU_TEST_INFO_NULL,
};

int main(int argc, char **argv)
{
    CU_SuiteInfo suites[] = {
        { .pName = "message", .pSetUpFunc = set_up, .pTearDownFunc = tear_down, .pTests = tests },
        CU_SUITE_INFO_NULL,
    };

    return test_main("codec_message_test", suites, argc, argv);
}
