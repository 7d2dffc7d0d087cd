/* What a stored record looks like, and what happens to one that is not as it should be. */
#include "shared/codec/bson.h"

#include "everything.pb-c.h"
#include "shared/codec/message.h"
#include "shared/codec/scan.h"
#include "tests/support/test_main.h"
#include "throughline/echo/v1/echo.pb-c.h"
#include "throughline/event/v1/event.pb-c.h"

#include <string.h>

typedef Throughline__Test__V1__Everything Everything;
typedef Throughline__Test__V1__Everything__Inner Inner;

static Arena *arena;

static void set_up(void)
{
    arena = arena_new();
}

static void tear_down(void)
{
    arena_free(arena);
}

static const char *text_of(const void *message)
{
    bson_t document = BSON_INITIALIZER;
    char *json;
    char *copy;

    bson_append_message(&document, message);
    json = bson_as_relaxed_extended_json(&document, NULL);
    copy = arena_text(arena, json);
    bson_free(json);
    bson_destroy(&document);
    return copy;
}

/* Reads a document that is given as extended JSON. */
static const Error *read_json(const char *json, Everything *message)
{
    bson_error_t problem;
    bson_t document;
    const Error *error;

    message_init(&throughline__test__v1__everything__descriptor, message);
    if (!bson_init_from_json(&document, json, -1, &problem))
        CU_FAIL_FATAL("the test's own JSON is bad");
    error = bson_read_message(arena, &document, &message->base);
    bson_destroy(&document);
    return error;
}

static void defaults_are_left_out(void)
{
    Everything message = THROUGHLINE__TEST__V1__EVERYTHING__INIT;

    CHECK_TEXT(text_of(&message), "{ }");
}

static void fields_have_their_proto_names_and_enums_too(void)
{
    Everything message = THROUGHLINE__TEST__V1__EVERYTHING__INIT;
    Inner inner = THROUGHLINE__TEST__V1__EVERYTHING__INNER__INIT;
    Throughline__Test__V1__Everything__Color colors[] = {
        THROUGHLINE__TEST__V1__EVERYTHING__COLOR__DEEP_BLUE, (int)42
    };

    message.a_uint32 = 4000000000u;
    message.a_color = THROUGHLINE__TEST__V1__EVERYTHING__COLOR__RED;
    message.a_inner = &inner;
    inner.big_number = INT64_MIN;
    message.n_many_color = 2;
    message.many_color = colors;

    CHECK_TEXT(text_of(&message),
        "{ \"a_uint32\" : 4000000000, \"a_color\" : \"RED\", \"a_inner\" : { \"big_number\" : "
        "-9223372036854775808 }, \"many_color\" : [ \"DEEP_BLUE\", 42 ] }");
}

static void a_map_is_an_array_of_pairs(void)
{
    Everything message = THROUGHLINE__TEST__V1__EVERYTHING__INIT;
    Throughline__Test__V1__Everything__MapBoolEntry entry =
        THROUGHLINE__TEST__V1__EVERYTHING__MAP_BOOL_ENTRY__INIT;
    Throughline__Test__V1__Everything__MapBoolEntry *entries[] = { &entry };

    entry.key = true;
    entry.value = 2.5;
    message.n_map_bool = 1;
    message.map_bool = entries;

    CHECK_TEXT(text_of(&message), "{ \"map_bool\" : [ { \"key\" : true, \"value\" : 2.5 } ] }");
}

static void the_chosen_member_of_a_oneof_is_kept_even_when_zero(void)
{
    Everything message = THROUGHLINE__TEST__V1__EVERYTHING__INIT;
    Everything back;

    message.choice_case = THROUGHLINE__TEST__V1__EVERYTHING__CHOICE_ONE_BOOL;

    CHECK_TEXT(text_of(&message), "{ \"one_bool\" : false }");
    CHECK_TEXT(error_reason(read_json("{ \"one_string\": \"\" }", &back)), "OK");
    CHECK_INT(back.choice_case, THROUGHLINE__TEST__V1__EVERYTHING__CHOICE_ONE_STRING);
    CHECK_TEXT(text_of(&back), "{ \"one_string\" : \"\" }");
}

static void large_unsigned_numbers_keep_their_bits(void)
{
    Everything message = THROUGHLINE__TEST__V1__EVERYTHING__INIT;
    Everything back;

    message.a_uint64 = UINT64_MAX;

    CHECK_TEXT(text_of(&message), "{ \"a_uint64\" : -1 }");
    CHECK_TEXT(error_reason(read_json("{ \"a_uint64\": {\"$numberLong\": \"-1\"} }", &back)), "OK");
    CU_ASSERT_EQUAL(back.a_uint64, UINT64_MAX);
}

static void fields_of_others_are_passed_over(void)
{
    Everything back;

    const Error *error =
        read_json("{ \"_id\": \"x\", \"version\": 3, \"a_int32\": 5, \"_outbox\": [1] }", &back);

    CHECK_TEXT(error_reason(error), "OK");
    CHECK_INT(back.a_int32, 5);
    CHECK_INT(back.base.n_unknown_fields, 0);
}

static void null_is_absent(void)
{
    Everything back;

    CHECK_TEXT(error_reason(read_json("{ \"a_string\": null, \"one_bool\": null }", &back)), "OK");
    CHECK_TEXT(text_of(&back), "{ }");
}

