/* Inside the client over libevent and libnghttp2: what its parts share. A channel has one thread, on which all that happens to its
 * connections happens; callers post what they want of a call to it and wait. */
#ifndef THROUGHLINE_RPC_CLIENT_H2_H
#define THROUGHLINE_RPC_CLIENT_H2_H

#include "shared/rpc/client_engine.h"
#include "shared/rpc/client_outgoing.h"
#include "shared/rpc/transport_h2_message.h"

#include <event2/event.h>
#include <event2/event_struct.h>
#include <nghttp2/nghttp2.h>
#include <openssl/ssl.h>
#include <stdatomic.h>
#include <sys/socket.h>

enum {
    ONWARD_IO_BYTES = 16 * 1024,
    ONWARD_FRAME_BYTES = 16 * 1024 + 512, /* the most that nghttp2 writes at once */
    ONWARD_QUEUED_BYTES =
        64 * 1024, /* of whole messages that nobody has taken: then the peer waits */
    ONWARD_MAX_ADDRESSES = 64,
    ONWARD_FIXED_HEADERS = 7,
    ONWARD_TIMEOUT_SIZE = 16,
};

typedef struct Onward Onward;
typedef struct Backend Backend;
typedef struct Link Link;
typedef struct Resolution Resolution;

/* What a caller wants of the channel's thread. */
typedef enum OnwardAsk {
    ONWARD_START = 1,
    ONWARD_SEND = 2,
    ONWARD_TAKEN = 4, /* messages: the peer may send more */
    ONWARD_CANCEL = 8,
    ONWARD_CLOSE = 16, /* the last that is asked */
} OnwardAsk;

/* One call to another service, over as many attempts as it takes. */
struct Onward {
    RpcClientStream base;
    ClientChannel *channel;
    const RpcCall *parent;
    Arena *arena;
    const ProtobufCMessageDescriptor *output;
    int64_t deadline;
    bool is_idempotent, is_unary;

    nghttp2_nv headers[ONWARD_FIXED_HEADERS + CLIENT_MAX_PAIRS + 1];
    size_t n_headers;
    char *header_texts;
    char timeout[ONWARD_TIMEOUT_SIZE];

    unsigned asked;      /* OnwardAsk; under the channel's lock */
    Onward *next_posted; /* the same */

    pthread_mutex_t lock;
    pthread_cond_t changed;
    /* Under the lock. */
    TransportMessage *first, **last; /* whole messages */
    size_t queued;                   /* their bytes */
    size_t withheld;                 /* of the window */
    uint8_t *out;                    /* a message with its prefix, until it was taken */
    size_t out_size;
    bool ends_sending; /* behind `out` */
    bool is_over;      /* the status is there, and nothing more comes */
    bool is_closed;    /* the channel's thread has let go of it */
    int status;
    char *status_text, *status_details; /* as they came */

    /* The channel's thread's own. */
    Link *link; /* NULL: waits for one, for another try, or is over */
    Onward *next, *previous;
    int32_t stream;
    struct event timer, pause;
    H2Reader reader;
    size_t out_at;
    int attempts;
    int http, code; /* -1: not said */
    char *came_text, *came_details;
    H2Encoding encoding;
    bool is_waiting, is_started, is_deferred, is_sent, is_committed;
};

typedef enum BackendState {
    BACKEND_RESTING,
    BACKEND_CONNECTING,
    BACKEND_READY,
    BACKEND_FAILED,
} BackendState;

/* An address, and the connection to it that takes calls. */
struct Backend {
    ClientChannel *channel;
    Backend *next;
    struct sockaddr_storage address;
    socklen_t address_size;
    BackendState state;
    bool has_failed; /* since it was ready last: nobody waits for it */
    bool is_listed;  /* among the addresses that were found last */
    int64_t pause_ms;
    struct event again;
    Link *link;
};

/* A connection. */
struct Link {
    ClientChannel *channel;
    Backend *backend; /* NULL: takes no calls any more */
    Link *next;
    int socket;
    SSL *ssl; /* NULL: plaintext */
    nghttp2_session *session;
    struct event readable, writable, timer;
    Onward *calls;
    H2Reader health;
    int32_t health_stream;
    bool is_connected, is_secure, is_healthy, is_pinged, is_lost, wants_health;
    int64_t read_at;
    uint8_t *pending;
    size_t pending_size, pending_at;
};

