#include "services/notification/webhook.h"

#include "services/notification/http_post.h"
#include "shared/base/module.h"
#include "shared/base/text.h"

#include <netinet/in.h>
#include <sodium.h>
#include <string.h>
#include <sys/socket.h>

enum { N_HEADERS = 3 };

char *webhook_signature(Arena *arena, const char *secret, const char *body, int64_t now)
{
    long long seconds = now / 1000000;
    const char *text = arena_printf(arena, "%lld.%s", seconds, body);
    unsigned char digest[crypto_auth_hmacsha256_BYTES];
    crypto_auth_hmacsha256_state state;

    crypto_auth_hmacsha256_init(&state, (const unsigned char *)secret, strlen(secret));
    crypto_auth_hmacsha256_update(&state, (const unsigned char *)text, strlen(text));
    crypto_auth_hmacsha256_final(&state, digest);
    return arena_printf(arena, "t=%lld,v1=%s", seconds, text_hex(arena, digest, sizeof(digest)));
}

static bool is_public_v4(uint32_t address)
{
    static const struct {
        uint32_t network;
        int bits;
    } kept[] = { { 0x00000000, 8 }, { 0x0a000000, 8 }, { 0x64400000, 10 }, { 0x7f000000, 8 },
        { 0xa9fe0000, 16 }, { 0xac100000, 12 }, { 0xc0000000, 24 }, { 0xc0a80000, 16 },
        { 0xc6120000, 15 }, { 0xe0000000, 3 } };

    for (size_t i = 0; i < COUNT(kept); i++)
        if ((address ^ kept[i].network) >> (32 - kept[i].bits) == 0)
            return false;
    return true;
}

static uint32_t v4_in(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

bool webhook_is_public(const struct sockaddr *address)
{
    static const uint8_t nat64[12] = { 0x00, 0x64, 0xff, 0x9b };
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;

    if (address->sa_family == AF_INET) {
        memcpy(&v4, address, sizeof(v4));
        return is_public_v4(ntohl(v4.sin_addr.s_addr));
    }
    if (address->sa_family != AF_INET6)
        return false;
    memcpy(&v6, address, sizeof(v6));
    if (IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr) || !memcmp(v6.sin6_addr.s6_addr, nat64, sizeof(nat64)))
        return is_public_v4(v4_in(v6.sin6_addr.s6_addr + 12));
    /* Global unicast is 2000::/3; 2002::/16 carries an IPv4 address inside. */
    if ((v6.sin6_addr.s6_addr[0] & 0xe0) != 0x20)
        return false;
    if (v6.sin6_addr.s6_addr[0] == 0x20 && v6.sin6_addr.s6_addr[1] == 0x02)
        return is_public_v4(v4_in(v6.sin6_addr.s6_addr + 2));
    return true;
}

static bool is_any(const struct sockaddr *address)
{
    (void)address;
    return true;
}

static const char *const *headers_of(Arena *arena, const Webhook *webhook)
{
    const char **headers = arena_array(arena, N_HEADERS + 1, sizeof(*headers));

    headers[0] = "content-type: application/json";
    headers[1] = arena_printf(arena, "throughline-message: %s", webhook->message);
    headers[2] = arena_printf(arena, "throughline-signature: %s",
        webhook_signature(arena, webhook->secret, webhook->body, webhook->now));
    return headers;
}

const Error *webhook_post(Arena *arena, const Webhook *webhook, long *status)
{
    HttpPost post = {
        .uri = webhook->uri,
        .headers = headers_of(arena, webhook),
        .body = webhook->body,
        .timeout_ms = webhook->timeout_ms,
        .is_allowed = webhook->allow_private ? is_any : webhook_is_public,
    };
    long (*send_post)(const HttpPost *);
    void *address;
    const Error *error = module_symbol(arena, "throughline-http", "http_post", &address);

    if (error)
        return error;
    memcpy(&send_post, &address, sizeof(send_post));
    *status = send_post(&post);
    return NULL;
}
