#include "services/catalog/domain/uses.h"

#include "shared/base/clock.h"
#include "shared/base/id.h"
#include "shared/codec/message.h"
#include "shared/codec/types.h"

#include <assert.h>
#include <string.h>

typedef Throughline__Catalog__V1__UseReservation__State State;
typedef Throughline__Catalog__V1__UseClaim__Limit Limit;

enum { MICROS = 1000000, DAY_SECONDS = 86400 };

static const State RESERVING = THROUGHLINE__CATALOG__V1__USE_RESERVATION__STATE__RESERVING;
static const State HELD = THROUGHLINE__CATALOG__V1__USE_RESERVATION__STATE__HELD;
static const State REDEEMING = THROUGHLINE__CATALOG__V1__USE_RESERVATION__STATE__REDEEMING;
static const State REDEEMED = THROUGHLINE__CATALOG__V1__USE_RESERVATION__STATE__REDEEMED;
static const State RELEASING = THROUGHLINE__CATALOG__V1__USE_RESERVATION__STATE__RELEASING;
static const State RETURNING = THROUGHLINE__CATALOG__V1__USE_RESERVATION__STATE__RETURNING;
static const State RETURNED = THROUGHLINE__CATALOG__V1__USE_RESERVATION__STATE__RETURNED;
static const State REFUSED = THROUGHLINE__CATALOG__V1__USE_RESERVATION__STATE__REFUSED;

static const Limit TOTAL = THROUGHLINE__CATALOG__V1__USE_CLAIM__LIMIT__TOTAL;
static const Limit CUSTOMER = THROUGHLINE__CATALOG__V1__USE_CLAIM__LIMIT__CUSTOMER;
static const Limit CODE = THROUGHLINE__CATALOG__V1__USE_CLAIM__LIMIT__CODE;

static const Error customer_missing = { ERROR_FAILED_PRECONDITION, "CUSTOMER_MISSING",
    "A limit of this promotion is for each customer: the quote must be for one." };
static const Error busy = { ERROR_RESOURCE_EXHAUSTED, "PROMOTION_BUSY",
    "Too many uses of this promotion are reserved at once: try again a little later.",
    .retry_after_ms = 1000 };
static const Error expired = { ERROR_FAILED_PRECONDITION, "USES_EXPIRED",
    "The uses are not held, or not any more: they were not redeemed in time." };
static const Error returned = { ERROR_FAILED_PRECONDITION, "USES_RETURNED",
    "The uses have been given back." };

/* What a quote uses. */

typedef struct Uses {
    size_t n_uses;
    QuoteUse *uses;
} Uses;

static QuoteUse *find_use(Uses *uses, const char *promotion)
{
    for (size_t i = 0; i < uses->n_uses; i++)
        if (text_equal(uses->uses[i].promotion, promotion))
            return &uses->uses[i];
    uses->uses[uses->n_uses] = (QuoteUse){ .promotion = promotion, .code = "" };
    return &uses->uses[uses->n_uses++];
}

static void add_adjustments(Uses *uses, Adjustment *const *adjustments, size_t n_adjustments)
{
    for (size_t i = 0; i < n_adjustments; i++) {
        QuoteUse *use;
        int64_t amount;

        /* What an exemption takes is no promotion's. */
        if (!*adjustments[i]->promotion)
            continue;
        use = find_use(uses, adjustments[i]->promotion);
        if (*adjustments[i]->code)
            use->code = adjustments[i]->code;
        if (money_minor(adjustments[i]->amount, &amount))
            use->amount += amount;
    }
}

