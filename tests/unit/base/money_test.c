#include "shared/base/money.h"

#include "shared/base/text.h"
#include "tests/support/test_main.h"

#include <stdlib.h>
#include <string.h>

__extension__ typedef __int128 Wide;

static const int64_t untouched = 4711;

/* A number of any size, both signs and the extremes included. */
static int64_t any_number(unsigned *seed)
{
    uint64_t bits = 0;

    for (int i = 0; i < 5; i++)
        bits = bits << 15 | (uint64_t)(rand_r(seed) & 0x7fff);
    switch (rand_r(seed) % 20) {
    case 0:
        return INT64_MAX;
    case 1:
        return INT64_MIN;
    case 2:
        return 0;
    default:
        return (int64_t)bits >> (rand_r(seed) % 64);
    }
}

static void currencies_have_their_digits(void)
{
    CHECK_INT(money_digits("EUR"), 2);
    CHECK_INT(money_digits("USD"), 2);
    CHECK_INT(money_digits("AED"), 2);
    CHECK_INT(money_digits("ZWG"), 2);
    CHECK_INT(money_digits("JPY"), 0);
    CHECK_INT(money_digits("XPF"), 0);
    CHECK_INT(money_digits("BHD"), 3);
    CHECK_INT(money_digits("KWD"), 3);
    CHECK_INT(money_digits("CLF"), 4);
    CHECK_INT(money_digits("UYW"), 4);
}

static void what_is_not_a_currency_has_none(void)
{
    static const char *const bad[] = { "", "EU", "EURO", "eur", "XXX", "XAU", "UR ", "R G", "ABC",
        " EU", "D AF" };

    for (size_t i = 0; i < COUNT(bad); i++)
        CHECK_INT(money_digits(bad[i]), -1);
    CHECK_INT(money_digits(NULL), -1);
}

/* Each is found where it stands in the tables. */
static void all_currencies_are_known(void)
{
    int known = 0;
    char code[4] = "AAA";

    for (int i = 0; i < 26 * 26 * 26; i++) {
        code[0] = (char)('A' + i / 676);
        code[1] = (char)('A' + i / 26 % 26);
        code[2] = (char)('A' + i % 26);
        known += money_digits(code) >= 0;
    }
    CHECK_INT(known, 140 + 17 + 7 + 2);
}

static void sums_and_products_that_do_not_fit_are_refused(void)
{
    int64_t result = untouched;

    CU_ASSERT(!money_add(INT64_MAX, 1, &result));
    CU_ASSERT(!money_add(INT64_MIN, -1, &result));
    CU_ASSERT(!money_multiply(INT64_MAX, 2, &result));
    CU_ASSERT(!money_multiply(INT64_MIN, -1, &result));
    CU_ASSERT(!money_multiply(INT64_C(1) << 40, INT64_C(1) << 40, &result));
    CHECK_INT(result, untouched);
    CU_ASSERT(money_add(INT64_MAX, INT64_MIN, &result));
    CHECK_INT(result, -1);
    CU_ASSERT(money_multiply(-1999, 3, &result));
    CHECK_INT(result, -5997);
}

static void scaling_rounds_half_away_from_zero(void)
{
    static const struct {
        int64_t minor, numerator, denominator, expected;
    } cases[] = { { 5, 1, 2, 3 }, { -5, 1, 2, -3 }, { 5, -1, 2, -3 }, { 5, 1, -2, -3 },
        { -5, 1, -2, 3 }, { 1, 1, 3, 0 }, { 2, 1, 3, 1 }, { -1, 1, 3, 0 }, { -2, 1, 3, -1 },
        { 1999, 19, 100, 380 }, { 1050, 5, 100, 53 }, { 1049, 5, 100, 52 }, { 0, 7, 9, 0 },
        { INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX }, { INT64_MIN, 1, 1, INT64_MIN },
        { INT64_MIN, INT64_MIN, INT64_MIN, INT64_MIN }, { 1, INT64_MIN, INT64_MIN, 1 },
        { 1, INT64_MAX, INT64_MIN, -1 }, { 1, 1, INT64_MIN, 0 } };

    for (size_t i = 0; i < COUNT(cases); i++) {
        int64_t result = untouched;

        CU_ASSERT(money_scale(cases[i].minor, cases[i].numerator, cases[i].denominator, &result));
        CHECK_INT(result, cases[i].expected);
    }
}

