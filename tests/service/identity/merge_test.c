#include "tests/service/identity/calls.h"

#include "services/identity/merge_steps.h"
#include "shared/base/clock.h"
#include "shared/base/text.h"
#include "shared/codec/types.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { MERGERS = 6, MERGES_EACH = 12, RECORDS = 8 };

static bool has_identifier(const Customer *customer, const char *key)
{
    return customer_identifier(customer, key) != NULL;
}

/* What a crash behind step 1 leaves. */
static void mark_only(Fixture *fixture, const char *duplicate, const char *survivor)
{
    StoreView view = fixture_view(fixture);
    Arena *arena = fixture_arena(fixture);
    Merge merge = THROUGHLINE__IDENTITY__V1__MERGE__INIT;
    Customer marked = THROUGHLINE__IDENTITY__V1__CUSTOMER__INIT;
    Customer target = THROUGHLINE__IDENTITY__V1__CUSTOMER__INIT;

    merge.reason = "crashed";
    merge.channel = "care";
    merge.actor = "agents/lee";
    merge.time = timestamp_from_micros(arena, clock_now());
    CU_ASSERT_PTR_NULL(store_get(&view, &customers, duplicate, &marked));
    target.name = (char *)survivor;
    merge_mark(&marked, &target, &merge, arena);
    CU_ASSERT_PTR_NULL(store_replace(&view, &customers, &marked, NULL));
}

/* Runs the job as it would a minute from now. */
static const Error *run_job(Fixture *fixture)
{
    Arena *arena = fixture_arena(fixture);
    RpcContext context = { "", "services/identity", "", "", "", "" };
    RpcCall *call =
        rpc_internal_call(arena, "job/finish-merges", &context, fixture_context(fixture));
    StoreView view = fixture_view(fixture);

    view.seal = event_seal;
    view.seal_context = call;
    call->store = &view;
    call->arrived_at += INT64_C(60) * 1000000;
    return finish_merges(call);
}

static Customer stored(Fixture *fixture, const char *name)
{
    StoreView view = fixture_view(fixture);
    Customer customer = THROUGHLINE__IDENTITY__V1__CUSTOMER__INIT;

    CU_ASSERT_PTR_NULL(store_get(&view, &customers, name, &customer));
    return customer;
}

static const CustomersMerged *merge_event(Fixture *fixture, const char *customer, int64_t number)
{
    const Event *event = fixture_event(fixture, customer, number);

    return event ? event_payload(fixture_arena(fixture), event,
                       &throughline__identity__v1__customers_merged__descriptor)
                 : NULL;
}

static void the_survivor_answers_for_the_merged_record(void)
{
    Fixture *fixture = start_identity();
    const char *jo = a_customer(fixture, "Jo", "device-1"),
               *bo = a_customer(fixture, "", "device-2");
    Customer reply, found;
    const CustomersMerged *event;

    CHECK_TEXT(error_reason(merge(fixture, jo, bo, "", &reply)), "OK");

    CHECK_TEXT(reply.name, jo);
    CU_ASSERT_TRUE(has_identifier(&reply, "device:device-1"));
    CU_ASSERT_TRUE(has_identifier(&reply, "device:device-2"));
    CU_ASSERT_PTR_NULL(get_customer(fixture, bo, &found));
    CHECK_TEXT(found.name, jo);
    CHECK_TEXT(found.etag, reply.etag);
    CU_ASSERT_PTR_NULL(find_customer(fixture, DEVICE, "device-2", &found));
    CHECK_TEXT(found.name, jo);
    CHECK_TEXT(stored(fixture, bo).merge->reason, "same address and phone");
    CHECK_TEXT(stored(fixture, bo).merge->actor, "agents/kim");
    CU_ASSERT_FALSE(stored(fixture, bo).merge->is_pending);
    event = merge_event(fixture, jo, 2);
    CU_ASSERT_PTR_NOT_NULL_FATAL(event);
    CHECK_TEXT(event->duplicate, bo);
    CHECK_TEXT(event->reason, "same address and phone");
    CU_ASSERT_TRUE(fixture_stop(fixture));
}

static void merged_records_lead_over_every_merge(void)
{
    Fixture *fixture = start_identity();
    const char *a = a_customer(fixture, "A", NULL), *b = a_customer(fixture, "B", NULL),
               *c = a_customer(fixture, "C", "device-c");
    Customer reply;

    CU_ASSERT_PTR_NULL(merge(fixture, b, c, "", &reply));
    CU_ASSERT_PTR_NULL(merge(fixture, a, b, "", &reply));

    CU_ASSERT_PTR_NULL(get_customer(fixture, c, &reply));
    CHECK_TEXT(reply.name, a);
    CU_ASSERT_PTR_NULL(find_customer(fixture, DEVICE, "device-c", &reply));
    CHECK_TEXT(reply.name, a);
    CHECK_INT((int)reply.n_merged_from, 2);
    CU_ASSERT_TRUE(fixture_stop(fixture));
}

