/* The JSON form of every kind of field, both ways, and what is said about JSON that is wrong. */
#include "shared/codec/json.h"

#include "everything.pb-c.h"
#include "google/rpc/error_details.pb-c.h"
#include "shared/codec/message.h"
#include "shared/codec/scan.h"
#include "tests/support/test_main.h"
#include "throughline/echo/v1/echo.pb-c.h"

#include <math.h>
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

static const Error *read_as(
    const ProtobufCMessageDescriptor *type, const char *json, size_t size, void **message)
{
    *message = NULL;
    return json_to_message(arena, type, (Bytes){ (const uint8_t *)json, size }, message);
}

static const Error *read_json(const char *json, Everything **message)
{
    return read_as(
        &throughline__test__v1__everything__descriptor, json, strlen(json), (void **)message);
}

/* The JSON is taken and written again. */
static const char *again(const char *json)
{
    Everything *message;
    const Error *error = read_json(json, &message);

    if (error)
        return arena_printf(arena, "%s %s", error->reason, error->message);
    return json_from_message(arena, message, JSON_COMPACT);
}

#define CHECK_SAME(json) CHECK_TEXT(again(json), (json))

static void check_refused(const char *json, const char *field)
{
    Everything *message;
    const Error *error = read_json(json, &message);

    CHECK_TEXT(error_reason(error), "JSON_INVALID");
    CHECK_TEXT(error && error->n_violations == 1 ? error->violations[0].field : json, field);
}

static void every_kind_of_field_has_its_form(void)
{
    CHECK_SAME("{}");
    CHECK_SAME("{\"aInt32\":-5,\"aInt64\":\"-9223372036854775808\",\"aUint32\":4294967295,"
               "\"aUint64\":\"18446744073709551615\"}");
    CHECK_SAME("{\"aBool\":true,\"aColor\":\"DEEP_BLUE\",\"aString\":\"x\",\"aBytes\":\"+/8A\"}");
    CHECK_SAME("{\"aInner\":{\"note\":\"n\",\"bigNumber\":\"1\",\"inner\":{}}}");
    CHECK_SAME("{\"manyInt32\":[1,-2],\"manyBool\":[true,false],\"manyColor\":[\"RED\",77],"
               "\"manyString\":[\"\",\"b\"],\"manyInner\":[{},{\"note\":\"z\"}]}");
    CHECK_SAME("{\"mapString\":{\"b\":\"1\",\"a\":\"2\"},\"mapInt32\":{\"-3\":{}},"
               "\"mapUint64\":{\"18446744073709551615\":\"AA==\"},"
               "\"mapBool\":{\"true\":1.0,\"false\":0.0}}");
    CHECK_SAME("{\"oneBool\":false}");
    CHECK_SAME("{\"empty\":{}}");
}

static void floats_are_as_short_as_they_can_be(void)
{
    CHECK_SAME("{\"aFloat\":0.1,\"aDouble\":0.1}");
    CHECK_SAME("{\"aFloat\":3.4028235e+38,\"aDouble\":1.7976931348623157e+308}");
    CHECK_SAME("{\"manyDouble\":[1e+22,0.3333333333333333,5e-324,100.0,-0.0]}");
    CHECK_SAME("{\"manyDouble\":[\"NaN\",\"Infinity\",\"-Infinity\"]}");
    CHECK_TEXT(again("{\"aFloat\":\"0.5\",\"aDouble\":7}"), "{\"aFloat\":0.5,\"aDouble\":7.0}");
    CHECK_TEXT(
        again("{\"aDouble\":123456789012345680000}"), "{\"aDouble\":1.2345678901234568e+20}");
}

static void well_known_types_have_their_own_forms(void)
{
    CHECK_SAME("{\"time\":\"2026-11-22T06:46:43.120Z\",\"duration\":\"-1.500s\","
               "\"mask\":\"name,homeAddress.city\"}");
    CHECK_SAME("{\"time\":\"0001-01-01T00:00:00Z\",\"duration\":\"0s\",\"mask\":\"\"}");
    CHECK_SAME(
        "{\"time\":\"9999-12-31T23:59:59.999999999Z\",\"duration\":\"315576000000.000001s\"}");
    CHECK_SAME("{\"wrapDouble\":0.0,\"wrapInt64\":\"0\",\"wrapUint32\":0,\"wrapBool\":false,"
               "\"wrapString\":\"\",\"wrapBytes\":\"\"}");
    CHECK_SAME("{\"manyWrapString\":[\"a\",\"\"],\"mapDuration\":{\"k\":\"0.000000001s\"}}");
    CHECK_TEXT(again("{\"time\":\"2026-11-22T08:46:43.1+02:00\"}"),
        "{\"time\":\"2026-11-22T06:46:43.100Z\"}");
    CHECK_TEXT(
        again("{\"time\":\"1969-12-31T23:59:59.25Z\"}"), "{\"time\":\"1969-12-31T23:59:59.250Z\"}");
}

