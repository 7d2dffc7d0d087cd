/* What tests of coupons and limits do to the catalogue. */
#ifndef THROUGHLINE_TESTS_COUPON_FIXTURE_H
#define THROUGHLINE_TESTS_COUPON_FIXTURE_H

#include "services/catalog/pricing/uses_store.h"
#include "tests/service/catalog/pricing_fixture.h"

typedef Throughline__Catalog__V1__PromotionUsage PromotionUsage;

/* Rules with one promotion: 10 % off tents, "promotions/tents", with these limits; it needs a
 * coupon. */
void publish_tents(int64_t total_limit, int64_t customer_limit, int64_t budget);
/* The same, and it applies by itself. */
void publish_open_tents(int64_t total_limit, int64_t customer_limit, int64_t budget);
/* The same, with a budget for each customer and a period. */
void publish_customer_budget(
    int64_t budget, Throughline__Catalog__V1__Promotion__LimitPeriod period);

/* A campaign for "promotions/tents", of one code or with a prefix. */
CouponCampaign *a_campaign(const char *code, const char *prefix);
const Error *create_campaign(CouponCampaign *campaign, CouponCampaign *created);

/* Makes codes valid and returns them. */
char **generate(const char *campaign, int64_t first, int64_t count);
/* Of a personal campaign: one code for each. */
char **generate_for(const char *campaign, const char *const *customers, size_t n_customers);
const Error *look_up(const char *code, const char *customer, Coupon *coupon);

/* A quote for tents and a customer, by a code if one is given. */
const Error *quote_tents(
    int32_t quantity, const char *customer, const char *code, CreateQuoteResponse *quoted);

const Error *reserve(SignedQuote *signed_quote, UseReservation *reservation);
/* The reservation of a new quote, which must be had; or what is said to one. */
UseReservation reserved(const char *customer, const char *code);
const char *reason_of_reserving(const char *customer, const char *code);
/* "RedeemUses", "ReturnUses" or "GetUses". */
const Error *end_uses(const char *verb, const char *name, UseReservation *reservation);
PromotionUsage usage_of_tents(const char *customer);

/* The reservation's time is over now, and that of its holds. */
void make_uses_old(const char *name);

/* As a process leaves it that dies in the middle: what it was about to do is said, and nothing done. */
void leave_uses(const char *name, Throughline__Catalog__V1__UseReservation__State state);

/* Waits until the job has brought it there; false after 10 s. */
bool wait_for_uses(const char *name, Throughline__Catalog__V1__UseReservation__State state);

#endif
