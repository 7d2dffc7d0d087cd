/* The lowest price of a SKU in a time: every release of that time is asked at every moment at which its answer may change, with the
 * product as it was then. */
#include "services/catalog/governance.h"

#include "services/catalog/domain/rule_set.h"
#include "services/catalog/quote_input.h"
#include "shared/base/money.h"
#include "shared/codec/message.h"
#include "shared/codec/types.h"
#include "shared/event/log.h"
#include "shared/rpc/check.h"

#include <stdlib.h>

typedef Throughline__Catalog__V1__GetLowestPriceRequest GetLowestPriceRequest;
typedef Throughline__Catalog__V1__GetLowestPriceResponse GetLowestPriceResponse;
typedef Throughline__Catalog__V1__ProductChanged ProductChanged;

enum {
    DEFAULT_DAYS = 30,
    MAX_DAYS = 366,
    MAX_RELEASES = 1000,
    MAX_VERSIONS = 10000,
    EVENTS_AT_ONCE = 100,
    MOMENTS_STEP = 64,
};

static const int64_t day_micros = INT64_C(86400) * 1000000;

/* A product from a moment on. */
typedef struct Version {
    int64_t from;
    const Product *product;
} Version;

typedef struct Moments {
    int64_t *items;
    size_t n_items;
} Moments;

/* What is asked, and the lowest price so far. */
typedef struct LowestPrice {
    const GetLowestPriceRequest *request;
    int64_t start;
    int64_t end; /* exclusive */
    Version *versions;
    size_t n_versions;
    bool is_found;
    int64_t minor;
    int64_t time;
    int64_t release;
    const Error *refusal; /* of the last moment that had no price */
} LowestPrice;

static void add_moment(Moments *moments, int64_t moment, int64_t from, int64_t until, Arena *arena)
{
    if (moment < from || moment >= until)
        return;
    if (moments->n_items % MOMENTS_STEP == 0)
        moments->items = arena_grow(arena, moments->items, moments->n_items,
            moments->n_items + MOMENTS_STEP, sizeof(*moments->items));
    moments->items[moments->n_items++] = moment;
}

/* The versions of a product that the event log has, the oldest first. */
static const Error *load_versions(RpcCall *call, const char *name, LowestPrice *lowest)
{
    LogRange range = { .aggregate = name, .limit = EVENTS_AT_ONCE };
    LogPage page = { 0 };

    do {
        const Error *error = event_log_read(call->store, &range, &page);

        if (error)
            return error;
        lowest->versions = arena_grow(call->arena, lowest->versions, lowest->n_versions,
            lowest->n_versions + page.n_records, sizeof(*lowest->versions));
        for (size_t i = 0; i < page.n_records; i++) {
            const Event *event = page.records[i]->event;
            const ProductChanged *changed = event_payload(
                call->arena, event, &throughline__catalog__v1__product_changed__descriptor);

            if (changed)
                lowest->versions[lowest->n_versions++] =
                    (Version){ timestamp_to_micros(event->time), changed->product };
        }
        range.after += (int64_t)page.n_records;
    } while (page.n_records == EVENTS_AT_ONCE && lowest->n_versions < MAX_VERSIONS);
    return NULL;
}

static const Product *product_at(const LowestPrice *lowest, int64_t moment)
{
    const Product *product = NULL;

    for (size_t i = 0; i < lowest->n_versions && lowest->versions[i].from <= moment; i++)
        product = lowest->versions[i].product;
    return product;
}

/* One piece, by what applies to anybody. */
static void ask(RpcCall *call, LowestPrice *lowest, const Rules *rules, int64_t moment)
{
    const GetLowestPriceRequest *req = lowest->request;
    Quote *quote = message_new(call->arena, &throughline__catalog__v1__quote__descriptor);
    QuoteLine line = THROUGHLINE__CATALOG__V1__QUOTE_LINE__INIT;
    PricingItem item = { .line = &line, .product = product_at(lowest, moment) };
    PricingInput input = {
        .currency = req->currency,
        .now = moment,
        .rules = rules,
        .items = &item,
        .n_items = 1,
        .context = pricing_context(call, req->context, ""),
    };
    int64_t minor = 0;
    const Error *refusal;

    line.sku = req->sku;
    line.quantity = 1;
    if (!item.product || !product_variant(item.product, req->sku))
        return;
    if ((refusal = pricing_quote(&input, call->arena, quote))) {
        lowest->refusal = refusal;
        return;
    }
    money_minor(quote->total, &minor);
    if (lowest->is_found && minor >= lowest->minor)
        return;
    lowest->is_found = true;
    lowest->minor = minor;
    lowest->time = moment;
    lowest->release = rules_set(rules)->release;
}

static void add_window(Moments *moments, const Google__Protobuf__Timestamp *start,
    const Google__Protobuf__Timestamp *end, int64_t from, int64_t until, Arena *arena)
{
    if (start)
        add_moment(moments, timestamp_to_micros(start), from, until, arena);
    if (end)
        add_moment(moments, timestamp_to_micros(end), from, until, arena);
}

/* Of a book only what can say something about the SKU; rows of others are left out. */
static RuleSet *rules_about(const RuleBook *book, const char *sku, Arena *arena)
{
    RuleSet *set = rule_set_of(book, arena);
    size_t n = 0;

    for (size_t i = 0; i < set->n_price_rows; i++)
        if (text_equal(set->price_rows[i]->sku, sku))
            set->price_rows[n++] = set->price_rows[i];
    set->n_price_rows = n;
    return set;
}

