/* The five services as the command line sees them: one client each, and calls in the name of a channel. */
#ifndef THROUGHLINE_SERVICES_THROUGHLINE_SHOP_H
#define THROUGHLINE_SERVICES_THROUGHLINE_SHOP_H

#include "shared/base/config.h"
#include "shared/rpc/client.h"

/* A slow store on a busy machine takes its time. */
enum { SHOP_SERVICES = 5, SHOP_CALL_MS = 60000 };

typedef struct ShopService {
    const char
        *name; /* "cart": also the second word of its packages, and the name of its program */
    int port;
} ShopService;

extern const ShopService shop_services[SHOP_SERVICES];

typedef struct Shop {
    Arena *arena;
    int patience_ms; /* how long a service that cannot be reached is asked again */
    RpcClient *clients[SHOP_SERVICES];
} Shop;

/* Somebody who calls: an account's token and the context that goes with every call. */
typedef struct Channel {
    const char *token;
    RpcContext context;
} Channel;

/* Targets from "--<service>-target". */
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

/* A unary call with a deadline of SHOP_CALL_MS. */
const Error *shop_call(const Shop *shop, const Channel *channel,
    const ProtobufCServiceDescriptor *service, const char *method, const void *request,
    void *reply);

/* "what: message (REASON)", and one line a violation, on stderr. Returns EXIT_FAILED. */
int shop_complain(const char *what, const Error *error);

#endif
