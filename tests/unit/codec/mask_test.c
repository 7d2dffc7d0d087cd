/* Which fields an Update changes. */
#include "shared/codec/mask.h"

#include "everything.pb-c.h"
#include "shared/base/text.h"
#include "shared/codec/json.h"
#include "shared/codec/message.h"
#include "tests/support/test_main.h"

#include <string.h>

typedef Throughline__Test__V1__Everything Everything;

static Arena *arena;
static const ProtobufCMessageDescriptor *const everything =
    &throughline__test__v1__everything__descriptor;
static const char *const fixed[] = { "a_string", "time", NULL };

static void set_up(void)
{
    arena = arena_new();
}

static void tear_down(void)
{
    arena_free(arena);
}

static void *from_json(const char *json)
{
    void *message = NULL;

    if (json_to_message(
            arena, everything, (Bytes){ (const uint8_t *)json, strlen(json) }, &message))
        CU_FAIL_FATAL("the test's own JSON is bad");
    return message;
}

/* The target, as JSON, after the masked fields of the source were merged. */
static const char *merged(
    const char *target, const char *source, const char *const *paths, size_t n_paths)
{
    void *message = from_json(target);

    mask_merge(arena, from_json(source), message, paths, n_paths, fixed);
    return json_from_message(arena, message, JSON_COMPACT);
}

#define MERGED(target, source, ...)                                                                \
    merged(                                                                                        \
        target, source, (const char *[]){ __VA_ARGS__ }, COUNT(((const char *[]){ __VA_ARGS__ })))

static void good_paths_pass(void)
{
    const char *paths[] = { "a_int32", "a_inner.inner.note", "many_inner", "map_string",
        "one_inner.note", "wrap_bool.value" };
    const char *star[] = { "*" };

    CHECK_TEXT(error_reason(mask_check(arena, everything, paths, COUNT(paths), fixed)), "OK");
    CHECK_TEXT(error_reason(mask_check(arena, everything, star, 1, fixed)), "OK");
    CHECK_TEXT(error_reason(mask_check(arena, everything, NULL, 0, NULL)), "OK");
}

static void every_bad_path_is_named(void)
{
    const char *paths[] = { "nothing", "a_int32", "a_int32.x", "many_inner.note", "a_inner.",
        "a_inner.nothing", "", "*", "a_string", "time.seconds", "aInt32" };
    const char *bad[] = { "nothing", "a_int32.x", "many_inner.note", "a_inner.", "a_inner.nothing",
        "", "*", "a_string", "time.seconds", "aInt32" };
    const Error *error = mask_check(arena, everything, paths, COUNT(paths), fixed);

    CHECK_TEXT(error_reason(error), "FIELD_INVALID");
    CHECK_INT(error->code, ERROR_INVALID_ARGUMENT);
    CHECK_INT(error->n_violations, COUNT(bad));
    for (size_t i = 0; i < COUNT(bad) && i < error->n_violations; i++)
        CHECK_TEXT(error->violations[i].field, bad[i]);
    CHECK_TEXT(error->violations[7].description, "cannot be changed");
}

static void named_fields_are_replaced(void)
{
    CHECK_TEXT(
        MERGED("{\"aInt32\":1,\"aBool\":true}", "{\"aInt32\":2,\"aBytes\":\"AA==\"}", "a_int32"),
        "{\"aInt32\":2,\"aBool\":true}");
    CHECK_TEXT(MERGED("{\"aInt32\":1}", "{}", "a_int32"), "{}");
    CHECK_TEXT(MERGED("{\"aBytes\":\"AA==\"}", "{\"aBytes\":\"AQ==\"}", "a_bytes"),
        "{\"aBytes\":\"AQ==\"}");
}

static void repeated_fields_are_replaced_not_appended(void)
{
    CHECK_TEXT(MERGED("{\"manyInt32\":[1,2]}", "{\"manyInt32\":[3]}", "many_int32"),
        "{\"manyInt32\":[3]}");
    CHECK_TEXT(
        MERGED("{\"mapString\":{\"a\":\"1\"}}", "{\"mapString\":{\"b\":\"2\"}}", "map_string"),
        "{\"mapString\":{\"b\":\"2\"}}");
    CHECK_TEXT(MERGED("{\"manyString\":[\"a\"]}", "{}", "many_string"), "{}");
}

static void a_sub_message_is_replaced_unless_the_path_goes_inside(void)
{
    const char *target = "{\"aInner\":{\"note\":\"old\",\"bigNumber\":\"1\"}}";
    const char *source = "{\"aInner\":{\"note\":\"new\"}}";

    CHECK_TEXT(MERGED(target, source, "a_inner"), source);
    CHECK_TEXT(MERGED(target, source, "a_inner.note"),
        "{\"aInner\":{\"note\":\"new\",\"bigNumber\":\"1\"}}");
    CHECK_TEXT(MERGED(target, "{}", "a_inner"), "{}");
}