size_t uses_of_quote(const Quote *quote, Arena *arena, QuoteUse **uses)
{
    const Throughline__Catalog__V1__PricedShipping *shipping = quote->shipping;
    size_t most = quote->n_gifts + quote->n_codes + (shipping ? shipping->n_adjustments : 0);
    Uses all = { 0 };

    for (size_t i = 0; i < quote->n_lines; i++)
        most += quote->lines[i]->n_adjustments;
    all.uses = arena_array(arena, most, sizeof(*all.uses));
    for (size_t i = 0; i < quote->n_lines; i++)
        add_adjustments(&all, quote->lines[i]->adjustments, quote->lines[i]->n_adjustments);
    if (shipping)
        add_adjustments(&all, shipping->adjustments, shipping->n_adjustments);
    for (size_t i = 0; i < quote->n_gifts; i++)
        find_use(&all, quote->gifts[i]->promotion);
    for (size_t i = 0; i < quote->n_codes; i++)
        if (quote->codes[i]->state == THROUGHLINE__CATALOG__V1__CODE_RESULT__STATE__APPLIED)
            find_use(&all, quote->codes[i]->promotion)->code = quote->codes[i]->code;
    *uses = all.uses;
    return all.n_uses;
}

/* Claims. */

char *uses_counter_name(Arena *arena, const char *subject, const char *customer, const char *code)
{
    char id[ID_SIZE];

    id_from(arena_printf(arena, "uses of %s by %s of %s", subject, customer, code), id);
    return arena_printf(arena, "useCounters/%s", id);
}

/* `counted`: what the counter is of. */
static UseClaim *add_claim(UseReservation *reservation, const char *subject, const char *counted,
    Limit limit, const char *code, Arena *arena)
{
    UseClaim *claim = message_new(arena, &throughline__catalog__v1__use_claim__descriptor);

    claim->subject = arena_text(arena, subject);
    claim->limit = limit;
    claim->code = arena_text(arena, code);
    claim->counter =
        uses_counter_name(arena, counted, limit == CUSTOMER ? reservation->customer : "", code);
    reservation->claims = arena_grow(arena, reservation->claims, reservation->n_claims,
        reservation->n_claims + 1, sizeof(*reservation->claims));
    reservation->claims[reservation->n_claims++] = claim;
    return claim;
}

/* The claim is filled in by the caller. */
static const Error *claim_customer(UseReservation *reservation, const char *subject,
    const char *counted, Arena *arena, UseClaim **claim)
{
    if (!*reservation->customer)
        return &customer_missing;
    *claim = add_claim(reservation, subject, counted, CUSTOMER, "", arena);
    return NULL;
}

/* "2026-11-22" or a part of it; of a week its Monday, 1970-01-05 being one. */
static char *period_text(
    Throughline__Catalog__V1__Promotion__LimitPeriod period, int64_t now, Arena *arena)
{
    enum { DAY_TEXT = 10, MONTH_TEXT = 7, YEAR_TEXT = 4, DAYS_BEFORE_MONDAY = 3, DAYS_A_WEEK = 7 };
    static const int64_t day_micros = INT64_C(86400) * 1000000;
    int64_t days = now / day_micros;

    switch (period) {
    case THROUGHLINE__CATALOG__V1__PROMOTION__LIMIT_PERIOD__YEAR:
        return arena_printf(arena, "%.*s", YEAR_TEXT, clock_format(arena, now));
    case THROUGHLINE__CATALOG__V1__PROMOTION__LIMIT_PERIOD__MONTH:
        return arena_printf(arena, "%.*s", MONTH_TEXT, clock_format(arena, now));
    case THROUGHLINE__CATALOG__V1__PROMOTION__LIMIT_PERIOD__WEEK:
        days -= (days + DAYS_BEFORE_MONDAY) % DAYS_A_WEEK;
        return arena_printf(
            arena, "week of %.*s", DAY_TEXT, clock_format(arena, days * day_micros));
    default:
        return arena_printf(arena, "%.*s", DAY_TEXT, clock_format(arena, now));
    }
}

char *uses_subject(const Promotion *promotion, int64_t now, Arena *arena)
{
    if (!promotion->limit_period)
        return arena_text(arena, promotion->name);
    return arena_printf(
        arena, "%s in %s", promotion->name, period_text(promotion->limit_period, now, arena));
}

