#include "shared/auth/token_cache.h"

#include "tests/support/test_main.h"

#include <stdio.h>
#include <string.h>

enum { MANY = 20000, PLACES_OF_A_SET = 4 };

static Arena *arena;
static TokenCache *cache;

static void set_up(void)
{
    arena = arena_new();
    cache = token_cache_new();
}

static void tear_down(void)
{
    token_cache_free(cache);
    arena_free(arena);
}

/* Tokens with the same `set` end alike, and so fall into one set of the cache. */
typedef struct Token {
    char text[32];
} Token;

static Token a_token(int set, int number)
{
    Token token;

    snprintf(token.text, sizeof(token.text), "%08d.%08d", number, set);
    return token;
}

static Bytes bytes_of(const Token *token)
{
    return (Bytes){ (const uint8_t *)token->text, strlen(token->text) };
}

static TokenClaims some_claims(int64_t expires_at)
{
    return (TokenClaims){ "accounts/web", "web", "cart.read cart.write", expires_at, 5 };
}

static void put(Token token, uint64_t generation, int64_t now, int64_t expires_at)
{
    TokenClaims claims = some_claims(expires_at);

    token_cache_put(cache, bytes_of(&token), generation, now, &claims);
}

static bool has(Token token, uint64_t generation)
{
    TokenClaims claims;

    return token_cache_get(cache, bytes_of(&token), generation, arena, &claims);
}

static void what_was_put_is_found_with_all_its_claims(void)
{
    Token token = a_token(1, 1);
    TokenClaims claims = { 0 };

    put(token, 3, 10, 1000);

    CU_ASSERT(token_cache_get(cache, bytes_of(&token), 3, arena, &claims));
    CHECK_TEXT(claims.account, "accounts/web");
    CHECK_TEXT(claims.channel, "web");
    CHECK_TEXT(claims.scopes, "cart.read cart.write");
    CHECK_INT(claims.expires_at, 1000);
    CHECK_INT(claims.not_before, 5);
}

static void claims_outlive_their_entry(void)
{
    Token token = a_token(1, 1);
    TokenClaims claims = { 0 };

    put(token, 0, 10, 1000);
    CU_ASSERT(token_cache_get(cache, bytes_of(&token), 0, arena, &claims));
    token_cache_free(cache);
    cache = NULL;

    CHECK_TEXT(claims.account, "accounts/web");
}

static void another_token_or_generation_is_not_found(void)
{
    put(a_token(1, 1), 0, 10, 1000);

    CU_ASSERT(has(a_token(1, 1), 0));
    CU_ASSERT(!has(a_token(1, 2), 0));
    CU_ASSERT(!has(a_token(2, 1), 0));
    CU_ASSERT(!has(a_token(1, 1), 1));
}

static void putting_again_takes_no_second_place(void)
{
    for (int i = 0; i < PLACES_OF_A_SET; i++)
        put(a_token(1, i), 0, 10, 1000);
    for (int i = 0; i < 10; i++)
        put(a_token(1, 0), 0, 10, 2000);

    for (int i = 0; i < PLACES_OF_A_SET; i++)
        CU_ASSERT(has(a_token(1, i), 0));
}

static void the_least_recently_used_makes_room(void)
{
    for (int i = 0; i < PLACES_OF_A_SET; i++)
        put(a_token(1, i), 0, 10, 1000);
    CU_ASSERT(has(a_token(1, 0), 0));

    put(a_token(1, 9), 0, 10, 1000);

    CU_ASSERT(has(a_token(1, 0), 0));
    CU_ASSERT(!has(a_token(1, 1), 0));
    CU_ASSERT(has(a_token(1, 2), 0));
    CU_ASSERT(has(a_token(1, 9), 0));
}

static void expired_entries_make_room_first(void)
{
    put(a_token(1, 0), 0, 10, 1000);
    put(a_token(1, 1), 0, 10, 20);
    put(a_token(1, 2), 0, 10, 1000);
    put(a_token(1, 3), 0, 10, 1000);

    put(a_token(1, 9), 0, 30, 1000);

    CU_ASSERT(has(a_token(1, 0), 0));
    CU_ASSERT(!has(a_token(1, 1), 0));
}

static void entries_of_old_keys_make_room_first(void)
{
    int n_old = 0;

    for (int i = 0; i < PLACES_OF_A_SET; i++)
        put(a_token(1, i), 0, 10, 1000);
    for (int i = 1; i < PLACES_OF_A_SET; i++)
        put(a_token(1, 10 + i), 1, 10, 1000);
    for (int i = 0; i < PLACES_OF_A_SET; i++)
        n_old += has(a_token(1, i), 0); /* used last, yet the one to go */
    CHECK_INT(n_old, 1);

    put(a_token(1, 10), 1, 10, 1000);

    for (int i = 0; i < PLACES_OF_A_SET; i++) {
        CU_ASSERT(!has(a_token(1, i), 0));
        CU_ASSERT(has(a_token(1, 10 + i), 1));
    }
}

static void the_cache_holds_no_more_than_its_size(void)
{
    int found = 0;

    for (int i = 0; i < MANY; i++)
        put(a_token(i % 65536, i), 0, 10, 1000);
    for (int i = 0; i < MANY; i++)
        found += has(a_token(i % 65536, i), 0);

    CHECK_INT(found, TOKEN_CACHE_ENTRIES);
}

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        { "what_was_put_is_found_with_all_its_claims", what_was_put_is_found_with_all_its_claims },
        { "claims_outlive_their_entry", claims_outlive_their_entry },
        { "another_token_or_generation_is_not_found", another_token_or_generation_is_not_found },
        { "putting_again_takes_no_second_place", putting_again_takes_no_second_place },
        { "the_least_recently_used_makes_room", the_least_recently_used_makes_room },
        { "expired_entries_make_room_first", expired_entries_make_room_first },
        { "entries_of_old_keys_make_room_first", entries_of_old_keys_make_room_first },
        { "the_cache_holds_no_more_than_its_size", the_cache_holds_no_more_than_its_size },
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        { .pName = "cache", .pSetUpFunc = set_up, .pTearDownFunc = tear_down, .pTests = tests },
        CU_SUITE_INFO_NULL,
    };

    return test_main("auth_cache", suites, argc, argv);
}
