#include "tests/unit/identity/builders.h"

#include "tests/support/test_main.h"

#include <stdlib.h>

#define GRANTED THROUGHLINE__IDENTITY__V1__CONSENT__STATE__GRANTED
#define DENIED THROUGHLINE__IDENTITY__V1__CONSENT__STATE__DENIED
#define REVOKED THROUGHLINE__IDENTITY__V1__CONSENT__STATE__REVOKED
enum { NONE = 0, ROUNDS = 300 };

static CustomersMerged merged(
    Customer *survivor, Customer *duplicate, int64_t seconds, Arena *arena)
{
    CustomersMerged event = THROUGHLINE__IDENTITY__V1__CUSTOMERS_MERGED__INIT;

    merge_mark(duplicate, survivor, a_merge(arena, "same address", seconds), arena);
    merge_absorb(survivor, duplicate, arena, &event);
    return event;
}

static const Consent *consent_for(const Customer *customer, const char *purpose)
{
    for (size_t i = 0; i < customer->n_consents; i++)
        if (text_equal(customer->consents[i]->purpose, purpose))
            return customer->consents[i];
    return NULL;
}

static void the_survivor_takes_over_everything(void)
{
    Arena *arena = arena_new();
    Customer *jo = a_customer(arena, "customers/jo"), *bo = a_customer(arena, "customers/bo");
    CustomersMerged event;

    jo->display_name = arena_text(arena, "Jo");
    bo->display_name = arena_text(arena, "Bo");
    bo->language = arena_text(arena, "en");
    has_attribute(jo, "size", "M", arena);
    has_attribute(bo, "size", "L", arena);
    has_attribute(bo, "colour", "red", arena);
    has_device(jo, "d1", arena);
    has_device(bo, "d2", arena);
    event = merged(jo, bo, 9, arena);

    CHECK_TEXT(jo->display_name, "Jo");
    CHECK_TEXT(jo->language, "en");
    CHECK_INT((int)jo->n_attributes, 2);
    CHECK_TEXT(jo->attributes[0]->value, "M");
    CHECK_TEXT(jo->attributes[1]->value, "red");
    CHECK_INT((int)jo->n_identifiers, 2);
    CHECK_TEXT(jo->identifiers[1]->key, "device:d2");
    CHECK_TEXT(jo->merged_from[0], "customers/bo");
    CHECK_INT(jo->update_time->seconds, 9);
    CHECK_TEXT(event.customer, "customers/jo");
    CHECK_TEXT(event.duplicate, "customers/bo");
    CHECK_TEXT(event.reason, "same address");
    arena_free(arena);
}

static void the_merged_record_keeps_all_it_had(void)
{
    Arena *arena = arena_new();
    Customer *jo = a_customer(arena, "customers/jo"), *bo = a_customer(arena, "customers/bo");

    has_device(bo, "d2", arena);
    merged(jo, bo, 9, arena);

    CU_ASSERT_TRUE(customer_is_merged(bo));
    CHECK_TEXT(bo->merged_into, "customers/jo");
    CHECK_TEXT(bo->merge->reason, "same address");
    CHECK_TEXT(bo->merge->actor, "agents/kim");
    CU_ASSERT_TRUE(bo->merge->is_pending);
    CHECK_TEXT(bo->identifiers[0]->claim, "device:d2");
    CHECK_TEXT(jo->identifiers[0]->claim, "");
    CHECK_TEXT(jo->identifiers[0]->origin, "customers/bo");
    arena_free(arena);
}

static void absorbing_again_changes_nothing(void)
{
    Arena *arena = arena_new();
    Customer *jo = a_customer(arena, "customers/jo"), *bo = a_customer(arena, "customers/bo");
    CustomersMerged again = THROUGHLINE__IDENTITY__V1__CUSTOMERS_MERGED__INIT;

    has_device(bo, "d2", arena);
    merged(jo, bo, 9, arena);
    CU_ASSERT_PTR_NULL(consent_set(jo, a_consent(arena, "surveys", "inbox", GRANTED, 20), arena));
    merge_absorb(jo, bo, arena, &again);

    CHECK_INT((int)jo->n_identifiers, 1);
    CHECK_INT((int)jo->n_merged_from, 1);
    CHECK_INT(consent_for(jo, "surveys")->state, GRANTED);
    CHECK_TEXT(again.customer, "");
    arena_free(arena);
}

static void a_chain_of_merges_keeps_every_origin(void)
{
    Arena *arena = arena_new();
    Customer *a = a_customer(arena, "customers/a"), *b = a_customer(arena, "customers/b"),
             *c = a_customer(arena, "customers/c");

    has_device(c, "dc", arena);
    has_device(b, "db", arena);
    merged(b, c, 1, arena);
    merged(a, b, 2, arena);

    CU_ASSERT_TRUE(merge_is_absorbed(a, "customers/b") && merge_is_absorbed(a, "customers/c"));
    CHECK_TEXT(customer_identifier(a, "device:db")->origin, "customers/b");
    CHECK_TEXT(customer_identifier(a, "device:dc")->origin, "customers/c");
    CHECK_TEXT(customer_identifier(a, "device:dc")->claim, "");
    arena_free(arena);
}

