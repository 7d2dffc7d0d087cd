#include "shared/store/marks.h"

#include <assert.h>
#include <string.h>

enum { MAX_SOURCE = 255 };

/* Length, source, position; one behind the other. Returns the offset of the source's position, 0 when there is none. */
static size_t find(Bytes marks, const char *source)
{
    size_t length = strlen(source);

    for (size_t at = 0; at < marks.size;) {
        size_t size = marks.data[at];

        if (marks.size - at < 1 + size + sizeof(int64_t))
            return 0;
        if (size == length && !memcmp(marks.data + at + 1, source, size))
            return at + 1 + size;
        at += 1 + size + sizeof(int64_t);
    }
    return 0;
}

int64_t marks_find(Bytes marks, const char *source)
{
    size_t at = find(marks, source);
    int64_t position = INT64_MIN;

    if (at)
        memcpy(&position, marks.data + at, sizeof(position));
    return position;
}

Bytes marks_set(Arena *arena, Bytes marks, const char *source, int64_t position)
{
    size_t length = strlen(source), at = find(marks, source);
    size_t size = at ? marks.size : marks.size + 1 + length + sizeof(position);
    uint8_t *bytes = arena_alloc(arena, size);

    assert(length && length <= MAX_SOURCE);
    if (marks.size)
        memcpy(bytes, marks.data, marks.size);
    if (!at) {
        bytes[marks.size] = (uint8_t)length;
        memcpy(bytes + marks.size + 1, source, length);
        at = marks.size + 1 + length;
    }
    memcpy(bytes + at, &position, sizeof(position));
    return (Bytes){ bytes, size };
}
