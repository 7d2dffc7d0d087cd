#include "shared/auth/token.h"

#include "shared/base/clock.h"
#include "shared/base/text.h"
#include "tests/support/test_main.h"
#include "tests/unit/auth/forge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TIMED_TOKENS = 100, GARBAGE_ROUNDS = 30000 };

static const int64_t second = 1000000;
static const int64_t now = INT64_C(1800000000000000);

static Arena *arena;
static const char *private_path;
static const char *public_path;
static TokenKeys *keys;
static TokenSigner *signer;

static void set_up(void)
{
    const char *folder = test_folder();

    arena = arena_new();
    private_path = arena_printf(arena, "%s/private.jwk", folder);
    public_path = arena_printf(arena, "%s/public.jwks", folder);
    if (token_keys_create(arena, private_path, public_path) ||
        token_keys_open(arena, public_path, &keys) ||
        token_signer_open(arena, private_path, &signer))
        abort();
}

static void tear_down(void)
{
    token_keys_close(keys);
    token_signer_close(signer);
    arena_free(arena);
}

static Caller a_caller(void)
{
    static const char *const scopes[] = { "cart.write", "catalog.read" };

    return (Caller){ .account = "accounts/web",
        .channel = "web",
        .scopes = scopes,
        .n_scopes = COUNT(scopes),
        .expires_at = now + 60 * second };
}

static const char *sign(const Caller *caller)
{
    const char *token = NULL;

    CHECK_TEXT(error_reason(token_sign(signer, arena, caller, now, &token)), "OK");
    return token;
}

static const char *verify_at(const char *token, int64_t time)
{
    const Caller *caller = NULL;
    const Error *error = token_verify(keys, arena, token, time, &caller);

    CU_ASSERT(error == NULL || error->code == ERROR_UNAUTHENTICATED);
    return error_reason(error);
}

static const char *verify(const char *token)
{
    return verify_at(token, now);
}

static const char *header_of(const char *algorithm)
{
    return arena_printf(
        arena, "{\"alg\":\"%s\",\"kid\":\"%s\"}", algorithm, forge_key_id(arena, private_path));
}

static const char good_claims[] =
    "{\"iss\":\"throughline\",\"aud\":\"throughline\",\"sub\":\"accounts/web\",\"channel\":\"web\","
    "\"scope\":\"cart.write\",\"iat\":1800000000,\"exp\":1800000060}";

/* The good claims with the first `part` replaced. */
static const char *claims_with(const char *part, const char *replacement)
{
    const char *at = strstr(good_claims, part);

    if (!at)
        abort();
    return arena_printf(
        arena, "%.*s%s%s", (int)(at - good_claims), good_claims, replacement, at + strlen(part));
}

static const char *verify_claims(const char *claims)
{
    return verify(forge_signed(arena, private_path, header_of("ES256"), claims));
}

static void a_signed_token_names_its_caller(void)
{
    Caller signed_for = a_caller();
    const Caller *caller = NULL;

    CHECK_TEXT(error_reason(token_verify(keys, arena, sign(&signed_for), now, &caller)), "OK");

    CU_ASSERT_FATAL(caller != NULL);
    CHECK_TEXT(caller->account, "accounts/web");
    CHECK_TEXT(caller->channel, "web");
    CHECK_INT(caller->n_scopes, 2);
    CHECK_TEXT(caller->scopes[0], "cart.write");
    CHECK_TEXT(caller->scopes[1], "catalog.read");
    CHECK_INT(caller->expires_at, signed_for.expires_at);
}

static void the_second_time_the_caller_is_the_same(void)
{
    Caller signed_for = a_caller();
    const char *token = sign(&signed_for);
    const Caller *first = NULL;
    const Caller *second_time = NULL;

    CHECK_TEXT(error_reason(token_verify(keys, arena, token, now, &first)), "OK");
    CHECK_TEXT(error_reason(token_verify(keys, arena, token, now, &second_time)), "OK");

    CHECK_TEXT(second_time->account, first->account);
    CHECK_TEXT(second_time->channel, first->channel);
    CHECK_INT(second_time->n_scopes, 2);
    CHECK_TEXT(second_time->scopes[1], "catalog.read");
    CHECK_INT(second_time->expires_at, first->expires_at);
}

static void an_account_may_have_no_channel_and_no_scopes(void)
{
    Caller signed_for = { .account = "accounts/cart", .expires_at = now + second };
    const Caller *caller = NULL;

    CHECK_TEXT(error_reason(token_verify(keys, arena, sign(&signed_for), now, &caller)), "OK");

    CHECK_TEXT(caller->channel, "");
    CHECK_INT(caller->n_scopes, 0);
}

static void no_token_is_missing(void)
{
    CHECK_TEXT(verify(NULL), "TOKEN_MISSING");
    CHECK_TEXT(verify(""), "TOKEN_MISSING");
}

