/* Arena: a list of blocks, newest first. Small requests are cut from the newest block; a large one
 * gets a block of its own behind it, so that the rest of the newest block is not lost. Blocks are
 * zeroed ahead of what is cut from them, a stretch at a time. */
#include "shared/base/arena.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef ARENA_SEPARATE_BLOCKS
enum { FIRST_BLOCK = 0, LARGEST_BLOCK = 0, ALIGNMENT = 16 };
#else
enum { FIRST_BLOCK = 8 * 1024, LARGEST_BLOCK = 128 * 1024, ALIGNMENT = 16 };
#endif

/* SMALL_TEXT: nearly all that is printed; such a text is formatted once. STRETCH: zeroed at once, at least. */
enum { SMALL_TEXT = 128, STRETCH = 512 };

typedef struct Block {
    struct Block *next;
    size_t capacity;
    size_t used;
    size_t zeroed; /* from the start; at least `used` */
    _Alignas(ALIGNMENT) unsigned char data[];
} Block;

struct Arena {
    Block *newest;
    size_t next_capacity; /* of the next common block */
    size_t used;
};

static Block *new_block(size_t capacity)
{
    Block *block = malloc(sizeof(Block) + capacity);

    if (!block)
        abort();
    block->next = NULL;
    block->capacity = capacity;
    block->used = 0;
    block->zeroed = 0;
    return block;
}

Arena *arena_new(void)
{
    Arena *arena = calloc(1, sizeof(Arena));

    if (!arena)
        abort();
    arena->next_capacity = FIRST_BLOCK;
    return arena;
}

/* The oldest block, when it is of the common size, serves the next use. */
void arena_reset(Arena *arena)
{
    Block *kept = NULL;

    for (Block *block = arena->newest, *next; block; block = next) {
        next = block->next;
        if (!next && FIRST_BLOCK > 0 && block->capacity == FIRST_BLOCK)
            kept = block;
        else
            free(block);
    }
    if (kept) {
        kept->used = 0;
        kept->zeroed = 0;
    }
    arena->newest = kept;
    arena->next_capacity = kept ? 2 * FIRST_BLOCK : FIRST_BLOCK;
    arena->used = 0;
}

void arena_free(Arena *arena)
{
    if (!arena)
        return;
    for (Block *block = arena->newest, *next; block; block = next) {
        next = block->next;
        free(block);
    }
    free(arena);
}

/* A new block with room for `size` bytes. */
static Block *add_block(Arena *arena, size_t size)
{
    Block *newest = arena->newest;
    Block *block;

    if (size <= arena->next_capacity) {
        block = new_block(arena->next_capacity);
        if (arena->next_capacity != LARGEST_BLOCK)
            arena->next_capacity *= 2;
    } else {
        block = new_block(size);
        if (newest) {
            block->next = newest->next;
            newest->next = block;
            return block;
        }
    }
    block->next = newest;
    arena->newest = block;
    return block;
}

static void zero_until(Block *block, size_t end)
{
    size_t left = block->capacity - block->zeroed;
    size_t size = end - block->zeroed;

    if (size < STRETCH)
        size = left < STRETCH ? left : STRETCH;
    memset(block->data + block->zeroed, 0, size);
    block->zeroed += size;
}

/* Whatever is in it; *block is where it was cut from. */
static inline void *cut(Arena *arena, size_t size, Block **block)
{
    size_t wanted = size ? size : 1;
    Block *newest = arena->newest;
    size_t rounded;
    void *memory;

    if (wanted > PTRDIFF_MAX - sizeof(Block) - ALIGNMENT)
        abort();
    rounded = (wanted + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    if (FIRST_BLOCK == 0) /* to the byte, or an overrun into the rounding would not be seen */
        rounded = wanted;
    *block =
        newest && newest->capacity - newest->used >= rounded ? newest : add_block(arena, rounded);
    memory = (*block)->data + (*block)->used;
    (*block)->used += rounded;
    arena->used += rounded;
    return memory;
}

void *arena_alloc(Arena *arena, size_t size)
{
    Block *block;
    void *memory = cut(arena, size, &block);

    if (block->used > block->zeroed)
        zero_until(block, block->used);
    return memory;
}

void *arena_room(Arena *arena, size_t size)
{
    Block *block;
    void *memory = cut(arena, size, &block);

    if (block->used > block->zeroed)
        block->zeroed = block->used;
    return memory;
}

void *arena_array(Arena *arena, size_t count, size_t size)
{
    size_t total;

    if (__builtin_mul_overflow(count, size, &total))
        abort();
    return arena_alloc(arena, total);
}

void *arena_grow(Arena *arena, const void *old, size_t old_count, size_t new_count, size_t size)
{
    size_t kept = old_count < new_count ? old_count : new_count;
    void *grown = arena_array(arena, new_count, size);

    if (kept)
        memcpy(grown, old, kept * size);
    return grown;
}

void *arena_copy(Arena *arena, const void *bytes, size_t size)
{
    void *copy = arena_room(arena, size);

    if (size)
        memcpy(copy, bytes, size);
    return copy;
}

char *arena_text(Arena *arena, const char *text)
{
    return text ? arena_copy(arena, text, strlen(text) + 1) : arena_alloc(arena, 1);
}

char *arena_text_of(Arena *arena, const char *bytes, size_t size)
{
    char *text;

    if (size == SIZE_MAX)
        abort();
    text = arena_room(arena, size + 1);
    if (size)
        memcpy(text, bytes, size);
    text[size] = '\0';
    return text;
}

char *arena_vprintf(Arena *arena, const char *format, va_list args)
{
    char small[SMALL_TEXT];
    va_list again;
    char *text;
    int length;

    va_copy(again, args);
    length = vsnprintf(small, sizeof(small), format, again);
    va_end(again);
    if (length < 0)
        abort();
    if ((size_t)length < sizeof(small))
        return arena_copy(arena, small, (size_t)length + 1);
    text = arena_room(arena, (size_t)length + 1);
    vsnprintf(text, (size_t)length + 1, format, args);
    return text;
}

char *arena_printf(Arena *arena, const char *format, ...)
{
    va_list args;
    char *text;

    va_start(args, format);
    text = arena_vprintf(arena, format, args);
    va_end(args);
    return text;
}

size_t arena_used(const Arena *arena)
{
    return arena->used;
}
