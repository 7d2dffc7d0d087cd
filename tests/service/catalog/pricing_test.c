/* Quotes and promotions, over gRPC. */
#include "tests/service/catalog/catalog_fixture.h"

#include "shared/base/clock.h"
#include "shared/codec/message.h"
#include "shared/codec/types.h"

#include <pthread.h>
#include <sodium.h>
#include <string.h>

typedef Throughline__Catalog__V1__CreateQuoteRequest CreateQuoteRequest;
typedef Throughline__Catalog__V1__CreateQuoteResponse CreateQuoteResponse;
typedef Throughline__Catalog__V1__VerifyQuoteRequest VerifyQuoteRequest;
typedef Throughline__Catalog__V1__ListQuoteKeysRequest ListQuoteKeysRequest;
typedef Throughline__Catalog__V1__ListQuoteKeysResponse ListQuoteKeysResponse;
typedef Throughline__Catalog__V1__CreatePromotionRequest CreatePromotionRequest;
typedef Throughline__Catalog__V1__GetPromotionRequest GetPromotionRequest;
typedef Throughline__Catalog__V1__ListPromotionsRequest ListPromotionsRequest;
typedef Throughline__Catalog__V1__ListPromotionsResponse ListPromotionsResponse;
typedef Throughline__Catalog__V1__EndPromotionRequest EndPromotionRequest;

enum { THREADS = 64, QUOTES_EACH = 5 };

static void start_with_tents(void)
{
    Product *tent;

    start_catalog();
    tent = a_product(arena);
    import_all(&tent, 1);
}

static QuoteLine *a_line(Arena *memory, const char *sku, int32_t quantity)
{
    QuoteLine *line = message_new(memory, &throughline__catalog__v1__quote_line__descriptor);

    line->sku = text(memory, sku);
    line->quantity = quantity;
    return line;
}

/* A request in EUR for some green tents. */
static CreateQuoteRequest *a_request(Arena *memory, int32_t quantity)
{
    CreateQuoteRequest *request =
        message_new(memory, &throughline__catalog__v1__create_quote_request__descriptor);

    request->currency = text(memory, "EUR");
    request->n_lines = 1;
    request->lines = arena_array(memory, 1, sizeof(*request->lines));
    request->lines[0] = a_line(memory, "tent-green", quantity);
    return request;
}

static void add_code(CreateQuoteRequest *request, const char *code)
{
    request->codes =
        arena_grow(arena, request->codes, request->n_codes, request->n_codes + 1, sizeof(char *));
    request->codes[request->n_codes++] = text(arena, code);
}

static CreateQuoteResponse answer;

static const Error *quote(const CreateQuoteRequest *request)
{
    throughline__catalog__v1__create_quote_response__init(&answer);
    return fixture_call(fixture, "PricingService/CreateQuote", request, &answer);
}

static const Error *verify(SignedQuote *signed_quote, Quote *inside)
{
    VerifyQuoteRequest request = THROUGHLINE__CATALOG__V1__VERIFY_QUOTE_REQUEST__INIT;

    throughline__catalog__v1__quote__init(inside);
    request.signed_quote = signed_quote;
    return fixture_call(fixture, "PricingService/VerifyQuote", &request, inside);
}

static const Error *create(Promotion *promotion, const char *request_id, Promotion *created)
{
    CreatePromotionRequest request = THROUGHLINE__CATALOG__V1__CREATE_PROMOTION_REQUEST__INIT;

    throughline__catalog__v1__promotion__init(created);
    request.promotion = promotion;
    request.request_id = text(arena, request_id);
    return fixture_call(fixture, "PricingService/CreatePromotion", &request, created);
}

static const Error *end_it(
    const char *name, const char *etag, const char *request_id, Promotion *ended)
{
    EndPromotionRequest request = THROUGHLINE__CATALOG__V1__END_PROMOTION_REQUEST__INIT;

    throughline__catalog__v1__promotion__init(ended);
    request.name = text(arena, name);
    request.etag = text(arena, etag);
    request.request_id = text(arena, request_id);
    return fixture_call(fixture, "PricingService/EndPromotion", &request, ended);
}