static void the_same_merge_again_changes_nothing(void)
{
    Fixture *fixture = start_identity();
    const char *jo = a_customer(fixture, "Jo", NULL), *bo = a_customer(fixture, "Bo", NULL);
    Customer first, again;

    CU_ASSERT_PTR_NULL(merge(fixture, jo, bo, "merge-1", &first));
    CU_ASSERT_PTR_NULL(attach(fixture, jo, DEVICE, "device-1", &again));
    CU_ASSERT_PTR_NULL(merge(fixture, jo, bo, "merge-1", &again));
    CHECK_TEXT(again.etag, first.etag);
    CHECK_INT((int)again.n_identifiers, 0);
    CU_ASSERT_PTR_NULL(merge(fixture, jo, bo, "merge-2", &again));
    CHECK_INT((int)again.n_identifiers, 1);
    CHECK_INT((int)again.n_merged_from, 1);
    CHECK_TEXT(error_reason(merge(fixture, bo, jo, "merge-1", &again)), "REQUEST_ID_REUSED");
    CU_ASSERT_TRUE(fixture_stop(fixture));
}

static void merges_that_make_no_sense_are_refused(void)
{
    Fixture *fixture = start_identity();
    const char *a = a_customer(fixture, "A", NULL), *b = a_customer(fixture, "B", NULL),
               *c = a_customer(fixture, "C", NULL);
    MergeCustomersRequest empty = THROUGHLINE__IDENTITY__V1__MERGE_CUSTOMERS_REQUEST__INIT;
    Customer reply;
    const Error *error;

    CU_ASSERT_TRUE(blames(merge(fixture, a, a, "", &reply), "duplicate"));
    error = fixture_call(fixture, "CustomerService/MergeCustomers", &empty, &reply);
    CU_ASSERT_TRUE(
        blames(error, "survivor") && blames(error, "duplicate") && blames(error, "reason"));
    CHECK_TEXT(
        error_reason(merge(fixture, a, "customers/nobody", "", &reply)), "CUSTOMER_NOT_FOUND");
    CHECK_TEXT(
        error_reason(merge(fixture, "customers/nobody", a, "", &reply)), "CUSTOMER_NOT_FOUND");
    CU_ASSERT_PTR_NULL(merge(fixture, a, b, "", &reply));
    CHECK_TEXT(error_reason(merge(fixture, c, b, "", &reply)), "CUSTOMER_MERGED");
    CHECK_TEXT(error_reason(merge(fixture, b, c, "", &reply)), "CUSTOMER_MERGED");
    CHECK_TEXT(error_reason(attach(fixture, b, DEVICE, "device-1", &reply)), "CUSTOMER_MERGED");
    CHECK_TEXT(error_reason(detach(fixture, b, DEVICE, "device-1", &reply)), "CUSTOMER_MERGED");
    CU_ASSERT_TRUE(fixture_stop(fixture));
}

static void an_inherited_identifier_can_be_detached(void)
{
    Fixture *fixture = start_identity();
    const char *jo = a_customer(fixture, "Jo", NULL), *bo = a_customer(fixture, "Bo", "device-2"),
               *mo = a_customer(fixture, "Mo", NULL);
    Customer reply;

    CU_ASSERT_PTR_NULL(merge(fixture, jo, bo, "", &reply));
    CHECK_TEXT(error_reason(attach(fixture, mo, DEVICE, "device-2", &reply)), "IDENTIFIER_TAKEN");
    CU_ASSERT_PTR_NULL(detach(fixture, jo, DEVICE, "device-2", &reply));
    CHECK_INT((int)reply.n_identifiers, 0);
    CU_ASSERT_PTR_NULL(attach(fixture, mo, DEVICE, "device-2", &reply));
    CU_ASSERT_PTR_NULL(find_customer(fixture, DEVICE, "device-2", &reply));
    CHECK_TEXT(reply.name, mo);
    CU_ASSERT_TRUE(fixture_stop(fixture));
}

