/* The codec's JSON for a program in another language. Reads records from standard input: a letter, "j" (wire to JSON) or
 * "w" (JSON to wire), the type's name and the data, each after its size as four bytes, lowest first. Writes a line
 * for each: JSON, wire in hex, or "!" and the error. */
#include "shared/codec/json.h"

#include "everything.pb-c.h"
#include "shared/codec/message.h"
#include "shared/codec/scan.h"

#include <stdio.h>
#include <stdlib.h>

enum { MAX_DATA = 64 * 1024 * 1024 };

static bool read_block(Arena *arena, Bytes *block)
{
    uint8_t size[4];
    uint32_t length;
    char *data;

    if (fread(size, sizeof(size), 1, stdin) != 1)
        return false;
    length = size[0] | (uint32_t)size[1] << 8 | (uint32_t)size[2] << 16 | (uint32_t)size[3] << 24;
    if (length > MAX_DATA)
        return false;
    data = arena_alloc(arena, (size_t)length + 1);
    *block = (Bytes){ (uint8_t *)data, length };
    return fread(data, 1, length, stdin) == length;
}

static const ProtobufCMessageDescriptor *find_type(const char *name)
{
    const ProtobufCMessageDescriptor *own[] = { &throughline__test__v1__everything__descriptor,
        &throughline__test__v1__everything__inner__descriptor };

    for (size_t i = 0; i < COUNT(own); i++)
        if (text_equal(own[i]->name, name))
            return own[i];
    return message_find(name);
}

static const Error *convert(Arena *arena, char direction, const ProtobufCMessageDescriptor *type,
    Bytes data, const char **line)
{
    const Error *error;
    void *message;
    Bytes wire;

    if (direction == 'j') {
        error = scan_message(arena, type, data);
        if (!error)
            *line = json_from_message(arena, message_unpack(arena, type, data), JSON_COMPACT);
        return error;
    }
    error = json_to_message(arena, type, data, &message);
    if (error)
        return error;
    wire = message_pack(arena, message);
    *line = text_hex(arena, wire.data, wire.size);
    return NULL;
}

int main(void)
{
    Arena *arena = arena_new();
    int direction;

    setvbuf(stdout, NULL, _IOLBF, 0); /* the other side waits for each line */
    while ((direction = getchar()) != EOF) {
        const ProtobufCMessageDescriptor *type;
        const Error *error = NULL;
        const char *line = "! no such type";
        Bytes name, data;

        if (!read_block(arena, &name) || !read_block(arena, &data)) {
            fprintf(stderr, "json_tool: a record is cut short\n");
            exit(1);
        }
        type = find_type((const char *)name.data);
        if (type)
            error = convert(arena, (char)direction, type, data, &line);
        if (error)
            printf("!%s %s\n", error->reason, error->message);
        else
            puts(line);
        arena_reset(arena);
    }
    arena_free(arena);
    return 0;
}
