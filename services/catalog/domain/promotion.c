#include "services/catalog/domain/promotion.h"

#include "shared/base/clock.h"
#include "shared/codec/types.h"

#include <string.h>

bool promotion_code_is_valid(const char *code)
{
    size_t length = strspn(code, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-");

    return !code[length] && length >= PROMOTION_MIN_CODE && length <= PROMOTION_MAX_CODE;
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
    const char *path;

    for (size_t i = 0; (path = product_path(product, i)); i++)
        if (category_contains(promotion->category, path))
            return true;
    return false;
}

bool promotion_is_limited(const Promotion *promotion)
{
    return promotion->total_limit > 0 || promotion->customer_limit > 0 || promotion->budget ||
           promotion->customer_budget;
}

bool promotion_end(Promotion *promotion, int64_t now, Arena *arena)
{
    if (promotion->end_time && timestamp_to_micros(promotion->end_time) <= now)
        return false;
    promotion->end_time = timestamp_from_micros(arena, now);
    return true;
}
