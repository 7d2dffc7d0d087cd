/* Hostile bytes: each is refused before protobuf-c sees it, and what is accepted unpacks. */
#include "shared/codec/scan.h"

#include "everything.pb-c.h"
#include "proto/descriptor_set.h"
#include "shared/codec/message.h"
#include "tests/support/test_main.h"
#include "throughline/echo/v1/echo.pb-c.h"

#include <string.h>

typedef Throughline__Test__V1__Everything Everything;

static Arena *arena;
static const ProtobufCMessageDescriptor *const everything =
    &throughline__test__v1__everything__descriptor;
static const ProtobufCMessageDescriptor *const slowly =
    &throughline__echo__v1__echo_slowly_request__descriptor;

static void set_up(void)
{
    arena = arena_new();
}

static void tear_down(void)
{
    arena_free(arena);
}

static const Error *scan_bytes(const void *data, size_t size)
{
    return scan_message(arena, everything, (Bytes){ data, size });
}

#define SCAN(bytes) scan_bytes((bytes), sizeof(bytes) - 1)

static void good_messages_pass(void)
{
    CHECK_TEXT(error_reason(SCAN("")), "OK");
    CHECK_TEXT(error_reason(SCAN("\x08\x01")), "OK");
    CHECK_TEXT(error_reason(SCAN("\x7a\x03\xe2\x82\xac")), "OK");
    CHECK_TEXT(error_reason(scan_message(arena, everything, (Bytes){ NULL, 0 })), "OK");
}

static void truncated_bytes_are_malformed(void)
{
    CHECK_TEXT(error_reason(SCAN("\x08")), "MESSAGE_MALFORMED");
    CHECK_TEXT(error_reason(SCAN("\x08\x80")), "MESSAGE_MALFORMED");
    CHECK_TEXT(error_reason(SCAN("\x7a\x05hell")), "MESSAGE_MALFORMED");
    CHECK_TEXT(error_reason(SCAN("\x5d\x01\x02\x03")), "MESSAGE_MALFORMED");
    CHECK_TEXT(error_reason(SCAN("\x61\x01\x02\x03\x04\x05\x06\x07")), "MESSAGE_MALFORMED");
    CHECK_TEXT(error_reason(SCAN("\x7a\xff\xff\xff\xff\x0f")), "MESSAGE_MALFORMED");
    CHECK_TEXT(error_reason(SCAN("\x7a\x80\x80\x80\x80\x80\x01")), "MESSAGE_MALFORMED");
}

static void bad_tags_are_malformed(void)
{
    CHECK_TEXT(error_reason(SCAN("\x00\x01")), "MESSAGE_MALFORMED"); /* number 0 */
    CHECK_TEXT(error_reason(SCAN("\x80\x80\x80\x80\x80\x01")), "MESSAGE_MALFORMED");
    CHECK_TEXT(error_reason(SCAN("\xff\xff\xff\xff\x7f\x01")), "MESSAGE_MALFORMED");
    CHECK_TEXT(error_reason(SCAN("\x80")), "MESSAGE_MALFORMED");
}

static void groups_are_malformed(void)
{
    CHECK_TEXT(error_reason(SCAN("\xa3\x06\xa4\x06")), "MESSAGE_MALFORMED");
    CHECK_TEXT(error_reason(SCAN("\x0b\x0c")), "MESSAGE_MALFORMED");
    CHECK_TEXT(error_reason(SCAN("\x0e")), "MESSAGE_MALFORMED");
    CHECK_TEXT(error_reason(SCAN("\x0f")), "MESSAGE_MALFORMED");
}

static void a_known_field_of_another_wire_type_is_malformed(void)
{
    CHECK_TEXT(error_reason(SCAN("\x0d\x01\x02\x03\x04")), "MESSAGE_MALFORMED");
    CHECK_TEXT(error_reason(SCAN("\x0a\x01\x01")), "MESSAGE_MALFORMED");
    CHECK_TEXT(error_reason(SCAN("\x78\x01")), "MESSAGE_MALFORMED");
    CHECK_TEXT(error_reason(SCAN("\xe8\x01\x01")), "MESSAGE_MALFORMED"); /* many_string */
}

static void an_endless_number_is_malformed(void)
{
    CHECK_TEXT(error_reason(SCAN("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01")),
        "MESSAGE_MALFORMED");
    CHECK_TEXT(error_reason(SCAN("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01")), "OK");
}

