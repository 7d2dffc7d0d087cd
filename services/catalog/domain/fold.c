#include "services/catalog/domain/fold.h"

#include "shared/base/text.h"

#include <string.h>

enum { LATIN_FIRST = 0xc0, LATIN_END = 0x180 };

/* U+00C0 to U+017F as plain letters; the signs of multiplication and division are none. */
static const char *const latin[LATIN_END - LATIN_FIRST] = {
    "a",
    "a",
    "a",
    "a",
    "a",
    "a",
    "ae",
    "c",
    "e",
    "e",
    "e",
    "e",
    "i",
    "i",
    "i",
    "i",
    "d",
    "n",
    "o",
    "o",
    "o",
    "o",
    "o",
    "",
    "o",
    "u",
    "u",
    "u",
    "u",
    "y",
    "th",
    "ss",
    "a",
    "a",
    "a",
    "a",
    "a",
    "a",
    "ae",
    "c",
    "e",
    "e",
    "e",
    "e",
    "i",
    "i",
    "i",
    "i",
    "d",
    "n",
    "o",
    "o",
    "o",
    "o",
    "o",
    "",
    "o",
    "u",
    "u",
    "u",
    "u",
    "y",
    "th",
    "y",
    "a",
    "a",
    "a",
    "a",
    "a",
    "a",
    "c",
    "c",
    "c",
    "c",
    "c",
    "c",
    "c",
    "c",
    "d",
    "d",
    "d",
    "d",
    "e",
    "e",
    "e",
    "e",
    "e",
    "e",
    "e",
    "e",
    "e",
    "e",
    "g",
    "g",
    "g",
    "g",
    "g",
    "g",
    "g",
    "g",
    "h",
    "h",
    "h",
    "h",
    "i",
    "i",
    "i",
    "i",
    "i",
    "i",
    "i",
    "i",
    "i",
    "i",
    "ij",
    "ij",
    "j",
    "j",
    "k",
    "k",
    "k",
    "l",
    "l",
    "l",
    "l",
    "l",
    "l",
    "l",
    "l",
    "l",
    "l",
    "n",
    "n",
    "n",
    "n",
    "n",
    "n",
    "n",
    "n",
    "n",
    "o",
    "o",
    "o",
    "o",
    "o",
    "o",
    "oe",
    "oe",
    "r",
    "r",
    "r",
    "r",
    "r",
    "r",
    "s",
    "s",
    "s",
    "s",
    "s",
    "s",
    "s",
    "s",
    "t",
    "t",
    "t",
    "t",
    "t",
    "t",
    "u",
    "u",
    "u",
    "u",
    "u",
    "u",
    "u",
    "u",
    "u",
    "u",
    "u",
    "u",
    "w",
    "w",
    "y",
    "y",
    "y",
    "z",
    "z",
    "z",
    "z",
    "z",
    "z",
    "s",
};

static uint32_t code_point(const uint8_t *bytes, size_t size)
{
    uint32_t code = size == 1 ? bytes[0] : bytes[0] & (0xffU >> (size + 1));

    for (size_t i = 1; i < size; i++)
        code = code << 6 | (bytes[i] & 0x3fU);
    return code;
}

/* Small letters of the other two scripts that have large ones and are common. */
static uint32_t small_letter(uint32_t code)
{
    if ((code >= 0x391 && code <= 0x3a9) || (code >= 0x410 && code <= 0x42f))
        return code + 0x20;
    if (code >= 0x400 && code <= 0x40f)
        return code + 0x50;
    return code;
}

static int put_two_bytes(uint32_t code, char *folded)
{
    folded[0] = (char)(0xc0 | code >> 6);
    folded[1] = (char)(0x80 | (code & 0x3f));
    return 2;
}

/* General punctuation, currency signs, arrows; ideographic spaces and stops. */
static bool is_separator(uint32_t code)
{
    return (code >= 0x80 && code < LATIN_FIRST && code != 0xaa && code != 0xb5 && code != 0xba) ||
           (code >= 0x2000 && code <= 0x206f) || (code >= 0x20a0 && code <= 0x20cf) ||
           (code >= 0x2190 && code <= 0x2bff) || (code >= 0x3000 && code <= 0x3003);
}

size_t fold_wide_character(const char *text, char folded[FOLD_MAX_BYTES], int *size)
{
    size_t step;
    uint32_t code;

    /* Not valid after all: a separator of one byte. */
    *size = -1;
    step = text_utf8_step((const uint8_t *)text, strnlen(text, 4));
    if (step == 0)
        return 1;
    code = code_point((const uint8_t *)text, step);
    if (code >= LATIN_FIRST && code < LATIN_END) {
        size_t length = strlen(latin[code - LATIN_FIRST]);

        memcpy(folded, latin[code - LATIN_FIRST], length);
        *size = length > 0 ? (int)length : -1;
    } else if (code >= 0x300 && code <= 0x36f) {
        *size = 0;
    } else if (small_letter(code) != code) {
        *size = put_two_bytes(small_letter(code), folded);
    } else if (!is_separator(code)) {
        memcpy(folded, text, step);
        *size = (int)step;
    }
    return step;
}
