#include "shared/base/id.h"

#include "shared/base/clock.h"
#include "shared/base/text.h"
#include "tests/support/test_main.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { THREADS = 4, IDS_EACH = 5000 };

static const char alphabet[] = "0123456789abcdefghjkmnpqrstvwxyz";

static Arena *arena;

static void set_up(void)
{
    arena = arena_new();
}

static void tear_down(void)
{
    arena_free(arena);
}

static void an_id_has_26_lower_case_characters(void)
{
    for (int i = 0; i < 1000; i++) {
        char id[ID_SIZE];

        id_new(id);

        CHECK_INT(strlen(id), 26);
        CHECK_INT(strspn(id, alphabet), 26);
    }
}

static void ids_sort_by_the_time_of_making(void)
{
    char before[ID_SIZE];
    char after[ID_SIZE];

    id_new(before);
    clock_sleep_ms(2);
    id_new(after);

    CU_ASSERT(strcmp(before, after) < 0);
}

static void an_id_starts_with_its_milliseconds(void)
{
    int64_t before = clock_now() / 1000;
    int64_t made = 0;
    char id[ID_SIZE];

    id_new(id);
    for (int i = 0; i < 10; i++)
        made = made * 32 + (strchr(alphabet, id[i]) - alphabet);

    CU_ASSERT(made >= before && made <= clock_now() / 1000);
}

static void *make_ids(void *into)
{
    char(*ids)[ID_SIZE] = into;

    for (int i = 0; i < IDS_EACH; i++)
        id_new(ids[i]);
    return NULL;
}

static int compare_ids(const void *a, const void *b)
{
    return memcmp(a, b, ID_SIZE);
}

static void ids_of_many_threads_differ(void)
{
    static char ids[THREADS * IDS_EACH][ID_SIZE];
    pthread_t threads[THREADS];

    for (int i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, make_ids, ids[i * IDS_EACH]);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);

    qsort(ids, COUNT(ids), ID_SIZE, compare_ids);
    for (size_t i = 1; i < COUNT(ids); i++)
        CU_ASSERT(memcmp(ids[i - 1], ids[i], ID_SIZE) != 0);
}

static void the_same_seed_gives_the_same_id(void)
{
    char one[ID_SIZE];
    char again[ID_SIZE];
    char other[ID_SIZE];

    id_from("carts|request-1", one);
    id_from("carts|request-1", again);
    id_from("carts|request-2", other);

    CHECK_TEXT(again, one);
    CU_ASSERT(strcmp(one, other) != 0);
    CHECK_INT(strspn(one, alphabet), 26);
    /* The first 128 bits of SHA-256("abc"), ba7816bf8f01cfea414140de5dae2223, in base 32: stable
     * for ever. */
    id_from("abc", one);
    CHECK_TEXT(one, "5tf0bbz3r1szn42ga0vsetw8h3");
}

static void a_name_is_its_collection_and_a_new_id(void)
{
    const char *name = id_name(arena, "carts");

    CU_ASSERT(text_matches_name(name, "carts/*"));
    CHECK_INT(strlen(name), strlen("carts/") + 26);
    CU_ASSERT(!text_equal(name, id_name(arena, "carts")));
}

static void codes_have_only_digits_all_alike_likely(void)
{
    enum { CODES = 3000, LENGTH = 10 };
    int seen[10] = { 0 };

    for (int i = 0; i < CODES; i++) {
        const char *code = id_digits(arena, LENGTH);

        CHECK_INT(strlen(code), LENGTH);
        CHECK_INT(strspn(code, "0123456789"), LENGTH);
        for (int at = 0; at < LENGTH; at++)
            seen[code[at] - '0']++;
    }
    /* 3000 of each are expected; eight standard deviations are 416. */
    for (int digit = 0; digit < 10; digit++)
        CU_ASSERT(seen[digit] > 2584 && seen[digit] < 3416);
    CHECK_INT(strlen(id_digits(arena, 1)), 1);
    CHECK_INT(strlen(id_digits(arena, 18)), 18);
}

static void random_bytes_fill_the_whole_buffer(void)
{
    uint8_t all[1000] = { 0 };

    /* After 20 rounds a byte that is never written would be the one still zero. */
    for (int round = 0; round < 20; round++) {
        uint8_t bytes[1000];

        memset(bytes, 0, sizeof(bytes));
        id_random(bytes, sizeof(bytes));
        for (size_t i = 0; i < sizeof(bytes); i++)
            all[i] |= bytes[i];
    }
    for (size_t i = 0; i < sizeof(all); i++)
        CU_ASSERT(all[i] != 0);
    id_random(NULL, 0);
}

/* What Python's hashlib.blake2b says with digest_size=32. */
static void digests_are_those_of_the_standard(void)
{
    uint8_t three_blocks[300];
    uint8_t digest[32];

    id_digest("abc", 3, digest);
    CHECK_TEXT(text_hex(arena, digest, 32),
        "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319");
    id_digest("", 0, digest);
    CHECK_TEXT(text_hex(arena, digest, 32),
        "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8");
    memset(three_blocks, 'x', sizeof(three_blocks));
    id_digest(three_blocks, sizeof(three_blocks), digest);
    CHECK_TEXT(text_hex(arena, digest, 32),
        "5aa7fbbf37986bb2a5d547c0d3c4d4326a24d786e7d57bf93fc784176e38b33d");
}

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        { "an_id_has_26_lower_case_characters", an_id_has_26_lower_case_characters },
        { "ids_sort_by_the_time_of_making", ids_sort_by_the_time_of_making },
        { "an_id_starts_with_its_milliseconds", an_id_starts_with_its_milliseconds },
        { "ids_of_many_threads_differ", ids_of_many_threads_differ },
        { "the_same_seed_gives_the_same_id", the_same_seed_gives_the_same_id },
        { "a_name_is_its_collection_and_a_new_id", a_name_is_its_collection_and_a_new_id },
        { "codes_have_only_digits_all_alike_likely", codes_have_only_digits_all_alike_likely },
        { "random_bytes_fill_the_whole_buffer", random_bytes_fill_the_whole_buffer },
        { "digests_are_those_of_the_standard", digests_are_those_of_the_standard },
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        { .pName = "id", .pSetUpFunc = set_up, .pTearDownFunc = tear_down, .pTests = tests },
        CU_SUITE_INFO_NULL,
    };

    return test_main("base_id", suites, argc, argv);
}