static void packed_fields_are_checked_item_by_item(void)
{
    CHECK_TEXT(error_reason(SCAN("\xaa\x01\x03\x01\x96\x01")), "OK");
    CHECK_TEXT(error_reason(SCAN("\xaa\x01\x02\x01\x96")), "MESSAGE_MALFORMED");
    CHECK_TEXT(error_reason(SCAN("\xc2\x01\x05\x01\x02\x03\x04\x05")), "MESSAGE_MALFORMED");
    CHECK_TEXT(error_reason(SCAN("\xda\x01\x02\x00\x01")), "OK"); /* many_bool */
    CHECK_TEXT(error_reason(SCAN("\xda\x01\x02\x00\x02")), "MESSAGE_MALFORMED");
    CHECK_TEXT(error_reason(SCAN("\xda\x01\x02\x81\x00")), "MESSAGE_MALFORMED");
    CHECK_TEXT(error_reason(SCAN("\xa8\x01\x07")), "OK"); /* not packed, though declared so */
    CHECK_TEXT(error_reason(SCAN("\x82\x02\x02\x01\x02")), "OK"); /* the other way round */
}

/* Writes a length and moves what is behind it: levels of EchoSlowlyRequest.inner from the inside out. */
static Bytes nested(int levels)
{
    size_t capacity = (size_t)levels * 6 + 16;
    uint8_t *bytes = arena_alloc(arena, capacity);
    size_t size = 0;

    for (int i = 0; i < levels; i++) {
        size_t length = size;
        uint8_t head[6] = { 0x22 };
        size_t n = 1;

        for (; length >= 0x80; length >>= 7)
            head[n++] = (uint8_t)(length | 0x80);
        head[n++] = (uint8_t)length;
        memmove(bytes + n, bytes, size);
        memcpy(bytes, head, n);
        size += n;
    }
    return (Bytes){ bytes, size };
}

static void nesting_ends_at_the_limit(void)
{
    CHECK_TEXT(error_reason(scan_message(arena, slowly, nested(SCAN_MAX_DEPTH))), "OK");
    CU_ASSERT_PTR_NOT_NULL(message_unpack(arena, slowly, nested(SCAN_MAX_DEPTH)));
    CHECK_TEXT(
        error_reason(scan_message(arena, slowly, nested(SCAN_MAX_DEPTH + 1))), "MESSAGE_TOO_DEEP");
    CHECK_TEXT(error_reason(scan_message(arena, slowly, nested(5000))), "MESSAGE_TOO_DEEP");
    CHECK_TEXT(error_reason(scan_nested(arena, slowly, nested(10), SCAN_MAX_DEPTH - 10)), "OK");
    CHECK_TEXT(error_reason(scan_nested(arena, slowly, nested(10), SCAN_MAX_DEPTH - 9)),
        "MESSAGE_TOO_DEEP");
    CHECK_TEXT(error_reason(scan_nested(arena, slowly, nested(0), SCAN_MAX_DEPTH + 1)),
        "MESSAGE_TOO_DEEP");
}

/* `count` times the same two bytes. */
static const Error *scan_repeated(uint8_t first, uint8_t second, size_t count)
{
    uint8_t *bytes = arena_alloc(arena, 2 * count);

    for (size_t i = 0; i < count; i++) {
        bytes[2 * i] = first;
        bytes[2 * i + 1] = second;
    }
    return scan_message(arena, slowly, (Bytes){ bytes, 2 * count });
}

static void items_are_counted(void)
{
    uint8_t *packed = arena_alloc(arena, SCAN_MAX_ITEMS + 10);

    CHECK_TEXT(error_reason(scan_repeated(0x2a, 0, SCAN_MAX_ITEMS)), "OK");
    CHECK_TEXT(error_reason(scan_repeated(0x2a, 0, SCAN_MAX_ITEMS + 1)), "MESSAGE_TOO_MANY_ITEMS");
    memcpy(packed, "\xaa\x01\xa0\x9c\x01", 5); /* many_int32, 20000 bytes of one item each */
    CHECK_TEXT(error_reason(scan_bytes(packed, SCAN_MAX_ITEMS + 5)), "OK");
    packed[2] = 0xa1;
    CHECK_TEXT(error_reason(scan_bytes(packed, SCAN_MAX_ITEMS + 6)), "MESSAGE_TOO_MANY_ITEMS");
}

static void scalars_given_again_are_counted(void)
{
    CHECK_TEXT(error_reason(scan_repeated(0x18, 1, SCAN_MAX_ITEMS + 1)), "OK");
    CHECK_TEXT(error_reason(scan_repeated(0x18, 1, SCAN_MAX_ITEMS + 2)), "MESSAGE_TOO_MANY_ITEMS");
}

static void unknown_fields_are_counted(void)
{
    CHECK_TEXT(error_reason(scan_repeated(0x78, 1, SCAN_MAX_UNKNOWN)), "OK");
    CHECK_TEXT(
        error_reason(scan_repeated(0x78, 1, SCAN_MAX_UNKNOWN + 1)), "MESSAGE_TOO_MANY_ITEMS");
}

static void a_sub_message_given_twice_is_malformed(void)
{
    CHECK_TEXT(error_reason(SCAN("\x8a\x01\x00")), "OK");
    CHECK_TEXT(error_reason(SCAN("\x8a\x01\x00\x8a\x01\x00")), "MESSAGE_MALFORMED");
    CHECK_TEXT(error_reason(SCAN("\xca\x03\x00\x98\x03\x01\xca\x03\x00")), "MESSAGE_MALFORMED");
}

