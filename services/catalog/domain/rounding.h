/* Exact shares and how they are rounded: 128 bits in between, never floating point. */
#ifndef THROUGHLINE_CATALOG_ROUNDING_H
#define THROUGHLINE_CATALOG_ROUNDING_H

#include <stdbool.h>
#include <stdint.h>

__extension__ typedef __int128 Wide;

typedef enum Rounding { ROUND_HALF_UP, ROUND_HALF_EVEN, ROUND_HALF_DOWN } Rounding;

enum { ROUNDING_MILLIONTHS = 1000000 };

/* numerator ÷ denominator, neither negative, to a whole number that fits; *excess is how much more
 * than exact that is, in millionths, cut off. `excess` may be NULL. */
int64_t round_share(Rounding rounding, Wide numerator, Wide denominator, int32_t *excess);

/* numerator ÷ denominator, neither negative, up to the next whole number; INT64_MAX when it does
 * not fit. */
int64_t round_up(Wide numerator, Wide denominator);

#endif