static void a_path_inside_what_is_absent(void)
{
    CHECK_TEXT(MERGED("{}", "{\"aInner\":{\"inner\":{\"note\":\"n\"},\"bigNumber\":\"1\"}}",
                   "a_inner.inner.note"),
        "{\"aInner\":{\"inner\":{\"note\":\"n\"}}}");
    CHECK_TEXT(MERGED("{\"aInner\":{\"note\":\"x\",\"bigNumber\":\"1\"}}", "{}", "a_inner.note"),
        "{\"aInner\":{\"bigNumber\":\"1\"}}");
    CHECK_TEXT(MERGED("{}", "{}", "a_inner.note"), "{}");
}

static void a_oneof_follows_its_masked_member(void)
{
    CHECK_TEXT(
        MERGED("{\"oneBool\":true}", "{\"oneString\":\"\"}", "one_string"), "{\"oneString\":\"\"}");
    CHECK_TEXT(MERGED("{\"oneBool\":true}", "{}", "one_string"), "{\"oneBool\":true}");
    CHECK_TEXT(MERGED("{\"oneBool\":true}", "{}", "one_bool"), "{}");
    CHECK_TEXT(MERGED("{\"oneBool\":true}", "{\"oneInner\":{\"note\":\"n\"}}", "one_inner.note"),
        "{\"oneInner\":{\"note\":\"n\"}}");
    CHECK_TEXT(MERGED("{\"oneInner\":{}}", "{\"oneInt64\":\"4\"}", "*"), "{\"oneInt64\":\"4\"}");
    CHECK_TEXT(MERGED("{\"oneInt64\":\"4\"}", "{\"oneInner\":{}}", "*"), "{\"oneInner\":{}}");
}

static void no_paths_mean_every_populated_field(void)
{
    const char *source = "{\"aInt32\":2,\"aString\":\"new\",\"manyInt32\":[7]}";

    CHECK_TEXT(merged("{\"aInt32\":1,\"aBool\":true,\"aString\":\"old\"}", source, NULL, 0),
        "{\"aInt32\":2,\"aBool\":true,\"aString\":\"old\",\"manyInt32\":[7]}");
}

static void a_star_means_every_field(void)
{
    CHECK_TEXT(MERGED("{\"aInt32\":1,\"aBool\":true,\"aString\":\"old\",\"empty\":{}}",
                   "{\"aInt32\":2,\"aString\":\"new\",\"wrapBool\":false}", "*"),
        "{\"aInt32\":2,\"aString\":\"old\",\"wrapBool\":false}");
}

static void fixed_fields_stay_whatever_the_mask_says(void)
{
    CHECK_TEXT(
        MERGED("{\"aString\":\"old\"}", "{\"aString\":\"new\",\"time\":\"1970-01-01T00:00:01Z\"}",
            "a_string", "time.seconds", "nothing", "a_inner."),
        "{\"aString\":\"old\"}");
}

static void what_was_merged_is_a_copy(void)
{
    Everything *target = from_json("{}");
    Everything *source = from_json("{\"aInner\":{\"note\":\"n\"},\"manyString\":[\"s\"]}");

    mask_merge(arena, source, target, NULL, 0, NULL);

    CU_ASSERT_PTR_NOT_EQUAL(target->a_inner, source->a_inner);
    CU_ASSERT_PTR_NOT_EQUAL(target->many_string, source->many_string);
    CU_ASSERT_PTR_NOT_EQUAL(target->many_string[0], source->many_string[0]);
}

static CU_TestInfo tests[] = {
    { "good_paths_pass", good_paths_pass },
    { "every_bad_path_is_named", every_bad_path_is_named },
    { "named_fields_are_replaced", named_fields_are_replaced },
    { "repeated_fields_are_replaced_not_appended", repeated_fields_are_replaced_not_appended },
    { "a_sub_message_is_replaced_unless_the_path_goes_inside",
        a_sub_message_is_replaced_unless_the_path_goes_inside },
    { "a_path_inside_what_is_absent", a_path_inside_what_is_absent },
    { "a_oneof_follows_its_masked_member", a_oneof_follows_its_masked_member },
    { "no_paths_mean_every_populated_field", no_paths_mean_every_populated_field },
    { "a_star_means_every_field", a_star_means_every_field },
    { "fixed_fields_stay_whatever_the_mask_says", fixed_fields_stay_whatever_the_mask_says },
    { "what_was_merged_is_a_copy", what_was_merged_is_a_copy },
    CU_TEST_INFO_NULL,
};

int main(int argc, char **argv)
{
    CU_SuiteInfo suites[] = {
        { .pName = "mask", .pSetUpFunc = set_up, .pTearDownFunc = tear_down, .pTests = tests },
        CU_SUITE_INFO_NULL,
    };

    return test_main("codec_mask_test", suites, argc, argv);
}
