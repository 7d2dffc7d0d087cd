/* Keys, accounts and tokens of a shop on one machine, in its data folder. */
#ifndef THROUGHLINE_SERVICES_THROUGHLINE_ACCOUNTS_H
#define THROUGHLINE_SERVICES_THROUGHLINE_ACCOUNTS_H

#include "services/throughline/shop.h"

/* DATA/keys (made once) and, signed with them, DATA/tokens of the services and of "admin": what the services need before they start. */
const Error *accounts_prepare(Arena *arena, const char *data);

/* One account per demo channel (web, app, store, care, social, merchandising) by identity's own AccountService, and a token each in
 * DATA/tokens. */
const Error *accounts_create(Arena *arena, const char *data, const Shop *shop);

/* "web" → DATA/tokens/web.token's content. */
const Error *accounts_token(Arena *arena, const char *data, const char *name, const char **token);

/* A token signed on the spot, without asking anybody: bootstrap and `throughline token`. */
const Error *accounts_sign(Arena *arena, const char *key_path, const char *name,
    const char *channel, const char *scopes, int64_t ttl_seconds, const char **token);

#endif