static void an_any_shows_what_is_inside(void)
{
    CHECK_SAME("{\"any\":{\"@type\":\"type.googleapis.com/google.rpc.ErrorInfo\","
               "\"reason\":\"CART_FULL\",\"metadata\":{\"k\":\"v\"}}}");
    CHECK_SAME("{\"any\":{\"@type\":\"type.googleapis.com/google.protobuf.Duration\","
               "\"value\":\"1s\"}}");
    CHECK_SAME("{\"any\":{\"@type\":\"type.googleapis.com/google.protobuf.Any\",\"value\":"
               "{\"@type\":\"type.googleapis.com/google.protobuf.Int64Value\",\"value\":\"7\"}}}");
    CHECK_SAME("{\"any\":{\"@type\":\"type.googleapis.com/google.protobuf.Empty\"}}");
    CHECK_SAME("{\"any\":{}}");
}

static void what_an_own_form_cannot_show_is_a_plain_message(void)
{
    CHECK_SAME("{\"any\":{\"typeUrl\":\"type.googleapis.com/no.such.Type\",\"value\":\"AQID\"}}");
    CHECK_SAME("{\"time\":{\"seconds\":\"253402300800\"},\"duration\":{\"seconds\":\"1\","
               "\"nanos\":-1},\"mask\":{\"paths\":[\"userName\",\"a,b\",\"\"]}}");
    CHECK_SAME("{\"any\":{\"@type\":\"type.googleapis.com/google.protobuf.Duration\","
               "\"value\":{\"nanos\":2000000000}}}");
}

static void texts_are_escaped(void)
{
    CHECK_SAME("{\"aString\":\"q\\\" b\\\\ n\\n t\\t \\u0001 \\u007f é €\"}");
    CHECK_TEXT(again("{\"aString\":\"\\u20ac\\ud834\\udd1e\\/\"}"), "{\"aString\":\"€𝄞/\"}");
}

static void other_spellings_are_taken(void)
{
    CHECK_TEXT(again("{\"a_int32\":\"5\",\"a_int64\":6,\"a_uint64\":1e3,\"a_color\":1,"
                     "\"a_bytes\":\"-_8\",\"a_string\":null,\"many_int32\":null}"),
        "{\"aInt32\":5,\"aInt64\":\"6\",\"aUint64\":\"1000\",\"aColor\":\"RED\",\"aBytes\":\"+/"
        "8=\"}");
    CHECK_TEXT(again("{\"oneBool\":null,\"oneString\":\"x\"}"), "{\"oneString\":\"x\"}");
}

static void a_message_may_be_no_object(void)
{
    void *time;

    CHECK_TEXT(error_reason(read_as(&google__protobuf__timestamp__descriptor,
                   "\"1970-01-01T00:00:01Z\"", 22, &time)),
        "OK");
    CHECK_TEXT(json_from_message(arena, time, JSON_COMPACT), "\"1970-01-01T00:00:01Z\"");
}

static void styles_differ_in_space_and_defaults(void)
{
    Google__Rpc__BadRequest__FieldViolation violation =
        GOOGLE__RPC__BAD_REQUEST__FIELD_VIOLATION__INIT;
    Google__Rpc__BadRequest__FieldViolation *violations[] = { &violation, &violation };
    Google__Rpc__BadRequest request = GOOGLE__RPC__BAD_REQUEST__INIT;

    violation.field = "a";
    CHECK_TEXT(json_from_message(arena, &request, JSON_WITH_DEFAULTS), "{\"fieldViolations\":[]}");
    CHECK_TEXT(json_from_message(arena, &violation, JSON_WITH_DEFAULTS),
        "{\"field\":\"a\",\"description\":\"\"}");
    CHECK_TEXT(json_from_message(arena, &request, JSON_PRETTY), "{}");
    request.n_field_violations = 2;
    request.field_violations = violations;
    CHECK_TEXT(json_from_message(arena, &request, JSON_PRETTY),
        "{\n  \"fieldViolations\": [\n    {\n      \"field\": \"a\"\n    },\n    {\n"
        "      \"field\": \"a\"\n    }\n  ]\n}");
}

static void the_last_of_equal_map_keys_counts(void)
{
    Everything message = THROUGHLINE__TEST__V1__EVERYTHING__INIT;
    Throughline__Test__V1__Everything__MapStringEntry entries[3];
    Throughline__Test__V1__Everything__MapStringEntry *all[] = { &entries[0], &entries[1],
        &entries[2] };

    for (int i = 0; i < 3; i++) {
        throughline__test__v1__everything__map_string_entry__init(&entries[i]);
        entries[i].key = i == 1 ? "b" : "a";
        entries[i].value = arena_printf(arena, "%d", i);
    }
    message.n_map_string = 3;
    message.map_string = all;

    CHECK_TEXT(json_from_message(arena, &message, JSON_COMPACT),
        "{\"mapString\":{\"b\":\"1\",\"a\":\"2\"}}");
}

