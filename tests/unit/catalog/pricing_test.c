/* The pricing function on worked examples. */
#include "services/catalog/domain/pricing.h"

#include "shared/codec/types.h"
#include "tests/support/test_main.h"
#include "tests/unit/catalog/builders.h"

#include <string.h>

enum { MAX_ITEMS = 4, MAX_CODES = 4 };

typedef struct Cart {
    Arena *arena;
    PricingItem items[MAX_ITEMS];
    PricingCode codes[MAX_CODES];
    PricingInput input;
    Quote quote;
} Cart;

static Cart a_cart(void)
{
    Cart cart = { .arena = arena_new() };

    cart.input.currency = "EUR";
    cart.input.now = some_noon;
    throughline__catalog__v1__quote__init(&cart.quote);
    return cart;
}

static void add_item(Cart *cart, const Product *product, const char *sku, int32_t quantity)
{
    QuoteLine *line = arena_alloc(cart->arena, sizeof(*line));

    throughline__catalog__v1__quote_line__init(line);
    line->sku = text(cart->arena, sku);
    line->quantity = quantity;
    cart->items[cart->input.n_items++] = (PricingItem){ line, product };
}

static void add_code(Cart *cart, const char *code, const Promotion *promotion)
{
    cart->codes[cart->input.n_codes++] = (PricingCode){ code, promotion };
}

static const Error *price(Cart *cart)
{
    cart->input.items = cart->items;
    cart->input.codes = cart->codes;
    return pricing_quote(&cart->input, cart->arena, &cart->quote);
}

static int64_t minor(const Google__Type__Money *money)
{
    int64_t value = INT64_MIN;

    CU_ASSERT(money_minor(money, &value));
    return value;
}

static void a_line_costs_its_price_times_its_quantity(void)
{
    Cart cart = a_cart();

    add_item(&cart, a_product(cart.arena), "tent-red", 3);

    CU_ASSERT_PTR_NULL(price(&cart));

    CHECK_TEXT(cart.quote.currency, "EUR");
    CHECK_INT(cart.quote.n_lines, 1);
    CHECK_TEXT(cart.quote.lines[0]->sku, "tent-red");
    CHECK_TEXT(cart.quote.lines[0]->product, "products/tent");
    CHECK_TEXT(cart.quote.lines[0]->title, "Two-person tent, red");
    CHECK_INT(cart.quote.lines[0]->quantity, 3);
    CHECK_INT(minor(cart.quote.lines[0]->unit_price), 19900);
    CHECK_INT(minor(cart.quote.lines[0]->total), 59700);
    CHECK_INT(minor(cart.quote.total), 59700);
    CHECK_INT(minor(cart.quote.discount_total), 0);
    CHECK_TEXT(cart.quote.total->currency_code, "EUR");
    arena_free(cart.arena);
}

static void the_currency_chooses_the_price(void)
{
    Cart cart = a_cart();

    cart.input.currency = "USD";
    add_item(&cart, a_product(cart.arena), "tent-green", 1);

    CU_ASSERT_PTR_NULL(price(&cart));

    CHECK_INT(minor(cart.quote.total), 21900);
    CHECK_TEXT(cart.quote.total->currency_code, "USD");
    arena_free(cart.arena);
}

static void a_price_that_is_missing_is_said(void)
{
    Cart cart = a_cart();
    const Error *error;

    cart.input.currency = "GBP";
    add_item(&cart, a_product(cart.arena), "tent-green", 1);

    error = price(&cart);

    CHECK_TEXT(error_reason(error), "PRICE_MISSING");
    CHECK_INT(error->code, ERROR_FAILED_PRECONDITION);
    CHECK_TEXT(error->facts[0].value, "tent-green");
    CHECK_TEXT(error->facts[1].value, "GBP");
    arena_free(cart.arena);
}

static void what_is_retired_is_not_priced(void)
{
    Cart cart = a_cart();
    Product *product = a_product(cart.arena);

    product->state = PRODUCT_RETIRED;
    add_item(&cart, product, "tent-green", 1);

    CHECK_TEXT(error_reason(price(&cart)), "PRODUCT_RETIRED");
    arena_free(cart.arena);
}

