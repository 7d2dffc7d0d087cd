/* Quotes: priced, promised, explained, asked for again, verified. */
#include "services/catalog/pricing/pricing_rpcs.h"

#include "services/catalog/governance/governance.h"
#include "services/catalog/governance/overrides.h"
#include "services/catalog/pricing/quote_input.h"
#include "services/catalog/pricing/quote_limits.h"
#include "shared/base/id.h"
#include "shared/base/money.h"
#include "shared/codec/message.h"
#include "shared/codec/types.h"
#include "shared/rpc/check.h"

#include <string.h>

typedef Throughline__Catalog__V1__CreateQuoteResponse CreateQuoteResponse;
typedef Throughline__Catalog__V1__GetPriceRequest GetPriceRequest;
typedef Throughline__Catalog__V1__GetPriceResponse GetPriceResponse;
typedef Throughline__Catalog__V1__ExplainQuoteRequest ExplainQuoteRequest;
typedef Throughline__Catalog__V1__RequoteRequest RequoteRequest;
typedef Throughline__Catalog__V1__RequoteResponse RequoteResponse;
typedef Throughline__Catalog__V1__VerifyQuoteRequest VerifyQuoteRequest;

enum {
    QUOTE_DEFAULT_TTL_SECONDS = 900,
    QUOTE_MAX_INLINE_LINES = 25,
    MICROS_PER_SECOND = 1000000,
    VARINT_MAX_SIZE = 10,
};

/* Whoever asks for a gift by name gets it named; the pricing function knows no products but those
 * of the lines. */
static void name_gifts(RpcCall *call, Quote *quote)
{
    for (size_t i = 0; i < quote->n_gifts; i++) {
        const char *sku = quote->gifts[i]->sku;
        const Product *product;
        const Variant *variant;
        const char *found;
        Bytes packed;

        if (!snapshot_find(
                catalog_of(call)->snapshot, SNAPSHOT_SKU, sku, call->arena, &packed, &found))
            continue;
        product =
            message_unpack(call->arena, &throughline__catalog__v1__product__descriptor, packed);
        variant = product_variant(product, sku);
        quote->gifts[i]->title =
            *variant->title ? arena_printf(call->arena, "%s, %s", product->title, variant->title)
                            : product->title;
    }
}

/* Names, times and for whom: what makes amounts a promise. */
static void address_quote(RpcCall *call, const CreateQuoteRequest *req, Quote *quote)
{
    int64_t ttl = req->ttl_seconds ? req->ttl_seconds : QUOTE_DEFAULT_TTL_SECONDS;

    quote->name = id_name(call->arena, "quotes");
    quote->issue_time = timestamp_from_micros(call->arena, call->arrived_at);
    quote->expire_time =
        timestamp_from_micros(call->arena, call->arrived_at + ttl * MICROS_PER_SECOND);
    quote->customer = req->customer;
    quote->cart = req->cart;
    quote->cart_etag = req->cart_etag;
    quote->channel = arena_text(call->arena, call->context.channel);
    quote->context = req->context;
    name_gifts(call, quote);
}

static const QuoteKeyRecord *signing_key(RpcCall *call)
{
    return key_ring_newest(catalog_of(call)->keys);
}

/* Again as long as promotions turn up whose limits were not looked at. */
static const Error *price_within_limits(RpcCall *call, PricingInput *input, Quote *quote)
{
    const Error *error;

    do {
        message_init(quote->base.descriptor, quote);
        error = pricing_quote(input, call->arena, quote);
    } while (quote_limits_are_new(call, quote, input, &error));
    return error;
}

static const Error *explain_within_limits(
    RpcCall *call, PricingInput *input, QuoteExplanation *explanation)
{
    const Error *error;

    do {
        message_init(explanation->base.descriptor, explanation);
        error = pricing_explain(input, call->arena, explanation);
    } while (quote_limits_are_new(call, explanation->quote, input, &error));
    return error;
}

/* Codes and overrides are looked up; many lines take their time. */
static bool needs_worker(const CreateQuoteRequest *req)
{
    return req->n_codes > 0 || req->n_overrides > 0 || req->n_lines > QUOTE_MAX_INLINE_LINES;
}

/* The quote inside the signed bytes is the reply's, too: packed once, it goes into both. protobuf-c
 * packs an unknown field as its tag and its bytes as they are. */