static void a_merge_cut_off_in_the_middle_is_seen_as_done(void)
{
    Fixture *fixture = start_identity();
    const char *jo = a_customer(fixture, "Jo", NULL), *bo = a_customer(fixture, "Bo", "device-2");
    Customer reply;

    CU_ASSERT_PTR_NULL(set_consent(fixture, jo, "surveys", "inbox", GRANTED, &reply));
    CU_ASSERT_PTR_NULL(set_consent(fixture, bo, "surveys", "inbox", DENIED, &reply));
    mark_only(fixture, bo, jo);

    CU_ASSERT_PTR_NULL(get_customer(fixture, bo, &reply));
    CHECK_TEXT(reply.name, jo);
    CU_ASSERT_TRUE(has_identifier(&reply, "device:device-2"));
    CU_ASSERT_FALSE(allows(fixture, bo, "surveys", "inbox"));
    CU_ASSERT_PTR_NULL(find_customer(fixture, DEVICE, "device-2", &reply));
    CHECK_TEXT(reply.name, jo);
    CU_ASSERT_TRUE(fixture_stop(fixture));
}

static void a_merge_cut_off_in_the_middle_is_finished_by_a_retry(void)
{
    Fixture *fixture = start_identity();
    const char *jo = a_customer(fixture, "Jo", NULL), *bo = a_customer(fixture, "Bo", "device-2");
    Customer reply;
    const CustomersMerged *event;

    mark_only(fixture, bo, jo);
    CHECK_TEXT(error_reason(merge(fixture, jo, bo, "another", &reply)), "OK");

    CU_ASSERT_TRUE(has_identifier(&reply, "device:device-2"));
    CU_ASSERT_TRUE(merge_is_absorbed(&reply, bo));
    event = merge_event(fixture, jo, 2);
    CU_ASSERT_PTR_NOT_NULL_FATAL(event);
    CHECK_TEXT(event->reason, "crashed");
    CHECK_TEXT(fixture_event(fixture, jo, 2)->actor, "agents/lee");
    CU_ASSERT_TRUE(fixture_stop(fixture));
}

static void a_merge_nobody_goes_on_with_is_finished_by_the_job(void)
{
    Fixture *fixture = start_identity();
    const char *jo = a_customer(fixture, "Jo", NULL), *bo = a_customer(fixture, "Bo", "device-2");
    Customer now;

    mark_only(fixture, bo, jo);
    CHECK_TEXT(error_reason(run_job(fixture)), "OK");

    now = stored(fixture, jo);
    CU_ASSERT_TRUE(has_identifier(&now, "device:device-2"));
    CU_ASSERT_FALSE(stored(fixture, bo).merge->is_pending);
    CU_ASSERT_PTR_NOT_NULL(merge_event(fixture, jo, 2));
    CHECK_TEXT(error_reason(run_job(fixture)), "OK");
    CHECK_TEXT(stored(fixture, jo).etag, now.etag);
    CU_ASSERT_TRUE(fixture_stop(fixture));
}

static void a_consent_to_a_half_merged_record_is_the_last_word(void)
{
    Fixture *fixture = start_identity();
    const char *jo = a_customer(fixture, "Jo", NULL), *bo = a_customer(fixture, "Bo", NULL);
    Customer reply;

    CU_ASSERT_PTR_NULL(set_consent(fixture, bo, "surveys", "inbox", GRANTED, &reply));
    mark_only(fixture, bo, jo);
    CU_ASSERT_FALSE(allows(fixture, bo, "surveys", "inbox"));
    CU_ASSERT_PTR_NULL(set_consent(fixture, bo, "surveys", "inbox", GRANTED, &reply));
    CHECK_TEXT(reply.name, jo);
    CU_ASSERT_PTR_NULL(merge(fixture, jo, bo, "", &reply));

    CU_ASSERT_TRUE(allows(fixture, jo, "surveys", "inbox"));
    CU_ASSERT_TRUE(fixture_stop(fixture));
}

/* Both marks are there, as two callers leave them who did not see each other. */
static void a_circle_of_merges_is_opened(void)
{
    Fixture *fixture = start_identity();
    const char *jo = a_customer(fixture, "Jo", "device-1"),
               *bo = a_customer(fixture, "Bo", "device-2");
    const char *lowest = strcmp(jo, bo) < 0 ? jo : bo, *other = lowest == jo ? bo : jo;
    Customer reply;

    mark_only(fixture, jo, bo);
    mark_only(fixture, bo, jo);
    CHECK_TEXT(error_reason(get_customer(fixture, jo, &reply)), "MERGE_CONFLICT");
    (void)run_job(fixture);

    CHECK_TEXT(error_reason(run_job(fixture)), "OK");
    CU_ASSERT_PTR_NULL(get_customer(fixture, other, &reply));
    CHECK_TEXT(reply.name, lowest);
    CHECK_INT((int)reply.n_identifiers, 2);
    CU_ASSERT_TRUE(merge_is_absorbed(&reply, other));
    CU_ASSERT_TRUE(fixture_stop(fixture));
}

