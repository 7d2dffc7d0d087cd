/* Prices by the rules in force, over gRPC: GetPrice, ExplainQuote, Requote, overrides, keys. */
#include "tests/service/catalog/governance_fixture.h"
#include "tests/service/catalog/pricing_fixture.h"

#include "shared/base/clock.h"
#include "shared/codec/message.h"
#include "shared/codec/types.h"

#include <string.h>

typedef Throughline__Catalog__V1__GetPriceRequest GetPriceRequest;
typedef Throughline__Catalog__V1__GetPriceResponse GetPriceResponse;
typedef Throughline__Catalog__V1__ExplainQuoteRequest ExplainQuoteRequest;
typedef Throughline__Catalog__V1__RequoteRequest RequoteRequest;
typedef Throughline__Catalog__V1__RequoteResponse RequoteResponse;
typedef Throughline__Catalog__V1__RotateQuoteKeyRequest RotateQuoteKeyRequest;
typedef Throughline__Catalog__V1__QuoteKey QuoteKey;
typedef Throughline__Catalog__V1__PriceOverride PriceOverride;
typedef Throughline__Catalog__V1__QuoteContext QuoteContext;
typedef Throughline__Catalog__V1__ShippingRequest ShippingRequest;

static const int64_t a_second = 1000000;

/* Puts a release in force: a price for Germany, 10 % off tents by itself, 19 % VAT in the price. */
static void put_in_force(int64_t release, int64_t amount, int32_t basis_points)
{
    const Catalog *catalog = fixture_context(fixture)->state;
    RuleSet set = THROUGHLINE__CATALOG__V1__RULE_SET__INIT;
    PriceRow row = THROUGHLINE__CATALOG__V1__PRICE_ROW__INIT;
    PriceRow *rows[] = { &row };
    Promotion *list[] = { a_promotion(arena, "", basis_points) };
    TaxCategory goods = THROUGHLINE__CATALOG__V1__TAX_CATEGORY__INIT;
    TaxCategory *kinds[] = { &goods };
    TaxRate vat = THROUGHLINE__CATALOG__V1__TAX_RATE__INIT;
    TaxRate *rates[] = { &vat };

    row.name = text(arena, "priceRows/tent-de");
    row.sku = text(arena, "tent-green");
    row.country = text(arena, "DE");
    row.amount = money_message(arena, "EUR", amount);
    list[0]->name = text(arena, "promotions/tents");
    list[0]->title = text(arena, "Tent weeks");
    list[0]->category = text(arena, "Outdoor > Tents");
    goods.name = text(arena, "taxCategories/goods");
    goods.is_default = true;
    vat.name = text(arena, "taxRates/vat");
    vat.title = text(arena, "VAT 19 %");
    vat.country = text(arena, "DE");
    vat.tax_category = goods.name;
    vat.rate_millionths = 190000;
    set.release = release;
    set.price_rows = rows;
    set.n_price_rows = COUNT(rows);
    set.promotions = list;
    set.n_promotions = basis_points > 0;
    set.tax_categories = kinds;
    set.n_tax_categories = COUNT(kinds);
    set.tax_rates = rates;
    set.n_tax_rates = COUNT(rates);
    rules_holder_swap(catalog->rules, rules_compile(&set));
}

static QuoteContext *in_germany(void)
{
    QuoteContext *context =
        message_new(arena, &throughline__catalog__v1__quote_context__descriptor);

    context->country = text(arena, "DE");
    return context;
}

static const Error *price_of(const char *sku, QuoteContext *context, GetPriceResponse *price)
{
    GetPriceRequest request = THROUGHLINE__CATALOG__V1__GET_PRICE_REQUEST__INIT;

    throughline__catalog__v1__get_price_response__init(price);
    request.sku = text(arena, sku);
    request.currency = text(arena, "EUR");
    request.context = context;
    return fixture_call(fixture, "PricingService/GetPrice", &request, price);
}

static void a_price_is_that_of_the_rules_in_force(void)
{
    GetPriceResponse price;

    CU_ASSERT_PTR_NULL_FATAL(price_of("tent-green", in_germany(), &price));
    CHECK_INT(minor(price.line->total), 19900);
    CHECK_INT(price.release, 0);

    put_in_force(1, 15000, 1000);
    CU_ASSERT_PTR_NULL_FATAL(price_of("tent-green", in_germany(), &price));
    CHECK_INT(price.release, 1);
    CHECK_INT(minor(price.line->unit_price), 15000);
    CHECK_TEXT(price.line->price_row, "priceRows/tent-de");
    CHECK_INT(minor(price.line->total), 13500);
    CHECK_INT(minor(price.line->tax_total), 2155); /* 135.00 × 19 / 119 = 21.554… */

    CU_ASSERT_PTR_NULL_FATAL(price_of("tent-green", NULL, &price));
    CHECK_INT(minor(price.line->total), 17910);
    CU_ASSERT_PTR_NULL(price.line->tax_total);
}

