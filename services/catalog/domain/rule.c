#include "services/catalog/domain/rule.h"

#include "services/catalog/domain/offer.h"
#include "services/catalog/domain/override.h"
#include "services/catalog/domain/rules_check.h"
#include "shared/codec/message.h"

/* A kind of rule. All are sub-messages with a name and an etag. */
typedef struct RuleKind {
    Throughline__Catalog__V1__Rule__KindCase kind;
    const char *pattern;
    bool is_reserved;
} RuleKind;

static const RuleKind kinds[] = {
    { THROUGHLINE__CATALOG__V1__RULE__KIND_PROMOTION, "promotions/*", false },
    { THROUGHLINE__CATALOG__V1__RULE__KIND_PRICE_ROW, "priceRows/*", false },
    { THROUGHLINE__CATALOG__V1__RULE__KIND_TAX_CATEGORY, "taxCategories/*", false },
    { THROUGHLINE__CATALOG__V1__RULE__KIND_TAX_RATE, "taxRates/*", false },
    { THROUGHLINE__CATALOG__V1__RULE__KIND_TAX_EXEMPTION, "taxExemptions/*", false },
    { THROUGHLINE__CATALOG__V1__RULE__KIND_ITEM_COST, "itemCosts/*", false },
    { THROUGHLINE__CATALOG__V1__RULE__KIND_PRICING_SETTINGS, "pricingSettings/default", false },
    { THROUGHLINE__CATALOG__V1__RULE__KIND_PRICE_STOP, "priceStops/*", true },
    { THROUGHLINE__CATALOG__V1__RULE__KIND_OVERRIDE_LIMIT, "overrideLimits/*", false },
    { THROUGHLINE__CATALOG__V1__RULE__KIND_PRODUCT_OFFER, "productOffers/*", false },
};

static const RuleKind *kind_of(const Rule *rule)
{
    for (size_t i = 0; i < COUNT(kinds); i++)
        if (kinds[i].kind == rule->kind_case)
            return &kinds[i];
    return NULL;
}

/* All members of the oneof are pointers in the same place. */
void *rule_message(const Rule *rule)
{
    return rule->promotion;
}

static char **text_field(const Rule *rule, const char *field)
{
    return message_field(rule_message(rule), field);
}

const char *rule_name(const Rule *rule)
{
    return kind_of(rule) ? *text_field(rule, "name") : "";
}

bool rule_name_is_valid(const char *name)
{
    for (size_t i = 0; i < COUNT(kinds); i++)
        if (text_matches_name(name, kinds[i].pattern))
            return true;
    return false;
}

bool rule_name_is_reserved(const char *name)
{
    for (size_t i = 0; i < COUNT(kinds); i++)
        if (kinds[i].is_reserved && text_matches_name(name, kinds[i].pattern))
            return true;
    return false;
}

static void check_inside(const Rule *rule, const char *field, Findings *findings)
{
    const RuleKind *kind = kind_of(rule);
    const char *name =
        protobuf_c_message_descriptor_get_field(rule->base.descriptor, (unsigned)kind->kind)->name;
    const char *path = arena_printf(findings->arena, "%s.%s", field, name);

    switch (rule->kind_case) {
    case THROUGHLINE__CATALOG__V1__RULE__KIND_PROMOTION:
        promotion_check_at(rule->promotion, path, findings);
        break;
    case THROUGHLINE__CATALOG__V1__RULE__KIND_PRICE_ROW:
        price_row_check(rule->price_row, path, findings);
        break;
    case THROUGHLINE__CATALOG__V1__RULE__KIND_TAX_CATEGORY:
        tax_category_check(rule->tax_category, path, findings);
        break;
    case THROUGHLINE__CATALOG__V1__RULE__KIND_TAX_RATE:
        tax_rate_check(rule->tax_rate, path, findings);
        break;
    case THROUGHLINE__CATALOG__V1__RULE__KIND_TAX_EXEMPTION:
        tax_exemption_check(rule->tax_exemption, path, findings);
        break;
    case THROUGHLINE__CATALOG__V1__RULE__KIND_ITEM_COST:
        item_cost_check(rule->item_cost, path, findings);
        break;
    case THROUGHLINE__CATALOG__V1__RULE__KIND_PRICING_SETTINGS:
        settings_check(rule->pricing_settings, path, findings);
        break;
    case THROUGHLINE__CATALOG__V1__RULE__KIND_OVERRIDE_LIMIT:
        override_limit_check(rule->override_limit, path, findings);
        break;
    case THROUGHLINE__CATALOG__V1__RULE__KIND_PRODUCT_OFFER:
        product_offer_check(rule->product_offer, path, findings);
        break;
    default:
        price_stop_check(rule->price_stop, path, findings);
        break;
    }
}

void rule_check(const Rule *rule, const char *field, Findings *findings)
{
    const RuleKind *kind = kind_of(rule);

    if (!kind) {
        findings_add(findings, field, "has no rule of a known kind in it");
        return;
    }
    if (!text_matches_name(rule_name(rule), kind->pattern))
        findings_add(findings, arena_printf(findings->arena, "%s.name", field),
            "must be shaped like \"%s\"", kind->pattern);
    check_inside(rule, field, findings);
}

void rule_normalize(Rule *rule)
{
    if (kind_of(rule))
        *text_field(rule, "etag") = (char *)protobuf_c_empty_string;
}
