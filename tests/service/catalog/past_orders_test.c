/* Orders that the cart has taken, as the catalogue knows them: which rules had a part, and what a draft would have done. */
#include "tests/service/cart/shop.h"
#include "tests/service/catalog/governance_fixture.h"

#include "shared/codec/message.h"
#include "shared/codec/types.h"

typedef Throughline__Catalog__V1__ListRuleOrdersRequest ListRuleOrdersRequest;
typedef Throughline__Catalog__V1__ListRuleOrdersResponse ListRuleOrdersResponse;
typedef Throughline__Catalog__V1__SimulateDraftRequest SimulateDraftRequest;
typedef Throughline__Catalog__V1__SimulateDraftResponse SimulateDraftResponse;
typedef Throughline__Cart__V1__AddPromotionRequest AddPromotionRequest;

enum { MAX_ANSWERS = 10 };

static Fixture *shop;

static void open_shop(void)
{
    shop = shop_open();
    fixture = fixture_peer(shop, "catalog");
    arena = fixture_arena(fixture);
}

static void close_shop(void)
{
    shop_close(shop);
}

/* The current actor's of the shop, with a code or "". */
static Order *order_with(const char *customer, const char *code)
{
    AddPromotionRequest add = THROUGHLINE__CART__V1__ADD_PROMOTION_REQUEST__INIT;
    Cart *cart, reply = THROUGHLINE__CART__V1__CART__INIT;

    fixture_act_as(shop, "web", customer);
    cart = shop_full_cart(shop);
    add.cart = cart->name;
    add.code = text(arena, code);
    if (*code)
        CHECK_TEXT(
            error_reason(fixture_call(shop, "CartService/AddPromotion", &add, &reply)), "OK");
    return shop_checkout(shop, cart->name, shop_quote(shop, cart->name));
}

static ListRuleOrdersResponse *orders_of(const char *rule)
{
    ListRuleOrdersRequest request = THROUGHLINE__CATALOG__V1__LIST_RULE_ORDERS_REQUEST__INIT;
    ListRuleOrdersResponse *reply =
        message_new(arena, &throughline__catalog__v1__list_rule_orders_response__descriptor);

    CU_ASSERT(fixture_settle(shop));
    request.rule = text(arena, rule);
    CHECK_TEXT(
        error_reason(fixture_call(fixture, "GovernanceService/ListRuleOrders", &request, reply)),
        "OK");
    return reply;
}

/* The promotion behind SPRING-10. */
static Promotion *spring(void)
{
    Throughline__Catalog__V1__ListPromotionsRequest request =
        THROUGHLINE__CATALOG__V1__LIST_PROMOTIONS_REQUEST__INIT;
    Throughline__Catalog__V1__ListPromotionsResponse *reply =
        message_new(arena, &throughline__catalog__v1__list_promotions_response__descriptor);

    CHECK_TEXT(
        error_reason(fixture_call(fixture, "PricingService/ListPromotions", &request, reply)),
        "OK");
    CU_ASSERT_FATAL(reply->n_promotions == 1);
    return reply->promotions[0];
}

static void the_orders_of_a_promotion_are_those_that_it_took_from(void)
{
    Order *with = order_with("customers/ann", "SPRING-10");
    const char *rule = spring()->name;
    ListRuleOrdersResponse *list;

    order_with("customers/bert", "");
    list = orders_of(rule);

    CHECK_INT(list->n_orders, 1);
    CHECK_TEXT(list->orders[0]->name, with->name);
    CU_ASSERT(message_equal(list->orders[0]->quote, with->quote));
    CHECK_INT(
        timestamp_to_micros(list->orders[0]->order_time), timestamp_to_micros(with->create_time));
    CHECK_INT(orders_of("promotions/none")->n_orders, 0);
}

static void the_orders_at_an_imported_price_are_those_of_the_product(void)
{
    Order *order = order_with("customers/ann", "");
    const Throughline__Catalog__V1__PricedLine *line = order->quote->lines[0];
    ListRuleOrdersResponse *list = orders_of(line->product);

    CHECK_TEXT(line->price_row, "");
    CHECK_INT(list->n_orders, 1);
    CHECK_TEXT(list->orders[0]->name, order->name);
    CHECK_INT(orders_of("products/none")->n_orders, 0);
}

static void orders_of_no_rule_are_refused(void)
{
    ListRuleOrdersRequest request = THROUGHLINE__CATALOG__V1__LIST_RULE_ORDERS_REQUEST__INIT;
    ListRuleOrdersResponse reply = THROUGHLINE__CATALOG__V1__LIST_RULE_ORDERS_RESPONSE__INIT;

    request.rule = text(arena, "spring");
    CU_ASSERT(has_violation(
        fixture_call(fixture, "GovernanceService/ListRuleOrders", &request, &reply), "rule"));
}

/* A draft that makes SPRING-10 twenty percent. */
static Draft *a_dearer_draft(void)
{
    Change *change = message_new(arena, &throughline__catalog__v1__change__descriptor);

    change->after = message_new(arena, &throughline__catalog__v1__rule__descriptor);
    change->after->kind_case = THROUGHLINE__CATALOG__V1__RULE__KIND_PROMOTION;
    change->after->promotion = spring();
    change->after->promotion->basis_points = 2000;
    change->rule = change->after->promotion->name;
    return make_draft_of(&change, 1);
}

typedef struct Answers {
    SimulateDraftResponse *items[MAX_ANSWERS];
    size_t n_items;
} Answers;

