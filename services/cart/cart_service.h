/* What the parts of the cart service share. */
#ifndef THROUGHLINE_CART_CART_SERVICE_H
#define THROUGHLINE_CART_CART_SERVICE_H

#include "services/cart/domain/access.h"
#include "services/cart/domain/merge.h"
#include "shared/service/race.h"
#include "shared/service/service.h"

/* What a running service holds in memory. */
typedef struct CartState {
    struct CatalogClient *catalog;
} CartState;

CartState *cart_state(const RpcCall *call);

extern const Collection carts;
extern const Collection orders;
extern const Collection handoffs;
extern const Collection claim_counts;
extern const Collection *const cart_collections[];

extern const RpcService cart_rpcs;
extern const RpcService order_rpcs;

extern const Service cart_service;

/* Who makes the call. */
Actor actor_of(const RpcCall *call);

/* NOT_FOUND CART_NOT_FOUND in the words that also hide a cart. */
const Error *cart_load(StoreView *view, const char *name, Cart *cart);

/* For a change: the actor may make it, and the cart has the etag that the caller saw ("": any). */
const Error *cart_load_to_change(RpcCall *call, const char *name, const char *etag, Cart *cart);

/* A change of one cart, in rounds: load, decide, store; another round when a race was lost. In a handler:
 *     CartChange change __attribute__((cleanup(cart_change_end))) = cart_change(call, name, etag, cart);
 *     while (cart_change_loads(&change)) {
 *         change.error = … the rule, which fills an event …;
 *         cart_change_store(&change, &event);
 *     }
 *     return change.error; */
typedef struct CartChange {
    RpcCall *call;
    const char *name, *etag;
    Cart *cart;
    bool is_for_all; /* also for those who may not change the cart: the rule says who may */
    int rounds;
    Race race;
    const Error *error;
} CartChange;

CartChange cart_change(RpcCall *call, const char *name, const char *etag, Cart *cart);
void cart_change_end(CartChange *change);
/* False when the change is done or has failed. */
bool cart_change_loads(CartChange *change);
/* Unless the rule failed. No event: there is nothing to change. */
void cart_change_store(CartChange *change, const void *event);

/* The customer's open cart. */
const Error *cart_find_open(StoreView *view, const char *customer, Cart *cart);

/* Whether the customer has an order that is not this cart's: that may come while this call looks. */
const Error *cart_has_order_before(RpcCall *call, const Cart *cart, bool *has_order);

/* Goes on with an attachment from wherever it stands until the customer has the lines of the cart,
 * which is nobody's or the owner's (""). */
const Error *attach_cart(RpcCall *call, const char *name, const char *customer, const char *owner,
    MergeMode mode, MergeReport *report);

/* After attach_cart: nothing of a merge is left to do for this source. */
const Error *settle_merge(RpcCall *call, const char *name);

/* Goes on with a checkout from wherever it stands until the order is placed. */
const Error *finish_checkout(RpcCall *call, const char *cart);

/* NOT_FOUND ORDER_NOT_FOUND in the words that also hide an order from who may not see it. */
const Error *order_load(RpcCall *call, const char *name, Order *order);

/* Goes on with a credit from wherever it stands until all is given back. */
const Error *finish_credit(RpcCall *call, const char *order);

/* Handlers of OrderService that stand in files of their own. */
const Error *cancel_order(RpcCall *call, const void *request, void *reply);
const Error *return_lines(RpcCall *call, const void *request, void *reply);

/* Handlers of CartService that stand in files of their own. */
const Error *attach_customer(RpcCall *call, const void *request, void *reply);
const Error *create_handoff(RpcCall *call, const void *request, void *reply);
const Error *claim_handoff(RpcCall *call, const void *request, void *reply);
const Error *checkout(RpcCall *call, const void *request, void *reply);
const Error *set_fulfilment(RpcCall *call, const void *request, void *reply);
const Error *set_terms(RpcCall *call, const void *request, void *reply);
const Error *watch_cart(RpcCall *call, const void *request, void *reply);

/* What merged customers leave goes to whoever they are part of: by identity's events, and a job that
 * looks again. */
const Error *carts_follow_merge(RpcCall *call, const Event *event);
const Error *carts_sweep_merges(RpcCall *call);

/* The job: finishes merges, checkouts and credits that were left in the middle. */
const Error *finish_pending(RpcCall *call);

#endif