static void every_bad_text_is_named(void)
{
    Everything message = THROUGHLINE__TEST__V1__EVERYTHING__INIT;
    Throughline__Test__V1__Everything__Inner *inner[2] = {
        message_new(arena, &throughline__test__v1__everything__inner__descriptor),
        message_new(arena, &throughline__test__v1__everything__inner__descriptor),
    };
    Throughline__Test__V1__Everything__MapStringEntry *entry =
        message_new(arena, &throughline__test__v1__everything__map_string_entry__descriptor);
    char *texts[] = { "fine", "\xed\xa0\x80" };
    const Error *error;
    Bytes bytes;
    uint8_t *hole;

    message.a_string = "\xff";
    message.n_many_string = 2;
    message.many_string = texts;
    message.n_many_inner = 2;
    message.many_inner = inner;
    inner[1]->note = "cut@here";
    entry->value = "\xc0\x80";
    message.n_map_string = 1;
    message.map_string = &entry;
    bytes = message_pack(arena, &message);
    hole = memchr(bytes.data, '@', bytes.size);
    *hole = '\0';

    error = scan_message(arena, everything, bytes);

    CHECK_TEXT(error_reason(error), "FIELD_INVALID");
    CHECK_INT(error->code, ERROR_INVALID_ARGUMENT);
    CHECK_INT(error->n_violations, 4);
    CHECK_TEXT(error->violations[0].field, "a_string");
    CHECK_TEXT(error->violations[0].description, "must be valid UTF-8");
    CHECK_TEXT(error->violations[1].field, "many_string[1]");
    CHECK_TEXT(error->violations[2].field, "many_inner[1].note");
    CHECK_TEXT(error->violations[2].description, "must not contain a NUL character");
    CHECK_TEXT(error->violations[3].field, "map_string[0].value");
}

static void a_hundred_bad_texts_are_named_at_most(void)
{
    uint8_t bytes[300 * 3];

    for (size_t i = 0; i < 300; i++)
        memcpy(bytes + 3 * i, "\x2a\x01\xff", 3);

    const Error *error = scan_message(arena, slowly, (Bytes){ bytes, sizeof(bytes) });

    CHECK_TEXT(error_reason(error), "FIELD_INVALID");
    CHECK_INT(error->n_violations, 100);
    CHECK_TEXT(error->violations[99].field, "items[99]");
}

static void a_required_field_must_be_there(void)
{
    const ProtobufCMessageDescriptor *part =
        message_find("google.protobuf.UninterpretedOption.NamePart");
    const Error *error = scan_message(arena, part, (Bytes){ (const uint8_t *)"\x10\x01", 2 });

    CHECK_TEXT(error_reason(error), "FIELD_INVALID");
    CHECK_TEXT(error->violations[0].field, "name_part");
}

/* The bound of a scan frame is an assertion: it must hold for what the product has. */
static void every_type_fits_a_frame(void)
{
    for (size_t i = 0; i < throughline_n_messages; i++)
        CU_ASSERT(throughline_messages[i]->n_fields <= SCAN_MAX_FIELDS);
}

static CU_TestInfo tests[] = {
    { "good_messages_pass", good_messages_pass },
    { "truncated_bytes_are_malformed", truncated_bytes_are_malformed },
    { "bad_tags_are_malformed", bad_tags_are_malformed },
    { "groups_are_malformed", groups_are_malformed },
    { "a_known_field_of_another_wire_type_is_malformed",
        a_known_field_of_another_wire_type_is_malformed },
    { "an_endless_number_is_malformed", an_endless_number_is_malformed },
    { "packed_fields_are_checked_item_by_item", packed_fields_are_checked_item_by_item },
    { "nesting_ends_at_the_limit", nesting_ends_at_the_limit },
    { "items_are_counted", items_are_counted },
    { "scalars_given_again_are_counted", scalars_given_again_are_counted },
    { "unknown_fields_are_counted", unknown_fields_are_counted },
    { "a_sub_message_given_twice_is_malformed", a_sub_message_given_twice_is_malformed },
    { "every_bad_text_is_named", every_bad_text_is_named },
    { "a_hundred_bad_texts_are_named_at_most", a_hundred_bad_texts_are_named_at_most },
    { "a_required_field_must_be_there", a_required_field_must_be_there },
    { "every_type_fits_a_frame", every_type_fits_a_frame },
    CU_TEST_INFO_NULL,
};

int main(int argc, char **argv)
{
    CU_SuiteInfo suites[] = {
        { .pName = "scan", .pSetUpFunc = set_up, .pTearDownFunc = tear_down, .pTests = tests },
        CU_SUITE_INFO_NULL,
    };

    return test_main("codec_scan_test", suites, argc, argv);
}
