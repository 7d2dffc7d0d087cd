#include "services/throughline/shop.h"
#include "services/throughline/command.h"

#include "shared/base/clock.h"
#include "shared/base/text.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { PATIENCE_MS = 10000, ASK_AGAIN_MS = 100 };

const ShopService shop_services[SHOP_SERVICES] = {
    { "identity", 7001 },
    { "catalog", 7002 },
    { "cart", 7003 },
    { "feedback", 7004 },
    { "notification", 7005 },
};

const Setting shop_settings[] = {
    { "identity-target", SETTING_TEXT, "localhost:7001", "where identity is", 0, 0 },
    { "catalog-target", SETTING_TEXT, "localhost:7002", "where catalog is", 0, 0 },
    { "cart-target", SETTING_TEXT, "localhost:7003", "where cart is", 0, 0 },
    { "feedback-target", SETTING_TEXT, "localhost:7004", "where feedback is", 0, 0 },
    { "notification-target", SETTING_TEXT, "localhost:7005", "where notification is", 0, 0 },
    { "data", SETTING_TEXT, SHOP_DATA, "the folder that `up` keeps keys and tokens in", 0, 0 },
    { "tls-ca", SETTING_TEXT, "",
        "roots (PEM) that the services are checked against; empty: plaintext", 0, 0 },
    { "tls-cert", SETTING_TEXT, "", "certificate (PEM) to show where services ask for one", 0, 0 },
    { "tls-key", SETTING_TEXT, "", "its private key (PEM)", 0, 0 },
    { "token-file", SETTING_TEXT, "", "the token to call with; default: DATA/tokens/admin.token", 0,
        0 },
    { "channel", SETTING_TEXT, "",
        "context: the channel, where the account has none; \"operator\" with the default token", 0,
        0 },
    { "actor", SETTING_TEXT, "agents/operator", "context: who acts", 0, 0 },
    { "on-behalf-of", SETTING_TEXT, "", "context: in whose name", 0, 0 },
    { "device", SETTING_TEXT, "", "context: on which device", 0, 0 },
    { "journey", SETTING_TEXT, "", "context: in which journey", 0, 0 },
    { "purpose", SETTING_TEXT, "", "context: for what purpose", 0, 0 },
    { "traceparent", SETTING_TEXT, "", "the W3C trace that the calls belong to; default: a new one",
        0, 0 },
    { 0 },
};

static const Error tls_half = { ERROR_INVALID_ARGUMENT, "SETTINGS_INVALID",
    "--tls-cert needs --tls-key and --tls-ca, --tls-key needs --tls-cert." };
const Error shop_interrupted = { ERROR_CANCELLED, "INTERRUPTED", "Stopped before it was done." };

/* NULL where nothing is said. */
static const char *given(const Config *config, const char *name)
{
    const char *text = config_text(config, name);

    return text_is_empty(text) ? NULL : text;
}

void shop_open(Shop *shop, Arena *arena, const Config *config)
{
    *shop = (Shop){ .arena = arena, .patience_ms = PATIENCE_MS };
    for (int i = 0; i < SHOP_SERVICES; i++)
        shop->clients[i] =
            rpc_client_open(arena, &(RpcClientOptions){
                                       .target = config_text(config,
                                           arena_printf(arena, "%s-target", shop_services[i].name)),
                                       .tls_ca = given(config, "tls-ca"),
                                       .tls_certificate = given(config, "tls-cert"),
                                       .tls_key = given(config, "tls-key"),
                                   });
}

void shop_open_local(Shop *shop, Arena *arena, int base_port)
{
    *shop = (Shop){ .arena = arena, .patience_ms = PATIENCE_MS };
    for (int i = 0; i < SHOP_SERVICES; i++)
        shop->clients[i] = rpc_client_open(arena,
            &(RpcClientOptions){ .target = arena_printf(arena, "127.0.0.1:%d", base_port + i) });
}

void shop_close(Shop *shop)
{
    for (int i = 0; i < SHOP_SERVICES; i++)
        rpc_client_close(shop->clients[i]);
}

