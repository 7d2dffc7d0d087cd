/* Properties of the pricing function over random carts. A failure prints the seed of its cart. */
#include "services/catalog/domain/pricing.h"

#include "shared/base/text.h"
#include "shared/codec/message.h"
#include "shared/codec/types.h"
#include "tests/support/test_main.h"
#include "tests/unit/catalog/builders.h"
#include "tests/unit/catalog/rounds.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

__extension__ typedef __int128 Wide;

enum { CI_ROUNDS = 1000, MAX_LINES = 8, MAX_CODES = 5 };

static const char *const categories[] = { "", "Outdoor", "Outdoor > Tents",
    "Outdoor > Tents > Large", "Kitchen", "Kitchen > Pots" };

typedef struct Cart {
    Arena *arena;
    unsigned seed;
    PricingItem items[MAX_LINES];
    PricingCode codes[MAX_CODES];
    PricingInput input;
} Cart;

static int64_t any_amount(unsigned *seed)
{
    int64_t wide = (int64_t)rand_r(seed) * rand_r(seed) % 100000000;

    return wide >> rand_r(seed) % 28;
}

static QuoteLine *a_line(Arena *arena, const char *sku, int32_t quantity)
{
    QuoteLine *line = arena_alloc(arena, sizeof(*line));

    throughline__catalog__v1__quote_line__init(line);
    line->sku = text(arena, sku);
    line->quantity = quantity;
    return line;
}

/* A cart of up to MAX_LINES products at any price and up to MAX_CODES promotions that apply. */
static Cart any_cart(Arena *arena, unsigned seed)
{
    static const char *const currencies[] = { "EUR", "JPY", "KWD" };
    Cart cart = { .arena = arena, .seed = seed };

    cart.input.currency = currencies[rand_r(&seed) % 3];
    cart.input.now = some_noon;
    cart.input.n_items = 1 + (size_t)rand_r(&seed) % MAX_LINES;
    for (size_t i = 0; i < cart.input.n_items; i++) {
        const char *name = arena_printf(arena, "p%zu", i);

        cart.items[i].product =
            a_simple_product(arena, name, categories[(size_t)rand_r(&seed) % COUNT(categories)],
                cart.input.currency, any_amount(&seed));
        cart.items[i].line = a_line(arena, name, 1 + rand_r(&seed) % 40);
    }
    for (int i = rand_r(&seed) % (MAX_CODES + 1); i > 0; i--) {
        const char *code = arena_printf(arena, "CODE-%d", i);
        Promotion *promotion = a_promotion(arena, code, 1 + rand_r(&seed) % PROMOTION_WHOLE);

        /* A category that some line has, so that it applies. */
        promotion->category =
            cart.items[(size_t)rand_r(&seed) % cart.input.n_items].product->category;
        cart.codes[cart.input.n_codes++] = (PricingCode){ code, promotion };
    }
    return cart;
}

static Quote *price(Cart *cart)
{
    Quote *quote = arena_alloc(cart->arena, sizeof(*quote));
    const Error *error;

    throughline__catalog__v1__quote__init(quote);
    cart->input.items = cart->items;
    cart->input.codes = cart->codes;
    error = pricing_quote(&cart->input, cart->arena, quote);
    if (error)
        printf("cart %u: %s\n", cart->seed, error->message);
    CU_ASSERT_PTR_NULL_FATAL(error);
    return quote;
}

static int64_t minor(const Google__Type__Money *money)
{
    int64_t value;

    CU_ASSERT_FATAL(money_minor(money, &value));
    return value;
}

/* Runs a property over ROUNDS carts (in CI CI_ROUNDS, quick a third of them) and fails once, with the first cart that has it not. */
static void for_all(bool (*property)(Cart *cart))
{
    unsigned rounds = rounds_or(CI_ROUNDS);
    Arena *arena = arena_new();
    bool holds = true;

    for (unsigned seed = 1; seed <= rounds && holds; seed++) {
        Cart cart = any_cart(arena, seed);

        holds = property(&cart);
        if (!holds)
            printf("cart %u breaks the property\n", seed);
        arena_reset(arena);
    }
    CU_ASSERT(holds);
    arena_free(arena);
}

