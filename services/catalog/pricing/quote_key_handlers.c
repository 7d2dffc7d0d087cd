/* The keys that sign quotes: made, shown. */
#include "services/catalog/pricing/pricing_rpcs.h"

#include "shared/base/id.h"
#include "shared/codec/message.h"
#include "shared/rpc/check.h"
#include "shared/rpc/naming.h"

#include <string.h>

typedef Throughline__Catalog__V1__QuoteKey QuoteKey;
typedef Throughline__Catalog__V1__RotateQuoteKeyRequest RotateQuoteKeyRequest;
typedef Throughline__Catalog__V1__ListQuoteKeysResponse ListQuoteKeysResponse;

static const Error too_many_keys = { ERROR_RESOURCE_EXHAUSTED, "TOO_MANY_QUOTE_KEYS",
    "There are 1,000 keys already; this one would never be forgotten either." };

/* The public half. */
static void show_key(const QuoteKeyRecord *record, QuoteKey *key)
{
    key->name = record->name;
    key->etag = record->etag;
    key->public_key = record->public_key;
    key->create_time = record->create_time;
}

const Error *rotate_quote_key(RpcCall *call, const void *request, void *reply)
{
    const RotateQuoteKeyRequest *req = request;
    Catalog *catalog = catalog_of(call);
    QuoteKeyRecord *record =
        message_new(call->arena, &throughline__catalog__v1__quote_key_record__descriptor);
    const QuoteKeyRecord *const *keys;
    uint8_t seed[SEAL_SEED];
    StoreView reading;
    const Error *error;

    check_request_id(call, req->request_id);
    if ((error = check_result(call)) || (error = key_ring_load(catalog->keys, call->store)))
        return error;
    if (key_ring_keys(catalog->keys, &keys) >= KEY_RING_MAX_KEYS)
        return &too_many_keys;

    id_random(seed, sizeof(seed));
    quote_key_make(seed, rpc_new_name(call, "quoteKeys", req->request_id), call->arrived_at,
        call->arena, record);
    explicit_bzero(seed, sizeof(seed));
    record->etag = arena_text(call->arena, "1"); /* what the store will give it */
    show_key(record, reply);

    if ((error = store_insert(call->store, &quote_keys, record, NULL)))
        return error;
    /* The key is made whether or not it is seen here at once: the job brings it otherwise. */
    reading = store_steps(call->store);
    key_ring_load(catalog->keys, &reading);
    return NULL;
}

const Error *list_quote_keys(RpcCall *call, const void *request, void *reply)
{
    ListQuoteKeysResponse *res = reply;
    const QuoteKeyRecord *const *keys;
    const Error *error;

    (void)request;
    if ((error = key_ring_load(catalog_of(call)->keys, call->store)))
        return error;

    res->n_keys = key_ring_keys(catalog_of(call)->keys, &keys);
    res->keys = arena_array(call->arena, res->n_keys, sizeof(*res->keys));
    for (size_t i = 0; i < res->n_keys; i++) {
        res->keys[i] = message_new(call->arena, &throughline__catalog__v1__quote_key__descriptor);
        show_key(keys[i], res->keys[i]);
    }
    return NULL;
}
