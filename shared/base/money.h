/* Money as int64 minor units of a currency (ISO 4217). Never floating point; every sum is
 * checked. */
#ifndef THROUGHLINE_BASE_MONEY_H
#define THROUGHLINE_BASE_MONEY_H

#include <stdbool.h>
#include <stdint.h>

/* Digits behind the decimal point: EUR 2, JPY 0, KWD 3; -1 when the code is not an ISO 4217
 * currency. */
int money_digits(const char *currency);

/* False when the result does not fit; *result is then unchanged. */
bool money_add(int64_t a, int64_t b, int64_t *result);
bool money_multiply(int64_t minor, int64_t factor, int64_t *result);

/* minor × numerator ÷ denominator, rounded half away from zero, with a 128-bit intermediate. */
bool money_scale(int64_t minor, int64_t numerator, int64_t denominator, int64_t *result);

/* Splits `total` in proportion to the weights so that the parts add up to the total exactly:
 * largest remainder method, ties to the lower index. Weights are >= 0; all zero splits evenly. n >=
 * 1. */
void money_split(int64_t total, const int64_t *weights, int64_t *parts, int n);

/* google.type.Money to minor units and back. False when the currency is unknown, the signs of units
 * and nanos differ, |nanos| > 999999999, there are more digits than the currency has, or it does
 * not fit. */
bool money_from_units(const char *currency, int64_t units, int32_t nanos, int64_t *minor);
void money_to_units(const char *currency, int64_t minor, int64_t *units, int32_t *nanos);

/* "12.50", "-0.05", "1200" → minor units; false on anything else or too many digits. */
bool money_parse(const char *currency, const char *text, int64_t *minor);

/* "12.50 EUR" into out, which needs 40 bytes; returns out. */
enum { MONEY_TEXT_SIZE = 40 };
char *money_format(const char *currency, int64_t minor, char out[MONEY_TEXT_SIZE]);

#endif
