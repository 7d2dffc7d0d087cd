/* The lowest price of a SKU in a time: the rules of that time are asked at every moment at which their answer may change, with the
 * product as it was then. The way goes back release by release, with only those rules that have a say. */
#include "services/catalog/governance/governance.h"

#include "services/catalog/domain/rule_reach.h"
#include "services/catalog/domain/rule_set.h"
#include "services/catalog/pricing/quote_input.h"
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
    MAX_RELEASES = 10000,
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
}

static void add_window(Moments *moments, const Google__Protobuf__Timestamp *start,
    const Google__Protobuf__Timestamp *end, int64_t from, int64_t until, Arena *arena)
{
    if (start)
        add_moment(moments, timestamp_to_micros(start), from, until, arena);
    if (end)
        add_moment(moments, timestamp_to_micros(end), from, until, arena);
}

/* Asks the rules of a time in which none that matters has changed. */
static void ask_book(
    RpcCall *call, LowestPrice *lowest, const RuleBook *book, int64_t from, int64_t until)
{
    Arena *arena = arena_new(), *own = call->arena;
    RuleSet *set = rule_set_of(book, arena);
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

/* The way back through the releases. */
typedef struct WayBack {
    RpcCall *call;
    LowestPrice *lowest;
    RuleReach reach;
    RuleBook *book; /* what matters of the release that the way has come to; NULL: none yet */
    int64_t until;  /* what matters of it was in force until then */
    size_t n_releases;
    Release **releases; /* that it has passed, the newest first; only number and time are kept */
} WayBack;

/* What the release before had of what matters; false when that is the same. */
static bool step_back(WayBack *way, ReleaseChange *const *changes, size_t n_changes, Arena *arena)
{
    BookChange *back = arena_array(arena, n_changes, sizeof(*back));
    size_t n_back = 0;
    RuleBook *before;

    for (size_t i = 0; i < n_changes; i++) {
        const ReleaseChange *change = changes[i];
        bool was_there = rule_reaches(&way->reach, change->before, arena);

        if (was_there || rule_reaches(&way->reach, change->after, arena))
            back[n_back++] = (BookChange){ change->rule, was_there ? change->before : NULL,
                change->before_release };
    }
    if (n_back == 0)
        return false;
    before = rule_book_next(way->book, rule_book_number(way->book) - 1, back, n_back);
    rule_book_release(way->book);
    way->book = before;
    return true;
}

/* Over one release. Its own prices are asked for where they differ from those before it. */
static const Error *pass(WayBack *way, Release *release, Arena *arena)
{
    LowestPrice *lowest = way->lowest;
    int64_t from = timestamp_to_micros(release->create_time);
    StoreView view = *way->call->store;
    ReleaseChange **changes;
    RuleBook *book = rule_book_hold(way->book);
    const Error *error;

    view.arena = arena;
    if (!(error = release_changes_load(&view, release, &changes)) &&
        step_back(way, changes, (size_t)release->change_count, arena)) {
        ask_book(way->call, lowest, book, from > lowest->start ? from : lowest->start, way->until);
        way->until = from;
    }
    rule_book_release(book);
    return error_copy(way->call->arena, error);
}

static Release *note_release(WayBack *way, int64_t number)
{
    Arena *arena = way->call->arena;
    Release *release = message_new(arena, &throughline__catalog__v1__release__descriptor);

    if (way->n_releases % MOMENTS_STEP == 0)
        way->releases = arena_grow(arena, way->releases, way->n_releases,
            way->n_releases + MOMENTS_STEP, sizeof(*way->releases));
    release->number = number;
    way->releases[way->n_releases++] = release;
    return release;
}

/* The release that was in force at the time of the lowest price. */
static void name_release(WayBack *way)
{
    way->lowest->release = 0;
    for (size_t i = 0; i < way->n_releases && !way->lowest->release; i++)
        if (timestamp_to_micros(way->releases[i]->create_time) <= way->lowest->time)
            way->lowest->release = way->releases[i]->number;
}

/* Where the time that is asked about ends. */
static const Error *set_out(WayBack *way, int64_t number)
{
    RuleBook *book;
    const Error *error =
        rule_shelf_at(catalog_of(way->call)->shelf, way->call->store, number, &book);

    if (error)
        return error;
    way->book = rule_reach_book(&way->reach, book);
    rule_book_release(book);
    return NULL;
}

/* To a release, and over it where it was in force in time. */
static const Error *go_to(WayBack *way, int64_t number, Arena *arena, int64_t *from)
{
    static const Error too_many = { ERROR_RESOURCE_EXHAUSTED, "TOO_MANY_RELEASES",
        "More than 10,000 releases were published since then: ask for fewer days." };
    static const Error too_late = { ERROR_DEADLINE_EXCEEDED, "DEADLINE_EXCEEDED",
        "The call's time was over before all releases were looked at." };
    Release *release = note_release(way, number);
    const Error *error;

    if (rpc_should_stop(way->call))
        return &too_late;
    if (way->n_releases > MAX_RELEASES)
        return &too_many;
    if ((error = store_get(
             way->call->store, &releases, release_name(way->call->arena, number), release)))
        return error;
    *from = timestamp_to_micros(release->create_time);
    if (*from >= way->lowest->end)
        return NULL;
    if (!way->book && (error = set_out(way, number)))
        return error;
    return pass(way, release, arena);
}

/* From the newest release back to the one that was in force at the start. */
static const Error *walk(WayBack *way, int64_t number)
{
    LowestPrice *lowest = way->lowest;
    Arena *arena = arena_new();
    int64_t from = INT64_MAX;
    const Error *error = NULL;

    for (; number > 0 && from > lowest->start && !error; number--) {
        arena_reset(arena);
        error = go_to(way, number, arena, &from);
    }
    arena_free(arena);
    if (!error && !way->book)
        error = set_out(way, number);
    if (!error && way->until > lowest->start)
        ask_book(way->call, lowest, way->book, lowest->start, way->until);
    return error;
}

static const Error *ask_all(RpcCall *call, LowestPrice *lowest)
{
    const Product **known = arena_array(call->arena, lowest->n_versions, sizeof(*known));
    RuleBook *current = rule_shelf_current(catalog_of(call)->shelf);
    int64_t number = rule_book_number(current);
    WayBack way = { .call = call,
        .lowest = lowest,
        .reach = { lowest->request->sku, known, lowest->n_versions },
        .until = lowest->end };
    const Error *error;

    rule_book_release(current);
    for (size_t i = 0; i < lowest->n_versions; i++)
        known[i] = lowest->versions[i].product;
    error = walk(&way, number);
    rule_book_release(way.book);
    if (!error && lowest->is_found)
        name_release(&way);
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
    Rules *rules;
    const Error *error;

    line.sku = req->sku;
    if ((error = check_request(call, req)))
        return error;

    rules = rules_holder_current(catalog_of(call)->rules);
    error = price_input_load(call, &line, req->currency, rules, &now);
    rules_release(rules);
    if (error || (error = load_versions(call, now.items[0].product->name, &lowest)))
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
