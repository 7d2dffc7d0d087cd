#include "services/catalog/domain/rounding.h"

#include <assert.h>
#include <stddef.h>

int64_t round_share(Rounding rounding, Wide numerator, Wide denominator, int32_t *excess)
{
    Wide quotient = numerator / denominator;
    Wide remainder = numerator % denominator;
    Wide rest = denominator - remainder;
    bool is_up = remainder > rest;

    assert(numerator >= 0 && denominator > 0);
    if (remainder == rest)
        is_up = rounding == ROUND_HALF_UP || (rounding == ROUND_HALF_EVEN && quotient % 2 == 1);
    /* The remainder is cut to 64 bits' worth first, so that the product fits. */
    if (excess) {
        Wide scale = denominator;
        Wide part = is_up ? rest : remainder;

        while (scale > INT64_MAX) {
            scale /= 2;
            part /= 2;
        }
        *excess = (int32_t)(part * ROUNDING_MILLIONTHS / scale) * (is_up ? 1 : -1);
    }
    quotient += is_up;
    assert(quotient <= INT64_MAX);
    return (int64_t)quotient;
}

int64_t round_up(Wide numerator, Wide denominator)
{
    Wide quotient = numerator / denominator + (numerator % denominator != 0);

    return quotient > INT64_MAX ? INT64_MAX : (int64_t)quotient;
}
