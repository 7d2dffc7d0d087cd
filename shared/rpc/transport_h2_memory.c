/* Memory for nghttp2, which takes and gives back dozens of small pieces for every call. They are kept
 * by size for the next call of the loop; libc's own lists are too short for calls that come by the
 * hundred. */
#include "shared/rpc/transport_h2.h"

#include <stdlib.h>
#include <string.h>

#ifdef H2_SEPARATE_PIECES
enum { MAX_KEPT = 0 };
#else
enum { MAX_KEPT = 1024 * 1024 }; /* of a loop */
#endif

enum { HEAD_BYTES = 16, STEP_BYTES = 64 };

/* In front of what nghttp2 sees. */
typedef struct H2Piece {
    size_t size_class; /* H2_SIZE_CLASSES: too large to be kept */
    H2Piece *next;
} H2Piece;

_Static_assert(sizeof(H2Piece) == HEAD_BYTES, "what follows is aligned");

static H2Piece *piece_of(void *bytes)
{
    return (H2Piece *)((uint8_t *)bytes - HEAD_BYTES);
}

static size_t class_of(size_t size)
{
    return (size + HEAD_BYTES - 1) / STEP_BYTES;
}

static size_t room_in(const H2Piece *piece)
{
    return (piece->size_class + 1) * STEP_BYTES - HEAD_BYTES;
}

static H2Piece *checked(void *piece, size_t size_class)
{
    if (!piece)
        abort();
    ((H2Piece *)piece)->size_class = size_class;
    return piece;
}

static void *take(size_t size, void *context)
{
    H2Memory *memory = context;
    size_t size_class = class_of(size);
    H2Piece *piece;

    if (size_class >= H2_SIZE_CLASSES)
        return checked(malloc(HEAD_BYTES + size), H2_SIZE_CLASSES) + 1;
    piece = memory->kept[size_class];
    if (!piece)
        return checked(malloc((size_class + 1) * STEP_BYTES), size_class) + 1;
    memory->kept[size_class] = piece->next;
    memory->kept_bytes -= (size_class + 1) * STEP_BYTES;
    return piece + 1;
}

static void give_back(void *bytes, void *context)
{
    H2Memory *memory = context;
    H2Piece *piece;
    size_t size;

    if (!bytes)
        return;
    piece = piece_of(bytes);
    size = (piece->size_class + 1) * STEP_BYTES;
    if (piece->size_class == H2_SIZE_CLASSES || memory->kept_bytes + size > MAX_KEPT) {
        free(piece);
        return;
    }
    memory->kept_bytes += size;
    piece->next = memory->kept[piece->size_class];
    memory->kept[piece->size_class] = piece;
}

static void *take_zeroed(size_t count, size_t size, void *context)
{
    size_t total;

    if (__builtin_mul_overflow(count, size, &total))
        abort();
    if (class_of(total) >= H2_SIZE_CLASSES) /* of which much is never touched */
        return checked(calloc(1, HEAD_BYTES + total), H2_SIZE_CLASSES) + 1;
    return memset(take(total, context), 0, total);
}

static void *take_more(void *bytes, size_t size, void *context)
{
    H2Piece *piece;
    void *grown;

    if (!bytes)
        return take(size, context);
    piece = piece_of(bytes);
    if (piece->size_class == H2_SIZE_CLASSES)
        return checked(realloc(piece, HEAD_BYTES + size), H2_SIZE_CLASSES) + 1;
    if (size <= room_in(piece))
        return bytes;
    grown = take(size, context);
    memcpy(grown, bytes, room_in(piece));
    give_back(bytes, context);
    return grown;
}

void h2_memory_init(H2Memory *memory)
{
    memory->hooks = (nghttp2_mem){ memory, take, give_back, take_zeroed, take_more };
}

void h2_memory_free(H2Memory *memory)
{
    for (int i = 0; i < H2_SIZE_CLASSES; i++)
        for (H2Piece *piece = memory->kept[i], *next; piece; piece = next) {
            next = piece->next;
            free(piece);
        }
}
