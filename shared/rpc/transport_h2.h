/* Inside the engine over libevent and libnghttp2: what its parts share. A loop is a thread with
 * connections of its own; all that happens to a connection and to its calls happens on that
 * thread. What the run time asks for from other threads is posted to the loop. */
#ifndef THROUGHLINE_RPC_TRANSPORT_H2_H
#define THROUGHLINE_RPC_TRANSPORT_H2_H

#include "shared/rpc/listening.h"
#include "shared/rpc/transport.h"
#include "shared/rpc/transport_h2_message.h"

#include <event2/event.h>
#include <event2/event_struct.h>
#include <nghttp2/nghttp2.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdatomic.h>

enum {
    H2_IO_BYTES = 64 * 1024, /* read at once, and gathered before a write */
    H2_FRAME_BYTES = 16 * 1024 + 512,
    H2_HEAD_BYTES = 9,  /* of a frame */
    H2_OWN_BYTES = 256, /* of a message out that need no memory of their own */
    H2_OWN_PAIRS = 16,
    H2_SIZE_CLASSES = 16,
    /* Above the limit the run time refuses a call in its own words, up to so many times of it. */
    H2_METADATA_MARGIN = 4,
    H2_SWEEP_MICROS = 250 * 1000,
    /* Of max_pending_bytes: while more than that waits for a client its next calls wait too. */
    H2_CROWDED_PART = 16,
};

typedef struct H2Transport H2Transport;
typedef struct H2Loop H2Loop;
typedef struct H2Connection H2Connection;
typedef struct H2Call H2Call;
typedef struct H2Peer H2Peer;
typedef struct H2Peers H2Peers;
struct H2Tls;

/* Which limit was reached: labels of a metric. */
typedef enum H2Reason {
    H2_REASON_RESETS,
    H2_REASON_CONTROL,
    H2_REASON_HEADERS,
    H2_REASON_PROTOCOL,
    H2_REASON_HANDSHAKE,
    H2_REASON_BODY,
    H2_REASON_STALLED,
    H2_REASON_HELD,
    H2_REASON_SILENT,
    H2_REASON_CONNECTIONS,
    H2_REASON_ADDRESS,
    H2_REASON_DESCRIPTORS,
    H2_REASON_MEMORY,
    H2_REASON_PROXY,
    H2_REASONS,
} H2Reason;

/* How a call ends: fixed texts, or texts in the call's arena. */
typedef struct H2Status {
    int http; /* 200, or an HTTP error that is no gRPC status */
    int code;
    const char *message; /* as grpc-message says it */
    const char *details; /* as grpc-status-details-bin says it */
} H2Status;

typedef struct H2Pair {
    nghttp2_rcbuf *key, *value;
    Bytes decoded; /* the value, of a key in -bin */
} H2Pair;

typedef enum H2Ask {
    H2_ASK_RECEIVE = 1,
    H2_ASK_SEND = 2,
    H2_ASK_FINISH = 4,
    H2_ASK_DELIVER = 8, /* the loop itself: what has come by the end of the turn goes together */
} H2Ask;

/* One call. It is there from its first header until the run time was told that it is closed, or,
 * if it never arrived, until its stream is. */
struct H2Call {
    TransportCall base;
    H2Connection *connection;
    H2Call *next, *previous; /* of the connection's */
    int32_t stream;

    atomic_uint asked;  /* H2Ask, any thread */
    H2Call *next_asked; /* under the loop's lock */
    H2Call *next_lingering;
    /* The run time's, on whichever thread, until it asks for what they are for. */
    uint8_t *reserved; /* with the prefix in front */
    size_t reserved_size;
    size_t made_bytes; /* of it, in the transport's */
    H2Status status;
    nghttp2_nv *initial, *trailing; /* pairs of its own */
    size_t n_initial, n_trailing;
    bool is_prepared; /* `initial` is what it will be */
    bool compresses;

