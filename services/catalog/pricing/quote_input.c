#include "services/catalog/pricing/quote_input.h"

#include "services/catalog/domain/rules_check.h"
#include "services/catalog/governance/published.h"
#include "services/catalog/governance/rule_shelf.h"
#include "services/catalog/pricing/quote_limits.h"
#include "shared/base/money.h"
#include "shared/codec/message.h"
#include "shared/codec/types.h"
#include "shared/rpc/check.h"

#include <stdlib.h>
#include <string.h>

enum {
    QUOTE_MIN_TTL_SECONDS = 60,
    QUOTE_MAX_TTL_SECONDS = 86400,
    QUOTE_MAX_ETAG = 64,
    QUOTE_MAX_SEGMENTS = 100,
};

static const Error override_refused = { ERROR_PERMISSION_DENIED, "SCOPE_MISSING",
    "Setting prices by hand needs the scope catalog.price_override." };

/* Validate. */

/* The field below a path. Nearly all requests are in order: what is named of them all the same is put together without a format,
 * and lines and codes are only named where something is wrong with them. */
static const char *below(RpcCall *call, const char *path, const char *field)
{
    size_t path_size = strlen(path);
    size_t field_size = strlen(field);
    char *whole;

    if (path_size == 0)
        return field;
    whole = arena_alloc(call->arena, path_size + field_size + 1);
    memcpy(whole, path, path_size);
    memcpy(whole + path_size, field, field_size);
    return whole;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* A text that is there twice, NULL when all differ. */
static const char *find_twin(Arena *arena, const char *const *texts, size_t n_texts)
{
    const char **sorted = arena_copy(arena, texts, n_texts * sizeof(*texts));

    if (n_texts > 1)
        qsort(sorted, n_texts, sizeof(*sorted), by_text);
    for (size_t i = 1; i < n_texts; i++)
        if (text_equal(sorted[i - 1], sorted[i]))
            return sorted[i];
    return NULL;
}

static void check_twins(RpcCall *call, const char *path, const CreateQuoteRequest *req)
{
    const char **skus = arena_array(call->arena, req->n_lines, sizeof(*skus));
    const char *twin;
    bool is_seen = false;

    for (size_t i = 0; i < req->n_lines; i++)
        skus[i] = req->lines[i]->sku;
    twin = find_twin(call->arena, skus, req->n_lines);
    for (size_t i = 0; twin && i < req->n_lines; i++) {
        if (!text_equal(twin, skus[i]))
            continue;
        if (is_seen)
            check_fail(
                call, check_path(call, "%slines[%zu].sku", path, i), "is the SKU of a line before");
        is_seen = true;
    }
}

static void check_lines(RpcCall *call, const char *path, const CreateQuoteRequest *req)
{
    check_count(call, below(call, path, "lines"), req->n_lines, 1, QUOTE_MAX_LINES);
    if (req->n_lines > QUOTE_MAX_LINES)
        return;
    for (size_t i = 0; i < req->n_lines; i++) {
        int32_t quantity = req->lines[i]->quantity;

        if (!sku_is_valid(req->lines[i]->sku))
            check_fail(call, check_path(call, "%slines[%zu].sku", path, i),
                "must be 1 to 64 characters of [A-Za-z0-9_.~-]");
        if (quantity < 1 || quantity > QUOTE_MAX_QUANTITY)
            check_range(call, check_path(call, "%slines[%zu].quantity", path, i), quantity, 1,
                QUOTE_MAX_QUANTITY);
    }
    check_twins(call, path, req);
}

static void check_codes(RpcCall *call, const char *path, const CreateQuoteRequest *req)
{
    check_count(call, below(call, path, "codes"), req->n_codes, 0, QUOTE_MAX_CODES);
    for (size_t i = 0; i < req->n_codes && i < QUOTE_MAX_CODES; i++)
        for (size_t j = 0; j < i; j++)
            if (text_equal(req->codes[j], req->codes[i]))
                check_fail(call, check_path(call, "%scodes[%zu]", path, i), "is given twice");
}

void quote_context_check(RpcCall *call, const char *path, const QuoteContext *context)
{
    const char *country;

    if (!context)
        return;
    country = context->country;
    if (*country && (strlen(country) != 2 || strspn(country, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != 2))
        check_fail(call, below(call, path, "country"), "must be two capitals (ISO 3166-1)");
    check_text(call, below(call, path, "region"), context->region, 0, RULES_MAX_WORD);
    check_text(call, below(call, path, "location"), context->location, 0, RULES_MAX_WORD);
    check_count(call, below(call, path, "segments"), context->n_segments, 0, QUOTE_MAX_SEGMENTS);
    for (size_t i = 0; i < context->n_segments && i < QUOTE_MAX_SEGMENTS; i++)
        check_name(
            call, check_path(call, "%ssegments[%zu]", path, i), context->segments[i], "segments/*");
    check_range(call, below(call, path, "utc_offset_minutes"), context->utc_offset_minutes,
        -UTC_OFFSET_MAX_MINUTES, UTC_OFFSET_MAX_MINUTES);
}

/* An amount of zero or more in the currency of the quote. */
static void check_amount(
    RpcCall *call, const char *field, const Google__Type__Money *money, const char *currency)
{
    int64_t minor;

    check_money(call, field, money, 0, INT64_MAX, &minor);
    if (money && !text_equal(money->currency_code, currency))
        check_fail(call, field, "must be in the currency of the quote");
}

static void check_overrides(RpcCall *call, const char *path, const CreateQuoteRequest *req)
{
    check_count(call, below(call, path, "overrides"), req->n_overrides, 0, req->n_lines);
    /* Each is looked for among the lines: too many of those are a fault of their own. */
    if (req->n_lines > QUOTE_MAX_LINES)
        return;
    for (size_t i = 0; i < req->n_overrides && i < req->n_lines; i++) {
        const Throughline__Catalog__V1__PriceOverride *override = req->overrides[i];
        bool is_line = false;

        for (size_t j = 0; j < req->n_lines && !is_line; j++)
            is_line = text_equal(req->lines[j]->sku, override->sku);
        for (size_t j = 0; j < i && is_line; j++)
            is_line = !text_equal(req->overrides[j]->sku, override->sku);
        if (!is_line)
            check_fail(call, check_path(call, "%soverrides[%zu].sku", path, i),
                "must be one of the lines, each once");
        check_amount(call, check_path(call, "%soverrides[%zu].unit_price", path, i),
            override->unit_price, req->currency);
        check_text(call, check_path(call, "%soverrides[%zu].reason", path, i), override->reason, 1,
            RULES_MAX_REASON);
        check_name(call, check_path(call, "%soverrides[%zu].limit", path, i), override->limit,
            "overrideLimits/*");
    }
    if (req->n_overrides > 0 && !*call->context.actor)
        check_fail(call, below(call, path, "overrides"), "need an actor in the context");
}

const Error *quote_request_check(RpcCall *call, const char *path, const CreateQuoteRequest *req)
{
    const Error *error;

    if (money_digits(req->currency) < 0)
        check_fail(call, below(call, path, "currency"), "\"%s\" is not an ISO 4217 currency",
            req->currency);
    check_lines(call, path, req);
    check_codes(call, path, req);
    check_optional_name(call, below(call, path, "customer"), req->customer, "customers/*");
    check_optional_name(call, below(call, path, "cart"), req->cart, "carts/*");
    check_text(call, below(call, path, "cart_etag"), req->cart_etag, 0, QUOTE_MAX_ETAG);
    if (req->ttl_seconds)
        check_range(call, below(call, path, "ttl_seconds"), req->ttl_seconds, QUOTE_MIN_TTL_SECONDS,
            QUOTE_MAX_TTL_SECONDS);
    quote_context_check(call, below(call, path, "context."), req->context);
    if (req->shipping) {
        check_text(
            call, below(call, path, "shipping.method"), req->shipping->method, 1, RULES_MAX_WORD);
        check_amount(
            call, below(call, path, "shipping.amount"), req->shipping->amount, req->currency);
    }
    check_overrides(call, path, req);
    if ((error = check_result(call)))
        return error;
    return req->n_overrides > 0 && !caller_has_scope(call->caller, "catalog.price_override")
               ? &override_refused
               : NULL;
}

/* Load. */

Rules *quote_rules(RpcCall *call, const CreateQuoteRequest *req)
{
    if (req->n_codes > 0)
        (void)rule_shelf_follow(catalog_of(call)->shelf, call->store);
    return rules_holder_current(catalog_of(call)->rules);
}

static const Error *load_item(
    RpcCall *call, const QuoteLine *line, const Rules *rules, PricingItem *item)
{
    const Product *product = published_source(catalog_of(call), rules, line->sku, call->arena);

    if (!product || !catalog_sells(call, product->name, product_paths(product, call->arena)))
        return error_with_fact(call->arena,
            error_new(call->arena, ERROR_NOT_FOUND, "VARIANT_NOT_FOUND",
                "No product has a variant with the SKU \"%s\".", line->sku),
            "sku", line->sku);
    item->line = line;
    item->product = product;
    return NULL;
}

static const Error *load_items(RpcCall *call, const CreateQuoteRequest *req, PricingInput *input)
{
    PricingItem *items = arena_array(call->arena, req->n_lines, sizeof(*items));
    const Error *error;

    for (size_t i = 0; i < req->n_lines; i++)
        if ((error = load_item(call, req->lines[i], input->rules, &items[i])))
            return error;
    input->items = items;
    input->n_items = req->n_lines;
    return NULL;
}

/* By the rules in force; else it may be a coupon's. */
static const Error *load_code(
    RpcCall *call, const Rules *rules, const char *customer, PricingCode *code, PricingInput *input)
{
    /* What cannot be a code is one that does not apply. */
    if (!promotion_code_is_valid(code->code) ||
        (code->promotion = rules_promotion_by_code(rules, code->code)))
        return NULL;
    return quote_load_coupon(call, rules, customer, code, input);
}

static const Error *load_codes(
    RpcCall *call, const CreateQuoteRequest *req, const Rules *rules, PricingInput *input)
{
    PricingCode *codes = arena_array(call->arena, req->n_codes, sizeof(*codes));
    const Error *error;

    for (size_t i = 0; i < req->n_codes; i++) {
        codes[i].code = req->codes[i];
        if ((error = load_code(call, rules, req->customer, &codes[i], input)))
            return error;
    }
    input->codes = codes;
    input->n_codes = req->n_codes;
    return NULL;
}

static void load_overrides(RpcCall *call, const CreateQuoteRequest *req, PricingInput *input)
{
    PricingOverride *overrides = arena_array(call->arena, req->n_overrides, sizeof(*overrides));

    for (size_t i = 0; i < req->n_overrides; i++) {
        overrides[i].sku = req->overrides[i]->sku;
        overrides[i].reason = req->overrides[i]->reason;
        overrides[i].actor = call->context.actor;
        money_minor(req->overrides[i]->unit_price, &overrides[i].unit_minor);
    }
    input->overrides = overrides;
    input->n_overrides = req->n_overrides;
}

static const PricingShipping *load_shipping(
    RpcCall *call, const Throughline__Catalog__V1__ShippingRequest *asked)
{
    PricingShipping *shipping;

    if (!asked)
        return NULL;
    shipping = arena_alloc(call->arena, sizeof(*shipping));
    shipping->method = asked->method;
    shipping->is_net = asked->is_net;
    money_minor(asked->amount, &shipping->minor);
    return shipping;
}

PricingContext pricing_context(
    const RpcCall *call, const QuoteContext *context, const char *customer)
{
    PricingContext known = { .channel = call->context.channel, .customer = customer };

    if (!context)
        return known;
    known.country = context->country;
    known.region = context->region;
    known.location = context->location;
    known.segments = (const char *const *)context->segments;
    known.n_segments = context->n_segments;
    known.is_first_order = context->is_first_order;
    known.utc_offset_minutes = context->utc_offset_minutes;
    return known;
}

const Error *quote_input_load(RpcCall *call, const CreateQuoteRequest *req, const Rules *rules,
    int64_t now, PricingInput *input)
{
    const Error *error;

    *input = (PricingInput){
        .currency = req->currency,
        .now = now,
        .rules = rules,
        .context = pricing_context(call, req->context, req->customer),
        .shipping = load_shipping(call, req->shipping),
        .allows_unused_codes = req->allows_unused_codes,
    };
    load_overrides(call, req, input);
    if ((error = load_items(call, req, input)))
        return error;
    return load_codes(call, req, rules, input);
}

const Error *price_input_load(RpcCall *call, const QuoteLine *line, const char *currency,
    const Rules *rules, PricingInput *input)
{
    PricingItem *item = arena_alloc(call->arena, sizeof(*item));

    *input = (PricingInput){ .currency = currency, .rules = rules, .items = item, .n_items = 1 };
    return load_item(call, line, rules, item);
}