static bool is_in(const Google__Type__Money *budget, const char *currency)
{
    return budget && text_equal(budget->currency_code, currency);
}

static void claim_amount(
    UseClaim *claim, const Google__Type__Money *budget, const char *currency, const QuoteUse *use)
{
    if (is_in(budget, currency) && money_minor(budget, &claim->most_amount))
        claim->amount = use->amount;
}

const Error *uses_claim_promotion(const Promotion *promotion, const QuoteUse *use,
    const char *currency, int64_t now, Arena *arena, UseReservation *reservation)
{
    const char *counted = uses_subject(promotion, now, arena);
    UseClaim *claim;
    const Error *error;

    if (promotion->total_limit > 0 || is_in(promotion->budget, currency)) {
        claim = add_claim(reservation, promotion->name, counted, TOTAL, "", arena);
        claim->most_uses = promotion->total_limit;
        claim_amount(claim, promotion->budget, currency, use);
    }
    if (promotion->customer_limit > 0 || is_in(promotion->customer_budget, currency)) {
        if ((error = claim_customer(reservation, promotion->name, counted, arena, &claim)))
            return error;
        claim->most_uses = promotion->customer_limit;
        claim_amount(claim, promotion->customer_budget, currency, use);
    }
    return NULL;
}

const Error *uses_claim_campaign(
    const CouponCampaign *campaign, const char *code, Arena *arena, UseReservation *reservation)
{
    int64_t code_limit = campaign_code_limit(campaign);
    UseClaim *claim;
    const Error *error;

    if (campaign->total_limit > 0)
        add_claim(reservation, campaign->name, campaign->name, TOTAL, "", arena)->most_uses =
            campaign->total_limit;
    if (code_limit > 0)
        add_claim(reservation, campaign->name, campaign->name, CODE, code, arena)->most_uses =
            code_limit;
    if (campaign->customer_limit == 0)
        return NULL;
    if ((error = claim_customer(reservation, campaign->name, campaign->name, arena, &claim)))
        return error;
    claim->most_uses = campaign->customer_limit;
    return NULL;
}

/* Counters. */

static bool counts(const UseHold *hold, int64_t now)
{
    return !hold->is_return && timestamp_to_micros(hold->expire_time) > now;
}

int64_t counter_reserved(const UseCounter *counter, int64_t now)
{
    int64_t reserved = 0;

    for (size_t i = 0; i < counter->n_holds; i++)
        reserved += counts(counter->holds[i], now);
    return reserved;
}

int64_t counter_spent(const UseCounter *counter, int64_t now)
{
    int64_t spent = counter->amount;

    for (size_t i = 0; i < counter->n_holds; i++)
        if (counts(counter->holds[i], now))
            spent += counter->holds[i]->amount;
    return spent;
}

int64_t counter_uses_left(const UseCounter *counter, int64_t most_uses, int64_t now)
{
    int64_t taken = counter->used + counter_reserved(counter, now);

    if (most_uses == 0)
        return INT64_MAX;
    return taken < most_uses ? most_uses - taken : 0;
}

/* Where it holds this for a reservation's attempt; n_holds when it does not. */
static size_t find_hold(
    const UseCounter *counter, const UseReservation *reservation, bool is_return)
{
    size_t at = 0;

    while (at < counter->n_holds &&
           (counter->holds[at]->is_return != is_return ||
               counter->holds[at]->attempt != reservation->attempt ||
               !text_equal(counter->holds[at]->reservation, reservation->name)))
        at++;
    return at;
}

static void remove_hold(UseCounter *counter, size_t at)
{
    counter->n_holds--;
    memmove(&counter->holds[at], &counter->holds[at + 1],
        (counter->n_holds - at) * sizeof(*counter->holds));
}

