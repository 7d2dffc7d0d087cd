#include "tests/service/identity/teller.h"

#include "shared/base/clock.h"
#include "shared/base/text.h"
#include "shared/codec/types.h"

typedef Throughline__Identity__V1__ListConsentHistoryRequest ListConsentHistoryRequest;
typedef Throughline__Identity__V1__ListConsentHistoryResponse ListConsentHistoryResponse;

static ListConsentHistoryResponse history_of(Fixture *fixture, const char *customer)
{
    ListConsentHistoryRequest request =
        THROUGHLINE__IDENTITY__V1__LIST_CONSENT_HISTORY_REQUEST__INIT;
    ListConsentHistoryResponse reply =
        THROUGHLINE__IDENTITY__V1__LIST_CONSENT_HISTORY_RESPONSE__INIT;

    CU_ASSERT_TRUE(fixture_settle(fixture));
    request.customer = (char *)customer;
    CHECK_TEXT(
        error_reason(fixture_call(fixture, "ConsentService/ListConsentHistory", &request, &reply)),
        "OK");
    return reply;
}

static void nobody_asked_is_no(void)
{
    Fixture *fixture = start_identity();
    const char *jo = a_customer(fixture, "Jo", NULL);

    CU_ASSERT_FALSE(allows(fixture, jo, "marketing", "email"));
    CU_ASSERT_TRUE(fixture_stop(fixture));
}

static void a_yes_comes_with_its_proof(void)
{
    Fixture *fixture = start_identity();
    const char *jo = a_customer(fixture, "Jo", NULL);
    Customer reply;

    fixture_act_as(fixture, "app", jo);
    CHECK_TEXT(error_reason(set_consent(fixture, jo, "surveys", "inbox", GRANTED, &reply)), "OK");

    CHECK_INT((int)reply.n_consents, 1);
    CHECK_TEXT(reply.consents[0]->wording, "surveys-2026-01");
    CHECK_TEXT(reply.consents[0]->given_channel, "app");
    CHECK_TEXT(reply.consents[0]->given_actor, jo);
    CU_ASSERT_TRUE(reply.consents[0]->update_time != NULL);
    CU_ASSERT_TRUE(allows(fixture, jo, "surveys", "inbox"));
    CU_ASSERT_FALSE(allows(fixture, jo, "surveys", "email"));
    CU_ASSERT_FALSE(allows(fixture, jo, "marketing", "inbox"));
    CU_ASSERT_PTR_NULL(set_consent(fixture, jo, "surveys", "inbox", DENIED, &reply));
    CU_ASSERT_FALSE(allows(fixture, jo, "surveys", "inbox"));
    CU_ASSERT_TRUE(fixture_stop(fixture));
}

static const Error *grant_until(
    Fixture *fixture, const char *customer, int state, int64_t end, Customer *reply)
{
    SetConsentRequest request = THROUGHLINE__IDENTITY__V1__SET_CONSENT_REQUEST__INIT;
    Throughline__Identity__V1__Consent consent = THROUGHLINE__IDENTITY__V1__CONSENT__INIT;

    consent.purpose = "surveys";
    consent.channel = "inbox";
    consent.state = (Throughline__Identity__V1__Consent__State)state;
    consent.expire_time = timestamp_from_micros(fixture_arena(fixture), end);
    request.customer = (char *)customer;
    request.consent = &consent;
    throughline__identity__v1__customer__init(reply);
    return fixture_call(fixture, "ConsentService/SetConsent", &request, reply);
}

static void a_yes_may_end_by_itself(void)
{
    Fixture *fixture = start_identity();
    const char *jo = a_customer(fixture, "Jo", NULL);
    int64_t hour = 3600 * INT64_C(1000000), later = clock_now() + hour;
    Customer reply;

    CHECK_TEXT(error_reason(grant_until(fixture, jo, GRANTED, later, &reply)), "OK");
    CHECK_INT(timestamp_to_micros(reply.consents[0]->expire_time), later);
    CU_ASSERT_TRUE(allows(fixture, jo, "surveys", "inbox"));
    CU_ASSERT_TRUE(
        blames(grant_until(fixture, jo, GRANTED, later - 2 * hour, &reply), "consent.expire_time"));
    CU_ASSERT_TRUE(blames(grant_until(fixture, jo, DENIED, later, &reply), "consent.expire_time"));
    CU_ASSERT_TRUE(fixture_stop(fixture));
}

