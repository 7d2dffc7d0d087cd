/* Opening carts, reading them, lines and promotion codes, through gRPC. */
#include "tests/service/cart/shop.h"

#include "shared/codec/message.h"
#include "tests/support/test_main.h"

#include <string.h>

typedef Throughline__Cart__V1__CreateCartRequest CreateCartRequest;
typedef Throughline__Cart__V1__GetCartRequest GetCartRequest;
typedef Throughline__Cart__V1__FindCartRequest FindCartRequest;
typedef Throughline__Cart__V1__AddLineRequest AddLineRequest;
typedef Throughline__Cart__V1__ChangeLineRequest ChangeLineRequest;
typedef Throughline__Cart__V1__RemoveLineRequest RemoveLineRequest;
typedef Throughline__Cart__V1__AddPromotionRequest AddPromotionRequest;
typedef Throughline__Cart__V1__RemovePromotionRequest RemovePromotionRequest;
typedef Throughline__Cart__V1__JoinCartRequest JoinCartRequest;
typedef Throughline__Cart__V1__LeaveCartRequest LeaveCartRequest;

static char *text(Fixture *fixture, const char *value)
{
    return arena_text(fixture_arena(fixture), value);
}

static const Error *get(Fixture *fixture, const char *name, Cart *cart)
{
    GetCartRequest request = THROUGHLINE__CART__V1__GET_CART_REQUEST__INIT;

    request.name = text(fixture, name);
    return fixture_call(fixture, "CartService/GetCart", &request, cart);
}

static const Error *find(Fixture *fixture, const char *customer, Cart *cart)
{
    FindCartRequest request = THROUGHLINE__CART__V1__FIND_CART_REQUEST__INIT;

    request.customer = text(fixture, customer);
    return fixture_call(fixture, "CartService/FindCart", &request, cart);
}

static const Error *change(
    Fixture *fixture, const char *cart, const char *sku, int32_t quantity, Cart *reply)
{
    ChangeLineRequest request = THROUGHLINE__CART__V1__CHANGE_LINE_REQUEST__INIT;

    request.cart = text(fixture, cart);
    request.sku = text(fixture, sku);
    request.quantity = quantity;
    return fixture_call(fixture, "CartService/ChangeLine", &request, reply);
}

static const Error *take_out(Fixture *fixture, const char *cart, const char *sku, Cart *reply)
{
    RemoveLineRequest request = THROUGHLINE__CART__V1__REMOVE_LINE_REQUEST__INIT;

    request.cart = text(fixture, cart);
    request.sku = text(fixture, sku);
    return fixture_call(fixture, "CartService/RemoveLine", &request, reply);
}

static const Error *add_code(Fixture *fixture, const char *cart, const char *code, Cart *reply)
{
    AddPromotionRequest request = THROUGHLINE__CART__V1__ADD_PROMOTION_REQUEST__INIT;

    request.cart = text(fixture, cart);
    request.code = text(fixture, code);
    return fixture_call(fixture, "CartService/AddPromotion", &request, reply);
}

static const Error *remove_code(Fixture *fixture, const char *cart, const char *code, Cart *reply)
{
    RemovePromotionRequest request = THROUGHLINE__CART__V1__REMOVE_PROMOTION_REQUEST__INIT;

    request.cart = text(fixture, cart);
    request.code = text(fixture, code);
    return fixture_call(fixture, "CartService/RemovePromotion", &request, reply);
}

static const Error *join(Fixture *fixture, const char *cart, Cart *reply)
{
    JoinCartRequest request = THROUGHLINE__CART__V1__JOIN_CART_REQUEST__INIT;

    request.cart = text(fixture, cart);
    return fixture_call(fixture, "CartService/JoinCart", &request, reply);
}

static const Error *leave(Fixture *fixture, const char *cart, Cart *reply)
{
    LeaveCartRequest request = THROUGHLINE__CART__V1__LEAVE_CART_REQUEST__INIT;

    request.cart = text(fixture, cart);
    return fixture_call(fixture, "CartService/LeaveCart", &request, reply);
}

static bool names_field(const Error *error, const char *field)
{
    for (size_t i = 0; error && i < error->n_violations; i++)
        if (text_equal(error->violations[i].field, field))
            return true;
    return false;
}

