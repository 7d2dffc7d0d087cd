#include "tests/service/identity/teller.h"

static const Collection told = {
    .name = "told",
    .message = &throughline__cart__v1__cart__descriptor,
};

static const Collection *const told_collections[] = { &told, NULL };

static const Service cart_teller = { .name = "cart", .collections = told_collections };
static const Service feedback_teller = { .name = "feedback", .collections = told_collections };
static const Service notification_teller = { .name = "notification",
    .collections = told_collections };

Fixture *start_identity_with_tellers(void)
{
    const Service *others[] = { &cart_teller, &feedback_teller, &notification_teller, NULL };
    Fixture *fixture = fixture_start_with(&identity_service, others);

    fixture_act_as(fixture, "care", "agents/kim");
    return fixture;
}

void tell(Fixture *fixture, const char *source, Cart *cart, const void *payload)
{
    StoreView view = fixture_view(fixture_peer(fixture, source));

    CHECK_TEXT(error_reason(*cart->etag ? store_replace(&view, &told, cart, payload)
                                        : store_insert(&view, &told, cart, payload)),
        "OK");
}

Cart *a_cart(Fixture *fixture, const char *name, const char *customer)
{
    Cart *cart = arena_alloc(fixture_arena(fixture), sizeof(*cart));

    *cart = (Cart)THROUGHLINE__CART__V1__CART__INIT;
    cart->name = arena_text(fixture_arena(fixture), name);
    cart->customer = arena_text(fixture_arena(fixture), customer);
    return cart;
}
