#include "services/catalog/domain/coupon_code.h"

#include <sodium.h>
#include <string.h>

enum { ROUNDS = 8, HALF_BITS = 30, BELOW_BITS = 36, TIE_BITS = 24, LETTER_BITS = 5 };

static const uint64_t half_mask = (UINT64_C(1) << HALF_BITS) - 1;

/* Crockford's: none looks like another. */
static const char letters[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
static const char prefix_letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

_Static_assert(COUPON_KEY == crypto_shorthash_KEYBYTES, "the key is SipHash's");

static uint64_t scramble(const uint8_t key[COUPON_KEY], int round, uint64_t half)
{
    uint8_t bytes[9] = { (uint8_t)round };
    uint8_t hash[crypto_shorthash_BYTES];
    uint64_t result = 0;

    for (int i = 0; i < 8; i++)
        bytes[1 + i] = (uint8_t)(half >> (8 * i));
    crypto_shorthash(hash, bytes, sizeof(bytes), key);
    for (int i = 0; i < 8; i++)
        result |= (uint64_t)hash[i] << (8 * i);
    return result & half_mask;
}

static uint64_t encrypt(const uint8_t key[COUPON_KEY], uint64_t value)
{
    uint64_t left = value >> HALF_BITS;
    uint64_t right = value & half_mask;

    for (int round = 0; round < ROUNDS; round++) {
        uint64_t next = left ^ scramble(key, round, right);

        left = right;
        right = next;
    }
    return left << HALF_BITS | right;
}

static uint64_t decrypt(const uint8_t key[COUPON_KEY], uint64_t value)
{
    uint64_t left = value >> HALF_BITS;
    uint64_t right = value & half_mask;

    for (int round = ROUNDS - 1; round >= 0; round--) {
        uint64_t before = right ^ scramble(key, round, left);

        right = left;
        left = before;
    }
    return left << HALF_BITS | right;
}

uint32_t coupon_tie(const uint8_t key[COUPON_KEY], const char *customer)
{
    uint8_t hash[crypto_shorthash_BYTES];
    uint32_t tie;

    crypto_shorthash(hash, (const uint8_t *)customer, strlen(customer), key);
    tie = (uint32_t)hash[0] << 16 | (uint32_t)hash[1] << 8 | hash[2];
    return tie == COUPON_UNTIED ? 1 : tie;
}

char *coupon_code(
    const uint8_t key[COUPON_KEY], const char *prefix, int64_t number, uint32_t tie, Arena *arena)
{
    uint64_t value = encrypt(key, (uint64_t)number << BELOW_BITS | tie);
    char written[COUPON_LETTERS + 1] = "";

    for (int i = COUPON_LETTERS - 1; i >= 0; i--, value >>= LETTER_BITS)
        written[i] = letters[value & ((1U << LETTER_BITS) - 1)];
    return arena_printf(arena, "%s-%s", prefix, written);
}

bool coupon_prefix_is_valid(const char *prefix)
{
    size_t length = strspn(prefix, prefix_letters);

    return !prefix[length] && length >= COUPON_MIN_PREFIX && length <= COUPON_MAX_PREFIX;
}

const char *coupon_prefix(const char *code, Arena *arena)
{
    const char *dash = strchr(code, '-');
    const char *prefix;

    if (!dash || strspn(dash + 1, letters) != COUPON_LETTERS || dash[1 + COUPON_LETTERS])
        return NULL;
    prefix = arena_text_of(arena, code, (size_t)(dash - code));
    return coupon_prefix_is_valid(prefix) ? prefix : NULL;
}

int64_t coupon_number(const uint8_t key[COUPON_KEY], const char *code, uint32_t *tie)
{
    uint64_t value = 0;

    for (const char *at = strchr(code, '-') + 1; *at; at++)
        value = value << LETTER_BITS | (uint64_t)(strchr(letters, *at) - letters);
    value = decrypt(key, value);
    *tie = (uint32_t)(value & ((UINT64_C(1) << TIE_BITS) - 1));
    if ((value & ((UINT64_C(1) << BELOW_BITS) - 1)) != *tie ||
        value >> BELOW_BITS > COUPON_MAX_NUMBER)
        return 0;
    return (int64_t)(value >> BELOW_BITS);
}
