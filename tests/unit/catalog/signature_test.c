#include "services/catalog/pricing/signature.h"

#include "shared/codec/message.h"
#include "shared/codec/types.h"
#include "tests/support/test_main.h"
#include "tests/unit/catalog/builders.h"

#include <sodium.h>
#include <string.h>

typedef struct Sealed {
    Arena *arena;
    QuoteKeyRecord key;
    const QuoteKeyRecord *keys[1];
    SignedQuote quote;
} Sealed;

static QuoteKeyRecord a_key(Arena *arena, uint8_t seed_byte, const char *name)
{
    QuoteKeyRecord key = THROUGHLINE__CATALOG__V1__QUOTE_KEY_RECORD__INIT;
    uint8_t seed[SEAL_SEED];

    memset(seed, seed_byte, sizeof(seed));
    quote_key_make(seed, name, some_noon, arena, &key);
    return key;
}

/* A quote of some_noon that is honoured for a minute, signed by "quoteKeys/1". */
static void seal(Sealed *sealed)
{
    Quote quote = THROUGHLINE__CATALOG__V1__QUOTE__INIT;

    *sealed = (Sealed){ .arena = arena_new() };
    sealed->key = a_key(sealed->arena, 7, "quoteKeys/1");
    sealed->keys[0] = &sealed->key;
    quote.name = text(sealed->arena, "quotes/1");
    quote.total = money_message(sealed->arena, "EUR", 4200);
    quote.issue_time = timestamp_from_micros(sealed->arena, some_noon);
    quote.expire_time = timestamp_from_micros(sealed->arena, some_noon + 60000000);
    sealed->quote = *quote_sign(&quote, &sealed->key, sealed->arena);
}

static const char *verify(Sealed *sealed, int64_t now)
{
    Quote quote = THROUGHLINE__CATALOG__V1__QUOTE__INIT;

    return error_reason(quote_verify(&sealed->quote, sealed->keys, 1, now, sealed->arena, &quote));
}

static void a_signed_quote_is_read_back(void)
{
    Sealed sealed;
    Quote quote = THROUGHLINE__CATALOG__V1__QUOTE__INIT;

    seal(&sealed);

    CU_ASSERT_PTR_NULL(
        quote_verify(&sealed.quote, sealed.keys, 1, some_noon, sealed.arena, &quote));
    CHECK_TEXT(quote.name, "quotes/1");
    CHECK_INT(quote.total->units, 42);
    CHECK_TEXT(sealed.quote.key_id, "quoteKeys/1");
    arena_free(sealed.arena);
}

static void the_public_half_is_enough(void)
{
    Sealed sealed;

    seal(&sealed);
    sealed.key.secret_key = (ProtobufCBinaryData){ 0 };

    CHECK_TEXT(verify(&sealed, some_noon), "OK");
    arena_free(sealed.arena);
}

static void the_signature_is_plain_ed25519_over_purpose_and_payload(void)
{
    Sealed sealed;
    uint8_t bytes[4096] = "throughline.quote.v1";

    seal(&sealed);
    memcpy(bytes + 21, sealed.quote.payload.data, sealed.quote.payload.len);

    CHECK_INT(crypto_sign_verify_detached(sealed.quote.signature.data, bytes,
                  21 + sealed.quote.payload.len, sealed.key.public_key.data),
        0);
    arena_free(sealed.arena);
}

