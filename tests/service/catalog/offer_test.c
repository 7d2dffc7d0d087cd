/* What products cost and whether they are for sale, governed: through drafts and releases, or by imports that may publish. */
#include "tests/service/catalog/governance_fixture.h"
#include "tests/service/catalog/pricing_fixture.h"

#include "shared/base/clock.h"
#include "shared/codec/message.h"
#include "shared/codec/types.h"

#include <string.h>

typedef Throughline__Catalog__V1__GetPriceRequest GetPriceRequest;
typedef Throughline__Catalog__V1__GetPriceResponse GetPriceResponse;
typedef Throughline__Catalog__V1__SearchProductsRequest SearchProductsRequest;
typedef Throughline__Catalog__V1__SearchProductsResponse SearchProductsResponse;
typedef Throughline__Catalog__V1__ListRuleHistoryRequest ListRuleHistoryRequest;
typedef Throughline__Catalog__V1__ListRuleHistoryResponse ListRuleHistoryResponse;
typedef Throughline__Catalog__V1__ListAuditEntriesRequest ListAuditEntriesRequest;
typedef Throughline__Catalog__V1__ListAuditEntriesResponse ListAuditEntriesResponse;
typedef Throughline__Catalog__V1__RollBackRequest RollBackRequest;

enum { WAIT_TRIES = 400, WAIT_MS = 50, PRICE = 19900, CHEAP = 14900, CHEAPER = 9900 };

static const char writer[] = "catalog.read catalog.write";

/* What an import is made with. */
typedef struct How {
    const char *draft;
    const char *scopes; /* NULL: all */
} How;

static const Error *import_how(
    const How *how, Product *const *list, size_t n_products, ImportProductsResponse **reply)
{
    RpcOutgoing outgoing = fixture_outgoing(fixture);
    ImportProductsRequest message = THROUGHLINE__CATALOG__V1__IMPORT_PRODUCTS_REQUEST__INIT;

    if (how->scopes)
        outgoing.token = fixture_token(fixture, how->scopes, "web");
    message.draft = text(arena, how->draft);
    message.reason = text(arena, "New price list");
    message.rows = arena_array(arena, n_products, sizeof(*message.rows));
    for (; message.n_rows < n_products; message.n_rows++) {
        message.rows[message.n_rows] =
            message_new(arena, &throughline__catalog__v1__import_row__descriptor);
        message.rows[message.n_rows]->product = list[message.n_rows];
    }
    return import_message(&outgoing, &message, reply);
}

/* The only row is taken. */
static ImportProductsResponse *import_one(const char *draft, Product *product)
{
    How how = { draft, NULL };
    ImportProductsResponse *reply = NULL;

    CHECK_TEXT(error_reason(import_how(&how, &product, 1, &reply)), "OK");
    CU_ASSERT_PTR_NOT_NULL_FATAL(reply);
    CHECK_INT(reply->refused, 0);
    return reply;
}

static Product *tent_at(int64_t minor)
{
    Product *product = a_product(arena);

    set_price(arena, product->variants[0], "EUR", minor);
    return product;
}

/* NULL: now. */
static const Error *price_at(
    const char *sku, Google__Protobuf__Timestamp *time, GetPriceResponse *reply)
{
    GetPriceRequest request = THROUGHLINE__CATALOG__V1__GET_PRICE_REQUEST__INIT;

    throughline__catalog__v1__get_price_response__init(reply);
    request.sku = text(arena, sku);
    request.currency = text(arena, "EUR");
    request.time = time;
    return fixture_call(fixture, "PricingService/GetPrice", &request, reply);
}

static void check_price(int64_t expected)
{
    GetPriceResponse reply;
    const Product *tent = get("products/tent");
    const Price *shown = variant_price(tent->variants[0], "EUR");

    CHECK_TEXT(error_reason(price_at("tent-green", NULL, &reply)), "OK");
    CHECK_INT(minor(reply.line->total), expected);
    CHECK_INT(minor(shown->amount), expected);
}