static void drop_old_marks(UseCounter *counter, int64_t now)
{
    for (size_t i = counter->n_holds; i-- > 0;)
        if (counter->holds[i]->is_return &&
            timestamp_to_micros(counter->holds[i]->expire_time) <= now)
            remove_hold(counter, i);
}

static UseHold *add_hold(
    UseCounter *counter, const UseReservation *reservation, int64_t expire, Arena *arena)
{
    UseHold *hold = message_new(arena, &throughline__catalog__v1__use_hold__descriptor);

    hold->reservation = arena_text(arena, reservation->name);
    hold->attempt = reservation->attempt;
    hold->expire_time = timestamp_from_micros(arena, expire);
    counter->holds = arena_grow(
        arena, counter->holds, counter->n_holds, counter->n_holds + 1, sizeof(*counter->holds));
    counter->holds[counter->n_holds++] = hold;
    return hold;
}

static const Error *used_up(const UseClaim *claim, const char *what, Arena *arena)
{
    const Error *error = error_new(arena, ERROR_FAILED_PRECONDITION, "USED_UP",
        "%s has no %s left for this checkout.", *claim->code ? claim->code : claim->subject, what);

    error = error_with_fact(arena, error, "subject", claim->subject);
    return error_with_fact(arena, error, "limit",
        text_equal(what, "budget") ? (claim->limit == CUSTOMER ? "customer_budget" : "budget")
        : claim->limit == CUSTOMER ? "customer"
        : claim->limit == CODE     ? "code"
                                   : "total");
}

const Error *counter_hold(UseCounter *counter, const UseClaim *claim,
    const UseReservation *reservation, int64_t now, Arena *arena, bool *is_changed)
{
    *is_changed = false;
    if (find_hold(counter, reservation, false) < counter->n_holds)
        return NULL;
    drop_old_marks(counter, now);
    if (counter_uses_left(counter, claim->most_uses, INT64_MIN) == 0)
        return used_up(claim, "use", arena);
    /* Not added up: what is spent and what is wanted may both be large. */
    if (claim->most_amount > 0 &&
        claim->amount > claim->most_amount - counter_spent(counter, INT64_MIN))
        return used_up(claim, "budget", arena);
    if (counter->n_holds >= USES_MAX_HOLDS)
        return &busy;
    add_hold(counter, reservation, timestamp_to_micros(reservation->expire_time), arena)->amount =
        claim->amount;
    *is_changed = true;
    return NULL;
}

bool counter_drop(UseCounter *counter, const UseReservation *reservation)
{
    size_t at = find_hold(counter, reservation, false);

    if (at == counter->n_holds)
        return false;
    remove_hold(counter, at);
    return true;
}

/* A hold counts for good. Without one it has done so already. */
static bool redeem(UseCounter *counter, const UseReservation *reservation)
{
    size_t at = find_hold(counter, reservation, false);

    if (at == counter->n_holds)
        return false;
    counter->used++;
    counter->amount += counter->holds[at]->amount;
    remove_hold(counter, at);
    return true;
}

/* With a mark that stays for a while: whoever is late to do the same finds it. */
static bool give_back(UseCounter *counter, const UseClaim *claim, const UseReservation *reservation,
    int64_t now, Arena *arena)
{
    if (find_hold(counter, reservation, true) < counter->n_holds)
        return false;
    drop_old_marks(counter, now);
    counter->used--;
    counter->amount -= claim->amount;
    add_hold(counter, reservation, now + (int64_t)USES_RETURN_MARK_SECONDS * MICROS, arena)
        ->is_return = true;
    return true;
}

bool counter_follow(UseCounter *counter, const UseClaim *claim, const UseReservation *reservation,
    int64_t now, Arena *arena)
{
    if (reservation->state == REDEEMING)
        return redeem(counter, reservation);
    if (reservation->state == RETURNING)
        return give_back(counter, claim, reservation, now, arena);
    return counter_drop(counter, reservation);
}

/* Reservations. */

