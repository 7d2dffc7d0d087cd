#include "services/cart/domain/terms.h"

#include "shared/codec/message.h"
#include "shared/codec/types.h"
#include "tests/support/test_main.h"
#include "tests/unit/cart/builders.h"

static Arena *arena;
static Cart *cart;
static Actor ann;

static void set_up(void)
{
    arena = arena_new();
    cart = a_cart(arena, "customers/ann");
    a_line(arena, cart, "tent", 2, 19900);
    cart->content_etag = arena_text(arena, "6");
    ann = an_actor("customers/ann");
}

static void tear_down(void)
{
    arena_free(arena);
}

static Place *a_place(const char *country, const char *region)
{
    Place *place = message_new(arena, &throughline__cart__v1__place__descriptor);

    place->country = arena_text(arena, country);
    place->region = arena_text(arena, region);
    return place;
}

static Fulfilment a_shipment(const char *country)
{
    Fulfilment fulfilment = THROUGHLINE__CART__V1__FULFILMENT__INIT;

    fulfilment.method = THROUGHLINE__CART__V1__FULFILMENT__METHOD__SHIP;
    fulfilment.delivery = a_place(country, "");
    return fulfilment;
}

static Fulfilment a_pickup(const char *location)
{
    Fulfilment fulfilment = THROUGHLINE__CART__V1__FULFILMENT__INIT;

    fulfilment.method = THROUGHLINE__CART__V1__FULFILMENT__METHOD__PICKUP;
    fulfilment.location = arena_text(arena, location);
    return fulfilment;
}

static void set(const Fulfilment *fulfilment, const Location *location)
{
    FulfilmentSet event = THROUGHLINE__CART__V1__FULFILMENT_SET__INIT;

    CU_ASSERT_PTR_NULL(cart_set_fulfilment(cart, fulfilment, location, &ann, arena, &event));
    CU_ASSERT_PTR_EQUAL(event.cart, cart);
}

/* Five euros by post, for the segments that are named. */
static Terms *some_terms(const char *segment)
{
    Terms *terms = message_new(arena, &throughline__cart__v1__terms__descriptor);
    char *name = arena_text(arena, segment);

    terms->n_segments = 1;
    terms->segments = arena_copy(arena, &name, sizeof(name));
    terms->shipping = message_new(arena, &throughline__cart__v1__shipping__descriptor);
    terms->shipping->method = arena_text(arena, "post");
    terms->shipping->amount = money_message(arena, "EUR", 500);
    return terms;
}

static void nothing_is_known_at_first(void)
{
    CU_ASSERT_PTR_NULL(cart_context(cart, false, arena));
    CU_ASSERT_PTR_NULL(cart_shipping(cart, arena));
    CU_ASSERT(cart_context(cart, true, arena)->is_first_order);
}

static void a_place_of_delivery_comes_before_that_of_the_bill(void)
{
    Fulfilment fulfilment = a_shipment("DE");

    fulfilment.billing = a_place("FR", "IDF");
    set(&fulfilment, NULL);
    CHECK_TEXT(cart_context(cart, false, arena)->country, "DE");
    CHECK_TEXT(cart_context(cart, false, arena)->region, "");
    fulfilment.delivery = a_place("", "");
    set(&fulfilment, NULL);
    CHECK_TEXT(cart_context(cart, false, arena)->country, "FR");
    CHECK_TEXT(cart_context(cart, false, arena)->region, "IDF");
    set(NULL, NULL);
    CU_ASSERT_PTR_NULL(cart->fulfilment);
}

static void a_pickup_is_handed_over_where_the_location_is(void)
{
    Fulfilment fulfilment = a_pickup("berlin");
    Location location = THROUGHLINE__CATALOG__V1__LOCATION__INIT;
    FulfilmentSet event = THROUGHLINE__CART__V1__FULFILMENT_SET__INIT;

    fulfilment.delivery = a_place("FR", "");
    set(&fulfilment, NULL);
    CHECK_TEXT(cart_context(cart, false, arena)->country, "FR");
    location.country = arena_text(arena, "DE");
    location.region = arena_text(arena, "BE");
    CHECK_TEXT(error_reason(cart_set_fulfilment(cart, &fulfilment, &location, &ann, arena, &event)),
        "NO_PICKUP_THERE");
    location.is_pickup = true;
    set(&fulfilment, &location);
    CHECK_TEXT(cart_context(cart, false, arena)->country, "DE");
    CHECK_TEXT(cart_context(cart, false, arena)->region, "BE");
    CHECK_TEXT(cart_context(cart, false, arena)->location, "berlin");
}

