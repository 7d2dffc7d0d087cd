#include "services/cart/catalog_client.h"

#include "services/cart/cart_service.h"
#include "services/cart/catalog_ask.h"
#include "services/cart/quote_keys.h"
#include "services/cart/variant_cache.h"
#include "shared/base/clock.h"
#include "shared/auth/seal.h"
#include "shared/codec/message.h"
#include "shared/codec/scan.h"
#include "shared/service/service.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

typedef Throughline__Catalog__V1__CreateQuoteRequest CreateQuoteRequest;
typedef Throughline__Catalog__V1__QuoteLine QuoteLine;
typedef Throughline__Catalog__V1__ListQuoteKeysRequest ListQuoteKeysRequest;
typedef Throughline__Catalog__V1__ListQuoteKeysResponse ListQuoteKeysResponse;

static const char sealed_purpose[] = "throughline.quote.v1";

static const Error quote_forged = { ERROR_INVALID_ARGUMENT, "QUOTE_FORGED",
    "The quote was not signed by the catalogue: send it as QuoteCart gave it." };

struct CatalogClient {
    VariantCache *variants;
    QuoteKeys *keys;
    pthread_mutex_t asking; /* for keys, one at a time */
};

CatalogClient *catalog_client_new(void)
{
    CatalogClient *client = calloc(1, sizeof(*client));

    if (!client)
        abort();
    client->variants = variant_cache_new();
    client->keys = quote_keys_new();
    pthread_mutex_init(&client->asking, NULL);
    return client;
}

void catalog_client_free(CatalogClient *client)
{
    if (!client)
        return;
    variant_cache_free(client->variants);
    quote_keys_free(client->keys);
    pthread_mutex_destroy(&client->asking);
    free(client);
}

static CatalogClient *client_of(const RpcCall *call)
{
    return cart_state(call)->catalog;
}

const Error *catalog_ask(RpcCall *call, const ProtobufCServiceDescriptor *service,
    const char *method, const void *request, void *reply)
{
    RpcOutgoing outgoing = rpc_outgoing(call);

    if (!rpc_may_block(call))
        return &rpc_needs_worker;
    return rpc_client_call(
        service_peer(call, "catalog"), &outgoing, service, method, request, reply);
}

static char *variant_key(Arena *arena, const FindVariantRequest *request)
{
    bool is_sku = request->code_case == THROUGHLINE__CATALOG__V1__FIND_VARIANT_REQUEST__CODE_SKU;

    return is_sku ? arena_printf(arena, "sku %s", request->sku)
                  : arena_printf(arena, "gtin %s", request->gtin);
}

/* What a cart needs of the answer: one variant, no descriptions, no stock. */
static void keep_variant(
    CatalogClient *client, const char *key, const FindVariantResponse *found, Arena *arena)
{
    FindVariantResponse kept = *found;
    Product product = *found->product;
    Variant *variant = NULL, copy;

    for (size_t i = 0; i < product.n_variants; i++)
        if (text_equal(product.variants[i]->sku, found->sku))
            variant = product.variants[i];
    if (!variant)
        return;
    copy = *variant;
    copy.n_stock = 0;
    copy.n_attributes = 0;
    variant = &copy;
    product.description = (char *)protobuf_c_empty_string;
    product.n_attributes = 0;
    product.n_media = 0;
    product.n_variants = 1;
    product.variants = &variant;
    kept.product = &product;
    variant_cache_put(client->variants, key, clock_monotonic(), message_pack(arena, &kept));
}

const Error *catalog_find_variant(
    RpcCall *call, const FindVariantRequest *request, FindVariantResponse *found)
{
    static const Error no_product = { ERROR_INTERNAL, "VARIANT_WITHOUT_PRODUCT",
        "The catalogue named no product for the variant." };
    CatalogClient *client = client_of(call);
    const char *key = variant_key(call->arena, request);
    const Error *error;
    Bytes bytes;

    if (variant_cache_get(client->variants, key, clock_monotonic(), call->arena, &bytes)) {
        *found = *(const FindVariantResponse *)message_unpack(
            call->arena, found->base.descriptor, bytes);
        return NULL;
    }
    if ((error = catalog_ask(call, &throughline__catalog__v1__product_service__descriptor,
             "FindVariant", request, found)))
        return error;
    if (!found->product)
        return &no_product;
    keep_variant(client, key, found, call->arena);
    return NULL;
}

const Error *catalog_find_location(RpcCall *call, const char *id, Location **found)
{
    Throughline__Catalog__V1__GetLocationRequest request =
        THROUGHLINE__CATALOG__V1__GET_LOCATION_REQUEST__INIT;
    Location *location = message_new(call->arena, &throughline__catalog__v1__location__descriptor);
    const Error *error;

    request.name = arena_printf(call->arena, "locations/%s", id);
    error = catalog_ask(call, &throughline__catalog__v1__location_service__descriptor,
        "GetLocation", &request, location);
    *found = error ? NULL : location;
    return error && error->code == ERROR_NOT_FOUND ? NULL : error;
}

