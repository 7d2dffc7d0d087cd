/* Where a cart goes and on which terms, to the bill: country taxes, segments, shipping, gifts. */
#include "tests/service/cart/shop.h"

#include "services/catalog/catalog.h"
#include "shared/codec/message.h"
#include "shared/codec/types.h"
#include "tests/support/test_main.h"

#include "throughline/catalog/v1/location.pb-c.h"

typedef Throughline__Cart__V1__Fulfilment Fulfilment;
typedef Throughline__Cart__V1__Place Place;
typedef Throughline__Cart__V1__Terms Terms;
typedef Throughline__Cart__V1__Shipping Shipping;
typedef Throughline__Catalog__V1__TaxRate TaxRate;
typedef Throughline__Catalog__V1__TaxCategory TaxCategory;
typedef Throughline__Catalog__V1__PriceRow PriceRow;
typedef Throughline__Catalog__V1__PromotionConditions Conditions;

/* Newer than what CreatePromotion has published. */
enum { RELEASE = 1000 };

static Fixture *fixture;
static Arena *arena;

static char *text(const char *value)
{
    return arena_text(arena, value);
}

static TaxRate *a_rate(const char *name, const char *country, int32_t millionths)
{
    TaxRate *rate = message_new(arena, &throughline__catalog__v1__tax_rate__descriptor);

    rate->name = arena_printf(arena, "taxRates/%s", name);
    rate->title = text(name);
    rate->country = text(country);
    rate->tax_category = text("taxCategories/goods");
    rate->rate_millionths = millionths;
    return rate;
}

static Promotion *a_promotion(const char *name)
{
    Promotion *promotion = message_new(arena, &throughline__catalog__v1__promotion__descriptor);

    promotion->name = arena_printf(arena, "promotions/%s", name);
    promotion->title = text(name);
    return promotion;
}

/* A mug for everybody with a tent. */
static Promotion *a_gift(void)
{
    Promotion *promotion = a_promotion("mug");
    Throughline__Catalog__V1__Gift *gift =
        message_new(arena, &throughline__catalog__v1__gift__descriptor);

    gift->sku = text("v-0");
    gift->quantity = 1;
    promotion->effect_case = THROUGHLINE__CATALOG__V1__PROMOTION__EFFECT_GIFT;
    promotion->gift = gift;
    return promotion;
}

/* Half of the shipping. */
static Promotion *half_shipping(void)
{
    Promotion *promotion = a_promotion("shipping");
    Throughline__Catalog__V1__ShippingOff *off =
        message_new(arena, &throughline__catalog__v1__shipping_off__descriptor);

    off->basis_points = 5000;
    promotion->effect_case = THROUGHLINE__CATALOG__V1__PROMOTION__EFFECT_SHIPPING_OFF;
    promotion->shipping_off = off;
    return promotion;
}

/* A tenth off a first order. */
static Promotion *first_order(void)
{
    Promotion *promotion = a_promotion("first");

    promotion->basis_points = 1000;
    promotion->conditions =
        message_new(arena, &throughline__catalog__v1__promotion_conditions__descriptor);
    promotion->conditions->is_first_order = true;
    return promotion;
}

/* The club's tent, without taxes. */
static PriceRow *club_price(void)
{
    PriceRow *row = message_new(arena, &throughline__catalog__v1__price_row__descriptor);

    row->name = text("priceRows/club");
    row->sku = text("tent");
    row->segment = text("segments/club");
    row->amount = money_message(arena, "EUR", 15000);
    return row;
}

/* 19 % in German prices, 21 % in Dutch ones, the club's price and a promotion; once a test. */
static void put_in_force(Promotion *promotion)
{
    const Catalog *catalog = fixture_context(fixture_peer(fixture, "catalog"))->state;
    RuleSet set = THROUGHLINE__CATALOG__V1__RULE_SET__INIT;
    TaxCategory goods = THROUGHLINE__CATALOG__V1__TAX_CATEGORY__INIT, *kinds[] = { &goods };
    TaxRate *rates[] = { a_rate("MwSt", "DE", 190000), a_rate("BTW", "NL", 210000) };
    PriceRow *rows[] = { club_price() };

    goods.name = text("taxCategories/goods");
    goods.is_default = true;
    set.release = RELEASE;
    set.n_tax_categories = COUNT(kinds);
    set.tax_categories = kinds;
    set.n_tax_rates = COUNT(rates);
    set.tax_rates = rates;
    set.n_price_rows = COUNT(rows);
    set.price_rows = rows;
    set.n_promotions = promotion != NULL;
    set.promotions = &promotion;
    rules_holder_swap(catalog->rules, rules_compile(&set));
}

static void open_shop(void)
{
    fixture = shop_open();
    arena = fixture_arena(fixture);
}