static void wrong_types_are_data_loss(void)
{
    static const char *const records[] = {
        "{ \"a_int32\": \"5\" }",
        "{ \"a_int32\": 5.5 }",
        "{ \"a_int32\": 3000000000 }",
        "{ \"a_uint32\": -1 }",
        "{ \"a_bool\": 1 }",
        "{ \"a_int32\": true }",
        "{ \"a_double\": 1 }",
        "{ \"a_color\": \"PINK\" }",
        "{ \"a_string\": 1 }",
        "{ \"a_string\": \"a\\u0000b\" }",
        "{ \"a_bytes\": \"x\" }",
        "{ \"a_inner\": [] }",
        "{ \"a_inner\": { \"note\": 1 } }",
        "{ \"many_int32\": 1 }",
        "{ \"many_int32\": [ 1, \"2\" ] }",
        "{ \"many_inner\": [ 1 ] }",
        "{ \"_unknown\": 1 }",
        "{ \"_unknown\": { \"$binary\": { \"base64\": \"CA==\", \"subType\": \"00\" } } }",
    };

    for (size_t i = 0; i < COUNT(records); i++) {
        Everything back;
        const Error *error = read_json(records[i], &back);

        CHECK_TEXT(error_reason(error), "RECORD_MALFORMED");
        CHECK_INT(error ? error->code : 0, ERROR_DATA_LOSS);
    }
}

static void corrupt_bytes_are_data_loss(void)
{
    Everything message = THROUGHLINE__TEST__V1__EVERYTHING__INIT;
    bson_t document = BSON_INITIALIZER;
    uint8_t *bytes;
    bson_t corrupt;

    message.a_string = "hello";
    bson_append_message(&document, &message.base);
    bytes = arena_copy(arena, bson_get_data(&document), document.len);
    bytes[4 + 1 + sizeof("a_string")] = 0xff; /* the text's length */
    CU_ASSERT_TRUE_FATAL(bson_init_static(&corrupt, bytes, document.len));

    CHECK_TEXT(error_reason(bson_read_message(arena, &corrupt, &message.base)), "RECORD_MALFORMED");
    bson_destroy(&document);
}

static void nesting_ends_at_the_limit(void)
{
    const ProtobufCMessageDescriptor *type =
        &throughline__echo__v1__echo_slowly_request__descriptor;
    Throughline__Echo__V1__EchoSlowlyRequest *message = message_new(arena, type);

    for (int levels = 0; levels <= SCAN_MAX_DEPTH + 1; levels++) {
        Throughline__Echo__V1__EchoSlowlyRequest *outer = message_new(arena, type);
        bson_t document = BSON_INITIALIZER;
        ProtobufCMessage *back = message_new(arena, type);

        bson_append_message(&document, &message->base);
        CHECK_TEXT(error_reason(bson_read_message(arena, &document, back)),
            levels <= SCAN_MAX_DEPTH ? "OK" : "RECORD_MALFORMED");
        bson_destroy(&document);
        outer->inner = message;
        message = outer;
    }
}

/* An older version passes on what a newer one wrote, and the newer one finds it again. */
static void unknown_fields_are_kept_and_known_again_later(void)
{
    Throughline__Event__V1__Position position = THROUGHLINE__EVENT__V1__POSITION__INIT;
    Google__Protobuf__Empty *older;
    Throughline__Event__V1__Position newer = THROUGHLINE__EVENT__V1__POSITION__INIT;
    bson_t document = BSON_INITIALIZER;

    position.partition = 3;
    position.sequence = 77;
    older =
        message_unpack(arena, &google__protobuf__empty__descriptor, message_pack(arena, &position));
    CHECK_INT(older->base.n_unknown_fields, 2);
    bson_append_message(&document, &older->base);

    CHECK_TEXT(error_reason(bson_read_message(arena, &document, &newer.base)), "OK");
    CHECK_INT(newer.partition, 3);
    CHECK_INT(newer.sequence, 77);
    CHECK_INT(newer.base.n_unknown_fields, 0);
    bson_destroy(&document);
}

static CU_TestInfo tests[] = {
    { "defaults_are_left_out", defaults_are_left_out },
    { "fields_have_their_proto_names_and_enums_too", fields_have_their_proto_names_and_enums_too },
    { "a_map_is_an_array_of_pairs", a_map_is_an_array_of_pairs },
    { "the_chosen_member_of_a_oneof_is_kept_even_when_zero",
        the_chosen_member_of_a_oneof_is_kept_even_when_zero },
    { "large_unsigned_numbers_keep_their_bits", large_unsigned_numbers_keep_their_bits },
    { "fields_of_others_are_passed_over", fields_of_others_are_passed_over },
    { "null_is_absent", null_is_absent },
    { "wrong_types_are_data_loss", wrong_types_are_data_loss },
    { "corrupt_bytes_are_data_loss", corrupt_bytes_are_data_loss },
    { "nesting_ends_at_the_limit", nesting_ends_at_the_limit },
    { "unknown_fields_are_kept_and_known_again_later",
        unknown_fields_are_kept_and_known_again_later },
    CU_TEST_INFO_NULL,
};

int main(int argc, char **argv)
{
    CU_SuiteInfo suites[] = {
        { .pName = "bson", .pSetUpFunc = set_up, .pTearDownFunc = tear_down, .pTests = tests },
        CU_SUITE_INFO_NULL,
    };

    return test_main("codec_bson_test", suites, argc, argv);
}
