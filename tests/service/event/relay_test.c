/* The relay: whatever happens to it, the log has each event once, in order, without a gap. */
#include "shared/base/clock.h"
#include "shared/event/log.h"
#include "shared/event/relay.h"
#include "tests/service/event/log_fixture.h"
#include "tests/support/test_main.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    WAIT_MS = 10 * 1000,
    N_WRITERS = 4,
    N_NOTES = 12,
    N_WRITINGS = 60,
    N_KILLS = 12,
    N_BATCHES = 600,      /* events that need several batches */
    MONGO_IS_SLOWER = 12, /* FerretDB, by so much */
};

static bool is_mongo;

/* Counts and times fit the engine. */
static int fewer(int count)
{
    return is_mongo ? count / MONGO_IS_SLOWER : count;
}

static bool wait_for(LogFixture *fixture)
{
    return log_fixture_wait(fixture, is_mongo ? WAIT_MS * MONGO_IS_SLOWER : WAIT_MS);
}

static bool open_fixture(LogFixture *fixture)
{
    return log_fixture_open(fixture, is_mongo);
}

static void events_go_from_the_outbox_to_the_log(void)
{
    LogFixture fixture;
    EventRelay *relay;

    if (!open_fixture(&fixture))
        return;
    relay = event_relay_start(fixture.store, "notes", NULL, fixture.metrics);
    for (int i = 0; i < 3; i++) {
        log_fixture_write(&fixture, "notes/a", "");
        log_fixture_write(&fixture, "notes/b", "customers/ann");
    }

    CU_ASSERT_TRUE(wait_for(&fixture));
    CHECK_INT(log_fixture_check(&fixture), 6);

    event_relay_stop(relay, 0);
    log_fixture_close(&fixture);
}

static void what_waited_before_the_start_is_moved(void)
{
    LogFixture fixture;
    EventRelay *relay;

    if (!open_fixture(&fixture))
        return;
    for (int i = 0; i < fewer(N_BATCHES); i++)
        log_fixture_write(&fixture, i % 2 ? "notes/a" : "notes/b", "customers/ann");

    relay = event_relay_start(fixture.store, "notes", NULL, fixture.metrics);

    CU_ASSERT_TRUE(wait_for(&fixture));
    CHECK_INT(log_fixture_check(&fixture), fewer(N_BATCHES));
    event_relay_stop(relay, 0);
    log_fixture_close(&fixture);
}

static void stopping_moves_what_is_there(void)
{
    LogFixture fixture;
    EventRelay *relay;

    if (!open_fixture(&fixture))
        return;
    relay = event_relay_start(fixture.store, "notes", NULL, fixture.metrics);
    log_fixture_write(&fixture, "notes/a", "");
    CU_ASSERT_TRUE(wait_for(&fixture));
    for (int i = 0; i < 20; i++)
        log_fixture_write(&fixture, "notes/a", "");

    event_relay_stop(relay, is_mongo ? WAIT_MS * MONGO_IS_SLOWER : WAIT_MS);

    CHECK_INT(log_fixture_waiting(&fixture), 0);
    CHECK_INT(log_fixture_check(&fixture), 21);
    log_fixture_close(&fixture);
}

/* The partition in which the notes of one customer are. */
static RelayPartition partition_with_entries(LogFixture *fixture)
{
    StoreView view = { .store = fixture->store, .arena = fixture->arena };
    RelayPartition partition = { .source = "notes" };
    StoreEntry *entries;
    size_t n_entries = 0;

    for (; partition.number < STORE_PARTITIONS; partition.number++) {
        CU_ASSERT_PTR_NULL(
            store_outbox_read(&view, 1u << partition.number, RELAY_BATCH, &entries, &n_entries));
        if (n_entries)
            break;
    }
    CU_ASSERT_FATAL(n_entries > 0);
    return partition;
}

