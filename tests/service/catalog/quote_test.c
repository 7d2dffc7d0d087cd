/* Quotes and their signatures, over gRPC. */
#include "tests/service/catalog/pricing_fixture.h"

#include "shared/base/clock.h"
#include "shared/codec/message.h"
#include "shared/codec/types.h"

#include <pthread.h>
#include <sodium.h>
#include <string.h>

enum { THREADS = 64, QUOTES_EACH = 5 };

static void a_quote_prices_and_promises(void)
{
    CreateQuoteRequest *request = a_request(arena, 2);
    const Quote *given;

    request->customer = text(arena, "customers/ann");
    request->cart = text(arena, "carts/c1");
    request->cart_etag = text(arena, "7");
    CU_ASSERT_PTR_NULL_FATAL(quote(request));
    given = answer.quote;

    CU_ASSERT(text_starts_with(given->name, "quotes/"));
    CHECK_INT(minor(given->total), 39800);
    CHECK_TEXT(given->lines[0]->title, "Two-person tent, green");
    CHECK_TEXT(given->customer, "customers/ann");
    CHECK_TEXT(given->cart, "carts/c1");
    CHECK_TEXT(given->cart_etag, "7");
    CHECK_TEXT(given->channel, "web");
    CHECK_INT(timestamp_to_micros(given->expire_time) - timestamp_to_micros(given->issue_time),
        900 * INT64_C(1000000));
}

static void the_promise_lasts_as_long_as_asked(void)
{
    CreateQuoteRequest *request = a_request(arena, 1);

    request->ttl_seconds = 86400;
    CU_ASSERT_PTR_NULL_FATAL(quote(request));

    CHECK_INT(timestamp_to_micros(answer.quote->expire_time) -
                  timestamp_to_micros(answer.quote->issue_time),
        86400 * INT64_C(1000000));
}

static void every_bad_field_is_named(void)
{
    CreateQuoteRequest *request = a_request(arena, 0);
    QuoteLine *lines[] = { a_line(arena, "tent green", 0), a_line(arena, "tent-red", 1000001),
        a_line(arena, "tent-red", 1) };
    const Error *error;

    request->currency = text(arena, "EURO");
    request->lines = lines;
    request->n_lines = COUNT(lines);
    request->customer = text(arena, "ann");
    request->cart = text(arena, "cart");
    request->ttl_seconds = 59;
    add_code(request, "TEN");
    add_code(request, "TEN");
    error = quote(request);

    CHECK_TEXT(error_reason(error), "FIELD_INVALID");
    CHECK_INT(error->n_violations, 9);
    CU_ASSERT(has_violation(error, "currency"));
    CU_ASSERT(has_violation(error, "lines[0].sku"));
    CU_ASSERT(has_violation(error, "lines[0].quantity"));
    CU_ASSERT(has_violation(error, "lines[1].quantity"));
    CU_ASSERT(has_violation(error, "lines[2].sku"));
    CU_ASSERT(has_violation(error, "customer"));
    CU_ASSERT(has_violation(error, "cart"));
    CU_ASSERT(has_violation(error, "ttl_seconds"));
    CU_ASSERT(has_violation(error, "codes[1]"));
}

static void a_cart_has_one_to_five_hundred_lines(void)
{
    CreateQuoteRequest *request = a_request(arena, 1);

    request->n_lines = 0;
    CU_ASSERT(has_violation(quote(request), "lines"));
    request->n_lines = QUOTE_MAX_LINES + 1;
    request->lines = arena_array(arena, request->n_lines, sizeof(*request->lines));
    for (size_t i = 0; i < request->n_lines; i++)
        request->lines[i] = a_line(arena, arena_printf(arena, "sku-%zu", i), 1);
    CU_ASSERT(has_violation(quote(request), "lines"));
}

static void an_unknown_sku_is_said(void)
{
    CreateQuoteRequest *request = a_request(arena, 1);
    const Error *error;

    request->lines[0]->sku = text(arena, "caravan");
    error = quote(request);

    CHECK_TEXT(error_reason(error), "VARIANT_NOT_FOUND");
    CHECK_INT(error->code, ERROR_NOT_FOUND);
    CHECK_TEXT(error->facts[0].value, "caravan");
}

static void a_currency_without_price_is_said(void)
{
    CreateQuoteRequest *request = a_request(arena, 1);

    request->currency = text(arena, "CHF");

    CHECK_TEXT(error_reason(quote(request)), "PRICE_MISSING");
}

static void a_retired_product_is_not_sold(void)
{
    Product *tent = a_product(arena);

    tent->state = PRODUCT_RETIRED;
    import_all(&tent, 1);

    CHECK_TEXT(error_reason(quote(a_request(arena, 1))), "PRODUCT_RETIRED");
}

