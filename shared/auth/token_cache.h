/* What was verified before, by the token itself: bounded, the least used entry of a set makes room. */
#ifndef THROUGHLINE_AUTH_TOKEN_CACHE_H
#define THROUGHLINE_AUTH_TOKEN_CACHE_H

#include "shared/base/arena.h"
#include "shared/base/text.h"

#include <stdbool.h>
#include <stdint.h>

/* What a token says, its signature verified. */
typedef struct TokenClaims {
    const char *account;
    const char *channel;
    const char *scopes; /* as in the token: separated by spaces */
    int64_t expires_at; /* microseconds since 1970 */
    int64_t not_before; /* the later of nbf and iat; 0 without either */
} TokenClaims;

/* Any thread. */
typedef struct TokenCache TokenCache;

enum { TOKEN_CACHE_ENTRIES = 4096 };

TokenCache *token_cache_new(void);
void token_cache_free(TokenCache *cache);

/* Finds what was put for the token and generation; texts are copied into the arena. Whether the
 * token is still valid is for the caller to check. */
bool token_cache_get(
    TokenCache *cache, Bytes token, uint64_t generation, Arena *arena, TokenClaims *claims);

/* Makes room by dropping an entry of another generation or an expired one, else the least recently
 * used. */
void token_cache_put(
    TokenCache *cache, Bytes token, uint64_t generation, int64_t now, const TokenClaims *claims);

#endif
