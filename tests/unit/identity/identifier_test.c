#include "services/identity/domain/identifier.h"

#include "shared/base/text.h"
#include "tests/support/test_main.h"

#include <string.h>

#define EMAIL THROUGHLINE__IDENTITY__V1__IDENTIFIER__KIND__EMAIL
#define PHONE THROUGHLINE__IDENTITY__V1__IDENTIFIER__KIND__PHONE
#define CARD THROUGHLINE__IDENTITY__V1__IDENTIFIER__KIND__LOYALTY_CARD
#define DEVICE THROUGHLINE__IDENTITY__V1__IDENTIFIER__KIND__DEVICE
#define HANDLE THROUGHLINE__IDENTITY__V1__IDENTIFIER__KIND__SOCIAL_HANDLE
#define EXTERNAL THROUGHLINE__IDENTITY__V1__IDENTIFIER__KIND__EXTERNAL

static const Error *normalise(Arena *arena, int kind, const char *value, Identifier *identifier)
{
    *identifier = (Identifier)THROUGHLINE__IDENTITY__V1__IDENTIFIER__INIT;
    identifier->kind = (Throughline__Identity__V1__Identifier__Kind)kind;
    identifier->value = arena_text(arena, value);
    return identifier_normalise(identifier, arena);
}

static const char *repeated(Arena *arena, const char *text, int times, const char *end)
{
    char *all = arena_text(arena, "");

    while (times-- > 0)
        all = arena_printf(arena, "%s%s", all, text);
    return arena_printf(arena, "%s%s", all, end);
}

static void every_kind_has_one_form_and_a_key(void)
{
    static const struct {
        int kind;
        const char *given, *value, *key;
    } cases[] = {
        { EMAIL, "Jo@Example.COM", "jo@example.com", "email:jo@example.com" },
        { EMAIL, "  jo@example.com\t", "jo@example.com", "email:jo@example.com" },
        { EMAIL, "o'neil+shop@mail.example.co.uk", "o'neil+shop@mail.example.co.uk",
            "email:o'neil+shop@mail.example.co.uk" },
        { EMAIL, "a.b!#$%&'*+-/=?^_`{|}~@x-1.example", "a.b!#$%&'*+-/=?^_`{|}~@x-1.example",
            "email:a.b!#$%&'*+-/=?^_`{|}~@x-1.example" },
        { PHONE, "+4930123456", "+4930123456", "phone:+4930123456" },
        { PHONE, "0049 30 / 123-456", "+4930123456", "phone:+4930123456" },
        { PHONE, "+49 (0)30 123456", "+4930123456", "phone:+4930123456" },
        { PHONE, "+1 (555) 010.0123", "+15550100123", "phone:+15550100123" },
        { CARD, "1234-5678 90", "1234567890", "loyalty_card:1234567890" },
        { CARD, "gold77", "GOLD77", "loyalty_card:GOLD77" },
        { DEVICE, "A1b2-C3==", "A1b2-C3==", "device:A1b2-C3==" },
        { HANDLE, "Chirp:Jo", "chirp:@jo", "social_handle:chirp:@jo" },
        { EXTERNAL, "CRM:A-4711", "crm:A-4711", "external:crm:A-4711" },
        { EXTERNAL, "pos_2:1:2", "pos_2:1:2", "external:pos_2:1:2" },
    };
    Arena *arena = arena_new();
    Identifier identifier;

    for (size_t i = 0; i < COUNT(cases); i++) {
        CHECK_TEXT(
            error_reason(normalise(arena, cases[i].kind, cases[i].given, &identifier)), "OK");
        CHECK_TEXT(identifier.value, cases[i].value);
        CHECK_TEXT(identifier.key, cases[i].key);
    }
    arena_free(arena);
}

static void a_normal_form_stays_as_it_is(void)
{
    static const struct {
        int kind;
        const char *value;
    } cases[] = { { EMAIL, "Jo@Example.com" }, { PHONE, "0049 (0)30 123456" }, { CARD, "ab-12 cd" },
        { DEVICE, "Device/7" }, { HANDLE, "Chirp: @JO" }, { EXTERNAL, "CRM:x" } };
    Arena *arena = arena_new();
    Identifier once, twice;

    for (size_t i = 0; i < COUNT(cases); i++) {
        CU_ASSERT_PTR_NULL(normalise(arena, cases[i].kind, cases[i].value, &once));
        CU_ASSERT_PTR_NULL(normalise(arena, cases[i].kind, once.value, &twice));
        CHECK_TEXT(twice.value, once.value);
        CHECK_TEXT(twice.key, once.key);
    }
    arena_free(arena);
}