static void close_shop(void)
{
    fixture_act_as(fixture, "web", "customers/ann");
    shop_close(fixture);
}

static const Error *try_fulfilment(
    const char *cart, Fulfilment *fulfilment, const char *etag, Cart *reply)
{
    Throughline__Cart__V1__SetFulfilmentRequest request =
        THROUGHLINE__CART__V1__SET_FULFILMENT_REQUEST__INIT;

    throughline__cart__v1__cart__init(reply);
    request.cart = text(cart);
    request.fulfilment = fulfilment;
    request.etag = text(etag);
    return fixture_call(fixture, "CartService/SetFulfilment", &request, reply);
}

static const Error *try_terms(const char *cart, Terms *terms, const char *etag, Cart *reply)
{
    Throughline__Cart__V1__SetTermsRequest request = THROUGHLINE__CART__V1__SET_TERMS_REQUEST__INIT;

    throughline__cart__v1__cart__init(reply);
    request.cart = text(cart);
    request.terms = terms;
    request.etag = text(etag);
    return fixture_call(fixture, "CartService/SetTerms", &request, reply);
}

static void ship_to(const char *cart, const char *country)
{
    Fulfilment fulfilment = THROUGHLINE__CART__V1__FULFILMENT__INIT;
    Place place = THROUGHLINE__CART__V1__PLACE__INIT;
    Cart reply;

    place.country = text(country);
    fulfilment.method = THROUGHLINE__CART__V1__FULFILMENT__METHOD__SHIP;
    fulfilment.delivery = &place;
    CHECK_TEXT(error_reason(try_fulfilment(cart, &fulfilment, "", &reply)), "OK");
    CHECK_TEXT(reply.fulfilment->delivery->country, country);
}

/* One segment, and 5.00 EUR for shipping. */
static Terms *some_terms(const char *segment)
{
    Terms *terms = message_new(arena, &throughline__cart__v1__terms__descriptor);
    char *name = text(segment);

    terms->n_segments = 1;
    terms->segments = arena_copy(arena, &name, sizeof(name));
    terms->shipping = message_new(arena, &throughline__cart__v1__shipping__descriptor);
    terms->shipping->method = text("post");
    terms->shipping->amount = money_message(arena, "EUR", 500);
    return terms;
}

static Quote *quote_of(const char *cart)
{
    SignedQuote *signed_quote = shop_quote(fixture, cart);

    return message_unpack(arena, &throughline__catalog__v1__quote__descriptor,
        (Bytes){ signed_quote->payload.data, signed_quote->payload.len });
}

static void taxes_of_the_country_are_on_quote_order_and_bill(void)
{
    const char *cart = shop_full_cart(fixture)->name;
    SignedQuote *old;
    Order *order, refused = THROUGHLINE__CART__V1__ORDER__INIT;

    put_in_force(NULL);
    CU_ASSERT_PTR_NULL(quote_of(cart)->tax_total);
    ship_to(cart, "DE");
    old = shop_quote(fixture, cart);
    CHECK_INT(shop_minor(quote_of(cart)->tax_total), 6355 + 160);
    ship_to(cart, "NL");
    CHECK_TEXT(error_reason(shop_try_checkout(fixture, cart, old, "", &refused)), "QUOTE_OUTDATED");
    CHECK_TEXT(quote_of(cart)->context->country, "NL");
    order = shop_checkout(fixture, cart, shop_quote(fixture, cart));

    CHECK_TEXT(order->quote->taxes[0]->rate, "taxRates/BTW");
    CHECK_INT(shop_minor(order->invoice->tax_total), shop_minor(order->quote->tax_total));
    CHECK_INT(shop_minor(order->invoice->taxes[0]->amount), shop_minor(order->quote->tax_total));
    CHECK_INT(shop_minor(order->invoice->total), 2 * 19900 + 3 * 333);
    CHECK_TEXT(order->fulfilment->delivery->country, "NL");
}

static void segments_and_shipping_are_on_quote_order_and_bill(void)
{
    const char *cart = shop_full_cart(fixture)->name;
    Order *order;
    Cart reply;

    put_in_force(half_shipping());
    CHECK_TEXT(error_reason(try_terms(cart, some_terms("segments/club"), "", &reply)), "OK");
    CHECK_TEXT(reply.terms->shipping->method, "post");
    order = shop_checkout(fixture, cart, shop_quote(fixture, cart));

    CHECK_TEXT(order->quote->lines[0]->price_row, "priceRows/club");
    CHECK_TEXT(order->quote->shipping->adjustments[0]->promotion, "promotions/shipping");
    CHECK_INT(order->invoice->n_charges, 3);
    CHECK_TEXT(order->invoice->charges[2]->title, "post");
    CHECK_INT(shop_minor(order->invoice->charges[2]->list_amount), 500);
    CHECK_INT(shop_minor(order->invoice->charges[2]->discount_amount), 250);
    CHECK_INT(shop_minor(order->invoice->total), 2 * 15000 + 3 * 333 + 250);
}