/* Entries are put into the log, and the relay dies before it trims them. */
static void append_without_trim(LogFixture *fixture, const RelayPartition *partition, size_t count)
{
    StoreView view = { .store = fixture->store, .arena = fixture->arena };
    StoreEntry *entries;
    size_t n_entries;

    CU_ASSERT_PTR_NULL(
        store_outbox_read(&view, 1u << partition->number, RELAY_BATCH, &entries, &n_entries));
    CU_ASSERT_FATAL(n_entries >= count);
    for (size_t i = 0; i < count; i++) {
        EventRecord record = THROUGHLINE__EVENT__V1__EVENT_RECORD__INIT;
        Event *event = throughline__event__v1__event__unpack(
            NULL, entries[i].bytes.size, entries[i].bytes.data);

        event->source = "notes";
        event->partition = record.partition = partition->number;
        event->sequence = record.sequence = partition->head + 1 + (int64_t)i;
        event->aggregate_sequence = record.aggregate_sequence = entries[i].number;
        record.name = event_log_name(fixture->arena, partition->number, record.sequence);
        record.aggregate = (char *)entries[i].aggregate;
        record.customer = event->customer;
        record.event = event;
        CU_ASSERT_PTR_NULL(store_insert(&view, &event_log, &record, NULL));
        event->source = (char *)protobuf_c_empty_string;
        throughline__event__v1__event__free_unpacked(event, NULL);
    }
}

static void a_crash_between_append_and_trim_makes_no_double(void)
{
    LogFixture fixture;
    RelayPartition partition;
    StoreView view;
    size_t n_moved;

    if (!open_fixture(&fixture))
        return;
    view = (StoreView){ .store = fixture.store, .arena = fixture.arena };
    for (int i = 0; i < 5; i++)
        log_fixture_write(&fixture, "notes/a", "customers/ann");
    partition = partition_with_entries(&fixture);
    append_without_trim(&fixture, &partition, 3);

    CU_ASSERT_PTR_NULL(log_fixture_move(&view, &partition, &n_moved));

    CHECK_INT(n_moved, 2);
    CHECK_INT(log_fixture_waiting(&fixture), 0);
    CHECK_INT(log_fixture_check(&fixture), 5);
    log_fixture_close(&fixture);
}

static void a_relay_that_is_behind_writes_nothing_wrong(void)
{
    LogFixture fixture;
    RelayPartition stale, fresh;
    StoreView view;
    size_t n_moved;

    if (!open_fixture(&fixture))
        return;
    view = (StoreView){ .store = fixture.store, .arena = fixture.arena };
    log_fixture_write(&fixture, "notes/a", "customers/ann");
    stale = fresh = partition_with_entries(&fixture);
    CU_ASSERT_PTR_NULL(log_fixture_move(&view, &stale, &n_moved));
    for (int i = 0; i < 3; i++)
        log_fixture_write(&fixture, "notes/b", "customers/ann");
    CU_ASSERT_PTR_NULL(log_fixture_move(&view, &fresh, &n_moved));
    CHECK_INT(n_moved, 3);
    for (int i = 0; i < 3; i++)
        log_fixture_write(&fixture, "notes/b", "customers/ann");

    /* It still believes that the log ends where it left it. */
    CHECK_INT(log_fixture_move(&view, &stale, &n_moved)->code, ERROR_ALREADY_EXISTS);
    CHECK_INT(n_moved, 0);
    CU_ASSERT_PTR_NULL(log_fixture_move(&view, &stale, &n_moved));
    CHECK_INT(n_moved, 3);

    CHECK_INT(log_fixture_check(&fixture), 7);
    log_fixture_close(&fixture);
}

typedef struct Writer {
    Store *store;
    unsigned seed;
    int n_writings;
    atomic_int *running;
    pthread_t thread;
} Writer;

static void *write_notes(void *context)
{
    Writer *writer = context;
    char name[32], customer[32];

    for (int i = 0; i < writer->n_writings;) {
        int number = rand_r(&writer->seed) % N_NOTES;
        const Error *error;

        snprintf(name, sizeof(name), "notes/n%d", number);
        snprintf(customer, sizeof(customer), "customers/c%d", number % 5);
        error = log_fixture_write_to(writer->store, name, number % 3 ? customer : "");
        if (!error)
            i++;
        else if (error->code != ERROR_ABORTED)
            abort();
    }
    atomic_fetch_sub(writer->running, 1);
    return NULL;
}