/* Products in EUR up to an amount that search finds, once there are so many. */
static void check_found(int64_t most_minor, size_t expected)
{
    SearchProductsRequest request = THROUGHLINE__CATALOG__V1__SEARCH_PRODUCTS_REQUEST__INIT;
    SearchProductsResponse reply;
    SearchFilter filter = THROUGHLINE__CATALOG__V1__SEARCH_FILTER__INIT;
    SearchFilter *filters[] = { &filter };

    filter.field = text(arena, "price");
    filter.max_price = money_message(arena, "EUR", most_minor);
    request.filters = filters;
    request.n_filters = COUNT(filters);
    request.currency = text(arena, "EUR");
    for (int i = 0; i < WAIT_TRIES; i++) {
        throughline__catalog__v1__search_products_response__init(&reply);
        CHECK_TEXT(
            error_reason(fixture_call(fixture, "ProductService/SearchProducts", &request, &reply)),
            "OK");
        if (reply.n_products == expected)
            break;
        clock_sleep_ms(WAIT_MS);
    }
    CHECK_INT(reply.n_products, expected);
    CHECK_INT(reply.total_size, expected);
}

static Change *an_offer(const char *name, Throughline__Catalog__V1__ProductOffer__State state)
{
    Change *change = message_new(arena, &throughline__catalog__v1__change__descriptor);
    ProductOffer *offer = message_new(arena, &throughline__catalog__v1__product_offer__descriptor);

    offer->name = arena_printf(arena, "productOffers/%s", name);
    offer->state = state;
    change->rule = offer->name;
    change->after = message_new(arena, &throughline__catalog__v1__rule__descriptor);
    change->after->kind_case = THROUGHLINE__CATALOG__V1__RULE__KIND_PRODUCT_OFFER;
    change->after->product_offer = offer;
    return change;
}

static void a_prepared_price_stands_beside_the_live_one_until_it_is_published(void)
{
    Draft *draft = make_draft((RuleSetting[]){ { 0 } });
    ImportProductsResponse *reply = import_one(draft->name, tent_at(CHEAP));
    GetPriceResponse price;
    int64_t number;

    CHECK_INT(reply->drafted, 1);
    CHECK_INT(get_draft_again(draft->name)->change_count, 1);
    check_price(PRICE);

    number = approve_and_publish(draft);

    check_price(CHEAP);
    check_found(CHEAP, 1);
    CHECK_TEXT(error_reason(price_at("tent-green", NULL, &price)), "OK");
    CHECK_TEXT(price.line->price_row, "productOffers/tent");
    CHECK_INT(price.release, number);
    CHECK_TEXT(error_reason(price_at("tent-red", NULL, &price)), "OK");
    CHECK_INT(minor(price.line->total), PRICE);
}

static void a_prepared_price_can_be_tried_on_a_cart(void)
{
    Throughline__Catalog__V1__ExplainQuoteRequest request =
        THROUGHLINE__CATALOG__V1__EXPLAIN_QUOTE_REQUEST__INIT;
    QuoteExplanation explanation = THROUGHLINE__CATALOG__V1__EXPLAIN_QUOTE_RESPONSE__INIT;
    Draft *draft = make_draft((RuleSetting[]){ { 0 } });

    import_one(draft->name, tent_at(CHEAP));
    import_one(draft->name, a_simple_product(arena, "stove", "Outdoor", "EUR", CHEAPER));
    request.draft = draft->name;
    request.request = a_request(arena, 2);
    request.request->lines =
        (QuoteLine *[]){ a_line(arena, "tent-green", 2), a_line(arena, "stove", 1) };
    request.request->n_lines = 2;
    CHECK_TEXT(
        error_reason(fixture_call(fixture, "PricingService/ExplainQuote", &request, &explanation)),
        "OK");

    CHECK_INT(minor(explanation.quote->total), 2 * CHEAP + CHEAPER);
    check_price(PRICE);
}