static const Error *get_one(const char *name, Promotion *promotion)
{
    GetPromotionRequest request = THROUGHLINE__CATALOG__V1__GET_PROMOTION_REQUEST__INIT;

    throughline__catalog__v1__promotion__init(promotion);
    request.name = text(arena, name);
    return fixture_call(fixture, "PricingService/GetPromotion", &request, promotion);
}

static int64_t minor(const Google__Type__Money *money)
{
    int64_t value = INT64_MIN;

    CU_ASSERT(money_minor(money, &value));
    return value;
}

/* ---- quotes ---- */

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

/* ---- signatures ---- */

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
    uint8_t seed[QUOTE_KEY_SEED] = { 1 };
    Quote inside;

    CU_ASSERT_PTR_NULL_FATAL(quote(a_request(arena, 1)));
    quote_key_make(seed, answer.signed_quote->key_id, 0, arena, &key);
    quote_sign(answer.quote, &key, arena, &forged);

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
    quote_sign(answer.quote, catalog->quote_key, arena, &old);

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

/* ---- promotions ---- */

static void a_promotion_is_made_and_shown(void)
{
    Promotion *wanted = a_promotion(arena, "SPRING", 1000);
    Promotion created;
    Promotion shown;

    wanted->category = text(arena, "Outdoor");
    wanted->name = text(arena, "promotions/of-my-choice");
    CU_ASSERT_PTR_NULL_FATAL(create(wanted, "", &created));
    CU_ASSERT_PTR_NULL_FATAL(get_one(created.name, &shown));

    CU_ASSERT(!text_equal(created.name, wanted->name));
    CHECK_TEXT(created.etag, "1");
    CHECK_TEXT(shown.code, "SPRING");
    CHECK_INT(shown.basis_points, 1000);
    CHECK_TEXT(shown.category, "Outdoor");
    CU_ASSERT(timestamp_to_micros(shown.create_time) > some_noon);
    CU_ASSERT(message_equal(&created, &shown));
}

static void a_bad_promotion_is_refused_with_all_its_fields(void)
{
    Promotion *wanted = a_promotion(arena, "spring", 0);
    Promotion created;
    const Error *error;

    wanted->title = text(arena, "");
    error = create(wanted, "not a request id!", &created);

    CHECK_INT(error->n_violations, 4);
    CU_ASSERT(has_violation(error, "request_id"));
    CU_ASSERT(has_violation(error, "promotion.title"));
    CU_ASSERT(has_violation(error, "promotion.code"));
    CU_ASSERT(has_violation(error, "promotion.basis_points"));
    CU_ASSERT(has_violation(create(NULL, "", &created), "promotion"));
}

static void a_code_belongs_to_one_promotion(void)
{
    Promotion created;
    const Error *error;

    CU_ASSERT_PTR_NULL_FATAL(create(a_promotion(arena, "SPRING", 1000), "", &created));
    error = create(a_promotion(arena, "SPRING", 500), "", &created);

    CHECK_TEXT(error_reason(error), "CODE_TAKEN");
    CHECK_INT(error->code, ERROR_ALREADY_EXISTS);
}

static void creating_twice_with_one_request_id_is_creating_once(void)
{
    Promotion first;
    Promotion second;

    CU_ASSERT_PTR_NULL_FATAL(create(a_promotion(arena, "SPRING", 1000), "r-1", &first));
    CU_ASSERT_PTR_NULL_FATAL(create(a_promotion(arena, "SPRING", 1000), "r-1", &second));

    CU_ASSERT(message_equal(&first, &second));
    CHECK_TEXT(error_reason(create(a_promotion(arena, "SUMMER", 1000), "r-1", &second)),
        "REQUEST_ID_REUSED");
}

