/* Signing and verifying. The header of a token is the sender's word: its alg is compared with the
 * only one we take, and its key id picks among our keys; nothing else in it counts. */
#include "shared/auth/token.h"

#include "shared/auth/token_cache.h"
#include "shared/auth/token_keys.h"
#include "shared/base/id.h"
#include "shared/base/text.h"

#include <cjose/cjose.h>
#include <jansson.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_SCOPES = 64 };

static const int64_t micros_per_second = 1000000;
static const int64_t leeway = (int64_t)TOKEN_LEEWAY_SECONDS * 1000000;
static const double last_second = 253402300799; /* the end of the year 9999 */

static const char system_name[] = "throughline"; /* who issues the tokens and whom they are for */

static const Error token_missing = { ERROR_UNAUTHENTICATED, "TOKEN_MISSING",
    "The call carries no token: send the metadata authorization: Bearer TOKEN." };
static const Error token_malformed = { ERROR_UNAUTHENTICATED, "TOKEN_MALFORMED",
    "The token is not a signed token of this system." };
static const Error token_key_unknown = { ERROR_UNAUTHENTICATED, "TOKEN_KEY_UNKNOWN",
    "The token is signed with a key that is not known here: ask for a new token." };
static const Error token_forged = { ERROR_UNAUTHENTICATED, "TOKEN_FORGED",
    "The signature of the token is not right." };
static const Error token_expired = { ERROR_UNAUTHENTICATED, "TOKEN_EXPIRED",
    "The token has expired: ask for a new one." };
static const Error token_not_yet_valid = { ERROR_UNAUTHENTICATED, "TOKEN_NOT_YET_VALID",
    "The token is not valid yet: compare the clocks." };
static const Error token_audience = { ERROR_UNAUTHENTICATED, "TOKEN_AUDIENCE",
    "The token was made by or for another system." };
static const Error token_not_signed = { ERROR_INTERNAL, "TOKEN_NOT_SIGNED",
    "The token could not be signed." };
static const Error token_too_large = { ERROR_INVALID_ARGUMENT, "TOKEN_TOO_LARGE",
    "The account has too many or too long scopes for a token." };

struct TokenKeys {
    KeyFile *file;
    TokenCache *cache;
};

struct TokenSigner {
    cjose_jwk_t *key;
};

const Error *token_keys_open(Arena *arena, const char *public_path, TokenKeys **keys)
{
    KeyFile *file;
    const Error *error = key_file_open(arena, public_path, &file);

    if (error)
        return error;
    *keys = malloc(sizeof(**keys));
    if (!*keys)
        abort();
    **keys = (TokenKeys){ file, token_cache_new() };
    return NULL;
}

void token_keys_close(TokenKeys *keys)
{
    if (!keys)
        return;
    key_file_close(keys->file);
    token_cache_free(keys->cache);
    free(keys);
}

const Error *token_signer_open(Arena *arena, const char *private_path, TokenSigner **signer)
{
    cjose_jwk_t *key;
    const Error *error = key_read_private(arena, private_path, &key);

    if (error)
        return error;
    *signer = malloc(sizeof(**signer));
    if (!*signer)
        abort();
    (*signer)->key = key;
    return NULL;
}

void token_signer_close(TokenSigner *signer)
{
    if (!signer)
        return;
    cjose_jwk_release(signer->key);
    free(signer);
}

/* The payload of a token as text; the caller frees it. */
static char *write_claims(Arena *arena, const Caller *caller, int64_t now)
{
    const char *scopes = "";
    char token_id[ID_SIZE];
    json_t *json;
    char *text;

    for (size_t i = 0; i < caller->n_scopes; i++)
        scopes = arena_printf(arena, "%s%s%s", scopes, i ? " " : "", caller->scopes[i]);
    id_new(token_id);
    json = json_pack("{ss ss ss ss ss sI sI ss}", "iss", system_name, "aud", system_name, "sub",
        caller->account, "channel", caller->channel ? caller->channel : "", "scope", scopes, "iat",
        (json_int_t)(now / micros_per_second), "exp",
        (json_int_t)(caller->expires_at / micros_per_second), "jti", token_id);
    text = json ? json_dumps(json, JSON_COMPACT) : NULL;
    json_decref(json);
    return text;
}