static void the_story_of_a_price_names_who_made_and_who_approved_it(void)
{
    ListRuleHistoryRequest request = THROUGHLINE__CATALOG__V1__LIST_RULE_HISTORY_REQUEST__INIT;
    ListRuleHistoryResponse reply = THROUGHLINE__CATALOG__V1__LIST_RULE_HISTORY_RESPONSE__INIT;
    Draft *draft = make_draft((RuleSetting[]){ { 0 } });
    const ProductOffer *after;

    import_one(draft->name, tent_at(CHEAP));
    approve_and_publish(draft);
    request.rule = text(arena, "productOffers/tent");
    CHECK_TEXT(
        error_reason(fixture_call(fixture, "GovernanceService/ListRuleHistory", &request, &reply)),
        "OK");

    CU_ASSERT_EQUAL_FATAL(reply.n_entries, 1);
    after = reply.entries[0]->change->after->product_offer;
    CU_ASSERT_PTR_NULL(reply.entries[0]->change->before);
    CHECK_INT(minor(offer_variant(after, "tent-green")->prices[0]->amount), CHEAP);
    CHECK_TEXT(reply.entries[0]->release->submission->actor, "agents/ann");
    CHECK_TEXT(reply.entries[0]->release->approval->actor, "agents/bob");
    CHECK_TEXT(reply.entries[0]->release->publication->actor, "agents/cleo");
}

static void what_is_new_waits_for_its_release_without_a_price(void)
{
    Draft *draft = make_draft((RuleSetting[]){ { 0 } });
    Product *stove = a_simple_product(arena, "stove", "Outdoor", "EUR", CHEAPER);
    GetPriceResponse price;
    FindVariantResponse found;

    import_one(draft->name, stove);
    CHECK_TEXT(error_reason(price_at("stove", NULL, &price)), "VARIANT_NOT_FOUND");
    CHECK_INT(get("products/stove")->state, PRODUCT_DRAFT);
    CHECK_INT(get("products/stove")->variants[0]->n_prices, 0);

    approve_and_publish(draft);

    CHECK_TEXT(error_reason(price_at("stove", NULL, &price)), "OK");
    CHECK_INT(minor(price.line->total), CHEAPER);
    CHECK_INT(get("products/stove")->state, PRODUCT_ACTIVE);
    CHECK_TEXT(error_reason(find_sku("stove", &found)), "OK");
    CHECK_INT(minor(found.product->variants[0]->prices[0]->amount), CHEAPER);
    check_found(CHEAPER, 1);
}

static void a_rollback_takes_prices_and_launches_back(void)
{
    RollBackRequest request = THROUGHLINE__CATALOG__V1__ROLL_BACK_REQUEST__INIT;
    Release release = THROUGHLINE__CATALOG__V1__RELEASE__INIT;
    Draft *draft = make_draft((RuleSetting[]){ { 0 } });
    GetPriceResponse price;

    request.number = publish_settings((RuleSetting[]){ { "spring", 1000 }, { 0 } });
    request.reason = text(arena, "Too cheap");
    import_one(draft->name, tent_at(CHEAP));
    import_one(draft->name, a_simple_product(arena, "stove", "Outdoor", "EUR", CHEAPER));
    approve_and_publish(draft);
    check_found(CHEAP, 2);

    CHECK_TEXT(
        error_reason(fixture_call(fixture, "GovernanceService/RollBack", &request, &release)),
        "OK");

    check_price(PRICE);
    CHECK_TEXT(error_reason(price_at("stove", NULL, &price)), "VARIANT_NOT_FOUND");
    check_found(CHEAP, 0);
    check_found(PRICE, 1);
}

static void a_product_is_retired_and_brought_back_by_releases(void)
{
    Change *retired = an_offer("tent", THROUGHLINE__CATALOG__V1__PRODUCT_OFFER__STATE__RETIRED);
    Change *active = an_offer("tent", THROUGHLINE__CATALOG__V1__PRODUCT_OFFER__STATE__ACTIVE);
    GetPriceResponse price;

    publish_changes(&retired, 1);
    CHECK_TEXT(error_reason(price_at("tent-green", NULL, &price)), "PRODUCT_RETIRED");
    CHECK_TEXT(error_reason(quote(a_request(arena, 1))), "PRODUCT_RETIRED");
    CHECK_INT(get("products/tent")->state, PRODUCT_RETIRED);
    check_found(PRICE, 0);

    publish_changes(&active, 1);
    check_price(PRICE);
    check_found(PRICE, 1);
}