static void every_bad_field_is_named(void)
{
    Everything *message;
    const Error *error =
        read_json("{\"aInt32\":\"x\",\"manyInner\":[{},{\"note\":5}],\"nothing\":1,"
                  "\"mapInt32\":{\"1\":{\"inner\":{\"bigNumber\":true}}}}",
            &message);

    CHECK_TEXT(error_reason(error), "JSON_INVALID");
    CHECK_INT(error->code, ERROR_INVALID_ARGUMENT);
    CHECK_INT(error->n_violations, 4);
    CHECK_TEXT(error->violations[0].field, "a_int32");
    CHECK_TEXT(error->violations[0].description, "must be a whole number in range");
    CHECK_TEXT(error->violations[1].field, "many_inner[1].note");
    CHECK_TEXT(error->violations[2].field, "nothing");
    CHECK_TEXT(error->violations[3].field, "map_int32[\"1\"].inner.big_number");
}

static void values_out_of_range_or_kind_are_refused(void)
{
    check_refused("{\"aInt32\":2147483648}", "a_int32");
    check_refused("{\"aInt32\":1.5}", "a_int32");
    check_refused("{\"aInt32\":\"\"}", "a_int32");
    check_refused("{\"aInt32\":\"5\\u0000\"}", "a_int32");
    check_refused("{\"aInt32\":1e10}", "a_int32");
    check_refused("{\"aUint32\":-1}", "a_uint32");
    check_refused("{\"aInt64\":\"9223372036854775808\"}", "a_int64");
    check_refused("{\"aInt64\":9223372036854775808}", "a_int64");
    check_refused("{\"aUint64\":-1}", "a_uint64");
    check_refused("{\"aUint64\":\"18446744073709551616\"}", "a_uint64");
    check_refused("{\"aUint64\":18446744073709551615}", "a_uint64");
    check_refused("{\"aFloat\":1e39}", "a_float");
    check_refused("{\"aDouble\":\"nan\"}", "a_double");
    check_refused("{\"aBool\":\"true\"}", "a_bool");
    check_refused("{\"aBool\":1}", "a_bool");
    check_refused("{\"aColor\":\"PINK\"}", "a_color");
    check_refused("{\"aColor\":1.5}", "a_color");
    check_refused("{\"aString\":1}", "a_string");
    check_refused("{\"aString\":\"a\\u0000b\"}", "a_string");
    check_refused("{\"aBytes\":\"*\"}", "a_bytes");
    check_refused("{\"aInner\":[]}", "a_inner");
    check_refused("{\"manyInt32\":{}}", "many_int32");
    check_refused("{\"manyInt32\":[1,null]}", "many_int32[1]");
    check_refused("{\"mapString\":[]}", "map_string");
    check_refused("{\"mapString\":{\"k\":null}}", "map_string[\"k\"]");
    check_refused("{\"mapInt32\":{\"x\":{}}}", "map_int32[\"x\"]");
    check_refused("{\"mapBool\":{\"yes\":1}}", "map_bool[\"yes\"]");
    check_refused("{\"time\":\"yesterday\"}", "time");
    check_refused("{\"time\":\"2026-02-30T00:00:00Z\"}", "time");
    check_refused("{\"time\":\"2026-02-03T00:00:00.1234567890Z\"}", "time");
    check_refused("{\"time\":\"9999-12-31T23:59:59-01:00\"}", "time");
    check_refused("{\"time\":1}", "time");
    check_refused("{\"duration\":\"1\"}", "duration");
    check_refused("{\"duration\":\"315576000001s\"}", "duration");
    check_refused("{\"duration\":\"1.s\"}", "duration");
    check_refused("{\"mask\":\"home_address\"}", "mask");
    check_refused("{\"any\":{\"@type\":\"type.googleapis.com/no.such.Type\"}}", "any.@type");
    check_refused("{\"any\":{\"@type\":\"type.googleapis.com/google.protobuf.Duration\"}}", "any");
    check_refused(
        "{\"any\":{\"@type\":\"type.googleapis.com/google.rpc.ErrorInfo\",\"x\":1}}", "any.x");
    check_refused(
        "{\"any\":{\"@type\":\"type.googleapis.com/throughline.event.v1.SubscribeRequest\","
        "\"types\":[1]}}",
        "any.types[0]");
    check_refused("[]", "");
}

