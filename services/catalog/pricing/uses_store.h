/* Counters and reservations of uses in the store: what the handlers, the job and quotes share. */
#ifndef THROUGHLINE_CATALOG_USES_STORE_H
#define THROUGHLINE_CATALOG_USES_STORE_H

#include "services/catalog/catalog.h"
#include "services/catalog/domain/uses.h"

typedef Throughline__Catalog__V1__CouponKeyRecord CouponKeyRecord;

/* The campaign that a typed code is one of, with what stands against its use by a customer ("": nobody is known), but for its limits,
 * in coupon->state. NOT_FOUND COUPON_NOT_FOUND. */
const Error *coupon_find(RpcCall *call, const char *code, const char *customer,
    CouponCampaign *campaign, Coupon *coupon);

/* The same, limits included: coupon->state is what it is for this customer now. */
const Error *coupon_look_up(RpcCall *call, const char *code, const char *customer, Coupon *coupon);

/* What is left of promotions that have limits; INT64_MAX where there is none. A customer "" has no
 * use left where there is a limit for each. `left` has room for all. */
typedef struct UsesLeft {
    int64_t uses;
    int64_t customer_uses;
    int64_t budget; /* minor units */
    int64_t customer_budget;
} UsesLeft;

const Error *uses_left(RpcCall *call, const Promotion *const *limited, size_t n_limited,
    const char *customer, UsesLeft *left);

/* Holds what a quote uses; fills the call's reply. A reply without name: there is nothing to
 * count. */
const Error *uses_reserve(
    RpcCall *call, const Quote *quote, int64_t expire, UseReservation *reservation);

/* Ends one: decides if that is open, carries out what is decided. With `keeps_reply`, `reservation`
 * is the call's reply. It takes turns with others (race.h): not to be called inside another race. */
const Error *uses_close(
    RpcCall *call, const char *name, UsesEnd end, bool keeps_reply, UseReservation *reservation);

/* "couponKeys/…" of a campaign. */
char *coupon_key_name(Arena *arena, const char *campaign);

/* Counters of claims, in their order; new ones where there are none. */
const Error *uses_load_counters(
    RpcCall *call, const UseReservation *reservation, UseCounter ***counters);

/* What was made meanwhile is a race like what was changed meanwhile. */
const Error *uses_as_race(const Error *error);

/* The write of a changed counter. */
StoreWrite uses_counter_write(UseCounter *counter);

/* Gives back what counters hold past its time; *is_freed when there was any. Not inside a race. */
const Error *uses_reclaim(RpcCall *call, const UseReservation *reservation, bool *is_freed);

#endif