static void a_promotion_takes_its_share_and_says_so(void)
{
    Cart cart = a_cart();

    add_item(&cart, a_product(cart.arena), "tent-green", 1);
    add_code(&cart, "SPRING", a_promotion(cart.arena, "SPRING", 1000));

    CU_ASSERT_PTR_NULL(price(&cart));

    CHECK_INT(cart.quote.lines[0]->n_adjustments, 1);
    CHECK_TEXT(cart.quote.lines[0]->adjustments[0]->promotion, "promotions/spring");
    CHECK_TEXT(cart.quote.lines[0]->adjustments[0]->code, "SPRING");
    CHECK_TEXT(cart.quote.lines[0]->adjustments[0]->title, "Promotion SPRING");
    CHECK_INT(minor(cart.quote.lines[0]->adjustments[0]->amount), 1990);
    CHECK_INT(minor(cart.quote.total), 17910);
    arena_free(cart.arena);
}

static void halves_are_rounded_away_from_zero_line_by_line(void)
{
    Cart cart = a_cart();
    const Product *one = a_simple_product(cart.arena, "one", "", "EUR", 5);
    const Product *two = a_simple_product(cart.arena, "two", "", "EUR", 5);

    add_item(&cart, one, "one", 1);
    add_item(&cart, two, "two", 1);
    add_code(&cart, "HALF", a_promotion(cart.arena, "HALF", 5000));

    CU_ASSERT_PTR_NULL(price(&cart));

    /* 2.5 cents twice: three each, not five together. */
    CHECK_INT(minor(cart.quote.lines[0]->adjustments[0]->amount), 3);
    CHECK_INT(minor(cart.quote.discount_total), 6);
    CHECK_INT(minor(cart.quote.total), 4);
    arena_free(cart.arena);
}

static void several_promotions_go_by_size_on_what_is_left(void)
{
    Cart cart = a_cart();

    add_item(&cart, a_simple_product(cart.arena, "mug", "", "EUR", 1000), "mug", 1);
    add_code(&cart, "FIVE", a_promotion(cart.arena, "FIVE", 500));
    add_code(&cart, "TWENTY", a_promotion(cart.arena, "TWENTY", 2000));

    CU_ASSERT_PTR_NULL(price(&cart));

    CHECK_INT(cart.quote.lines[0]->n_adjustments, 2);
    CHECK_TEXT(cart.quote.lines[0]->adjustments[0]->code, "TWENTY");
    CHECK_INT(minor(cart.quote.lines[0]->adjustments[0]->amount), 200);
    CHECK_TEXT(cart.quote.lines[0]->adjustments[1]->code, "FIVE");
    CHECK_INT(minor(cart.quote.lines[0]->adjustments[1]->amount), 40);
    CHECK_INT(minor(cart.quote.total), 760);
    arena_free(cart.arena);
}

static void equal_promotions_go_by_name(void)
{
    Cart cart = a_cart();

    add_item(&cart, a_simple_product(cart.arena, "mug", "", "EUR", 999), "mug", 1);
    add_code(&cart, "BBB", a_promotion(cart.arena, "BBB", 1500));
    add_code(&cart, "AAA", a_promotion(cart.arena, "AAA", 1500));

    CU_ASSERT_PTR_NULL(price(&cart));

    CHECK_TEXT(cart.quote.lines[0]->adjustments[0]->code, "AAA");
    CHECK_INT(minor(cart.quote.lines[0]->adjustments[0]->amount), 150);
    CHECK_INT(minor(cart.quote.lines[0]->adjustments[1]->amount), 127);
    arena_free(cart.arena);
}

static void a_promotion_touches_only_its_category(void)
{
    Cart cart = a_cart();
    Promotion *promotion = a_promotion(cart.arena, "OUT", 5000);

    promotion->category = text(cart.arena, "Outdoor");
    add_item(
        &cart, a_simple_product(cart.arena, "tent", "Outdoor > Tents", "EUR", 10000), "tent", 1);
    add_item(&cart, a_simple_product(cart.arena, "mug", "Kitchen", "EUR", 1000), "mug", 1);
    add_code(&cart, "OUT", promotion);

    CU_ASSERT_PTR_NULL(price(&cart));

    CHECK_INT(minor(cart.quote.lines[0]->total), 5000);
    CHECK_INT(cart.quote.lines[1]->n_adjustments, 0);
    CHECK_INT(minor(cart.quote.total), 6000);
    arena_free(cart.arena);
}

static void check_refusal(Cart *cart, const char *code, const char *why)
{
    const Error *error = price(cart);

    CHECK_TEXT(error_reason(error), "PROMOTION_NOT_APPLICABLE");
    CHECK_INT(error->code, ERROR_FAILED_PRECONDITION);
    CHECK_TEXT(error->facts[0].value, code);
    CHECK_TEXT(error->facts[1].value, why);
    arena_free(cart->arena);
}

static void a_code_without_promotion_is_refused(void)
{
    Cart cart = a_cart();

    add_item(&cart, a_product(cart.arena), "tent-green", 1);
    add_code(&cart, "NOPE", NULL);

    check_refusal(&cart, "NOPE", "there is no promotion with this code");
}

