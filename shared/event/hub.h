/* Inside the hub: the open streams, and what brings them forward. */
#ifndef THROUGHLINE_EVENT_HUB_H
#define THROUGHLINE_EVENT_HUB_H

#include "shared/event/log.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

enum {
    HUB_POLL_MS = 250, /* between two looks at the log that nobody asked for */
    HUB_FLUSH_MS = 50, /* after which a reader is told that events were left out */
    HUB_BUSY = 8,      /* events handed out together from which on the next are gathered */
    HUB_GATHER_MS =
        5, /* so long: fewer and larger messages, and transactions of those who take them */
    HUB_BATCH_BYTES = 256 * 1024, /* of events in one message, about */
    HUB_WORKERS = 2,              /* threads that read the log for streams that are behind */
    HUB_BUCKETS = 1024,
    HUB_PAGE = RPC_STREAM_QUEUE,
    HUB_STORE_MS = 5 * 1000,
};

typedef enum FeedKind { FEED_LOG, FEED_AGGREGATE, FEED_CUSTOMER } FeedKind;

/* One open stream. */
typedef struct Feed Feed;
struct Feed {
    EventHub *hub;
    RpcStream *stream;
    const RpcCall *call;
    FeedKind kind;
    char *subject;     /* the aggregate or the customer */
    char *types;       /* of the whole log: each with a NUL behind it, "" at the end; NULL: all */
    size_t max_events; /* of the whole log: in one message */
    const void *(*render)(void *context, Arena *arena, const Event *event);
    void *context;

    /* Of the worker while is_busy, else guarded by the hub's lock, as is what follows: what was
     * taken last of each partition; of an aggregate or a customer in at[0]. */
    int64_t at[STORE_PARTITIONS];
    int64_t told[STORE_PARTITIONS]; /* of the whole log: where its reader knows to be */
    /* The message that is being filled, and where the feed was before it; only while the feed is handed a page. */
    Throughline__Event__V1__SubscribeResponse *batch;
    size_t batch_bytes;
    int64_t at_before[STORE_PARTITIONS], told_before[STORE_PARTITIONS];
    bool is_queued; /* waits for a worker */
    bool is_busy;   /* a worker has it */
    bool is_dirty;  /* is to be looked at again when the worker is done */
    bool is_full;   /* waits for room, or after a failure of the store for the next poll */
    Feed *next_queued;
    Feed *next, *previous; /* of the same bucket */
};

struct EventHub {
    Store *store;
    Gauge *open;
    Counter *sent;
    pthread_t reader;
    pthread_t workers[HUB_WORKERS];

    /* Partitions where there is something new, as a set of bits, and whether the reader waits for that: the store's writer, who
     * says it, does not wait for the lock. */
    atomic_uint hinted;
    atomic_bool is_asleep;

    pthread_mutex_t lock;
    pthread_cond_t news; /* for the reader */
    pthread_cond_t work; /* for the workers */
    bool is_stopping;
    bool has_failed; /* some feed waits for the store */
    /* When readers are told of what was left out, clock_monotonic(); 0: nothing was. */
    int64_t flush_at;
    int64_t gathers_until; /* the reader's: it hands out nothing before, clock_monotonic() */
    Feed *queue, **queue_end;
    Feed *everything;           /* feeds of the whole log */
    Feed *buckets[HUB_BUCKETS]; /* the others, by their subject */
    size_t n_open;

    /* How far the log was handed out; not kept up while no stream is open. The reader's; it writes
     * them under the lock. */
    bool is_synced;
    int64_t heads[STORE_PARTITIONS];
    Arena *scratch; /* of one record's messages */
};

/* How far the log was handed out; false when that is not kept up. */
bool event_hub_heads(EventHub *hub, int64_t heads[STORE_PARTITIONS]);

/* feed.c: one stream. */

/* Whether a feed that has caught up may be handed the record as it is; FEED_READ: the log is to be
 * read, because something before it may be missing. */
typedef enum FeedPlace { FEED_SEEN, FEED_NEXT, FEED_READ } FeedPlace;
FeedPlace feed_place(const Feed *feed, const EventRecord *record);

/* Hands one record over; the position moves with it, and back when its message is not taken. What is begun in `arena` is ended by
 * feed_send, before the arena is used for anything else. */
RpcOffer feed_push(Feed *feed, Arena *arena, EventRecord *record);
RpcOffer feed_send(Feed *feed);

/* Tells the reader of a whole log where it is, when events were left out. */
RpcOffer feed_flush(Feed *feed, Arena *arena);

/* Reads the log from the feed's position until its end (TAKEN), or until the stream is full or
 * gone. */
const Error *feed_catch_up(Feed *feed, Arena *arena, RpcOffer *offer);

/* Ends the stream and frees the feed. Without the hub's lock. */
void feed_end(Feed *feed);

/* hub_reader.c: the threads; `context` is the hub. */
void *hub_read(void *context);
void *hub_work(void *context);

/* Under the lock: a worker is to look at the feed. */
void hub_queue(EventHub *hub, Feed *feed);

/* Where feeds of this subject are; NULL: of the whole log. */
Feed **hub_bucket(EventHub *hub, const char *subject);

#endif
