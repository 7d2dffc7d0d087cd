/* Money: integers in minor units, 128 bits in between, no rounding but where it is asked for. */
#include "shared/base/money.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

__extension__ typedef __int128 Wide;

enum { NANO_DIGITS = 9, MAX_NANOS = 999999999, CODE_LENGTH = 3 };

/* ISO 4217 by number of digits: what is in use, and funds codes; no metals and no test codes. */
static const struct {
    int digits;
    const char *codes;
} currencies[] = {
    { 2, "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BOV BRL BSD "
         "BTN BWP BYN BZD CAD CDF CHE CHF CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP "
         "ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR "
         "JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU "
         "MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR "
         "RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS "
         "TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG" },
    { 0, "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF" },
    { 3, "BHD IQD JOD KWD LYD OMR TND" },
    { 4, "CLF UYW" },
};

static int compare_codes(const void *a, const void *b)
{
    return memcmp(a, b, CODE_LENGTH);
}

/* Codes stand in their order, each with one character behind it. */
static bool is_listed(const char *codes, const char *currency)
{
    size_t n_codes = (strlen(codes) + 1) / (CODE_LENGTH + 1);

    return bsearch(currency, codes, n_codes, CODE_LENGTH + 1, compare_codes);
}

int money_digits(const char *currency)
{
    if (!currency || strlen(currency) != CODE_LENGTH)
        return -1;
    for (size_t i = 0; i < sizeof(currencies) / sizeof(currencies[0]); i++)
        if (is_listed(currencies[i].codes, currency))
            return currencies[i].digits;
    return -1;
}

static int64_t power_of_ten(int exponent)
{
    int64_t power = 1;

    while (exponent-- > 0)
        power *= 10;
    return power;
}

bool money_add(int64_t a, int64_t b, int64_t *result)
{
    int64_t sum;

    if (__builtin_add_overflow(a, b, &sum))
        return false;
    *result = sum;
    return true;
}

bool money_multiply(int64_t minor, int64_t factor, int64_t *result)
{
    int64_t product;

    if (__builtin_mul_overflow(minor, factor, &product))
        return false;
    *result = product;
    return true;
}

bool money_scale(int64_t minor, int64_t numerator, int64_t denominator, int64_t *result)
{
    Wide product = (Wide)minor * numerator;
    Wide divisor = denominator;
    Wide quotient;
    Wide remainder;

    assert(denominator != 0);
    if (divisor < 0) {
        product = -product;
        divisor = -divisor;
    }
    quotient = product / divisor;
    remainder = product % divisor;
    if (2 * (remainder < 0 ? -remainder : remainder) >= divisor)
        quotient += product < 0 ? -1 : 1;
    if (quotient < INT64_MIN || quotient > INT64_MAX)
        return false;
    *result = (int64_t)quotient;
    return true;
}

typedef struct Remainder {
    Wide size;
    int index;
} Remainder;

/* Largest first, ties to the lower index. */
static int compare_remainders(const void *left, const void *right)
{
    const Remainder *a = left;
    const Remainder *b = right;

    if (a->size != b->size)
        return a->size > b->size ? -1 : 1;
    return a->index < b->index ? -1 : 1;
}

void money_split(int64_t total, const int64_t *weights, int64_t *parts, int n)
{
    Remainder *remainders;
    bool is_even;
    Wide sum = 0;
    Wide left = total;

    assert(n >= 1);
    remainders = calloc((size_t)n, sizeof(*remainders));
    if (!remainders)
        abort();
    for (int i = 0; i < n; i++) {
        assert(weights[i] >= 0);
        sum += weights[i];
    }
    is_even = sum == 0;
    if (is_even)
        sum = n;
    for (int i = 0; i < n; i++) {
        Wide share = (Wide)total * (is_even ? 1 : weights[i]);
        Wide remainder = share % sum;

        parts[i] = (int64_t)(share / sum);
        left -= parts[i];
        remainders[i] = (Remainder){ remainder < 0 ? -remainder : remainder, i };
    }
    /* Less than one unit is left for each part with a remainder: none without one gets any. */
    qsort(remainders, (size_t)n, sizeof(*remainders), compare_remainders);
    for (int i = 0; left != 0; i++) {
        int step = left < 0 ? -1 : 1;

        parts[remainders[i].index] += step;
        left -= step;
    }
    free(remainders);
}

bool money_from_units(const char *currency, int64_t units, int32_t nanos, int64_t *minor)
{
    int digits = money_digits(currency);
    int64_t nanos_per_minor;
    Wide value;

    if (digits < 0 || nanos > MAX_NANOS || nanos < -MAX_NANOS || (units > 0 && nanos < 0) ||
        (units < 0 && nanos > 0))
        return false;
    nanos_per_minor = power_of_ten(NANO_DIGITS - digits);
    if (nanos % nanos_per_minor)
        return false;
    value = (Wide)units * power_of_ten(digits) + nanos / nanos_per_minor;
    if (value < INT64_MIN || value > INT64_MAX)
        return false;
    *minor = (int64_t)value;
    return true;
}

void money_to_units(const char *currency, int64_t minor, int64_t *units, int32_t *nanos)
{
    int digits = money_digits(currency);
    int64_t minor_per_unit;

    assert(digits >= 0);
    minor_per_unit = power_of_ten(digits);
    *units = minor / minor_per_unit;
    *nanos = (int32_t)(minor % minor_per_unit * power_of_ten(NANO_DIGITS - digits));
}

bool money_parse(const char *currency, const char *text, int64_t *minor)
{
    int digits = money_digits(currency);
    bool is_negative = text && *text == '-';
    int64_t value = 0;
    int n_whole = 0;
    int n_fraction = -1; /* -1: no point yet */

    if (digits < 0 || !text)
        return false;
    for (text += is_negative; *text; text++) {
        if (*text == '.' && n_whole > 0 && n_fraction < 0) {
            n_fraction = 0;
            continue;
        }
        if (*text < '0' || *text > '9' || n_fraction == digits)
            return false;
        if (n_fraction < 0)
            n_whole++;
        else
            n_fraction++;
        /* Down from zero: the lowest amount has no positive counterpart. */
        if (!money_multiply(value, 10, &value) || !money_add(value, -(*text - '0'), &value))
            return false;
    }
    if (n_whole == 0 || n_fraction == 0)
        return false;
    if (n_fraction < 0)
        n_fraction = 0;
    return money_multiply(value, power_of_ten(digits - n_fraction), &value) &&
           money_multiply(value, is_negative ? 1 : -1, minor);
}

/* Written from the right, so that the zeros behind the point come by themselves. */
char *money_format(const char *currency, int64_t minor, char out[MONEY_TEXT_SIZE])
{
    int digits = money_digits(currency);
    uint64_t left = minor < 0 ? 0 - (uint64_t)minor : (uint64_t)minor;
    char amount[MONEY_TEXT_SIZE - CODE_LENGTH - 1];
    char *start = amount + sizeof(amount) - 1;

    assert(digits >= 0);
    *start = '\0';
    for (int n = 0; left > 0 || n <= digits; n++, left /= 10) {
        if (n > 0 && n == digits)
            *--start = '.';
        *--start = (char)('0' + left % 10);
    }
    if (minor < 0)
        *--start = '-';
    snprintf(out, MONEY_TEXT_SIZE, "%s %s", start, currency);
    return out;
}
