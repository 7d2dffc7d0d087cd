/* Whether what is to be published goes together: with itself, and with products and coupons. */
#include "services/catalog/governance/governance.h"

#include "services/catalog/domain/rule_set.h"
#include "services/catalog/pricing/uses_store.h"
#include "shared/codec/message.h"

/* NULL when there are no findings. */
static const Error *rules_invalid(const Findings *findings)
{
    Error *error;

    if (!findings->n_items)
        return NULL;
    error = arena_alloc(findings->arena, sizeof(*error));
    *error = (Error){ ERROR_FAILED_PRECONDITION, "RULES_INVALID",
        "The rules would not go together: see the violations.", .n_violations = findings->n_items,
        .violations = findings->items };
    return error;
}

const Error *check_rules(RpcCall *call, const RuleBook *book)
{
    Findings findings = { .arena = call->arena };

    rule_set_check(rule_set_of(book, call->arena), &findings);
    return rules_invalid(&findings);
}

static void check_offer(const ProductOffer *offer, const Product *product, Findings *findings)
{
    const char *path = arena_printf(findings->arena, "rules[\"%s\"]", offer->name);

    if (product)
        product_offer_check_product(offer, product, path, findings);
    else
        findings_add(
            findings, path, "there is no product %s", offer_product(offer->name, findings->arena));
}

/* Every offer of a product or variant that is not there. */
static const Error *check_offers(RpcCall *call, ChangeList changes, Findings *findings)
{
    StoreView steps = store_steps(call->store);
    const ProductOffer **offers = arena_array(call->arena, changes.n_items, sizeof(*offers));
    const char **names = arena_array(call->arena, changes.n_items, sizeof(*names));
    void **found = arena_array(call->arena, changes.n_items, sizeof(*found));
    size_t n_offers = 0;
    const Error *error;

    for (size_t i = 0; i < changes.n_items; i++) {
        const Rule *after = changes.items[i]->after;

        if (!after || after->kind_case != THROUGHLINE__CATALOG__V1__RULE__KIND_PRODUCT_OFFER)
            continue;
        names[n_offers] = offer_product(after->product_offer->name, call->arena);
        offers[n_offers++] = after->product_offer;
    }
    if (n_offers == 0)
        return NULL;
    if ((error = store_get_many(&steps, &products, names, n_offers, found)))
        return error;
    for (size_t i = 0; i < n_offers; i++)
        check_offer(offers[i], found[i], findings);
    return NULL;
}

/* Every promotion whose code is new and opens another one, by a coupon. */
static const Error *check_codes(RpcCall *call, ChangeList changes, Findings *findings)
{
    for (size_t i = 0; i < changes.n_items; i++) {
        const Rule *after = changes.items[i]->after, *before = changes.items[i]->before;
        CouponCampaign *campaign = message_new(call->arena, coupon_campaigns.message);
        Coupon coupon = THROUGHLINE__CATALOG__V1__COUPON__INIT;
        const Error *error;

        if (!after || after->kind_case != THROUGHLINE__CATALOG__V1__RULE__KIND_PROMOTION ||
            !*after->promotion->code ||
            (before && text_equal(before->promotion->code, after->promotion->code)))
            continue;
        error = coupon_find(call, after->promotion->code, "", campaign, &coupon);
        if (!error)
            findings_add(findings,
                arena_printf(findings->arena, "rules[\"%s\"].code", after->promotion->name),
                "is a code of %s", campaign->name);
        else if (error->code != ERROR_NOT_FOUND)
            return error;
    }
    return NULL;
}

const Error *check_references(RpcCall *call, ChangeList changes)
{
    Findings findings = { .arena = call->arena };
    const Error *error;

    if ((error = check_offers(call, changes, &findings)) ||
        (error = check_codes(call, changes, &findings)))
        return error;
    return rules_invalid(&findings);
}
