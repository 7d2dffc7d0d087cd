/* From outbox to log: what may go wrong between the two, and why nothing does, is said at
 * append(). */
#include "shared/event/relay.h"

#include "shared/base/clock.h"
#include "shared/codec/message.h"
#include "shared/codec/types.h"
#include "shared/event/log.h"

enum {
    HALVINGS_A_FAILURE = 2,
    MAX_HALVINGS = 8, /* to a single entry */
    QUICK_PART = 4,   /* a round is quick when it takes so small a part of its time */
};

_Static_assert(RELAY_BATCH >> MAX_HALVINGS == 1, "one entry at least");

static const Error untried = { ERROR_UNAVAILABLE, "WRITE_UNTRIED", "The write was not tried." };

/* Leaves out the entries that are in the log, but not yet trimmed: a relay has died between the
 * two. */
static const Error *pick_new(StoreView *view, const StoreEntry *entries, size_t n_entries,
    const StoreEntry **picked, size_t *n)
{
    const Error *error;
    bool is_there;

    *n = 0;
    for (size_t i = 0; i < n_entries; i++) {
        if ((error = event_log_has(view, entries[i].aggregate, entries[i].number, &is_there)))
            return error;
        if (!is_there)
            picked[(*n)++] = &entries[i];
    }
    return NULL;
}

/* The entry as a record of the log at its place. */
static const Error *make_record(StoreView *view, const RelayPartition *partition,
    const StoreEntry *entry, int64_t sequence, EventRecord **record)
{
    StoreLog log = event_store_log(partition->source);

    *record = event_log_make(&log, view->arena, entry);
    if (!*record)
        return error_new(view->arena, ERROR_DATA_LOSS, "OUTBOX_MALFORMED",
            "Entry %lld in the outbox of %s cannot be read.", (long long)entry->number,
            entry->aggregate);
    event_log_place(*record, view->arena, entry->number, sequence);
    return NULL;
}

/* Without a gap, a double or a change of order, whoever crashes and however many relays work on a
 * partition at once:
 *
 * Entries go in as one chain: each has the name of the next sequence and is tried only after the
 * one before it was written. So a record s + 1 is only ever written by somebody who wrote s himself
 * or saw that s is there: no gap. The name is unique: two relays never share a place. Aggregate and
 * its own number are unique: an entry is never there twice. A document's entries come out of the
 * outbox in order, from the first that is not trimmed, and only what is in the log is trimmed; an
 * insert after a head that is out of date fails by its name: so an entry never overtakes its
 * predecessor.
 *
 * This asks of an engine: a unique key is checked with the write, and a chain is kept (embedded:
 * the transaction writes it in order; Mongo: a write is sent when the one before it is
 * acknowledged). After any failure it is unknown what was written: head and outbox are looked at
 * again. */
static const Error *append(StoreView *view, RelayPartition *partition,
    const StoreEntry *const *entries, size_t n_entries, Histogram *delays, size_t *n_appended)
{
    StoreWrite *writes = arena_array(view->arena, n_entries, sizeof(*writes));
    const Error *error;
    int64_t now;

    *n_appended = 0;
    for (size_t i = 0; i < n_entries; i++) {
        EventRecord *record = NULL;

        error = make_record(view, partition, entries[i], partition->head + 1 + (int64_t)i, &record);
        if (error)
            return error;
        writes[i] = (StoreWrite){ .kind = STORE_INSERT,
            .collection = &event_log,
            .message = record,
            .is_chained = i > 0,
            .error = &untried };
    }
    error = store_write(view, writes, n_entries);
    now = clock_now();
    for (size_t i = 0; i < n_entries && !writes[i].error; i++) {
        const EventRecord *record = writes[i].message;

        if (delays)
            histogram_record(delays, now - timestamp_to_micros(record->event->time));
        (*n_appended)++;
    }
    partition->head += (int64_t)*n_appended;
    return error;
}

/* What may be trimmed: all that was in the log before, and what was appended now. */
static const Error *trim(StoreView *view, const StoreEntry *entries, size_t n_entries,
    const StoreEntry *const *picked, size_t n_picked, size_t n_appended)
{
    StoreEntry *done = arena_array(view->arena, n_entries, sizeof(*done));
    size_t n_done = 0;
    size_t next = 0;

    for (size_t i = 0; i < n_entries; i++) {
        if (next < n_picked && picked[next] == &entries[i] && next++ >= n_appended)
            continue;
        done[n_done++] = entries[i];
    }
    return n_done ? store_outbox_trim(view, done, n_done) : NULL;
}

static const Error *move_batch(StoreView *view, RelayPartition *partition,
    const StoreEntry *entries, size_t n_entries, Histogram *delays, size_t *n_moved)
{
    const StoreEntry **picked = arena_array(view->arena, n_entries, sizeof(*picked));
    size_t n_picked = n_entries;
    const Error *appended = NULL;
    const Error *error;

    for (size_t i = 0; i < n_entries; i++)
        picked[i] = &entries[i];
    if (!partition->is_known &&
        ((error = event_log_head(view, partition->number, &partition->head)) ||
            (error = pick_new(view, entries, n_entries, picked, &n_picked))))
        return error;
    partition->is_known = true;
    if (n_picked)
        appended = append(view, partition, picked, n_picked, delays, n_moved);
    error = trim(view, entries, n_entries, picked, n_picked, *n_moved);
    if (appended || error)
        partition->is_known = false;
    return appended ? appended : error;
}

const Error *relay_move(StoreView *view, RelayPartition *partition, const StoreEntry *entries,
    size_t n_entries, Histogram *delays, size_t *n_moved)
{
    size_t most = RELAY_BATCH >> partition->halvings;
    int64_t start = clock_monotonic();
    const Error *error;
    bool is_quick;

    *n_moved = 0;
    if (n_entries == 0)
        return NULL;
    error =
        move_batch(view, partition, entries, n_entries < most ? n_entries : most, delays, n_moved);
    is_quick = (clock_monotonic() - start) * QUICK_PART < RELAY_STORE_MS * INT64_C(1000);

    if (error && partition->halvings < MAX_HALVINGS)
        partition->halvings += HALVINGS_A_FAILURE;
    else if (!error && is_quick && partition->halvings > 0)
        partition->halvings -= HALVINGS_A_FAILURE;
    return error;
}
