/* First all counters are looked at, then the reservation says that it is about to count, then they
 * count, then it says that they have. Where a limit is reached nothing is written, unless somebody
 * else took the last use meanwhile: then the reservation is refused and gives back what it got. */
#include "services/catalog/pricing/quote_limits.h"
#include "services/catalog/pricing/uses_store.h"

#include "shared/codec/message.h"
#include "shared/service/race.h"

#include <string.h>

typedef Throughline__Catalog__V1__UsesChanged UsesChanged;
typedef Throughline__Catalog__V1__UseReservation__State State;

static const State RESERVING = THROUGHLINE__CATALOG__V1__USE_RESERVATION__STATE__RESERVING;
static const State HELD = THROUGHLINE__CATALOG__V1__USE_RESERVATION__STATE__HELD;
static const State REFUSED = THROUGHLINE__CATALOG__V1__USE_RESERVATION__STATE__REFUSED;

static const Error uses_closed_before = { ERROR_FAILED_PRECONDITION, "USES_CLOSED",
    "The uses of this quote were reserved before and are redeemed or given back: ask for a new "
    "quote." };

typedef struct Attempt {
    RpcCall *call;
    const Quote *quote;
    const char *name;
    int64_t expire;
    UseReservation *reservation; /* the reply */
    UseCounter **counters;
    StoreWrite *writes; /* room for the reservation and all counters */
    size_t n_writes;
} Attempt;

/* What is counted. */

static const Error *claim_code(Attempt *attempt, const QuoteUse *use)
{
    RpcCall *call = attempt->call;
    CouponCampaign *campaign = message_new(call->arena, coupon_campaigns.message);
    Coupon coupon = THROUGHLINE__CATALOG__V1__COUPON__INIT;
    const Error *error = coupon_find(call, use->code, attempt->quote->customer, campaign, &coupon);

    /* A code of the promotion itself. */
    if (error && text_equal(error->reason, "COUPON_NOT_FOUND"))
        return NULL;
    if (error)
        return error;
    if (coupon.state != COUPON_USABLE)
        return error_with_fact(call->arena,
            error_new(call->arena, ERROR_FAILED_PRECONDITION, "COUPON_ENDED",
                "The code \"%s\" can't be used now.", use->code),
            "code", use->code);
    return uses_claim_campaign(campaign, use->code, call->arena, attempt->reservation);
}

/* By the limits that hold now, not those of when the quote was given. */
static const Error *claim_all(Attempt *attempt)
{
    RpcCall *call = attempt->call;
    Rules *rules = rules_holder_current(catalog_of(call)->rules);
    QuoteUse *uses;
    size_t n_uses = uses_of_quote(attempt->quote, call->arena, &uses);
    const Error *error = NULL;

    for (size_t i = 0; i < n_uses && !error; i++) {
        const Promotion *promotion = NULL;

        error = promotion_load(call, rules, uses[i].promotion, &promotion);
        if (!error && promotion)
            error = uses_claim_promotion(promotion, &uses[i], attempt->quote->currency,
                call->arrived_at, call->arena, attempt->reservation);
        if (!error && *uses[i].code)
            error = claim_code(attempt, &uses[i]);
    }
    rules_release(rules);
    return error;
}

/* Counting. */

/* In memory; the writes are in the attempt. */
static const Error *count(Attempt *attempt)
{
    UseReservation *reservation = attempt->reservation;
    RpcCall *call = attempt->call;
    const Error *error;
    bool is_changed;

    attempt->writes = arena_array(call->arena, reservation->n_claims + 1, sizeof(*attempt->writes));
    attempt->n_writes = 1; /* the first one is the reservation's */
    if ((error = uses_load_counters(call, reservation, &attempt->counters)))
        return error;
    for (size_t i = 0; i < reservation->n_claims; i++) {
        UseCounter *counter = attempt->counters[i];

        if ((error = counter_hold(counter, reservation->claims[i], reservation, call->arrived_at,
                 call->arena, &is_changed)))
            return error;
        if (!is_changed)
            continue;
        attempt->writes[attempt->n_writes] = uses_counter_write(counter);
        attempt->writes[attempt->n_writes++].is_chained = true;
    }
    return NULL;
}

static bool is_limit(const Error *error)
{
    return text_equal(error->reason, "USED_UP") || text_equal(error->reason, "PROMOTION_BUSY");
}