static void gifts_are_on_order_and_bill_and_leave_the_stock(void)
{
    const char *cart = shop_full_cart(fixture)->name;
    Order *order;

    put_in_force(a_gift());
    shop_stock(fixture, "v-0", "berlin", 1);
    order = shop_checkout(fixture, cart, shop_quote(fixture, cart));

    CHECK_INT(order->quote->n_gifts, 1);
    CHECK_INT(order->invoice->n_charges, 3);
    CHECK_TEXT(order->invoice->charges[2]->sku, "v-0");
    CHECK_TEXT(order->invoice->charges[2]->promotion, "promotions/mug");
    CHECK_INT(shop_minor(order->invoice->charges[2]->amount), 0);
    CHECK_INT(shop_minor(order->invoice->total), 2 * 19900 + 3 * 333);
    CHECK_INT(shop_stock_of(fixture, "v-0").on_hand, 0);
}

static void a_gift_that_is_out_of_stock_is_owed(void)
{
    const char *cart = shop_full_cart(fixture)->name;
    Order *order;

    put_in_force(a_gift());
    shop_stock(fixture, "v-0", "berlin", 0);
    shop_stock(fixture, "tent", "berlin", 2);
    order = shop_checkout(fixture, cart, shop_quote(fixture, cart));

    CHECK_INT(order->invoice->n_charges, 3);
    CHECK_INT(order->n_pieces, 1);
    CHECK_TEXT(order->pieces[0]->sku, "tent");
    CHECK_INT(shop_stock_of(fixture, "tent").on_hand, 0);
}

static void only_the_first_order_is_the_first(void)
{
    const char *cart = shop_full_cart(fixture)->name;
    Order *order;
    Quote *again;

    put_in_force(first_order());
    order = shop_checkout(fixture, cart, shop_quote(fixture, cart));
    CHECK_INT(shop_minor(order->invoice->charges[0]->discount_amount), 3980);
    cart = shop_full_cart(fixture)->name;
    again = quote_of(cart);
    CHECK_INT(shop_minor(again->discount_total), 0);
    /* Who may ask for quotes says so all the same. */
    again->context = message_new(arena, &throughline__catalog__v1__quote_context__descriptor);
    again->context->is_first_order = true;
    CHECK_TEXT(error_reason(shop_try_checkout(fixture, cart, shop_sign(fixture, again), "",
                   &(Order)THROUGHLINE__CART__V1__ORDER__INIT)),
        "QUOTE_OUTDATED");
    shop_checkout(fixture, cart, shop_quote(fixture, cart));
}

static void a_pickup_is_where_pickups_are(void)
{
    Throughline__Catalog__V1__PutLocationRequest put =
        THROUGHLINE__CATALOG__V1__PUT_LOCATION_REQUEST__INIT;
    Throughline__Catalog__V1__Location location = THROUGHLINE__CATALOG__V1__LOCATION__INIT, reply;
    Fulfilment fulfilment = THROUGHLINE__CART__V1__FULFILMENT__INIT;
    const char *cart = shop_full_cart(fixture)->name;
    Cart after;

    throughline__catalog__v1__location__init(&reply);
    location.name = text("locations/berlin");
    location.title = text("Berlin");
    location.country = text("DE");
    location.is_ship_from = true;
    put.location = &location;
    CHECK_TEXT(error_reason(fixture_call(
                   fixture_peer(fixture, "catalog"), "LocationService/PutLocation", &put, &reply)),
        "OK");
    put_in_force(NULL);
    fulfilment.method = THROUGHLINE__CART__V1__FULFILMENT__METHOD__PICKUP;
    fulfilment.location = text("berlin");
    CHECK_TEXT(error_reason(try_fulfilment(cart, &fulfilment, "", &after)), "NO_PICKUP_THERE");
    location.is_pickup = true;
    CHECK_TEXT(error_reason(fixture_call(
                   fixture_peer(fixture, "catalog"), "LocationService/PutLocation", &put, &reply)),
        "OK");
    CHECK_TEXT(error_reason(try_fulfilment(cart, &fulfilment, "", &after)), "OK");
    CHECK_TEXT(after.fulfilment->delivery->country, "DE");
    CHECK_TEXT(quote_of(cart)->taxes[0]->rate, "taxRates/MwSt");
}

