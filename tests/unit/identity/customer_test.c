#include "tests/unit/identity/builders.h"

#include "services/identity/domain/consent.h"
#include "tests/support/test_main.h"

#define GRANTED THROUGHLINE__IDENTITY__V1__CONSENT__STATE__GRANTED
#define REVOKED THROUGHLINE__IDENTITY__V1__CONSENT__STATE__REVOKED

static void an_attached_identifier_is_claimed(void)
{
    Arena *arena = arena_new();
    Customer *jo = a_customer(arena, "customers/jo");
    IdentifierAttached event = THROUGHLINE__IDENTITY__V1__IDENTIFIER_ATTACHED__INIT;
    bool is_changed = false;

    CU_ASSERT_PTR_NULL(
        customer_attach(jo, a_device(arena, "d1"), a_time(arena, 77), arena, &event, &is_changed));

    CU_ASSERT_TRUE(is_changed);
    CHECK_INT((int)jo->n_identifiers, 1);
    CHECK_TEXT(jo->identifiers[0]->claim, "device:d1");
    CHECK_INT(jo->identifiers[0]->attach_time->seconds, 77);
    CHECK_TEXT(event.customer, "customers/jo");
    CHECK_TEXT(event.identifier->key, "device:d1");
    arena_free(arena);
}

static void the_same_identifier_again_changes_nothing(void)
{
    Arena *arena = arena_new();
    Customer *jo = a_customer(arena, "customers/jo");
    IdentifierAttached event = THROUGHLINE__IDENTITY__V1__IDENTIFIER_ATTACHED__INIT;
    bool is_changed = true;

    has_device(jo, "d1", arena);
    CU_ASSERT_PTR_NULL(
        customer_attach(jo, a_device(arena, "d1"), a_time(arena, 2), arena, &event, &is_changed));

    CU_ASSERT_FALSE(is_changed);
    CHECK_INT((int)jo->n_identifiers, 1);
    arena_free(arena);
}

static void a_proof_makes_an_identifier_verified_and_stays(void)
{
    Arena *arena = arena_new();
    Customer *jo = a_customer(arena, "customers/jo");
    Identifier *proved = a_device(arena, "d1");
    IdentifierAttached event = THROUGHLINE__IDENTITY__V1__IDENTIFIER_ATTACHED__INIT;
    bool is_changed = false;

    has_device(jo, "d1", arena);
    proved->is_verified = true;
    CU_ASSERT_PTR_NULL(customer_attach(jo, proved, a_time(arena, 2), arena, &event, &is_changed));

    CU_ASSERT_TRUE(is_changed);
    CU_ASSERT_TRUE(jo->identifiers[0]->is_verified);
    CHECK_INT(jo->identifiers[0]->attach_time->seconds, 1);
    CHECK_TEXT(jo->identifiers[0]->claim, "device:d1");
    CU_ASSERT_PTR_NULL(
        customer_attach(jo, a_device(arena, "d1"), a_time(arena, 3), arena, &event, &is_changed));
    CU_ASSERT_FALSE(is_changed);
    CU_ASSERT_TRUE(jo->identifiers[0]->is_verified);
    arena_free(arena);
}

static void a_customer_has_at_most_fifty_identifiers(void)
{
    Arena *arena = arena_new();
    Customer *jo = a_customer(arena, "customers/jo");
    IdentifierAttached event = THROUGHLINE__IDENTITY__V1__IDENTIFIER_ATTACHED__INIT;
    bool is_changed;

    for (int i = 0; i < CUSTOMER_MAX_IDENTIFIERS; i++)
        has_device(jo, arena_printf(arena, "d%d", i + 1), arena);

    CHECK_TEXT(error_reason(customer_attach(
                   jo, a_device(arena, "d51"), a_time(arena, 2), arena, &event, &is_changed)),
        "IDENTIFIERS_FULL");
    CHECK_INT((int)jo->n_identifiers, CUSTOMER_MAX_IDENTIFIERS);
    arena_free(arena);
}

static void a_detached_identifier_is_gone(void)
{
    Arena *arena = arena_new();
    Customer *jo = a_customer(arena, "customers/jo");
    IdentifierDetached event = THROUGHLINE__IDENTITY__V1__IDENTIFIER_DETACHED__INIT;

    has_device(jo, "d1", arena);
    has_device(jo, "d2", arena);
    has_device(jo, "d3", arena);
    CU_ASSERT_PTR_NULL(customer_detach(jo, "device:d2", arena, &event));

    CHECK_TEXT(event.identifier->key, "device:d2");
    CHECK_INT((int)jo->n_identifiers, 2);
    CHECK_TEXT(jo->identifiers[0]->key, "device:d1");
    CHECK_TEXT(jo->identifiers[1]->key, "device:d3");
    CHECK_TEXT(
        error_reason(customer_detach(jo, "device:d2", arena, &event)), "IDENTIFIER_NOT_FOUND");
    arena_free(arena);
}

static void a_merged_record_takes_no_changes(void)
{
    Arena *arena = arena_new();
    Customer *jo = a_customer(arena, "customers/jo");
    IdentifierAttached attached = THROUGHLINE__IDENTITY__V1__IDENTIFIER_ATTACHED__INIT;
    IdentifierDetached detached = THROUGHLINE__IDENTITY__V1__IDENTIFIER_DETACHED__INIT;
    bool is_changed;

    has_device(jo, "d1", arena);
    merge_mark(jo, a_customer(arena, "customers/bo"), a_merge(arena, "twins", 5), arena);

    CHECK_TEXT(error_reason(customer_attach(
                   jo, a_device(arena, "d2"), a_time(arena, 2), arena, &attached, &is_changed)),
        "CUSTOMER_MERGED");
    CHECK_TEXT(error_reason(customer_detach(jo, "device:d1", arena, &detached)), "CUSTOMER_MERGED");
    CU_ASSERT_TRUE(customer_release(jo, "device:d1", arena));
    CU_ASSERT_FALSE(customer_release(jo, "device:d1", arena));
    arena_free(arena);
}