static void amounts_that_do_not_fit_are_refused(void)
{
    Product *gold = a_simple_product(arena, "gold", "", "EUR", INT64_MAX / 1000);
    CreateQuoteRequest *request = a_request(arena, 1001);

    import_all(&gold, 1);
    request->lines[0]->sku = text(arena, "gold");

    CHECK_TEXT(error_reason(quote(request)), "AMOUNT_TOO_LARGE");
    request->lines[0]->quantity = 1000;
    CU_ASSERT_PTR_NULL(quote(request));
}

static void a_new_price_is_quoted_at_once(void)
{
    Product *tent = a_product(arena);

    set_price(arena, tent->variants[0], "EUR", 100);
    import_all(&tent, 1);
    CU_ASSERT_PTR_NULL_FATAL(quote(a_request(arena, 1)));

    CHECK_INT(minor(answer.quote->total), 100);
}

/* Signatures. */

static void a_quote_is_verified_and_read_back(void)
{
    Quote inside;

    CU_ASSERT_PTR_NULL_FATAL(quote(a_request(arena, 1)));

    CU_ASSERT_PTR_NULL(verify(answer.signed_quote, &inside));
    CU_ASSERT(message_equal(&inside, answer.quote));
}

static void a_quote_is_honoured_when_prices_change(void)
{
    Product *tent = a_product(arena);
    Quote inside;

    CU_ASSERT_PTR_NULL_FATAL(quote(a_request(arena, 1)));
    set_price(arena, tent->variants[0], "EUR", 1);
    import_all(&tent, 1);

    CU_ASSERT_PTR_NULL(verify(answer.signed_quote, &inside));
    CHECK_INT(minor(inside.total), 19900);
}

static void a_quote_is_honoured_after_a_restart(void)
{
    Quote inside;

    CU_ASSERT_PTR_NULL_FATAL(quote(a_request(arena, 1)));
    fixture_restart(fixture);

    CHECK_TEXT(error_reason(verify(answer.signed_quote, &inside)), "OK");
}

static void a_changed_quote_is_a_forgery(void)
{
    Quote inside;
    Quote cheaper;
    Bytes payload;

    CU_ASSERT_PTR_NULL_FATAL(quote(a_request(arena, 1)));
    cheaper = *answer.quote;
    cheaper.total = money_message(arena, "EUR", 1);
    payload = message_pack(arena, &cheaper);
    answer.signed_quote->payload.len = payload.size;
    answer.signed_quote->payload.data = (uint8_t *)payload.data;

    CHECK_TEXT(error_reason(verify(answer.signed_quote, &inside)), "QUOTE_FORGED");
}

static void a_quote_of_another_key_is_a_forgery(void)
{
    QuoteKeyRecord key = THROUGHLINE__CATALOG__V1__QUOTE_KEY_RECORD__INIT;
    SignedQuote forged = THROUGHLINE__CATALOG__V1__SIGNED_QUOTE__INIT;
    uint8_t seed[SEAL_SEED] = { 1 };
    Quote inside;

    CU_ASSERT_PTR_NULL_FATAL(quote(a_request(arena, 1)));
    quote_key_make(seed, answer.signed_quote->key_id, 0, arena, &key);
    forged = *quote_sign(answer.quote, &key, arena);

    CHECK_TEXT(error_reason(verify(&forged, &inside)), "QUOTE_FORGED");
    CU_ASSERT(has_violation(verify(NULL, &inside), "signed_quote"));
}

static void an_expired_quote_is_not_honoured(void)
{
    const Catalog *catalog = fixture_context(fixture)->state;
    SignedQuote old = THROUGHLINE__CATALOG__V1__SIGNED_QUOTE__INIT;
    Quote inside;

    CU_ASSERT_PTR_NULL_FATAL(quote(a_request(arena, 1)));
    answer.quote->expire_time = timestamp_from_micros(arena, clock_now() - 1);
    old = *quote_sign(answer.quote, key_ring_newest(catalog->keys), arena);

    CHECK_TEXT(error_reason(verify(&old, &inside)), "QUOTE_EXPIRED");
}