static const Error *simulate(const SimulateDraftRequest *request, Answers *answers)
{
    RpcClientStream *stream;
    void *message = NULL;
    const Error *error;

    CU_ASSERT(fixture_settle(shop));
    answers->n_items = 0;
    if ((error = fixture_open(fixture, "GovernanceService/SimulateDraft", request, &stream)))
        return error;
    while (!(error = rpc_client_receive(stream, arena, &message)) && message &&
           answers->n_items < MAX_ANSWERS)
        answers->items[answers->n_items++] = message;
    rpc_client_close_stream(stream);
    return error;
}

static void a_simulation_says_what_orders_would_have_cost(void)
{
    Order *with = order_with("customers/ann", "SPRING-10");
    Order *without = order_with("customers/bert", "");
    SimulateDraftRequest request = THROUGHLINE__CATALOG__V1__SIMULATE_DRAFT_REQUEST__INIT;
    const Throughline__Catalog__V1__SimulationSummary *summary;
    int64_t full = shop_minor(without->quote->total);
    Answers answers;

    request.draft = a_dearer_draft()->name;
    CHECK_TEXT(error_reason(simulate(&request, &answers)), "OK");

    CU_ASSERT_FATAL(answers.n_items == 3);
    CHECK_TEXT(answers.items[0]->order, with->name);
    CHECK_INT(shop_minor(answers.items[0]->paid), shop_minor(with->quote->total));
    CHECK_INT(shop_minor(answers.items[0]->current), shop_minor(with->quote->total));
    CHECK_INT(shop_minor(answers.items[0]->simulated), full - (full * 2 + 5) / 10);
    CHECK_TEXT(answers.items[1]->order, without->name);
    CHECK_INT(shop_minor(answers.items[1]->simulated), full);
    summary = answers.items[2]->summary;
    CU_ASSERT_PTR_NOT_NULL_FATAL(summary);
    CHECK_INT(summary->order_count, 2);
    CHECK_INT(summary->changed_count, 1);
    CHECK_INT(summary->refused_count, 0);
    CHECK_INT(summary->n_sums, 1);
    CHECK_INT(shop_minor(summary->sums[0]->paid), shop_minor(with->quote->total) + full);
    CHECK_INT(
        shop_minor(summary->sums[0]->simulated), shop_minor(answers.items[0]->simulated) + full);

    request.changed_only = true;
    CHECK_TEXT(error_reason(simulate(&request, &answers)), "OK");
    CHECK_INT(answers.n_items, 2);
    request.end_time = with->create_time;
    CHECK_TEXT(error_reason(simulate(&request, &answers)), "OK");
    CHECK_INT(answers.n_items, 1);
    CHECK_INT(answers.items[0]->summary->order_count, 0);
}

static void what_cannot_be_priced_any_more_is_counted(void)
{
    SimulateDraftRequest request = THROUGHLINE__CATALOG__V1__SIMULATE_DRAFT_REQUEST__INIT;
    Throughline__Catalog__V1__StopPriceRequest stop =
        THROUGHLINE__CATALOG__V1__STOP_PRICE_REQUEST__INIT;
    Throughline__Catalog__V1__PriceStop stopped = THROUGHLINE__CATALOG__V1__PRICE_STOP__INIT;
    Answers answers;

    order_with("customers/ann", "");
    request.draft = a_dearer_draft()->name;
    stop.what_case = THROUGHLINE__CATALOG__V1__STOP_PRICE_REQUEST__WHAT_SKU;
    stop.sku = text(arena, "tent");
    stop.reason = text(arena, "Wrong");
    CHECK_TEXT(
        error_reason(fixture_call(fixture, "GovernanceService/StopPrice", &stop, &stopped)), "OK");
    CHECK_TEXT(error_reason(simulate(&request, &answers)), "OK");

    CU_ASSERT_FATAL(answers.n_items == 2);
    CHECK_TEXT(answers.items[0]->refusal, "PRICE_STOPPED");
    CHECK_INT(answers.items[1]->summary->refused_count, 1);
}

static void a_simulation_of_nothing_is_refused(void)
{
    SimulateDraftRequest request = THROUGHLINE__CATALOG__V1__SIMULATE_DRAFT_REQUEST__INIT;
    Answers answers;

    request.draft = text(arena, "drafts/none");
    CHECK_TEXT(error_reason(simulate(&request, &answers)), "DRAFT_NOT_FOUND");
    request.draft = text(arena, "none");
    request.start_time = timestamp_from_micros(arena, 0);
    request.start_time->nanos = -1;
    CU_ASSERT(has_violation(simulate(&request, &answers), "draft"));
    CU_ASSERT(has_violation(simulate(&request, &answers), "start_time"));
}

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        { "the_orders_of_a_promotion_are_those_that_it_took_from",
            the_orders_of_a_promotion_are_those_that_it_took_from },
        { "the_orders_at_an_imported_price_are_those_of_the_product",
            the_orders_at_an_imported_price_are_those_of_the_product },
        { "orders_of_no_rule_are_refused", orders_of_no_rule_are_refused },
        { "a_simulation_says_what_orders_would_have_cost",
            a_simulation_says_what_orders_would_have_cost },
        { "what_cannot_be_priced_any_more_is_counted", what_cannot_be_priced_any_more_is_counted },
        { "a_simulation_of_nothing_is_refused", a_simulation_of_nothing_is_refused },
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        { .pName = "past_orders",
            .pSetUpFunc = open_shop,
            .pTearDownFunc = close_shop,
            .pTests = tests },
        CU_SUITE_INFO_NULL,
    };

    return test_main("catalog_past_orders", suites, argc, argv);
}
