/* Key files: making, reading, replacing. */
#include "shared/auth/token.h"

#include "shared/base/clock.h"
#include "tests/support/test_main.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { KEYS = 60, THREADS = 4, TOKENS_EACH = 300, ROTATIONS = 3, AFTER_REREAD_MS = 1050 };

static const int64_t now = INT64_C(1800000000000000);

static Arena *arena;
static const char *folder;
static const char *private_path;
static const char *public_path;

static void set_up(void)
{
    arena = arena_new();
    folder = test_folder();
    private_path = arena_printf(arena, "%s/private.jwk", folder);
    public_path = arena_printf(arena, "%s/public.jwks", folder);
}

static void tear_down(void)
{
    arena_free(arena);
}

static const char *sign_with_file(const char *path)
{
    Caller caller = { .account = "accounts/web", .expires_at = now + 60 * 1000000 };
    TokenSigner *signer;
    const char *token = NULL;

    CU_ASSERT_FATAL(token_signer_open(arena, path, &signer) == NULL);
    CHECK_TEXT(error_reason(token_sign(signer, arena, &caller, now, &token)), "OK");
    token_signer_close(signer);
    return token;
}

static const char *verify(TokenKeys *keys, const char *token)
{
    const Caller *caller;

    return error_reason(token_verify(keys, arena, token, now, &caller));
}

static void make_keys(void)
{
    CU_ASSERT_FATAL(token_keys_create(arena, private_path, public_path) == NULL);
}

static const char *write_file(const char *text)
{
    const char *path = arena_printf(arena, "%s/other.json", folder);
    FILE *file = fopen(path, "w");

    fputs(text, file);
    fclose(file);
    return path;
}

static const char *read_file(const char *path)
{
    char text[4096] = "";
    FILE *file = fopen(path, "r");

    text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
    fclose(file);
    return arena_text(arena, text);
}

static void only_its_owner_may_read_the_private_key(void)
{
    struct stat info;

    make_keys();

    CHECK_INT(stat(private_path, &info), 0);
    CHECK_INT(info.st_mode & 0777, 0600);
}

static void the_public_file_holds_no_private_key(void)
{
    make_keys();

    CHECK_CONTAINS(read_file(private_path), "\"d\":");
    CU_ASSERT(strstr(read_file(public_path), "\"d\":") == NULL);
    CHECK_CONTAINS(read_file(public_path), "\"keys\":");
    CHECK_CONTAINS(read_file(public_path), "\"alg\": \"ES256\"");
}

/* About one key in 128 has a coordinate that starts with a zero byte. */
static void every_key_that_is_made_works(void)
{
    for (int i = 0; i < KEYS; i++) {
        TokenKeys *keys;

        make_keys();
        CU_ASSERT_FATAL(token_keys_open(arena, public_path, &keys) == NULL);
        CHECK_TEXT(verify(keys, sign_with_file(private_path)), "OK");
        token_keys_close(keys);
    }
}

static void keys_that_cannot_be_written_say_where(void)
{
    const char *nowhere = arena_printf(arena, "%s/missing/private.jwk", folder);
    const Error *error = token_keys_create(arena, nowhere, public_path);

    CHECK_TEXT(error_reason(error), "TOKEN_KEYS_UNUSABLE");
    CHECK_CONTAINS(error->message, nowhere);
    CHECK_CONTAINS(error->message, "No such file or directory");
    CU_ASSERT(access(public_path, F_OK) != 0);
}

static void check_unusable(const char *path, const char *problem)
{
    TokenKeys *keys;
    const Error *error = token_keys_open(arena, path, &keys);

    CU_ASSERT_FATAL(error != NULL);
    CHECK_TEXT(error->reason, "TOKEN_KEYS_UNUSABLE");
    CHECK_INT(error->code, ERROR_FAILED_PRECONDITION);
    CHECK_CONTAINS(error->message, path);
    CHECK_CONTAINS(error->message, problem);
}