static void offers_of_what_is_not_there_are_refused_by_name(void)
{
    Change *changes[] = { an_offer("boat", THROUGHLINE__CATALOG__V1__PRODUCT_OFFER__STATE__ACTIVE),
        an_offer("tent", THROUGHLINE__CATALOG__V1__PRODUCT_OFFER__STATE__STATE_UNSPECIFIED) };
    ProductOffer *tent = changes[1]->after->product_offer;
    Throughline__Catalog__V1__CreateDraftRequest request =
        THROUGHLINE__CATALOG__V1__CREATE_DRAFT_REQUEST__INIT;
    Draft draft = THROUGHLINE__CATALOG__V1__DRAFT__INIT, reply;
    VariantOffer blue = THROUGHLINE__CATALOG__V1__VARIANT_OFFER__INIT;
    VariantOffer *variants[] = { &blue };
    const Error *error;

    request.title = request.reason = text(arena, "Try");
    request.changes = changes;
    request.n_changes = COUNT(changes);
    error = fixture_call(fixture, "GovernanceService/CreateDraft", &request, &draft);
    CU_ASSERT(has_violation(error, "changes[1].after.product_offer.state"));

    blue.sku = text(arena, "tent-blue");
    tent->variants = variants;
    tent->n_variants = 1;
    error = draft_call("SubmitDraft", make_draft_of(changes, COUNT(changes))->name, "", &reply);

    CHECK_TEXT(error_reason(error), "RULES_INVALID");
    CU_ASSERT(has_violation(error, "rules[\"productOffers/boat\"]"));
    CU_ASSERT(has_violation(error, "rules[\"productOffers/tent\"].variants[0]"));
}

static void who_may_only_write_changes_no_price_and_no_state(void)
{
    Product *cheap = tent_at(CHEAP), *retired = a_product(arena);
    Product *new = a_simple_product(arena, "stove", "Outdoor", "EUR", CHEAPER);
    Product *hidden = a_simple_product(arena, "mat", "Outdoor", "EUR", CHEAPER);
    Product *renamed = a_product(arena);
    Product *rows[] = { cheap, retired, new, hidden, renamed };
    How how = { "", writer };
    ImportProductsResponse *reply = NULL;

    retired->state = PRODUCT_RETIRED;
    hidden->state = PRODUCT_DRAFT;
    renamed->title = text(arena, "Tent for two");
    CHECK_TEXT(error_reason(import_how(&how, rows, COUNT(rows), &reply)), "OK");

    CU_ASSERT_PTR_NOT_NULL_FATAL(reply);
    CHECK_INT(reply->refused, 3);
    CHECK_INT(reply->errors[0]->row, 1);
    CHECK_TEXT(reply->errors[0]->field, "variants");
    CHECK_INT(reply->errors[1]->row, 2);
    CHECK_TEXT(reply->errors[1]->field, "state");
    CHECK_INT(reply->errors[2]->row, 3);
    CHECK_TEXT(reply->errors[2]->field, "state");
    CHECK_TEXT(get("products/tent")->title, "Tent for two");
    CHECK_INT(get("products/mat")->state, PRODUCT_DRAFT);
    check_price(PRICE);
}

static void a_price_imported_at_once_is_in_the_audit_trail(void)
{
    ListAuditEntriesRequest request = THROUGHLINE__CATALOG__V1__LIST_AUDIT_ENTRIES_REQUEST__INIT;
    ListAuditEntriesResponse reply = THROUGHLINE__CATALOG__V1__LIST_AUDIT_ENTRIES_RESPONSE__INIT;

    import_one("", tent_at(CHEAP));
    check_price(CHEAP);
    request.subject = text(arena, "products/tent");
    for (int i = 0; i < WAIT_TRIES && reply.n_entries == 0; i++) {
        clock_sleep_ms(WAIT_MS);
        CHECK_TEXT(error_reason(fixture_call(
                       fixture, "GovernanceService/ListAuditEntries", &request, &reply)),
            "OK");
    }

    CU_ASSERT_EQUAL_FATAL(reply.n_entries, 1);
    CHECK_INT(
        reply.entries[0]->action, THROUGHLINE__CATALOG__V1__AUDIT_ENTRY__ACTION__PRODUCT_IMPORTED);
    CHECK_TEXT(reply.entries[0]->title,
        "tent-green 199.00 EUR -> 149.00 EUR, tent-green 219.00 USD -> none");
    CHECK_TEXT(reply.entries[0]->deed->actor, "agents/merchandiser");
    CHECK_TEXT(reply.entries[0]->deed->note, "New price list");
}

