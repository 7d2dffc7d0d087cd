#include "shared/rpc/transport_h2_message.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum {
    FIRST_ROOM = 16 * 1024,
    /* zlib's largest window, and either of its two wrappings */
    WINDOW_BITS = 15 + 32,
    GZIP_WINDOW_BITS = 15 + 16,
    GZIP_LEVEL = 1, /* a reply is compressed once, and its reader waits */
    GZIP_MEMORY = 8,
};

static H2Message *with_room(H2Message *message, size_t room)
{
    H2Message *grown = realloc(message, sizeof(*grown) + room);

    if (!grown)
        abort();
    grown->room = room;
    return grown;
}

static H2Message *new_message(size_t size, size_t room)
{
    H2Message *message = with_room(NULL, room);

    message->base = (TransportMessage){ .bytes = { NULL, size } };
    message->got = 0;
    return message;
}

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

static void take_prefix(H2Reader *reader, Bytes *bytes)
{
    size_t n = smaller(bytes->size, (size_t)(H2_PREFIX_BYTES - reader->n_prefix));

    memcpy(reader->prefix + reader->n_prefix, bytes->data, n);
    reader->n_prefix = (uint8_t)(reader->n_prefix + n);
    bytes->data += n;
    bytes->size -= n;
}

static H2Read begin(H2Reader *reader, size_t max)
{
    const uint8_t *prefix = reader->prefix;
    size_t size =
        (size_t)prefix[1] << 24 | (size_t)prefix[2] << 16 | (size_t)prefix[3] << 8 | prefix[4];

    if (prefix[0] > 1)
        return H2_READ_MALFORMED;
    if (size > max)
        return H2_READ_TOO_LARGE;
    reader->message = new_message(size, smaller(size, FIRST_ROOM));
    reader->message->base.is_compressed = prefix[0];
    return H2_READ_MORE;
}

static void take_data(H2Reader *reader, Bytes *bytes)
{
    H2Message *message = reader->message;
    size_t n = smaller(bytes->size, message->base.bytes.size - message->got);
    size_t wanted = message->got + n;

    if (wanted > message->room)
        message = reader->message =
            with_room(message, smaller(message->base.bytes.size,
                                   wanted > message->room * 2 ? wanted : message->room * 2));
    memcpy(message->data + message->got, bytes->data, n);
    message->got += n;
    bytes->data += n;
    bytes->size -= n;
}

H2Read h2_reader_take(H2Reader *reader, Bytes *bytes, size_t max, H2Message **message)
{
    H2Read read;

    if (bytes->size == 0)
        return H2_READ_MORE;
    if (!reader->message) {
        take_prefix(reader, bytes);
        if (reader->n_prefix < H2_PREFIX_BYTES)
            return H2_READ_MORE;
        if ((read = begin(reader, max)) != H2_READ_MORE)
            return read;
    }
    if (bytes->size)
        take_data(reader, bytes);
    if (reader->message->got < reader->message->base.bytes.size)
        return H2_READ_MORE;
    reader->message->base.bytes.data = reader->message->data;
    *message = reader->message;
    *reader = (H2Reader){ 0 };
    return H2_READ_MESSAGE;
}

bool h2_reader_is_between(const H2Reader *reader)
{
    return reader->n_prefix == 0;
}

void h2_reader_free(H2Reader *reader)
{
    free(reader->message);
    *reader = (H2Reader){ 0 };
}

void h2_prefix_write(uint8_t prefix[H2_PREFIX_BYTES], bool is_compressed, size_t size)
{
    assert(size <= UINT32_MAX);
    prefix[0] = is_compressed;
    prefix[1] = (uint8_t)(size >> 24);
    prefix[2] = (uint8_t)(size >> 16);
    prefix[3] = (uint8_t)(size >> 8);
    prefix[4] = (uint8_t)size;
}

/* One byte more than max is room for: then it is known to be too large. */
static H2Read inflate_all(z_stream *stream, H2Message **to, size_t max)
{
    for (;;) {
        H2Message *message = *to;
        int code;

        stream->next_out = message->data + message->got;
        stream->avail_out = (uInt)(message->room - message->got);
        code = inflate(stream, Z_NO_FLUSH);
        message->got = message->room - stream->avail_out;
        if (message->got > max)
            return H2_READ_TOO_LARGE;
        if (code == Z_STREAM_END)
            return stream->avail_in ? H2_READ_MALFORMED : H2_READ_MESSAGE;
        if (code != Z_OK || stream->avail_out)
            return H2_READ_MALFORMED;
        *to = with_room(message, smaller(message->room * 2, max + 1));
    }
}

H2Read h2_message_inflate(H2Message **message, size_t max)
{
    H2Message *from = *message;
    H2Message *to = new_message(0, smaller(FIRST_ROOM, max + 1));
    z_stream stream = { .next_in = from->data, .avail_in = (uInt)from->got };
    H2Read read;

    if (inflateInit2(&stream, WINDOW_BITS) != Z_OK)
        abort();
    read = inflate_all(&stream, &to, max);
    inflateEnd(&stream);
    to->base = (TransportMessage){ .bytes = { to->data, to->got }, .is_compressed = true };
    free(read == H2_READ_MESSAGE ? from : to);
    if (read == H2_READ_MESSAGE)
        *message = to;
    return read;
}

uint8_t *h2_gzip(Bytes message, size_t *size)
{
    uint8_t *out = malloc(H2_PREFIX_BYTES + message.size);
    z_stream stream = { .next_in = (uint8_t *)(uintptr_t)message.data,
        .avail_in = (uInt)message.size };
    int code;

    if (!out || deflateInit2(&stream, GZIP_LEVEL, Z_DEFLATED, GZIP_WINDOW_BITS, GZIP_MEMORY,
                    Z_DEFAULT_STRATEGY) != Z_OK)
        abort();
    stream.next_out = out + H2_PREFIX_BYTES;
    stream.avail_out = (uInt)message.size;
    code = deflate(&stream, Z_FINISH);
    *size = stream.total_out;
    deflateEnd(&stream);
    if (code == Z_STREAM_END)
        return out;
    free(out);
    return NULL;
}
