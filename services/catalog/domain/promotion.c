#include "services/catalog/domain/promotion.h"

#include "shared/base/clock.h"
#include "shared/codec/types.h"

#include <string.h>

bool promotion_code_is_valid(const char *code)
{
    size_t length = strspn(code, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-");

    return !code[length] && length >= PROMOTION_MIN_CODE && length <= PROMOTION_MAX_CODE;
}

static void check_time(
    Findings *findings, const char *field, const Google__Protobuf__Timestamp *time)
{
    if (time && !timestamp_is_valid(time))
        findings_add(findings, field, "is not a time in the years 1 to 9999");
}

void promotion_check(const Promotion *promotion, Findings *findings)
{
    size_t title_length = text_length(promotion->title);

    if (title_length < 1 || title_length > PROMOTION_MAX_TITLE)
        findings_add(findings, "promotion.title", "must have 1 to %d characters, has %zu",
            PROMOTION_MAX_TITLE, title_length);
    if (!promotion_code_is_valid(promotion->code))
        findings_add(findings, "promotion.code", "must be %d to %d characters of [A-Z0-9-]",
            PROMOTION_MIN_CODE, PROMOTION_MAX_CODE);
    if (promotion->basis_points < 1 || promotion->basis_points > PROMOTION_WHOLE)
        findings_add(findings, "promotion.basis_points", "must be 1 to %d", PROMOTION_WHOLE);
    if (!category_is_valid(promotion->category))
        findings_add(findings, "promotion.category",
            "must be parts joined by \" > \", at most %d characters together",
            PRODUCT_MAX_CATEGORY);
    check_time(findings, "promotion.start_time", promotion->start_time);
    check_time(findings, "promotion.end_time", promotion->end_time);
    if (promotion->start_time && promotion->end_time &&
        timestamp_to_micros(promotion->start_time) >= timestamp_to_micros(promotion->end_time))
        findings_add(findings, "promotion.end_time", "must be after start_time");
}

const char *promotion_refusal(const Promotion *promotion, int64_t now, Arena *arena)
{
    if (promotion->start_time && now < timestamp_to_micros(promotion->start_time))
        return arena_printf(arena, "it starts at %s",
            clock_format(arena, timestamp_to_micros(promotion->start_time)));
    if (promotion->end_time && now >= timestamp_to_micros(promotion->end_time))
        return arena_printf(
            arena, "it ended at %s", clock_format(arena, timestamp_to_micros(promotion->end_time)));
    return NULL;
}

bool promotion_matches(const Promotion *promotion, const Product *product)
{
    return category_contains(promotion->category, product->category);
}

bool promotion_end(Promotion *promotion, int64_t now, Arena *arena)
{
    if (promotion->end_time && timestamp_to_micros(promotion->end_time) <= now)
        return false;
    promotion->end_time = timestamp_from_micros(arena, now);
    return true;
}