    /* the request */
    const TransportMethod *method;
    const H2Status *refusal; /* why it is not even told to the run time */
    H2Pair *pairs;
    size_t n_pairs, pairs_room;
    size_t header_bytes;
    H2Encoding encoding;
    int64_t deadline;
    int64_t begun_at; /* the headers, or the message that comes */
    size_t in_bytes;  /* of the connection's, as the next */
    size_t work_bytes;
    Arena *arena; /* of decoded and encoded texts, NULL until there are any */
    bool is_post, is_grpc, takes_gzip;
    bool is_malformed;    /* as HTTP sees it */
    bool is_reset;        /* by us */
    unsigned parts;       /* of HTTP's, that are there */
    int64_t content_left; /* where its length was told */

    /* messages in */
    H2Reader reader;
    TransportMessage *first, **last; /* whole ones that wait */
    TransportMessage *current;       /* those that the run time looks at */
    size_t withheld;                 /* of the window */
    bool has_ended;                  /* the client has sent everything */
    bool is_receiving;
    bool is_broken;

    /* messages out */
    const uint8_t *out;
    uint8_t *out_memory; /* of `out`, when it is the call's to free */
    size_t out_size, out_at;
    bool is_sending;
    bool has_headers;
    bool is_deferred;
    bool ends;             /* no message comes behind `out` */
    const H2Status *final; /* what ends it; NULL: the stream's end alone */

    /* the whole */
    struct event timer; /* of the deadline, once watched */
    bool is_watched, has_timer;
    bool is_waiting; /* whole, but the connection is crowded */
    bool is_arrived, is_finished;
    bool is_cut;         /* ended by us, before the run time had finished */
    bool is_status_sent; /* by the run time */
    bool is_gone;        /* the stream is */

    H2Pair own_pairs[H2_OWN_PAIRS];
    uint8_t own_out[H2_PREFIX_BYTES + H2_OWN_BYTES];
};

struct H2Connection {
    H2Loop *loop;
    H2Connection *next, *previous; /* of the loop's */
    H2Connection *next_dirty;
    int socket;
    SSL *ssl; /* NULL: plaintext */
    struct event readable, writable;
    nghttp2_session *session;
    H2Call *calls;
    H2Call *heading; /* whose block of headers comes */
    size_t n_calls, n_waiting;
    size_t n_streams;           /* open, as far as nghttp2 is concerned */
    size_t in_bytes, out_bytes; /* of headers and messages that are kept, or not taken */
    size_t work_bytes;          /* what its calls cost the run time, nearly */
    size_t block_bytes;         /* of headers that are not whole */
    int64_t weight;             /* of all that, as its address knows of it */
    size_t moved;               /* of those out, since waits_since */
    size_t lingered;            /* read only to be forgotten */
    int32_t resets_left, control_left;
    int32_t seen, told;  /* frames of this read: all, and those that nghttp2 told of */
    size_t read_size;    /* at once */
    size_t payload_left; /* of the frame that comes */
    uint8_t head[H2_HEAD_BYTES], n_head; /* of the next, as far as it has come */
    uint32_t last_stream;                /* that the client has opened */
    bool is_amid_block;                  /* of headers */
    bool is_passed_over;                 /* the frame that comes: nghttp2 does not see it */
    uint8_t *pending;                    /* written by nghttp2, not taken by the socket */
    size_t pending_size, pending_at;
    int64_t opened_at, read_at, idle_since, retired_at, lingers_since, kicked_at;
    int64_t headers_since, waits_since; /* 0: there are none, nothing waits */
    int64_t max_age_micros;
    bool is_dirty;    /* something may have to be written */
    bool is_secure;   /* the handshake is over */
    bool is_retired;  /* the first GOAWAY is out */
    bool is_sent_off; /* the second is */
    bool is_pinged;
    bool is_lingering; /* all is written; reads until the peer has closed */
    bool is_kicked;
    bool is_closed;
    ssize_t proxy_seen;
    bool wants_proxy; /* the balancer's header has not come yet */
    bool has_begun;   /* the client's preface has come */
    H2Peer *peer;
    char *identity;
    char name[LISTENING_NAME_SIZE];
};