static void any_changed_bit_is_a_forgery(void)
{
    Sealed sealed;

    seal(&sealed);
    for (size_t bit = 0; bit < 8 * sealed.quote.payload.len; bit++) {
        sealed.quote.payload.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        CHECK_TEXT(verify(&sealed, some_noon), "QUOTE_FORGED");
        sealed.quote.payload.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    for (size_t bit = 0; bit < 8 * sealed.quote.signature.len; bit++) {
        sealed.quote.signature.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        CHECK_TEXT(verify(&sealed, some_noon), "QUOTE_FORGED");
        sealed.quote.signature.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    CHECK_TEXT(verify(&sealed, some_noon), "OK");
    arena_free(sealed.arena);
}

static void another_key_is_a_forgery(void)
{
    Sealed sealed;

    seal(&sealed);
    sealed.key = a_key(sealed.arena, 8, "quoteKeys/1");
    CHECK_TEXT(verify(&sealed, some_noon), "QUOTE_FORGED");

    sealed.key = a_key(sealed.arena, 7, "quoteKeys/2");
    CHECK_TEXT(verify(&sealed, some_noon), "QUOTE_FORGED");
    arena_free(sealed.arena);
}

static void what_is_missing_is_a_forgery(void)
{
    Sealed sealed;
    size_t length;

    seal(&sealed);
    length = sealed.quote.payload.len;
    sealed.quote.payload.len = 0;
    CHECK_TEXT(verify(&sealed, some_noon), "QUOTE_FORGED");
    sealed.quote.payload.len = length;
    sealed.quote.signature.len = 63;
    CHECK_TEXT(verify(&sealed, some_noon), "QUOTE_FORGED");
    throughline__catalog__v1__signed_quote__init(&sealed.quote);
    CHECK_TEXT(verify(&sealed, some_noon), "QUOTE_FORGED");
    arena_free(sealed.arena);
}

static void a_signature_without_the_purpose_is_a_forgery(void)
{
    Sealed sealed;

    seal(&sealed);
    crypto_sign_detached(sealed.quote.signature.data, NULL, sealed.quote.payload.data,
        sealed.quote.payload.len, sealed.key.secret_key.data);

    CHECK_TEXT(verify(&sealed, some_noon), "QUOTE_FORGED");
    arena_free(sealed.arena);
}

static void a_quote_expires(void)
{
    Sealed sealed;

    seal(&sealed);

    CHECK_TEXT(verify(&sealed, some_noon + 59999999), "OK");
    CHECK_TEXT(verify(&sealed, some_noon + 60000000), "QUOTE_EXPIRED");
    /* Changing it does not help: the time is inside the signed bytes. */
    sealed.quote.payload.data[sealed.quote.payload.len - 1] ^= 1;
    CHECK_TEXT(verify(&sealed, some_noon + 60000000), "QUOTE_FORGED");
    arena_free(sealed.arena);
}

/* So many quotes, signed together by "quoteKeys/1"; the given one becomes the sealed one. */
static void seal_among(Sealed *sealed, size_t n_quotes, size_t chosen)
{
    UnsignedQuote *quotes[SEAL_MAX_TOGETHER];

    seal(sealed);
    for (size_t i = 0; i < n_quotes; i++) {
        Quote quote = THROUGHLINE__CATALOG__V1__QUOTE__INIT;

        quote.name = arena_printf(sealed->arena, "quotes/%zu", i);
        quote.issue_time = timestamp_from_micros(sealed->arena, some_noon);
        quote.expire_time = timestamp_from_micros(sealed->arena, some_noon + 60000000);
        quotes[i] = quote_serialize(&quote, sealed->arena);
    }
    quotes_sign(quotes, n_quotes, &sealed->key);
    sealed->quote = *quotes[chosen]->signed_quote;
}

static void quotes_of_one_moment_share_a_signature(void)
{
    for (size_t i = 0; i < 5; i++) {
        Quote quote = THROUGHLINE__CATALOG__V1__QUOTE__INIT;
        Sealed sealed;

        seal_among(&sealed, 5, i);
        CU_ASSERT_PTR_NULL(
            quote_verify(&sealed.quote, sealed.keys, 1, some_noon, sealed.arena, &quote));
        CHECK_TEXT(quote.name, arena_printf(sealed.arena, "quotes/%zu", i));
        CHECK_INT(sealed.quote.batch->index, (int64_t)i);
        CHECK_TEXT(verify(&sealed, some_noon + 60000000), "QUOTE_EXPIRED");
        arena_free(sealed.arena);
    }
}

static void one_by_itself_has_no_batch(void)
{
    Sealed sealed;

    seal_among(&sealed, 1, 0);
    CU_ASSERT_PTR_NULL(sealed.quote.batch);
    CHECK_TEXT(verify(&sealed, some_noon), "OK");
    arena_free(sealed.arena);
}

static void a_quote_keeps_its_place_over_the_wire(void)
{
    Sealed sealed;
    SignedQuote *again;

    seal_among(&sealed, 5, 4);
    again = message_copy(sealed.arena, &sealed.quote);
    sealed.quote = *again;
    CHECK_TEXT(verify(&sealed, some_noon), "OK");
    arena_free(sealed.arena);
}

static void a_forged_place_is_a_forgery(void)
{
    Sealed sealed, other;
    size_t length;

    seal_among(&sealed, 5, 2);
    seal_among(&other, 5, 3);
    length = sealed.quote.batch->path.len;
    sealed.quote.batch->index ^= 1;
    CHECK_TEXT(verify(&sealed, some_noon), "QUOTE_FORGED");
    sealed.quote.batch->index ^= 1 | 1 << 3;
    CHECK_TEXT(verify(&sealed, some_noon), "QUOTE_FORGED");
    sealed.quote.batch->index ^= 1 << 3;
    sealed.quote.batch->path.len -= SEAL_HASH;
    CHECK_TEXT(verify(&sealed, some_noon), "QUOTE_FORGED");
    sealed.quote.batch->path.len = 0;
    CHECK_TEXT(verify(&sealed, some_noon), "QUOTE_FORGED");
    sealed.quote.batch->path.len = length;
    CHECK_TEXT(verify(&sealed, some_noon), "OK");
    sealed.quote.batch = other.quote.batch;
    CHECK_TEXT(verify(&sealed, some_noon), "QUOTE_FORGED");
    sealed.quote.batch = NULL;
    CHECK_TEXT(verify(&sealed, some_noon), "QUOTE_FORGED");
    arena_free(sealed.arena);
    arena_free(other.arena);
}

static void one_seed_makes_one_key(void)
{
    Arena *arena = arena_new();
    QuoteKeyRecord first = a_key(arena, 1, "quoteKeys/1");
    QuoteKeyRecord again = a_key(arena, 1, "quoteKeys/1");
    QuoteKeyRecord other = a_key(arena, 2, "quoteKeys/1");

    CU_ASSERT(message_equal(&first, &again));
    CU_ASSERT(!message_equal(&first, &other));
    CHECK_INT(first.public_key.len, SEAL_PUBLIC_KEY);
    arena_free(arena);
}

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        { "a_signed_quote_is_read_back", a_signed_quote_is_read_back },
        { "the_public_half_is_enough", the_public_half_is_enough },
        { "the_signature_is_plain_ed25519_over_purpose_and_payload",
            the_signature_is_plain_ed25519_over_purpose_and_payload },
        { "any_changed_bit_is_a_forgery", any_changed_bit_is_a_forgery },
        { "another_key_is_a_forgery", another_key_is_a_forgery },
        { "what_is_missing_is_a_forgery", what_is_missing_is_a_forgery },
        { "a_signature_without_the_purpose_is_a_forgery",
            a_signature_without_the_purpose_is_a_forgery },
        { "a_quote_expires", a_quote_expires },
        { "quotes_of_one_moment_share_a_signature", quotes_of_one_moment_share_a_signature },
        { "one_by_itself_has_no_batch", one_by_itself_has_no_batch },
        { "a_quote_keeps_its_place_over_the_wire", a_quote_keeps_its_place_over_the_wire },
        { "a_forged_place_is_a_forgery", a_forged_place_is_a_forgery },
        { "one_seed_makes_one_key", one_seed_makes_one_key },
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        { .pName = "signature", .pTests = tests },
        CU_SUITE_INFO_NULL,
    };

    return test_main("catalog_signature", suites, argc, argv);
}