static bool list_is_unit_times_quantity(Cart *cart)
{
    const Quote *quote = price(cart);

    for (size_t i = 0; i < quote->n_lines; i++)
        if (minor(quote->lines[i]->list_total) !=
            minor(quote->lines[i]->unit_price) * quote->lines[i]->quantity)
            return false;
    return quote->n_lines == cart->input.n_items;
}

static bool adjustments_explain_every_line(Cart *cart)
{
    const Quote *quote = price(cart);

    for (size_t i = 0; i < quote->n_lines; i++) {
        int64_t left = minor(quote->lines[i]->list_total);

        for (size_t j = 0; j < quote->lines[i]->n_adjustments; j++)
            left -= minor(quote->lines[i]->adjustments[j]->amount);
        if (left != minor(quote->lines[i]->total))
            return false;
    }
    return true;
}

static bool parts_add_up_to_the_whole(Cart *cart)
{
    const Quote *quote = price(cart);
    int64_t list = 0;
    int64_t total = 0;

    for (size_t i = 0; i < quote->n_lines; i++) {
        list += minor(quote->lines[i]->list_total);
        total += minor(quote->lines[i]->total);
    }
    return list == minor(quote->list_total) && total == minor(quote->total) &&
           list - total == minor(quote->discount_total);
}

static bool nothing_is_below_zero(Cart *cart)
{
    const Quote *quote = price(cart);
    bool holds = minor(quote->total) >= 0 && minor(quote->discount_total) >= 0;

    for (size_t i = 0; i < quote->n_lines; i++) {
        holds = holds && minor(quote->lines[i]->total) >= 0;
        for (size_t j = 0; j < quote->lines[i]->n_adjustments; j++)
            holds = holds && minor(quote->lines[i]->adjustments[j]->amount) > 0;
    }
    return holds;
}

static bool same_input_gives_same_bytes(Cart *cart)
{
    return message_equal(price(cart), price(cart));
}

static bool order_of_lines_changes_no_amount(Cart *cart)
{
    const Quote *before = price(cart);
    size_t last = cart->input.n_items - 1;
    const Quote *after;

    for (size_t i = 0; i < last - i; i++) {
        PricingItem item = cart->items[i];

        cart->items[i] = cart->items[last - i];
        cart->items[last - i] = item;
    }
    after = price(cart);
    for (size_t i = 0; i <= last; i++)
        if (!message_equal(before->lines[i], after->lines[last - i]))
            return false;
    return message_equal(before->total, after->total) &&
           message_equal(before->discount_total, after->discount_total) &&
           message_equal(before->list_total, after->list_total);
}

static bool order_of_codes_changes_nothing(Cart *cart)
{
    const Quote *before = price(cart);

    for (size_t i = 1; i < cart->input.n_codes; i++) {
        size_t other = (cart->seed + i) % i;
        PricingCode code = cart->codes[i];

        cart->codes[i] = cart->codes[other];
        cart->codes[other] = code;
    }
    return message_equal(before, price(cart));
}

static bool without_codes_the_list_is_paid(Cart *cart)
{
    const Quote *quote;

    cart->input.n_codes = 0;
    quote = price(cart);
    return message_equal(quote->total, quote->list_total) && minor(quote->discount_total) == 0;
}

static bool one_code_more_never_costs_more(Cart *cart)
{
    int64_t with_all = minor(price(cart)->total);

    if (cart->input.n_codes == 0)
        return true;
    cart->input.n_codes--;
    return with_all <= minor(price(cart)->total);
}

static bool everything_off_leaves_nothing(Cart *cart)
{
    cart->codes[0] = (PricingCode){ "ALL", a_promotion(cart->arena, "ALL", PROMOTION_WHOLE) };
    if (cart->input.n_codes == 0)
        cart->input.n_codes = 1;
    return minor(price(cart)->total) == 0;
}