typedef struct Addresses {
    struct sockaddr_storage items[ONWARD_MAX_ADDRESSES];
    socklen_t sizes[ONWARD_MAX_ADDRESSES];
    size_t count;
} Addresses;

struct ClientChannel {
    const RpcClientOptions *options;
    ClientToken token;
    const Error *error; /* why there can be no connection */
    SSL_CTX *tls;
    char *host, *authority;
    int64_t keepalive_ms;
    struct event_base *base;
    struct event *woken, *resolve_again;
    int wake;
    pthread_t thread;
    nghttp2_session_callbacks *callbacks;
    nghttp2_option *nghttp2_options;

    pthread_mutex_t lock;
    /* Under the lock. */
    Onward *posted, **last_posted;
    Addresses *found; /* by the resolver, not looked at yet */
    bool is_woken, is_stopping;

    /* The thread's own. */
    Backend *backends, *turn;
    Link *links;
    Onward *waiting, **last_waiting; /* for a link */
    Resolution *resolution;          /* NULL: none is under way */
    bool is_resolved;
    bool is_dirty; /* a call has begun that is not written yet */
    int64_t resolved_at;
    uint8_t *room; /* for what was read, and for what is to be written */
};

/* client_h2_call.c: what becomes of a call on the channel's thread. */
void onward_asked(Onward *call, unsigned asked);
/* Begins on that link. */
void onward_begin(Onward *call, Link *link);
/* No link can be had. */
void onward_forsaken(Onward *call, const char *why);
/* What goes out next, as nghttp2 asks for it. */
ssize_t onward_read(Onward *call, uint8_t *room, size_t size, uint32_t *flags);
void onward_header(Onward *call, Bytes name, Bytes value);
void onward_data(Onward *call, Bytes bytes);
/* The stream is no more; `why` when the connection is not either. */
void onward_gone(Onward *call, uint32_t error_code, const char *why);

/* client_h2_channel.c */
void channel_post(Onward *call, OnwardAsk what);
/* Gives the call a link, at once or as soon as there is one, or none. */
void channel_place(ClientChannel *channel, Onward *call);
/* Something about the backends has changed. */
void channel_look(ClientChannel *channel);
void channel_resolve(ClientChannel *channel);
ClientChannel *channel_open(const RpcClientOptions *options);
void channel_close(ClientChannel *channel);
/* Behind everything that happens on the thread: writes what is to be written, frees what was lost. */
void channel_settle(ClientChannel *channel);
/* From any thread, with the lock held. */
void channel_wake(ClientChannel *channel);

/* client_h2_backend.c */
Backend *backend_new(
    ClientChannel *channel, const struct sockaddr_storage *address, socklen_t size);
void backend_connect(Backend *backend);
void backend_failed(Backend *backend);
void backend_free(Backend *backend);

/* client_h2_link.c */
/* False when no connection can even be begun. */
bool link_open(Backend *backend);
void link_flush(Link *link);
/* The peer says that it is ready, or not. */
void link_healthy(Link *link, bool is_healthy);
/* Takes no new calls; ends with the last. */
void link_leave(Link *link);
/* Its calls end. Never from inside nghttp2. */
void link_lost(Link *link, const char *why);
void link_free(Link *link);

/* client_h2_session.c */
void link_setup(ClientChannel *channel);
void link_start(Link *link);
/* Points to both texts. */
nghttp2_nv link_header(const char *name, const char *value);
/* Of a call: its stream's number, or negative. */
int32_t link_request(Link *link, Onward *call);
void link_watch_health(Link *link);

/* client_h2_tls.c */
const Error *client_tls_open(const RpcClientOptions *options, SSL_CTX **tls);
SSL *client_tls_new(const ClientChannel *channel, int socket);

/* client_h2_resolve.c */
/* The host and the authority of a target; the caller's to free. */
void target_names(const char *target, char **host, char **authority);
/* Whether the target needs no asking; then its addresses. */
bool target_numeric(const char *target, Addresses *addresses);
/* Asks, and may take its time. */
void target_resolve(const char *target, Addresses *addresses);

#endif
