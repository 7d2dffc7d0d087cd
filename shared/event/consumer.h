/* Inside a consumer: what its threads share. The reader follows the source and applies its events, the keeper holds the lease and
 * stores positions. */
#ifndef THROUGHLINE_EVENT_CONSUMER_H
#define THROUGHLINE_EVENT_CONSUMER_H

#include "shared/event/lease.h"

#include <pthread.h>

typedef Throughline__Event__V1__SubscribeResponse SubscribeResponse;

enum {
    CONSUMER_SAVE_EVENTS = 1000, /* positions are stored after this many events */
    CONSUMER_SAVE_MS = 100,      /* or this long after the first of them */
    CONSUMER_APPLY_MS = 30 * 1000,
    CONSUMER_STORE_MS = 5 * 1000,
    CONSUMER_ASK_MS = 1000,     /* for the source's answer to how far its log goes */
    CONSUMER_LAG_MS = 2000,     /* between two such questions */
    CONSUMER_MIN_PAUSE_MS = 50, /* before the next try, doubled each time */
    CONSUMER_MAX_PAUSE_MS = 5 * 1000,
    CONSUMER_TEXT_SIZE = 96,
};

struct EventConsumer {
    Store *store;
    char source[CONSUMER_TEXT_SIZE];
    char method[CONSUMER_TEXT_SIZE];
    RpcClient *client;
    EventEffect effect;
    void *service_context;
    Counter *applied;
    Counter *retries;
    Gauge *lag;
    pthread_t reader;
    pthread_t keeper;
    bool is_troubled; /* the reader's: said already that the source cannot be followed */

    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool is_stopping;
    RpcClientStream *stream;
    int generation; /* counts the times that the lease was taken or lost */
    int n_unsaved;
    int64_t unsaved_at;                  /* clock_monotonic() of the first of them */
    int64_t positions[STORE_PARTITIONS]; /* of this generation */
    EventLease lease;                    /* written by the keeper */
};

/* One subscription of the reader, in one time of holding the lease. */
typedef struct ConsumerSession {
    EventConsumer *consumer;
    int generation;
    int64_t positions[STORE_PARTITIONS]; /* received */
    RpcClientStream *stream;
    Arena *message; /* of what is received next */
    bool has_taken; /* an event, at least */
} ConsumerSession;

/* Under the lock: until something changed or the time has come (clock_monotonic()). */
void consumer_wait(EventConsumer *consumer, int64_t until);

/* consumer_keeper.c */

/* The keeper's thread; `context` is the consumer. */
void *consumer_keep(void *context);

/* After both threads: stores the positions, if the lease is held, and lets others take it. */
void consumer_release(EventConsumer *consumer);

#endif