typedef enum H2Command {
    H2_COMMAND_DRAIN = 1, /* asks clients to go elsewhere */
    H2_COMMAND_CUT = 2,   /* ends the calls that are left */
    H2_COMMAND_CLOSE = 4, /* and the connections */
    H2_COMMAND_STOP = 8,
} H2Command;

typedef struct H2Piece H2Piece;

/* A loop's memory for nghttp2. */
typedef struct H2Memory {
    nghttp2_mem hooks;
    H2Piece *kept[H2_SIZE_CLASSES];
    size_t kept_bytes;
} H2Memory;

struct H2Loop {
    H2Transport *transport;
    H2Memory memory;
    struct event_base *base;
    pthread_t thread;
    struct event *woken, *sweep, *turn_end;
    int wake;
    uint8_t *in, *out;
    size_t out_size;
    bool is_out_full;
    bool is_sweeping;
    bool is_draining;
    H2Connection *connections;
    H2Connection *dirty;
    H2Call *arriving; /* the run time is being told of it */
    H2Call *lingering, **last_lingering;
    H2Call *free_calls;
    size_t n_free_calls;
    int64_t unreported;   /* of the transport's held_bytes */
    _Atomic size_t calls; /* arrived and not closed; written by the loop only */

    pthread_mutex_t lock; /* for what others post */
    H2Call *asked, **last_asked;
    H2Connection *handed;
    unsigned commands;
    bool is_woken;
};

struct H2Transport {
    Transport base;
    TransportEvents events;
    RpcLimits limits;
    const TransportMethod **slots; /* by the hash of the path */
    size_t slot_mask;
    nghttp2_session_callbacks *callbacks;
    nghttp2_option *options;
    struct H2Tls *tls; /* NULL: plaintext */
    H2Loop *loops;
    size_t n_loops, next_loop;
    int socket, port, spare, descriptor_cap;
    struct event *acceptable, *accept_again; /* of the first loop */
    bool expects_proxy;
    H2Peers *peers;
    Counter *ended[H2_REASONS];
    Gauge *open;
    _Atomic int64_t complained_at, memory_looked_at;
    int64_t memory_mark;
    int descriptor_mark;
    atomic_bool is_memory_tight;
    _Atomic size_t connections;
    _Atomic int64_t held_bytes; /* replies that wait for clients, nearly */
    _Atomic size_t made_bytes;  /* replies that no loop has looked at yet */

    pthread_mutex_t lock;
    pthread_cond_t changed;
    atomic_bool is_draining;
};

/* transport_h2_loop.c */
void h2_loop_init(H2Loop *loop, H2Transport *transport);
void h2_loop_start(H2Loop *loop);
void h2_loop_free(H2Loop *loop);
/* From any thread. */
void h2_loop_ask(H2Loop *loop, H2Call *call, H2Ask what);
void h2_loop_hand(H2Loop *loop, H2Connection *connection);
void h2_loop_command(H2Loop *loop, H2Command command);
/* Makes this thread the loop's. */
void h2_loop_enter(const H2Loop *loop);
/* Whether it is. */
bool h2_loop_is_here(const H2Loop *loop);
/* Behind everything that happens on the loop: does what was asked and writes what came of it. */
void h2_loop_settle(H2Loop *loop);
void h2_loop_count(H2Loop *loop, int step);
/* `turned` is told of the call when all that was readable has been read. */
void h2_loop_linger(H2Loop *loop, H2Call *call);

/* transport_h2_memory.c: for the loop's thread alone. */
void h2_memory_init(H2Memory *memory);
void h2_memory_free(H2Memory *memory);

/* transport_h2_accept.c */
/* Listens on the loop; errors of listening_socket. */
const Error *h2_accept_open(Arena *arena, H2Transport *transport, const TransportOptions *options);
void h2_accept_start(H2Transport *transport);
void h2_accept_stop(H2Transport *transport);

/* transport_h2_connection.c */
H2Connection *h2_connection_new(H2Transport *transport, int socket);
/* False when the address has too many. */
bool h2_connection_name(
    H2Transport *transport, H2Connection *connection, const struct sockaddr_storage *address);
