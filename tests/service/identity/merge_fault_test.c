/* A merge with each of its operations on the store failing in turn, before or after its effect:
 * nothing is lost, and whoever tries again finishes it. */
#include "services/identity/customer_records.h"
#include "services/identity/merge_steps.h"
#include "shared/base/clock.h"
#include "shared/base/text.h"
#include "shared/store/engine_failing.h"
#include "tests/support/test_main.h"

enum { MAX_OPERATIONS = 40 };

#define JO "customers/jo"
#define BO "customers/bo"

static const Error broken = { ERROR_UNAVAILABLE, "STORE_UNAVAILABLE", "Broken for the test." };

/* A store without a server around it, so that only the merge counts. */
typedef struct Bench {
    Arena *arena;
    Store *store;
    StoreView view;
    RpcCall *call;
} Bench;

static void open_bench(Bench *bench)
{
    RpcContext context = { "care", "agents/kim", "", "", "", "" };
    StoreOptions options = { .service = "identity", .collections = identity_collections };

    *bench = (Bench){ .arena = arena_new() };
    options.uri = arena_printf(bench->arena, "embedded:%s", test_folder());
    CU_ASSERT_PTR_NULL_FATAL(store_open(bench->arena, &options, &bench->store));
    bench->call = rpc_internal_call(bench->arena, "test", &context, NULL);
    bench->view = (StoreView){ .store = bench->store,
        .arena = bench->arena,
        .seal = event_seal,
        .seal_context = bench->call };
    bench->call->store = &bench->view;
}

static void close_bench(Bench *bench)
{
    store_close(bench->store);
    arena_free(bench->arena);
}

static void add_customer(Bench *bench, const char *name, const char *device, int consent_state)
{
    Customer customer = THROUGHLINE__IDENTITY__V1__CUSTOMER__INIT;
    Identifier identifier = THROUGHLINE__IDENTITY__V1__IDENTIFIER__INIT;
    Throughline__Identity__V1__Consent consent = THROUGHLINE__IDENTITY__V1__CONSENT__INIT;
    IdentifierAttached attached = THROUGHLINE__IDENTITY__V1__IDENTIFIER_ATTACHED__INIT;
    bool is_changed;

    customer.name = (char *)name;
    customer.state = THROUGHLINE__IDENTITY__V1__CUSTOMER__STATE__ACTIVE;
    identifier.kind = THROUGHLINE__IDENTITY__V1__IDENTIFIER__KIND__DEVICE;
    identifier.value = (char *)device;
    consent.purpose = "surveys";
    consent.channel = "inbox";
    consent.state = (Throughline__Identity__V1__Consent__State)consent_state;
    CU_ASSERT_PTR_NULL_FATAL(identifier_normalise(&identifier, bench->arena));
    CU_ASSERT_PTR_NULL_FATAL(
        customer_attach(&customer, &identifier, NULL, bench->arena, &attached, &is_changed));
    CU_ASSERT_PTR_NULL_FATAL(consent_set(&customer, &consent, bench->arena));
    CU_ASSERT_PTR_NULL_FATAL(store_insert(&bench->view, &customers, &customer, NULL));
}

static void add_both(Bench *bench)
{
    add_customer(bench, JO, "d-jo", THROUGHLINE__IDENTITY__V1__CONSENT__STATE__GRANTED);
    add_customer(bench, BO, "d-bo", THROUGHLINE__IDENTITY__V1__CONSENT__STATE__DENIED);
}

static const Error *merge_both(Bench *bench)
{
    Customer reply = THROUGHLINE__IDENTITY__V1__CUSTOMER__INIT;

    return merge_customers_into(bench->call, JO, BO, "twins", &reply);
}

static bool says_yes(Bench *bench, const char *name)
{
    Customer customer;
    char **channels;

    CU_ASSERT_PTR_NULL(customer_load_survivor(&bench->view, name, &customer));
    return consent_channels(&customer, "surveys", clock_now(), bench->arena, &channels) > 0;
}

/* At any time: whoever is asked for by an identifier lists it, and a no stays a no. */
static void check_nothing_is_lost(Bench *bench)
{
    static const char *const keys[] = { "device:d-jo", "device:d-bo" };

    for (size_t i = 0; i < COUNT(keys); i++) {
        Customer holder;

        CHECK_TEXT(error_reason(customer_find(&bench->view, keys[i], &holder)), "OK");
        CU_ASSERT_PTR_NOT_NULL(customer_identifier(&holder, keys[i]));
    }
    CU_ASSERT_FALSE(says_yes(bench, BO));
}