static void a_repeated_import_does_not_undo_a_release_but_a_new_price_does(void)
{
    Draft *draft = make_draft((RuleSetting[]){ { 0 } });
    Product *renamed = a_product(arena);
    int64_t number;

    import_one(draft->name, tent_at(CHEAP));
    number = approve_and_publish(draft);

    renamed->title = text(arena, "Tent for two");
    CHECK_INT(import_one("", renamed)->updated, 1);
    check_price(CHEAP);
    CHECK_TEXT(get("products/tent")->title, "Tent for two");
    CHECK_INT(get_release_number(0)->number, number);

    CHECK_INT(import_one("", tent_at(CHEAPER))->updated, 1);
    check_price(CHEAPER);
    CHECK_INT(get_release_number(0)->number, number + 1);
    CHECK_INT(get_release_number(0)->kind, RELEASE_DIRECT);
    CHECK_TEXT(get_release_number(0)->reason, "New price list");
}

static void an_import_into_a_draft_that_is_not_open_takes_no_row(void)
{
    Product *tent = tent_at(CHEAP);
    How nowhere = { "drafts/nowhere", NULL };
    How submitted = { approve(make_draft((RuleSetting[]){ { "spring", 1 }, { 0 } }))->name, NULL };
    How unnamed = { "spring", NULL };
    ImportProductsResponse *reply = NULL;

    CHECK_TEXT(error_reason(import_how(&nowhere, &tent, 1, &reply)), "DRAFT_NOT_FOUND");
    CHECK_TEXT(error_reason(import_how(&submitted, &tent, 1, &reply)), "DRAFT_NOT_OPEN");
    CU_ASSERT(has_violation(import_how(&unnamed, &tent, 1, &reply), "draft"));
    check_price(PRICE);
}

static void what_an_import_into_a_draft_leaves_out_goes_with_its_release(void)
{
    Draft *draft = make_draft((RuleSetting[]){ { 0 } });
    Product *tent = a_product(arena);
    GetPriceResponse price;

    tent->n_variants = 1;
    import_one(draft->name, tent);
    CHECK_TEXT(error_reason(price_at("tent-red", NULL, &price)), "OK");

    approve_and_publish(draft);
    CHECK_TEXT(error_reason(price_at("tent-red", NULL, &price)), "PRICE_MISSING");
    check_price(PRICE);
}

static void a_restart_shows_products_as_they_are_published(void)
{
    Draft *draft = make_draft((RuleSetting[]){ { 0 } });

    import_one(draft->name, tent_at(CHEAP));
    approve_and_publish(draft);
    fixture_restart(fixture);

    check_price(CHEAP);
    check_found(CHEAP, 1);
}

static Change *a_row(const char *name, int64_t amount)
{
    Change *change = message_new(arena, &throughline__catalog__v1__change__descriptor);
    PriceRow *row = message_new(arena, &throughline__catalog__v1__price_row__descriptor);

    row->name = arena_printf(arena, "priceRows/%s", name);
    row->sku = text(arena, "tent-green");
    row->country = text(arena, "DE");
    row->amount = money_message(arena, "EUR", amount);
    change->rule = row->name;
    change->after = message_new(arena, &throughline__catalog__v1__rule__descriptor);
    change->after->kind_case = THROUGHLINE__CATALOG__V1__RULE__KIND_PRICE_ROW;
    change->after->price_row = row;
    return change;
}