static bool a_line_stands_for_itself(Cart *cart)
{
    const Quote *all = price(cart);

    cart->input.n_items = 1;
    for (size_t i = 0; i < all->n_lines; i++) {
        PricingCode codes[MAX_CODES];
        size_t n_codes = cart->input.n_codes;
        bool is_same;

        memcpy(codes, cart->codes, sizeof(codes));
        cart->items[0] = cart->items[i];
        /* Alone it must not carry codes that only other lines match. */
        cart->input.n_codes = 0;
        for (size_t j = 0; j < n_codes; j++)
            if (promotion_matches(codes[j].promotion, cart->items[0].product))
                cart->codes[cart->input.n_codes++] = codes[j];
        is_same = message_equal(price(cart)->lines[0], all->lines[i]);
        memcpy(cart->codes, codes, sizeof(codes));
        cart->input.n_codes = n_codes;
        if (!is_same)
            return false;
    }
    return true;
}

static bool every_share_is_rounded_to_the_nearest(Cart *cart)
{
    const Quote *quote = price(cart);

    for (size_t i = 0; i < quote->n_lines; i++) {
        int64_t left = minor(quote->lines[i]->list_total);

        for (size_t j = 0; j < quote->lines[i]->n_adjustments; j++) {
            const Adjustment *adjustment = quote->lines[i]->adjustments[j];
            int64_t taken = minor(adjustment->amount);
            const Promotion *promotion = NULL;
            Wide error;

            for (size_t k = 0; k < cart->input.n_codes; k++)
                if (text_equal(cart->codes[k].code, adjustment->code))
                    promotion = cart->codes[k].promotion;
            error = (Wide)taken * PROMOTION_WHOLE - (Wide)left * promotion->basis_points;
            /* A half goes up: at most half above, less than half below. */
            if (error > PROMOTION_WHOLE / 2 || error <= -PROMOTION_WHOLE / 2)
                return false;
            left -= taken;
        }
    }
    return true;
}

static bool only_matching_lines_are_touched(Cart *cart)
{
    const Quote *quote = price(cart);

    for (size_t i = 0; i < quote->n_lines; i++)
        for (size_t j = 0; j < quote->lines[i]->n_adjustments; j++)
            for (size_t k = 0; k < cart->input.n_codes; k++)
                if (text_equal(cart->codes[k].code, quote->lines[i]->adjustments[j]->code) &&
                    !promotion_matches(cart->codes[k].promotion, cart->items[i].product))
                    return false;
    return true;
}

static bool more_pieces_never_cost_less(Cart *cart)
{
    int64_t before = minor(price(cart)->total);
    const QuoteLine *line = cart->items[0].line;

    cart->items[0].line = a_line(cart->arena, line->sku, line->quantity + 1);
    return minor(price(cart)->total) >= before;
}

static bool shares_go_by_size(Cart *cart)
{
    const Quote *quote = price(cart);

    for (size_t i = 0; i < quote->n_lines; i++) {
        int32_t before = PROMOTION_WHOLE;

        for (size_t j = 0; j < quote->lines[i]->n_adjustments; j++)
            for (size_t k = 0; k < cart->input.n_codes; k++)
                if (text_equal(cart->codes[k].code, quote->lines[i]->adjustments[j]->code)) {
                    if (cart->codes[k].promotion->basis_points > before)
                        return false;
                    before = cart->codes[k].promotion->basis_points;
                }
    }
    return true;
}

/* Prices near the limit: the answer is exact or refused, never wrapped around. */
static bool huge_amounts_are_exact_or_refused(Cart *cart)
{
    Quote quote = THROUGHLINE__CATALOG__V1__QUOTE__INIT;
    Wide list = 0;
    unsigned seed = cart->seed;
    const Error *error;

    for (size_t i = 0; i < cart->input.n_items; i++) {
        int64_t amount = INT64_MAX >> (rand_r(&seed) % 12);
        const Product *product = cart->items[i].product;

        set_price(cart->arena, product->variants[0], cart->input.currency, amount);
        list += (Wide)amount * cart->items[i].line->quantity;
    }
    cart->input.items = cart->items;
    cart->input.codes = cart->codes;
    error = pricing_quote(&cart->input, cart->arena, &quote);
    if (list > INT64_MAX)
        return text_equal(error_reason(error), "AMOUNT_TOO_LARGE");
    return !error && minor(quote.list_total) == (int64_t)list;
}