static void the_history_keeps_every_word(void)
{
    Fixture *fixture = start_identity_with_tellers();
    const char *jo = a_customer(fixture, "Jo", NULL);
    ListConsentHistoryResponse history;
    Customer reply;

    CU_ASSERT_PTR_NULL(set_consent(fixture, jo, "surveys", "inbox", GRANTED, &reply));
    CU_ASSERT_PTR_NULL(set_consent(fixture, jo, "surveys", "inbox", DENIED, &reply));
    CU_ASSERT_PTR_NULL(set_consent(fixture, jo, "surveys", "inbox", GRANTED, &reply));
    history = history_of(fixture, jo);

    CU_ASSERT_EQUAL_FATAL(history.n_records, 3);
    CHECK_INT(history.records[0]->consent->state, GRANTED);
    CHECK_INT(history.records[1]->consent->state, DENIED);
    CHECK_INT(history.records[2]->consent->state, GRANTED);
    CHECK_TEXT(history.records[0]->origin, jo);
    CU_ASSERT_TRUE(fixture_stop(fixture));
}

static void a_repeated_request_is_one_word(void)
{
    Fixture *fixture = start_identity_with_tellers();
    const char *jo = a_customer(fixture, "Jo", NULL);
    SetConsentRequest request = THROUGHLINE__IDENTITY__V1__SET_CONSENT_REQUEST__INIT;
    Throughline__Identity__V1__Consent consent = THROUGHLINE__IDENTITY__V1__CONSENT__INIT;
    Customer first = THROUGHLINE__IDENTITY__V1__CUSTOMER__INIT;
    Customer again = THROUGHLINE__IDENTITY__V1__CUSTOMER__INIT;

    consent.purpose = "surveys";
    consent.channel = "inbox";
    consent.state = GRANTED;
    request.customer = (char *)jo;
    request.consent = &consent;
    request.request_id = "consent-1";
    CU_ASSERT_PTR_NULL(fixture_call(fixture, "ConsentService/SetConsent", &request, &first));
    CU_ASSERT_PTR_NULL(fixture_call(fixture, "ConsentService/SetConsent", &request, &again));

    CHECK_TEXT(again.etag, first.etag);
    CHECK_INT((int)history_of(fixture, jo).n_records, 1);
    consent.state = DENIED;
    CHECK_TEXT(error_reason(fixture_call(fixture, "ConsentService/SetConsent", &request, &again)),
        "REQUEST_ID_REUSED");
    CU_ASSERT_TRUE(fixture_stop(fixture));
}

static void a_merge_keeps_both_histories_and_tells_what_it_took(void)
{
    Fixture *fixture = start_identity_with_tellers();
    const char *jo = a_customer(fixture, "Jo", NULL), *bo = a_customer(fixture, "Bo", NULL);
    ListConsentHistoryResponse history;
    Customer reply;

    CU_ASSERT_PTR_NULL(set_consent(fixture, jo, "surveys", "inbox", GRANTED, &reply));
    CU_ASSERT_PTR_NULL(set_consent(fixture, bo, "surveys", "inbox", DENIED, &reply));
    CU_ASSERT_PTR_NULL(set_consent(fixture, bo, "service", "inbox", DENIED, &reply));
    CU_ASSERT_PTR_NULL(merge(fixture, jo, bo, "", &reply));
    CU_ASSERT_FALSE(allows(fixture, jo, "surveys", "inbox"));
    history = history_of(fixture, bo);

    CU_ASSERT_EQUAL_FATAL(history.n_records, 4);
    CHECK_TEXT(history.records[0]->merged, bo);
    CHECK_TEXT(history.records[0]->customer, jo);
    CHECK_INT(history.records[0]->consent->state, DENIED);
    CHECK_TEXT(history.records[1]->origin, bo);
    CHECK_TEXT(history.records[1]->customer, jo);
    CHECK_TEXT(history.records[3]->origin, jo);
    CU_ASSERT_TRUE(fixture_stop(fixture));
}

