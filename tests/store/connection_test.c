/* A server of MongoDB's protocol that is silent, gone, or whose answers are lost on the way. */
#include "tests/store/proxy.h"
#include "tests/store/store_fixture.h"

#include "shared/base/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SHORT_MS = 300, LONG_MS = 3000, SLACK_MS = 150, PATIENCE_MS = 20 * 1000 };

static Proxy *proxy;
static Store *store;

/* The only server of the address; 0 when there are several. */
static int server_port(void)
{
    const char *uri = getenv("THROUGHLINE_TEST_MONGO_URI");
    int port = 0;

    return uri && sscanf(uri, "mongodb://127.0.0.1:%d/", &port) == 1 ? port : 0;
}

static void start(void)
{
    const Collection *const collections[] = { &records, NULL };
    const char *uri;

    if (!server_port())
        return;
    fixture_start(MONGO);
    proxy = proxy_start(server_port());
    uri = arena_printf(the_arena(), "mongodb://127.0.0.1:%d/?retryWrites=false", proxy_port(proxy));
    CHECK_OK(store_open(the_arena(),
        &(StoreOptions){ .uri = uri, .service = fixture_service(), .collections = collections },
        &store));
    CU_ASSERT_FATAL(store != NULL);
}

static void stop(void)
{
    if (!proxy)
        return;
    proxy_set(proxy, PROXY_PASS);
    store_close(store);
    proxy_stop(proxy);
    proxy = NULL;
    fixture_stop();
}

static bool is_skipped(void)
{
    if (!proxy)
        test_skip("THROUGHLINE_TEST_MONGO_URI names no single server on 127.0.0.1");
    return !proxy;
}

/* Through the door; the fixture's own store goes past it. */
static StoreView *through(StoreView *view)
{
    view->store = store;
    return view;
}

static StoreView *within(int milliseconds)
{
    StoreView *view = through(a_view());

    view->deadline = clock_monotonic() + milliseconds * INT64_C(1000);
    return view;
}

static StoreView *soon(void)
{
    return within(SHORT_MS);
}

static void check_in_time(int64_t start)
{
    int64_t took_ms = (clock_monotonic() - start) / 1000;

    if (took_ms > SHORT_MS + SLACK_MS)
        CHECK_INT(took_ms, SHORT_MS);
}

/* A call that waits for an answer runs out of time; one that finds the connection broken and no server may say so instead. */
static void check_given_up(const Error *error)
{
    CU_ASSERT(
        error && (error->code == ERROR_DEADLINE_EXCEEDED || error->code == ERROR_UNAVAILABLE));
}

static void a_silent_server_ends_calls_at_their_deadline(void)
{
    StorePage page;
    int64_t begin;

    if (is_skipped())
        return;
    CHECK_OK(store_insert(through(a_view()), &records, a_record("1"), NULL));
    proxy_set(proxy, PROXY_HOLD);

    begin = clock_monotonic();
    CHECK_REASON(store_get(soon(), &records, "records/1", a_record("x")), "DEADLINE_EXCEEDED");
    check_in_time(begin);
    begin = clock_monotonic();
    check_given_up(store_insert(soon(), &records, a_record("2"), NULL));
    check_in_time(begin);
    begin = clock_monotonic();
    check_given_up(store_find(soon(), &records, &(StoreQuery){ .limit = 1 }, &page));
    check_in_time(begin);
}

/* A busy server may need longer for each write than a silent one is given. */
static bool works_again(void)
{
    int64_t until = clock_monotonic() + PATIENCE_MS * 1000;

    while (clock_monotonic() < until)
        if (!store_put(within(LONG_MS), &records, a_record("again"), NULL))
            return true;
    return false;
}

static void a_server_that_was_silent_is_used_again(void)
{
    if (is_skipped())
        return;
    proxy_set(proxy, PROXY_HOLD);
    store_insert(soon(), &records, a_record("1"), NULL);
    proxy_set(proxy, PROXY_PASS);

    CU_ASSERT(works_again());
}

static void a_server_that_is_gone_is_unavailable_until_it_is_back(void)
{
    if (is_skipped())
        return;
    proxy_set(proxy, PROXY_REFUSE);
    clock_sleep_ms(20);
    check_given_up(store_insert(soon(), &records, a_record("1"), NULL));
    CU_ASSERT(store_check(store) != NULL);
    proxy_set(proxy, PROXY_PASS);

    CU_ASSERT(works_again());
    CHECK_OK(store_check(store));
}

static size_t n_events(void)
{
    StoreEntry *entries;
    size_t count = 0;

    CHECK_OK(store_outbox_read(a_view(), 1, 100, &entries, &count));
    return count;
}

