/* What HTTP asks of a request (RFC 9113, section 8): which headers there must and must not be, of which
 * characters, and that the content is as long as they say. nghttp2 is told not to check it: byte by
 * byte it costs a tenth of a small call. */
#include "shared/rpc/transport_h2.h"

#include <string.h>

enum {
    METHOD = 1,
    SCHEME = 2,
    PATH = 4,
    AUTHORITY = 8,
    REGULAR = 16, /* headers after which no pseudo-header comes */
    LENGTH = 32,
    NEEDED = METHOD | SCHEME | PATH,
};

/* The characters of tokens but for capitals, as bits of their numbers. */
static const uint64_t token_bits[] = { 0x03ff6cfa00000000u, 0x57ffffffc0000000u };

static const uint64_t each_low_bit = 0x0101010101010101u;
static const uint64_t each_high_bit = 0x8080808080808080u;

static bool is_name(Bytes name)
{
    for (size_t i = 0; i < name.size; i++)
        if (name.data[i] >= 128 || !(token_bits[name.data[i] / 64] >> name.data[i] % 64 & 1))
            return false;
    return name.size > 0;
}

static bool is_visible(uint8_t byte)
{
    return byte >= ' ' ? byte != 0x7f : byte == '\t';
}

static bool are_visible(const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (!is_visible(bytes[i]))
            return false;
    return true;
}

/* Eight bytes at once; if one of them may be bad, byte by byte. */
static bool is_value(Bytes value)
{
    uint64_t suspicious = 0;
    size_t at = 0;

    for (; at + 8 <= value.size; at += 8) {
        uint64_t word, deleted;

        memcpy(&word, value.data + at, sizeof(word));
        deleted = word ^ each_low_bit * 0x7f;
        suspicious |= (word - each_low_bit * ' ') & ~word;
        suspicious |= (deleted - each_low_bit) & ~deleted;
    }
    if (suspicious & each_high_bit)
        return are_visible(value.data, value.size);
    return are_visible(value.data + at, value.size - at);
}

static unsigned pseudo_of(Bytes name)
{
    if (h2_bytes_are(name, ":path"))
        return PATH;
    if (h2_bytes_are(name, ":method"))
        return METHOD;
    if (h2_bytes_are(name, ":scheme"))
        return SCHEME;
    return h2_bytes_are(name, ":authority") ? AUTHORITY : 0;
}

static bool take_pseudo(H2Call *call, Bytes name, Bytes value)
{
    unsigned part = pseudo_of(name);

    if (!part || call->parts & (part | REGULAR) ||
        (part == PATH && (value.size == 0 || *value.data != '/')))
        return false;
    call->parts |= part;
    return is_value(value);
}

static bool take_length(H2Call *call, Bytes value)
{
    if (call->parts & LENGTH || !h2_number_read(value, &call->content_left))
        return false;
    call->parts |= LENGTH;
    return true;
}

/* Those that speak of the connection have no place in HTTP/2. */
static bool is_allowed(H2Call *call, Bytes name, Bytes value)
{
    switch (name.size) {
    case 2:
        return !h2_bytes_are(name, "te") || h2_bytes_are(value, "trailers");
    case 7:
        return !h2_bytes_are(name, "upgrade");
    case 10:
        return !h2_bytes_are(name, "connection") && !h2_bytes_are(name, "keep-alive");
    case 14:
        return !h2_bytes_are(name, "content-length") || take_length(call, value);
    case 16:
        return !h2_bytes_are(name, "proxy-connection");
    case 17:
        return !h2_bytes_are(name, "transfer-encoding");
    default:
        return true;
    }
}

bool h2_http_take(H2Call *call, nghttp2_rcbuf *name, nghttp2_rcbuf *value, bool is_trailer)
{
    Bytes key = h2_bytes_of(name), bytes = h2_bytes_of(value);

    if (key.size && *key.data == ':')
        return !is_trailer && take_pseudo(call, key, bytes);
    call->parts |= REGULAR;
    if (!nghttp2_rcbuf_is_static(name) && !is_name(key))
        return false;
    return is_value(bytes) && is_allowed(call, key, bytes);
}

bool h2_http_is_whole(const H2Call *call)
{
    return (call->parts & NEEDED) == NEEDED;
}

bool h2_http_count(H2Call *call, size_t size)
{
    call->content_left -= (int64_t)size;
    return !(call->parts & LENGTH) || call->content_left >= 0;
}

bool h2_http_is_over(const H2Call *call)
{
    return !(call->parts & LENGTH) || call->content_left == 0;
}
