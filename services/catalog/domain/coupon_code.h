/* Codes of coupons without a list of them: a code is its number, scrambled by the campaign's key,
 * so that whoever has the key reads the number back and nobody else can guess a code that has one.
 *
 * 24 bits of number and 36 zero bits go through a Feistel network of 8 rounds over SipHash-2-4 (Luby
 * and Rackoff 1988) and are written as 12 characters of 5 bits: a guess hits one of a million codes
 * with a probability of 1 in 10^12. In a code that is one customer's the last 24 of the zero bits are a tie to the customer's name:
 * for that customer a guess hits as rarely, and of 10^7 others none may use the code. */
#ifndef THROUGHLINE_CATALOG_COUPON_CODE_H
#define THROUGHLINE_CATALOG_COUPON_CODE_H

#include "shared/base/arena.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    COUPON_KEY = 16,
    COUPON_MAX_NUMBER = 10000000,
    COUPON_LETTERS = 12,
    COUPON_MIN_PREFIX = 2,
    COUPON_MAX_PREFIX = 16,
    COUPON_UNTIED = 0,
};

/* Ties a code to a customer; never COUPON_UNTIED. */
uint32_t coupon_tie(const uint8_t key[COUPON_KEY], const char *customer);

/* "PREFIX-7KQ2M9XA4B0C" for a number from 1 to COUPON_MAX_NUMBER. */
char *coupon_code(
    const uint8_t key[COUPON_KEY], const char *prefix, int64_t number, uint32_t tie, Arena *arena);

/* The prefix of what has the shape of such a code, NULL for all else. */
const char *coupon_prefix(const char *code, Arena *arena);

/* The number of a code that has such a shape, and its tie; 0 when this key did not make it. */
int64_t coupon_number(const uint8_t key[COUPON_KEY], const char *code, uint32_t *tie);

/* COUPON_MIN_PREFIX to COUPON_MAX_PREFIX of [A-Z0-9]. */
bool coupon_prefix_is_valid(const char *prefix);

#endif
