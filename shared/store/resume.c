#include "shared/store/resume.h"

#include <string.h>

enum {
    HASH_SIZE = 8, /* over the query's shape and the position */
    LENGTH_SIZE = 2,
};

static const Error token_invalid = { ERROR_INVALID_ARGUMENT, "PAGE_TOKEN_INVALID",
    "The page token does not belong to this query: start from the first page." };

/* Length of the key, key, name. */
static Bytes position(Arena *arena, Bytes key, const char *name)
{
    size_t length = strlen(name);
    uint8_t *bytes = arena_alloc(arena, LENGTH_SIZE + key.size + length);

    bytes[0] = (uint8_t)(key.size >> 8);
    bytes[1] = (uint8_t)key.size;
    if (key.size)
        memcpy(bytes + LENGTH_SIZE, key.data, key.size);
    memcpy(bytes + LENGTH_SIZE + key.size, name, length);
    return (Bytes){ bytes, LENGTH_SIZE + key.size + length };
}

static uint64_t hash(Arena *arena, const EngineRange *range, Bytes position)
{
    const char *index =
        range->index == KEYS_BY_NAME ? "" : range->collection->indexes[range->index].name;
    const char *shape =
        arena_printf(arena, "%s %s %d", range->collection->name, index, range->is_descending);

    return text_hash(shape, strlen(shape)) ^ text_hash(position.data, position.size);
}

char *resume_write(Arena *arena, const EngineRange *range, const EngineDocument *last)
{
    Bytes end = position(arena, last->key, last->name);
    uint64_t check = hash(arena, range, end);
    uint8_t *bytes = arena_alloc(arena, HASH_SIZE + end.size);

    memcpy(bytes, &check, HASH_SIZE);
    memcpy(bytes + HASH_SIZE, end.data, end.size);
    return text_base64url(arena, bytes, HASH_SIZE + end.size);
}

const Error *resume_read(Arena *arena, const char *resume, EngineRange *range)
{
    Bytes token, end;
    uint64_t check;
    size_t key_size;

    if (text_is_empty(resume))
        return NULL;
    if (!text_from_base64(arena, resume, &token) || token.size < HASH_SIZE + LENGTH_SIZE)
        return &token_invalid;
    memcpy(&check, token.data, HASH_SIZE);
    end = (Bytes){ token.data + HASH_SIZE, token.size - HASH_SIZE };
    key_size = (size_t)end.data[0] << 8 | end.data[1];
    if (check != hash(arena, range, end) || key_size > end.size - LENGTH_SIZE)
        return &token_invalid;
    range->after_key = (Bytes){ end.data + LENGTH_SIZE, key_size };
    range->after_name = arena_text_of(
        arena, (const char *)end.data + LENGTH_SIZE + key_size, end.size - LENGTH_SIZE - key_size);
    if (range->index == KEYS_BY_NAME)
        range->after_key = (Bytes){ (const uint8_t *)range->after_name, strlen(range->after_name) };
    return keys_in_range(range->after_key, &range->keys) ? NULL : &token_invalid;
}