static void a_token_ends_with_its_time_and_the_leeway(void)
{
    Caller caller = a_caller();
    const char *token = sign(&caller);
    int64_t end = caller.expires_at + TOKEN_LEEWAY_SECONDS * second;

    CHECK_TEXT(verify_at(token, end), "TOKEN_EXPIRED");
    CHECK_TEXT(verify_at(token, end - 1), "OK");
    /* The token is in the cache now. */
    CHECK_TEXT(verify_at(token, end), "TOKEN_EXPIRED");
    CHECK_TEXT(verify_at(token, INT64_MAX), "TOKEN_EXPIRED");
}

static void a_token_begins_with_its_time_less_the_leeway(void)
{
    Caller caller = a_caller();
    const char *token = sign(&caller);
    int64_t begin = now - TOKEN_LEEWAY_SECONDS * second;

    CHECK_TEXT(verify_at(token, begin - 1), "TOKEN_NOT_YET_VALID");
    CHECK_TEXT(verify_at(token, begin), "OK");
    CHECK_TEXT(verify_at(token, begin - 1), "TOKEN_NOT_YET_VALID");
}

static void the_later_of_nbf_and_iat_counts(void)
{
    CHECK_TEXT(verify_claims(claims_with("\"iat\":", "\"nbf\":1800000006,\"iat\":")),
        "TOKEN_NOT_YET_VALID");
    CHECK_TEXT(verify_claims(claims_with("\"iat\":", "\"nbf\":1800000005,\"iat\":")), "OK");
    CHECK_TEXT(
        verify_claims(claims_with("\"iat\":1800000000", "\"nbf\":1800000000,\"iat\":1800000006")),
        "TOKEN_NOT_YET_VALID");
    CHECK_TEXT(verify_claims(claims_with("\"iat\":1800000000,", "")), "OK");
}

static void times_may_have_fractions(void)
{
    CHECK_TEXT(verify_claims(claims_with("1800000060", "1799999994.5")), "TOKEN_EXPIRED");
    CHECK_TEXT(verify_claims(claims_with("1800000060", "1799999995.5")), "OK");
}

static void no_flipped_bit_is_let_through(void)
{
    Caller caller = a_caller();
    char *token = arena_text(arena, sign(&caller));
    size_t size = strlen(token);

    for (size_t at = 0; at < size; at++)
        for (int bit = 0; bit < 7; bit++) {
            token[at] = (char)(token[at] ^ 1 << bit);
            if (text_equal(verify(token), "OK"))
                CHECK_INT(at * 10 + (size_t)bit, -1);
            token[at] = (char)(token[at] ^ 1 << bit);
        }
    CHECK_TEXT(verify(token), "OK");
}

static void another_signature_or_payload_is_forged(void)
{
    Caller caller = a_caller();
    const char *web = sign(&caller);
    const char *pos;

    caller.account = "accounts/pos";
    pos = sign(&caller);

    CHECK_TEXT(verify(arena_printf(
                   arena, "%.*s%s", (int)(strrchr(web, '.') - web), web, strrchr(pos, '.'))),
        "TOKEN_FORGED");
}

static void a_key_of_somebody_else_under_our_key_id_is_forged(void)
{
    const char *other_path = arena_printf(arena, "%s.other", private_path);

    CU_ASSERT_FATAL(
        token_keys_create(arena, other_path, arena_printf(arena, "%s.pub", other_path)) == NULL);

    CHECK_TEXT(
        verify(forge_signed(arena, other_path, header_of("ES256"), good_claims)), "TOKEN_FORGED");
}

static void a_token_without_a_signature_is_refused(void)
{
    static const char *const algorithms[] = { "none", "None", "NONE", "", "ES256" };

    for (size_t i = 0; i < COUNT(algorithms); i++) {
        const char *reason = verify(forge_unsigned(arena, header_of(algorithms[i]), good_claims));

        CU_ASSERT(text_equal(reason, "TOKEN_FORGED") || text_equal(reason, "TOKEN_MALFORMED"));
    }
}

static const char *read_public_file(void)
{
    char text[4096] = "";
    FILE *file = fopen(public_path, "r");

    text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
    fclose(file);
    return arena_text(arena, text);
}

static void the_public_key_is_no_secret_to_sign_with(void)
{
    CHECK_TEXT(verify(forge_hmac(arena, read_public_file(), header_of("HS256"), good_claims)),
        "TOKEN_FORGED");
    CHECK_TEXT(verify(forge_hmac(arena, read_public_file(), header_of("ES256"), good_claims)),
        "TOKEN_FORGED");
    CHECK_TEXT(verify(forge_hmac(arena, "", header_of("HS256"), good_claims)), "TOKEN_FORGED");
}