static void a_customer_has_one_open_cart_in_every_channel(void)
{
    Fixture *fixture = shop_open();
    Cart *first = shop_cart(fixture), *again;
    Cart found = THROUGHLINE__CART__V1__CART__INIT;

    CHECK_TEXT(first->customer, "customers/ann");
    CHECK_TEXT(first->open_channel, "web");
    CHECK_TEXT(first->currency, "EUR");
    CHECK_INT(first->state, THROUGHLINE__CART__V1__CART__STATE__OPEN);
    fixture_act_as(fixture, "app", "customers/ann");
    again = shop_cart(fixture);
    CHECK_TEXT(again->name, first->name);
    CHECK_TEXT(again->etag, first->etag);
    CU_ASSERT_PTR_NULL(find(fixture, "customers/ann", &found));
    CU_ASSERT(message_equal(&found, again));
    shop_close(fixture);
}

static void bad_requests_hear_of_every_bad_field(void)
{
    Fixture *fixture = shop_open();
    CreateCartRequest create = THROUGHLINE__CART__V1__CREATE_CART_REQUEST__INIT;
    AddLineRequest add = THROUGHLINE__CART__V1__ADD_LINE_REQUEST__INIT;
    Cart cart = THROUGHLINE__CART__V1__CART__INIT;
    const Error *error;

    create.currency = text(fixture, "euro");
    create.request_id = text(fixture, "a b");
    error = fixture_call(fixture, "CartService/CreateCart", &create, &cart);
    CHECK_TEXT(error_reason(error), "FIELD_INVALID");
    CU_ASSERT(names_field(error, "currency") && names_field(error, "request_id"));

    add.cart = text(fixture, "cart/1");
    add.quantity = -1;
    error = fixture_call(fixture, "CartService/AddLine", &add, &cart);
    CHECK_INT(error->n_violations, 3);
    CU_ASSERT(
        names_field(error, "cart") && names_field(error, "quantity") && names_field(error, "item"));
    add.item_case = THROUGHLINE__CART__V1__ADD_LINE_REQUEST__ITEM_GTIN;
    add.gtin = text(fixture, "123");
    add.quantity = 10001;
    error = fixture_call(fixture, "CartService/AddLine", &add, &cart);
    CU_ASSERT(names_field(error, "gtin") && names_field(error, "quantity"));
    CU_ASSERT(names_field(shop_try_add(fixture, "carts/a", "a b", 1, &cart), "sku"));

    CU_ASSERT(names_field(get(fixture, "orders/a", &cart), "name"));
    CU_ASSERT(names_field(find(fixture, "", &cart), "customer"));
    error = change(fixture, "", "", 10001, &cart);
    CU_ASSERT(
        names_field(error, "cart") && names_field(error, "sku") && names_field(error, "quantity"));
    error = take_out(fixture, "", "", &cart);
    CU_ASSERT(names_field(error, "cart") && names_field(error, "sku"));
    error = add_code(fixture, "", "spring", &cart);
    CU_ASSERT(names_field(error, "cart") && names_field(error, "code"));
    error = remove_code(fixture, "", "X", &cart);
    CU_ASSERT(names_field(error, "cart") && names_field(error, "code"));
    CU_ASSERT(names_field(leave(fixture, "", &cart), "cart"));
    CU_ASSERT(names_field(join(fixture, "", &cart), "cart"));
    shop_close(fixture);
}

static void a_line_is_added_at_the_catalogues_price(void)
{
    Fixture *fixture = shop_open();
    Cart *cart = shop_cart(fixture);

    shop_add(fixture, cart->name, "tent", 2);
    cart = shop_add(fixture, cart->name, "rope", 3);

    CHECK_INT(cart->n_lines, 2);
    CHECK_TEXT(cart->lines[0]->sku, "tent");
    CHECK_TEXT(cart->lines[0]->product, "products/tent");
    CHECK_TEXT(cart->lines[0]->title, "Title of tent");
    CHECK_TEXT(cart->lines[0]->actor, "customers/ann");
    CHECK_INT(shop_minor(cart->lines[0]->unit_price), 19900);
    CHECK_INT(shop_minor(cart->subtotal), 2 * 19900 + 3 * 333);
    CU_ASSERT(message_equal(cart, shop_stored_cart(fixture, cart->name)));
    shop_close(fixture);
}

