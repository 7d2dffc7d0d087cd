/* Why a promotion does not apply, in words. */
#include "services/catalog/domain/pricing_engine.h"

#include "shared/base/clock.h"

/* `condition` is the field of the promotion, or of the coupon's campaign, that stands against it. */
typedef struct RefusalWords {
    const char *word;
    const char *condition;
    const char *text;
} RefusalWords;

static const RefusalWords words_of[] = {
    [REFUSED_NOT] = { "", "", "" },
    [REFUSED_UNKNOWN] = { "UNKNOWN", "", "there is no promotion with this code" },
    [REFUSED_START] = { "NOT_STARTED", "start_time", "it starts at" },
    [REFUSED_END] = { "ENDED", "end_time", "it ended at" },
    [REFUSED_STOPPED] = { "STOPPED", "", "it was stopped" },
    [REFUSED_HOURS] = { "OTHER_HOURS", "conditions.hours", "it does not apply at this hour" },
    [REFUSED_COUNTRY] = { "OTHER_COUNTRY", "conditions.countries",
        "it does not apply in this country" },
    [REFUSED_CHANNEL] = { "OTHER_CHANNEL", "conditions.channel_groups",
        "it does not apply in this channel" },
    [REFUSED_SEGMENT] = { "OTHER_SEGMENT", "conditions.segments",
        "the customer is in none of its segments" },
    [REFUSED_LOCATION] = { "OTHER_LOCATION", "conditions.locations",
        "it does not apply at this location" },
    [REFUSED_CUSTOMER] = { "OTHER_CUSTOMER", "conditions.customers", "it is for other customers" },
    [REFUSED_FIRST_ORDER] = { "NOT_FIRST_ORDER", "conditions.is_first_order",
        "it is for a first order" },
    [REFUSED_CODE] = { "CODE_NEEDED", "code", "its code was not given" },
    [REFUSED_COUPON] = { "COUPON_NEEDED", "needs_coupon", "it needs a coupon" },
    [REFUSED_LINES] = { "NO_LINE_MATCHES", "target", "no line is what it is about" },
    [REFUSED_REQUIRED] = { "REQUIRED_ITEM_MISSING", "conditions.requires",
        "what it requires is not in the cart" },
    [REFUSED_SPEND] = { "SPEND_TOO_LOW", "conditions.min_spend",
        "the cart does not reach the amount that it needs" },
    [REFUSED_QUANTITY] = { "QUANTITY_TOO_LOW", "conditions.min_quantity",
        "the cart has not as many pieces as it needs" },
    [REFUSED_CURRENCY] = { "OTHER_CURRENCY", "", "it has no amount in this currency" },
    [REFUSED_SHIPPING] = { "OTHER_SHIPPING", "shipping_off.methods",
        "it is for another way of shipping" },
    [REFUSED_ANONYMOUS] = { "CUSTOMER_UNKNOWN", "customer_limit",
        "it is limited for each customer, and none is known" },
    [REFUSED_TOTAL_LIMIT] = { "TOTAL_LIMIT_REACHED", "total_limit",
        "it was used as often as it may be" },
    [REFUSED_CUSTOMER_LIMIT] = { "CUSTOMER_LIMIT_REACHED", "customer_limit",
        "the customer has used it as often as allowed" },
    [REFUSED_BUDGET] = { "BUDGET_SPENT", "budget", "its budget is spent" },
    [REFUSED_BUDGET_ANONYMOUS] = { "CUSTOMER_UNKNOWN", "customer_budget",
        "it has a budget for each customer, and none is known" },
    [REFUSED_CUSTOMER_BUDGET] = { "CUSTOMER_BUDGET_SPENT", "customer_budget",
        "its budget for this customer is spent" },
    [REFUSED_GROUP] = { "BETTER_IN_GROUP", "stacking_group",
        "another promotion of its group takes more" },
    [REFUSED_EXCLUSIVE] = { "EXCLUDED", "is_exclusive",
        "it excludes others or is excluded, and they take more" },
    [REFUSED_BETTER_DEAL] = { "BETTER_DEAL", "", "the others take more without it" },
    [REFUSED_COUPON_START] = { "NOT_STARTED", "campaign.start_time",
        "the coupon can not be used yet" },
    [REFUSED_COUPON_END] = { "ENDED", "campaign.end_time", "the coupon's time is over" },
    [REFUSED_COUPON_CUSTOMER] = { "CUSTOMER_UNKNOWN", "campaign.customer_limit",
        "the coupon is limited for each customer, and none is known" },
    [REFUSED_COUPON_OTHER] = { "OTHER_CUSTOMER", "campaign.is_personal",
        "the coupon is one customer's, and this is not that one" },
};

const char *refusal_word(Refusal refusal)
{
    return words_of[refusal].word;
}

const char *refusal_condition(Refusal refusal)
{
    return words_of[refusal].condition;
}

static const char *when(const Engine *engine, Refusal refusal, int64_t time)
{
    return arena_printf(
        engine->arena, "%s %s", words_of[refusal].text, clock_format(engine->arena, time));
}

const char *refusal_text(const Engine *engine, const Candidate *candidate)
{
    const Promotion *promotion = candidate->compiled->promotion;

    if (candidate->refusal == REFUSED_START)
        return when(engine, REFUSED_START, candidate->compiled->window.start);
    if (candidate->refusal == REFUSED_END)
        return when(engine, REFUSED_END, candidate->compiled->window.end);
    if (candidate->refusal == REFUSED_LINES && *promotion->category)
        return arena_printf(
            engine->arena, "no line is of the category \"%s\"", promotion->category);
    return words_of[candidate->refusal].text;
}

CouponDoor coupon_door_of(const char *condition)
{
    if (text_equal(condition, words_of[REFUSED_COUPON_START].condition))
        return COUPON_DOOR_NOT_STARTED;
    if (text_equal(condition, words_of[REFUSED_COUPON_END].condition))
        return COUPON_DOOR_ENDED;
    if (text_equal(condition, words_of[REFUSED_COUPON_CUSTOMER].condition))
        return COUPON_DOOR_CUSTOMER_UNKNOWN;
    if (text_equal(condition, words_of[REFUSED_COUPON_OTHER].condition))
        return COUPON_DOOR_OTHER_CUSTOMER;
    return COUPON_DOOR_OPEN;
}
