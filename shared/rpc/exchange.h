/* Inside the server: a call on its way through the pipeline, and the server that it belongs to. */
#ifndef THROUGHLINE_RPC_EXCHANGE_H
#define THROUGHLINE_RPC_EXCHANGE_H

#include "shared/rpc/methods.h"
#include "shared/rpc/probe.h"
#include "shared/rpc/transport.h"

#include <pthread.h>
#include <stdatomic.h>

typedef struct RpcExchange RpcExchange;
struct Deferrals;
struct Health;
struct Workers;

/* A method as this server offers it. */
typedef struct ServerMethod {
    const RpcMethod *method; /* NULL: stands for all that nobody offers */
    RpcHandler handler;
    bool is_inline;
    Counter *started, *received_bytes, *sent_bytes;
    _Atomic(Histogram *) durations[ERROR_UNAUTHENTICATED + 1]; /* by status, made when first seen */
} ServerMethod;

/* Bytes that wait to be sent. */
typedef struct QueuedMessage {
    struct QueuedMessage *next;
    size_t size;
    uint8_t data[];
} QueuedMessage;

struct RpcStream {
    pthread_mutex_t lock;
    pthread_cond_t idle; /* `changed` is not running */
    RpcExchange *exchange;
    Arena *arena; /* of the error it ends with */
    QueuedMessage *first, **last;
    size_t n_queued, queued_bytes;
    void (*changed)(void *context);
    void *context;
    pthread_t calling; /* the thread that is in `changed` */
    bool is_calling;
    bool is_sending;
    bool wants_room; /* an offer was refused: say when there is room */
    bool is_gone;
    bool is_draining;
    bool is_handled;  /* the handler has returned */
    bool is_ended;    /* by its holder */
    bool is_finished; /* on its way out */
    int n_holders;    /* who look at it from the list of all */
    const Error *error;
    RpcStream *next, *previous; /* of the server's */
};

/* What a handler sends beside messages and status. */
typedef struct ExchangeExtras {
    TransportExtras wire;
    TransportPair initial[RPC_MAX_EXTRA_PAIRS], trailing[RPC_MAX_EXTRA_PAIRS];
} ExchangeExtras;

/* One call. It is recycled, with its arena, when the transport says `closed`. */
struct RpcExchange {
    RpcCall call;
    RpcServer *server;
    ServerMethod *method;
    TransportCall *wire;
    int64_t started_at;              /* clock_monotonic() */
    const TransportMessage *message; /* the request, or what came last of a stream */
    bool has_default_deadline;       /* its caller has set none */
    atomic_bool is_cancelled;
    Arena *arena;
    Arena *receive_arena;   /* since rpc_recycle */
    RpcStream *stream;      /* since rpc_detach */
    RpcShare share;         /* since rpc_share, until it was called */
    void *item, *reply;     /* of a call that shares */
    RpcDeferral *deferral;  /* since rpc_defer */
    bool is_moved;          /* from the transport's thread to a worker, by rpc_needs_worker */
    bool has_slot;          /* one of those for streams that keep a worker */
    ExchangeExtras *extras; /* in the arena; NULL: none */

    pthread_mutex_t lock; /* for what follows: a stream that blocks */
    pthread_cond_t changed;
    bool is_sending;
    bool is_receiving;
    bool is_draining;
    TransportReceived received;
    RpcExchange *next_both, *previous_both; /* of the server's streams both ways */

    RpcExchange *next; /* among those that wait for a worker, or that are free */
};

struct RpcServer {
    Transport *transport;
    const TransportOps *ops;
    RpcLimits limits;
    RpcHooks hooks;
    TokenKeys *keys;
    RpcProbe probe;
    Metrics *metrics;
    Metrics *own_metrics; /* when nobody else wants them */
    ServerMethod *methods;
    size_t n_methods;
    ServerMethod other;
    const char **service_names; /* NULL-ended */
    struct Workers *workers;
    struct Health *health;
    struct Deferrals *deferrals;
    _Atomic int blocking_streams, reflection_streams;

    pthread_mutex_t lock;
    bool is_draining;
    RpcExchange *free;
    size_t n_free;
    RpcStream *streams;
    RpcExchange *both_ways;
};

/* server.c */
RpcExchange *exchange_new(RpcServer *server, TransportCall *wire, const TransportArrival *arrival);
void exchange_recycle(RpcExchange *exchange);

/* pipeline.c */
extern const TransportEvents pipeline_events; /* without the context */
void pipeline_run(RpcExchange *exchange);
/* Counts, logs and answers; the exchange must not be touched afterwards. */
void exchange_finish(RpcExchange *exchange, const Error *error);
/* Packs the message into the transport's own room for it. `may_wait` is the transport's. */
void exchange_reserve(RpcExchange *exchange, const void *message, bool may_wait);
/* The same with a message that is packed. */
void exchange_reserve_bytes(RpcExchange *exchange, Bytes bytes, bool may_wait);
/* Calls the handler once more, on a worker; the exchange must not be touched afterwards. */
void exchange_again(RpcExchange *exchange);
/* Why the call is over: CANCELLED CALL_CANCELLED, DEADLINE_EXCEEDED. */
const Error *exchange_stop_error(const RpcExchange *exchange);

/* deferral.c */
/* The handler has returned &rpc_deferred; the exchange must not be touched afterwards. */
void deferral_handled(RpcDeferral *deferral, const void *reply);
/* The caller does not wait any more. */
void deferral_gone(RpcDeferral *deferral);
void deferral_free(RpcDeferral *deferral);
/* Those of a server that wait for no longer than the default deadline; none is left when they are freed. */
struct Deferrals *deferrals_new(void);
void deferrals_free(struct Deferrals *deferrals);

/* observe.c */
void observe_methods(RpcServer *server);
void observe_arrival(RpcExchange *exchange);
void observe_end(RpcExchange *exchange, const Error *error);

/* stream.c */
extern const Error stream_drained;
void stream_received(
    RpcExchange *exchange, TransportReceived what, const TransportMessage *messages);
void stream_sent(RpcExchange *exchange, bool is_sent);
/* Waits for what is being sent, and gives up what the stream holds. */
void stream_settle(RpcExchange *exchange);
/* Wakes those that wait for the next message of a stream both ways: the server drains. */
void stream_drain_all(RpcServer *server);

/* detached.c */
void detached_sent(RpcStream *stream, bool is_sent);
void detached_gone(RpcStream *stream);
/* The handler has returned, with an error if something went wrong after all: from now on the
 * stream may be finished. */
void detached_handled(RpcStream *stream, const Error *error);
void detached_drain_all(RpcServer *server);
void detached_free(RpcStream *stream);

#endif
