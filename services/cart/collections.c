#include "services/cart/cart_service.h"

#include "shared/service/aliases.h"

#include "throughline/cart/v1/records.pb-c.h"

const Collection carts = {
    .name = "carts",
    .message = &throughline__cart__v1__cart__descriptor,
    /* Unique, so that only what is open or pending has entries. */
    .indexes = { { .name = "open_customer", .fields = { "open_customer" }, .is_unique = true },
        { .name = "pending", .fields = { "pending.key" }, .is_unique = true } },
};

const Collection orders = {
    .name = "orders",
    .message = &throughline__cart__v1__order__descriptor,
    .indexes = { { .name = "customer", .fields = { "customer", "create_time" } },
        { .name = "pending", .fields = { "pending.key" }, .is_unique = true } },
};

const Collection handoffs = {
    .name = "handoffs",
    .message = &throughline__cart__v1__handoff__descriptor,
    .indexes = { { .name = "cart", .fields = { "cart" } } },
    .expire_field = "expire_time",
};

const Collection claim_counts = {
    .name = "claim_counts",
    .message = &throughline__cart__v1__claim_count__descriptor,
    .expire_field = "expire_time",
};

const Collection *const cart_collections[] = { &carts, &orders, &handoffs, &claim_counts,
    &customer_aliases, NULL };