static void a_scanned_code_finds_its_variant(void)
{
    Fixture *fixture = shop_open();
    AddLineRequest request = THROUGHLINE__CART__V1__ADD_LINE_REQUEST__INIT;
    Cart *cart = shop_cart(fixture), reply = THROUGHLINE__CART__V1__CART__INIT;

    request.cart = cart->name;
    request.item_case = THROUGHLINE__CART__V1__ADD_LINE_REQUEST__ITEM_GTIN;
    request.gtin = text(fixture, "4006381333931");
    request.quantity = 1;

    CU_ASSERT_PTR_NULL(fixture_call(fixture, "CartService/AddLine", &request, &reply));
    CHECK_INT(shop_quantity(&reply, "tent"), 1);
    request.gtin = text(fixture, "96385074");
    CHECK_TEXT(error_reason(fixture_call(fixture, "CartService/AddLine", &request, &reply)),
        "VARIANT_NOT_FOUND");
    shop_close(fixture);
}

static void what_cannot_be_sold_is_refused_with_its_reason(void)
{
    Fixture *fixture = shop_open();
    Cart *cart = shop_cart(fixture), reply = THROUGHLINE__CART__V1__CART__INIT;

    CHECK_TEXT(
        error_reason(shop_try_add(fixture, cart->name, "unknown", 1, &reply)), "VARIANT_NOT_FOUND");
    CHECK_TEXT(
        error_reason(shop_try_add(fixture, cart->name, "dollar", 1, &reply)), "PRICE_MISSING");
    CHECK_TEXT(
        error_reason(shop_try_add(fixture, cart->name, "retired", 1, &reply)), "PRODUCT_RETIRED");
    CHECK_TEXT(
        error_reason(shop_try_add(fixture, "carts/none", "tent", 1, &reply)), "CART_NOT_FOUND");
    for (int i = 0; i < CART_MAX_LINES; i++)
        shop_add(fixture, cart->name, arena_printf(fixture_arena(fixture), "v-%d", i), 1);
    CHECK_TEXT(error_reason(shop_try_add(fixture, cart->name, "tent", 1, &reply)), "CART_FULL");
    CU_ASSERT_PTR_NULL(shop_try_add(fixture, cart->name, "v-0", 9999, &reply));
    CHECK_TEXT(
        error_reason(shop_try_add(fixture, cart->name, "v-0", 1, &reply)), "QUANTITY_TOO_LARGE");
    shop_close(fixture);
}

static void a_quantity_is_set_and_a_line_taken_out(void)
{
    Fixture *fixture = shop_open();
    Cart *cart = shop_cart(fixture), reply = THROUGHLINE__CART__V1__CART__INIT;

    shop_add(fixture, cart->name, "tent", 2);
    shop_add(fixture, cart->name, "rope", 1);

    CU_ASSERT_PTR_NULL(change(fixture, cart->name, "tent", 5, &reply));
    CHECK_INT(shop_quantity(&reply, "tent"), 5);
    CU_ASSERT_PTR_NULL(change(fixture, cart->name, "tent", 0, &reply));
    CHECK_INT(reply.n_lines, 1);
    CHECK_TEXT(error_reason(change(fixture, cart->name, "tent", 1, &reply)), "LINE_NOT_FOUND");
    CU_ASSERT_PTR_NULL(take_out(fixture, cart->name, "rope", &reply));
    CHECK_INT(reply.n_lines, 0);
    CHECK_INT(shop_minor(reply.subtotal), 0);
    CHECK_TEXT(error_reason(take_out(fixture, cart->name, "rope", &reply)), "LINE_NOT_FOUND");
    shop_close(fixture);
}

static void a_code_that_applies_goes_in_and_out(void)
{
    Fixture *fixture = shop_open();
    Cart *cart = shop_cart(fixture), reply = THROUGHLINE__CART__V1__CART__INIT;
    char *etag;

    CHECK_TEXT(error_reason(add_code(fixture, cart->name, "SPRING-10", &reply)), "CART_EMPTY");
    shop_add(fixture, cart->name, "tent", 1);
    CHECK_TEXT(
        error_reason(add_code(fixture, cart->name, "UNKNOWN", &reply)), "PROMOTION_NOT_APPLICABLE");
    CU_ASSERT_PTR_NULL(add_code(fixture, cart->name, "SPRING-10", &reply));
    CHECK_INT(reply.n_codes, 1);
    etag = reply.etag;
    CU_ASSERT_PTR_NULL(add_code(fixture, cart->name, "SPRING-10", &reply));
    CHECK_TEXT(reply.etag, etag);
    CU_ASSERT_PTR_NULL(remove_code(fixture, cart->name, "SPRING-10", &reply));
    CHECK_INT(reply.n_codes, 0);
    CU_ASSERT_PTR_NULL(remove_code(fixture, cart->name, "SPRING-10", &reply));
    shop_close(fixture);
}

