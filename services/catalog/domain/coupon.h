/* Campaigns of coupons: what a good one is, and when its codes can be used. */
#ifndef THROUGHLINE_CATALOG_COUPON_H
#define THROUGHLINE_CATALOG_COUPON_H

#include "services/catalog/domain/coupon_code.h"
#include "services/catalog/domain/findings.h"

#include "throughline/catalog/v1/coupon.pb-c.h"

typedef Throughline__Catalog__V1__CouponCampaign CouponCampaign;
typedef Throughline__Catalog__V1__Coupon Coupon;

enum { CAMPAIGN_MAX_TITLE = 120 };

static const Throughline__Catalog__V1__Coupon__State COUPON_USABLE =
    THROUGHLINE__CATALOG__V1__COUPON__STATE__USABLE;
static const Throughline__Catalog__V1__Coupon__State COUPON_NOT_STARTED =
    THROUGHLINE__CATALOG__V1__COUPON__STATE__NOT_STARTED;
static const Throughline__Catalog__V1__Coupon__State COUPON_ENDED =
    THROUGHLINE__CATALOG__V1__COUPON__STATE__ENDED;
static const Throughline__Catalog__V1__Coupon__State COUPON_USED_UP =
    THROUGHLINE__CATALOG__V1__COUPON__STATE__USED_UP;
static const Throughline__Catalog__V1__Coupon__State COUPON_CUSTOMER_NEEDED =
    THROUGHLINE__CATALOG__V1__COUPON__STATE__CUSTOMER_NEEDED;
static const Throughline__Catalog__V1__Coupon__State COUPON_OTHER_CUSTOMER =
    THROUGHLINE__CATALOG__V1__COUPON__STATE__OTHER_CUSTOMER;

/* Names every bad field of a campaign that is to be made. */
void campaign_check(const CouponCampaign *campaign, Findings *findings);

/* By the time alone (microseconds since 1970): USABLE, NOT_STARTED or ENDED. */
Throughline__Catalog__V1__Coupon__State campaign_state(const CouponCampaign *campaign, int64_t now);

/* Uses that one code may have; 0: without limit. */
int64_t campaign_code_limit(const CouponCampaign *campaign);

/* Ends it now. False when it had ended before: nothing is changed then. */
bool campaign_end(CouponCampaign *campaign, int64_t now, Arena *arena);

#endif
