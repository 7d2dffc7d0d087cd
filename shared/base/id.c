/* Identifiers. Digests are libsodium's. */
#include "shared/base/id.h"

#include "shared/base/clock.h"

#include <assert.h>
#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

enum { RAW_ID_SIZE = 16, MAX_DIGITS = 18 };

void id_random(void *bytes, size_t size)
{
    uint8_t *at = bytes;

    while (size > 0) {
        ssize_t got = getrandom(at, size, 0);

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            abort();
        at += got;
        size -= (size_t)got;
    }
}

void id_digest(const void *bytes, size_t size, uint8_t digest[32])
{
    crypto_generichash_blake2b(digest, 32, bytes, size, NULL, 0);
}

/* 128 bits as 26 digits of 5 bits; the two bits too many are zeros at the front. */
static void encode(const uint8_t raw[RAW_ID_SIZE], char id[ID_SIZE])
{
    static const char digits[] = "0123456789abcdefghjkmnpqrstvwxyz";
    uint32_t bits = 0;
    int n_bits = 2;
    int length = 0;

    for (int i = 0; i < RAW_ID_SIZE; i++) {
        bits = (bits << 8 | raw[i]) & 0xffffu;
        for (n_bits += 8; n_bits >= 5; n_bits -= 5)
            id[length++] = digits[bits >> (n_bits - 5) & 31];
    }
    id[length] = '\0';
}

void id_new(char id[ID_SIZE])
{
    uint64_t milliseconds = (uint64_t)(clock_now() / 1000);
    uint8_t raw[RAW_ID_SIZE];

    for (int i = 0; i < 6; i++)
        raw[i] = (uint8_t)(milliseconds >> (40 - 8 * i));
    id_random(raw + 6, sizeof(raw) - 6);
    encode(raw, id);
}

void id_from(const char *seed, char id[ID_SIZE])
{
    uint8_t digest[32];

    crypto_hash_sha256(digest, (const uint8_t *)seed, strlen(seed));
    encode(digest, id);
}

char *id_name(Arena *arena, const char *collection)
{
    char id[ID_SIZE];

    id_new(id);
    return arena_printf(arena, "%s/%s", collection, id);
}

char *id_digits(Arena *arena, int digits)
{
    char *text;

    assert(digits >= 1 && digits <= MAX_DIGITS);
    text = arena_alloc(arena, (size_t)digits + 1);
    for (int i = 0; i < digits;) {
        uint8_t byte;

        id_random(&byte, 1);
        if (byte < 250) /* the rest would make the low digits more likely */
            text[i++] = (char)('0' + byte % 10);
    }
    return text;
}