static void a_stale_etag_is_told_and_a_right_one_taken(void)
{
    Fixture *fixture = shop_open();
    Cart *cart = shop_cart(fixture), reply = THROUGHLINE__CART__V1__CART__INIT;
    ChangeLineRequest request = THROUGHLINE__CART__V1__CHANGE_LINE_REQUEST__INIT;

    cart = shop_add(fixture, cart->name, "tent", 1);
    request.cart = cart->name;
    request.sku = text(fixture, "tent");
    request.quantity = 2;
    request.etag = cart->etag;
    CU_ASSERT_PTR_NULL(fixture_call(fixture, "CartService/ChangeLine", &request, &reply));
    request.quantity = 3;
    CHECK_TEXT(error_reason(fixture_call(fixture, "CartService/ChangeLine", &request, &reply)),
        "ETAG_STALE");
    CHECK_INT(shop_quantity(shop_stored_cart(fixture, cart->name), "tent"), 2);
    shop_close(fixture);
}

static void a_repeated_request_gets_the_first_answer(void)
{
    Fixture *fixture = shop_open();
    AddLineRequest request = THROUGHLINE__CART__V1__ADD_LINE_REQUEST__INIT;
    Cart first = THROUGHLINE__CART__V1__CART__INIT, again = first, other = first;

    request.cart = shop_cart(fixture)->name;
    request.item_case = THROUGHLINE__CART__V1__ADD_LINE_REQUEST__ITEM_SKU;
    request.sku = text(fixture, "tent");
    request.quantity = 1;
    request.request_id = text(fixture, "once");

    CU_ASSERT_PTR_NULL(fixture_call(fixture, "CartService/AddLine", &request, &first));
    shop_add(fixture, request.cart, "rope", 1);
    CU_ASSERT_PTR_NULL(fixture_call(fixture, "CartService/AddLine", &request, &again));
    CU_ASSERT(message_equal(&first, &again));
    CHECK_INT(shop_quantity(shop_stored_cart(fixture, request.cart), "tent"), 1);
    request.quantity = 2;
    CHECK_TEXT(error_reason(fixture_call(fixture, "CartService/AddLine", &request, &other)),
        "REQUEST_ID_REUSED");
    shop_close(fixture);
}

static void a_repeated_creation_is_the_same_cart(void)
{
    Fixture *fixture = shop_open();
    CreateCartRequest request = THROUGHLINE__CART__V1__CREATE_CART_REQUEST__INIT;
    Cart first = THROUGHLINE__CART__V1__CART__INIT, again = first, other = first;

    fixture_act_as(fixture, "web", "anonymous/visitor");
    request.currency = text(fixture, "EUR");
    request.request_id = text(fixture, "open-1");
    CU_ASSERT_PTR_NULL(fixture_call(fixture, "CartService/CreateCart", &request, &first));
    CU_ASSERT_PTR_NULL(fixture_call(fixture, "CartService/CreateCart", &request, &again));
    CHECK_TEXT(again.name, first.name);
    request.request_id = text(fixture, "open-2");
    CU_ASSERT_PTR_NULL(fixture_call(fixture, "CartService/CreateCart", &request, &other));
    CU_ASSERT(!text_equal(other.name, first.name));
    shop_close(fixture);
}

