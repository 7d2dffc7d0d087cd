#include "services/catalog/domain/signature.h"

#include "shared/base/clock.h"
#include "shared/codec/message.h"
#include "shared/codec/types.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>

/* Signed with its NUL: no other message that this key may ever sign starts with these bytes. */
static const char purpose[] = "throughline.quote.v1";

static const Error quote_forged = { ERROR_INVALID_ARGUMENT, "QUOTE_FORGED",
    "This is not a quote that this shop has signed." };

void quote_key_make(const uint8_t seed[QUOTE_KEY_SEED], const char *name, int64_t now, Arena *arena,
    QuoteKeyRecord *key)
{
    key->name = arena_text(arena, name);
    key->public_key.len = QUOTE_PUBLIC_KEY;
    key->public_key.data = arena_alloc(arena, QUOTE_PUBLIC_KEY);
    key->secret_key.len = QUOTE_SECRET_KEY;
    key->secret_key.data = arena_alloc(arena, QUOTE_SECRET_KEY);
    key->create_time = timestamp_from_micros(arena, now);
    crypto_sign_seed_keypair(key->public_key.data, key->secret_key.data, seed);
}

static Bytes signed_bytes(ProtobufCBinaryData payload, Arena *arena)
{
    uint8_t *bytes = arena_alloc(arena, sizeof(purpose) + payload.len);

    memcpy(bytes, purpose, sizeof(purpose));
    if (payload.len)
        memcpy(bytes + sizeof(purpose), payload.data, payload.len);
    return (Bytes){ bytes, sizeof(purpose) + payload.len };
}

void quote_sign(
    const Quote *quote, const QuoteKeyRecord *key, Arena *arena, SignedQuote *signed_quote)
{
    Bytes payload = message_pack(arena, quote);
    Bytes bytes;

    assert(key->secret_key.len == QUOTE_SECRET_KEY);
    signed_quote->payload.data = arena_copy(arena, payload.data, payload.size);
    signed_quote->payload.len = payload.size;
    signed_quote->key_id = key->name;
    signed_quote->signature.len = QUOTE_SIGNATURE;
    signed_quote->signature.data = arena_alloc(arena, QUOTE_SIGNATURE);
    bytes = signed_bytes(signed_quote->payload, arena);
    crypto_sign_detached(
        signed_quote->signature.data, NULL, bytes.data, bytes.size, key->secret_key.data);
}

static const QuoteKeyRecord *find_key(
    const QuoteKeyRecord *const *keys, size_t n_keys, const char *key_id)
{
    for (size_t i = 0; i < n_keys; i++)
        if (text_equal(keys[i]->name, key_id))
            return keys[i];
    return NULL;
}

const Error *quote_verify(const SignedQuote *signed_quote, const QuoteKeyRecord *const *keys,
    size_t n_keys, int64_t now, Arena *arena, Quote *quote)
{
    const QuoteKeyRecord *key = find_key(keys, n_keys, signed_quote->key_id);
    Bytes payload = { signed_quote->payload.data, signed_quote->payload.len };
    Bytes bytes;
    const Quote *inside;

    if (!key || signed_quote->signature.len != QUOTE_SIGNATURE)
        return &quote_forged;
    bytes = signed_bytes(signed_quote->payload, arena);
    if (crypto_sign_verify_detached(
            signed_quote->signature.data, bytes.data, bytes.size, key->public_key.data))
        return &quote_forged;
    /* Only now are the bytes known to be ours and safe to unpack. */
    inside = message_unpack(arena, &throughline__catalog__v1__quote__descriptor, payload);
    if (!inside)
        return &quote_forged;
    if (now >= timestamp_to_micros(inside->expire_time))
        return error_new(arena, ERROR_FAILED_PRECONDITION, "QUOTE_EXPIRED",
            "This quote was honoured until %s; ask for a new one.",
            clock_format(arena, timestamp_to_micros(inside->expire_time)));
    *quote = *inside;
    return NULL;
}
