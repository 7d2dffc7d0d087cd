#include "services/catalog/domain/promotion.h"

#include "shared/codec/types.h"
#include "tests/support/test_main.h"
#include "tests/unit/catalog/builders.h"

#include <string.h>

static void a_good_promotion_has_no_findings(void)
{
    Arena *arena = arena_new();
    Findings findings = { .arena = arena };
    Promotion *promotion = a_promotion(arena, "SPRING-10", 1000);

    promotion->start_time = timestamp_from_micros(arena, some_noon);
    promotion->end_time = timestamp_from_micros(arena, some_noon + 1);

    promotion_check(promotion, &findings);

    CHECK_INT(findings.n_items, 0);
    arena_free(arena);
}

static void every_bad_field_is_named(void)
{
    Arena *arena = arena_new();
    Findings findings = { .arena = arena };
    Promotion *promotion = a_promotion(arena, "spring", 10001);

    promotion->title = text(arena, "");
    promotion->category = text(arena, " > Tents");
    promotion->start_time = timestamp_from_micros(arena, some_noon);
    promotion->end_time = timestamp_from_micros(arena, some_noon);

    promotion_check(promotion, &findings);

    CHECK_INT(findings.n_items, 5);
    CU_ASSERT(has_finding(&findings, "promotion.title"));
    CU_ASSERT(has_finding(&findings, "promotion.code"));
    CU_ASSERT(has_finding(&findings, "promotion.basis_points"));
    CU_ASSERT(has_finding(&findings, "promotion.category"));
    CU_ASSERT(has_finding(&findings, "promotion.end_time"));
    arena_free(arena);
}

static void times_must_be_times(void)
{
    Arena *arena = arena_new();
    Findings findings = { .arena = arena };
    Promotion *promotion = a_promotion(arena, "SPRING", 1);

    promotion->start_time = timestamp_from_micros(arena, 0);
    promotion->start_time->nanos = -1;
    promotion->end_time = timestamp_from_micros(arena, 0);
    promotion->end_time->seconds = INT64_MAX;

    promotion_check(promotion, &findings);

    CHECK_INT(findings.n_items, 2);
    CU_ASSERT(has_finding(&findings, "promotion.start_time"));
    CU_ASSERT(has_finding(&findings, "promotion.end_time"));
    arena_free(arena);
}

static void codes_are_capitals_digits_and_dashes(void)
{
    static const char *const good[] = { "ABC", "10-OFF", "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345" };
    static const char *const bad[] = { "", "AB", "abc", "A B C", "ÄBC",
        "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456" };

    for (size_t i = 0; i < COUNT(good); i++)
        CU_ASSERT(promotion_code_is_valid(good[i]));
    for (size_t i = 0; i < COUNT(bad); i++)
        CU_ASSERT(!promotion_code_is_valid(bad[i]));
}

static void it_applies_from_its_start_until_before_its_end(void)
{
    Arena *arena = arena_new();
    Promotion *promotion = a_promotion(arena, "SPRING", 1000);

    promotion->start_time = timestamp_from_micros(arena, some_noon);
    promotion->end_time = timestamp_from_micros(arena, some_noon + 1000000);

    CHECK_TEXT(
        promotion_refusal(promotion, some_noon - 1, arena), "it starts at 2026-01-01T12:00:00Z");
    CU_ASSERT_PTR_NULL(promotion_refusal(promotion, some_noon, arena));
    CU_ASSERT_PTR_NULL(promotion_refusal(promotion, some_noon + 999999, arena));
    CHECK_TEXT(promotion_refusal(promotion, some_noon + 1000000, arena),
        "it ended at 2026-01-01T12:00:01Z");
    arena_free(arena);
}

static void ending_takes_effect_at_once_and_once(void)
{
    Arena *arena = arena_new();
    Promotion *promotion = a_promotion(arena, "SPRING", 1000);

    CU_ASSERT(promotion_end(promotion, some_noon, arena));

    CHECK_INT(timestamp_to_micros(promotion->end_time), some_noon);
    CU_ASSERT_PTR_NOT_NULL(promotion_refusal(promotion, some_noon, arena));
    CU_ASSERT(!promotion_end(promotion, some_noon + 5, arena));
    CHECK_INT(timestamp_to_micros(promotion->end_time), some_noon);
    arena_free(arena);
}

static void an_end_in_the_future_is_brought_forward(void)
{
    Arena *arena = arena_new();
    Promotion *promotion = a_promotion(arena, "SPRING", 1000);

    promotion->end_time = timestamp_from_micros(arena, some_noon + 5);

    CU_ASSERT(promotion_end(promotion, some_noon, arena));
    CHECK_INT(timestamp_to_micros(promotion->end_time), some_noon);
    arena_free(arena);
}

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        { "a_good_promotion_has_no_findings", a_good_promotion_has_no_findings },
        { "every_bad_field_is_named", every_bad_field_is_named },
        { "times_must_be_times", times_must_be_times },
        { "codes_are_capitals_digits_and_dashes", codes_are_capitals_digits_and_dashes },
        { "it_applies_from_its_start_until_before_its_end",
            it_applies_from_its_start_until_before_its_end },
        { "ending_takes_effect_at_once_and_once", ending_takes_effect_at_once_and_once },
        { "an_end_in_the_future_is_brought_forward", an_end_in_the_future_is_brought_forward },
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        { .pName = "promotion", .pTests = tests },
        CU_SUITE_INFO_NULL,
    };

    return test_main("catalog_promotion", suites, argc, argv);
}