static void a_promotion_needs_the_right_to_write(void)
{
    RpcOutgoing outgoing = fixture_outgoing(fixture);
    CreatePromotionRequest request = THROUGHLINE__CATALOG__V1__CREATE_PROMOTION_REQUEST__INIT;
    Promotion created = THROUGHLINE__CATALOG__V1__PROMOTION__INIT;

    request.promotion = a_promotion(arena, "SPRING", 1000);
    outgoing.token = fixture_token(fixture, "catalog.read", "web");

    CHECK_TEXT(error_reason(fixture_call_with(
                   fixture, &outgoing, "PricingService/CreatePromotion", &request, &created)),
        "SCOPE_MISSING");
}

static void a_code_takes_its_share_off_a_quote(void)
{
    CreateQuoteRequest *request = a_request(arena, 1);
    Promotion created;

    CU_ASSERT_PTR_NULL_FATAL(create(a_promotion(arena, "SPRING", 1000), "", &created));
    add_code(request, "SPRING");
    CU_ASSERT_PTR_NULL_FATAL(quote(request));

    CHECK_INT(minor(answer.quote->total), 17910);
    CHECK_INT(minor(answer.quote->discount_total), 1990);
    CHECK_TEXT(answer.quote->lines[0]->adjustments[0]->promotion, created.name);
}

static void codes_that_do_not_apply_are_refused_with_their_reason(void)
{
    CreateQuoteRequest *request = a_request(arena, 1);
    Promotion *kitchen = a_promotion(arena, "COOK", 1000);
    Promotion created;
    const Error *error;

    kitchen->category = text(arena, "Kitchen");
    CU_ASSERT_PTR_NULL_FATAL(create(kitchen, "", &created));
    add_code(request, "COOK");
    error = quote(request);
    CHECK_TEXT(error_reason(error), "PROMOTION_NOT_APPLICABLE");
    CHECK_TEXT(error->facts[0].value, "COOK");

    request->codes[0] = text(arena, "unknown code");
    CHECK_TEXT(error_reason(quote(request)), "PROMOTION_NOT_APPLICABLE");
}

static void an_ended_promotion_applies_no_more_but_quotes_are_honoured(void)
{
    CreateQuoteRequest *request = a_request(arena, 1);
    SignedQuote *given;
    Promotion created;
    Promotion ended;
    Quote inside;

    CU_ASSERT_PTR_NULL_FATAL(create(a_promotion(arena, "SPRING", 1000), "", &created));
    add_code(request, "SPRING");
    CU_ASSERT_PTR_NULL_FATAL(quote(request));
    given = answer.signed_quote;
    CU_ASSERT_PTR_NULL_FATAL(end_it(created.name, created.etag, "e-1", &ended));

    CHECK_TEXT(ended.etag, "2");
    CU_ASSERT_PTR_NOT_NULL(ended.end_time);
    CHECK_TEXT(error_reason(quote(request)), "PROMOTION_NOT_APPLICABLE");
    CU_ASSERT_PTR_NULL(verify(given, &inside));
    CHECK_INT(minor(inside.total), 17910);
}

static void ending_again_changes_nothing(void)
{
    Promotion created;
    Promotion first;
    Promotion second;

    CU_ASSERT_PTR_NULL_FATAL(create(a_promotion(arena, "SPRING", 1000), "", &created));
    CU_ASSERT_PTR_NULL_FATAL(end_it(created.name, "", "e-1", &first));
    CU_ASSERT_PTR_NULL_FATAL(end_it(created.name, "", "e-1", &second));
    CU_ASSERT(message_equal(&first, &second));
    CU_ASSERT_PTR_NULL_FATAL(end_it(created.name, "", "e-2", &second));
    CU_ASSERT(message_equal(&first, &second));
    CHECK_TEXT(error_reason(end_it(created.name, "1", "e-3", &second)), "ETAG_STALE");
}

static void a_promotion_that_is_not_there_is_not_found(void)
{
    Promotion promotion;

    CHECK_TEXT(error_reason(get_one("promotions/none", &promotion)), "PROMOTION_NOT_FOUND");
    CHECK_TEXT(error_reason(end_it("promotions/none", "", "", &promotion)), "PROMOTION_NOT_FOUND");
    CU_ASSERT(has_violation(get_one("none", &promotion), "name"));
    CU_ASSERT(has_violation(end_it("none", "", "", &promotion), "name"));
}