static void files_without_a_usable_key_are_refused(void)
{
    static const char no_key[] = "it holds no P-256 key with a key id";

    check_unusable(arena_printf(arena, "%s/none", folder), "No such file or directory");
    check_unusable(write_file(""), "it is not JSON");
    check_unusable(write_file("{\"keys\":["), "it is not JSON");
    check_unusable(write_file("[]"), no_key);
    check_unusable(write_file("{\"keys\":{}}"), no_key);
    check_unusable(write_file("{\"keys\":[]}"), no_key);
    check_unusable(write_file("{\"keys\":[1,null,{}]}"), no_key);
    check_unusable(
        write_file("{\"keys\":[{\"kty\":\"oct\",\"k\":\"AAAA\",\"kid\":\"a\"}]}"), no_key);
    check_unusable(write_file("{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"a\","
                              "\"x\":\"AAAA\",\"y\":\"AAAA\"}]}"),
        no_key);
    /* A text that libcjose's decoder would not survive. */
    check_unusable(write_file("{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"a\","
                              "\"x\":\"A\",\"y\":\"A\"}]}"),
        no_key);
    /* Coordinates of no point of the curve. */
    check_unusable(write_file(arena_printf(arena,
                       "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"a\","
                       "\"x\":\"%043d\",\"y\":\"%043d\"}]}",
                       0, 0)),
        no_key);
}

static void a_signer_needs_a_private_key(void)
{
    TokenSigner *signer;

    make_keys();

    CHECK_TEXT(error_reason(token_signer_open(arena, public_path, &signer)), "TOKEN_KEYS_UNUSABLE");
    CHECK_TEXT(
        error_reason(token_signer_open(arena, write_file("{}"), &signer)), "TOKEN_KEYS_UNUSABLE");
    CHECK_TEXT(
        error_reason(token_signer_open(arena, write_file("x"), &signer)), "TOKEN_KEYS_UNUSABLE");
    CHECK_TEXT(error_reason(token_signer_open(arena, folder, &signer)), "TOKEN_KEYS_UNUSABLE");
}

static void a_rotated_key_is_taken_up_without_a_restart(void)
{
    TokenKeys *keys;

    make_keys();
    CU_ASSERT_FATAL(token_keys_open(arena, public_path, &keys) == NULL);
    CHECK_TEXT(verify(keys, sign_with_file(private_path)), "OK");
    make_keys();

    CHECK_TEXT(verify(keys, sign_with_file(private_path)), "OK");
    token_keys_close(keys);
}

static void a_key_that_was_taken_away_is_unknown_even_for_verified_tokens(void)
{
    TokenKeys *keys;
    const char *old;

    make_keys();
    CU_ASSERT_FATAL(token_keys_open(arena, public_path, &keys) == NULL);
    old = sign_with_file(private_path);
    CHECK_TEXT(verify(keys, old), "OK");
    make_keys();
    CHECK_TEXT(verify(keys, old), "OK");

    CHECK_TEXT(verify(keys, sign_with_file(private_path)), "OK");
    CHECK_TEXT(verify(keys, old), "TOKEN_KEY_UNKNOWN");
    token_keys_close(keys);
}

static void the_file_is_read_again_at_most_once_a_second(void)
{
    TokenKeys *keys;

    make_keys();
    CU_ASSERT_FATAL(token_keys_open(arena, public_path, &keys) == NULL);
    make_keys();
    CHECK_TEXT(verify(keys, sign_with_file(private_path)), "OK");
    make_keys();

    CHECK_TEXT(verify(keys, sign_with_file(private_path)), "TOKEN_KEY_UNKNOWN");
    clock_sleep_ms(AFTER_REREAD_MS);
    CHECK_TEXT(verify(keys, sign_with_file(private_path)), "OK");
    token_keys_close(keys);
}

static void the_keys_stay_when_the_file_goes_away_or_bad(void)
{
    TokenKeys *keys;
    const char *old;

    make_keys();
    CU_ASSERT_FATAL(token_keys_open(arena, public_path, &keys) == NULL);
    old = sign_with_file(private_path);
    make_keys();
    CHECK_INT(truncate(public_path, 10), 0);

    CHECK_TEXT(verify(keys, sign_with_file(private_path)), "TOKEN_KEY_UNKNOWN");
    CHECK_TEXT(verify(keys, old), "OK");
    token_keys_close(keys);
}

