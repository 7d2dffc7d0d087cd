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

/* FIPS 180-4, examples. */
static void sha_256_gives_the_standard_digests(void)
{
    static const char two_blocks[] = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
    uint8_t digest[32];

    id_sha256("abc", 3, digest);
    CHECK_TEXT(text_hex(arena, digest, 32),
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    id_sha256("", 0, digest);
    CHECK_TEXT(text_hex(arena, digest, 32),
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    id_sha256(two_blocks, strlen(two_blocks), digest);
    CHECK_TEXT(text_hex(arena, digest, 32),
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
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
        { "sha_256_gives_the_standard_digests", sha_256_gives_the_standard_digests },
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        { .pName = "id", .pSetUpFunc = set_up, .pTearDownFunc = tear_down, .pTests = tests },
        CU_SUITE_INFO_NULL,
    };

    return test_main("base_id", suites, argc, argv);
}
