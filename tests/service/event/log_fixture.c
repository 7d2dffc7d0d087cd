#include "tests/service/event/log_fixture.h"

#include "shared/base/clock.h"
#include "shared/base/id.h"
#include "shared/event/log.h"
#include "tests/service/event/note_service.h"
#include "tests/support/test_main.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const Error stale = { ERROR_ABORTED, "ETAG_STALE", "Try again." };

enum { MAX_AGGREGATES = 1024, PAGE = 1000, STEP_MS = 2 };

static const Collection *const collections[] = { &event_log, &event_leases, &notes, NULL };

static const Error *open_store(const LogFixture *fixture, Store **store)
{
    StoreOptions options = { .uri = fixture->uri,
        .service = fixture->service,
        .collections = collections,
        .metrics = fixture->metrics };

    return store_open(fixture->arena, &options, store);
}

bool log_fixture_open(LogFixture *fixture, bool is_mongo)
{
    const char *uri = getenv("THROUGHLINE_TEST_MONGO_URI");
    const Error *error;
    char id[ID_SIZE];

    if (is_mongo && !uri) {
        test_skip("THROUGHLINE_TEST_MONGO_URI is not set");
        return false;
    }
    fixture->arena = arena_new();
    fixture->metrics = metrics_new();
    fixture->uri = is_mongo ? uri : arena_printf(fixture->arena, "embedded:%s", test_folder());
    id_new(id);
    fixture->service = arena_printf(fixture->arena, "test_%s", id);
    if ((error = open_store(fixture, &fixture->store))) {
        fprintf(stderr, "%s: %s\n", fixture->uri, error->message);
        abort();
    }
    return true;
}

bool log_fixture_open_at(LogFixture *fixture, const char *uri)
{
    fixture->arena = arena_new();
    fixture->metrics = metrics_new();
    fixture->uri = arena_text(fixture->arena, uri);
    fixture->service = "notes";
    return !open_store(fixture, &fixture->store);
}

void log_fixture_close(LogFixture *fixture)
{
    store_close(fixture->store);
    metrics_free(fixture->metrics);
    arena_free(fixture->arena);
}

Store *log_fixture_reopen(const LogFixture *fixture)
{
    Store *store;

    return open_store(fixture, &store) ? NULL : store;
}

const Error *log_fixture_write_to(Store *store, const char *name, const char *customer)
{
    Arena *arena = arena_new();
    RpcContext context = { .channel = "web",
        .actor = "customers/ann",
        .on_behalf_of = "",
        .device = "",
        .journey = "",
        .purpose = "" };
    RpcCall *call = rpc_internal_call(arena, "tests/write", &context, NULL);
    StoreView view = { .store = store, .arena = arena, .seal = event_seal, .seal_context = call };
    Note note = THROUGHLINE__ECHO__V1__NOTE__INIT;
    NoteWritten event = THROUGHLINE__ECHO__V1__NOTE_WRITTEN__INIT;
    const Error *error = store_get(&view, &notes, name, &note);
    bool is_new = error && error->code == ERROR_NOT_FOUND;

    if (!error || is_new) {
        note.name = (char *)name;
        note.customer = (char *)customer;
        note.writings++;
        event.note = &note;
        error = is_new ? store_insert(&view, &notes, &note, &event)
                       : store_replace(&view, &notes, &note, &event);
    }
    /* What the caller looks at must outlive the arena. */
    if (error && (error->code == ERROR_ABORTED || error->code == ERROR_ALREADY_EXISTS))
        error = &stale;
    arena_free(arena);
    return error;
}

void log_fixture_write(LogFixture *fixture, const char *name, const char *customer)
{
    if (log_fixture_write_to(fixture->store, name, customer))
        abort();
}

size_t log_fixture_waiting(LogFixture *fixture)
{
    Arena *arena = arena_new();
    StoreView view = { .store = fixture->store, .arena = arena };
    StoreEntry *entries;
    size_t n_entries;

    if (store_outbox_read(&view, STORE_ALL_PARTITIONS, PAGE, &entries, &n_entries))
        abort();
    arena_free(arena);
    return n_entries;
}

const Error *log_fixture_move(StoreView *view, RelayPartition *partition, size_t *n_moved)
{
    StoreEntry *entries;
    size_t n_entries;
    const Error *error =
        store_outbox_read(view, 1u << partition->number, RELAY_BATCH, &entries, &n_entries);

    *n_moved = 0;
    return error ? error : relay_move(view, partition, entries, n_entries, NULL, n_moved);
}

bool log_fixture_wait(LogFixture *fixture, int milliseconds)
{
    int64_t until = clock_monotonic() + milliseconds * INT64_C(1000);

    while (log_fixture_waiting(fixture) > 0) {
        if (clock_monotonic() >= until)
            return false;
        clock_sleep_ms(STEP_MS);
    }
    return true;
}

/* What was seen last of each aggregate. */
typedef struct Seen {
    const char *aggregates[MAX_AGGREGATES];
    int64_t numbers[MAX_AGGREGATES];
    size_t count;
} Seen;

static int64_t *seen_number(Seen *seen, const char *aggregate)
{
    for (size_t i = 0; i < seen->count; i++)
        if (text_equal(seen->aggregates[i], aggregate))
            return &seen->numbers[i];
    if (seen->count == MAX_AGGREGATES)
        abort();
    seen->aggregates[seen->count] = aggregate;
    return &seen->numbers[seen->count++];
}

static bool complain(const EventRecord *record, const char *what)
{
    printf("  %s (%s number %lld): %s\n", record->name, record->aggregate,
        (long long)record->aggregate_sequence, what);
    return false;
}

static bool check_record(const EventRecord *record, int64_t sequence, Seen *seen)
{
    int64_t *number = seen_number(seen, record->aggregate);
    const Event *event = record->event;

    if (record->sequence != sequence)
        return complain(record, "the sequence before is missing");
    if (record->aggregate_sequence != *number + 1)
        return complain(record, "the aggregate's event before is missing or comes later");
    if (!event || event->sequence != record->sequence || event->partition != record->partition ||
        event->aggregate_sequence != record->aggregate_sequence ||
        !text_equal(event->source, "notes"))
        return complain(record, "the event is not what the record says");
    (*number)++;
    return true;
}

int64_t log_fixture_check(LogFixture *fixture)
{
    StoreView view = { .store = fixture->store, .arena = fixture->arena };
    Seen *seen = arena_alloc(fixture->arena, sizeof(*seen));
    int64_t count = 0;

    for (int partition = 0; partition < STORE_PARTITIONS; partition++) {
        StoreQuery query = { .limit = PAGE,
            .prefix = arena_printf(fixture->arena, "events/%d/", partition) };
        int64_t sequence = 0;

        do {
            StorePage page;

            if (store_find(&view, &event_log, &query, &page))
                return -1;
            for (size_t i = 0; i < page.n_messages; i++, count++)
                if (!check_record(page.messages[i], ++sequence, seen))
                    return -1;
            query.resume = page.resume;
        } while (*query.resume);
    }
    return count;
}
