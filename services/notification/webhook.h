/* One signed POST to somebody else's address. */
#ifndef THROUGHLINE_SERVICES_NOTIFICATION_WEBHOOK_H
#define THROUGHLINE_SERVICES_NOTIFICATION_WEBHOOK_H

#include "shared/base/arena.h"
#include "shared/base/error.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct Webhook {
    const char *uri;
    const char *secret;
    const char *
        message; /* "messages/…": header throughline-message, by which the receiver tells a repetition */
    const char *body; /* JSON */
    int64_t now;
    int64_t timeout_ms;
    bool
        allow_private; /* else addresses that are not of the public internet are refused, after names were resolved */
} Webhook;

/* The value of the header throughline-signature: "t=SECONDS,v1=HEX", where HEX is HMAC-SHA256 (RFC 2104) of "SECONDS.BODY". */
char *webhook_signature(Arena *arena, const char *secret, const char *body, int64_t now);

/* *status: the HTTP status; 0 when there was no answer. Errors: MODULE_MISSING. */
const Error *webhook_post(Arena *arena, const Webhook *webhook, long *status);

/* Whether a socket address (IPv4 or IPv6) is one of the public internet. */
struct sockaddr;
bool webhook_is_public(const struct sockaddr *address);

#endif