static bool all_amounts_are_in_one_currency(Cart *cart)
{
    const Quote *quote = price(cart);
    bool holds = text_equal(quote->total->currency_code, cart->input.currency) &&
                 text_equal(quote->list_total->currency_code, cart->input.currency) &&
                 text_equal(quote->discount_total->currency_code, cart->input.currency);

    for (size_t i = 0; i < quote->n_lines; i++) {
        holds = holds && text_equal(quote->lines[i]->total->currency_code, cart->input.currency);
        for (size_t j = 0; j < quote->lines[i]->n_adjustments; j++)
            holds = holds && text_equal(quote->lines[i]->adjustments[j]->amount->currency_code,
                                 cart->input.currency);
    }
    return holds;
}

static void test_list_is_unit_times_quantity(void)
{
    for_all(list_is_unit_times_quantity);
}

static void test_adjustments_explain_every_line(void)
{
    for_all(adjustments_explain_every_line);
}

static void test_parts_add_up_to_the_whole(void)
{
    for_all(parts_add_up_to_the_whole);
}

static void test_nothing_is_below_zero(void)
{
    for_all(nothing_is_below_zero);
}

static void test_same_input_gives_same_bytes(void)
{
    for_all(same_input_gives_same_bytes);
}

static void test_order_of_lines_changes_no_amount(void)
{
    for_all(order_of_lines_changes_no_amount);
}

static void test_order_of_codes_changes_nothing(void)
{
    for_all(order_of_codes_changes_nothing);
}

static void test_without_codes_the_list_is_paid(void)
{
    for_all(without_codes_the_list_is_paid);
}

static void test_one_code_more_never_costs_more(void)
{
    for_all(one_code_more_never_costs_more);
}

static void test_everything_off_leaves_nothing(void)
{
    for_all(everything_off_leaves_nothing);
}

static void test_a_line_stands_for_itself(void)
{
    for_all(a_line_stands_for_itself);
}

static void test_every_share_is_rounded_to_the_nearest(void)
{
    for_all(every_share_is_rounded_to_the_nearest);
}

static void test_only_matching_lines_are_touched(void)
{
    for_all(only_matching_lines_are_touched);
}

static void test_more_pieces_never_cost_less(void)
{
    for_all(more_pieces_never_cost_less);
}

static void test_shares_go_by_size(void)
{
    for_all(shares_go_by_size);
}

static void test_huge_amounts_are_exact_or_refused(void)
{
    for_all(huge_amounts_are_exact_or_refused);
}

static void test_all_amounts_are_in_one_currency(void)
{
    for_all(all_amounts_are_in_one_currency);
}

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        { "list_is_unit_times_quantity", test_list_is_unit_times_quantity },
        { "adjustments_explain_every_line", test_adjustments_explain_every_line },
        { "parts_add_up_to_the_whole", test_parts_add_up_to_the_whole },
        { "nothing_is_below_zero", test_nothing_is_below_zero },
        { "same_input_gives_same_bytes", test_same_input_gives_same_bytes },
        { "order_of_lines_changes_no_amount", test_order_of_lines_changes_no_amount },
        { "order_of_codes_changes_nothing", test_order_of_codes_changes_nothing },
        { "without_codes_the_list_is_paid", test_without_codes_the_list_is_paid },
        { "one_code_more_never_costs_more", test_one_code_more_never_costs_more },
        { "everything_off_leaves_nothing", test_everything_off_leaves_nothing },
        { "a_line_stands_for_itself", test_a_line_stands_for_itself },
        { "every_share_is_rounded_to_the_nearest", test_every_share_is_rounded_to_the_nearest },
        { "only_matching_lines_are_touched", test_only_matching_lines_are_touched },
        { "more_pieces_never_cost_less", test_more_pieces_never_cost_less },
        { "shares_go_by_size", test_shares_go_by_size },
        { "huge_amounts_are_exact_or_refused", test_huge_amounts_are_exact_or_refused },
        { "all_amounts_are_in_one_currency", test_all_amounts_are_in_one_currency },
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        { .pName = "pricing_properties", .pTests = tests },
        CU_SUITE_INFO_NULL,
    };

    return test_main("catalog_pricing_properties", suites, argc, argv);
}