typedef struct Merger {
    Fixture *fixture;
    RpcOutgoing outgoing;
    const char *const *records;
    unsigned seed;
    pthread_t thread;
} Merger;

/* Merges records at random, in both directions, whatever comes of it. */
static void *merge_at_random(void *argument)
{
    Merger *merger = argument;

    for (int i = 0; i < MERGES_EACH; i++) {
        MergeCustomersRequest request = THROUGHLINE__IDENTITY__V1__MERGE_CUSTOMERS_REQUEST__INIT;
        Customer reply = THROUGHLINE__IDENTITY__V1__CUSTOMER__INIT;

        request.survivor = (char *)merger->records[rand_r(&merger->seed) % RECORDS];
        request.duplicate = (char *)merger->records[rand_r(&merger->seed) % RECORDS];
        request.reason = "at random";
        merger->outgoing.deadline = 0;
        (void)fixture_call_with(
            merger->fixture, &merger->outgoing, "CustomerService/MergeCustomers", &request, &reply);
    }
    return NULL;
}

/* The end of the story, whatever the order: every record leads to a survivor that lists its
 * identifier. */
static void merges_at_the_same_time_lose_nobody(void)
{
    Fixture *fixture = start_identity();
    const char *records[RECORDS];
    Merger mergers[MERGERS];
    Customer survivor, found;

    for (int i = 0; i < RECORDS; i++)
        records[i] =
            a_customer(fixture, "", arena_printf(fixture_arena(fixture), "device-%d", i + 1));
    for (int i = 0; i < MERGERS; i++) {
        mergers[i] = (Merger){ fixture, fixture_outgoing(fixture), records, (unsigned)i + 1, 0 };
        mergers[i].outgoing.arena = arena_new();
        pthread_create(&mergers[i].thread, NULL, merge_at_random, &mergers[i]);
    }
    for (int i = 0; i < MERGERS; i++) {
        pthread_join(mergers[i].thread, NULL);
        arena_free(mergers[i].outgoing.arena);
    }
    for (int i = 0; i < RECORDS && run_job(fixture); i++)
        continue;
    CHECK_TEXT(error_reason(run_job(fixture)), "OK");

    for (int i = 0; i < RECORDS; i++) {
        const char *device = arena_printf(fixture_arena(fixture), "device-%d", i + 1);

        CHECK_TEXT(error_reason(get_customer(fixture, records[i], &survivor)), "OK");
        CU_ASSERT_TRUE(
            text_equal(survivor.name, records[i]) || merge_is_absorbed(&survivor, records[i]));
        CU_ASSERT_TRUE(
            has_identifier(&survivor, arena_printf(fixture_arena(fixture), "device:%s", device)));
        CHECK_TEXT(error_reason(find_customer(fixture, DEVICE, device, &found)), "OK");
        CHECK_TEXT(found.name, survivor.name);
        CU_ASSERT_FALSE(merge_is_absorbed(&survivor, survivor.name));
    }
    CU_ASSERT_TRUE(fixture_stop(fixture));
}

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        { "the_survivor_answers_for_the_merged_record",
            the_survivor_answers_for_the_merged_record },
        { "merged_records_lead_over_every_merge", merged_records_lead_over_every_merge },
        { "the_same_merge_again_changes_nothing", the_same_merge_again_changes_nothing },
        { "merges_that_make_no_sense_are_refused", merges_that_make_no_sense_are_refused },
        { "an_inherited_identifier_can_be_detached", an_inherited_identifier_can_be_detached },
        { "a_merge_cut_off_in_the_middle_is_seen_as_done",
            a_merge_cut_off_in_the_middle_is_seen_as_done },
        { "a_merge_cut_off_in_the_middle_is_finished_by_a_retry",
            a_merge_cut_off_in_the_middle_is_finished_by_a_retry },
        { "a_merge_nobody_goes_on_with_is_finished_by_the_job",
            a_merge_nobody_goes_on_with_is_finished_by_the_job },
        { "a_consent_to_a_half_merged_record_is_the_last_word",
            a_consent_to_a_half_merged_record_is_the_last_word },
        { "a_circle_of_merges_is_opened", a_circle_of_merges_is_opened },
        { "merges_at_the_same_time_lose_nobody", merges_at_the_same_time_lose_nobody },
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        { .pName = "merge", .pTests = tests },
        CU_SUITE_INFO_NULL,
    };

    return test_main("identity_merge_service", suites, argc, argv);
}
