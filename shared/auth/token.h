/* Tokens of channel accounts: JWT (RFC 7519) signed with ES256 (RFC 7518), by libcjose. Claims: iss
 * "throughline", aud "throughline", sub the account, channel, scope (space separated), iat, exp,
 * jti. */
#ifndef THROUGHLINE_AUTH_TOKEN_H
#define THROUGHLINE_AUTH_TOKEN_H

#include "shared/auth/caller.h"
#include "shared/base/arena.h"
#include "shared/base/error.h"

/* Verified tokens are kept in a bounded cache, so that a signature is checked once, not once a
 * call. Any thread. */
typedef struct TokenKeys TokenKeys;

/* The private half; identity and the command line hold it. Any thread. */
typedef struct TokenSigner TokenSigner;

enum { TOKEN_MAX_SIZE = 4096, TOKEN_LEEWAY_SECONDS = 5 };

/* Makes a new P-256 key: `private_path` (JWK, mode 0600) and `public_path` (a JWK set of one, for
 * verifiers). */
const Error *token_keys_create(Arena *arena, const char *private_path, const char *public_path);

/* Reads a JWK set. The file is read again when a token names an unknown key id, at most once a
 * second, so that a rotated key needs no restart. Errors: FAILED_PRECONDITION
 * TOKEN_KEYS_UNUSABLE, here and for the private key. */
const Error *token_keys_open(Arena *arena, const char *public_path, TokenKeys **keys);
void token_keys_close(TokenKeys *keys);

const Error *token_signer_open(Arena *arena, const char *private_path, TokenSigner **signer);
void token_signer_close(TokenSigner *signer);

/* A token for the caller, valid from now until caller->expires_at, both cut to seconds. Errors:
 * INVALID_ARGUMENT TOKEN_TOO_LARGE; INTERNAL TOKEN_NOT_SIGNED. */
const Error *token_sign(
    TokenSigner *signer, Arena *arena, const Caller *caller, int64_t now, const char **token);

/* Errors, all UNAUTHENTICATED: TOKEN_MISSING (NULL or ""), TOKEN_MALFORMED, TOKEN_KEY_UNKNOWN,
 * TOKEN_FORGED, TOKEN_EXPIRED, TOKEN_NOT_YET_VALID, TOKEN_AUDIENCE. Only ES256 is accepted,
 * whatever the header says. */
const Error *token_verify(
    TokenKeys *keys, Arena *arena, const char *token, int64_t now, const Caller **caller);

#endif