static void what_is_said_is_checked(void)
{
    const char *cart = shop_full_cart(fixture)->name;
    Fulfilment fulfilment = THROUGHLINE__CART__V1__FULFILMENT__INIT;
    Place place = THROUGHLINE__CART__V1__PLACE__INIT;
    Terms *terms = some_terms("groups/club");
    const Error *error;
    Cart reply;

    place.country = text("Germany");
    place.region = arena_printf(arena, "%065d", 0);
    fulfilment.location = text("Berlin");
    fulfilment.delivery = fulfilment.billing = &place;
    error = try_fulfilment("none", &fulfilment, "", &reply);
    CHECK_TEXT(error_reason(error), "FIELD_INVALID");
    CHECK_INT(error->n_violations, 7);
    terms->shipping->method = text("");
    terms->shipping->amount = money_message(arena, "EUR", -1);
    error = try_terms("none", terms, "", &reply);
    CHECK_TEXT(error_reason(error), "FIELD_INVALID");
    CHECK_INT(error->n_violations, 4);
    terms = some_terms("segments/club");
    terms->shipping->amount = money_message(arena, "USD", 500);
    CHECK_TEXT(error_reason(try_terms(cart, terms, "", &reply)), "CURRENCY_MISMATCH");
    CHECK_TEXT(error_reason(try_terms(cart, NULL, "1", &reply)), "ETAG_STALE");
    CHECK_TEXT(error_reason(try_fulfilment(cart, NULL, "1", &reply)), "ETAG_STALE");
    CHECK_TEXT(error_reason(try_terms("carts/none", NULL, "", &reply)), "CART_NOT_FOUND");
    CHECK_TEXT(error_reason(try_fulfilment("carts/none", NULL, "", &reply)), "CART_NOT_FOUND");
    fixture_act_as(fixture, "web", "customers/bob");
    CHECK_TEXT(error_reason(try_fulfilment(cart, NULL, "", &reply)), "CART_NOT_FOUND");
}

static void terms_are_not_the_customers_to_say(void)
{
    const char *cart = shop_full_cart(fixture)->name;
    Throughline__Cart__V1__SetTermsRequest request = THROUGHLINE__CART__V1__SET_TERMS_REQUEST__INIT;
    RpcOutgoing outgoing = fixture_outgoing(fixture);
    Cart reply = THROUGHLINE__CART__V1__CART__INIT;
    const Error *error;

    request.cart = text(cart);
    request.terms = some_terms("segments/staff");
    outgoing.token = fixture_token(fixture, "cart.read cart.write cart.checkout", "web");
    error = fixture_call_with(fixture, &outgoing, "CartService/SetTerms", &request, &reply);
    CHECK_TEXT(error_reason(error), "SCOPE_MISSING");
    outgoing.token = fixture_token(fixture, "cart.terms", "web");
    CHECK_TEXT(error_reason(
                   fixture_call_with(fixture, &outgoing, "CartService/SetTerms", &request, &reply)),
        "OK");
}

static void a_merge_keeps_what_was_said(void)
{
    const char *guest;
    MergeReport *report;
    Cart reply;

    shop_full_cart(fixture);
    fixture_act_as(fixture, "web", "anonymous/visitor");
    guest = shop_full_cart(fixture)->name;
    ship_to(guest, "NL");
    CHECK_TEXT(error_reason(try_terms(guest, some_terms("segments/club"), "", &reply)), "OK");
    report = shop_attach(fixture, guest, "customers/ann");

    CHECK_TEXT(report->cart->fulfilment->delivery->country, "NL");
    CHECK_TEXT(report->cart->terms->segments[0], "segments/club");
}

static CU_TestInfo tests[] = {
    { "taxes_of_the_country_are_on_quote_order_and_bill",
        taxes_of_the_country_are_on_quote_order_and_bill },
    { "segments_and_shipping_are_on_quote_order_and_bill",
        segments_and_shipping_are_on_quote_order_and_bill },
    { "gifts_are_on_order_and_bill_and_leave_the_stock",
        gifts_are_on_order_and_bill_and_leave_the_stock },
    { "a_gift_that_is_out_of_stock_is_owed", a_gift_that_is_out_of_stock_is_owed },
    { "only_the_first_order_is_the_first", only_the_first_order_is_the_first },
    { "a_pickup_is_where_pickups_are", a_pickup_is_where_pickups_are },
    { "what_is_said_is_checked", what_is_said_is_checked },
    { "terms_are_not_the_customers_to_say", terms_are_not_the_customers_to_say },
    { "a_merge_keeps_what_was_said", a_merge_keeps_what_was_said },
    CU_TEST_INFO_NULL,
};

int main(int argc, char **argv)
{
    CU_SuiteInfo suites[] = {
        { .pName = "terms", .pSetUpFunc = open_shop, .pTearDownFunc = close_shop, .pTests = tests },
        CU_SUITE_INFO_NULL,
    };

    return test_main("cart_service_terms", suites, argc, argv);
}
