/* The five services as the command line sees them: one client each, and calls in the name of a channel. */
#ifndef THROUGHLINE_SERVICES_THROUGHLINE_SHOP_H
#define THROUGHLINE_SERVICES_THROUGHLINE_SHOP_H

#include "shared/base/config.h"
#include "shared/rpc/client.h"

#include <signal.h>

/* A slow store on a busy machine takes its time. */
enum { SHOP_SERVICES = 5, SHOP_CALL_MS = 60000 };

/* The folder that `up` keeps everything in, unless it is told another. */
#define SHOP_DATA "throughline-data"

typedef struct ShopService {
    const char
        *name; /* "cart": also the second word of its packages, and the name of its program */
    int port;
} ShopService;

extern const ShopService shop_services[SHOP_SERVICES];

typedef struct Shop {
    Arena *arena;
    int patience_ms; /* how long a service that cannot be reached is asked again */
    const volatile sig_atomic_t *stop; /* set when nothing more is to be done; may be NULL */
    RpcClient *clients[SHOP_SERVICES];
} Shop;

/* What is done for a shop that is to stop ends with this: CANCELLED INTERRUPTED. */
extern const Error shop_interrupted;

bool shop_is_stopped(const Shop *shop);

/* Somebody who calls: an account's token and the context that goes with every call. */
typedef struct Channel {
    const char *token;
    const char *traceparent; /* NULL: each call begins one */
    RpcContext context;
} Channel;

/* Targets from "--<service>-target", TLS from "--tls-…". */
void shop_open(Shop *shop, Arena *arena, const Config *config);
void shop_open_local(Shop *shop, Arena *arena, int base_port);
void shop_close(Shop *shop);

/* The client that serves a package ("throughline.cart.v1" → cart's); NULL when none does. */
RpcClient *shop_client(const Shop *shop, const char *package);

/* The channel that "--token-file", "--channel", "--actor" … describe. */
const Error *shop_channel(Arena *arena, const Config *config, Channel *channel);

/* The first word of a file; UNAVAILABLE FILE_UNREADABLE naming it. */
const Error *shop_read_token(Arena *arena, const char *path, const char **token);

RpcOutgoing shop_outgoing(const Shop *shop, const Channel *channel, int timeout_ms);

/* A unary call with a deadline of SHOP_CALL_MS. Errors beside the service's: CANCELLED INTERRUPTED. */
const Error *shop_call(const Shop *shop, const Channel *channel,
    const ProtobufCServiceDescriptor *service, const char *method, const void *request,
    void *reply);

/* "what: message (REASON)", one line a violation, and where to look when nobody answers, on stderr. Returns EXIT_FAILED. */
int shop_complain(const char *what, const Error *error);

#endif