/* Every call on a cart that is not one's own, and on one that is not there, has the same answer. */
static void a_cart_of_another_does_not_exist(void)
{
    Fixture *fixture = shop_open();
    const char *const strangers[] = { "customers/bob", "anonymous/visitor", "agents/kim",
        "services/identity" };
    Cart *cart = shop_cart(fixture), reply = THROUGHLINE__CART__V1__CART__INIT;

    shop_add(fixture, cart->name, "tent", 1);
    for (size_t i = 0; i < COUNT(strangers); i++) {
        const Error *hidden, *absent;

        fixture_act_as(fixture, "web", strangers[i]);
        hidden = get(fixture, cart->name, &reply);
        absent = get(fixture, "carts/absent", &reply);
        CHECK_TEXT(error_reason(hidden), "CART_NOT_FOUND");
        CHECK_TEXT(hidden->message, absent->message);
        CHECK_TEXT(error_reason(find(fixture, "customers/ann", &reply)), "CART_NOT_FOUND");
        CHECK_TEXT(
            error_reason(shop_try_add(fixture, cart->name, "tent", 1, &reply)), "CART_NOT_FOUND");
        CHECK_TEXT(error_reason(change(fixture, cart->name, "tent", 0, &reply)), "CART_NOT_FOUND");
        CHECK_TEXT(error_reason(take_out(fixture, cart->name, "tent", &reply)), "CART_NOT_FOUND");
        CHECK_TEXT(
            error_reason(add_code(fixture, cart->name, "SPRING-10", &reply)), "CART_NOT_FOUND");
        CHECK_TEXT(
            error_reason(remove_code(fixture, cart->name, "SPRING-10", &reply)), "CART_NOT_FOUND");
        CHECK_TEXT(error_reason(leave(fixture, cart->name, &reply)), "CART_NOT_FOUND");
    }
    CHECK_INT(shop_quantity(shop_stored_cart(fixture, cart->name), "tent"), 1);
    fixture_act_as(fixture, "web", "customers/ann");
    shop_close(fixture);
}

static void a_services_own_account_reads(void)
{
    Fixture *fixture = shop_open();
    Cart *cart = shop_cart(fixture), reply = THROUGHLINE__CART__V1__CART__INIT;

    fixture_act_as(fixture, "", "services/identity");
    CU_ASSERT_PTR_NULL(get(fixture, cart->name, &reply));
    CU_ASSERT_PTR_NULL(find(fixture, "customers/ann", &reply));
    CHECK_TEXT(reply.name, cart->name);
    fixture_act_as(fixture, "web", "customers/ann");
    shop_close(fixture);
}

static void an_agent_helps_between_joining_and_leaving(void)
{
    Fixture *fixture = shop_open();
    Cart *cart = shop_cart(fixture), reply = THROUGHLINE__CART__V1__CART__INIT;

    CHECK_TEXT(error_reason(join(fixture, cart->name, &reply)), "NOT_AN_AGENT");
    fixture_act_as(fixture, "care", "agents/kim");
    CU_ASSERT_PTR_NULL(join(fixture, cart->name, &reply));
    CHECK_INT(reply.n_participants, 1);
    CHECK_TEXT(reply.participants[0]->channel, "care");
    CU_ASSERT_PTR_NULL(join(fixture, cart->name, &reply));
    CHECK_INT(reply.n_participants, 1);
    cart = shop_add(fixture, cart->name, "tent", 1);
    CHECK_TEXT(cart->lines[0]->actor, "agents/kim");
    CHECK_TEXT(cart->lines[0]->channel, "care");
    CU_ASSERT_PTR_NULL(leave(fixture, cart->name, &reply));
    CHECK_INT(reply.n_participants, 0);
    CHECK_TEXT(error_reason(get(fixture, cart->name, &reply)), "CART_NOT_FOUND");
    CHECK_TEXT(error_reason(join(fixture, "carts/none", &reply)), "CART_NOT_FOUND");
    shop_close(fixture);
}

static void an_agent_joins_only_for_whom_they_act(void)
{
    Fixture *fixture = shop_open();
    JoinCartRequest request = THROUGHLINE__CART__V1__JOIN_CART_REQUEST__INIT;
    Cart *cart = shop_cart(fixture), reply = THROUGHLINE__CART__V1__CART__INIT;
    RpcOutgoing outgoing;

    request.cart = cart->name;
    fixture_act_as(fixture, "care", "agents/kim");
    outgoing = fixture_outgoing(fixture);
    outgoing.context.on_behalf_of = "customers/bob";
    CHECK_TEXT(error_reason(
                   fixture_call_with(fixture, &outgoing, "CartService/JoinCart", &request, &reply)),
        "CART_NOT_FOUND");
    outgoing.context.on_behalf_of = "customers/ann";
    CU_ASSERT_PTR_NULL(
        fixture_call_with(fixture, &outgoing, "CartService/JoinCart", &request, &reply));
    shop_close(fixture);
}

static const void *payload_of(
    Fixture *fixture, const Event *event, const ProtobufCMessageDescriptor *type)
{
    CU_ASSERT_PTR_NOT_NULL_FATAL(event);
    return event_payload(fixture_arena(fixture), event, type);
}