static void a_bad_question_for_a_price_is_refused(void)
{
    GetPriceRequest request = THROUGHLINE__CATALOG__V1__GET_PRICE_REQUEST__INIT;
    GetPriceResponse price = THROUGHLINE__CATALOG__V1__GET_PRICE_RESPONSE__INIT;
    QuoteContext *context = in_germany();
    const Error *error;

    context->country = text(arena, "Germany");
    context->utc_offset_minutes = 841;
    request.sku = text(arena, "a tent");
    request.currency = text(arena, "EURO");
    request.quantity = -1;
    request.customer = text(arena, "ann");
    request.context = context;
    request.time = timestamp_from_micros(arena, 0);
    request.time->nanos = -1;
    error = fixture_call(fixture, "PricingService/GetPrice", &request, &price);

    CHECK_INT(error->n_violations, 7);
    CU_ASSERT(has_violation(error, "sku"));
    CU_ASSERT(has_violation(error, "currency"));
    CU_ASSERT(has_violation(error, "quantity"));
    CU_ASSERT(has_violation(error, "customer"));
    CU_ASSERT(has_violation(error, "context.country"));
    CU_ASSERT(has_violation(error, "context.utc_offset_minutes"));
    CU_ASSERT(has_violation(error, "time"));
    CHECK_TEXT(error_reason(price_of("caravan", NULL, &price)), "VARIANT_NOT_FOUND");
}

static void a_quote_says_its_release_and_its_taxes(void)
{
    CreateQuoteRequest *request = a_request(arena, 2);

    put_in_force(3, 10000, 0);
    request->context = in_germany();
    CU_ASSERT_PTR_NULL_FATAL(quote(request));

    CHECK_INT(answer.quote->release, 3);
    CHECK_TEXT(answer.quote->context->country, "DE");
    CHECK_INT(answer.quote->n_taxes, 1);
    CHECK_TEXT(answer.quote->taxes[0]->title, "VAT 19 %");
    CHECK_INT(minor(answer.quote->taxes[0]->amount), 3193); /* 200.00 × 19 / 119 */
    CHECK_INT(minor(answer.quote->taxes[0]->net_amount), 16807);
    CHECK_INT(minor(answer.quote->total), 20000);
}

static void codes_may_be_tried(void)
{
    CreateQuoteRequest *request = a_request(arena, 1);

    add_code(request, "NOPE");
    CHECK_TEXT(error_reason(quote(request)), "PROMOTION_NOT_APPLICABLE");
    request->allows_unused_codes = true;
    CU_ASSERT_PTR_NULL_FATAL(quote(request));

    CHECK_INT(answer.quote->n_codes, 1);
    CHECK_TEXT(answer.quote->codes[0]->code, "NOPE");
    CHECK_INT(answer.quote->codes[0]->state, THROUGHLINE__CATALOG__V1__CODE_RESULT__STATE__UNKNOWN);
}

static void shipping_is_a_part_of_the_total(void)
{
    CreateQuoteRequest *request = a_request(arena, 1);
    ShippingRequest shipping = THROUGHLINE__CATALOG__V1__SHIPPING_REQUEST__INIT;

    shipping.method = text(arena, "");
    shipping.amount = money_message(arena, "USD", 490);
    request->shipping = &shipping;
    CU_ASSERT(has_violation(quote(request), "shipping.method"));
    CU_ASSERT(has_violation(quote(request), "shipping.amount"));
    shipping.method = text(arena, "post");
    shipping.amount = money_message(arena, "EUR", 490);
    CU_ASSERT_PTR_NULL_FATAL(quote(request));

    CHECK_INT(minor(answer.quote->shipping->total), 490);
    CHECK_INT(minor(answer.quote->total), 20390);
}

/* Overrides. */

static PriceOverride *an_override(int64_t amount)
{
    PriceOverride *override =
        message_new(arena, &throughline__catalog__v1__price_override__descriptor);

    override->sku = text(arena, "tent-green");
    override->unit_price = money_message(arena, "EUR", amount);
    override->reason = text(arena, "scratched");
    override->limit = text(arena, "overrideLimits/goodwill");
    return override;
}

