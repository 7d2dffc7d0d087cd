/* Two customers become one: their carts and orders, through gRPC, with the real identity. */
#include "tests/service/cart/shop.h"

#include "services/identity/identity_service.h"
#include "shared/codec/message.h"
#include "tests/support/test_main.h"

typedef Throughline__Identity__V1__CreateCustomerRequest CreateCustomerRequest;
typedef Throughline__Identity__V1__MergeCustomersRequest MergeCustomersRequest;
typedef Throughline__Identity__V1__Customer Customer;
typedef Throughline__Cart__V1__ListOrdersRequest ListOrdersRequest;
typedef Throughline__Cart__V1__ListOrdersResponse ListOrdersResponse;
typedef Throughline__Cart__V1__GetOrderRequest GetOrderRequest;

static Fixture *open_shop(void)
{
    Fixture *fixture = shop_open_beside(&identity_service);

    fixture_act_as(fixture_peer(fixture, "identity"), "care", "agents/kim");
    return fixture;
}

static const char *a_customer(Fixture *fixture)
{
    CreateCustomerRequest request = THROUGHLINE__IDENTITY__V1__CREATE_CUSTOMER_REQUEST__INIT;
    Customer wanted = THROUGHLINE__IDENTITY__V1__CUSTOMER__INIT;
    Customer made = THROUGHLINE__IDENTITY__V1__CUSTOMER__INIT;

    request.customer = &wanted;
    CU_ASSERT_PTR_NULL(fixture_call(
        fixture_peer(fixture, "identity"), "CustomerService/CreateCustomer", &request, &made));
    return arena_text(fixture_arena(fixture), made.name);
}

static void merge(Fixture *fixture, const char *survivor, const char *duplicate)
{
    MergeCustomersRequest request = THROUGHLINE__IDENTITY__V1__MERGE_CUSTOMERS_REQUEST__INIT;
    Customer reply = THROUGHLINE__IDENTITY__V1__CUSTOMER__INIT;

    request.survivor = (char *)survivor;
    request.duplicate = (char *)duplicate;
    request.reason = "The same person";
    CU_ASSERT_PTR_NULL(fixture_call(
        fixture_peer(fixture, "identity"), "CustomerService/MergeCustomers", &request, &reply));
    CU_ASSERT(fixture_settle(fixture));
}

static ListOrdersResponse orders_of(Fixture *fixture, const char *customer)
{
    ListOrdersRequest request = THROUGHLINE__CART__V1__LIST_ORDERS_REQUEST__INIT;
    ListOrdersResponse response = THROUGHLINE__CART__V1__LIST_ORDERS_RESPONSE__INIT;

    request.customer = (char *)customer;
    CHECK_TEXT(
        error_reason(fixture_call(fixture, "OrderService/ListOrders", &request, &response)), "OK");
    return response;
}

static Cart *cart_of(Fixture *fixture, const char *customer, const char *sku, int32_t quantity)
{
    fixture_act_as(fixture, "web", customer);
    return shop_add(fixture, shop_cart(fixture)->name, sku, quantity);
}

static void orders_are_the_survivors_and_billed_as_they_were(void)
{
    Fixture *fixture = open_shop();
    const char *jo = a_customer(fixture), *joanna = a_customer(fixture);
    Cart *cart = cart_of(fixture, joanna, "tent", 1);
    Order *bought = shop_checkout(fixture, cart->name, shop_quote(fixture, cart->name));
    GetOrderRequest request = THROUGHLINE__CART__V1__GET_ORDER_REQUEST__INIT;
    Order read = THROUGHLINE__CART__V1__ORDER__INIT;
    ListOrdersResponse list;

    merge(fixture, jo, joanna);

    fixture_act_as(fixture, "app", jo);
    list = orders_of(fixture, jo);
    CU_ASSERT_EQUAL_FATAL(list.n_orders, 1);
    CHECK_TEXT(list.orders[0]->name, bought->name);
    CHECK_TEXT(list.orders[0]->customer, jo);
    CHECK_TEXT(list.orders[0]->origin, joanna);
    CHECK_TEXT(list.orders[0]->invoice->customer, joanna);
    CHECK_INT(orders_of(fixture, joanna).n_orders, 1);
    fixture_act_as(fixture, "app", joanna);
    CHECK_INT(orders_of(fixture, joanna).n_orders, 1);
    request.name = bought->name;
    CU_ASSERT_PTR_NULL(fixture_call(fixture, "OrderService/GetOrder", &request, &read));
    shop_close(fixture); /* the ledger holds */
}

static void an_open_cart_becomes_the_survivors(void)
{
    Fixture *fixture = open_shop();
    const char *jo = a_customer(fixture), *joanna = a_customer(fixture);
    Cart *cart = cart_of(fixture, joanna, "tent", 1);

    merge(fixture, jo, joanna);

    fixture_act_as(fixture, "app", jo);
    CHECK_TEXT(shop_cart(fixture)->name, cart->name);
    CHECK_TEXT(shop_stored_cart(fixture, cart->name)->customer, jo);
    shop_close(fixture);
}

static void two_open_carts_become_one(void)
{
    Fixture *fixture = open_shop();
    const char *jo = a_customer(fixture), *joanna = a_customer(fixture);
    Cart *theirs = cart_of(fixture, joanna, "tent", 1), *own = cart_of(fixture, jo, "tent", 2);
    Cart *joined;

    shop_add(fixture, own->name, "rope", 1);
    merge(fixture, jo, joanna);

    joined = shop_cart(fixture);
    CHECK_TEXT(joined->name, own->name);
    CHECK_INT(shop_quantity(joined, "tent"), 3);
    CHECK_INT(shop_quantity(joined, "rope"), 1);
    CHECK_INT(
        shop_stored_cart(fixture, theirs->name)->state, THROUGHLINE__CART__V1__CART__STATE__MERGED);
    fixture_act_as(fixture, "web", joanna);
    CU_ASSERT_FALSE(text_equal(shop_cart(fixture)->name, theirs->name));
    shop_close(fixture);
}

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        { "orders_are_the_survivors_and_billed_as_they_were",
            orders_are_the_survivors_and_billed_as_they_were },
        { "an_open_cart_becomes_the_survivors", an_open_cart_becomes_the_survivors },
        { "two_open_carts_become_one", two_open_carts_become_one },
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        { .pName = "customer_merge", .pTests = tests },
        CU_SUITE_INFO_NULL,
    };

    return test_main("cart_service_customer_merge", suites, argc, argv);
}