static void scaling_beyond_the_range_is_refused(void)
{
    int64_t result = untouched;

    CU_ASSERT(!money_scale(INT64_MAX, 2, 1, &result));
    CU_ASSERT(!money_scale(INT64_MIN, 1, -1, &result));
    CU_ASSERT(!money_scale(INT64_MIN, INT64_MIN, 1, &result));
    CU_ASSERT(!money_scale(INT64_MAX, 3, 2, &result));
    CHECK_INT(result, untouched);
}

/* |exact - result| <= 1/2, and = 1/2 only away from zero. */
static void scaling_is_never_off_by_more_than_half(void)
{
    unsigned seed = 1;

    for (int round = 0; round < 200000; round++) {
        int64_t minor = any_number(&seed);
        int64_t numerator = any_number(&seed) >> 20;
        int64_t denominator = any_number(&seed) >> 10;
        int64_t result;
        Wide product = (Wide)minor * numerator;
        Wide miss;

        if (denominator == 0 || !money_scale(minor, numerator, denominator, &result))
            continue;
        miss = 2 * (product - (Wide)result * denominator);
        if (denominator < 0) {
            miss = -miss;
            product = -product;
        }
        if (miss > (denominator < 0 ? -(Wide)denominator : (Wide)denominator) ||
            miss < (denominator < 0 ? (Wide)denominator : -(Wide)denominator))
            CHECK_INT(round, -1);
        if (miss == (denominator < 0 ? -(Wide)denominator : (Wide)denominator) && product > 0)
            CHECK_INT(round, -2);
    }
}

static void check_split(int64_t total, const int64_t *weights, int n, const int64_t *expected)
{
    int64_t parts[8];

    money_split(total, weights, parts, n);
    for (int i = 0; i < n; i++)
        CHECK_INT(parts[i], expected[i]);
}

static void a_split_gives_the_rest_to_the_largest_remainders(void)
{
    check_split(100, (int64_t[]){ 1, 1, 1 }, 3, (int64_t[]){ 34, 33, 33 });
    check_split(-100, (int64_t[]){ 1, 1, 1 }, 3, (int64_t[]){ -34, -33, -33 });
    check_split(10, (int64_t[]){ 1, 2, 4 }, 3, (int64_t[]){ 1, 3, 6 });
    check_split(5, (int64_t[]){ 0, 1, 0, 1 }, 4, (int64_t[]){ 0, 3, 0, 2 });
    check_split(1, (int64_t[]){ 1, 1, 1, 2 }, 4, (int64_t[]){ 0, 0, 0, 1 });
    check_split(0, (int64_t[]){ 3, 4 }, 2, (int64_t[]){ 0, 0 });
    check_split(7, (int64_t[]){ 9 }, 1, (int64_t[]){ 7 });
}

static void a_split_without_weights_is_even(void)
{
    check_split(11, (int64_t[]){ 0, 0, 0 }, 3, (int64_t[]){ 4, 4, 3 });
    check_split(-1, (int64_t[]){ 0, 0 }, 2, (int64_t[]){ -1, 0 });
}

static void a_split_takes_the_largest_numbers(void)
{
    int64_t half = INT64_MAX / 2;

    check_split(INT64_MAX, (int64_t[]){ INT64_MAX, INT64_MAX }, 2, (int64_t[]){ half + 1, half });
    check_split(
        INT64_MIN, (int64_t[]){ INT64_MAX, INT64_MAX }, 2, (int64_t[]){ -half - 1, -half - 1 });
    check_split(INT64_MIN, (int64_t[]){ 0, INT64_MAX }, 2, (int64_t[]){ 0, INT64_MIN });
}

/* Parts add up exactly; each is its share rounded down or up; and no smaller remainder went
 * first. */