static void a_price_set_by_hand_says_who_and_why(void)
{
    CreateQuoteRequest *request = a_request(arena, 2);
    PriceOverride *overrides[] = { an_override(5000) };

    publish_limit(10000, 10000);
    fixture_act_as(fixture, "web", "agents/merchandiser");
    put_in_force(4, 15000, 1000);
    request->context = in_germany();
    request->overrides = overrides;
    request->n_overrides = COUNT(overrides);
    CU_ASSERT_PTR_NULL_FATAL(quote(request));

    CHECK_INT(minor(answer.quote->total), 10000);
    CHECK_INT(answer.quote->lines[0]->n_adjustments, 0);
    CHECK_TEXT(answer.quote->lines[0]->override->reason, "scratched");
    CHECK_TEXT(answer.quote->lines[0]->override->actor, "agents/merchandiser");
    CHECK_INT(minor(answer.quote->lines[0]->override->rule_price), 15000);
}

static void setting_prices_by_hand_needs_a_right(void)
{
    CreateQuoteRequest *request = a_request(arena, 1);
    PriceOverride *overrides[] = { an_override(1) };
    RpcOutgoing outgoing = fixture_outgoing(fixture);
    CreateQuoteResponse given = THROUGHLINE__CATALOG__V1__CREATE_QUOTE_RESPONSE__INIT;

    request->overrides = overrides;
    request->n_overrides = COUNT(overrides);
    outgoing.token = fixture_token(fixture, "catalog.read", "web");

    CHECK_TEXT(error_reason(fixture_call_with(
                   fixture, &outgoing, "PricingService/CreateQuote", request, &given)),
        "SCOPE_MISSING");
}

static void a_bad_override_is_refused_with_all_its_fields(void)
{
    CreateQuoteRequest *request = a_request(arena, 1);
    PriceOverride *overrides[] = { an_override(-1), an_override(1) };
    const Error *error;

    request->overrides = overrides;
    request->n_overrides = 1;
    overrides[0]->sku = text(arena, "tent-red");
    overrides[0]->reason = text(arena, "");
    overrides[0]->limit = text(arena, "goodwill");
    error = quote(request);
    CHECK_INT(error->n_violations, 4);
    CU_ASSERT(has_violation(error, "overrides[0].sku"));
    CU_ASSERT(has_violation(error, "overrides[0].unit_price"));
    CU_ASSERT(has_violation(error, "overrides[0].reason"));
    CU_ASSERT(has_violation(error, "overrides[0].limit"));
    request->n_overrides = 2;
    CU_ASSERT(has_violation(quote(request), "overrides"));
}

static void a_cart_of_ten_thousand_lines_is_refused_at_once(void)
{
    enum { MANY = 10000 };
    CreateQuoteRequest *request = a_request(arena, 1);
    const Error *error;

    request->n_lines = request->n_overrides = MANY;
    request->lines = arena_array(arena, MANY, sizeof(*request->lines));
    request->overrides = arena_array(arena, MANY, sizeof(*request->overrides));
    for (int i = 0; i < MANY; i++) {
        request->lines[i] = a_line(arena, "tent-green", 1000000000);
        request->overrides[i] = an_override(1);
    }
    error = quote(request);

    CHECK_TEXT(error_reason(error), "FIELD_INVALID");
    CHECK_INT(error->n_violations, 1);
    CU_ASSERT(has_violation(error, "lines"));
}

/* Explanations. */

static const Throughline__Catalog__V1__ConsideredRule *considered(
    const QuoteExplanation *explanation, const char *rule)
{
    for (size_t i = 0; i < explanation->n_considered; i++)
        if (text_equal(explanation->considered[i]->rule, rule))
            return explanation->considered[i];
    CU_FAIL_FATAL("the rule was not considered");
    return NULL;
}