static void every_change_tells_an_event_with_the_cart_after_it(void)
{
    Fixture *fixture = shop_open();
    Cart *cart = shop_cart(fixture), reply = THROUGHLINE__CART__V1__CART__INIT;
    const LineAdded *added;
    const LineChanged *changed;
    const Event *event;

    cart = shop_add(fixture, cart->name, "tent", 2);
    fixture_act_as(fixture, "app", "customers/ann");
    CU_ASSERT_PTR_NULL(change(fixture, cart->name, "tent", 3, &reply));
    CU_ASSERT_PTR_NULL(take_out(fixture, cart->name, "tent", &reply));

    CU_ASSERT_PTR_NOT_NULL(payload_of(fixture, fixture_event(fixture, cart->name, 1),
        &throughline__cart__v1__cart_opened__descriptor));
    event = fixture_event(fixture, cart->name, 2);
    added = payload_of(fixture, event, &throughline__cart__v1__line_added__descriptor);
    CU_ASSERT_PTR_NOT_NULL_FATAL(added);
    CHECK_INT(added->quantity, 2);
    CU_ASSERT(message_equal(added->cart, cart));
    CHECK_TEXT(event->customer, "customers/ann");
    CHECK_TEXT(event->channel, "web");
    event = fixture_event(fixture, cart->name, 3);
    changed = payload_of(fixture, event, &throughline__cart__v1__line_changed__descriptor);
    CU_ASSERT_PTR_NOT_NULL_FATAL(changed);
    CHECK_INT(changed->old_quantity, 2);
    CHECK_INT(changed->new_quantity, 3);
    CHECK_TEXT(event->channel, "app");
    CU_ASSERT_PTR_NOT_NULL(payload_of(fixture, fixture_event(fixture, cart->name, 4),
        &throughline__cart__v1__line_removed__descriptor));
    shop_close(fixture);
}

static void a_cart_survives_a_restart(void)
{
    Fixture *fixture = shop_open();
    Cart *cart = shop_cart(fixture), reply = THROUGHLINE__CART__V1__CART__INIT;

    cart = shop_add(fixture, cart->name, "tent", 2);
    shop_restart(fixture);

    CU_ASSERT_PTR_NULL(get(fixture, cart->name, &reply));
    CU_ASSERT(message_equal(cart, &reply));
    shop_close(fixture);
}

static CU_TestInfo tests[] = {
    { "a_customer_has_one_open_cart_in_every_channel",
        a_customer_has_one_open_cart_in_every_channel },
    { "bad_requests_hear_of_every_bad_field", bad_requests_hear_of_every_bad_field },
    { "a_line_is_added_at_the_catalogues_price", a_line_is_added_at_the_catalogues_price },
    { "a_scanned_code_finds_its_variant", a_scanned_code_finds_its_variant },
    { "what_cannot_be_sold_is_refused_with_its_reason",
        what_cannot_be_sold_is_refused_with_its_reason },
    { "a_quantity_is_set_and_a_line_taken_out", a_quantity_is_set_and_a_line_taken_out },
    { "a_code_that_applies_goes_in_and_out", a_code_that_applies_goes_in_and_out },
    { "a_stale_etag_is_told_and_a_right_one_taken", a_stale_etag_is_told_and_a_right_one_taken },
    { "a_repeated_request_gets_the_first_answer", a_repeated_request_gets_the_first_answer },
    { "a_repeated_creation_is_the_same_cart", a_repeated_creation_is_the_same_cart },
    { "a_cart_of_another_does_not_exist", a_cart_of_another_does_not_exist },
    { "a_services_own_account_reads", a_services_own_account_reads },
    { "an_agent_helps_between_joining_and_leaving", an_agent_helps_between_joining_and_leaving },
    { "an_agent_joins_only_for_whom_they_act", an_agent_joins_only_for_whom_they_act },
    { "every_change_tells_an_event_with_the_cart_after_it",
        every_change_tells_an_event_with_the_cart_after_it },
    { "a_cart_survives_a_restart", a_cart_survives_a_restart },
    CU_TEST_INFO_NULL,
};

int main(int argc, char **argv)
{
    CU_SuiteInfo suites[] = { { .pName = "carts", .pTests = tests }, CU_SUITE_INFO_NULL };

    return test_main("cart_service_carts", suites, argc, argv);
}
