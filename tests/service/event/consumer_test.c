/* A consumer: every event has its effect once, in order, whatever fails. */
#include "shared/base/clock.h"
#include "tests/service/event/note_service.h"
#include "tests/support/fixture.h"
#include "tests/support/test_main.h"

#include <stdlib.h>

static const Service *const with_notes[] = { &note_service, NULL };

static Fixture *mirror;
static Fixture *writer; /* the note service */

static void start(void)
{
    atomic_store(&mirror_fails_every, 0);
    mirror = fixture_start_with(&mirror_service, with_notes);
    writer = fixture_peer(mirror, "notes");
}

static void stop(void)
{
    CU_ASSERT_TRUE(fixture_stop(mirror));
}

static void write_note(const char *name, int number, const char *customer)
{
    WriteNoteRequest request = THROUGHLINE__ECHO__V1__WRITE_NOTE_REQUEST__INIT;
    Note note = THROUGHLINE__ECHO__V1__NOTE__INIT;

    request.name = (char *)name;
    request.text = arena_printf(fixture_arena(writer), "%d", number);
    request.customer = (char *)customer;
    CHECK_TEXT(error_reason(fixture_call(writer, "NoteService/WriteNote", &request, &note)), "OK");
}

static Tally tally_of(const char *customer)
{
    StoreView view = fixture_view(mirror);
    Tally tally = THROUGHLINE__ECHO__V1__TALLY__INIT;

    CHECK_TEXT(error_reason(store_get(&view, &tallies, customer, &tally)), "OK");
    return tally;
}

/* That the texts are first, first + 1, first + 2 … */
static void check_order(const Tally *tally, int64_t first, int64_t count)
{
    CHECK_INT(tally->writings, count);
    CHECK_INT(tally->n_texts, count);
    for (size_t i = 0; i < tally->n_texts; i++)
        CHECK_INT(atoll(tally->texts[i]), first + (int64_t)i);
}

static void events_have_their_effect_in_order(void)
{
    Tally tally;

    for (int i = 0; i < 40; i++)
        write_note(i % 2 ? "notes/a" : "notes/b", i, "customers/ann");

    CU_ASSERT_TRUE(fixture_settle(mirror));
    tally = tally_of("customers/ann");
    check_order(&tally, 0, 40);
}

static void failures_before_and_after_the_effect_make_no_difference(void)
{
    Tally ann, bob;

    atomic_store(&mirror_fails_every, 3);
    for (int i = 0; i < 20; i++) {
        write_note("notes/a", i, "customers/ann");
        write_note("notes/b", 100 + i, "customers/bob");
    }

    CU_ASSERT_TRUE(fixture_settle(mirror));
    CU_ASSERT_TRUE(counter_value(metrics_counter(fixture_context(mirror)->metrics,
                       "event_consumer_retries_total", "source=\"notes\"", "")) > 5);
    ann = tally_of("customers/ann");
    bob = tally_of("customers/bob");
    check_order(&ann, 0, 20);
    check_order(&bob, 100, 20);
}

static void a_consumer_that_restarts_goes_on(void)
{
    Tally tally;

    for (int round = 0; round < 4; round++) {
        for (int i = 0; i < 10; i++)
            write_note("notes/a", round * 10 + i, "customers/ann");
        fixture_restart(mirror);
    }

    CU_ASSERT_TRUE(fixture_settle(mirror));
    tally = tally_of("customers/ann");
    check_order(&tally, 0, 40);
}

static void a_source_that_restarts_is_followed_again(void)
{
    Tally tally;

    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 10; i++)
            write_note("notes/a", round * 10 + i, "customers/ann");
        fixture_restart(writer);
    }
    write_note("notes/a", 30, "customers/ann");

    CU_ASSERT_TRUE(fixture_settle(mirror));
    tally = tally_of("customers/ann");
    check_order(&tally, 0, 31);
}

static void forget_positions(void)
{
    StoreView view = fixture_view(mirror);
    Throughline__Event__V1__Lease lease = THROUGHLINE__EVENT__V1__LEASE__INIT;

    lease.name = "leases/consumer-notes";
    CHECK_TEXT(error_reason(store_put(&view, &event_leases, &lease, NULL)), "OK");
}

