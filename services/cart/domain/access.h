/* Who may see and change a cart or an order, and who comes into a cart: holders and agents. To
 * everybody else carts and orders do not exist. */
#ifndef THROUGHLINE_CART_ACCESS_H
#define THROUGHLINE_CART_ACCESS_H

#include "services/cart/domain/cart.h"

#include "throughline/cart/v1/order.pb-c.h"

typedef Throughline__Cart__V1__Participant Participant;
typedef Throughline__Cart__V1__Order Order;
typedef Throughline__Cart__V1__AgentJoined AgentJoined;
typedef Throughline__Cart__V1__AgentLeft AgentLeft;
typedef Throughline__Cart__V1__HandoffClaimed HandoffClaimed;

enum { CART_MAX_PARTICIPANTS = 20, CART_MAX_HOLDERS = 20 };

extern const Error cart_not_found;
extern const Error order_not_found;

bool actor_is_agent(const Actor *actor);
bool actor_is_customer(const Actor *actor);

/* FAILED_PRECONDITION NOT_AN_AGENT. */
const Error *actor_check_agent(const Actor *actor);

bool cart_may_change(const Cart *cart, const Actor *actor);
bool cart_may_read(const Cart *cart, const Actor *actor);

/* NULL, or NOT_FOUND CART_NOT_FOUND. */
const Error *cart_check_change(const Cart *cart, const Actor *actor);
const Error *cart_check_read(const Cart *cart, const Actor *actor);

/* The customer, an agent on their behalf, a service. */
bool order_may_read(const char *customer, const Actor *actor);

/* Who bought it, in whose name it is billed. */
const char *order_buyer(const Order *order);

/* NULL for whoever may attach this customer: those who may change the cart, and the customer. */
const Error *cart_check_attach(const Cart *cart, const Actor *actor, const char *customer);

/* The agent comes in. event->cart stays NULL when they were there. Errors: FAILED_PRECONDITION
 * NOT_AN_AGENT, CART_CLOSED, CART_CROWDED; NOT_FOUND CART_NOT_FOUND (on another's behalf). */
const Error *cart_join(Cart *cart, const Actor *actor, Arena *arena, AgentJoined *event);

/* Errors: NOT_FOUND CART_NOT_FOUND. */
const Error *cart_leave(Cart *cart, const Actor *actor, Arena *arena, AgentLeft *event);

/* Whoever showed the code comes in: an agent as participant, others as holder. Errors:
 * FAILED_PRECONDITION CART_CLOSED, CART_CROWDED. */
const Error *cart_claim(Cart *cart, const Actor *actor, Arena *arena, HandoffClaimed *event);

/* The one who opens a cart without a customer comes in the same way. */
void cart_let_in(Cart *cart, const Actor *actor, Arena *arena);

#endif
