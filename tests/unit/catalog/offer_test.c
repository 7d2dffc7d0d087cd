/* What a release says of a product, as rules without a service. */
#include "services/catalog/domain/offer.h"

#include "services/catalog/domain/pricing.h"
#include "shared/codec/message.h"
#include "shared/codec/types.h"
#include "tests/support/test_main.h"
#include "tests/unit/catalog/builders.h"

static Arena *arena;

static void open_arena(void)
{
    arena = arena_new();
}

static void close_arena(void)
{
    arena_free(arena);
}

static ProductOffer *an_offer(const char *sku, int64_t minor)
{
    ProductOffer *offer = message_new(arena, &throughline__catalog__v1__product_offer__descriptor);
    VariantOffer *variant =
        message_new(arena, &throughline__catalog__v1__variant_offer__descriptor);

    offer->name = text(arena, "productOffers/tent");
    offer->variants = arena_array(arena, 1, sizeof(*offer->variants));
    offer->variants[offer->n_variants++] = variant;
    variant->sku = text(arena, sku);
    variant->prices = arena_array(arena, 1, sizeof(*variant->prices));
    variant->prices[variant->n_prices++] = a_price(arena, "EUR", minor);
    return offer;
}

static Findings check(const ProductOffer *offer)
{
    Findings findings = { .arena = arena };

    product_offer_check(offer, "offer", &findings);
    return findings;
}

static void every_bad_field_of_an_offer_is_named(void)
{
    ProductOffer *offer = an_offer("tent-green", 100);
    ProductOffer *twice = an_offer("tent-green", 100);
    ProductOffer empty = THROUGHLINE__CATALOG__V1__PRODUCT_OFFER__INIT;
    VariantOffer *same[] = { twice->variants[0], twice->variants[0] };
    Findings findings;

    CHECK_INT(check(offer).n_items, 0);
    offer->state = 3;
    offer->variants[0]->sku = text(arena, "tent green");
    offer->variants[0]->prices[0]->amount->nanos = 1;
    findings = check(offer);
    CHECK_INT(findings.n_items, 3);
    CU_ASSERT(has_finding(&findings, "offer.state"));
    CU_ASSERT(has_finding(&findings, "offer.variants[0].sku"));
    CU_ASSERT(has_finding(&findings, "offer.variants[0].prices[0].amount"));

    twice->variants = same;
    twice->n_variants = COUNT(same);
    findings = check(twice);
    CU_ASSERT(has_finding(&findings, "offer.variants[1].sku"));
    findings = check(&empty);
    CU_ASSERT(has_finding(&findings, "offer.state"));
}

static void an_offer_goes_before_what_was_imported(void)
{
    Product *tent = a_product(arena);
    ProductOffer *offer = an_offer("tent-green", 14900);
    const Product *shown;

    offer->state = THROUGHLINE__CATALOG__V1__PRODUCT_OFFER__STATE__RETIRED;
    shown = offer_apply(offer, tent, arena);

    CHECK_INT(shown->state, PRODUCT_RETIRED);
    CHECK_TEXT(offer_difference(tent, shown, arena),
        "state ACTIVE -> RETIRED, tent-green 199.00 EUR -> 149.00 EUR, tent-green 219.00 USD -> "
        "none");
    CU_ASSERT(offer_apply(NULL, tent, arena) == tent);
    CHECK_INT(tent->state, PRODUCT_ACTIVE);
}

static void the_offer_of_a_product_says_all_of_it(void)
{
    Product *tent = a_product(arena), *other = a_product(arena);

    set_price(arena, other->variants[1], "JPY", 100);
    other->state = PRODUCT_RETIRED;

    CHECK_TEXT(offer_of(other, arena)->name, "productOffers/tent");
    CHECK_INT(check(offer_of(other, arena)).n_items, 0);
    CU_ASSERT_PTR_NULL(
        offer_difference(other, offer_apply(offer_of(other, arena), tent, arena), arena));
}

static void a_price_before_is_a_difference_too(void)
{
    Product *tent = a_product(arena), *other = a_product(arena);

    other->variants[0]->prices[0]->list_amount = money_message(arena, "EUR", 24900);

    CHECK_TEXT(offer_difference(tent, other, arena), "tent-green \"was\" none -> 249.00 EUR");
}

static void many_differences_are_counted(void)
{
    Product *tent = a_product(arena), *other = a_product(arena);
    int64_t more = 3;

    other->n_variants = 0;
    tent->variants[0]->n_prices = 0;
    tent->variants[1]->prices =
        arena_array(arena, OFFER_MAX_DIFFERENCES + 3, sizeof(*tent->variants[1]->prices));
    tent->variants[1]->n_prices = (size_t)(OFFER_MAX_DIFFERENCES + more);
    for (int i = 0; i < OFFER_MAX_DIFFERENCES + more; i++)
        tent->variants[1]->prices[i] = a_price(arena, "EUR", i);

    CU_ASSERT(text_ends_with(offer_difference(tent, other, arena), " and 3 more"));
}

/* Tents at an instant with one offer in force. */
static const Error *price_with(ProductOffer *offer, Quote *quote)
{
    RuleSet set = THROUGHLINE__CATALOG__V1__RULE_SET__INIT;
    QuoteLine line = THROUGHLINE__CATALOG__V1__QUOTE_LINE__INIT;
    PricingItem item = { &line, a_product(arena) };
    PricingInput input = { .currency = "EUR", .items = &item, .n_items = 1 };
    Rules *rules;
    const Error *error;

    line.sku = text(arena, "tent-green");
    line.quantity = 2;
    set.product_offers = &offer;
    set.n_product_offers = 1;
    rules = rules_compile(&set);
    input.rules = rules;
    throughline__catalog__v1__quote__init(quote);
    error = pricing_quote(&input, arena, quote);
    rules_release(rules);
    return error;
}

static void lines_are_priced_by_offers(void)
{
    ProductOffer *offer = an_offer("tent-green", 14900);
    Quote quote;
    int64_t total = 0;

    CU_ASSERT_PTR_NULL(price_with(offer, &quote));
    CU_ASSERT(money_minor(quote.total, &total));
    CHECK_INT(total, 2 * 14900);
    CHECK_TEXT(quote.lines[0]->price_row, "productOffers/tent");

    offer->variants[0]->n_prices = 0;
    CHECK_TEXT(error_reason(price_with(offer, &quote)), "PRICE_MISSING");
    offer->state = THROUGHLINE__CATALOG__V1__PRODUCT_OFFER__STATE__RETIRED;
    CHECK_TEXT(error_reason(price_with(offer, &quote)), "PRODUCT_RETIRED");
}

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        { "every_bad_field_of_an_offer_is_named", every_bad_field_of_an_offer_is_named },
        { "an_offer_goes_before_what_was_imported", an_offer_goes_before_what_was_imported },
        { "the_offer_of_a_product_says_all_of_it", the_offer_of_a_product_says_all_of_it },
        { "a_price_before_is_a_difference_too", a_price_before_is_a_difference_too },
        { "many_differences_are_counted", many_differences_are_counted },
        { "lines_are_priced_by_offers", lines_are_priced_by_offers },
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        { .pName = "offer",
            .pSetUpFunc = open_arena,
            .pTearDownFunc = close_arena,
            .pTests = tests },
        CU_SUITE_INFO_NULL,
    };

    return test_main("catalog_offer", suites, argc, argv);
}