static void words_that_make_no_sense_are_refused(void)
{
    Fixture *fixture = start_identity();
    SetConsentRequest request = THROUGHLINE__IDENTITY__V1__SET_CONSENT_REQUEST__INIT;
    Throughline__Identity__V1__CheckConsentRequest check =
        THROUGHLINE__IDENTITY__V1__CHECK_CONSENT_REQUEST__INIT;
    CheckConsentResponse channels = THROUGHLINE__IDENTITY__V1__CHECK_CONSENT_RESPONSE__INIT;
    ListConsentHistoryRequest list = THROUGHLINE__IDENTITY__V1__LIST_CONSENT_HISTORY_REQUEST__INIT;
    ListConsentHistoryResponse history =
        THROUGHLINE__IDENTITY__V1__LIST_CONSENT_HISTORY_RESPONSE__INIT;
    Customer reply = THROUGHLINE__IDENTITY__V1__CUSTOMER__INIT;
    const Error *error = fixture_call(fixture, "ConsentService/SetConsent", &request, &reply);

    CU_ASSERT_TRUE(blames(error, "customer") && blames(error, "consent"));
    error = set_consent(fixture, "customers/nobody", "Surveys!", "", 0, &reply);
    CU_ASSERT_TRUE(blames(error, "consent.purpose") && blames(error, "consent.channel") &&
                   blames(error, "consent.state"));
    CHECK_TEXT(
        error_reason(set_consent(fixture, "customers/nobody", "surveys", "inbox", GRANTED, &reply)),
        "CUSTOMER_NOT_FOUND");
    error = fixture_call(fixture, "ConsentService/CheckConsent", &check, &channels);
    CU_ASSERT_TRUE(blames(error, "customer") && blames(error, "purpose"));
    check.customer = list.customer = "customers/nobody";
    check.purpose = "surveys";
    CHECK_TEXT(
        error_reason(fixture_call(fixture, "ConsentService/CheckConsent", &check, &channels)),
        "CUSTOMER_NOT_FOUND");
    CHECK_TEXT(
        error_reason(fixture_call(fixture, "ConsentService/ListConsentHistory", &list, &history)),
        "CUSTOMER_NOT_FOUND");
    CU_ASSERT_TRUE(fixture_stop(fixture));
}

static void a_customer_has_only_so_many_consents(void)
{
    Fixture *fixture = start_identity();
    const char *jo = a_customer(fixture, "Jo", NULL);
    Customer reply;

    for (int i = 0; i < CUSTOMER_MAX_CONSENTS; i++)
        CU_ASSERT_PTR_NULL(set_consent(fixture, jo,
            arena_printf(fixture_arena(fixture), "purpose-%d", i), "inbox", GRANTED, &reply));

    CHECK_TEXT(
        error_reason(set_consent(fixture, jo, "more", "inbox", GRANTED, &reply)), "CONSENTS_FULL");
    CU_ASSERT_TRUE(fixture_stop(fixture));
}

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        { "nobody_asked_is_no", nobody_asked_is_no },
        { "a_yes_comes_with_its_proof", a_yes_comes_with_its_proof },
        { "a_yes_may_end_by_itself", a_yes_may_end_by_itself },
        { "the_history_keeps_every_word", the_history_keeps_every_word },
        { "a_repeated_request_is_one_word", a_repeated_request_is_one_word },
        { "a_merge_keeps_both_histories_and_tells_what_it_took",
            a_merge_keeps_both_histories_and_tells_what_it_took },
        { "words_that_make_no_sense_are_refused", words_that_make_no_sense_are_refused },
        { "a_customer_has_only_so_many_consents", a_customer_has_only_so_many_consents },
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        { .pName = "consent", .pTests = tests },
        CU_SUITE_INFO_NULL,
    };

    return test_main("identity_consent_service", suites, argc, argv);
}