static void anybody_verifies_with_the_public_key(void)
{
    ListQuoteKeysRequest request = THROUGHLINE__CATALOG__V1__LIST_QUOTE_KEYS_REQUEST__INIT;
    ListQuoteKeysResponse keys = THROUGHLINE__CATALOG__V1__LIST_QUOTE_KEYS_RESPONSE__INIT;
    uint8_t bytes[8192] = "throughline.quote.v1";
    const SignedQuote *given;

    CU_ASSERT_PTR_NULL_FATAL(quote(a_request(arena, 1)));
    CU_ASSERT_PTR_NULL_FATAL(
        fixture_call(fixture, "PricingService/ListQuoteKeys", &request, &keys));
    given = answer.signed_quote;
    memcpy(bytes + 21, given->payload.data, given->payload.len);

    CHECK_INT(keys.n_keys, 1);
    CHECK_TEXT(keys.keys[0]->name, given->key_id);
    CHECK_INT(keys.keys[0]->public_key.len, 32);
    CU_ASSERT(timestamp_to_micros(keys.keys[0]->create_time) > some_noon);
    CHECK_INT(crypto_sign_verify_detached(given->signature.data, bytes, 21 + given->payload.len,
                  keys.keys[0]->public_key.data),
        0);
}

/* Many at once. */

/* By somebody else than the server. */
static bool is_signed(const SignedQuote *given)
{
    const Catalog *catalog = fixture_context(fixture)->state;
    Seal seal = { .signature = { given->signature.data, given->signature.len } };

    if (given->batch) {
        seal.index = given->batch->index;
        seal.path = (Bytes){ given->batch->path.data, given->batch->path.len };
    }
    return seal_holds("throughline.quote.v1", (Bytes){ given->payload.data, given->payload.len },
        &seal, key_ring_newest(catalog->keys)->public_key.data);
}

/* One caller: quotes of its own quantity, each checked; the number of wrong ones. */
static void *quote_repeatedly(void *context)
{
    const int32_t quantity = *(const int32_t *)context;
    int64_t *wrong = context;
    Arena *memory = arena_new();
    int64_t n_wrong = 0;

    for (int i = 0; i < QUOTES_EACH; i++) {
        CreateQuoteResponse given = THROUGHLINE__CATALOG__V1__CREATE_QUOTE_RESPONSE__INIT;
        RpcOutgoing outgoing = fixture_outgoing(fixture);
        int64_t total = -1;

        outgoing.arena = memory;
        if (rpc_client_call(fixture_client(fixture), &outgoing,
                &throughline__catalog__v1__pricing_service__descriptor, "CreateQuote",
                a_request(memory, quantity), &given) ||
            !money_minor(given.quote->total, &total) || total != INT64_C(19900) * quantity ||
            !is_signed(given.signed_quote))
            n_wrong++;
    }
    arena_free(memory);
    *wrong = n_wrong;
    return NULL;
}

static void sixty_four_callers_get_their_own_quotes(void)
{
    pthread_t threads[THREADS];
    int64_t contexts[THREADS] = { 0 };

    for (int i = 0; i < THREADS; i++) {
        int32_t quantity = i + 1;

        memcpy(&contexts[i], &quantity, sizeof(quantity));
        CU_ASSERT_FATAL(!pthread_create(&threads[i], NULL, quote_repeatedly, &contexts[i]));
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        CHECK_INT(contexts[i], 0);
    }
}

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        { "a_quote_prices_and_promises", a_quote_prices_and_promises },
        { "the_promise_lasts_as_long_as_asked", the_promise_lasts_as_long_as_asked },
        { "every_bad_field_is_named", every_bad_field_is_named },
        { "a_cart_has_one_to_five_hundred_lines", a_cart_has_one_to_five_hundred_lines },
        { "an_unknown_sku_is_said", an_unknown_sku_is_said },
        { "a_currency_without_price_is_said", a_currency_without_price_is_said },
        { "a_retired_product_is_not_sold", a_retired_product_is_not_sold },
        { "amounts_that_do_not_fit_are_refused", amounts_that_do_not_fit_are_refused },
        { "a_new_price_is_quoted_at_once", a_new_price_is_quoted_at_once },
        { "a_quote_is_verified_and_read_back", a_quote_is_verified_and_read_back },
        { "a_quote_is_honoured_when_prices_change", a_quote_is_honoured_when_prices_change },
        { "a_quote_is_honoured_after_a_restart", a_quote_is_honoured_after_a_restart },
        { "a_changed_quote_is_a_forgery", a_changed_quote_is_a_forgery },
        { "a_quote_of_another_key_is_a_forgery", a_quote_of_another_key_is_a_forgery },
        { "an_expired_quote_is_not_honoured", an_expired_quote_is_not_honoured },
        { "anybody_verifies_with_the_public_key", anybody_verifies_with_the_public_key },
        { "sixty_four_callers_get_their_own_quotes", sixty_four_callers_get_their_own_quotes },
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        { .pName = "quote",
            .pSetUpFunc = start_with_tents,
            .pTearDownFunc = stop_catalog,
            .pTests = tests },
        CU_SUITE_INFO_NULL,
    };

    return test_main("catalog_quote_service", suites, argc, argv);
}