/* Moves every partition again and again without asking for a lease. */
static void *move_without_lease(void *context)
{
    Writer *mover = context;
    RelayPartition partitions[STORE_PARTITIONS];
    Arena *arena = arena_new();
    size_t n_moved;

    for (int i = 0; i < STORE_PARTITIONS; i++)
        partitions[i] = (RelayPartition){ .source = "notes", .number = i };
    while (atomic_load(mover->running) > 0)
        for (int i = 0; i < STORE_PARTITIONS; i++) {
            StoreView view = { .store = mover->store, .arena = arena };

            log_fixture_move(&view, &partitions[i], &n_moved);
            arena_reset(arena);
        }
    arena_free(arena);
    return NULL;
}

static void start_all(
    Writer *writers, int n, Store *store, atomic_int *running, void *(*run)(void *))
{
    for (int i = 0; i < n; i++) {
        writers[i] = (Writer){ store, (unsigned)i, fewer(N_WRITINGS), running, 0 };
        pthread_create(&writers[i].thread, NULL, run, &writers[i]);
    }
}

static void join_all(Writer *writers, int n)
{
    for (int i = 0; i < n; i++)
        pthread_join(writers[i].thread, NULL);
}

static void relays_at_once_without_leases_leave_the_log_whole(void)
{
    LogFixture fixture;
    Writer writers[N_WRITERS], movers[3];
    atomic_int running = N_WRITERS;
    EventRelay *relay;

    if (!open_fixture(&fixture))
        return;
    start_all(writers, N_WRITERS, fixture.store, &running, write_notes);
    start_all(movers, 3, fixture.store, &running, move_without_lease);
    join_all(writers, N_WRITERS);
    join_all(movers, 3);
    relay = event_relay_start(fixture.store, "notes", NULL, fixture.metrics);

    CU_ASSERT_TRUE(wait_for(&fixture));
    CHECK_INT(log_fixture_check(&fixture), N_WRITERS * fewer(N_WRITINGS));
    event_relay_stop(relay, 0);
    log_fixture_close(&fixture);
}

static void two_relays_share_the_work_by_leases(void)
{
    LogFixture fixture;
    Writer writers[N_WRITERS];
    atomic_int running = N_WRITERS;
    EventRelay *first, *second;

    if (!open_fixture(&fixture))
        return;
    first = event_relay_start(fixture.store, "notes", NULL, fixture.metrics);
    second = event_relay_start(fixture.store, "notes", NULL, fixture.metrics);
    start_all(writers, N_WRITERS, fixture.store, &running, write_notes);
    join_all(writers, N_WRITERS);
    /* The other one takes over. */
    event_relay_stop(first, 0);
    log_fixture_write(&fixture, "notes/last", "");

    CU_ASSERT_TRUE(wait_for(&fixture));
    CHECK_INT(log_fixture_check(&fixture), N_WRITERS * fewer(N_WRITINGS) + 1);
    event_relay_stop(second, 0);
    log_fixture_close(&fixture);
}

/* Another process has the leases; the one that writes has a relay that can only ring, or died before it could. */
static void find_writes_of_another(bool can_ring)
{
    LogFixture fixture;
    EventRelay *holder, *other = NULL;
    Store *store;

    if (!open_fixture(&fixture))
        return;
    holder = event_relay_start(fixture.store, "notes", NULL, fixture.metrics);
    log_fixture_write(&fixture, "notes/a", "customers/ann");
    CU_ASSERT_TRUE(wait_for(&fixture));
    store = log_fixture_reopen(&fixture);
    CU_ASSERT_PTR_NOT_NULL_FATAL(store);
    if (can_ring)
        other = event_relay_start(store, "notes", NULL, fixture.metrics);
    CU_ASSERT_PTR_NULL(log_fixture_write_to(store, "notes/a", "customers/ann"));

    CU_ASSERT_TRUE(wait_for(&fixture));
    CHECK_INT(log_fixture_check(&fixture), 2);
    event_relay_stop(other, 0);
    event_relay_stop(holder, 0);
    store_close(store);
    log_fixture_close(&fixture);
}