static void promotions_are_listed_in_pages(void)
{
    ListPromotionsRequest request = THROUGHLINE__CATALOG__V1__LIST_PROMOTIONS_REQUEST__INIT;
    ListPromotionsResponse page;
    Promotion created;
    const char *before = "";
    int n_seen = 0;

    for (int i = 0; i < 7; i++)
        CU_ASSERT_PTR_NULL_FATAL(
            create(a_promotion(arena, arena_printf(arena, "CODE-%d", i), 100), "", &created));
    request.page_size = 3;
    do {
        throughline__catalog__v1__list_promotions_response__init(&page);
        CU_ASSERT_PTR_NULL_FATAL(
            fixture_call(fixture, "PricingService/ListPromotions", &request, &page));
        for (size_t i = 0; i < page.n_promotions; i++, n_seen++) {
            CU_ASSERT(strcmp(before, page.promotions[i]->name) < 0);
            before = page.promotions[i]->name;
        }
        request.page_token = page.next_page_token;
    } while (*request.page_token);

    CHECK_INT(n_seen, 7);
    request.page_size = -1;
    request.page_token = text(arena, "");
    CU_ASSERT(has_violation(
        fixture_call(fixture, "PricingService/ListPromotions", &request, &page), "page_size"));
}

static void promotions_tell_what_happened_to_them(void)
{
    Promotion created;
    Promotion ended;
    const Event *event;
    const PromotionChanged *changed;

    CU_ASSERT_PTR_NULL_FATAL(create(a_promotion(arena, "SPRING", 1000), "", &created));
    CU_ASSERT_PTR_NULL_FATAL(end_it(created.name, "", "", &ended));
    event = fixture_event(fixture, created.name, 2);

    CU_ASSERT_PTR_NOT_NULL_FATAL(event);
    changed = event_payload(arena, event, &throughline__catalog__v1__promotion_changed__descriptor);
    CU_ASSERT_PTR_NOT_NULL_FATAL(changed);
    CU_ASSERT(message_equal(changed->promotion, &ended));
}

/* ---- many at once ---- */

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
            !money_minor(given.quote->total, &total) || total != INT64_C(19900) * quantity)
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
    CU_TestInfo quotes[] = {
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
    CU_TestInfo promotion_tests[] = {
        { "a_promotion_is_made_and_shown", a_promotion_is_made_and_shown },
        { "a_bad_promotion_is_refused_with_all_its_fields",
            a_bad_promotion_is_refused_with_all_its_fields },
        { "a_code_belongs_to_one_promotion", a_code_belongs_to_one_promotion },
        { "creating_twice_with_one_request_id_is_creating_once",
            creating_twice_with_one_request_id_is_creating_once },
        { "a_promotion_needs_the_right_to_write", a_promotion_needs_the_right_to_write },
        { "a_code_takes_its_share_off_a_quote", a_code_takes_its_share_off_a_quote },
        { "codes_that_do_not_apply_are_refused_with_their_reason",
            codes_that_do_not_apply_are_refused_with_their_reason },
        { "an_ended_promotion_applies_no_more_but_quotes_are_honoured",
            an_ended_promotion_applies_no_more_but_quotes_are_honoured },
        { "ending_again_changes_nothing", ending_again_changes_nothing },
        { "a_promotion_that_is_not_there_is_not_found",
            a_promotion_that_is_not_there_is_not_found },
        { "promotions_are_listed_in_pages", promotions_are_listed_in_pages },
        { "promotions_tell_what_happened_to_them", promotions_tell_what_happened_to_them },
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        { .pName = "quote",
            .pSetUpFunc = start_with_tents,
            .pTearDownFunc = stop_catalog,
            .pTests = quotes },
        { .pName = "promotion",
            .pSetUpFunc = start_with_tents,
            .pTearDownFunc = stop_catalog,
            .pTests = promotion_tests },
        CU_SUITE_INFO_NULL,
    };

    return test_main("catalog_pricing_service", suites, argc, argv);
}
