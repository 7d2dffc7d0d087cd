/* Carts: opening, lines, promotion codes, and what they come to. The rules change the cart and fill
 * the event that says what happened; an event's `cart` stays NULL when nothing did. */
#ifndef THROUGHLINE_CART_CART_H
#define THROUGHLINE_CART_CART_H

#include "shared/base/arena.h"
#include "shared/base/error.h"
#include "shared/base/text.h"

#include "throughline/cart/v1/cart.pb-c.h"
#include "throughline/cart/v1/events.pb-c.h"
#include "throughline/catalog/v1/product.pb-c.h"

typedef Throughline__Cart__V1__Cart Cart;
typedef Throughline__Cart__V1__CartLine CartLine;
typedef Throughline__Cart__V1__PendingWork PendingWork;
typedef Throughline__Catalog__V1__Product Product;
typedef Throughline__Catalog__V1__Variant Variant;
typedef Throughline__Cart__V1__LineAdded LineAdded;
typedef Throughline__Cart__V1__LineChanged LineChanged;
typedef Throughline__Cart__V1__LineRemoved LineRemoved;
typedef Throughline__Cart__V1__PromotionAdded PromotionAdded;
typedef Throughline__Cart__V1__PromotionRemoved PromotionRemoved;

enum { CART_MAX_LINES = 100, CART_MAX_QUANTITY = 10000, CART_MAX_CODES = 10 };

/* Who does something, in whose name, where and when. */
typedef struct Actor {
    const char *name;         /* "customers/…", "agents/…", "anonymous/…", "services/…" */
    const char *on_behalf_of; /* "customers/…" or "" */
    const char *channel;
    bool is_service; /* a service's own account */
    int64_t now;     /* microseconds since 1970 */
} Actor;

/* Fills an initialised cart: the actor's own when they are a customer, else one they hold. */
void cart_open(
    Cart *cart, const char *name, const char *currency, const Actor *actor, Arena *arena);

/* FAILED_PRECONDITION CART_CLOSED, with the fact "order" or "merged_into". */
const Error *cart_check_open(const Cart *cart, Arena *arena);

/* ABORTED ETAG_STALE unless `etag` is "" or the cart's. */
const Error *cart_check_etag(const Cart *cart, const char *etag);

/* The version that a quote of this cart is bound to. */
const char *cart_content_etag(const Cart *cart);

/* Puts the product's variant `sku` into the cart at the price it has now, or more of it. */
const Error *cart_add_line(Cart *cart, const Product *product, const char *sku, int32_t quantity,
    const Actor *actor, Arena *arena, LineAdded *event);

/* Sets a quantity; 0 takes the line out. */
const Error *cart_change_line(Cart *cart, const char *sku, int32_t quantity, const Actor *actor,
    Arena *arena, LineChanged *event);
const Error *cart_remove_line(
    Cart *cart, const char *sku, const Actor *actor, Arena *arena, LineRemoved *event);

/* FAILED_PRECONDITION CART_EMPTY. */
const Error *cart_check_lines(const Cart *cart);

bool cart_has_code(const Cart *cart, const char *code);
const Error *cart_add_code(
    Cart *cart, const char *code, const Actor *actor, Arena *arena, PromotionAdded *event);
const Error *cart_remove_code(
    Cart *cart, const char *code, const Actor *actor, Arena *arena, PromotionRemoved *event);

/* For the rules beside this file. The line's place, n_lines when there is none. */
size_t cart_line_index(const Cart *cart, const char *sku);
/* Appends; the caller has looked for room. */
void cart_append_line(Cart *cart, CartLine *line, Arena *arena);
void cart_append_code(Cart *cart, const char *code, Arena *arena);
/* Sets the subtotal; FAILED_PRECONDITION AMOUNT_TOO_LARGE when it does not fit. */
const Error *cart_add_up(Cart *cart, Arena *arena);
/* Notes who changed it and when: something that is priced, or only people. */
void cart_touch(Cart *cart, const Actor *actor, Arena *arena);
void cart_touch_people(Cart *cart, const Actor *actor, Arena *arena);
/* Of work that begins now on the document of this name: orders by time, and is its own. */
char *pending_key(const char *name, int64_t now, Arena *arena);
PendingWork *cart_pending(const Cart *cart, int64_t now, Arena *arena);

#endif
