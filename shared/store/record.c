#include "shared/store/record.h"

#include "shared/codec/message.h"

#include <google/protobuf/timestamp.pb-c.h>

#include <assert.h>
#include <ctype.h>
#include <string.h>

enum {
    MICROS = 1000000,
    NANOS_PER_MICRO = 1000,
    WIRE_BODY = 1, /* before a message in protobuf's form, which may be empty */
    SMALL_BODY = 4096,
};

static const Error too_large = { ERROR_RESOURCE_EXHAUSTED, "DOCUMENT_TOO_LARGE",
    "A stored document has at most 8 MiB." };

static char **text_field(const void *message, const char *name)
{
    char **field = message_field(message, name);

    assert(field && "a stored message has the fields name and etag");
    return field;
}

const char *record_name(const void *message)
{
    return *text_field(message, "name");
}

const char *record_etag(const void *message)
{
    return *text_field(message, "etag");
}

static Bytes encode_wire(Arena *arena, const ProtobufCMessage *message)
{
    uint8_t small[SMALL_BODY], *bytes;
    Bytes packed;

    if (!message_pack_into(message, small, sizeof(small), &packed))
        packed = message_pack(arena, message);
    bytes = arena_room(arena, packed.size + 1);
    bytes[0] = WIRE_BODY;
    if (packed.size)
        memcpy(bytes + 1, packed.data, packed.size);
    return (Bytes){ bytes, packed.size + 1 };
}

static bool decode_wire(
    Arena *arena, const ProtobufCMessageDescriptor *type, Bytes body, void *message)
{
    const void *unpacked = NULL;

    if (body.data[0] == WIRE_BODY)
        unpacked = message_unpack(arena, type, (Bytes){ body.data + 1, body.size - 1 });
    if (unpacked)
        memcpy(message, unpacked, type->sizeof_message);
    return unpacked;
}

const BodyCodec body_wire = { encode_wire, decode_wire };

/* A shallow copy with empty name and etag is what gets encoded; the caller's message stays as it is. */
const Error *record_encode(Arena *arena, const Collection *collection, const BodyCodec *codec,
    const void *message, Bytes *body)
{
    const ProtobufCMessage *original = message;
    ProtobufCMessage *copy = arena_copy(arena, message, collection->message->sizeof_message);

    assert(original->descriptor == collection->message);
    *text_field(copy, "name") = (char *)protobuf_c_empty_string;
    *text_field(copy, "etag") = (char *)protobuf_c_empty_string;
    *body = codec->encode(arena, copy);
    return body->size > STORE_MAX_DOCUMENT ? &too_large : NULL;
}

const Error *record_decode(Arena *arena, const Collection *collection, const BodyCodec *codec,
    const EngineDocument *document, void *message)
{
    if (!codec->decode(arena, collection->message, document->body, message))
        return &store_corrupt;
    *text_field(message, "name") = arena_text(arena, document->name);
    record_set_version(arena, message, document->version);
    return NULL;
}

int64_t record_version(const char *etag)
{
    int64_t version;

    if (text_is_empty(etag))
        return 0;
    return text_to_int64(etag, &version) && version > 0 ? version : -1;
}

void record_set_etag(void *message, const char *etag)
{
    *text_field(message, "etag") = (char *)etag;
}

void record_set_version(Arena *arena, void *message, int64_t version)
{
    *text_field(message, "etag") = arena_printf(arena, "%lld", (long long)version);
}

int64_t record_expire(const Collection *collection, const void *message)
{
    Google__Protobuf__Timestamp **field;

    if (!collection->expire_field)
        return 0;
    field = message_field(message, collection->expire_field);
    assert(field && "an expire_field is a Timestamp of the message");
    return *field ? (*field)->seconds * MICROS + (*field)->nanos / NANOS_PER_MICRO : 0;
}

/* "EventRecord" → "EVENT_RECORD", "by_email" → "BY_EMAIL". */
static char *upper_snake(Arena *arena, const char *name)
{
    char *text = arena_alloc(arena, strlen(name) * 2 + 1);
    size_t size = 0;

    for (const char *at = name; *at; at++) {
        if (at > name && isupper((unsigned char)*at) && at[-1] != '_')
            text[size++] = '_';
        text[size++] = (char)toupper((unsigned char)*at);
    }
    return text;
}

static const Error *named_error(
    Arena *arena, ErrorCode code, const char *subject, const char *suffix, const char *message)
{
    return error_new(arena, code, arena_printf(arena, "%s%s", upper_snake(arena, subject), suffix),
        "%s", message);
}

const Error *record_missing(Arena *arena, const Collection *collection, const char *name)
{
    return named_error(arena, ERROR_NOT_FOUND, collection->message->short_name, "_NOT_FOUND",
        arena_printf(arena, "There is no \"%s\".", name));
}

const Error *record_exists(Arena *arena, const Collection *collection, const char *name)
{
    return named_error(arena, ERROR_ALREADY_EXISTS, collection->message->short_name, "_EXISTS",
        arena_printf(arena, "There is a \"%s\" already.", name));
}

const Error *record_taken(Arena *arena, const Collection *collection, int index)
{
    return named_error(arena, ERROR_ALREADY_EXISTS, collection->indexes[index].name, "_TAKEN",
        arena_printf(arena, "Another of the %s has this value already.", collection->name));
}
