#include "services/catalog/pricing/signature.h"

#include "shared/base/clock.h"
#include "shared/codec/message.h"
#include "shared/codec/types.h"

#include <assert.h>

static const char purpose[] = "throughline.quote.v1";

static const Error quote_forged = { ERROR_INVALID_ARGUMENT, "QUOTE_FORGED",
    "This is not a quote that this shop has signed." };

void quote_key_make(
    const uint8_t seed[SEAL_SEED], const char *name, int64_t now, Arena *arena, QuoteKeyRecord *key)
{
    key->name = arena_text(arena, name);
    key->public_key.len = SEAL_PUBLIC_KEY;
    key->public_key.data = arena_alloc(arena, SEAL_PUBLIC_KEY);
    key->secret_key.len = SEAL_SECRET_KEY;
    key->secret_key.data = arena_alloc(arena, SEAL_SECRET_KEY);
    key->create_time = timestamp_from_micros(arena, now);
    seal_key_pair(seed, key->public_key.data, key->secret_key.data);
}

static ProtobufCBinaryData bytes_field(Bytes bytes)
{
    return (ProtobufCBinaryData){ bytes.size, (uint8_t *)(uintptr_t)bytes.data };
}

static Bytes field_bytes(ProtobufCBinaryData field)
{
    return (Bytes){ field.data, field.len };
}

UnsignedQuote *quote_serialize(const Quote *quote, Arena *arena)
{
    UnsignedQuote *serialized = arena_alloc(arena, sizeof(*serialized));

    serialized->item = (SealItem){ .bytes = message_pack(arena, quote), .arena = arena };
    serialized->signed_quote =
        message_new(arena, &throughline__catalog__v1__signed_quote__descriptor);
    serialized->signed_quote->payload = bytes_field(serialized->item.bytes);
    return serialized;
}

/* What says where the quote stands among those that were signed together. */
static QuoteBatch *batch_of(const Seal *seal, Arena *arena)
{
    QuoteBatch *batch = message_new(arena, &throughline__catalog__v1__quote_batch__descriptor);

    batch->index = seal->index;
    batch->path = bytes_field(seal->path);
    return batch;
}

void quotes_sign(UnsignedQuote *const *quotes, size_t n_quotes, const QuoteKeyRecord *key)
{
    SealItem *items[SEAL_MAX_TOGETHER] = { NULL };

    assert(key->secret_key.len == SEAL_SECRET_KEY && n_quotes <= SEAL_MAX_TOGETHER);
    for (size_t i = 0; i < n_quotes; i++)
        items[i] = &quotes[i]->item;
    seal_make(purpose, items, n_quotes, key->secret_key.data);
    for (size_t i = 0; i < n_quotes; i++) {
        SignedQuote *signed_quote = quotes[i]->signed_quote;
        const Seal *seal = &items[i]->seal;

        signed_quote->key_id = arena_text(items[i]->arena, key->name);
        signed_quote->signature = bytes_field(seal->signature);
        signed_quote->batch = seal->path.size ? batch_of(seal, items[i]->arena) : NULL;
    }
}

SignedQuote *quote_sign(const Quote *quote, const QuoteKeyRecord *key, Arena *arena)
{
    UnsignedQuote *serialized = quote_serialize(quote, arena);

    quotes_sign(&serialized, 1, key);
    return serialized->signed_quote;
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
    Bytes payload = field_bytes(signed_quote->payload);
    Seal seal = { .signature = field_bytes(signed_quote->signature) };
    const Quote *inside;

    if (signed_quote->batch) {
        seal.index = signed_quote->batch->index;
        seal.path = field_bytes(signed_quote->batch->path);
    }
    if (!key || !seal_holds(purpose, payload, &seal, key->public_key.data))
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