static void an_unknown_or_missing_key_id_is_unknown(void)
{
    CHECK_TEXT(
        verify(forge_signed(arena, private_path, "{\"alg\":\"ES256\",\"kid\":\"x\"}", good_claims)),
        "TOKEN_KEY_UNKNOWN");
    CHECK_TEXT(verify(forge_signed(arena, private_path, "{\"alg\":\"ES256\"}", good_claims)),
        "TOKEN_KEY_UNKNOWN");
    CHECK_TEXT(
        verify(forge_signed(arena, private_path, "{\"alg\":\"ES256\",\"kid\":7}", good_claims)),
        "TOKEN_KEY_UNKNOWN");
}

static void a_header_that_insists_on_an_extension_is_refused(void)
{
    const char *header = arena_printf(arena,
        "{\"alg\":\"ES256\",\"kid\":\"%s\",\"crit\":[\"b64\"]}", forge_key_id(arena, private_path));

    CHECK_TEXT(verify(forge_signed(arena, private_path, header, good_claims)), "TOKEN_MALFORMED");
}

static void a_token_for_or_by_another_system_is_refused(void)
{
    static const char audience[] = "\"aud\":\"throughline\"";

    CHECK_TEXT(verify_claims(claims_with(audience, "\"aud\":\"bank\"")), "TOKEN_AUDIENCE");
    CHECK_TEXT(verify_claims(claims_with(audience, "\"aud\":[\"bank\"]")), "TOKEN_AUDIENCE");
    CHECK_TEXT(verify_claims(claims_with(audience, "\"aud\":[]")), "TOKEN_AUDIENCE");
    CHECK_TEXT(verify_claims(claims_with(audience, "\"x\":1")), "TOKEN_AUDIENCE");
    CHECK_TEXT(verify_claims(claims_with("\"iss\":\"throughline\"", "\"iss\":\"bank\"")),
        "TOKEN_AUDIENCE");
    CHECK_TEXT(verify_claims(claims_with("\"iss\":\"throughline\",", "")), "TOKEN_AUDIENCE");
    CHECK_TEXT(verify_claims(claims_with(audience, "\"aud\":[\"bank\",\"throughline\"]")), "OK");
}

static void claims_of_the_wrong_shape_are_malformed(void)
{
    static const char *const parts[][2] = { { "accounts/web", "customers/web" },
        { "accounts/web", "accounts/" }, { "\"sub\":\"accounts/web\",", "" },
        { "\"accounts/web\"", "7" }, { "\"exp\":1800000060", "\"x\":1" },
        { "1800000060", "\"1800000060\"" }, { "1800000060", "-1" }, { "1800000060", "1e300" },
        { "1800000060", "253402300800" }, { "\"iat\":1800000000", "\"iat\":\"now\"" },
        { "\"iat\":1800000000", "\"nbf\":true" }, { "\"channel\":\"web\"", "\"channel\":1" },
        { "\"cart.write\"", "[\"cart.write\"]" }, { "\"exp\":1800000060", "\"exp\":1,\"exp\":2" } };

    for (size_t i = 0; i < COUNT(parts); i++)
        CHECK_TEXT(verify_claims(claims_with(parts[i][0], parts[i][1])), "TOKEN_MALFORMED");
    CHECK_TEXT(verify_claims("[]"), "TOKEN_MALFORMED");
    CHECK_TEXT(verify_claims("\"text\""), "TOKEN_MALFORMED");
    CHECK_TEXT(verify_claims("{"), "TOKEN_MALFORMED");
    CHECK_TEXT(verify_claims(good_claims), "OK");
}

static void a_token_has_at_most_64_scopes(void)
{
    const char *scopes = "s";

    for (int i = 1; i < 64; i++)
        scopes = arena_printf(arena, "%s s%d", scopes, i);

    CHECK_TEXT(verify_claims(claims_with("cart.write", scopes)), "OK");
    CHECK_TEXT(verify_claims(claims_with("cart.write", arena_printf(arena, "%s x", scopes))),
        "TOKEN_MALFORMED");
}

static void a_token_that_is_too_large_is_neither_made_nor_read(void)
{
    Caller caller = a_caller();
    const char *token = NULL;
    char *large = arena_alloc(arena, 5000);

    memset(large, 'a', 4900);
    caller.scopes = (const char *const[]){ large };
    caller.n_scopes = 1;

    CHECK_TEXT(error_reason(token_sign(signer, arena, &caller, now, &token)), "TOKEN_TOO_LARGE");
    CU_ASSERT(token == NULL);
    CHECK_TEXT(verify(forge_signed(
                   arena, private_path, header_of("ES256"), claims_with("cart.write", large))),
        "TOKEN_MALFORMED");
}

