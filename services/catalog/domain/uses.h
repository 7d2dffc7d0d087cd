/* Uses of promotions and coupons: what a quote uses, which limits that touches, and how a counter
 * keeps them exactly although whoever counts may die half-way and be repeated.
 *
 * A reservation is the one place of decision: it says what it is about to do (-ING), then every
 * counter follows, then it says that it is done. A counter knows which reservations it holds, so
 * that each step takes effect once however often it is repeated. */
#ifndef THROUGHLINE_CATALOG_USES_H
#define THROUGHLINE_CATALOG_USES_H

#include "services/catalog/domain/coupon.h"
#include "services/catalog/domain/promotion.h"

#include "throughline/catalog/v1/coupon.pb-c.h"
#include "throughline/catalog/v1/pricing.pb-c.h"
#include "throughline/catalog/v1/records.pb-c.h"

typedef Throughline__Catalog__V1__Quote Quote;
typedef Throughline__Catalog__V1__Adjustment Adjustment;
typedef Throughline__Catalog__V1__UseReservation UseReservation;
typedef Throughline__Catalog__V1__UseClaim UseClaim;
typedef Throughline__Catalog__V1__UseCounter UseCounter;
typedef Throughline__Catalog__V1__UseHold UseHold;

enum {
    USES_MIN_TTL_SECONDS = 10,
    USES_MAX_TTL_SECONDS = 7 * 24 * 3600,
    USES_DEFAULT_TTL_SECONDS = 900,
    USES_RETRY_SECONDS = 5, /* what is not carried out by then, the job carries out */
    USES_KEPT_DAYS = 400,
    USES_MAX_HOLDS = 2000,          /* in one counter */
    USES_RETURN_MARK_SECONDS = 600, /* longer than any call lives */
};

/* What a quote uses. */

/* One promotion that takes something off, or gives something. */
typedef struct QuoteUse {
    const char *promotion;
    const char *code; /* "" when it applies by itself */
    int64_t amount;   /* minor units of the quote's currency, of lines and shipping */
} QuoteUse;

/* Each promotion once, in the order in which they appear. */
size_t uses_of_quote(const Quote *quote, Arena *arena, QuoteUse **uses);

/* Claims. */

/* What uses of a promotion at this moment (microseconds since 1970) are counted under: its name, and the period where its limits
 * count by one. */
char *uses_subject(const Promotion *promotion, int64_t now, Arena *arena);

/* Notes what a promotion limits now. Errors: FAILED_PRECONDITION CUSTOMER_MISSING. */
const Error *uses_claim_promotion(const Promotion *promotion, const QuoteUse *use,
    const char *currency, int64_t now, Arena *arena, UseReservation *reservation);

/* Notes what a campaign limits, one of its codes being used. Errors: FAILED_PRECONDITION
 * CUSTOMER_MISSING. */
const Error *uses_claim_campaign(
    const CouponCampaign *campaign, const char *code, Arena *arena, UseReservation *reservation);

/* "useCounters/…" of a subject in all (customer and code ""), for a customer, or of a code. */
char *uses_counter_name(Arena *arena, const char *subject, const char *customer, const char *code);

/* Counters. */

/* Uses that are reserved at a time, and what they and those that were redeemed took off.
 * INT64_MIN: those whose time is over count too, as long as nobody has given them back. */
int64_t counter_reserved(const UseCounter *counter, int64_t now);
int64_t counter_spent(const UseCounter *counter, int64_t now);

/* INT64_MAX where there is no limit (0). */
int64_t counter_uses_left(const UseCounter *counter, int64_t most_uses, int64_t now);

/* Holds a claim of a reservation until a time, unless it does already. Errors: FAILED_PRECONDITION
 * USED_UP; RESOURCE_EXHAUSTED PROMOTION_BUSY. */
const Error *counter_hold(UseCounter *counter, const UseClaim *claim,
    const UseReservation *reservation, int64_t now, Arena *arena, bool *is_changed);

/* What a closing reservation (REDEEMING, RELEASING, RETURNING) still has to change. False when
 * nothing. */
bool counter_follow(UseCounter *counter, const UseClaim *claim, const UseReservation *reservation,
    int64_t now, Arena *arena);

/* Drops what it holds of this attempt of a reservation. */
bool counter_drop(UseCounter *counter, const UseReservation *reservation);

/* Reservations. */

typedef enum UsesEnd {
    USES_REDEEM,
    USES_RETURN,
    USES_FINISH, /* what is decided, or that its time is over */
} UsesEnd;

/* A new one of a quote, RESERVING; without claims yet. */
void uses_init(const char *name, const Quote *quote, int64_t now, int64_t expire, Arena *arena,
    UseReservation *reservation);

/* REFUSED is RESERVING once more, without claims. */
void uses_try_again(UseReservation *reservation, int64_t now, int64_t expire, Arena *arena);

/* RESERVING is HELD. */
void uses_held(UseReservation *reservation, int64_t now, Arena *arena);

/* RESERVING is REFUSED. */
void uses_refused(UseReservation *reservation, int64_t now, Arena *arena);

/* Decides how it ends; *is_done when there is nothing to carry out. What is closing already stays
 * so: carry it out, then decide again. Errors: FAILED_PRECONDITION USES_EXPIRED, USES_RETURNED. */
const Error *uses_end(
    UseReservation *reservation, UsesEnd end, int64_t now, Arena *arena, bool *is_done);

/* RESERVING or HELD. */
bool uses_is_open(const UseReservation *reservation);

/* What is begun and not carried out yet. */
bool uses_is_closing(const UseReservation *reservation);

/* One that is closing is closed. */
void uses_closed(UseReservation *reservation, int64_t now, Arena *arena);

/* For the index of what is due: sorts by time. */
const char *uses_due(Arena *arena, int64_t time, const char *name);

#endif