static void check_split_of(int64_t total, const int64_t *weights, int n, int round)
{
    int64_t parts[40];
    Wide sum = 0;
    Wide weight_sum = 0;
    Wide lowest_rounded_up = -1;
    Wide highest_rounded_down = -1;

    money_split(total, weights, parts, n);
    for (int i = 0; i < n; i++) {
        sum += parts[i];
        weight_sum += weights[i];
    }
    if (sum != total)
        CHECK_INT(round, -1);
    if (weight_sum == 0)
        return;
    for (int i = 0; i < n; i++) {
        Wide share = (Wide)(total < 0 ? -(Wide)total : total) * weights[i];
        Wide part = parts[i] < 0 ? -(Wide)parts[i] : parts[i];
        Wide remainder = share % weight_sum;
        Wide extra = part - share / weight_sum;

        if (extra < 0 || extra > 1 || (extra == 1 && remainder == 0))
            CHECK_INT(round, -2);
        if (extra == 1 && (lowest_rounded_up < 0 || remainder < lowest_rounded_up))
            lowest_rounded_up = remainder;
        if (extra == 0 && remainder > highest_rounded_down)
            highest_rounded_down = remainder;
    }
    if (lowest_rounded_up >= 0 && lowest_rounded_up < highest_rounded_down)
        CHECK_INT(round, -3);
}

static void every_split_is_exact_and_fair(void)
{
    unsigned seed = 42;

    for (int round = 0; round < 20000; round++) {
        int n = rand_r(&seed) % 40 + 1;
        int64_t weights[40];

        for (int i = 0; i < n; i++) {
            int64_t weight = any_number(&seed);

            weights[i] = weight == INT64_MIN ? INT64_MAX : llabs(weight);
            if (rand_r(&seed) % 5 == 0)
                weights[i] = rand_r(&seed) % 3;
        }
        check_split_of(any_number(&seed), weights, n, round);
    }
}

static void units_become_minor_units(void)
{
    int64_t minor = untouched;

    CU_ASSERT(money_from_units("EUR", 12, 500000000, &minor));
    CHECK_INT(minor, 1250);
    CU_ASSERT(money_from_units("EUR", -1, -10000000, &minor));
    CHECK_INT(minor, -101);
    CU_ASSERT(money_from_units("EUR", 0, -50000000, &minor));
    CHECK_INT(minor, -5);
    CU_ASSERT(money_from_units("JPY", 1200, 0, &minor));
    CHECK_INT(minor, 1200);
    CU_ASSERT(money_from_units("KWD", 1, 1000000, &minor));
    CHECK_INT(minor, 1001);
    CU_ASSERT(money_from_units("CLF", 1, 100000, &minor));
    CHECK_INT(minor, 10001);
    CU_ASSERT(money_from_units("EUR", INT64_C(-92233720368547758), -80000000, &minor));
    CU_ASSERT(minor == INT64_MIN);
}

static void units_that_make_no_amount_are_refused(void)
{
    int64_t minor = untouched;

    CU_ASSERT(!money_from_units("XXX", 1, 0, &minor));
    CU_ASSERT(!money_from_units("EUR", 1, -10000000, &minor));
    CU_ASSERT(!money_from_units("EUR", -1, 10000000, &minor));
    CU_ASSERT(!money_from_units("EUR", 0, 1000000000, &minor));
    CU_ASSERT(!money_from_units("EUR", 0, INT32_MIN, &minor));
    CU_ASSERT(!money_from_units("EUR", 0, 1, &minor));
    CU_ASSERT(!money_from_units("EUR", 0, 5000000, &minor));
    CU_ASSERT(!money_from_units("JPY", 1, 500000000, &minor));
    CU_ASSERT(!money_from_units("EUR", INT64_MAX, 0, &minor));
    CU_ASSERT(!money_from_units("EUR", INT64_C(92233720368547758), 80000000, &minor));
    CHECK_INT(minor, untouched);
}

static void every_amount_survives_units_and_text(void)
{
    static const char *const currencies[] = { "EUR", "JPY", "KWD", "CLF" };
    unsigned seed = 7;

    for (int round = 0; round < 20000; round++) {
        const char *currency = currencies[round % 4];
        int64_t minor = any_number(&seed);
        int64_t units;
        int32_t nanos;
        int64_t back = untouched;
        char text[MONEY_TEXT_SIZE];

        money_to_units(currency, minor, &units, &nanos);
        CU_ASSERT_FATAL(money_from_units(currency, units, nanos, &back));
        CHECK_INT(back, minor);

        money_format(currency, minor, text);
        *strchr(text, ' ') = '\0';
        CU_ASSERT_FATAL(money_parse(currency, text, &back));
        CHECK_INT(back, minor);
    }
}