bool shop_is_stopped(const Shop *shop)
{
    return shop->stop && *shop->stop;
}

RpcClient *shop_client(const Shop *shop, const char *package)
{
    for (int i = 0; i < SHOP_SERVICES; i++)
        if (text_starts_with(
                package, arena_printf(shop->arena, "throughline.%s.", shop_services[i].name)))
            return shop->clients[i];
    return NULL;
}

const Error *shop_read_token(Arena *arena, const char *path, const char **token)
{
    char text[8192] = "";
    FILE *file = fopen(path, "r");

    if (!file || !fgets(text, sizeof(text), file)) {
        const Error *error = error_new(arena, ERROR_UNAVAILABLE, "FILE_UNREADABLE",
            "The token file %s cannot be read (%s). `throughline up` makes one.", path,
            file ? "it is empty" : strerror(errno));

        if (file)
            fclose(file);
        return error;
    }
    fclose(file);
    *token = text_trim(arena, text);
    return NULL;
}

const Error *shop_channel(Arena *arena, const Config *config, Channel *channel)
{
    const char *path = config_text(config, "token-file");

    const char *name = config_text(config, "channel");

    if (!given(config, "tls-cert") != !given(config, "tls-key") ||
        (given(config, "tls-cert") && !given(config, "tls-ca")))
        return &tls_half;
    /* The operator's account speaks for any channel; whoever does not say for which speaks for none of the shop's. */
    if (text_is_empty(path)) {
        path = arena_printf(arena, "%s/tokens/admin.token", config_text(config, "data"));
        name = text_is_empty(name) ? "operator" : name;
    }
    channel->context = (RpcContext){
        .channel = name,
        .actor = config_text(config, "actor"),
        .on_behalf_of = config_text(config, "on-behalf-of"),
        .device = config_text(config, "device"),
        .journey = config_text(config, "journey"),
        .purpose = config_text(config, "purpose"),
    };
    channel->traceparent = given(config, "traceparent");
    return shop_read_token(arena, path, &channel->token);
}

RpcOutgoing shop_outgoing(const Shop *shop, const Channel *channel, int timeout_ms)
{
    return (RpcOutgoing){
        .arena = shop->arena,
        .deadline = clock_monotonic() + (int64_t)timeout_ms * 1000,
        .context = channel->context,
        .token = channel->token,
        .traceparent = channel->traceparent,
    };
}

const Error *shop_call(const Shop *shop, const Channel *channel,
    const ProtobufCServiceDescriptor *service, const char *method, const void *request, void *reply)
{
    RpcOutgoing outgoing = shop_outgoing(shop, channel, SHOP_CALL_MS);
    int64_t until = clock_monotonic() + shop->patience_ms * INT64_C(1000);
    const Error *error;

    if (shop_is_stopped(shop))
        return &shop_interrupted;
    /* A service that is away for a moment, or not ready yet, is waited for; every change carries a request id. */
    while ((error = rpc_client_call(
                shop_client(shop, service->package), &outgoing, service, method, request, reply)) &&
           text_equal(error->reason, "PEER_UNAVAILABLE") && !shop_is_stopped(shop) &&
           clock_monotonic() + ASK_AGAIN_MS * 1000 < until)
        clock_sleep_ms(ASK_AGAIN_MS);
    return error;
}

int shop_complain(const char *what, const Error *error)
{
    fprintf(stderr, "%s: %s (%s, %s)\n", what, error->message, error_code_name((int)error->code),
        error_reason(error));
    for (size_t i = 0; i < error->n_violations; i++)
        if (!text_is_empty(error->violations[i].field))
            fprintf(
                stderr, "  %s: %s\n", error->violations[i].field, error->violations[i].description);
    if (text_equal(error->reason, "PEER_UNAVAILABLE"))
        fprintf(stderr, "  Is `throughline up` running? Flags like --catalog-target=HOST:PORT say "
                        "where services are.\n");
    return EXIT_FAILED;
}