static void of_two_consents_the_stricter_wins(void)
{
    static const struct {
        int own, other, result;
        bool is_changed;
    } cases[] = {
        { GRANTED, GRANTED, GRANTED, false },
        { GRANTED, NONE, DENIED, true },
        { GRANTED, DENIED, DENIED, true },
        { GRANTED, REVOKED, REVOKED, true },
        { NONE, GRANTED, DENIED, true },
        { DENIED, GRANTED, DENIED, true },
        { REVOKED, GRANTED, REVOKED, true },
        { DENIED, NONE, DENIED, false },
        { NONE, REVOKED, REVOKED, false },
        { DENIED, DENIED, DENIED, false },
    };
    Arena *arena = arena_new();

    for (size_t i = 0; i < COUNT(cases); i++) {
        Customer *jo = a_customer(arena, "customers/jo"), *bo = a_customer(arena, "customers/bo");
        CustomersMerged event;

        if (cases[i].own)
            consent_set(jo, a_consent(arena, "surveys", "inbox", cases[i].own, 1), arena);
        if (cases[i].other)
            consent_set(bo, a_consent(arena, "surveys", "inbox", cases[i].other, 2), arena);
        event = merged(jo, bo, 9, arena);

        CHECK_INT((int)jo->n_consents, 1);
        CHECK_INT(jo->consents[0]->state, cases[i].result);
        CHECK_INT((int)event.n_consents, cases[i].is_changed);
        CHECK_INT(jo->consents[0]->update_time->seconds == 9, cases[i].is_changed);
        if (cases[i].is_changed)
            CHECK_TEXT(jo->consents[0]->given_actor, "agents/kim");
    }
    arena_free(arena);
}

static void of_two_consents_alike_the_later_stays(void)
{
    Arena *arena = arena_new();
    Customer *jo = a_customer(arena, "customers/jo"), *bo = a_customer(arena, "customers/bo");

    consent_set(jo, a_consent(arena, "surveys", "inbox", GRANTED, 5), arena);
    consent_set(bo, a_consent(arena, "surveys", "inbox", GRANTED, 3), arena);
    consent_set(jo, a_consent(arena, "service", "inbox", DENIED, 3), arena);
    consent_set(bo, a_consent(arena, "service", "inbox", REVOKED, 5), arena);
    merged(jo, bo, 9, arena);

    CHECK_INT(consent_for(jo, "surveys")->update_time->seconds, 5);
    CHECK_INT(consent_for(jo, "service")->state, REVOKED);
    arena_free(arena);
}

static Consent *a_yes_until(Arena *arena, const char *purpose, int64_t given, int64_t end)
{
    Consent *consent = a_consent(arena, purpose, "inbox", GRANTED, given);

    consent->expire_time = a_time(arena, end);
    return consent;
}

static void a_yes_that_has_ended_is_none_and_the_shorter_stays(void)
{
    Arena *arena = arena_new();
    Customer *jo = a_customer(arena, "customers/jo"), *bo = a_customer(arena, "customers/bo");

    consent_set(jo, a_yes_until(arena, "surveys", 5, 8), arena);
    consent_set(bo, a_consent(arena, "surveys", "inbox", GRANTED, 3), arena);
    consent_set(jo, a_consent(arena, "service", "inbox", GRANTED, 5), arena);
    consent_set(bo, a_yes_until(arena, "service", 3, 20), arena);
    merged(jo, bo, 9, arena);

    CHECK_INT(consent_for(jo, "surveys")->state, DENIED);
    CU_ASSERT_PTR_NULL(consent_for(jo, "surveys")->expire_time);
    CHECK_INT(consent_for(jo, "service")->update_time->seconds, 5);
    CHECK_INT(consent_for(jo, "service")->expire_time->seconds, 20);
    arena_free(arena);
}

static Customer *any_customer(Arena *arena, const char *name, unsigned *seed)
{
    Customer *customer = a_customer(arena, name);

    for (int i = 0; i < 6; i++) {
        int state = rand_r(seed) % 4;

        if (state)
            consent_set(customer,
                a_consent(arena, arena_printf(arena, "p%d", i), "email", state, rand_r(seed) % 50),
                arena);
    }
    for (int i = rand_r(seed) % 4; i > 0; i--)
        has_device(customer, arena_printf(arena, "%s-%d", name + strlen("customers/"), i), arena);
    return customer;
}

static bool says_yes(const Customer *customer, const char *purpose)
{
    const Consent *consent = consent_for(customer, purpose);

    return consent && consent->state == GRANTED;
}