static void a_field_or_a_oneof_is_given_once(void)
{
    check_refused("{\"aInt32\":1,\"a_int32\":2}", "a_int32");
    check_refused("{\"oneBool\":true,\"oneString\":\"x\"}", "one_string");
}

static void text_that_is_no_json_is_malformed(void)
{
    static const char *const texts[] = { "", "{", "{\"aInt32\":1,\"aInt32\":2}", "{} x", "nul",
        "{\"aString\":\"\xff\"}", "{\"aString\":\"\\ud800\"}", "{'a':1}", "{\"aDouble\":1e999}" };

    for (size_t i = 0; i < COUNT(texts); i++) {
        Everything *message;

        CHECK_TEXT(error_reason(read_json(texts[i], &message)), "JSON_MALFORMED");
    }
}

static void the_place_of_a_mistake_is_told(void)
{
    Everything *message;
    const Error *error = read_json("{\n  \"aInt32\": }", &message);

    CHECK_TEXT(error->reason, "JSON_MALFORMED");
    CU_ASSERT_PTR_NOT_NULL(strstr(error->message, "line 2"));
}

static const Error *read_nested(int levels)
{
    size_t size = (size_t)levels * 10 + 2;
    char *json = arena_alloc(arena, size + 1);
    void *message;

    for (int i = 0; i < levels; i++)
        memcpy(json + 9 * i, "{\"inner\":", 9);
    memcpy(json + 9 * levels, "{}", 2);
    memset(json + 9 * levels + 2, '}', (size_t)levels);
    return read_as(&throughline__echo__v1__echo_slowly_request__descriptor, json, size, &message);
}

static void nesting_ends_at_the_limit(void)
{
    CHECK_TEXT(error_reason(read_nested(SCAN_MAX_DEPTH)), "OK");
    CHECK_TEXT(error_reason(read_nested(SCAN_MAX_DEPTH + 1)), "JSON_INVALID");
    CHECK_TEXT(error_reason(read_nested(100000)), "JSON_MALFORMED");
}

/* Every Any inside an Any is unpacked again: the writer stops at eight and shows the rest packed. */
static void anys_in_anys_stay_readable(void)
{
    Everything message = THROUGHLINE__TEST__V1__EVERYTHING__INIT;
    Google__Protobuf__Any any = GOOGLE__PROTOBUF__ANY__INIT;
    Everything *back;
    char *json;

    for (int i = 0; i < 50; i++) {
        Bytes bytes = message_pack(arena, &any);

        any.type_url = "type.googleapis.com/google.protobuf.Any";
        any.value = (ProtobufCBinaryData){ bytes.size, (uint8_t *)bytes.data };
    }
    message.any = &any;
    json = json_from_message(arena, &message, JSON_COMPACT);

    CU_ASSERT_PTR_NOT_NULL(strstr(json, "typeUrl"));
    CHECK_TEXT(error_reason(read_json(json, &back)), "OK");
    CU_ASSERT_TRUE(message_equal(back, &message));
}

static CU_TestInfo tests[] = {
    { "every_kind_of_field_has_its_form", every_kind_of_field_has_its_form },
    { "floats_are_as_short_as_they_can_be", floats_are_as_short_as_they_can_be },
    { "well_known_types_have_their_own_forms", well_known_types_have_their_own_forms },
    { "an_any_shows_what_is_inside", an_any_shows_what_is_inside },
    { "what_an_own_form_cannot_show_is_a_plain_message",
        what_an_own_form_cannot_show_is_a_plain_message },
    { "texts_are_escaped", texts_are_escaped },
    { "other_spellings_are_taken", other_spellings_are_taken },
    { "a_message_may_be_no_object", a_message_may_be_no_object },
    { "styles_differ_in_space_and_defaults", styles_differ_in_space_and_defaults },
    { "the_last_of_equal_map_keys_counts", the_last_of_equal_map_keys_counts },
    { "every_bad_field_is_named", every_bad_field_is_named },
    { "values_out_of_range_or_kind_are_refused", values_out_of_range_or_kind_are_refused },
    { "a_field_or_a_oneof_is_given_once", a_field_or_a_oneof_is_given_once },
    { "text_that_is_no_json_is_malformed", text_that_is_no_json_is_malformed },
    { "the_place_of_a_mistake_is_told", the_place_of_a_mistake_is_told },
    { "nesting_ends_at_the_limit", nesting_ends_at_the_limit },
    { "anys_in_anys_stay_readable", anys_in_anys_stay_readable },
    CU_TEST_INFO_NULL,
};

int main(int argc, char **argv)
{
    CU_SuiteInfo suites[] = {
        { .pName = "json", .pSetUpFunc = set_up, .pTearDownFunc = tear_down, .pTests = tests },
        CU_SUITE_INFO_NULL,
    };

    return test_main("codec_json_test", suites, argc, argv);
}