const Error *token_sign(
    TokenSigner *signer, Arena *arena, const Caller *caller, int64_t now, const char **token)
{
    const Error *error = &token_not_signed;
    cjose_jws_t *jws = NULL;
    const char *compact;
    cjose_header_t *header = cjose_header_new(NULL);
    char *payload = write_claims(arena, caller, now);

    if (!header || !payload || !cjose_header_set(header, CJOSE_HDR_ALG, "ES256", NULL) ||
        !cjose_header_set(header, "typ", "JWT", NULL) ||
        !cjose_header_set(header, CJOSE_HDR_KID, cjose_jwk_get_kid(signer->key, NULL), NULL))
        goto done;
    jws = cjose_jws_sign(signer->key, header, (uint8_t *)payload, strlen(payload), NULL);
    if (!jws || !cjose_jws_export(jws, &compact, NULL))
        goto done;
    error = strlen(compact) > TOKEN_MAX_SIZE ? &token_too_large : NULL;
    if (!error)
        *token = arena_text(arena, compact);
done:
    cjose_jws_release(jws);
    cjose_header_release(header);
    free(payload);
    return error;
}

/* A time claim (NumericDate, RFC 7519) in microseconds. False when it is no time; an absent one is
 * 0. */
static bool read_time(const json_t *claims, const char *name, int64_t *micros)
{
    const json_t *json = json_object_get(claims, name);
    double seconds = json_number_value(json);

    if (json && (!json_is_number(json) || !(seconds >= 0 && seconds <= last_second)))
        return false;
    *micros = json_is_integer(json) ? json_integer_value(json) * micros_per_second
                                    : (int64_t)(seconds * (double)micros_per_second);
    return true;
}

/* A text claim; "" when it is absent, NULL when it is something else. */
static const char *read_text(Arena *arena, const json_t *claims, const char *name)
{
    const json_t *json = json_object_get(claims, name);

    if (!json)
        return "";
    return json_is_string(json) ? arena_text(arena, json_string_value(json)) : NULL;
}

static bool is_for_us(const json_t *claims)
{
    const json_t *audience = json_object_get(claims, "aud");
    const json_t *one;
    size_t index;

    if (!text_equal(json_string_value(json_object_get(claims, "iss")), system_name))
        return false;
    if (text_equal(json_string_value(audience), system_name))
        return true;
    json_array_foreach(audience, index, one)
    {
        if (text_equal(json_string_value(one), system_name))
            return true;
    }
    return false;
}

static const Error *read_claims(
    Arena *arena, const uint8_t *payload, size_t size, TokenClaims *claims)
{
    json_t *json = json_loadb((const char *)payload, size, JSON_REJECT_DUPLICATES, NULL);
    const Error *error = NULL;
    int64_t issued_at;

    *claims = (TokenClaims){ .account = read_text(arena, json, "sub"),
        .channel = read_text(arena, json, "channel"),
        .scopes = read_text(arena, json, "scope") };
    if (!json_is_object(json))
        error = &token_malformed;
    else if (!is_for_us(json))
        error = &token_audience;
    else if (!text_matches_name(claims->account, "accounts/*") || !claims->channel ||
             !claims->scopes || !json_object_get(json, "exp") ||
             !read_time(json, "exp", &claims->expires_at) ||
             !read_time(json, "nbf", &claims->not_before) || !read_time(json, "iat", &issued_at))
        error = &token_malformed;
    else if (issued_at > claims->not_before)
        claims->not_before = issued_at;
    json_decref(json);
    return error;
}

/* What the header must say before its key is looked up. */
static const Error *check_header(const json_t *header)
{
    if (!text_equal(json_string_value(json_object_get(header, "alg")), "ES256"))
        return &token_forged;
    /* RFC 7515, 4.1.11: we know no extension, so a token that insists on one is refused. */
    return json_object_get(header, "crit") ? &token_malformed : NULL;
}

