/* What the limits of promotions and coupons leave to a quote. */
#ifndef THROUGHLINE_CATALOG_QUOTE_LIMITS_H
#define THROUGHLINE_CATALOG_QUOTE_LIMITS_H

#include "services/catalog/catalog.h"
#include "services/catalog/domain/pricing.h"

/* The promotion of a name, in force or just made; NULL when there is none. It lives as long as the
 * rules and the call. */
const Error *promotion_load(
    RpcCall *call, const Rules *rules, const char *name, const Promotion **promotion);

/* The promotion that a coupon's code opens, NULL when it is no coupon's, and whether it can be used now by this customer. One that is
 * used up has no use left in the input. */
const Error *quote_load_coupon(RpcCall *call, const Rules *rules, const char *customer,
    PricingCode *code, PricingInput *input);

/* Whether a quote uses promotions whose limits were not looked at yet: the input then knows what is
 * left of them, and the quote is to be priced again. Only promotions that take something off are
 * ever looked up, however many there are. */
bool quote_limits_are_new(
    RpcCall *call, const Quote *quote, PricingInput *input, const Error **error);

#endif