/* Somebody took the last use between two rounds: what other counters hold of this is given back. */
static const Error *refuse(Attempt *attempt, const Error *reason)
{
    UseReservation *reservation = attempt->reservation;
    RpcCall *call = attempt->call;
    StoreView steps = store_steps(call->store);
    size_t n_writes = 0;
    const Error *error;

    uses_refused(reservation, call->arrived_at, call->arena);
    if ((error = store_replace(&steps, &use_reservations, reservation, NULL)) ||
        (error = uses_load_counters(call, reservation, &attempt->counters)))
        return error;
    for (size_t i = 0; i < reservation->n_claims; i++)
        if (counter_drop(attempt->counters[i], reservation))
            attempt->writes[n_writes++] = uses_counter_write(attempt->counters[i]);
    /* What cannot be given back now ends with its time. */
    if (n_writes > 0)
        (void)store_write(&steps, attempt->writes, n_writes);
    return reason;
}

/* The reservation says that it counts, unless it has done so, and the counters count. */
static const Error *write_counts(Attempt *attempt, bool is_said)
{
    StoreView steps = store_steps(attempt->call->store);
    StoreWrite *writes = is_said ? attempt->writes + 1 : attempt->writes;
    size_t n_writes = attempt->n_writes - is_said;

    attempt->writes[0] = (StoreWrite){
        .kind = *attempt->reservation->etag ? STORE_REPLACE : STORE_INSERT,
        .collection = &use_reservations,
        .message = attempt->reservation,
    };
    if (n_writes == 0)
        return NULL;
    writes[0].is_chained = false;
    return uses_as_race(store_write(&steps, writes, n_writes));
}

static const Error *finish(Attempt *attempt)
{
    UsesChanged event = THROUGHLINE__CATALOG__V1__USES_CHANGED__INIT;
    RpcCall *call = attempt->call;

    uses_held(attempt->reservation, call->arrived_at, call->arena);
    event.reservation = attempt->reservation;
    return store_replace(call->store, &use_reservations, attempt->reservation, &event);
}

/* One round. */

static const Error *load(Attempt *attempt, bool *is_new)
{
    RpcCall *call = attempt->call;
    UseReservation *reservation = attempt->reservation;
    const Error *error;

    message_init(use_reservations.message, reservation);
    error = store_get(call->store, &use_reservations, attempt->name, reservation);
    *is_new = error && error->code == ERROR_NOT_FOUND;
    if (error && !*is_new)
        return error;
    if (*is_new)
        uses_init(attempt->name, attempt->quote, call->arrived_at, attempt->expire, call->arena,
            reservation);
    else if (reservation->state == REFUSED)
        uses_try_again(reservation, call->arrived_at, attempt->expire, call->arena);
    else
        return NULL;
    *is_new = true;
    return claim_all(attempt);
}

static const Error *try_once(Attempt *attempt)
{
    UseReservation *reservation = attempt->reservation;
    bool is_new;
    const Error *error = load(attempt, &is_new);

    if (error || reservation->state == HELD)
        return error;
    if (reservation->state != RESERVING)
        return &uses_closed_before;
    if (reservation->n_claims == 0) {
        message_init(use_reservations.message, reservation);
        reservation->state = HELD;
        return NULL;
    }
    error = count(attempt);
    if (error && is_limit(error) && !is_new)
        return refuse(attempt, error);
    if (error || (error = write_counts(attempt, !is_new)))
        return error;
    return finish(attempt);
}

/* Those who want the same take turns: by the promotion that is used first. */
static const Error *try_all(Attempt *attempt)
{
    QuoteUse *uses;
    size_t n_uses = uses_of_quote(attempt->quote, attempt->call->arena, &uses);
    Race race __attribute__((cleanup(race_end))) =
        race_start(attempt->call, n_uses > 0 ? uses[0].promotion : attempt->name);
    const Error *error;

    do
        error = try_once(attempt);
    while (race_lost(&race, error, ""));
    return error;
}

const Error *uses_reserve(
    RpcCall *call, const Quote *quote, int64_t expire, UseReservation *reservation)
{
    Attempt attempt = {
        .call = call,
        .quote = quote,
        .name = arena_printf(call->arena, "useReservations/%s", quote->name + strlen("quotes/")),
        .expire = expire,
        .reservation = reservation,
    };
    const Error *error = try_all(&attempt);
    const Error *failure;
    bool is_freed = false;

    /* What is held past its time counts as free, though nobody has come to give it back yet. */
    if (error && is_limit(error)) {
        if ((failure = uses_reclaim(call, reservation, &is_freed)))
            return failure;
        if (is_freed)
            error = try_all(&attempt);
    }
    return error;
}
