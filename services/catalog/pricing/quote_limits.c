#include "services/catalog/pricing/quote_limits.h"

#include "services/catalog/governance/rule_shelf.h"
#include "services/catalog/pricing/uses_store.h"
#include "shared/codec/message.h"

const Error *promotion_load(
    RpcCall *call, const Rules *rules, const char *name, const Promotion **promotion)
{
    RuleShelf *shelf = catalog_of(call)->shelf;
    const Rule *rule;
    RuleBook *book;
    const Error *error;

    if ((*promotion = rules_promotion(rules, name)))
        return NULL;
    if (!rpc_may_block(call))
        return &rpc_needs_worker;
    if ((error = rule_shelf_follow(shelf, call->store)))
        return error;
    book = rule_shelf_current(shelf);
    rule = book_rule_unpack(rule_book_find(book, name), call->arena);
    rule_book_release(book);
    *promotion = rule ? rule->promotion : NULL;
    return NULL;
}

static void add_usage(RpcCall *call, PricingInput *input, PricingUsage usage)
{
    PricingUsage *usages = arena_grow(
        call->arena, input->usages, input->n_usages, input->n_usages + 1, sizeof(*usages));

    usages[input->n_usages++] = usage;
    input->usages = usages;
}

static CouponDoor door_of(const Coupon *coupon)
{
    if (coupon->state == COUPON_NOT_STARTED)
        return COUPON_DOOR_NOT_STARTED;
    if (coupon->state == COUPON_ENDED)
        return COUPON_DOOR_ENDED;
    if (coupon->state == COUPON_OTHER_CUSTOMER ||
        (coupon->state == COUPON_CUSTOMER_NEEDED && coupon->is_personal))
        return COUPON_DOOR_OTHER_CUSTOMER;
    return coupon->state == COUPON_CUSTOMER_NEEDED ? COUPON_DOOR_CUSTOMER_UNKNOWN
                                                   : COUPON_DOOR_OPEN;
}

const Error *quote_load_coupon(
    RpcCall *call, const Rules *rules, const char *customer, PricingCode *code, PricingInput *input)
{
    Coupon coupon = THROUGHLINE__CATALOG__V1__COUPON__INIT;
    const Error *error = coupon_look_up(call, code->code, customer, &coupon);

    if (error)
        return text_equal(error->reason, "COUPON_NOT_FOUND") ? NULL : error;
    code->door = door_of(&coupon);
    if (coupon.state == COUPON_USED_UP)
        add_usage(call, input, (PricingUsage){ .promotion = coupon.promotion });
    return promotion_load(call, rules, coupon.promotion, &code->promotion);
}

static bool is_known(const PricingInput *input, const char *promotion)
{
    for (size_t i = 0; i < input->n_usages; i++)
        if (text_equal(input->usages[i].promotion, promotion))
            return true;
    return false;
}

/* The limited promotions of a quote that the input does not know yet. */
static const Error *find_limited(RpcCall *call, const Quote *quote, const PricingInput *input,
    const Promotion ***limited, size_t *n_limited)
{
    QuoteUse *uses;
    size_t n_uses = uses_of_quote(quote, call->arena, &uses);
    const Error *error;

    *n_limited = 0;
    *limited = arena_array(call->arena, n_uses, sizeof(**limited));
    for (size_t i = 0; i < n_uses; i++) {
        const Promotion *promotion;

        if (is_known(input, uses[i].promotion))
            continue;
        if ((error = promotion_load(call, input->rules, uses[i].promotion, &promotion)))
            return error;
        if (promotion && promotion_is_limited(promotion))
            (*limited)[(*n_limited)++] = promotion;
    }
    return NULL;
}

bool quote_limits_are_new(
    RpcCall *call, const Quote *quote, PricingInput *input, const Error **error)
{
    const Promotion **limited;
    size_t n_limited;
    UsesLeft *left;

    /* Promotions that are not of the rules came with a code. */
    if (*error || (input->n_codes == 0 && !rules_have_limits(input->rules)))
        return false;
    if ((*error = find_limited(call, quote, input, &limited, &n_limited)) || n_limited == 0)
        return false;
    if (!rpc_may_block(call)) {
        *error = &rpc_needs_worker;
        return false;
    }
    left = arena_array(call->arena, n_limited, sizeof(*left));
    if ((*error = uses_left(call, limited, n_limited,
             input->context.customer ? input->context.customer : "", left)))
        return false;
    for (size_t i = 0; i < n_limited; i++)
        add_usage(call, input,
            (PricingUsage){ .promotion = limited[i]->name,
                .uses_left = left[i].uses,
                .customer_uses_left = left[i].customer_uses,
                .budget_left = left[i].budget,
                .customer_budget_left = left[i].customer_budget });
    return true;
}