static void garbage_is_refused(void)
{
    static const char *const garbage[] = { ".", "..", "...", "a", "a.b.c", "e30.e30.e30", "e30..",
        ".e30.", "Bearer x.y.z", "\xff\xfe.\x80.\x01", "eyJhbGciOiJFUzI1NiJ9..", " ",
        "e30.e30.e30.e30.e30", "eyJh.eyJpc.x", "eyJh=.eyJp.eyJp", "ey+h.eyJp.eyJp" };

    for (size_t i = 0; i < COUNT(garbage); i++)
        CU_ASSERT(!text_equal(verify(garbage[i]), "OK"));
}

/* Random texts and random damage to a good token: cut, repeated, replaced. */
static void random_garbage_is_refused(void)
{
    Caller caller = a_caller();
    const char *good = sign(&caller);
    size_t size = strlen(good);
    unsigned seed = 99;
    Arena *own = arena_new();

    for (int round = 0; round < GARBAGE_ROUNDS; round++) {
        static const char likely[] = "eyJ.{}\"A_-=09\xff";
        char *token = arena_text(own, good);
        const Caller *found;

        for (int change = rand_r(&seed) % 4 + 1; change > 0; change--) {
            size_t at = (size_t)rand_r(&seed) % size;

            if (round % 2)
                token[at] = likely[(size_t)rand_r(&seed) % (sizeof(likely) - 1)];
            else
                token[at] = (char)(rand_r(&seed) % 255 + 1);
        }
        if (round % 7 == 0)
            token[(size_t)rand_r(&seed) % size] = '\0';
        if (strcmp(token, good) && token_verify(keys, own, token, now, &found) == NULL)
            CHECK_TEXT(token, "refused");
        arena_reset(own);
    }
    arena_free(own);
}

static void a_verified_token_is_not_verified_again(void)
{
    const char *tokens[TIMED_TOKENS];
    int64_t first;
    int64_t again;

    for (int i = 0; i < TIMED_TOKENS; i++) {
        Caller caller = a_caller();

        tokens[i] = sign(&caller);
    }
    first = clock_monotonic();
    for (int i = 0; i < TIMED_TOKENS; i++)
        CHECK_TEXT(verify(tokens[i]), "OK");
    first = clock_monotonic() - first;
    again = clock_monotonic();
    for (int i = 0; i < TIMED_TOKENS; i++)
        CHECK_TEXT(verify(tokens[i]), "OK");
    again = clock_monotonic() - again;

    CU_ASSERT(again * 3 < first);
}

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        { "a_signed_token_names_its_caller", a_signed_token_names_its_caller },
        { "the_second_time_the_caller_is_the_same", the_second_time_the_caller_is_the_same },
        { "an_account_may_have_no_channel_and_no_scopes",
            an_account_may_have_no_channel_and_no_scopes },
        { "no_token_is_missing", no_token_is_missing },
        { "a_token_ends_with_its_time_and_the_leeway", a_token_ends_with_its_time_and_the_leeway },
        { "a_token_begins_with_its_time_less_the_leeway",
            a_token_begins_with_its_time_less_the_leeway },
        { "the_later_of_nbf_and_iat_counts", the_later_of_nbf_and_iat_counts },
        { "times_may_have_fractions", times_may_have_fractions },
        { "no_flipped_bit_is_let_through", no_flipped_bit_is_let_through },
        { "another_signature_or_payload_is_forged", another_signature_or_payload_is_forged },
        { "a_key_of_somebody_else_under_our_key_id_is_forged",
            a_key_of_somebody_else_under_our_key_id_is_forged },
        { "a_token_without_a_signature_is_refused", a_token_without_a_signature_is_refused },
        { "the_public_key_is_no_secret_to_sign_with", the_public_key_is_no_secret_to_sign_with },
        { "an_unknown_or_missing_key_id_is_unknown", an_unknown_or_missing_key_id_is_unknown },
        { "a_header_that_insists_on_an_extension_is_refused",
            a_header_that_insists_on_an_extension_is_refused },
        { "a_token_for_or_by_another_system_is_refused",
            a_token_for_or_by_another_system_is_refused },
        { "claims_of_the_wrong_shape_are_malformed", claims_of_the_wrong_shape_are_malformed },
        { "a_token_has_at_most_64_scopes", a_token_has_at_most_64_scopes },
        { "a_token_that_is_too_large_is_neither_made_nor_read",
            a_token_that_is_too_large_is_neither_made_nor_read },
        { "garbage_is_refused", garbage_is_refused },
        { "random_garbage_is_refused", random_garbage_is_refused },
        { "a_verified_token_is_not_verified_again", a_verified_token_is_not_verified_again },
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        { .pName = "token", .pSetUpFunc = set_up, .pTearDownFunc = tear_down, .pTests = tests },
        CU_SUITE_INFO_NULL,
    };

    return test_main("auth_token", suites, argc, argv);
}
