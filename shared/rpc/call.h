/* What a handler sees of a call. A handler is a function: typed request in, typed reply or error
 * out; it may block. */
#ifndef THROUGHLINE_RPC_CALL_H
#define THROUGHLINE_RPC_CALL_H

#include "shared/auth/caller.h"
#include "shared/base/arena.h"
#include "shared/base/error.h"
#include "shared/base/text.h"

#include <protobuf-c/protobuf-c.h>

struct StoreView;
struct RpcExchange; /* the run time's own part of a call */

/* From where, by whom and why: travels in metadata (throughline-channel, throughline-actor, …)
 * through all services. Empty texts when not given, never NULL. A method that changes something
 * is refused without channel and actor. */
typedef struct RpcContext {
    const char *channel;      /* "web"; must be the account's own where the account has one */
    const char *actor;        /* "customers/…", "agents/…", "anonymous/…", "services/…" */
    const char *on_behalf_of; /* "customers/…" when an agent acts for somebody */
    const char *device;
    const char *journey;
    const char *purpose;
} RpcContext;

typedef struct RpcCall {
    Arena *arena;         /* lives as long as the call */
    const Caller *caller; /* NULL only on methods that are open to anybody */
    RpcContext context;
    /* W3C trace context of this call's own span: what goes into events and onward calls */
    const char *traceparent;
    char trace_id[33];
    const char *peer;   /* address, for the log of refusals; never personal data in events */
    const char *method; /* "throughline.cart.v1.CartService/AddLine" */
    int64_t arrived_at; /* clock_now() at arrival: the handler's "now" */
    int64_t deadline;   /* clock_monotonic() at which the caller stops waiting; INT64_MAX: never */
    struct StoreView *store; /* this call's view of the store; rpc only carries it */
    void *service;           /* the ServiceContext; rpc only carries it */
    /* NULL for calls that did not come over the wire (events, jobs) */
    struct RpcExchange *exchange;
    FieldViolation *violations; /* collected by check.h */
    size_t n_violations;
} RpcCall;

/* Unary: fill `reply`, return NULL. Server streaming: rpc_send() any number of times, return.
 * Client streaming and both ways: `request` is NULL, rpc_receive() until it gives NULL. */
typedef const Error *(*RpcHandler)(RpcCall *call, const void *request, void *reply);

enum { RPC_MAX_METHODS = 48 };

/* The handlers of one proto service, in the order of its descriptor. Initialised by the macro
 * that protoc-c generates, with an empty prefix, so that a handler is its rpc in snake_case:
 *     const RpcService cart_rpcs = THROUGHLINE__CART__V1__CART_SERVICE__INIT(); */
typedef struct RpcService {
    struct {
        const ProtobufCServiceDescriptor *descriptor;
        void (*invoke)(
            ProtobufCService *, unsigned, const ProtobufCMessage *, ProtobufCClosure, void *);
        void (*destroy)(ProtobufCService *);
    } base;
    RpcHandler handlers[RPC_MAX_METHODS];
} RpcService;

/* Whether going on is useless: the caller left, the deadline passed or the server drains hard.
 * Cheap: one atomic load, and the clock where there is a deadline. */
bool rpc_should_stop(const RpcCall *call);

/* Milliseconds left, 0 when none; INT32_MAX without a deadline. What store and onward calls
 * inherit. */
int32_t rpc_remaining_ms(const RpcCall *call);

/* The first value of the caller's metadata under a key in lower case, data NULL when there is none.
 * Values of keys in -bin are decoded. */
Bytes rpc_metadata(const RpcCall *call, const char *key);

/* Sends a pair of metadata before the first message, or with the status. Key and value are copied;
 * values of keys in -bin may be any bytes, others printable ASCII. */
enum { RPC_MAX_EXTRA_PAIRS = 8 };
void rpc_add_header(RpcCall *call, const char *key, Bytes value);
void rpc_add_trailer(RpcCall *call, const char *key, Bytes value);

/* Whether messages go out compressed from now on, to a caller who takes that. To be switched on
 * before the first one. */
void rpc_compress(RpcCall *call, bool is_wanted);
/* Whether the message that came last was compressed. */
bool rpc_was_compressed(const RpcCall *call);