/* On its loop from now on. */
void h2_connection_start(H2Connection *connection);
void h2_connection_touch(H2Connection *connection);
void h2_connection_flush(H2Connection *connection);
/* Ends its calls. */
void h2_connection_cut(H2Connection *connection);
/* Ends everything at once. Never from inside nghttp2. */
void h2_connection_close(H2Connection *connection);
/* Frees what was closed, when no call needs it any more. */
void h2_connection_release(H2Connection *connection);

/* transport_h2_session.c */
void h2_session_setup(H2Transport *transport);
void h2_session_start(H2Connection *connection);
void h2_session_take(H2Connection *connection, const uint8_t *bytes, size_t size);
/* Writes frames into the loop's buffer, up to its end. False when the connection is beyond
 * saving. */
bool h2_session_gather(H2Connection *connection);
/* Asks the client to go elsewhere: a first GOAWAY, and, when it has seen that, a last one. */
void h2_session_retire(H2Connection *connection);
void h2_session_send_off(H2Connection *connection);
void h2_session_ping(H2Connection *connection);

/* transport_h2_frames.c */
/* Takes from the front of *rest what nghttp2 is to see next: nothing, or bytes that lie together. Until
 * *rest is empty there may be more. Counts the frames that begin in it. */
Bytes h2_frames_next(H2Connection *connection, Bytes *rest);

/* transport_h2_call.c */
H2Call *h2_call_new(H2Connection *connection, int32_t stream);
void h2_call_arrive(H2Call *call, const TransportMessage *message);
/* What the run time asked for. */
void h2_call_asked(H2Call *call, unsigned what);
/* The stream is no more. */
void h2_call_gone(H2Call *call);
/* Ends it without the run time, which is told. */
void h2_call_cut(H2Call *call, const H2Status *status);
void h2_call_watch(H2Call *call);
Arena *h2_call_arena(H2Call *call);
extern const H2Status h2_going_away;

/* Gives up the stream in HTTP/2's own words. */
void h2_call_reset(H2Call *call, uint32_t code);

/* transport_h2_http.c: each is false when the request is malformed. */
bool h2_http_take(H2Call *call, nghttp2_rcbuf *name, nghttp2_rcbuf *value, bool is_trailer);
bool h2_http_is_whole(const H2Call *call);
/* So much more content has come; there is no more. */
bool h2_http_count(H2Call *call, size_t size);
bool h2_http_is_over(const H2Call *call);

/* transport_h2_request.c */
void h2_request_header(H2Call *call, nghttp2_rcbuf *name, nghttp2_rcbuf *value);
void h2_request_begin(H2Call *call);
void h2_request_data(H2Call *call, Bytes bytes);
void h2_request_end(H2Call *call);
/* It is no request of HTTP. */
void h2_request_refuse(H2Call *call);
/* Answers `receive` as soon as there is an answer. */
void h2_request_deliver(H2Call *call);
void h2_request_break(H2Call *call);
void h2_request_free(H2Call *call);

/* transport_h2_reply.c */
/* On the run time's thread, before it asks: what stands beside the message, and whether that is
 * compressed. */
void h2_reply_prepare(H2Call *call, bool is_last);
/* What was reserved is of no use any more. */
void h2_reply_drop(H2Call *call);
/* What was reserved goes out. */
void h2_reply_send(H2Call *call);
/* What was reserved, if the status is OK, and the status. */
void h2_reply_finish(H2Call *call);
/* The status and nothing else. */
void h2_reply_end(H2Call *call, const H2Status *status);
ssize_t h2_reply_read(nghttp2_session *session, int32_t stream, uint8_t *room, size_t size,
    uint32_t *flags, nghttp2_data_source *source, void *context);
int h2_reply_write(nghttp2_session *session, nghttp2_frame *frame, const uint8_t *head, size_t size,
    nghttp2_data_source *source, void *context);
void h2_reply_free(H2Call *call);
H2Status h2_status_encode(H2Call *call, const RpcStatus *status);