static void terms_say_segments_and_shipping(void)
{
    TermsSet event = THROUGHLINE__CART__V1__TERMS_SET__INIT;
    Terms *terms = some_terms("segments/club"), *dollars = some_terms("segments/club");

    dollars->shipping->amount = money_message(arena, "USD", 500);
    CHECK_TEXT(
        error_reason(cart_set_terms(cart, dollars, &ann, arena, &event)), "CURRENCY_MISMATCH");
    CU_ASSERT_PTR_NULL(cart_set_terms(cart, terms, &ann, arena, &event));
    CU_ASSERT_PTR_EQUAL(event.cart, cart);
    CHECK_TEXT(cart_context(cart, false, arena)->segments[0], "segments/club");
    CHECK_TEXT(cart_shipping(cart, arena)->method, "post");
    CU_ASSERT_PTR_NULL(cart_set_terms(cart, NULL, &ann, arena, &event));
    CU_ASSERT_PTR_NULL(cart_context(cart, false, arena));
    CU_ASSERT_PTR_NULL(cart_shipping(cart, arena));
}

static void what_was_quoted_before_is_outdated(void)
{
    Fulfilment fulfilment = a_shipment("DE");
    TermsSet event = THROUGHLINE__CART__V1__TERMS_SET__INIT;

    set(&fulfilment, NULL);
    CHECK_TEXT(cart->content_etag, "");
    cart->content_etag = arena_text(arena, "6");
    CU_ASSERT_PTR_NULL(cart_set_terms(cart, NULL, &ann, arena, &event));
    CHECK_TEXT(cart->content_etag, "");
}

static void a_closed_cart_goes_where_it_goes(void)
{
    Fulfilment fulfilment = a_shipment("DE");
    FulfilmentSet moved = THROUGHLINE__CART__V1__FULFILMENT_SET__INIT;
    TermsSet changed = THROUGHLINE__CART__V1__TERMS_SET__INIT;

    cart->state = THROUGHLINE__CART__V1__CART__STATE__ORDERED;
    CHECK_TEXT(error_reason(cart_set_fulfilment(cart, &fulfilment, NULL, &ann, arena, &moved)),
        "CART_CLOSED");
    CHECK_TEXT(error_reason(cart_set_terms(cart, NULL, &ann, arena, &changed)), "CART_CLOSED");
}

/* A quote of the cart as it is, for this context and shipping. */
static Quote *priced_for(bool is_first_order)
{
    Quote *quote = a_quote(arena, cart, 0);
    ShippingRequest *shipping = cart_shipping(cart, arena);

    quote->context = cart_context(cart, is_first_order, arena);
    if (!shipping)
        return quote;
    quote->shipping = message_new(arena, &throughline__catalog__v1__priced_shipping__descriptor);
    quote->shipping->method = shipping->method;
    quote->shipping->list_total = quote->shipping->total = shipping->amount;
    return quote;
}

static bool is_good(const Quote *quote)
{
    return cart_is_priced_for(cart, quote, arena);
}

static void a_quote_for_other_terms_is_not_of_this_cart(void)
{
    Fulfilment fulfilment = a_shipment("DE");
    TermsSet event = THROUGHLINE__CART__V1__TERMS_SET__INIT;
    Quote *country, *segment, *shipping, *cheap, *net;

    CU_ASSERT(is_good(priced_for(false)));
    CU_ASSERT(is_good(priced_for(true)));
    set(&fulfilment, NULL);
    CU_ASSERT(!is_good(a_quote(arena, cart, 0)));
    CU_ASSERT_PTR_NULL(cart_set_terms(cart, some_terms("segments/club"), &ann, arena, &event));
    country = message_copy(arena, priced_for(false));
    country->context->country = arena_text(arena, "FR");
    segment = message_copy(arena, priced_for(false));
    segment->context->segments[0] = arena_text(arena, "segments/staff");
    shipping = priced_for(false);
    shipping->shipping = NULL;
    cheap = priced_for(false);
    cheap->shipping->list_total = money_message(arena, "EUR", 1);
    net = priced_for(false);
    net->shipping->is_net = true;

    CU_ASSERT(is_good(priced_for(false)));
    CU_ASSERT(!is_good(country));
    CU_ASSERT(!is_good(segment));
    CU_ASSERT(!is_good(shipping));
    CU_ASSERT(!is_good(cheap));
    CU_ASSERT(!is_good(net));
}

static CU_TestInfo tests[] = {
    { "nothing_is_known_at_first", nothing_is_known_at_first },
    { "a_place_of_delivery_comes_before_that_of_the_bill",
        a_place_of_delivery_comes_before_that_of_the_bill },
    { "a_pickup_is_handed_over_where_the_location_is",
        a_pickup_is_handed_over_where_the_location_is },
    { "terms_say_segments_and_shipping", terms_say_segments_and_shipping },
    { "what_was_quoted_before_is_outdated", what_was_quoted_before_is_outdated },
    { "a_closed_cart_goes_where_it_goes", a_closed_cart_goes_where_it_goes },
    { "a_quote_for_other_terms_is_not_of_this_cart", a_quote_for_other_terms_is_not_of_this_cart },
    CU_TEST_INFO_NULL,
};

int main(int argc, char **argv)
{
    CU_SuiteInfo suites[] = {
        { .pName = "terms", .pSetUpFunc = set_up, .pTearDownFunc = tear_down, .pTests = tests },
        CU_SUITE_INFO_NULL,
    };

    return test_main("cart_terms", suites, argc, argv);
}