static const Error *quote(
    RpcCall *call, const Cart *cart, CreateQuoteRequest *request, CreateQuoteResponse *quoted)
{
    bool has_ordered;
    const Error *error;

    if ((error = cart_has_order_before(call, cart, &has_ordered)))
        return error;
    request->context =
        cart_context(cart, !has_ordered && !text_is_empty(cart->customer), call->arena);
    request->shipping = cart_shipping(cart, call->arena);
    request->currency = cart->currency;
    request->customer = cart->customer;
    request->n_lines = cart->n_lines;
    request->lines = arena_array(call->arena, cart->n_lines, sizeof(QuoteLine *));
    for (size_t i = 0; i < cart->n_lines; i++) {
        request->lines[i] =
            message_new(call->arena, &throughline__catalog__v1__quote_line__descriptor);
        request->lines[i]->sku = cart->lines[i]->sku;
        request->lines[i]->quantity = cart->lines[i]->quantity;
    }
    return catalog_ask(call, &throughline__catalog__v1__pricing_service__descriptor, "CreateQuote",
        request, quoted);
}

const Error *catalog_quote_cart(RpcCall *call, const Cart *cart, CreateQuoteResponse *quoted)
{
    CreateQuoteRequest request = THROUGHLINE__CATALOG__V1__CREATE_QUOTE_REQUEST__INIT;

    request.n_codes = cart->n_codes;
    request.codes = cart->codes;
    request.cart = cart->name;
    request.cart_etag = arena_text(call->arena, cart_content_etag(cart));
    return quote(call, cart, &request, quoted);
}

const Error *catalog_try_code(RpcCall *call, const Cart *cart, const char *code)
{
    CreateQuoteRequest request = THROUGHLINE__CATALOG__V1__CREATE_QUOTE_REQUEST__INIT;
    CreateQuoteResponse quoted = THROUGHLINE__CATALOG__V1__CREATE_QUOTE_RESPONSE__INIT;

    request.n_codes = cart->n_codes + 1;
    request.codes =
        arena_grow(call->arena, cart->codes, cart->n_codes, request.n_codes, sizeof(char *));
    request.codes[cart->n_codes] = arena_text(call->arena, code);
    return quote(call, cart, &request, &quoted);
}

static const Error *ask_for_keys(RpcCall *call, CatalogClient *client)
{
    ListQuoteKeysRequest request = THROUGHLINE__CATALOG__V1__LIST_QUOTE_KEYS_REQUEST__INIT;
    ListQuoteKeysResponse list = THROUGHLINE__CATALOG__V1__LIST_QUOTE_KEYS_RESPONSE__INIT;
    int64_t asked_at = clock_now();
    const Error *error;

    if ((error = catalog_ask(call, &throughline__catalog__v1__pricing_service__descriptor,
             "ListQuoteKeys", &request, &list)))
        return error;
    quote_keys_set(client->keys, asked_at, &list);
    return NULL;
}

/* A list that was asked for after this call had arrived knows the key that has signed the quote, if
 * it is one; callers that wait together ask once. */
static const Error *refresh_keys(RpcCall *call, CatalogClient *client)
{
    const Error *error = NULL;

    pthread_mutex_lock(&client->asking);
    if (quote_keys_asked_at(client->keys) < call->arrived_at)
        error = ask_for_keys(call, client);
    pthread_mutex_unlock(&client->asking);
    return error;
}

/* By a key that is known. */
static bool is_signed(CatalogClient *client, const SignedQuote *signed_quote)
{
    const Throughline__Catalog__V1__QuoteBatch *batch = signed_quote->batch;
    Seal seal = { .signature = { signed_quote->signature.data, signed_quote->signature.len } };
    uint8_t key[QUOTE_KEY_BYTES];

    if (batch) {
        seal.index = batch->index;
        seal.path = (Bytes){ batch->path.data, batch->path.len };
    }
    return signed_quote->payload.len && quote_keys_find(client->keys, signed_quote->key_id, key) &&
           seal_holds(sealed_purpose,
               (Bytes){ signed_quote->payload.data, signed_quote->payload.len }, &seal, key);
}

const Error *catalog_open_quote(RpcCall *call, const SignedQuote *signed_quote, Quote **opened)
{
    const ProtobufCMessageDescriptor *type = &throughline__catalog__v1__quote__descriptor;
    Bytes payload = { signed_quote->payload.data, signed_quote->payload.len };
    CatalogClient *client = client_of(call);
    const Error *error;

    /* The key may be new, or, in a catalogue that was set up anew, another one of the same name. */
    if (!is_signed(client, signed_quote)) {
        if ((error = refresh_keys(call, client)))
            return error;
        if (!is_signed(client, signed_quote))
            return &quote_forged;
    }
    if (scan_message(call->arena, type, payload))
        return &quote_forged;
    *opened = message_unpack(call->arena, type, payload);
    return *opened ? NULL : &quote_forged;
}