static void every_rule_says_why_it_does_not_apply(void)
{
    ExplainQuoteRequest request = THROUGHLINE__CATALOG__V1__EXPLAIN_QUOTE_REQUEST__INIT;
    QuoteExplanation explanation = THROUGHLINE__CATALOG__V1__EXPLAIN_QUOTE_RESPONSE__INIT;

    put_in_force(5, 15000, 1000);
    request.request = a_request(arena, 1);
    CU_ASSERT_PTR_NULL_FATAL(
        fixture_call(fixture, "PricingService/ExplainQuote", &request, &explanation));

    CHECK_INT(minor(explanation.quote->total), 17910);
    CU_ASSERT(considered(&explanation, "promotions/tents")->is_applied);
    CHECK_INT(minor(considered(&explanation, "promotions/tents")->amount), 1990);
    CHECK_TEXT(considered(&explanation, "priceRows/tent-de")->reason, "OTHER_COUNTRY");
    CHECK_TEXT(considered(&explanation, "priceRows/tent-de")->sku, "tent-green");
    CHECK_TEXT(considered(&explanation, "priceRows/tent-de")->detail, "it is for another country");
}

static void an_explanation_needs_a_good_request(void)
{
    ExplainQuoteRequest request = THROUGHLINE__CATALOG__V1__EXPLAIN_QUOTE_REQUEST__INIT;
    QuoteExplanation explanation = THROUGHLINE__CATALOG__V1__EXPLAIN_QUOTE_RESPONSE__INIT;

    CU_ASSERT(has_violation(
        fixture_call(fixture, "PricingService/ExplainQuote", &request, &explanation), "request"));
    request.request = a_request(arena, 0);
    CU_ASSERT(
        has_violation(fixture_call(fixture, "PricingService/ExplainQuote", &request, &explanation),
            "request.lines[0].quantity"));
}

/* Requotes. */

static const Error *requote(SignedQuote *signed_quote, RequoteResponse *again)
{
    RequoteRequest request = THROUGHLINE__CATALOG__V1__REQUOTE_REQUEST__INIT;

    throughline__catalog__v1__requote_response__init(again);
    request.signed_quote = signed_quote;
    return fixture_call(fixture, "PricingService/Requote", &request, again);
}

static void a_requote_says_what_has_changed_and_why(void)
{
    CreateQuoteRequest *request = a_request(arena, 1);
    RequoteResponse again;

    put_in_force(6, 15000, 1000);
    request->context = in_germany();
    CU_ASSERT_PTR_NULL_FATAL(quote(request));
    CU_ASSERT_PTR_NULL_FATAL(requote(answer.signed_quote, &again));
    CHECK_INT(again.n_changes, 0);

    put_in_force(7, 16000, 0);
    CU_ASSERT_PTR_NULL_FATAL(requote(answer.signed_quote, &again));

    CHECK_INT(minor(again.quote->total), 16000);
    CHECK_INT(again.n_changes, 3);
    CHECK_INT(again.changes[0]->kind, THROUGHLINE__CATALOG__V1__QUOTE_CHANGE__KIND__UNIT_PRICE);
    CHECK_INT(minor(again.changes[0]->before), 15000);
    CHECK_INT(minor(again.changes[0]->after), 16000);
    CHECK_TEXT(again.changes[0]->reason, "RULE_CHANGED");
    CHECK_TEXT(again.changes[1]->rule, "promotions/tents");
    CHECK_INT(minor(again.changes[1]->before), 1500);
    CU_ASSERT_PTR_NULL(again.changes[1]->after);
    CHECK_TEXT(again.changes[1]->reason, "WITHDRAWN");
    CHECK_TEXT(again.changes[2]->rule, "taxRates/vat");
}

static void a_quote_that_has_expired_can_be_asked_for_again(void)
{
    const Catalog *catalog = fixture_context(fixture)->state;
    SignedQuote old = THROUGHLINE__CATALOG__V1__SIGNED_QUOTE__INIT;
    RequoteResponse again;
    Quote inside;

    CU_ASSERT_PTR_NULL_FATAL(quote(a_request(arena, 1)));
    answer.quote->expire_time = timestamp_from_micros(arena, clock_now() - a_second);
    old = *quote_sign(answer.quote, key_ring_newest(catalog->keys), arena);
    CHECK_TEXT(error_reason(verify(&old, &inside)), "QUOTE_EXPIRED");

    CU_ASSERT_PTR_NULL_FATAL(requote(&old, &again));
    CU_ASSERT_PTR_NULL(verify(again.signed_quote, &inside));
    CHECK_INT(minor(inside.total), 19900);

    old.signature.data[0] ^= 1;
    CHECK_TEXT(error_reason(requote(&old, &again)), "QUOTE_FORGED");
    CU_ASSERT(has_violation(requote(NULL, &again), "signed_quote"));
}

/* Keys. */