/* Whether something of the request is still to come, and is waited for. */
bool h2_request_is_amid(const H2Call *call);
/* Lets those in that waited, while the connection is not crowded. */
void h2_request_admit(H2Connection *connection);

/* transport_h2_limits.c */
void h2_limits_setup(H2Transport *transport, Metrics *metrics);
void h2_limits_start(H2Connection *connection);
void h2_limits_count(H2Transport *transport, H2Reason reason, const char *peer);
/* GOAWAY, and then the end. From anywhere. */
void h2_limits_kick(H2Connection *connection, H2Reason reason);
/* Pays for a frame; false when the connection was kicked. */
bool h2_limits_take_reset(H2Connection *connection);
bool h2_limits_take_control(H2Connection *connection);
/* For a call that was answered; for a message that went or came whole; for bytes that were
 * taken. */
void h2_limits_give_call(H2Connection *connection);
void h2_limits_give_message(H2Connection *connection);
void h2_limits_give_bytes(H2Connection *connection, size_t size);
/* For frames that nghttp2 passed over. */
void h2_limits_take_untold(H2Connection *connection);
/* More or less waits for the client. */
void h2_limits_hold(H2Connection *connection, int64_t step);
bool h2_limits_is_crowded(const H2Connection *connection);
/* Before memory is taken for a reply. Who may wait does so, a little, where the loops have fallen
 * behind. */
void h2_limits_make(H2Call *call, size_t size, bool may_wait);
/* The loop has looked at it, or it is gone. */
void h2_limits_made(H2Call *call);
/* Whether one more reply of this size is one too many. */
bool h2_limits_is_full(const H2Connection *connection, size_t size);
/* A few times a second. */
void h2_limits_sweep(H2Connection *connection, int64_t now);

/* transport_h2_weight.c */
/* Tells the address how much more or less the connection weighs, if that is worth it. */
void h2_weigh(H2Connection *connection);
/* Whether its address has as much as it may have. */
bool h2_is_heavy(const H2Connection *connection);
/* The run time is told of a call; it is done with it. */
void h2_weigh_arrival(H2Call *call, size_t message_bytes);
void h2_weigh_end(H2Call *call);

/* transport_h2_strain.c */
void h2_strain_open(H2Transport *transport);
bool h2_strain_of_memory(H2Transport *transport);
const char *h2_strain(Transport *transport);

/* transport_h2_peers.c */
H2Peers *h2_peers_new(void);
void h2_peers_free(H2Peers *peers);
/* One more; NULL when there are, or weigh, as many as there may. */
H2Peer *h2_peers_add(
    H2Peers *peers, const struct sockaddr_storage *address, const RpcLimits *limits);
/* NULL is allowed in all of these. */
void h2_peers_drop(H2Peers *peers, H2Peer *peer);
void h2_peers_weigh(H2Peer *peer, int64_t step);
int64_t h2_peers_weight(const H2Peer *peer);

/* transport_h2_tls.c */
/* Errors: INVALID_ARGUMENT TLS_FILE. */
const Error *h2_tls_open(Arena *arena, const TransportOptions *options, struct H2Tls **tls);
void h2_tls_close(struct H2Tls *tls);
/* For a connection that was just accepted, with the files as they are now. */
SSL *h2_tls_new(struct H2Tls *tls, int socket);
/* Who the peer is, by its certificate; NULL: nobody in particular. The caller's to free. */
char *h2_tls_identity(const SSL *ssl);
bool h2_tls_is_h2(const SSL *ssl);

/* transport_h2_open.c */
/* Without a socket and threads. */
H2Transport *h2_transport_new(const TransportOptions *options);
void h2_transport_free(H2Transport *transport);
const Error *h2_listen(Arena *arena, const TransportOptions *options, Transport **transport);
int h2_port(const Transport *transport);
size_t h2_calls(const Transport *transport);
bool h2_drain(Transport *transport, int grace_ms);
void h2_destroy(Transport *transport);
const TransportMethod *h2_find_method(const H2Transport *transport, Bytes path);

#endif