static void an_insert_whose_answer_is_lost_is_done_once(void)
{
    Record *record;

    if (is_skipped())
        return;
    record = a_record_of("1", "ann");
    proxy_lose_answer_to(proxy, "write_id");
    CHECK_OK(store_insert(through(a_view()), &records, record, a_record("event")));

    CU_ASSERT(proxy_has_lost(proxy));
    CHECK_TEXT(stored(&records, "records/1")->etag, record->etag);
    CHECK_INT(n_events(), 1);
}

static void a_replace_whose_answer_is_lost_is_done_once(void)
{
    Record *record;

    if (is_skipped())
        return;
    record = a_record("1");
    CHECK_OK(store_insert(through(a_view()), &records, record, a_record("event")));
    record->count = 1;
    proxy_lose_answer_to(proxy, "write_id");
    CHECK_OK(store_replace(through(a_view()), &records, record, a_record("event")));

    CU_ASSERT(proxy_has_lost(proxy));
    CHECK_TEXT(stored(&records, "records/1")->etag, record->etag);
    CHECK_INT(n_events(), 2);
    CHECK_OK(store_replace(through(a_view()), &records, record, NULL));
}

static void a_request_whose_claim_is_lost_is_answered(void)
{
    StoreView *again;

    if (is_skipped())
        return;
    again = a_request("key", "");
    proxy_lose_answer_to(proxy, "claim");
    CHECK_OK(store_insert(through(a_request("key", "ann")), &records, a_record("1"), NULL));

    CU_ASSERT(proxy_has_lost(proxy));
    CHECK_REASON(store_find_reply(again), "REQUEST_REPLAYED");
    CHECK_TEXT(owner_of(again->replayed), "ann");
}

static void an_increment_whose_answer_is_lost_says_so(void)
{
    if (is_skipped())
        return;
    CHECK_OK(store_insert(through(a_view()), &records, a_record("1"), NULL));
    proxy_lose_answer_to(proxy, "findAndModify");

    CHECK_REASON(store_increment(through(a_view()), &records, "records/1", "stock", 1, 0, 9, NULL),
        "STORE_UNAVAILABLE");
    CHECK_INT(stored(&records, "records/1")->stock, 1);
}

static void a_delete_whose_answer_is_lost_is_done(void)
{
    if (is_skipped())
        return;
    CHECK_OK(store_insert(through(a_view()), &records, a_record("1"), NULL));
    proxy_lose_answer_to(proxy, "deletes");

    CHECK_OK(store_delete(through(a_view()), &records, "records/1", ""));
    CHECK_REASON(store_get(a_view(), &records, "records/1", a_record("x")), "RECORD_NOT_FOUND");
}

static void a_trim_whose_answer_is_lost_can_be_repeated(void)
{
    StoreEntry *entries;
    size_t n_entries;

    if (is_skipped())
        return;
    CHECK_OK(store_insert(through(a_view()), &records, a_record("1"), a_record("event")));
    CHECK_OK(store_outbox_read(through(a_view()), 1, 100, &entries, &n_entries));
    proxy_lose_answer_to(proxy, "pullAll");

    store_outbox_trim(through(a_view()), entries, n_entries);
    CHECK_OK(store_outbox_trim(through(a_view()), entries, n_entries));
    CHECK_INT(n_events(), 0);
}

int main(int argc, char **argv)
{
    CU_TestInfo cases[] = {
        { "a_silent_server_ends_calls_at_their_deadline",
            a_silent_server_ends_calls_at_their_deadline },
        { "a_server_that_was_silent_is_used_again", a_server_that_was_silent_is_used_again },
        { "a_server_that_is_gone_is_unavailable_until_it_is_back",
            a_server_that_is_gone_is_unavailable_until_it_is_back },
        { "an_insert_whose_answer_is_lost_is_done_once",
            an_insert_whose_answer_is_lost_is_done_once },
        { "a_replace_whose_answer_is_lost_is_done_once",
            a_replace_whose_answer_is_lost_is_done_once },
        { "a_request_whose_claim_is_lost_is_answered", a_request_whose_claim_is_lost_is_answered },
        { "an_increment_whose_answer_is_lost_says_so", an_increment_whose_answer_is_lost_says_so },
        { "a_delete_whose_answer_is_lost_is_done", a_delete_whose_answer_is_lost_is_done },
        { "a_trim_whose_answer_is_lost_can_be_repeated",
            a_trim_whose_answer_is_lost_can_be_repeated },
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        { .pName = "connection", .pSetUpFunc = start, .pTearDownFunc = stop, .pTests = cases },
        CU_SUITE_INFO_NULL,
    };

    return test_main("connection_test", suites, argc, argv);
}