static void amounts_are_read_from_text(void)
{
    static const struct {
        const char *currency, *text;
        int64_t expected;
    } cases[] = { { "EUR", "12.50", 1250 }, { "EUR", "-0.05", -5 }, { "EUR", "1200", 120000 },
        { "EUR", "12.5", 1250 }, { "JPY", "1200", 1200 }, { "KWD", "0.001", 1 }, { "EUR", "-0", 0 },
        { "EUR", "007.10", 710 }, { "EUR", "92233720368547758.07", INT64_MAX },
        { "EUR", "-92233720368547758.08", INT64_MIN } };

    for (size_t i = 0; i < COUNT(cases); i++) {
        int64_t minor = untouched;

        CU_ASSERT(money_parse(cases[i].currency, cases[i].text, &minor));
        CHECK_INT(minor, cases[i].expected);
    }
}

static void what_is_not_an_amount_is_refused(void)
{
    static const char *const bad[] = { "", "-", ".", ".5", "5.", "-.5", "+5", " 5", "5 ", "1,50",
        "1.5.0", "1.505", "1e3", "0x10", "--5", "5-", "92233720368547758.08",
        "-92233720368547758.09", "99999999999999999999", "12.50 EUR" };
    int64_t minor = untouched;

    for (size_t i = 0; i < COUNT(bad); i++)
        if (money_parse("EUR", bad[i], &minor))
            CHECK_TEXT(bad[i], "refused");
    CU_ASSERT(!money_parse("JPY", "1.0", &minor));
    CU_ASSERT(!money_parse("XXX", "1", &minor));
    CU_ASSERT(!money_parse("EUR", NULL, &minor));
    CHECK_INT(minor, untouched);
}

static void amounts_are_written_with_all_their_digits(void)
{
    char text[MONEY_TEXT_SIZE];

    CHECK_TEXT(money_format("EUR", 1250, text), "12.50 EUR");
    CHECK_TEXT(money_format("EUR", -5, text), "-0.05 EUR");
    CHECK_TEXT(money_format("EUR", 0, text), "0.00 EUR");
    CHECK_TEXT(money_format("JPY", 0, text), "0 JPY");
    CHECK_TEXT(money_format("JPY", -1200, text), "-1200 JPY");
    CHECK_TEXT(money_format("KWD", 1, text), "0.001 KWD");
    CHECK_TEXT(money_format("CLF", INT64_MIN, text), "-922337203685477.5808 CLF");
    CHECK_TEXT(money_format("JPY", INT64_MIN, text), "-9223372036854775808 JPY");
}

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        { "currencies_have_their_digits", currencies_have_their_digits },
        { "all_currencies_are_known", all_currencies_are_known },
        { "what_is_not_a_currency_has_none", what_is_not_a_currency_has_none },
        { "sums_and_products_that_do_not_fit_are_refused",
            sums_and_products_that_do_not_fit_are_refused },
        { "scaling_rounds_half_away_from_zero", scaling_rounds_half_away_from_zero },
        { "scaling_beyond_the_range_is_refused", scaling_beyond_the_range_is_refused },
        { "scaling_is_never_off_by_more_than_half", scaling_is_never_off_by_more_than_half },
        { "a_split_gives_the_rest_to_the_largest_remainders",
            a_split_gives_the_rest_to_the_largest_remainders },
        { "a_split_without_weights_is_even", a_split_without_weights_is_even },
        { "a_split_takes_the_largest_numbers", a_split_takes_the_largest_numbers },
        { "every_split_is_exact_and_fair", every_split_is_exact_and_fair },
        { "units_become_minor_units", units_become_minor_units },
        { "units_that_make_no_amount_are_refused", units_that_make_no_amount_are_refused },
        { "every_amount_survives_units_and_text", every_amount_survives_units_and_text },
        { "amounts_are_read_from_text", amounts_are_read_from_text },
        { "what_is_not_an_amount_is_refused", what_is_not_an_amount_is_refused },
        { "amounts_are_written_with_all_their_digits", amounts_are_written_with_all_their_digits },
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        { .pName = "money", .pTests = tests },
        CU_SUITE_INFO_NULL,
    };

    return test_main("base_money", suites, argc, argv);
}