/* Asks one release for the time in which it was in force. */
static void ask_release(
    RpcCall *call, LowestPrice *lowest, const RuleBook *book, int64_t from, int64_t until)
{
    Arena *arena = arena_new(), *own = call->arena;
    RuleSet *set = rules_about(book, lowest->request->sku, arena);
    Rules *rules = rules_compile(set);
    Moments moments = { 0 };

    add_moment(&moments, from, from, until, arena);
    for (size_t i = 0; i < lowest->n_versions; i++)
        add_moment(&moments, lowest->versions[i].from, from, until, arena);
    for (size_t i = 0; i < set->n_price_rows; i++)
        add_window(&moments, set->price_rows[i]->start_time, set->price_rows[i]->end_time, from,
            until, arena);
    for (size_t i = 0; i < set->n_promotions; i++)
        add_window(&moments, set->promotions[i]->start_time, set->promotions[i]->end_time, from,
            until, arena);
    call->arena = arena;
    for (size_t i = 0; i < moments.n_items; i++)
        ask(call, lowest, rules, moments.items[i]);
    call->arena = own;
    lowest->refusal = error_copy(own, lowest->refusal);
    rules_release(rules);
    arena_free(arena);
}

/* The book of release `number`: from the one after it, where that was asked, else from the shelf. */
static const Error *go_to(RpcCall *call, int64_t number, RuleBook **book)
{
    RuleBook *after = *book;
    const Error *error = after ? rule_shelf_before(call->store, after, book)
                               : rule_shelf_at(catalog_of(call)->shelf, call->store, number, book);

    if (!error)
        rule_book_release(after);
    return error;
}

/* When a release came into force; 0 was always there. */
static const Error *load_start(RpcCall *call, int64_t number, int64_t *start)
{
    Release release = THROUGHLINE__CATALOG__V1__RELEASE__INIT;
    const Error *error;

    *start = INT64_MIN;
    if (number == 0)
        return NULL;
    if ((error = store_get(call->store, &releases, release_name(call->arena, number), &release)))
        return error;
    *start = timestamp_to_micros(release.create_time);
    return NULL;
}

/* From the newest release back to the one that was in force at the start. */
static const Error *ask_all(RpcCall *call, LowestPrice *lowest)
{
    static const Error too_many = { ERROR_RESOURCE_EXHAUSTED, "TOO_MANY_RELEASES",
        "More than 1,000 releases were published in that time: ask for fewer days." };
    RuleBook *current = rule_shelf_current(catalog_of(call)->shelf), *book = NULL;
    int64_t number = rule_book_number(current), until = INT64_MAX, n_asked = 0;
    const Error *error = NULL;

    rule_book_release(current);
    for (; number >= 0 && until > lowest->start && !error; number--) {
        int64_t from;

        if ((error = load_start(call, number, &from)))
            break;
        if (from < lowest->end) {
            if (++n_asked > MAX_RELEASES)
                error = &too_many;
            if (error || (error = go_to(call, number, &book)))
                break;
            ask_release(call, lowest, book, from > lowest->start ? from : lowest->start,
                until < lowest->end ? until : lowest->end);
        }
        until = from;
    }
    rule_book_release(book);
    return error;
}

static const Error *check_request(RpcCall *call, const GetLowestPriceRequest *req)
{
    if (!sku_is_valid(req->sku))
        check_fail(call, "sku", "must be 1 to 64 characters of [A-Za-z0-9_.~-]");
    if (money_digits(req->currency) < 0)
        check_fail(call, "currency", "\"%s\" is not an ISO 4217 currency", req->currency);
    if (req->before && !timestamp_is_valid(req->before))
        check_fail(call, "before", "is not a time in the years 1 to 9999");
    else if (timestamp_to_micros(req->before) > call->arrived_at)
        check_fail(call, "before", "must not be in the future");
    check_range(call, "days", req->days, 0, MAX_DAYS);
    quote_context_check(call, "context.", req->context);
    return check_result(call);
}

const Error *get_lowest_price(RpcCall *call, const void *request, void *reply)
{
    static const Error price_missing = { ERROR_FAILED_PRECONDITION, "PRICE_MISSING",
        "It had no price in that time." };
    const GetLowestPriceRequest *req = request;
    GetLowestPriceResponse *res = reply;
    LowestPrice lowest = { .request = req };
    QuoteLine line = THROUGHLINE__CATALOG__V1__QUOTE_LINE__INIT;
    PricingInput now;
    const Error *error;

    line.sku = req->sku;
    if ((error = check_request(call, req)) ||
        (error = price_input_load(call, &line, req->currency, NULL, &now)) ||
        (error = load_versions(call, now.items[0].product->name, &lowest)))
        return error;
    lowest.end = req->before ? timestamp_to_micros(req->before) : call->arrived_at;
    lowest.start = lowest.end - (req->days ? req->days : DEFAULT_DAYS) * day_micros;
    if ((error = ask_all(call, &lowest)))
        return error;
    if (!lowest.is_found)
        return lowest.refusal ? lowest.refusal : &price_missing;

    res->lowest = money_message(call->arena, req->currency, lowest.minor);
    res->time = timestamp_from_micros(call->arena, lowest.time);
    res->release = lowest.release;
    return NULL;
}
