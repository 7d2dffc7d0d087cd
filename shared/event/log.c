/* Records of the log: how they are made, named and read. */
#include "shared/event/log.h"

#include "shared/codec/message.h"

static const char log_name[] = "event_log";

const Collection event_log = {
    .name = log_name,
    .message = &throughline__event__v1__event_record__descriptor,
    .indexes = {
        { .name = "aggregate", .fields = { "aggregate", "aggregate_sequence" }, .is_unique = true },
        /* Unique, so that events of nobody in particular have no entries: a customer's are all in one partition. */
        { .name = "customer", .fields = { "customer", "sequence" }, .is_unique = true },
    },
};

char *event_log_name(Arena *arena, int partition, int64_t sequence)
{
    return arena_printf(arena, "events/%d/%019lld", partition, (long long)sequence);
}

void *event_log_make(const StoreLog *log, Arena *arena, const StoreEntry *entry)
{
    Event *event = message_unpack(arena, &throughline__event__v1__event__descriptor, entry->bytes);
    EventRecord *record;

    if (!event)
        return NULL;
    event->source = (char *)log->source;
    event->partition = entry->partition;
    record = message_new(arena, &throughline__event__v1__event_record__descriptor);
    record->partition = entry->partition;
    record->aggregate = event->aggregate;
    record->customer = event->customer;
    record->event = event;
    return record;
}

void event_log_place(void *message, Arena *arena, int64_t number, int64_t sequence)
{
    EventRecord *record = message;

    record->name = event_log_name(arena, record->partition, sequence);
    record->sequence = record->event->sequence = sequence;
    record->aggregate_sequence = record->event->aggregate_sequence = number;
}

StoreLog event_store_log(const char *source)
{
    return (StoreLog){ .collection = &event_log,
        .source = source,
        .make = event_log_make,
        .place = event_log_place,
        .name = event_log_name };
}

static StoreValue text_value(const char *text)
{
    return (StoreValue){ .kind = STORE_TEXT, .text = text };
}

static StoreValue number_value(int64_t number)
{
    return (StoreValue){ .kind = STORE_NUMBER, .number = number };
}

static StoreQuery query_of(Arena *arena, const LogRange *range)
{
    StoreQuery query = { .limit = range->limit };

    if (range->aggregate || range->customer) {
        query.index = range->aggregate ? "aggregate" : "customer";
        query.equal[0] = text_value(range->aggregate ? range->aggregate : range->customer);
        query.from = number_value(range->after + 1);
    } else {
        query.from = text_value(event_log_name(arena, range->partition, range->after + 1));
        query.below =
            text_value(arena_printf(arena, "events/%d0", range->partition)); /* '0' is '/' + 1 */
    }
    return query;
}

/* Whoever follows a partition finds what is new in memory, as a rule. */
static const Error *find(StoreView *view, const LogRange *range, StorePage *found, bool *is_end)
{
    const Error *error = NULL;
    StoreQuery query;

    *found = (StorePage){ 0 };
    *is_end = false;
    if (!range->aggregate && !range->customer)
        error =
            store_log_tail(view, &event_log, range->partition, range->after, range->limit, found);
    if (error || found->n_messages)
        return error;
    query = query_of(view->arena, range);
    error = store_find(view, &event_log, &query, found);
    *is_end = !error && text_is_empty(found->resume);
    return error;
}

const Error *event_log_read(StoreView *view, const LogRange *range, LogPage *page)
{
    StorePage found;
    const Error *error = find(view, range, &found, &page->is_end);
    int64_t last = range->after;

    if (error)
        return error;
    page->records = (EventRecord **)found.messages;
    page->n_records = found.n_messages;
    if (range->customer)
        return NULL;
    for (size_t i = 0; i < found.n_messages; i++, last++) {
        const EventRecord *record = page->records[i];
        int64_t number = range->aggregate ? record->aggregate_sequence : record->sequence;

        if (number != last + 1) {
            page->n_records = i;
            page->is_end = true;
            break;
        }
    }
    return NULL;
}

const Error *event_log_ahead(
    StoreView *view, const int64_t after[STORE_PARTITIONS], unsigned *partitions)
{
    const char *names[STORE_PARTITIONS];
    void *records[STORE_PARTITIONS];
    const Error *error;

    for (int i = 0; i < STORE_PARTITIONS; i++)
        names[i] = event_log_name(view->arena, i, after[i] + 1);
    *partitions = 0;
    error = store_get_many(view, &event_log, names, STORE_PARTITIONS, records);
    for (int i = 0; i < STORE_PARTITIONS && !error; i++)
        if (records[i])
            *partitions |= 1u << i;
    return error;
}

const Error *event_log_head(StoreView *view, int partition, int64_t *sequence)
{
    StoreQuery query = {
        .prefix = arena_printf(view->arena, "events/%d/", partition),
        .is_descending = true,
        .limit = 1,
    };
    StorePage page = { 0 };
    const Error *error = store_find(view, &event_log, &query, &page);

    if (error)
        return error;
    *sequence = page.n_messages ? ((const EventRecord *)page.messages[0])->sequence : 0;
    return NULL;
}

const Error *event_log_has(
    StoreView *view, const char *aggregate, int64_t aggregate_sequence, bool *is_there)
{
    LogRange range = { .aggregate = aggregate, .after = aggregate_sequence - 1, .limit = 1 };
    LogPage page;
    const Error *error = event_log_read(view, &range, &page);

    if (!error)
        *is_there = page.n_records == 1;
    return error;
}