static const Error *rotate(const char *request_id, QuoteKey *key)
{
    RotateQuoteKeyRequest request = THROUGHLINE__CATALOG__V1__ROTATE_QUOTE_KEY_REQUEST__INIT;

    throughline__catalog__v1__quote_key__init(key);
    request.request_id = text(arena, request_id);
    return fixture_call(fixture, "PricingService/RotateQuoteKey", &request, key);
}

static void a_new_key_signs_and_old_quotes_are_verified(void)
{
    ListQuoteKeysRequest list = THROUGHLINE__CATALOG__V1__LIST_QUOTE_KEYS_REQUEST__INIT;
    ListQuoteKeysResponse keys = THROUGHLINE__CATALOG__V1__LIST_QUOTE_KEYS_RESPONSE__INIT;
    SignedQuote *old;
    QuoteKey first, again;
    Quote inside;

    CU_ASSERT_PTR_NULL_FATAL(quote(a_request(arena, 1)));
    old = answer.signed_quote;
    CU_ASSERT_PTR_NULL_FATAL(rotate("k-1", &first));
    CU_ASSERT_PTR_NULL_FATAL(rotate("k-1", &again));
    CU_ASSERT(message_equal(&first, &again));
    CU_ASSERT_PTR_NULL_FATAL(quote(a_request(arena, 1)));

    CHECK_TEXT(answer.signed_quote->key_id, first.name);
    CU_ASSERT(!text_equal(old->key_id, first.name));
    CU_ASSERT_PTR_NULL(verify(old, &inside));
    CU_ASSERT_PTR_NULL(verify(answer.signed_quote, &inside));
    CU_ASSERT_PTR_NULL_FATAL(fixture_call(fixture, "PricingService/ListQuoteKeys", &list, &keys));
    CHECK_INT(keys.n_keys, 2);
    CHECK_TEXT(keys.keys[0]->name, first.name);
    CHECK_TEXT(keys.keys[0]->etag, "1");
    CU_ASSERT(has_violation(rotate("not a request id!", &again), "request_id"));
}

static void a_rotation_survives_a_restart(void)
{
    SignedQuote *old;
    QuoteKey key;
    Quote inside;

    CU_ASSERT_PTR_NULL_FATAL(quote(a_request(arena, 1)));
    old = answer.signed_quote;
    CU_ASSERT_PTR_NULL_FATAL(rotate("", &key));
    fixture_restart(fixture);

    CHECK_TEXT(error_reason(verify(old, &inside)), "OK");
    CU_ASSERT_PTR_NULL_FATAL(quote(a_request(arena, 1)));
    CHECK_TEXT(answer.signed_quote->key_id, key.name);
}

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        { "a_price_is_that_of_the_rules_in_force", a_price_is_that_of_the_rules_in_force },
        { "a_bad_question_for_a_price_is_refused", a_bad_question_for_a_price_is_refused },
        { "a_quote_says_its_release_and_its_taxes", a_quote_says_its_release_and_its_taxes },
        { "codes_may_be_tried", codes_may_be_tried },
        { "shipping_is_a_part_of_the_total", shipping_is_a_part_of_the_total },
        { "a_price_set_by_hand_says_who_and_why", a_price_set_by_hand_says_who_and_why },
        { "setting_prices_by_hand_needs_a_right", setting_prices_by_hand_needs_a_right },
        { "a_bad_override_is_refused_with_all_its_fields",
            a_bad_override_is_refused_with_all_its_fields },
        { "a_cart_of_ten_thousand_lines_is_refused_at_once",
            a_cart_of_ten_thousand_lines_is_refused_at_once },
        { "every_rule_says_why_it_does_not_apply", every_rule_says_why_it_does_not_apply },
        { "an_explanation_needs_a_good_request", an_explanation_needs_a_good_request },
        { "a_requote_says_what_has_changed_and_why", a_requote_says_what_has_changed_and_why },
        { "a_quote_that_has_expired_can_be_asked_for_again",
            a_quote_that_has_expired_can_be_asked_for_again },
        { "a_new_key_signs_and_old_quotes_are_verified",
            a_new_key_signs_and_old_quotes_are_verified },
        { "a_rotation_survives_a_restart", a_rotation_survives_a_restart },
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        { .pName = "priced_rules",
            .pSetUpFunc = start_with_tents,
            .pTearDownFunc = stop_catalog,
            .pTests = tests },
        CU_SUITE_INFO_NULL,
    };

    return test_main("catalog_priced_rules_service", suites, argc, argv);
}