static void languages_have_the_form_of_their_tags(void)
{
    static const char *const good[] = { "", "en", "en-GB", "zh-Hant-TW", "sr-Latn", "x-klingon" };
    static const char *const bad[] = { "-", "en-", "-en", "1en", "en--GB", "en_GB", "english words",
        "abcdefghi", "de-äö", "en-GB-oxendict-aaaaaaaa-bbbbbbbb-cccc" };

    for (size_t i = 0; i < COUNT(good); i++)
        CU_ASSERT_TRUE(customer_is_language(good[i]));
    for (size_t i = 0; i < COUNT(bad); i++)
        CU_ASSERT_FALSE(customer_is_language(bad[i]));
}

static void a_consent_takes_the_place_of_the_one_before(void)
{
    Arena *arena = arena_new();
    Customer *jo = a_customer(arena, "customers/jo");

    CU_ASSERT_PTR_NULL(consent_set(jo, a_consent(arena, "surveys", "inbox", GRANTED, 1), arena));
    CU_ASSERT_PTR_NULL(consent_set(jo, a_consent(arena, "surveys", "email", GRANTED, 2), arena));
    CU_ASSERT_PTR_NULL(consent_set(jo, a_consent(arena, "surveys", "inbox", REVOKED, 3), arena));

    CHECK_INT((int)jo->n_consents, 2);
    CHECK_INT(jo->consents[0]->state, REVOKED);
    CHECK_INT(jo->consents[0]->update_time->seconds, 3);
    arena_free(arena);
}

static void only_a_yes_for_the_purpose_opens_a_channel(void)
{
    Arena *arena = arena_new();
    Customer *jo = a_customer(arena, "customers/jo");
    char **channels;

    CU_ASSERT_PTR_NULL(consent_set(jo, a_consent(arena, "surveys", "email", GRANTED, 1), arena));
    CU_ASSERT_PTR_NULL(consent_set(jo, a_consent(arena, "surveys", "inbox", GRANTED, 9), arena));
    CU_ASSERT_PTR_NULL(consent_set(jo, a_consent(arena, "surveys", "sms", REVOKED, 4), arena));
    CU_ASSERT_PTR_NULL(consent_set(jo, a_consent(arena, "surveys", "push", GRANTED, 5), arena));
    CU_ASSERT_PTR_NULL(
        consent_set(jo, a_consent(arena, "marketing", "webhook", GRANTED, 6), arena));

    CHECK_INT((int)consent_channels(jo, "surveys", 7, arena, &channels), 3);
    CHECK_TEXT(channels[0], "inbox");
    CHECK_TEXT(channels[1], "push");
    CHECK_TEXT(channels[2], "email");
    CHECK_INT((int)consent_channels(jo, "service", 7, arena, &channels), 0);
    arena_free(arena);
}

static void a_yes_ends_with_its_time(void)
{
    Arena *arena = arena_new();
    Customer *jo = a_customer(arena, "customers/jo");
    Consent *consent = a_consent(arena, "surveys", "inbox", GRANTED, 1);
    char **channels;

    consent->expire_time = a_time(arena, 10);
    CU_ASSERT_PTR_NULL(consent_set(jo, consent, arena));

    CHECK_INT((int)consent_channels(jo, "surveys", 9999999, arena, &channels), 1);
    CHECK_INT((int)consent_channels(jo, "surveys", 10000000, arena, &channels), 0);
    arena_free(arena);
}

static void a_customer_has_at_most_two_hundred_consents(void)
{
    Arena *arena = arena_new();
    Customer *jo = a_customer(arena, "customers/jo");

    for (int i = 0; i < CUSTOMER_MAX_CONSENTS; i++)
        CU_ASSERT_PTR_NULL(consent_set(
            jo, a_consent(arena, arena_printf(arena, "p%d", i), "email", GRANTED, 1), arena));

    CHECK_TEXT(error_reason(consent_set(jo, a_consent(arena, "more", "email", GRANTED, 1), arena)),
        "CONSENTS_FULL");
    CU_ASSERT_PTR_NULL(consent_set(jo, a_consent(arena, "p0", "email", REVOKED, 2), arena));
    arena_free(arena);
}

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        { "an_attached_identifier_is_claimed", an_attached_identifier_is_claimed },
        { "the_same_identifier_again_changes_nothing", the_same_identifier_again_changes_nothing },
        { "a_proof_makes_an_identifier_verified_and_stays",
            a_proof_makes_an_identifier_verified_and_stays },
        { "a_customer_has_at_most_fifty_identifiers", a_customer_has_at_most_fifty_identifiers },
        { "a_detached_identifier_is_gone", a_detached_identifier_is_gone },
        { "a_merged_record_takes_no_changes", a_merged_record_takes_no_changes },
        { "languages_have_the_form_of_their_tags", languages_have_the_form_of_their_tags },
        { "a_consent_takes_the_place_of_the_one_before",
            a_consent_takes_the_place_of_the_one_before },
        { "only_a_yes_for_the_purpose_opens_a_channel",
            only_a_yes_for_the_purpose_opens_a_channel },
        { "a_yes_ends_with_its_time", a_yes_ends_with_its_time },
        { "a_customer_has_at_most_two_hundred_consents",
            a_customer_has_at_most_two_hundred_consents },
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        { .pName = "customer", .pTests = tests },
        CU_SUITE_INFO_NULL,
    };

    return test_main("identity_customer", suites, argc, argv);
}
