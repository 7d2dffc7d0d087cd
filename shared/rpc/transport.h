/* The seam between the run time and what speaks HTTP/2: an engine takes connections and turns
 * them into calls. Everything is asynchronous: the run time asks (receive, send, finish), the
 * engine answers on its own threads, never from inside the asking. No type of an engine's
 * library shows here. */
#ifndef THROUGHLINE_RPC_TRANSPORT_H
#define THROUGHLINE_RPC_TRANSPORT_H

#include "shared/rpc/server.h"
#include "shared/rpc/status.h"

typedef struct TransportOps TransportOps;

/* One listening engine; engines embed it. */
typedef struct Transport {
    const TransportOps *ops;
} Transport;

/* A pair of the call's metadata; keys are in lower case, values of keys in -bin are decoded. */
typedef struct TransportPair {
    Bytes key;
    Bytes value;
} TransportPair;

/* What goes out beside messages and status: set by the run time, read by the engine inside `send`
 * and `finish` only. Its bytes live until `closed`. */
typedef struct TransportExtras {
    const TransportPair *initial; /* before the first message */
    size_t n_initial;
    const TransportPair *trailing; /* with the status */
    size_t n_trailing;
    /* Messages go out in gzip if the client takes it; for good off when the first one did not. */
    bool compresses;
} TransportExtras;

/* One call; engines embed it. It lives from `arrived` until `closed` has returned. */
typedef struct TransportCall {
    Transport *transport;
    void *user;                    /* the run time's own: set before `arrived` asks for anything */
    const TransportExtras *extras; /* NULL: none, as at arrival */
} TransportCall;

/* A message that came; engines embed it. */
typedef struct TransportMessage {
    struct TransportMessage *next; /* of those that came together */
    Bytes bytes;
    bool is_compressed; /* on its way here: bytes are not */
} TransportMessage;

/* A method that calls may name; anything else arrives with method NULL. */
typedef struct TransportMethod {
    const char *path; /* "/package.Service/Method" */
    /* the client streams: messages are received; else the one message comes with the call */
    bool takes_streams;
    const void *user;
} TransportMethod;

/* What is known when a call arrives. Texts and bytes live as long as the call. */
typedef struct TransportArrival {
    const TransportMethod *method; /* NULL: nobody offers it */
    int64_t deadline;              /* clock_monotonic(); INT64_MAX: none */
    /* Of a method that takes no stream; NULL: none came. */
    const TransportMessage *message;
} TransportArrival;

typedef struct TransportPeer {
    const char *address;  /* "ipv4:10.0.0.7:4711" */
    const char *identity; /* what its certificate says: a SPIFFE id, else a name; "" without one */
} TransportPeer;

typedef enum TransportReceived {
    TRANSPORT_MESSAGE,
    TRANSPORT_END,    /* the client has sent everything */
    TRANSPORT_BROKEN, /* the call was cancelled, or the message was too large */
} TransportReceived;

/* What the engine tells. All are called from the engine's threads and must not block; those of
 * one call may overlap, except that `arrived` is first and `closed` last. */
typedef struct TransportEvents {
    void *context; /* of `arrived` */
    /* Every call ends in exactly one `finish`, here or later. */
    void (*arrived)(void *context, TransportCall *call, const TransportArrival *arrival);
    /* Answers `receive`: all messages that have come, and that the client may send ahead. They are
     * good until the next `receive` or `finish`. NULL unless `what` is TRANSPORT_MESSAGE. */
    void (*received)(void *user, TransportReceived what, const TransportMessage *messages);
    /* Answers `send`; false when the message could not be sent: the call is cancelled. */
    void (*sent)(void *user, bool is_sent);
    /* For a call that was watched: the peer left, its deadline passed, or the drain came to its
     * end. Never after `finish` was answered by `closed`. */
    void (*cancelled)(void *user);
    /* After `finish`, when nothing of the call is under way: the last word. `is_cancelled`: the
     * status did not go out. */
    void (*closed)(void *user, bool is_cancelled);
    /* Of calls that linger, at the end of the turn: those of one thread, RPC_MAX_SHARERS at most,
     * in the order of their arrival. */
    void (*turned)(void *const *users, size_t n_users);
} TransportEvents;

typedef struct TransportOptions {
    const char *address;
    int port;
    RpcLimits limits;                                      /* all set, but for max_memory_bytes */
    const char *tls_certificate, *tls_key, *tls_client_ca; /* file names; NULL: plaintext */
    bool expects_proxy;
    Metrics *metrics;               /* NULL: nothing is counted */
    const TransportMethod *methods; /* live as long as the transport */
    size_t n_methods;
    TransportEvents events;
} TransportOptions;

struct TransportOps {
    const char *name;
    /* Listens and starts its threads. Errors: UNAVAILABLE PORT_TAKEN, INVALID_ARGUMENT TLS_FILE,
     * PROXY_UNSUPPORTED. */
    const Error *(*listen)(Arena *arena, const TransportOptions *options, Transport **transport);
    int (*port)(const Transport *transport);

    /* The i-th pair, false behind the last. From arrival until `finish`. */
    bool (*metadata)(const TransportCall *call, size_t i, TransportPair *pair);
    TransportPeer (*peer)(TransportCall *call, Arena *arena);

    /* Only from inside `arrived`: `cancelled` is wanted. Needed by calls that outlive `arrived`;
     * costs a little. */
    void (*watch)(TransportCall *call);
    /* Only from inside `arrived`, and not finished there: `turned` is wanted as soon as the thread has
     * told of everything that had come when it last looked. NULL: the engine has no such turns. */
    void (*linger)(TransportCall *call);
    /* Asks for what comes next; one at a time. */
    void (*receive)(TransportCall *call);
    /* Room for the next message out, which `send` or `finish` takes; one at a time. With `may_wait`
     * a worker is held up a little while those who send have to catch up; nobody else may be. */
    uint8_t *(*reserve)(TransportCall *call, size_t size, bool may_wait);
    /* Sends what was reserved; one at a time. */
    void (*send)(TransportCall *call);
    /* Sends what was reserved, if anything and the status is OK, and the status. Not while a
     * `send` is unanswered. The caller must not touch the call, nor what `closed` frees,
     * afterwards. */
    void (*finish)(TransportCall *call, const RpcStatus *status);

    /* Calls in the engine now. */
    size_t (*calls)(const Transport *transport);
    /* Asks clients to go elsewhere and takes no new call; after grace_ms, or as soon as no call
     * is left, cuts what is left. Returns when every call is closed; true when none had to be
     * cut. */
    bool (*drain)(Transport *transport, int grace_ms);
    /* After drain: frees the transport. */
    void (*destroy)(Transport *transport);
    /* Why it takes no connections now, in a few words; NULL when it does. May be NULL. */
    const char *(*strain)(Transport *transport);
};

/* gRPC core, in the module throughline-grpc. */
extern const TransportOps transport_core;
/* libevent, libnghttp2 and OpenSSL. */
extern const TransportOps transport_h2;

/* The engine of that name, "core" or "h2". Errors: INVALID_ARGUMENT TRANSPORT_UNKNOWN,
 * FAILED_PRECONDITION MODULE_MISSING. */
const Error *transport_find(Arena *arena, const char *name, const TransportOps **ops);

#endif
