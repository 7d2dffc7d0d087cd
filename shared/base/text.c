/* Texts and bytes. ASCII rules throughout: no locale has a say. */
#include "shared/base/text.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_SEGMENT_MAX = 63 };

bool text_equal(const char *a, const char *b)
{
    return a == b || (a && b && !strcmp(a, b));
}

bool text_is_empty(const char *text)
{
    return !text || !*text;
}

bool text_starts_with(const char *text, const char *prefix)
{
    return text && !strncmp(text, prefix, strlen(prefix));
}

bool text_ends_with(const char *text, const char *suffix)
{
    size_t length = text ? strlen(text) : 0;
    size_t tail = strlen(suffix);

    return text && length >= tail && !memcmp(text + length - tail, suffix, tail);
}

static bool is_continuation(uint8_t byte)
{
    return (byte & 0xc0) == 0x80;
}

/* Size of the well-formed character of two to four bytes at `bytes`, 0 when it is none. The
 * narrowed range of the second byte keeps out overlong forms, surrogates and what lies above
 * U+10FFFF (Unicode, table 3-7). */
static size_t character_size(const uint8_t *bytes, size_t left)
{
    uint8_t lead = bytes[0];
    uint8_t low = 0x80;
    uint8_t high = 0xbf;

    if (lead >= 0xc2 && lead <= 0xdf)
        return left >= 2 && is_continuation(bytes[1]) ? 2 : 0;
    if (lead == 0xe0)
        low = 0xa0;
    else if (lead == 0xed)
        high = 0x9f;
    else if (lead == 0xf0)
        low = 0x90;
    else if (lead == 0xf4)
        high = 0x8f;
    if (lead < 0xe0 || lead > 0xf4 || left < 3 || bytes[1] < low || bytes[1] > high ||
        !is_continuation(bytes[2]))
        return 0;
    if (lead < 0xf0)
        return 3;
    return left >= 4 && is_continuation(bytes[3]) ? 4 : 0;
}

/* Whether eight bytes are all of 0x01..0x7f: a NUL borrows in the subtraction: a high bit. */
static bool is_plain_ascii(const uint8_t *bytes)
{
    const uint64_t ones = 0x0101010101010101u;
    uint64_t word;

    memcpy(&word, bytes, sizeof(word));
    return !((word | (word - ones)) & (ones << 7));
}

size_t text_utf8_step(const uint8_t *bytes, size_t left)
{
    if (bytes[0] < 0x80)
        return bytes[0] ? 1 : 0;
    return character_size(bytes, left);
}

bool text_is_utf8(const uint8_t *bytes, size_t size)
{
    size_t at = 0;

    while (at < size) {
        size_t step;

        while (size - at >= 8 && is_plain_ascii(bytes + at))
            at += 8;
        if (at == size)
            break;
        step = text_utf8_step(bytes + at, size - at);
        if (step == 0)
            return false;
        at += step;
    }
    return true;
}

size_t text_length(const char *text)
{
    size_t length = 0;

    for (; *text; text++)
        length += !is_continuation((uint8_t)*text);
    return length;
}

char *text_lower(Arena *arena, const char *text)
{
    char *lower = arena_text(arena, text);

    for (char *c = lower; *c; c++)
        if (*c >= 'A' && *c <= 'Z')
            *c = (char)(*c - 'A' + 'a');
    return lower;
}

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

char *text_trim(Arena *arena, const char *text)
{
    const char *end;

    if (!text)
        return arena_text(arena, NULL);
    while (is_space(*text))
        text++;
    end = text + strlen(text);
    while (end > text && is_space(end[-1]))
        end--;
    return arena_text_of(arena, text, (size_t)(end - text));
}

static bool is_name_character(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '.' || c == '~' ||
           c == '-';
}

bool text_matches_name(const char *name, const char *pattern)
{
    if (!name)
        return false;
    for (; *pattern; pattern++) {
        size_t length = 0;

        if (*pattern != '*') {
            if (*name++ != *pattern)
                return false;
            continue;
        }
        while (is_name_character(name[length]))
            length++;
        if (length == 0 || length > NAME_SEGMENT_MAX)
            return false;
        name += length;
    }
    return *name == '\0';
}

char *text_hex(Arena *arena, const uint8_t *bytes, size_t size)
{
    static const char digits[] = "0123456789abcdef";
    char *hex = arena_array(arena, size + 1, 2);

    for (size_t i = 0; i < size; i++) {
        hex[2 * i] = digits[bytes[i] >> 4];
        hex[2 * i + 1] = digits[bytes[i] & 15];
    }
    return hex;
}

char *text_base64url(Arena *arena, const uint8_t *bytes, size_t size)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    char *text = arena_array(arena, size / 3 + 2, 4);
    uint32_t bits = 0;
    int n_bits = 0;
    size_t length = 0;

    for (size_t i = 0; i < size; i++) {
        bits = (bits << 8 | bytes[i]) & 0xffffu;
        for (n_bits += 8; n_bits >= 6; n_bits -= 6)
            text[length++] = digits[bits >> (n_bits - 6) & 63];
    }
    if (n_bits)
        text[length++] = digits[bits << (6 - n_bits) & 63];
    return text;
}

/* The value of a digit of either alphabet, -1 when it is none. */
static int base64_value(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == '-' || c == '+')
        return 62;
    return c == '_' || c == '/' ? 63 : -1;
}

/* Bits left over at the end must be zero: one value has one text, or a signed text could be changed
 * and still mean the same. */
bool text_from_base64(Arena *arena, const char *text, Bytes *bytes)
{
    size_t length = text ? strcspn(text, "=") : 0;
    size_t padding = text ? strlen(text + length) : 0;
    uint8_t *data;
    uint32_t bits = 0;
    int n_bits = 0;
    size_t size = 0;

    if (!text || length % 4 == 1 || padding > 2 || (padding && (length + padding) % 4) ||
        strspn(text + length, "=") != padding)
        return false;
    data = arena_alloc(arena, length / 4 * 3 + 3);
    for (size_t i = 0; i < length; i++) {
        int value = base64_value(text[i]);

        if (value < 0)
            return false;
        bits = (bits << 6 | (uint32_t)value) & 0xffffu;
        n_bits += 6;
        if (n_bits >= 8) {
            n_bits -= 8;
            data[size++] = (uint8_t)(bits >> n_bits);
        }
    }
    if (bits & ((1u << n_bits) - 1))
        return false;
    *bytes = (Bytes){ data, size };
    return true;
}

uint64_t text_hash(const void *bytes, size_t size)
{
    const uint8_t *byte = bytes;
    uint64_t hash = 0xcbf29ce484222325u;

    for (size_t i = 0; i < size; i++)
        hash = (hash ^ byte[i]) * 0x100000001b3u;
    return hash;
}

bool text_to_int64(const char *text, int64_t *value)
{
    const char *digits = text && *text == '-' ? text + 1 : text;
    long long parsed;

    if (text_is_empty(digits) || digits[strspn(digits, "0123456789")])
        return false;
    errno = 0;
    parsed = strtoll(text, NULL, 10);
    if (errno)
        return false;
    *value = parsed;
    return true;
}

/* strtod alone would also take white space, hexadecimal, "inf" and "nan". */
bool text_to_double(const char *text, double *value)
{
    char *end;
    double parsed;

    if (text_is_empty(text) || *text == '+' || text[strspn(text, "0123456789+-.eE")])
        return false;
    parsed = strtod(text, &end);
    if (end == text || *end || !isfinite(parsed))
        return false;
    *value = parsed;
    return true;
}