static void a_code_that_no_line_matches_is_refused(void)
{
    Cart cart = a_cart();
    Promotion *promotion = a_promotion(cart.arena, "COOK", 100);

    promotion->category = text(cart.arena, "Kitchen");
    add_item(&cart, a_product(cart.arena), "tent-green", 1);
    add_code(&cart, "COOK", promotion);

    check_refusal(&cart, "COOK", "no line is of the category \"Kitchen\"");
}

static void a_code_out_of_its_time_is_refused(void)
{
    Cart cart = a_cart();
    Promotion *promotion = a_promotion(cart.arena, "LATE", 100);

    promotion->end_time = timestamp_from_micros(cart.arena, some_noon);
    add_item(&cart, a_product(cart.arena), "tent-green", 1);
    add_code(&cart, "LATE", promotion);

    check_refusal(&cart, "LATE", "it ended at 2026-01-01T12:00:00Z");
}

static void everything_off_is_free_and_not_less(void)
{
    Cart cart = a_cart();

    add_item(&cart, a_product(cart.arena), "tent-green", 2);
    add_code(&cart, "ALL", a_promotion(cart.arena, "ALL", PROMOTION_WHOLE));
    add_code(&cart, "MORE", a_promotion(cart.arena, "MORE", 9999));

    CU_ASSERT_PTR_NULL(price(&cart));

    CHECK_INT(minor(cart.quote.total), 0);
    CHECK_INT(minor(cart.quote.discount_total), 39800);
    /* What took nothing is not on the bill. */
    CHECK_INT(cart.quote.lines[0]->n_adjustments, 1);
    arena_free(cart.arena);
}

static void amounts_that_do_not_fit_are_refused(void)
{
    Cart one_line = a_cart();
    Cart sum = a_cart();
    const Product *gold = a_simple_product(one_line.arena, "gold", "", "EUR", INT64_MAX / 2 + 1);

    add_item(&one_line, gold, "gold", 2);
    add_item(&sum, gold, "gold", 1);
    add_item(&sum, gold, "gold", 1);

    CHECK_TEXT(error_reason(price(&one_line)), "AMOUNT_TOO_LARGE");
    CHECK_TEXT(error_reason(price(&sum)), "AMOUNT_TOO_LARGE");
    arena_free(one_line.arena);
    arena_free(sum.arena);
}

static void currencies_without_cents_are_priced(void)
{
    Cart cart = a_cart();

    cart.input.currency = "JPY";
    add_item(&cart, a_simple_product(cart.arena, "mug", "", "JPY", 1005), "mug", 1);
    add_code(&cart, "TEN", a_promotion(cart.arena, "TEN", 1000));

    CU_ASSERT_PTR_NULL(price(&cart));

    CHECK_INT(minor(cart.quote.discount_total), 101);
    CHECK_INT(cart.quote.total->units, 904);
    CHECK_INT(cart.quote.total->nanos, 0);
    arena_free(cart.arena);
}

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        { "a_line_costs_its_price_times_its_quantity", a_line_costs_its_price_times_its_quantity },
        { "the_currency_chooses_the_price", the_currency_chooses_the_price },
        { "a_price_that_is_missing_is_said", a_price_that_is_missing_is_said },
        { "what_is_retired_is_not_priced", what_is_retired_is_not_priced },
        { "a_promotion_takes_its_share_and_says_so", a_promotion_takes_its_share_and_says_so },
        { "halves_are_rounded_away_from_zero_line_by_line",
            halves_are_rounded_away_from_zero_line_by_line },
        { "several_promotions_go_by_size_on_what_is_left",
            several_promotions_go_by_size_on_what_is_left },
        { "equal_promotions_go_by_name", equal_promotions_go_by_name },
        { "a_promotion_touches_only_its_category", a_promotion_touches_only_its_category },
        { "a_code_without_promotion_is_refused", a_code_without_promotion_is_refused },
        { "a_code_that_no_line_matches_is_refused", a_code_that_no_line_matches_is_refused },
        { "a_code_out_of_its_time_is_refused", a_code_out_of_its_time_is_refused },
        { "everything_off_is_free_and_not_less", everything_off_is_free_and_not_less },
        { "amounts_that_do_not_fit_are_refused", amounts_that_do_not_fit_are_refused },
        { "currencies_without_cents_are_priced", currencies_without_cents_are_priced },
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        { .pName = "pricing", .pTests = tests },
        CU_SUITE_INFO_NULL,
    };

    return test_main("catalog_pricing", suites, argc, argv);
}