/* Positions may be lost up to the last effect: as after a crash, all comes again. */
static void events_that_come_twice_have_one_effect(void)
{
    Tally tally;

    for (int i = 0; i < 20; i++)
        write_note("notes/a", i, "customers/ann");
    CU_ASSERT_TRUE(fixture_settle(mirror));

    /* Another holder with old positions: the lease is lost, and then taken again from the start. */
    forget_positions();
    for (int i = 20; i < 30; i++)
        write_note("notes/a", i, "customers/ann");

    CU_ASSERT_TRUE(fixture_settle(mirror));
    tally = tally_of("customers/ann");
    check_order(&tally, 0, 30);
}

static void check_album(const char *note, int64_t first, int64_t count)
{
    Tally tally = tally_of(note);

    check_order(&tally, first, count);
}

/* All comes again, and what waits comes together: with failures of the whole, and then of single events. */
static void keep_an_album(int fails_every)
{
    int64_t until;

    stop();
    mirror = fixture_start_with(&album_service, with_notes);
    writer = fixture_peer(mirror, "notes");
    atomic_store(&album_most, 0);
    atomic_store(&mirror_fails_every, fails_every);
    for (int i = 0; i < 30; i++) {
        write_note("notes/a", i, "customers/ann");
        write_note("notes/b", 100 + i, "customers/ann");
    }
    CU_ASSERT_TRUE(fixture_settle(mirror));
    forget_positions();
    for (int i = 30; i < 40; i++)
        write_note("notes/a", i, "customers/ann");

    until = clock_monotonic() + 60 * INT64_C(1000000);
    while (atomic_load(&album_most) < 60 && clock_monotonic() < until)
        clock_sleep_ms(5);
    CU_ASSERT_TRUE(atomic_load(&album_most) >= 60);
    CU_ASSERT_TRUE(fixture_settle(mirror));
    check_album("notes/a", 0, 40);
    check_album("notes/b", 100, 30);
}

static void events_that_wait_are_applied_together(void)
{
    keep_an_album(0);
}

static void events_that_cannot_be_applied_together_are_applied_one_by_one(void)
{
    keep_an_album(2);
    CU_ASSERT_TRUE(counter_value(metrics_counter(fixture_context(mirror)->metrics,
                       "event_consumer_retries_total", "source=\"notes\"", "")) > 0);
}

/* The mirror's own count, which its admin page shows. */
static int64_t lag(void)
{
    return gauge_value(metrics_gauge(
        fixture_context(mirror)->metrics, "event_consumer_lag_events", "source=\"notes\"", ""));
}

static void the_lag_counts_what_waits(void)
{
    int64_t until = clock_monotonic() + 20 * INT64_C(1000000);

    atomic_store(&mirror_is_stuck, true);
    for (int i = 0; i < 5; i++)
        write_note("notes/a", i, "customers/ann");
    while (lag() != 5 && clock_monotonic() < until)
        clock_sleep_ms(20);
    CHECK_INT(lag(), 5);

    atomic_store(&mirror_is_stuck, false);
    CU_ASSERT_TRUE(fixture_settle(mirror));
    while (lag() != 0 && clock_monotonic() < until)
        clock_sleep_ms(20);
    CHECK_INT(lag(), 0);
}

static CU_TestInfo tests[] = {
    { "events_have_their_effect_in_order", events_have_their_effect_in_order },
    { "failures_before_and_after_the_effect_make_no_difference",
        failures_before_and_after_the_effect_make_no_difference },
    { "a_consumer_that_restarts_goes_on", a_consumer_that_restarts_goes_on },
    { "a_source_that_restarts_is_followed_again", a_source_that_restarts_is_followed_again },
    { "events_that_come_twice_have_one_effect", events_that_come_twice_have_one_effect },
    { "events_that_wait_are_applied_together", events_that_wait_are_applied_together },
    { "events_that_cannot_be_applied_together_are_applied_one_by_one",
        events_that_cannot_be_applied_together_are_applied_one_by_one },
    { "the_lag_counts_what_waits", the_lag_counts_what_waits },
    CU_TEST_INFO_NULL,
};

int main(int argc, char **argv)
{
    CU_SuiteInfo suites[] = {
        { .pName = "consumer", .pSetUpFunc = start, .pTearDownFunc = stop, .pTests = tests },
        CU_SUITE_INFO_NULL,
    };

    return test_main("event_consumer_test", suites, argc, argv);
}
