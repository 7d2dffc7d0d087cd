/* How far a price may be set by hand. */
#include "services/catalog/domain/override.h"

#include "shared/codec/message.h"
#include "shared/codec/types.h"
#include "tests/support/test_main.h"
#include "tests/unit/catalog/builders.h"

static Arena *arena;

static int open_arena(void)
{
    arena = arena_new();
    return 0;
}

static int close_arena(void)
{
    arena_free(arena);
    return 0;
}

/* A tenth, at most 5.00 EUR or 500 JPY, in "care" and "store". */
static OverrideLimit *a_limit(void)
{
    OverrideLimit *limit =
        message_new(arena, &throughline__catalog__v1__override_limit__descriptor);

    limit->name = text(arena, "overrideLimits/goodwill");
    limit->title = text(arena, "Goodwill");
    limit->max_basis_points = 1000;
    limit->channels = arena_array(arena, 2, sizeof(*limit->channels));
    limit->channels[limit->n_channels++] = text(arena, "care");
    limit->channels[limit->n_channels++] = text(arena, "store");
    limit->max_amounts = arena_array(arena, 2, sizeof(*limit->max_amounts));
    limit->max_amounts[limit->n_max_amounts++] = money_message(arena, "EUR", 500);
    limit->max_amounts[limit->n_max_amounts++] = money_message(arena, "JPY", 500);
    return limit;
}

static const Error *try(int64_t rule_minor, int64_t unit_minor)
{
    OverrideWish wish = { "tent", "care", "EUR", rule_minor, unit_minor };

    return override_check(a_limit(), &wish, arena);
}

static const char *lowest(const Error *error)
{
    for (size_t i = 0; error && i < error->n_facts; i++)
        if (text_equal(error->facts[i].key, "lowest"))
            return error->facts[i].value;
    return "";
}

static void a_price_within_the_share_and_the_amount_is_let_through(void)
{
    CHECK_TEXT(error_reason(try(2000, 1800)), "OK");
    CHECK_TEXT(error_reason(try(2000, 2000)), "OK");
    CHECK_TEXT(error_reason(try(10000, 9500)), "OK");
    CHECK_TEXT(error_reason(try(0, 0)), "OK");
}

static void a_price_below_is_refused_with_the_lowest_one(void)
{
    CHECK_TEXT(error_reason(try(2000, 1799)), "OVERRIDE_NOT_ALLOWED");
    CHECK_TEXT(lowest(try(2000, 1799)), "18.00 EUR");
    CHECK_TEXT(lowest(try(10000, 9499)), "95.00 EUR");
}

static void a_share_is_rounded_down(void)
{
    CHECK_TEXT(error_reason(try(15, 14)), "OK");
    CHECK_TEXT(error_reason(try(19, 17)), "OVERRIDE_NOT_ALLOWED");
    CHECK_TEXT(error_reason(try(5, 4)), "OVERRIDE_NOT_ALLOWED");
}

static void a_price_above_is_refused(void)
{
    CHECK_TEXT(error_reason(try(2000, 2001)), "OVERRIDE_NOT_ALLOWED");
}

static void without_a_limit_for_it_nobody_sets_a_price(void)
{
    OverrideWish wish = { "tent", "web", "EUR", 2000, 1900 };

    CHECK_TEXT(error_reason(override_check(NULL, &wish, arena)), "OVERRIDE_NOT_ALLOWED");
    CHECK_TEXT(error_reason(override_check(a_limit(), &wish, arena)), "OVERRIDE_NOT_ALLOWED");
    wish.channel = "store";
    CHECK_TEXT(error_reason(override_check(a_limit(), &wish, arena)), "OK");
    wish.currency = "USD";
    CHECK_TEXT(error_reason(override_check(a_limit(), &wish, arena)), "OVERRIDE_NOT_ALLOWED");
    wish.currency = "JPY";
    CHECK_TEXT(error_reason(override_check(a_limit(), &wish, arena)), "OK");
}

static void the_largest_prices_are_compared_without_overflow(void)
{
    CHECK_TEXT(error_reason(try(INT64_MAX, INT64_MAX - 500)), "OK");
    CHECK_TEXT(error_reason(try(INT64_MAX, INT64_MAX - 501)), "OVERRIDE_NOT_ALLOWED");
    CHECK_TEXT(error_reason(try(INT64_MAX, 0)), "OVERRIDE_NOT_ALLOWED");
}

static void a_good_limit_has_no_findings(void)
{
    Findings findings = { .arena = arena };

    override_limit_check(a_limit(), "limit", &findings);

    CHECK_INT(findings.n_items, 0);
}

static void every_bad_field_of_a_limit_is_named(void)
{
    Findings findings = { .arena = arena }, empty = { .arena = arena };
    OverrideLimit *limit = a_limit();

    limit->title = text(arena, "");
    limit->max_basis_points = 10001;
    limit->channels[1] = text(arena, "");
    limit->max_amounts[0] = money_message(arena, "JPY", 0);
    override_limit_check(limit, "limit", &findings);
    CHECK_INT(findings.n_items, 5);
    CU_ASSERT(has_finding(&findings, "limit.title"));
    CU_ASSERT(has_finding(&findings, "limit.max_basis_points"));
    CU_ASSERT(has_finding(&findings, "limit.channels[1]"));
    CU_ASSERT(has_finding(&findings, "limit.max_amounts[0]"));
    CU_ASSERT(has_finding(&findings, "limit.max_amounts[1]"));

    limit->n_channels = 0;
    limit->n_max_amounts = 0;
    override_limit_check(limit, "limit", &empty);
    CU_ASSERT(has_finding(&empty, "limit.channels"));
    CU_ASSERT(has_finding(&empty, "limit.max_amounts"));
}

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        { "a_price_within_the_share_and_the_amount_is_let_through",
            a_price_within_the_share_and_the_amount_is_let_through },
        { "a_price_below_is_refused_with_the_lowest_one",
            a_price_below_is_refused_with_the_lowest_one },
        { "a_share_is_rounded_down", a_share_is_rounded_down },
        { "a_price_above_is_refused", a_price_above_is_refused },
        { "without_a_limit_for_it_nobody_sets_a_price",
            without_a_limit_for_it_nobody_sets_a_price },
        { "the_largest_prices_are_compared_without_overflow",
            the_largest_prices_are_compared_without_overflow },
        { "a_good_limit_has_no_findings", a_good_limit_has_no_findings },
        { "every_bad_field_of_a_limit_is_named", every_bad_field_of_a_limit_is_named },
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        { .pName = "override",
            .pInitFunc = open_arena,
            .pCleanupFunc = close_arena,
            .pTests = tests },
        CU_SUITE_INFO_NULL,
    };

    return test_main("catalog_override", suites, argc, argv);
}