static int count_merge_events(Bench *bench)
{
    int events = 0;

    for (int partition = 0; partition < STORE_PARTITIONS; partition++) {
        StoreEntry *entries;
        size_t n;

        CU_ASSERT_PTR_NULL(
            store_outbox_read(&bench->view, 1u << partition, STORE_MAX_PAGE, &entries, &n));
        events += (int)n;
    }
    return events;
}

static void check_it_is_done(Bench *bench)
{
    Customer jo, bo;

    CU_ASSERT_PTR_NULL(customer_load(&bench->view, JO, &jo));
    CU_ASSERT_PTR_NULL(customer_load(&bench->view, BO, &bo));
    CHECK_INT((int)jo.n_identifiers, 2);
    CU_ASSERT_TRUE(merge_is_absorbed(&jo, BO));
    CU_ASSERT_TRUE(customer_is_merged(&bo));
    CU_ASSERT_FALSE(bo.merge->is_pending);
    CU_ASSERT_FALSE(says_yes(bench, JO));
    CHECK_INT(count_merge_events(bench), 1);
}

/* True while there was an operation left to fail. */
static bool fail_at(Bench *bench, int64_t nth, bool has_effect)
{
    StoreFault fault = { STORE_N_OPERATIONS, nth, false, has_effect, &broken };
    Customer first;
    const Error *error;

    store_fail(bench->store, &fault);
    error = merge_both(bench);
    store_fail(bench->store, NULL);
    check_nothing_is_lost(bench);
    if (error)
        CHECK_TEXT(error_reason(error), "STORE_UNAVAILABLE");
    /* The settling may fail without a word: then the merge is done but for the mark. */
    CU_ASSERT_PTR_NULL(customer_load(&bench->view, BO, &first));
    return error || (first.merge && first.merge->is_pending);
}

static void run_until_all_have_failed(bool has_effect, const Error *(*try_again)(Bench *bench))
{
    int64_t nth = 1;
    bool has_failed = true;

    for (; has_failed && nth < MAX_OPERATIONS; nth++) {
        Bench bench;

        open_bench(&bench);
        add_both(&bench);
        has_failed = fail_at(&bench, nth, has_effect);
        CHECK_TEXT(error_reason(try_again(&bench)), "OK");
        check_nothing_is_lost(&bench);
        check_it_is_done(&bench);
        close_bench(&bench);
    }
    CU_ASSERT_TRUE(nth > 8 && nth < MAX_OPERATIONS);
}

static const Error *merge_again(Bench *bench)
{
    return merge_both(bench);
}

/* Where the first step was not taken there is nothing to go on with: the caller tries again. */
static const Error *let_the_job_do_it(Bench *bench)
{
    Customer bo;
    const Error *error = customer_load(&bench->view, BO, &bo);

    if (error || !customer_is_merged(&bo))
        return error ? error : merge_both(bench);
    bench->call->arrived_at += INT64_C(3600) * 1000000;
    return finish_merges(bench->call);
}

static void a_retry_finishes_what_failed_before_its_effect(void)
{
    run_until_all_have_failed(false, merge_again);
}

static void a_retry_finishes_what_failed_behind_its_effect(void)
{
    run_until_all_have_failed(true, merge_again);
}

static void the_job_finishes_what_failed_before_its_effect(void)
{
    run_until_all_have_failed(false, let_the_job_do_it);
}

static void the_job_finishes_what_failed_behind_its_effect(void)
{
    run_until_all_have_failed(true, let_the_job_do_it);
}

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        { "a_retry_finishes_what_failed_before_its_effect",
            a_retry_finishes_what_failed_before_its_effect },
        { "a_retry_finishes_what_failed_behind_its_effect",
            a_retry_finishes_what_failed_behind_its_effect },
        { "the_job_finishes_what_failed_before_its_effect",
            the_job_finishes_what_failed_before_its_effect },
        { "the_job_finishes_what_failed_behind_its_effect",
            the_job_finishes_what_failed_behind_its_effect },
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        { .pName = "merge_fault", .pTests = tests },
        CU_SUITE_INFO_NULL,
    };

    return test_main("identity_merge_fault", suites, argc, argv);
}