static void a_write_of_another_process_is_rung_for(void)
{
    find_writes_of_another(true);
}

static void a_write_that_nobody_rang_for_is_found(void)
{
    find_writes_of_another(false);
}

/* Writes and relays until it is killed. */
static void run_child(const LogFixture *fixture, unsigned seed)
{
    Store *store = log_fixture_reopen(fixture);
    Metrics *metrics = metrics_new();
    atomic_int running = 2;
    Writer writers[2];

    if (!store)
        _exit(1);
    event_relay_start(store, "notes", NULL, metrics);
    for (int i = 0; i < 2; i++) {
        writers[i] = (Writer){ store, seed + (unsigned)i, 1 << 20, &running, 0 };
        pthread_create(&writers[i].thread, NULL, write_notes, &writers[i]);
    }
    join_all(writers, 2);
    _exit(0);
}

static void a_killed_process_leaves_the_log_whole(void)
{
    LogFixture fixture;
    unsigned seed = 7;

    if (!open_fixture(&fixture))
        return;
    for (int i = 0; i < (is_mongo ? 3 : N_KILLS); i++) {
        EventRelay *relay;
        int status;
        pid_t child;

        store_close(fixture.store);
        child = fork();
        if (child == 0)
            run_child(&fixture, seed);
        clock_sleep_ms((40 + rand_r(&seed) % 150) * (is_mongo ? MONGO_IS_SLOWER : 1));
        kill(child, SIGKILL);
        waitpid(child, &status, 0);
        CU_ASSERT_TRUE(WIFSIGNALED(status));

        fixture.store = log_fixture_reopen(&fixture);
        CU_ASSERT_PTR_NOT_NULL_FATAL(fixture.store);
        CU_ASSERT_TRUE(log_fixture_check(&fixture) >= 0);
        relay = event_relay_start(fixture.store, "notes", NULL, fixture.metrics);
        CU_ASSERT_TRUE(wait_for(&fixture));
        event_relay_stop(relay, 0);
        CU_ASSERT_TRUE(log_fixture_check(&fixture) >= 0);
    }
    CU_ASSERT_TRUE(log_fixture_check(&fixture) > 0);
    log_fixture_close(&fixture);
}

static void use_embedded(void)
{
    is_mongo = false;
}

static void use_mongo(void)
{
    is_mongo = true;
}

static CU_TestInfo tests[] = {
    { "events_go_from_the_outbox_to_the_log", events_go_from_the_outbox_to_the_log },
    { "what_waited_before_the_start_is_moved", what_waited_before_the_start_is_moved },
    { "stopping_moves_what_is_there", stopping_moves_what_is_there },
    { "a_crash_between_append_and_trim_makes_no_double",
        a_crash_between_append_and_trim_makes_no_double },
    { "a_relay_that_is_behind_writes_nothing_wrong", a_relay_that_is_behind_writes_nothing_wrong },
    { "relays_at_once_without_leases_leave_the_log_whole",
        relays_at_once_without_leases_leave_the_log_whole },
    { "two_relays_share_the_work_by_leases", two_relays_share_the_work_by_leases },
    { "a_killed_process_leaves_the_log_whole", a_killed_process_leaves_the_log_whole },
    CU_TEST_INFO_NULL,
};

/* The embedded store is one process's alone. */
static CU_TestInfo shared_tests[] = {
    { "a_write_of_another_process_is_rung_for", a_write_of_another_process_is_rung_for },
    { "a_write_that_nobody_rang_for_is_found", a_write_that_nobody_rang_for_is_found },
    CU_TEST_INFO_NULL,
};

int main(int argc, char **argv)
{
    CU_SuiteInfo suites[] = {
        { .pName = "embedded", .pSetUpFunc = use_embedded, .pTests = tests },
        { .pName = "mongo", .pSetUpFunc = use_mongo, .pTests = tests },
        { .pName = "mongo, shared", .pSetUpFunc = use_mongo, .pTests = shared_tests },
        CU_SUITE_INFO_NULL,
    };

    return test_main("event_relay_test", suites, argc, argv);
}