typedef struct Work {
    TokenKeys *keys;
    TokenSigner *signer;
    atomic_int *n_bad;
} Work;

/* Signs and verifies: each token once by its signature and once from the cache. */
static void *sign_and_verify(void *context)
{
    const Work *work = context;
    Caller caller = { .account = "accounts/web", .expires_at = now + 60 * 1000000 };
    Arena *own = arena_new();

    for (int i = 0; i < TOKENS_EACH; i++) {
        const Caller *found;
        const char *token;

        if (token_sign(work->signer, own, &caller, now, &token) ||
            token_verify(work->keys, own, token, now, &found) ||
            token_verify(work->keys, own, token, now, &found) ||
            strcmp(found->account, "accounts/web"))
            atomic_fetch_add(work->n_bad, 1);
        arena_reset(own);
    }
    arena_free(own);
    return NULL;
}

/* The set is replaced meanwhile by one that holds the old key too. */
static void threads_verify_while_keys_are_rotated(void)
{
    pthread_t threads[THREADS];
    atomic_int n_bad = 0;
    Work work = { .n_bad = &n_bad };
    const char *own_key;
    const char *own_private = arena_printf(arena, "%s/own.jwk", folder);

    CU_ASSERT_FATAL(token_keys_create(arena, own_private, public_path) == NULL);
    own_key = read_file(own_private);
    CU_ASSERT_FATAL(token_keys_open(arena, public_path, &work.keys) == NULL);
    CU_ASSERT_FATAL(token_signer_open(arena, own_private, &work.signer) == NULL);
    for (int i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, sign_and_verify, &work);
    for (int i = 0; i < ROTATIONS; i++) {
        const char *both;

        make_keys();
        both =
            write_file(arena_printf(arena, "{\"keys\":[%s,%s]}", own_key, read_file(private_path)));
        rename(both, public_path);
        CHECK_TEXT(verify(work.keys, sign_with_file(private_path)), "OK");
        clock_sleep_ms(AFTER_REREAD_MS);
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);

    CHECK_INT(n_bad, 0);
    token_signer_close(work.signer);
    token_keys_close(work.keys);
}

static void closing_nothing_is_allowed(void)
{
    token_keys_close(NULL);
    token_signer_close(NULL);
    make_keys();
    CU_ASSERT(sign_with_file(private_path) != NULL);
}

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        { "only_its_owner_may_read_the_private_key", only_its_owner_may_read_the_private_key },
        { "the_public_file_holds_no_private_key", the_public_file_holds_no_private_key },
        { "every_key_that_is_made_works", every_key_that_is_made_works },
        { "keys_that_cannot_be_written_say_where", keys_that_cannot_be_written_say_where },
        { "files_without_a_usable_key_are_refused", files_without_a_usable_key_are_refused },
        { "a_signer_needs_a_private_key", a_signer_needs_a_private_key },
        { "a_rotated_key_is_taken_up_without_a_restart",
            a_rotated_key_is_taken_up_without_a_restart },
        { "a_key_that_was_taken_away_is_unknown_even_for_verified_tokens",
            a_key_that_was_taken_away_is_unknown_even_for_verified_tokens },
        { "the_file_is_read_again_at_most_once_a_second",
            the_file_is_read_again_at_most_once_a_second },
        { "the_keys_stay_when_the_file_goes_away_or_bad",
            the_keys_stay_when_the_file_goes_away_or_bad },
        { "threads_verify_while_keys_are_rotated", threads_verify_while_keys_are_rotated },
        { "closing_nothing_is_allowed", closing_nothing_is_allowed },
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        { .pName = "keys", .pSetUpFunc = set_up, .pTearDownFunc = tear_down, .pTests = tests },
        CU_SUITE_INFO_NULL,
    };

    return test_main("auth_keys", suites, argc, argv);
}