/* Whoever survives and in whatever order three records are merged. */
static void no_order_of_merges_makes_a_yes_or_loses_an_identifier(void)
{
    unsigned seed = 7;

    for (int round = 0; round < ROUNDS; round++) {
        Arena *arena = arena_new();
        Customer *all[3];
        bool yes[6];
        size_t identifiers = 0;
        int last = rand_r(&seed) % 3, next = (last + 1 + rand_r(&seed) % 2) % 3,
            first = 3 - last - next;

        for (int i = 0; i < 3; i++) {
            all[i] = any_customer(arena, arena_printf(arena, "customers/%c", 'a' + i), &seed);
            identifiers += all[i]->n_identifiers;
        }
        for (int p = 0; p < 6; p++) {
            yes[p] = true;
            for (int i = 0; i < 3; i++)
                yes[p] = yes[p] && says_yes(all[i], arena_printf(arena, "p%d", p));
        }
        if (rand_r(&seed) % 2) {
            merged(all[next], all[first], 60, arena);
            merged(all[last], all[next], 61, arena);
        } else {
            merged(all[last], all[first], 60, arena);
            merged(all[last], all[next], 61, arena);
        }

        for (int p = 0; p < 6; p++)
            CHECK_INT(says_yes(all[last], arena_printf(arena, "p%d", p)), yes[p]);
        CHECK_INT((int)all[last]->n_identifiers, (int)identifiers);
        CHECK_INT((int)all[last]->n_merged_from, 2);
        arena_free(arena);
    }
}

static void merges_that_exceed_a_limit_are_refused(void)
{
    Arena *arena = arena_new();
    Customer *jo = a_customer(arena, "customers/jo"), *bo = a_customer(arena, "customers/bo");

    for (int i = 1; i <= 26; i++) {
        has_device(jo, arena_printf(arena, "j%d", i), arena);
        has_device(bo, arena_printf(arena, "b%d", i), arena);
    }
    CHECK_TEXT(error_reason(merge_check(jo, bo)), "IDENTIFIERS_FULL");

    jo = a_customer(arena, "customers/jo");
    bo = a_customer(arena, "customers/bo");
    for (int i = 1; i <= 26; i++) {
        has_attribute(jo, arena_printf(arena, "j%d", i), "", arena);
        has_attribute(bo, arena_printf(arena, "b%d", i), "", arena);
    }
    CHECK_TEXT(error_reason(merge_check(jo, bo)), "ATTRIBUTES_FULL");

    jo = a_customer(arena, "customers/jo");
    bo = a_customer(arena, "customers/bo");
    for (int i = 1; i <= 101; i++) {
        consent_set(
            jo, a_consent(arena, arena_printf(arena, "j%d", i), "email", GRANTED, 1), arena);
        consent_set(
            bo, a_consent(arena, arena_printf(arena, "b%d", i), "email", GRANTED, 1), arena);
    }
    CHECK_TEXT(error_reason(merge_check(jo, bo)), "CONSENTS_FULL");

    jo = a_customer(arena, "customers/jo");
    bo = a_customer(arena, "customers/bo");
    jo->n_merged_from = 200;
    CHECK_TEXT(error_reason(merge_check(jo, bo)), "MERGES_FULL");
    jo->n_merged_from = 199;
    CU_ASSERT_PTR_NULL(merge_check(jo, bo));
    arena_free(arena);
}

static void a_merged_record_is_merged_no_more(void)
{
    Arena *arena = arena_new();
    Customer *jo = a_customer(arena, "customers/jo"), *bo = a_customer(arena, "customers/bo"),
             *mo = a_customer(arena, "customers/mo");

    merged(jo, bo, 9, arena);

    CHECK_TEXT(error_reason(merge_check(mo, bo)), "CUSTOMER_MERGED");
    CHECK_TEXT(error_reason(merge_check(bo, mo)), "CUSTOMER_MERGED");
    merge_revive(bo, arena);
    CU_ASSERT_PTR_NULL(merge_check(mo, bo));
    CHECK_TEXT(bo->merged_into, "");
    arena_free(arena);
}

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        { "the_survivor_takes_over_everything", the_survivor_takes_over_everything },
        { "the_merged_record_keeps_all_it_had", the_merged_record_keeps_all_it_had },
        { "absorbing_again_changes_nothing", absorbing_again_changes_nothing },
        { "a_chain_of_merges_keeps_every_origin", a_chain_of_merges_keeps_every_origin },
        { "of_two_consents_the_stricter_wins", of_two_consents_the_stricter_wins },
        { "a_yes_that_has_ended_is_none_and_the_shorter_stays",
            a_yes_that_has_ended_is_none_and_the_shorter_stays },
        { "of_two_consents_alike_the_later_stays", of_two_consents_alike_the_later_stays },
        { "no_order_of_merges_makes_a_yes_or_loses_an_identifier",
            no_order_of_merges_makes_a_yes_or_loses_an_identifier },
        { "merges_that_exceed_a_limit_are_refused", merges_that_exceed_a_limit_are_refused },
        { "a_merged_record_is_merged_no_more", a_merged_record_is_merged_no_more },
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        { .pName = "merge", .pTests = tests },
        CU_SUITE_INFO_NULL,
    };

    return test_main("identity_merge", suites, argc, argv);
}
