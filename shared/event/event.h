/* Events of a service: sealed into the outbox with each write, moved into the log by the relay,
 * served by subscription, applied by consumers exactly once. */
#ifndef THROUGHLINE_EVENT_EVENT_H
#define THROUGHLINE_EVENT_EVENT_H

#include "shared/rpc/call.h"
#include "shared/rpc/client.h"
#include "shared/store/store.h"

#include "throughline/event/v1/event.pb-c.h"

typedef Throughline__Event__V1__Event Event;

/* The log's and the leases' collections: every service has them beside its own. */
extern const Collection event_log;
extern const Collection event_leases;

/* The log for store_open: events of the service of that name. */
StoreLog event_store_log(const char *source);

/* For StoreView.seal: `context` is the RpcCall. The customer is the payload's field `customer`, or
 * that of its first sub-message that has one, or the aggregate itself when it is "customers/…";
 * the partition is the customer's, else the aggregate's. */
const Error *event_seal(void *context, Arena *arena, const char *aggregate,
    const ProtobufCMessage *payload, Bytes *sealed, int *partition);

/* The payload of an event in wire form; false when it is not of this type. */
bool event_packed(const Event *event, const ProtobufCMessageDescriptor *type, Bytes *packed);

/* The payload of an event as its own type, NULL when it is not of this type. */
void *event_payload(Arena *arena, const Event *event, const ProtobufCMessageDescriptor *type);

/* Hub: log → open streams, without a thread a stream. */

enum { EVENT_MAX_IN_MESSAGE = 256 }; /* events that a subscriber may have in one message */

typedef struct EventHub EventHub;

EventHub *event_hub_start(Store *store, Metrics *metrics);

/* There is something new in these partitions of the log, a set of bits. Any thread. */
void event_hub_wake(EventHub *hub, unsigned partitions);

/* Ends every stream with UNAVAILABLE STREAM_DRAINED. */
void event_hub_stop(EventHub *hub);

/* What one open stream wants. */
typedef struct EventInterest {
    const char *aggregate;                                    /* one aggregate's events; or */
    const char *customer;                                     /* one customer's events; or */
    const Throughline__Event__V1__Position *const *positions; /* the whole log, after these */
    size_t n_positions;
    char *const *types; /* of the whole log: these payloads alone; none: all */
    size_t n_types;
    int max_events; /* of the whole log: in one message; 0: one */
    /* Go on after this aggregate_sequence of the aggregate, or this sequence of the customer's
     * events (all of them are in one partition). */
    int64_t after;
    /* Turns an event into the stream's message, in the arena; NULL: passed over. Must not block.
     * Not of the whole log: its messages are SubscribeResponses. */
    const void *(*render)(void *context, Arena *arena, const Event *event);
    void *context; /* freed with free() at the end of the stream; may be NULL */
} EventInterest;

/* Detaches the call and feeds it from the log: first what is there, then what comes; a slow
 * reader is fed from the log again when it has room, so nothing is missed, reordered or held in
 * memory. The handler returns what this returns. */
const Error *event_hub_follow(EventHub *hub, RpcCall *call, const EventInterest *interest);

/* Whether the interest in an aggregate or a customer goes on after an event that is there: whoever comes with another number (of a log
 * that was lost, of another stream, made up) would miss something unseen. Errors: INVALID_ARGUMENT FIELD_INVALID for "after". */
const Error *event_check_after(RpcCall *call, const EventInterest *interest);

/* Relay: outbox → log. */

typedef struct EventRelay EventRelay;

/* `hub` may be NULL. */
EventRelay *event_relay_start(Store *store, const char *source, EventHub *hub, Metrics *metrics);
/* Moves what is there within the time, then stops. */
void event_relay_stop(EventRelay *relay, int grace_ms);

/* The rpcs of throughline.event.v1.EventService. */

const Error *event_subscribe(
    EventHub *hub, RpcCall *call, const Throughline__Event__V1__SubscribeRequest *request);
const Error *event_get_positions(
    EventHub *hub, RpcCall *call, Throughline__Event__V1__GetPositionsResponse *reply);

/* Consumer: another service's log → effects here. */

typedef struct EventConsumer EventConsumer;

/* Applies one event. The call's store view carries the event as its mark: a store_get that answers
 * &store_applied means the effect is there; return it as it is. When there are several writes, the
 * marked document is written last. Any other error is retried with backoff, order kept. */
typedef const Error *(*EventApply)(RpcCall *call, const Event *event);

/* Applies several events, each partition's in their order. Without a mark: it must not matter that some of them have had their effect
 * before. When it fails, they are applied one by one. */
typedef const Error *(*EventApplyAll)(RpcCall *call, const Event *const *events, size_t n_events);

/* Which events a consumer wants, and what it does with them. */
typedef struct EventEffect {
    EventApply apply;                               /* or apply_all */
    const ProtobufCMessageDescriptor *const *types; /* of payloads, NULL-ended; NULL: all */
    EventApplyAll apply_all;
    bool is_relaxed; /* the effect tells no events: its writes are relaxed, see StoreView */
} EventEffect;

EventConsumer *event_consumer_start(Store *store, const char *source, RpcClient *client,
    const EventEffect *effect, void *service_context, Metrics *metrics);
void event_consumer_stop(EventConsumer *consumer);

/* Events behind the source's log, all partitions; -1 when the source cannot be asked. */
int64_t event_consumer_lag(EventConsumer *consumer);

#endif