static void show_signed(RpcCall *call, const SignedQuote *signed_quote, CreateQuoteResponse *res)
{
    ProtobufCMessageUnknownField *field = arena_alloc(call->arena, sizeof(*field));
    size_t size = signed_quote->payload.len;
    uint8_t *at = arena_alloc(call->arena, size + VARINT_MAX_SIZE);

    field->tag = 1;
    field->wire_type = PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED;
    field->data = at;
    for (; size >= 0x80; size >>= 7)
        *at++ = (uint8_t)(size | 0x80);
    *at++ = (uint8_t)size;
    memcpy(at, signed_quote->payload.data, signed_quote->payload.len);
    field->len = (size_t)(at - field->data) + signed_quote->payload.len;
    res->base.n_unknown_fields = 1;
    res->base.unknown_fields = field;
}

_Static_assert((int)RPC_MAX_SHARERS <= (int)SEAL_MAX_TOGETHER, "whoever shares shares a signature");

/* A quote that waits for others to be signed with. */
typedef struct Waiting {
    RpcCall *call;
    UnsignedQuote *quote;
} Waiting;

static void sign_together(void *const *items, size_t n_items)
{
    UnsignedQuote *quotes[RPC_MAX_SHARERS];

    for (size_t i = 0; i < n_items; i++)
        quotes[i] = ((const Waiting *)items[i])->quote;
    quotes_sign(quotes, n_items, signing_key(((const Waiting *)items[0])->call));
}

static void sign(RpcCall *call, const Quote *quote, CreateQuoteResponse *res)
{
    Waiting *waiting = arena_alloc(call->arena, sizeof(*waiting));

    *waiting = (Waiting){ call, quote_serialize(quote, call->arena) };
    res->signed_quote = waiting->quote->signed_quote;
    show_signed(call, res->signed_quote, res);
    if (!rpc_share(call, sign_together, waiting))
        quotes_sign(&waiting->quote, 1, signing_key(call));
}

const Error *create_quote(RpcCall *call, const void *request, void *reply)
{
    const CreateQuoteRequest *req = request;
    CreateQuoteResponse *res = reply;
    Quote *quote = message_new(call->arena, &throughline__catalog__v1__quote__descriptor);
    Rules *rules;
    PricingInput input;
    const Error *error;

    if (needs_worker(req) && !rpc_may_block(call))
        return &rpc_needs_worker;
    rules = quote_rules(call, req);
    if (!(error = quote_request_check(call, "", req)) &&
        !(error = quote_input_load(call, req, rules, call->arrived_at, &input)))
        error = price_within_limits(call, &input, quote);
    rules_release(rules);
    if (error)
        return error;

    address_quote(call, req, quote);
    if (req->n_overrides > 0 && (error = overrides_approve(call, req, quote)))
        return error;
    sign(call, quote, res);
    return NULL;
}

static const Error *check_price_request(RpcCall *call, const GetPriceRequest *req)
{
    if (!sku_is_valid(req->sku))
        check_fail(call, "sku", "must be 1 to 64 characters of [A-Za-z0-9_.~-]");
    if (money_digits(req->currency) < 0)
        check_fail(call, "currency", "\"%s\" is not an ISO 4217 currency", req->currency);
    check_range(call, "quantity", req->quantity, 0, QUOTE_MAX_QUANTITY);
    quote_context_check(call, "context.", req->context);
    check_optional_name(call, "customer", req->customer, "customers/*");
    if (req->time && !timestamp_is_valid(req->time))
        check_fail(call, "time", "is not a time in the years 1 to 9999");
    return check_result(call);
}

const Error *get_price(RpcCall *call, const void *request, void *reply)
{
    const GetPriceRequest *req = request;
    GetPriceResponse *res = reply;
    QuoteLine line = THROUGHLINE__CATALOG__V1__QUOTE_LINE__INIT;
    Quote quote = THROUGHLINE__CATALOG__V1__QUOTE__INIT;
    Rules *rules = rules_holder_current(catalog_of(call)->rules);
    PricingInput input;
    const Error *error;

    line.sku = req->sku;
    line.quantity = req->quantity ? req->quantity : 1;
    if (!(error = check_price_request(call, req)) &&
        !(error = price_input_load(call, &line, req->currency, rules, &input))) {
        input.now = req->time ? timestamp_to_micros(req->time) : call->arrived_at;
        input.context = pricing_context(call, req->context, req->customer);
        error = price_within_limits(call, &input, &quote);
    }
    rules_release(rules);
    if (error)
        return error;

    res->line = quote.lines[0];
    res->release = quote.release;
    return NULL;
}

/* Those in force, or what a draft would make of them. */
static const Error *explained_rules(RpcCall *call, const ExplainQuoteRequest *req, Rules **rules)
{
    if (*req->draft)
        return draft_rules(call, req->draft, rules);
    *rules = quote_rules(call, req->request);
    return NULL;
}