static void what_is_not_of_its_kind_is_refused(void)
{
    static const struct {
        int kind;
        const char *value;
    } cases[] = {
        { EMAIL, "" },
        { EMAIL, "   " },
        { EMAIL, "jo" },
        { EMAIL, "@example.com" },
        { EMAIL, "jo@" },
        { EMAIL, "jo@localhost" },
        { EMAIL, ".jo@example.com" },
        { EMAIL, "jo.@example.com" },
        { EMAIL, "j..o@example.com" },
        { EMAIL, "jo@-example.com" },
        { EMAIL, "jo@example-.com" },
        { EMAIL, "jo@example..com" },
        { EMAIL, "jo@example.com." },
        { EMAIL, "j o@example.com" },
        { EMAIL, "jo@exa mple.com" },
        { EMAIL, "\"jo\"@example.com" },
        { EMAIL, "jö@example.com" },
        { EMAIL, "jo@bo@example.com" },
        { EMAIL, "jo@[192.0.2.1]" },
        { PHONE, "030 123456" },
        { PHONE, "+049301234" },
        { PHONE, "+49301" },
        { PHONE, "+" },
        { PHONE, "+1234567890123456" },
        { PHONE, "+49 30 ABCDEF" },
        { PHONE, "+49+30123456" },
        { PHONE, "(0)30 1234567" },
        { CARD, "123" },
        { CARD, "12_34" },
        { CARD, "1234/5" },
        { DEVICE, "a b" },
        { DEVICE, "ä" },
        { DEVICE, "a\nb" },
        { HANDLE, "@jo" },
        { HANDLE, "chirp:" },
        { EXTERNAL, "4711" },
        { EXTERNAL, ":4711" },
        { EXTERNAL, "crm:" },
        { EXTERNAL, "c r:1" },
        { EXTERNAL, "crm:a b" },
    };
    Arena *arena = arena_new();
    Identifier identifier;

    for (size_t i = 0; i < COUNT(cases); i++)
        CHECK_TEXT(error_reason(normalise(arena, cases[i].kind, cases[i].value, &identifier)),
            "IDENTIFIER_MALFORMED");
    arena_free(arena);
}

static void lengths_of_the_standards_are_kept(void)
{
    Arena *arena = arena_new();
    Identifier identifier;
    const char *local = repeated(arena, "x", 64, "");
    const char *label = repeated(arena, "y", 63, "");

    CU_ASSERT_PTR_NULL(
        normalise(arena, EMAIL, arena_printf(arena, "%s@a.example", local), &identifier));
    CHECK_TEXT(error_reason(normalise(
                   arena, EMAIL, arena_printf(arena, "%sx@a.example", local), &identifier)),
        "IDENTIFIER_MALFORMED");
    CU_ASSERT_PTR_NULL(
        normalise(arena, EMAIL, arena_printf(arena, "a@%s.example", label), &identifier));
    CHECK_TEXT(error_reason(normalise(
                   arena, EMAIL, arena_printf(arena, "a@%sy.example", label), &identifier)),
        "IDENTIFIER_MALFORMED");
    CU_ASSERT_PTR_NULL(normalise(arena, EMAIL,
        arena_printf(arena, "a@%s", repeated(arena, "abc.", 62, "exam")), &identifier));
    CHECK_TEXT(
        error_reason(normalise(arena, EMAIL,
            arena_printf(arena, "abc@%s", repeated(arena, "abc.", 62, "exam")), &identifier)),
        "IDENTIFIER_MALFORMED");
    CU_ASSERT_PTR_NULL(normalise(arena, DEVICE, repeated(arena, "d", 254, ""), &identifier));
    CHECK_TEXT(error_reason(normalise(arena, DEVICE, repeated(arena, "d", 255, ""), &identifier)),
        "IDENTIFIER_MALFORMED");
    CU_ASSERT_PTR_NULL(normalise(arena, PHONE, "+123456789012345", &identifier));
    CU_ASSERT_PTR_NULL(normalise(arena, CARD, repeated(arena, "7", 64, ""), &identifier));
    CHECK_TEXT(error_reason(normalise(arena, CARD, repeated(arena, "7", 65, ""), &identifier)),
        "IDENTIFIER_MALFORMED");
    arena_free(arena);
}

static void placeholders_belong_to_nobody(void)
{
    static const struct {
        int kind;
        const char *value;
    } cases[] = { { DEVICE, "0" }, { DEVICE, "00000000-0000-0000-0000-000000000000" },
        { DEVICE, "null" }, { DEVICE, "NULL" }, { DEVICE, "Anonymous" }, { DEVICE, "-1" },
        { DEVICE, "undefined" }, { DEVICE, "---" }, { CARD, "0000-0000" }, { CARD, "none" },
        { PHONE, "000" }, { EMAIL, "unknown" }, { HANDLE, "chirp:@anonymous" },
        { HANDLE, "chirp:@0" }, { EXTERNAL, "crm:0" }, { EXTERNAL, "crm:NaN" },
        { EXTERNAL, "null" } };
    Arena *arena = arena_new();
    Identifier identifier;

    for (size_t i = 0; i < COUNT(cases); i++)
        CHECK_TEXT(error_reason(normalise(arena, cases[i].kind, cases[i].value, &identifier)),
            "IDENTIFIER_BLOCKED");
    arena_free(arena);
}

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        { "every_kind_has_one_form_and_a_key", every_kind_has_one_form_and_a_key },
        { "a_normal_form_stays_as_it_is", a_normal_form_stays_as_it_is },
        { "what_is_not_of_its_kind_is_refused", what_is_not_of_its_kind_is_refused },
        { "lengths_of_the_standards_are_kept", lengths_of_the_standards_are_kept },
        { "placeholders_belong_to_nobody", placeholders_belong_to_nobody },
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        { .pName = "identifier", .pTests = tests },
        CU_SUITE_INFO_NULL,
    };

    return test_main("identity_identifier", suites, argc, argv);
}
