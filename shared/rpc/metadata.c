#include "shared/rpc/metadata.h"

#include <string.h>
#include <strings.h>

enum { PAIR_OVERHEAD = 32 };

/* With their sizes: this is looked through for every pair of every call. */
static const struct {
    const char *text;
    size_t size;
} keys[METADATA_KEYS] = {
    [METADATA_AUTHORIZATION] = { "authorization", 13 },
    [METADATA_TRACEPARENT] = { "traceparent", 11 },
    [METADATA_TRACE_BIN] = { "grpc-trace-bin", 14 },
    [METADATA_CHANNEL] = { "throughline-channel", 19 },
    [METADATA_ACTOR] = { "throughline-actor", 17 },
    [METADATA_ON_BEHALF_OF] = { "throughline-on-behalf-of", 24 },
    [METADATA_DEVICE] = { "throughline-device", 18 },
    [METADATA_JOURNEY] = { "throughline-journey", 19 },
    [METADATA_PURPOSE] = { "throughline-purpose", 19 },
};

const char *metadata_key(MetadataKey key)
{
    return keys[key].text;
}

static bool is_same(Bytes one, Bytes other)
{
    return one.size == other.size && !memcmp(one.data, other.data, one.size);
}

RpcMetadata metadata_read(const TransportCall *wire)
{
    RpcMetadata metadata = { 0 };
    TransportPair pair;

    for (size_t i = 0; wire->transport->ops->metadata(wire, i, &pair); i++) {
        metadata.size += pair.key.size + pair.value.size + PAIR_OVERHEAD;
        for (size_t k = 0; k < METADATA_KEYS; k++) {
            if (pair.key.size != keys[k].size ||
                memcmp(pair.key.data, keys[k].text, keys[k].size) != 0)
                continue;
            if (!metadata.values[k].data)
                metadata.values[k] = pair.value;
            else if (!is_same(metadata.values[k], pair.value))
                metadata.repeated = keys[k].text;
            break;
        }
    }
    return metadata;
}

const Error *metadata_check(const RpcMetadata *metadata, Arena *arena)
{
    if (!metadata->repeated)
        return NULL;
    return error_new(arena, ERROR_INVALID_ARGUMENT, "METADATA_REPEATED",
        "The metadata %s came more than once, with different values.", metadata->repeated);
}

const char *metadata_token(const RpcMetadata *metadata, Arena *arena)
{
    static const char scheme[] = "bearer ";
    Bytes value = metadata->values[METADATA_AUTHORIZATION];
    size_t prefix = strlen(scheme);

    if (value.size <= prefix || strncasecmp((const char *)value.data, scheme, prefix) != 0)
        return "";
    return arena_text_of(arena, (const char *)value.data + prefix, value.size - prefix);
}

static bool is_printable(Bytes value)
{
    for (size_t i = 0; i < value.size; i++)
        if (value.data[i] < ' ' || value.data[i] > '~')
            return false;
    return true;
}

static const Error *read_value(
    const RpcMetadata *metadata, Arena *arena, MetadataKey key, const char **value)
{
    Bytes bytes = metadata->values[key];

    if (bytes.size > CONTEXT_VALUE_MAX || !is_printable(bytes))
        return error_new(arena, ERROR_INVALID_ARGUMENT, "CONTEXT_INVALID",
            "The metadata %s must be at most %d printable ASCII characters.", keys[key].text,
            CONTEXT_VALUE_MAX);
    *value = bytes.size ? arena_text_of(arena, (const char *)bytes.data, bytes.size) : "";
    return NULL;
}

const Error *metadata_context(const RpcMetadata *metadata, Arena *arena, RpcContext *context)
{
    const struct {
        MetadataKey key;
        const char **value;
    } fields[] = {
        { METADATA_CHANNEL, &context->channel },
        { METADATA_ACTOR, &context->actor },
        { METADATA_ON_BEHALF_OF, &context->on_behalf_of },
        { METADATA_DEVICE, &context->device },
        { METADATA_JOURNEY, &context->journey },
        { METADATA_PURPOSE, &context->purpose },
    };

    for (size_t i = 0; i < COUNT(fields); i++) {
        const Error *error = read_value(metadata, arena, fields[i].key, fields[i].value);

        if (error)
            return error;
    }
    return NULL;
}