const char *uses_due(Arena *arena, int64_t time, const char *name)
{
    return arena_printf(arena, "%019lld %s", (long long)time, name);
}

bool uses_is_open(const UseReservation *reservation)
{
    return reservation->state == RESERVING || reservation->state == HELD;
}

static void set_state(UseReservation *reservation, State state, int64_t now, Arena *arena)
{
    bool is_open;

    reservation->state = state;
    is_open = uses_is_open(reservation);
    reservation->update_time = timestamp_from_micros(arena, now);
    if (is_open || uses_is_closing(reservation))
        reservation->due = (char *)uses_due(arena,
            is_open ? timestamp_to_micros(reservation->expire_time)
                    : now + (int64_t)USES_RETRY_SECONDS * MICROS,
            reservation->name);
    else
        reservation->due = arena_text(arena, "");
}

void uses_init(const char *name, const Quote *quote, int64_t now, int64_t expire, Arena *arena,
    UseReservation *reservation)
{
    int64_t kept = expire + (int64_t)USES_KEPT_DAYS * DAY_SECONDS * MICROS;

    message_init(&throughline__catalog__v1__use_reservation__descriptor, reservation);
    reservation->name = arena_text(arena, name);
    reservation->quote = arena_text(arena, quote->name);
    reservation->customer = arena_text(arena, quote->customer);
    reservation->channel = arena_text(arena, quote->channel);
    reservation->create_time = timestamp_from_micros(arena, now);
    reservation->expire_time = timestamp_from_micros(arena, expire);
    reservation->purge_time = timestamp_from_micros(arena, kept);
    set_state(reservation, RESERVING, now, arena);
}

void uses_try_again(UseReservation *reservation, int64_t now, int64_t expire, Arena *arena)
{
    assert(reservation->state == REFUSED);
    reservation->attempt++;
    reservation->n_claims = 0;
    reservation->expire_time = timestamp_from_micros(arena, expire);
    set_state(reservation, RESERVING, now, arena);
}

void uses_held(UseReservation *reservation, int64_t now, Arena *arena)
{
    assert(reservation->state == RESERVING);
    set_state(reservation, HELD, now, arena);
}

void uses_refused(UseReservation *reservation, int64_t now, Arena *arena)
{
    assert(reservation->state == RESERVING);
    set_state(reservation, REFUSED, now, arena);
}

bool uses_is_closing(const UseReservation *reservation)
{
    return reservation->state == REDEEMING || reservation->state == RELEASING ||
           reservation->state == RETURNING;
}

static bool is_over(const UseReservation *reservation, int64_t now)
{
    return timestamp_to_micros(reservation->expire_time) <= now;
}

/* What follows from an end; the state itself when nothing does. */
static State next_state(const UseReservation *reservation, UsesEnd end, int64_t now)
{
    State state = reservation->state;

    if (state == HELD && end == USES_REDEEM)
        return REDEEMING;
    if (uses_is_open(reservation) &&
        (end == USES_RETURN || (end == USES_FINISH && is_over(reservation, now))))
        return RELEASING;
    return state == REDEEMED && end == USES_RETURN ? RETURNING : state;
}

const Error *uses_end(
    UseReservation *reservation, UsesEnd end, int64_t now, Arena *arena, bool *is_done)
{
    State state = next_state(reservation, end, now);

    *is_done = false;
    if (uses_is_closing(reservation))
        return NULL;
    if (state == reservation->state) {
        *is_done = true;
        if (end != USES_REDEEM || state == REDEEMED)
            return NULL;
        return state == RETURNED && !reservation->is_expired ? &returned : &expired;
    }
    reservation->is_expired = state == RELEASING && end == USES_FINISH;
    set_state(reservation, state, now, arena);
    return NULL;
}

void uses_closed(UseReservation *reservation, int64_t now, Arena *arena)
{
    assert(uses_is_closing(reservation));
    set_state(reservation, reservation->state == REDEEMING ? REDEEMED : RETURNED, now, arena);
}