const Error *explain_quote(RpcCall *call, const void *request, void *reply)
{
    const ExplainQuoteRequest *req = request;
    Rules *rules;
    PricingInput input;
    int64_t now = req->time ? timestamp_to_micros(req->time) : call->arrived_at;
    const Error *error;

    check_present(call, "request", req->request);
    if (req->time && !timestamp_is_valid(req->time))
        check_fail(call, "time", "is not a time in the years 1 to 9999");
    check_optional_name(call, "draft", req->draft, "drafts/*");
    if (!req->request || *req->draft)
        if ((error = check_result(call)))
            return error;

    if ((error = explained_rules(call, req, &rules)))
        return error;
    if (!(error = quote_request_check(call, "request.", req->request)) &&
        !(error = quote_input_load(call, req->request, rules, now, &input))) {
        input.hides_other_channels = bound_channel(call) != NULL;
        error = explain_within_limits(call, &input, reply);
    }
    rules_release(rules);
    return error;
}

/* A key that was made elsewhere a moment ago is looked for in the store. */
const Error *quote_open(RpcCall *call, const SignedQuote *signed_quote, int64_t now, Quote *quote)
{
    Catalog *catalog = catalog_of(call);
    const QuoteKeyRecord *const *keys;
    size_t n_keys = key_ring_keys(catalog->keys, &keys);
    const Error *error;

    for (size_t i = 0; i < n_keys; i++)
        if (text_equal(keys[i]->name, signed_quote->key_id))
            return quote_verify(signed_quote, keys, n_keys, now, call->arena, quote);
    if ((error = key_ring_load(catalog->keys, call->store)))
        return error;
    n_keys = key_ring_keys(catalog->keys, &keys);
    return quote_verify(signed_quote, keys, n_keys, now, call->arena, quote);
}

const Error *verify_quote(RpcCall *call, const void *request, void *reply)
{
    const VerifyQuoteRequest *req = request;
    const Error *error;

    check_present(call, "signed_quote", req->signed_quote);
    if ((error = check_result(call)))
        return error;

    return quote_open(call, req->signed_quote, call->arrived_at, reply);
}

CreateQuoteRequest *quote_request_of(RpcCall *call, const Quote *quote, int32_t ttl_seconds)
{
    CreateQuoteRequest *req =
        message_new(call->arena, &throughline__catalog__v1__create_quote_request__descriptor);

    req->currency = quote->currency;
    req->customer = quote->customer;
    req->cart = quote->cart;
    req->cart_etag = quote->cart_etag;
    req->context = quote->context;
    req->ttl_seconds = ttl_seconds;
    req->allows_unused_codes = true;
    req->n_lines = quote->n_lines;
    req->lines = arena_array(call->arena, quote->n_lines, sizeof(*req->lines));
    for (size_t i = 0; i < quote->n_lines; i++) {
        req->lines[i] = message_new(call->arena, &throughline__catalog__v1__quote_line__descriptor);
        req->lines[i]->sku = quote->lines[i]->sku;
        req->lines[i]->quantity = quote->lines[i]->quantity;
    }
    req->n_codes = quote->n_codes;
    req->codes = arena_array(call->arena, quote->n_codes, sizeof(*req->codes));
    for (size_t i = 0; i < quote->n_codes; i++)
        req->codes[i] = quote->codes[i]->code;
    if (quote->shipping) {
        req->shipping =
            message_new(call->arena, &throughline__catalog__v1__shipping_request__descriptor);
        req->shipping->method = quote->shipping->method;
        req->shipping->amount = quote->shipping->list_total;
        req->shipping->is_net = quote->shipping->is_net;
    }
    return req;
}

const Error *requote(RpcCall *call, const void *request, void *reply)
{
    const RequoteRequest *req = request;
    RequoteResponse *res = reply;
    Quote *before = message_new(call->arena, &throughline__catalog__v1__quote__descriptor);
    QuoteExplanation *after =
        message_new(call->arena, &throughline__catalog__v1__explain_quote_response__descriptor);
    CreateQuoteRequest *again;
    PricingInput input;
    Rules *rules;
    const Error *error;

    check_present(call, "signed_quote", req->signed_quote);
    if ((error = check_result(call)) ||
        (error = quote_open(call, req->signed_quote, INT64_MIN, before)))
        return error;

    again = quote_request_of(call, before, req->ttl_seconds);
    rules = quote_rules(call, again);
    if (!(error = quote_request_check(call, "", again)) &&
        !(error = quote_input_load(call, again, rules, call->arrived_at, &input)))
        error = explain_within_limits(call, &input, after);
    rules_release(rules);
    if (error)
        return error;

    pricing_compare(before, after, call->arena, res);
    res->quote = after->quote;
    address_quote(call, again, res->quote);
    res->signed_quote = quote_sign(res->quote, signing_key(call), call->arena);
    return NULL;
}
