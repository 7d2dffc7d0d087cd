#include "shared/base/arena.h"

#include "shared/base/text.h"
#include "tests/support/test_main.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static Arena *arena;

static void set_up(void)
{
    arena = arena_new();
}

static void tear_down(void)
{
    arena_free(arena);
}

static bool is_zero(const void *memory, size_t size)
{
    const uint8_t *byte = memory;

    for (size_t i = 0; i < size; i++)
        if (byte[i])
            return false;
    return true;
}

/* Whether `work` ends its process with abort(). */
static bool aborts(void (*work)(void))
{
    int status = 0;
    pid_t child = fork();

    if (child == 0) {
        setrlimit(RLIMIT_CORE, &(struct rlimit){ 0 });
        close(STDERR_FILENO);
        work();
        _exit(0);
    }
    waitpid(child, &status, 0);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

static void memory_is_zeroed_and_aligned_whatever_its_size(void)
{
    for (size_t size = 1; size < 300000; size = size * 3 + 1) {
        void *memory = arena_alloc(arena, size);

        CU_ASSERT(is_zero(memory, size));
        CHECK_INT((uintptr_t)memory % _Alignof(max_align_t), 0);
        memset(memory, 0xff, size);
    }
}

static void memory_is_zeroed_again_after_a_reset(void)
{
    for (int round = 0; round < 5; round++) {
        for (int i = 0; i < 100; i++) {
            void *memory = arena_alloc(arena, 500);

            CU_ASSERT(is_zero(memory, 500));
            memset(memory, 0xff, 500);
        }
        arena_reset(arena);
    }
}

static void pieces_do_not_overlap(void)
{
    enum { PIECES = 2000 };
    uint8_t *pieces[PIECES];
    size_t sizes[PIECES];

    for (int i = 0; i < PIECES; i++) {
        sizes[i] = (size_t)(i * 7919 % 1013) + (i % 100 == 0 ? 200000u : 1u);
        pieces[i] = arena_alloc(arena, sizes[i]);
        memset(pieces[i], i % 251, sizes[i]);
    }

    for (int i = 0; i < PIECES; i++) {
        CHECK_INT(pieces[i][0], i % 251);
        CHECK_INT(pieces[i][sizes[i] - 1], i % 251);
    }
}

/* Also behind room that was not, and was written on. */
static void memory_behind_room_is_zeroed(void)
{
    for (size_t size = 1; size < 3000; size += 7) {
        unsigned char *room = arena_room(arena, size);
        const unsigned char *zeroed;

        memset(room, 0xff, size);
        zeroed = arena_alloc(arena, size);
        CU_ASSERT((uintptr_t)room % 16 == 0);
        for (size_t i = 0; i < size; i++)
            CU_ASSERT(zeroed[i] == 0);
    }
}

static void a_size_of_zero_gives_a_pointer_of_its_own(void)
{
    void *first = arena_alloc(arena, 0);
    void *second = arena_alloc(arena, 0);

    CU_ASSERT(first && second && first != second);
}

static void what_was_handed_out_is_counted_until_the_reset(void)
{
    CHECK_INT(arena_used(arena), 0);

    arena_alloc(arena, 1000);
    arena_alloc(arena, 100000);

    CU_ASSERT(arena_used(arena) >= 101000 && arena_used(arena) < 101100);
    arena_reset(arena);
    CHECK_INT(arena_used(arena), 0);
}

static void an_array_grows_with_its_items_and_a_zeroed_tail(void)
{
    int *three = arena_array(arena, 3, sizeof(int));
    int *five;

    for (int i = 0; i < 3; i++)
        three[i] = i + 1;

    five = arena_grow(arena, three, 3, 5, sizeof(int));

    CU_ASSERT(!memcmp(five, (int[]){ 1, 2, 3, 0, 0 }, 5 * sizeof(int)));
    CU_ASSERT(!memcmp(three, (int[]){ 1, 2, 3 }, 3 * sizeof(int)));
    CU_ASSERT(is_zero(arena_grow(arena, NULL, 0, 4, sizeof(int)), 4 * sizeof(int)));
    CHECK_INT(*(int *)arena_grow(arena, three, 3, 1, sizeof(int)), 1);
}

static void texts_are_copied_with_their_end(void)
{
    char text[] = "price";
    char *copy = arena_text(arena, text);

    text[0] = 'P';

    CHECK_TEXT(copy, "price");
    CHECK_TEXT(arena_text(arena, NULL), "");
    CHECK_TEXT(arena_text_of(arena, "price list", 5), "price");
    CHECK_TEXT(arena_text_of(arena, NULL, 0), "");
    CU_ASSERT(!memcmp(arena_copy(arena, "a\0b", 3), "a\0b", 3));
    CU_ASSERT(arena_copy(arena, NULL, 0) != NULL);
}

static void formatted_texts_may_be_of_any_length(void)
{
    CHECK_TEXT(arena_printf(arena, "%s/%d", "carts", 7), "carts/7");
    CHECK_TEXT(arena_printf(arena, "%s", ""), "");
    CHECK_INT(strlen(arena_printf(arena, "%0100000d", 1)), 100000);
}

static void grow_too_far(void)
{
    arena_grow(arena, "", 1, SIZE_MAX / 4, 8);
}

static void multiply_too_far(void)
{
    arena_array(arena, SIZE_MAX / 2, 3);
}

static void ask_for_everything(void)
{
    arena_alloc(arena, SIZE_MAX);
}

static void copy_a_text_of_everything(void)
{
    arena_text_of(arena, "", SIZE_MAX);
}

static void sizes_that_overflow_abort(void)
{
    CU_ASSERT(aborts(grow_too_far));
    CU_ASSERT(aborts(multiply_too_far));
    CU_ASSERT(aborts(ask_for_everything));
    CU_ASSERT(aborts(copy_a_text_of_everything));
}

static void freeing_nothing_is_allowed(void)
{
    arena_free(NULL);
    CU_ASSERT(arena_alloc(arena, 1) != NULL);
}

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        { "memory_is_zeroed_and_aligned_whatever_its_size",
            memory_is_zeroed_and_aligned_whatever_its_size },
        { "memory_is_zeroed_again_after_a_reset", memory_is_zeroed_again_after_a_reset },
        { "memory_behind_room_is_zeroed", memory_behind_room_is_zeroed },
        { "pieces_do_not_overlap", pieces_do_not_overlap },
        { "a_size_of_zero_gives_a_pointer_of_its_own", a_size_of_zero_gives_a_pointer_of_its_own },
        { "what_was_handed_out_is_counted_until_the_reset",
            what_was_handed_out_is_counted_until_the_reset },
        { "an_array_grows_with_its_items_and_a_zeroed_tail",
            an_array_grows_with_its_items_and_a_zeroed_tail },
        { "texts_are_copied_with_their_end", texts_are_copied_with_their_end },
        { "formatted_texts_may_be_of_any_length", formatted_texts_may_be_of_any_length },
        { "sizes_that_overflow_abort", sizes_that_overflow_abort },
        { "freeing_nothing_is_allowed", freeing_nothing_is_allowed },
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        { .pName = "arena", .pSetUpFunc = set_up, .pTearDownFunc = tear_down, .pTests = tests },
        CU_SUITE_INFO_NULL,
    };

    return test_main("base_arena", suites, argc, argv);
}
