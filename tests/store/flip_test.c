/* Bits that flip in the file of an embedded store: each is an error or does not matter, but never a wrong answer.
 *
 * 400 bits, in CI and the quick run 50; THROUGHLINE_TEST_SEED=N repeats them. */
#include "tests/store/store_fixture.h"

#include "shared/base/clock.h"
#include "shared/base/log.h"
#include "shared/codec/message.h"

#include <stdio.h>
#include <stdlib.h>

enum { RECORDS = 120, FLIPS = 400, SHORT_FLIPS = 50 };

/* Everything that a store with RECORDS records answers; the first error ends it. */
static const Error *write_everything(FILE *out)
{
    static const char *const indexes[] = { NULL, "by_owner", "by_tag", "by_state" };
    StoreEntry *entries;
    size_t n_entries;
    StorePage page;
    const Error *error;

    for (size_t i = 0; i < COUNT(indexes); i++) {
        StoreQuery query = { .index = indexes[i], .limit = RECORDS * 2 };

        if ((error = store_find(a_view(), &records, &query, &page)))
            return error;
        for (size_t j = 0; j < page.n_messages; j++) {
            Bytes bytes = message_pack(the_arena(), page.messages[j]);

            fprintf(out, "%llx ", (long long)text_hash(bytes.data, bytes.size));
        }
    }
    for (int i = 0; i < RECORDS; i++) {
        StoreView *request = a_request(arena_printf(the_arena(), "key-%d", i), "");
        Record *record = a_record("x");

        error = store_get(a_view(), &records, arena_printf(the_arena(), "records/%d", i), record);
        if (error && error->code != ERROR_NOT_FOUND)
            return error;
        fprintf(out, "%s ", error ? "none" : record->owner);
        error = store_find_reply(request);
        if (error && error != &store_replayed)
            return error;
        fprintf(out, "%s ", owner_of(request->replayed));
    }
    if ((error = store_outbox_read(a_view(), 1, 1000, &entries, &n_entries)))
        return error;
    for (size_t i = 0; i < n_entries; i++)
        fprintf(out, "%s=%s ", entries[i].aggregate, owner_of(entries[i].bytes));
    return NULL;
}

static const Error *ask_everything(const char **answers)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    const Error *error;

    if (!out)
        abort();
    error = write_everything(out);
    fclose(out);
    *answers = error ? NULL : arena_text(the_arena(), text);
    free(text);
    return error;
}

static void fill(void)
{
    for (int i = 0; i < RECORDS; i++) {
        Record *record = a_record_of(arena_printf(the_arena(), "%d", i),
            arena_printf(the_arena(), "owner-%d", i * 7919 % RECORDS));
        StoreView *view = a_request(arena_printf(the_arena(), "key-%d", i), record->owner);

        record->count = i;
        record->state = STATE_OPEN;
        add_tag(record, arena_printf(the_arena(), "tag-%d", i % 10));
        CHECK_OK(store_insert(view, &records, record, a_record_of("event", record->owner)));
    }
}

static long file_size(FILE *file)
{
    fseek(file, 0, SEEK_END);
    return ftell(file);
}

static void flip(const char *path, long at, int bit)
{
    FILE *file = fopen(path, "r+b");
    int byte;

    CU_ASSERT_FATAL(file != NULL);
    fseek(file, at, SEEK_SET);
    byte = fgetc(file);
    fseek(file, at, SEEK_SET);
    fputc(byte ^ 1 << bit, file);
    fclose(file);
}

static long size_of(const char *path)
{
    FILE *file = fopen(path, "rb");
    long size;

    CU_ASSERT_FATAL(file != NULL);
    size = file_size(file);
    fclose(file);
    return size;
}

/* Flips one bit, asks everything, and flips it back. */
static void check_flip(const char *path, long at, int bit, const char *right, int *n_errors)
{
    const char *answers = NULL;
    const Error *error;

    flip(path, at, bit);
    error = fixture_reopen(NULL);
    if (!error)
        error = ask_everything(&answers);
    if (error) {
        CHECK_REASON(error, "STORE_CORRUPT");
        CHECK_INT(error->code, ERROR_DATA_LOSS);
        ++*n_errors;
    } else if (!text_equal(answers, right)) {
        char where[80];

        snprintf(where, sizeof(where), "bit %d of byte %ld", bit, at);
        CHECK_TEXT(where, "of no matter");
    }
    fixture_close();
    flip(path, at, bit);
}

static void a_flipped_bit_is_never_a_wrong_answer(void)
{
    const char *given = getenv("THROUGHLINE_TEST_SEED"), *right = NULL;
    unsigned seed = given ? (unsigned)strtoul(given, NULL, 10) : (unsigned)clock_now();
    const char *path = arena_printf(the_arena(), "%s/%s.db", fixture_folder(), fixture_service());
    int n_errors = 0, n_flips = test_size(SHORT_FLIPS, SHORT_FLIPS, FLIPS);
    long size;

    printf("  seed %u\n", seed);
    fill();
    CHECK_OK(ask_everything(&right));
    fixture_close();
    size = size_of(path);
    for (int i = 0; i < n_flips && !CU_get_number_of_failures(); i++)
        check_flip(path, (long)((unsigned)rand_r(&seed) % (unsigned long)size),
            (int)((unsigned)rand_r(&seed) % 8), right, &n_errors);
    printf("  %d bits of %ld bytes flipped, %d errors\n", n_flips, size, n_errors);
    CU_ASSERT(n_errors > n_flips / 3);
    CHECK_OK(fixture_reopen(NULL));
}

static void start(void)
{
    fixture_start(EMBEDDED);
}

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        { "a_flipped_bit_is_never_a_wrong_answer", a_flipped_bit_is_never_a_wrong_answer },
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        { .pName = "flips", .pSetUpFunc = start, .pTearDownFunc = fixture_stop, .pTests = tests },
        CU_SUITE_INFO_NULL,
    };

    log_setup("test", LOG_OFF);
    return test_main("store_flip_test", suites, argc, argv);
}
