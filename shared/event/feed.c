/* One stream: where it is, and what it is handed. */
#include "shared/event/hub.h"

#include "shared/base/clock.h"
#include "shared/codec/message.h"

#include <stdlib.h>
#include <string.h>

typedef Throughline__Event__V1__SubscribeResponse SubscribeResponse;

static const Error stream_drained = { ERROR_UNAVAILABLE, "STREAM_DRAINED",
    "The server goes away: open the stream again where it stopped." };

/* A customer's events are all in one partition, so one place is enough, as for an aggregate. */
static int slot_of(const Feed *feed, const EventRecord *record)
{
    return feed->kind == FEED_LOG ? record->partition : 0;
}

static int64_t number_of(const Feed *feed, const EventRecord *record)
{
    return feed->kind == FEED_AGGREGATE ? record->aggregate_sequence : record->sequence;
}

FeedPlace feed_place(const Feed *feed, const EventRecord *record)
{
    int64_t at = feed->at[slot_of(feed, record)];

    if (number_of(feed, record) <= at)
        return FEED_SEEN;
    switch (feed->kind) {
    case FEED_LOG:
        return record->sequence == at + 1 ? FEED_NEXT : FEED_READ;
    case FEED_CUSTOMER:
        return FEED_NEXT;
    case FEED_AGGREGATE:
        break;
    }
    /* When an aggregate gets its customer it moves to another partition: its events may be in
     * the two logs at once, and a later one be seen first. */
    return FEED_READ;
}

static bool is_wanted(const Feed *feed, const Event *event)
{
    const char *slash = event->payload ? strrchr(event->payload->type_url, '/') : NULL;

    if (!feed->types)
        return true;
    for (const char *type = feed->types; *type && slash; type += strlen(type) + 1)
        if (text_equal(type, slash + 1))
            return true;
    return false;
}

/* The message that brings the reader of a whole log to a sequence; `event` may be NULL. */
static SubscribeResponse *response_of(
    const Feed *feed, Arena *arena, int partition, int64_t sequence, Event *event)
{
    SubscribeResponse *response =
        message_new(arena, &throughline__event__v1__subscribe_response__descriptor);

    response->position = message_new(arena, &throughline__event__v1__position__descriptor);
    response->position->partition = partition;
    response->position->sequence = sequence;
    response->event = event;
    response->skipped = sequence - feed->told[partition] - (event ? 1 : 0);
    return response;
}

static size_t bytes_of(const Event *event)
{
    return event->payload ? event->payload->value.len : 0;
}

/* A further event of a message has no place for a position: it is the next one of its partition. */
static bool fits(const Feed *feed, const EventRecord *record)
{
    return feed->batch && feed->batch->n_more + 1 < feed->max_events &&
           feed->batch_bytes + bytes_of(record->event) <= HUB_BATCH_BYTES &&
           record->sequence == feed->told[record->partition] + 1;
}

static void begin_batch(Feed *feed, Arena *arena, EventRecord *record)
{
    feed->batch = response_of(feed, arena, record->partition, record->sequence, record->event);
    feed->batch_bytes = 0;
    memcpy(feed->at_before, feed->at, sizeof(feed->at));
    memcpy(feed->told_before, feed->told, sizeof(feed->told));
}

RpcOffer feed_send(Feed *feed)
{
    RpcOffer offer = feed->batch ? rpc_stream_offer(feed->stream, feed->batch) : RPC_STREAM_TAKEN;

    if (offer == RPC_STREAM_TAKEN) {
        counter_add(feed->hub->sent, feed->batch ? 1 : 0);
    } else {
        memcpy(feed->at, feed->at_before, sizeof(feed->at));
        memcpy(feed->told, feed->told_before, sizeof(feed->told));
    }
    feed->batch = NULL;
    return offer;
}

