#include "shared/rpc/transport_h2_headers.h"

enum { MAX_DIGITS = 18, MAX_TIMEOUT_DIGITS = 8 };

const char h2_encodings[] = "identity,gzip,deflate";

H2Encoding h2_encoding_of(Bytes name)
{
    if (h2_bytes_are(name, "identity"))
        return H2_IDENTITY;
    if (h2_bytes_are(name, "gzip"))
        return H2_GZIP;
    return h2_bytes_are(name, "deflate") ? H2_DEFLATE : H2_ENCODING_UNKNOWN;
}

static Bytes trimmed(const uint8_t *from, const uint8_t *to)
{
    while (from < to && *from == ' ')
        from++;
    while (from < to && to[-1] == ' ')
        to--;
    return (Bytes){ from, (size_t)(to - from) };
}

/* What stands before the next comma; *rest is what stands behind it, without data at the end. */
static Bytes before_comma(Bytes *rest)
{
    const uint8_t *end = rest->data + rest->size;
    const uint8_t *comma = memchr(rest->data, ',', rest->size);
    Bytes item = trimmed(rest->data, comma ? comma : end);

    *rest = comma ? (Bytes){ comma + 1, (size_t)(end - comma - 1) } : (Bytes){ 0 };
    return item;
}

bool h2_list_has(Bytes list, const char *word)
{
    while (list.data)
        if (h2_bytes_are(before_comma(&list), word))
            return true;
    return false;
}

bool h2_is_grpc(Bytes content_type)
{
    static const char prefix[] = "application/grpc";
    size_t size = sizeof(prefix) - 1;

    if (content_type.size < size || memcmp(content_type.data, prefix, size) != 0)
        return false;
    return content_type.size == size || content_type.data[size] == '+' ||
           content_type.data[size] == ';';
}

bool h2_number_read(Bytes digits, int64_t *number)
{
    *number = 0;
    if (digits.size == 0 || digits.size > MAX_DIGITS)
        return false;
    for (size_t i = 0; i < digits.size; i++) {
        if (digits.data[i] < '0' || digits.data[i] > '9')
            return false;
        *number = *number * 10 + (digits.data[i] - '0');
    }
    return true;
}

bool h2_timeout_read(Bytes text, int64_t *micros)
{
    int64_t number;

    if (text.size < 2 || text.size > MAX_TIMEOUT_DIGITS + 1 ||
        !h2_number_read((Bytes){ text.data, text.size - 1 }, &number))
        return false;
    switch (text.data[text.size - 1]) {
    case 'H':
        *micros = number * 3600 * 1000000;
        return true;
    case 'M':
        *micros = number * 60 * 1000000;
        return true;
    case 'S':
        *micros = number * 1000000;
        return true;
    case 'm':
        *micros = number * 1000;
        return true;
    case 'u':
        *micros = number;
        return true;
    case 'n':
        *micros = (number + 999) / 1000;
        return true;
    default:
        return false;
    }
}

size_t h2_percent_write(Bytes text, uint8_t *out)
{
    static const char digits[] = "0123456789ABCDEF";
    size_t n = 0;

    for (size_t i = 0; i < text.size; i++) {
        uint8_t byte = text.data[i];

        if (byte >= ' ' && byte <= '~' && byte != '%') {
            out[n++] = byte;
            continue;
        }
        out[n++] = '%';
        out[n++] = (uint8_t)digits[byte >> 4];
        out[n++] = (uint8_t)digits[byte & 15];
    }
    return n;
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

char *h2_percent_read(Arena *arena, const char *text)
{
    char *decoded = arena_text(arena, text);
    char *out = decoded;

    while (*text) {
        bool is_byte = *text == '%' && hex_value(text[1]) >= 0 && hex_value(text[2]) >= 0;

        *out++ = is_byte ? (char)(hex_value(text[1]) * 16 + hex_value(text[2])) : *text;
        text += is_byte ? 3 : 1;
    }
    *out = '\0';
    return decoded;
}

size_t h2_base64_size(size_t size)
{
    return (size * 4 + 2) / 3;
}

size_t h2_base64_write(Bytes bytes, uint8_t *out)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    unsigned bits = 0, n_bits = 0;
    size_t n = 0;

    for (size_t i = 0; i < bytes.size; i++) {
        bits = bits << 8 | bytes.data[i];
        for (n_bits += 8; n_bits >= 6; n_bits -= 6)
            out[n++] = (uint8_t)digits[bits >> (n_bits - 6) & 63];
    }
    if (n_bits)
        out[n++] = (uint8_t)digits[bits << (6 - n_bits) & 63];
    return n;
}

bool h2_binary_next(Arena *arena, Bytes *rest, Bytes *value)
{
    Bytes item = before_comma(rest);

    return text_from_base64(arena, arena_text_of(arena, (const char *)item.data, item.size), value);
}