/* Methods marked inline run on the transport's threads, where nothing may block. A handler that must
 * block after all asks first: where it may not, it answers &rpc_needs_worker, having changed nothing,
 * and is called again, on a worker. */
bool rpc_may_block(const RpcCall *call);
extern const Error rpc_needs_worker;

/* What all calls of one moment can share is done once for them: where it answers true, the handler
 * returns NULL, and `share` completes the replies of all calls that came in the same turn of the
 * transport's thread, RPC_MAX_SHARERS at most, given their items. It runs on that thread and must
 * not block. False: the handler completes its reply itself, as on a worker, in a call that did not
 * come over the wire, and on an engine without turns. */
enum { RPC_MAX_SHARERS = 64 };
typedef void (*RpcShare)(void *const *items, size_t n_items);
bool rpc_share(RpcCall *call, RpcShare share, void *item);

/* An answer that comes later. A handler whose last act would be to wait (for the disk, say) fills its reply, asks for this and returns
 * &rpc_deferred: its thread goes on to the next call. Whoever was asked to tell calls rpc_deferral_end, exactly once, from any thread,
 * perhaps before the handler has returned; it never blocks. If it is done, the reply goes out. If not, the handler is called once more,
 * on a worker, to find out why by waiting itself. Nobody waits for longer than the call's deadline, the server's own where the caller has
 * set none: then the status is DEADLINE_EXCEEDED, and what was begun may still come to be. NULL where a call cannot be deferred: the second time, streams, calls without a wire. */
typedef struct RpcDeferral RpcDeferral;
RpcDeferral *rpc_defer(RpcCall *call);
/* Before the handler returns: its reply in the wire form, in the call's arena, if it is packed already. */
void rpc_deferral_reply(RpcDeferral *deferral, Bytes packed);
void rpc_deferral_end(RpcDeferral *deferral, bool is_done);
extern const Error rpc_deferred;

/* Sends one message of a stream; blocks while the peer is slow. Errors: CANCELLED
 * CALL_CANCELLED, DEADLINE_EXCEEDED. */
const Error *rpc_send(RpcCall *call, const void *message);

/* The next message of a client's stream in the call's arena, *message NULL at its end. Errors as
 * rpc_send, and those of scan_message. */
const Error *rpc_receive(RpcCall *call, void **message);

/* Gives the memory of received messages back between two messages of a long stream: arena_reset
 * of an arena that rpc_receive uses from now on instead of the call's. */
void rpc_recycle(RpcCall *call);

/* A server stream that goes on without a thread. The handler returns NULL after rpc_detach;
 * whoever holds the stream offers messages from any thread. */
typedef struct RpcStream RpcStream;

RpcStream *rpc_detach(RpcCall *call);

/* Queues a message if there is room (RPC_STREAM_QUEUE messages or bytes): never blocks.
 * RPC_STREAM_FULL: offer it again after `changed` was called; RPC_STREAM_GONE: the peer left;
 * end it. */
typedef enum RpcOffer { RPC_STREAM_TAKEN, RPC_STREAM_FULL, RPC_STREAM_GONE } RpcOffer;
enum { RPC_STREAM_QUEUE = 64, RPC_STREAM_QUEUE_BYTES = 1024 * 1024 };
RpcOffer rpc_stream_offer(RpcStream *stream, const void *message);

/* Called from a transport thread when the queue has emptied after RPC_STREAM_FULL, and at least
 * once when the peer has left or the server drains. Must not block; no lock of the stream's is
 * held, so it may offer and end. Set before the handler returns. */
void rpc_stream_watch(RpcStream *stream, void (*changed)(void *context), void *context);

/* Sends what is queued, then the status (NULL: OK), and lets go of the stream. Exactly once.
 * Waits for a running `changed` unless called from inside it, so that its context may be freed
 * afterwards: do not hold a lock that `changed` takes. */
void rpc_stream_end(RpcStream *stream, const Error *error);

/* The server drains: end the stream with a resumable status (UNAVAILABLE STREAM_DRAINED). */
bool rpc_stream_is_draining(const RpcStream *stream);

/* An event's or a job's call: same face, no wire behind. */
RpcCall *rpc_internal_call(
    Arena *arena, const char *method, const RpcContext *context, void *service);

#endif