static RpcOffer push_to_log(Feed *feed, Arena *arena, EventRecord *record)
{
    SubscribeResponse *batch = feed->batch;
    RpcOffer offer;

    if (!record->event || !is_wanted(feed, record->event)) {
        feed->at[record->partition] = record->sequence;
        return RPC_STREAM_TAKEN;
    }
    if (fits(feed, record)) {
        if (!batch->more)
            batch->more = arena_array(arena, feed->max_events, sizeof(*batch->more));
        batch->more[batch->n_more++] = record->event;
    } else {
        if ((offer = feed_send(feed)) != RPC_STREAM_TAKEN)
            return offer;
        begin_batch(feed, arena, record);
    }
    feed->batch_bytes += bytes_of(record->event);
    feed->at[record->partition] = feed->told[record->partition] = record->sequence;
    return RPC_STREAM_TAKEN;
}

RpcOffer feed_push(Feed *feed, Arena *arena, EventRecord *record)
{
    const void *message;
    RpcOffer offer;

    if (feed->kind == FEED_LOG)
        return push_to_log(feed, arena, record);
    message = record->event ? feed->render(feed->context, arena, record->event) : NULL;
    offer = message ? rpc_stream_offer(feed->stream, message) : RPC_STREAM_TAKEN;
    if (offer == RPC_STREAM_TAKEN) {
        feed->at[0] = number_of(feed, record);
        counter_add(feed->hub->sent, message ? 1 : 0);
    }
    return offer;
}

RpcOffer feed_flush(Feed *feed, Arena *arena)
{
    for (int i = 0; feed->kind == FEED_LOG && i < STORE_PARTITIONS; i++) {
        RpcOffer offer;

        if (feed->told[i] == feed->at[i])
            continue;
        offer = rpc_stream_offer(feed->stream, response_of(feed, arena, i, feed->at[i], NULL));
        if (offer != RPC_STREAM_TAKEN)
            return offer;
        feed->told[i] = feed->at[i];
    }
    return RPC_STREAM_TAKEN;
}

static LogRange range_of(const Feed *feed, int partition)
{
    LogRange range = { .limit = HUB_PAGE, .partition = partition, .after = feed->at[partition] };

    if (feed->kind == FEED_AGGREGATE)
        range.aggregate = feed->subject;
    else if (feed->kind == FEED_CUSTOMER)
        range.customer = feed->subject;
    return range;
}

/* One page; *is_end: there was no more. */
static const Error *read_page(
    Feed *feed, Arena *arena, const LogRange *range, RpcOffer *offer, bool *is_end)
{
    StoreView view = { .store = feed->hub->store,
        .arena = arena,
        .deadline = clock_monotonic() + HUB_STORE_MS * INT64_C(1000) };
    LogPage page = { 0 };
    const Error *error = event_log_read(&view, range, &page);

    if (error)
        return error;
    for (size_t i = 0; i < page.n_records; i++) {
        *offer = feed_push(feed, arena, page.records[i]);
        if (*offer != RPC_STREAM_TAKEN)
            return NULL;
    }
    *offer = feed_send(feed);
    *is_end = page.is_end;
    return NULL;
}

const Error *feed_catch_up(Feed *feed, Arena *arena, RpcOffer *offer)
{
    int n_ranges = feed->kind == FEED_LOG ? STORE_PARTITIONS : 1;

    *offer = RPC_STREAM_TAKEN;
    for (int i = 0; i < n_ranges; i++) {
        bool is_end = false;

        while (!is_end) {
            LogRange range = range_of(feed, i);
            const Error *error;

            arena_reset(arena);
            if (rpc_should_stop(feed->call)) {
                *offer = RPC_STREAM_GONE;
                return NULL;
            }
            error = read_page(feed, arena, &range, offer, &is_end);
            if (error || *offer != RPC_STREAM_TAKEN)
                return error;
        }
    }
    *offer = feed_flush(feed, arena);
    return NULL;
}

void feed_end(Feed *feed)
{
    rpc_stream_end(feed->stream, &stream_drained);
    free(feed->subject);
    free(feed->types);
    free(feed->context);
    free(feed);
}