/* Both were approved before either was published. */
static void of_two_writers_of_one_price_the_second_is_refused(void)
{
    Change *changes[] = { a_row("ann", 15000), a_row("bert", 16000), a_row("ann", 17000) };
    Draft *first = approve(make_draft_of(&changes[0], 1));
    Draft *second = approve(make_draft_of(&changes[1], 1));
    Draft *third = approve(make_draft_of(&changes[2], 1));
    Draft reply = THROUGHLINE__CATALOG__V1__DRAFT__INIT;
    const Error *error;

    CHECK_TEXT(error_reason(try_publish(first->name, &reply)), "OK");
    error = try_publish(second->name, &reply);
    CHECK_TEXT(error_reason(error), "RULES_INVALID");
    CU_ASSERT_FATAL(error && error->n_violations > 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(error->violations[0].description, "priceRows/ann"));
    error = try_publish(third->name, &reply);
    CHECK_TEXT(error_reason(error), "CHANGE_CONFLICT");
    CHECK_TEXT(error_fact(error, "rule"), "priceRows/ann");
}

/* A release of today has the price of tomorrow in it. */
static void a_price_can_be_asked_for_at_a_time_to_come(void)
{
    GetPriceResponse reply;
    Change *tomorrow = a_row("tomorrow", CHEAP);
    int64_t a_day = INT64_C(86400) * 1000000, now = clock_now();

    tomorrow->after->price_row->country = text(arena, "");
    tomorrow->after->price_row->start_time = timestamp_from_micros(arena, now + a_day);
    publish_changes(&tomorrow, 1);
    check_price(PRICE);

    CHECK_TEXT(
        error_reason(price_at("tent-green", timestamp_from_micros(arena, now + 2 * a_day), &reply)),
        "OK");
    CHECK_INT(minor(reply.line->total), CHEAP);
    CHECK_TEXT(reply.line->price_row, "priceRows/tomorrow");
}

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        { "a_prepared_price_stands_beside_the_live_one_until_it_is_published",
            a_prepared_price_stands_beside_the_live_one_until_it_is_published },
        { "a_prepared_price_can_be_tried_on_a_cart", a_prepared_price_can_be_tried_on_a_cart },
        { "the_story_of_a_price_names_who_made_and_who_approved_it",
            the_story_of_a_price_names_who_made_and_who_approved_it },
        { "what_is_new_waits_for_its_release_without_a_price",
            what_is_new_waits_for_its_release_without_a_price },
        { "a_rollback_takes_prices_and_launches_back", a_rollback_takes_prices_and_launches_back },
        { "a_product_is_retired_and_brought_back_by_releases",
            a_product_is_retired_and_brought_back_by_releases },
        { "offers_of_what_is_not_there_are_refused_by_name",
            offers_of_what_is_not_there_are_refused_by_name },
        { "who_may_only_write_changes_no_price_and_no_state",
            who_may_only_write_changes_no_price_and_no_state },
        { "a_price_imported_at_once_is_in_the_audit_trail",
            a_price_imported_at_once_is_in_the_audit_trail },
        { "a_repeated_import_does_not_undo_a_release_but_a_new_price_does",
            a_repeated_import_does_not_undo_a_release_but_a_new_price_does },
        { "an_import_into_a_draft_that_is_not_open_takes_no_row",
            an_import_into_a_draft_that_is_not_open_takes_no_row },
        { "what_an_import_into_a_draft_leaves_out_goes_with_its_release",
            what_an_import_into_a_draft_leaves_out_goes_with_its_release },
        { "a_restart_shows_products_as_they_are_published",
            a_restart_shows_products_as_they_are_published },
        { "of_two_writers_of_one_price_the_second_is_refused",
            of_two_writers_of_one_price_the_second_is_refused },
        { "a_price_can_be_asked_for_at_a_time_to_come",
            a_price_can_be_asked_for_at_a_time_to_come },
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        { .pName = "offer",
            .pSetUpFunc = start_with_tents,
            .pTearDownFunc = stop_catalog,
            .pTests = tests },
        CU_SUITE_INFO_NULL,
    };

    return test_main("catalog_offer_service", suites, argc, argv);
}