/* Three parts, each the one base64url text of its bytes. libcjose must not see anything else: its
 * decoder ends the process (an assertion) over some texts that are not base64url. */
static bool is_compact(Arena *arena, const char *token)
{
    for (int part = 0; part < 3; part++) {
        size_t length = strcspn(token, ".");
        Bytes bytes;

        if (length == 0 || memchr(token, '=', length) || memchr(token, '+', length) ||
            memchr(token, '/', length) ||
            !text_from_base64(arena, arena_text_of(arena, token, length), &bytes))
            return false;
        token += length;
        if (*token++ != (part < 2 ? '.' : '\0'))
            return false;
    }
    return true;
}

/* Checks the signature; the claims and the generation of the key that it was checked with. */
static const Error *check_signature(TokenKeys *keys, Arena *arena, const char *token, size_t size,
    TokenClaims *claims, uint64_t *generation)
{
    cjose_jws_t *jws = is_compact(arena, token) ? cjose_jws_import(token, size, NULL) : NULL;
    const json_t *header;
    const cjose_jwk_t *key;
    const Error *error;
    uint8_t *payload;

    if (!jws)
        return &token_malformed;
    header = cjose_jws_get_protected(jws);
    error = check_header(header);
    if (error)
        goto done;
    key = key_file_borrow(keys->file, json_string_value(json_object_get(header, "kid")));
    if (!key) {
        error = &token_key_unknown;
        goto done;
    }
    *generation = key_file_generation(keys->file);
    if (!cjose_jws_verify(jws, key, NULL))
        error = &token_forged;
    else if (!cjose_jws_get_plaintext(jws, &payload, &size, NULL))
        error = &token_malformed;
    else
        error = read_claims(arena, payload, size, claims);
    key_file_give_back(keys->file);
    /* What OpenSSL notes down on this thread would be read by its next user as its own error. */
    ERR_clear_error();
done:
    cjose_jws_release(jws);
    return error;
}

static const Error *check_times(const TokenClaims *claims, int64_t now)
{
    if (now >= claims->expires_at + leeway)
        return &token_expired;
    return now < claims->not_before - leeway ? &token_not_yet_valid : NULL;
}

/* The scopes cut at the spaces; more than MAX_SCOPES are not taken. */
static const Error *make_caller(Arena *arena, const TokenClaims *claims, const Caller **caller)
{
    Caller *made = arena_alloc(arena, sizeof(*made));
    const char **scopes = arena_array(arena, MAX_SCOPES, sizeof(*scopes));
    char *rest = NULL;
    char *text = arena_text(arena, claims->scopes);

    for (char *scope = strtok_r(text, " ", &rest); scope; scope = strtok_r(NULL, " ", &rest)) {
        if (made->n_scopes == MAX_SCOPES)
            return &token_malformed;
        scopes[made->n_scopes++] = scope;
    }
    made->account = claims->account;
    made->channel = claims->channel;
    made->scopes = scopes;
    made->expires_at = claims->expires_at;
    *caller = made;
    return NULL;
}

const Error *token_verify(
    TokenKeys *keys, Arena *arena, const char *token, int64_t now, const Caller **caller)
{
    uint64_t generation = key_file_generation(keys->file);
    TokenClaims claims;
    const Error *error;
    size_t size;
    Bytes bytes;

    if (text_is_empty(token))
        return &token_missing;
    size = strnlen(token, TOKEN_MAX_SIZE + 1);
    if (size > TOKEN_MAX_SIZE)
        return &token_malformed;
    bytes = (Bytes){ (const uint8_t *)token, size };
    if (token_cache_get(keys->cache, bytes, generation, arena, &claims))
        return (error = check_times(&claims, now)) ? error : make_caller(arena, &claims, caller);
    if ((error = check_signature(keys, arena, token, size, &claims, &generation)) ||
        (error = check_times(&claims, now)) || (error = make_caller(arena, &claims, caller)))
        return error;
    token_cache_put(keys->cache, bytes, generation, now, &claims);
    return NULL;
}
