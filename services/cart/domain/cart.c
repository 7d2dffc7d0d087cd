#include "services/cart/domain/cart.h"

#include "services/cart/domain/access.h"

#include "shared/base/money.h"
#include "shared/codec/types.h"

static const Error cart_closed = { ERROR_FAILED_PRECONDITION, "CART_CLOSED",
    "The cart takes no changes any more: it was ordered, or its lines went into another cart." };
static const Error cart_full = { ERROR_FAILED_PRECONDITION, "CART_FULL",
    "A cart holds at most 100 different variants." };
static const Error cart_empty = { ERROR_FAILED_PRECONDITION, "CART_EMPTY",
    "The cart has no lines: add something first." };
static const Error quantity_too_large = { ERROR_FAILED_PRECONDITION, "QUANTITY_TOO_LARGE",
    "A line holds at most 10,000 pieces, with those that are in the cart already." };
static const Error amount_too_large = { ERROR_FAILED_PRECONDITION, "AMOUNT_TOO_LARGE",
    "The cart would be worth more than can be counted: take fewer pieces." };
static const Error product_retired = { ERROR_FAILED_PRECONDITION, "PRODUCT_RETIRED",
    "The product is not for sale any more." };
static const Error price_missing = { ERROR_FAILED_PRECONDITION, "PRICE_MISSING",
    "The variant has no price in the cart's currency." };
static const Error variant_not_found = { ERROR_NOT_FOUND, "VARIANT_NOT_FOUND",
    "There is no such variant in the catalogue." };
static const Error line_not_found = { ERROR_NOT_FOUND, "LINE_NOT_FOUND",
    "The cart has no line of this variant." };
static const Error promotions_full = { ERROR_FAILED_PRECONDITION, "PROMOTIONS_FULL",
    "A cart holds at most 10 promotion codes." };
static const Error etag_stale = { ERROR_ABORTED, "ETAG_STALE",
    "The cart was changed meanwhile: load it again." };

void cart_open(Cart *cart, const char *name, const char *currency, const Actor *actor, Arena *arena)
{
    cart->name = arena_text(arena, name);
    cart->state = THROUGHLINE__CART__V1__CART__STATE__OPEN;
    cart->currency = arena_text(arena, currency);
    cart->open_channel = arena_text(arena, actor->channel);
    cart->create_time = timestamp_from_micros(arena, actor->now);
    cart->subtotal = money_message(arena, currency, 0);
    cart_touch(cart, actor, arena);
    if (actor_is_customer(actor)) {
        cart->customer = arena_text(arena, actor->name);
        cart->open_customer = cart->customer;
        return;
    }
    cart_let_in(cart, actor, arena);
}

const Error *cart_check_open(const Cart *cart, Arena *arena)
{
    if (cart->state == THROUGHLINE__CART__V1__CART__STATE__OPEN)
        return NULL;
    if (!text_is_empty(cart->order))
        return error_with_fact(arena, &cart_closed, "order", cart->order);
    return error_with_fact(arena, &cart_closed, "merged_into", cart->merged_into);
}

const Error *cart_check_etag(const Cart *cart, const char *etag)
{
    return text_is_empty(etag) || text_equal(etag, cart->etag) ? NULL : &etag_stale;
}

const char *cart_content_etag(const Cart *cart)
{
    return text_is_empty(cart->content_etag) ? cart->etag : cart->content_etag;
}

static void touch(Cart *cart, const Actor *actor, Arena *arena)
{
    cart->last_channel = arena_text(arena, actor->channel);
    cart->update_time = timestamp_from_micros(arena, actor->now);
}

void cart_touch(Cart *cart, const Actor *actor, Arena *arena)
{
    touch(cart, actor, arena);
    cart->content_etag = arena_text(arena, "");
}

void cart_touch_people(Cart *cart, const Actor *actor, Arena *arena)
{
    touch(cart, actor, arena);
    cart->content_etag = arena_text(arena, cart_content_etag(cart));
}

char *pending_key(const char *name, int64_t now, Arena *arena)
{
    return arena_printf(arena, "%019lld %s", (long long)now, name);
}

PendingWork *cart_pending(const Cart *cart, int64_t now, Arena *arena)
{
    PendingWork *work = arena_alloc(arena, sizeof(*work));

    throughline__cart__v1__pending_work__init(work);
    work->key = pending_key(cart->name, now, arena);
    return work;
}

size_t cart_line_index(const Cart *cart, const char *sku)
{
    size_t i = 0;

    while (i < cart->n_lines && !text_equal(cart->lines[i]->sku, sku))
        i++;
    return i;
}

void cart_append_line(Cart *cart, CartLine *line, Arena *arena)
{
    cart->lines =
        arena_grow(arena, cart->lines, cart->n_lines, cart->n_lines + 1, sizeof(CartLine *));
    cart->lines[cart->n_lines++] = line;
}

const Error *cart_add_up(Cart *cart, Arena *arena)
{
    int64_t subtotal = 0;

    for (size_t i = 0; i < cart->n_lines; i++) {
        int64_t unit_price, amount;

        if (!money_minor(cart->lines[i]->unit_price, &unit_price) ||
            !money_multiply(unit_price, cart->lines[i]->quantity, &amount) ||
            !money_add(subtotal, amount, &subtotal))
            return &amount_too_large;
    }
    cart->subtotal = money_message(arena, cart->currency, subtotal);
    return NULL;
}

static const Variant *find_variant(const Product *product, const char *sku)
{
    for (size_t i = 0; i < product->n_variants; i++)
        if (text_equal(product->variants[i]->sku, sku))
            return product->variants[i];
    return NULL;
}

/* False when it has no price in this currency. */
static bool find_price(const Variant *variant, const char *currency, int64_t *minor)
{
    for (size_t i = 0; i < variant->n_prices; i++) {
        const Google__Type__Money *amount = variant->prices[i]->amount;

        if (amount && text_equal(amount->currency_code, currency))
            return money_minor(amount, minor);
    }
    return false;
}

static void describe_line(CartLine *line, const Product *product, const Variant *variant,
    const Actor *actor, Arena *arena)
{
    line->product = arena_text(arena, product->name);
    line->title = text_is_empty(variant->title)
                      ? arena_text(arena, product->title)
                      : arena_printf(arena, "%s, %s", product->title, variant->title);
    line->actor = arena_text(arena, actor->name);
    line->channel = arena_text(arena, actor->channel);
}

/* The variant's line, new and empty when there was none; NULL when the cart is full. */
static CartLine *line_for(Cart *cart, const char *sku, Arena *arena)
{
    size_t i = cart_line_index(cart, sku);
    CartLine *line;

    if (i < cart->n_lines)
        return cart->lines[i];
    if (cart->n_lines == CART_MAX_LINES)
        return NULL;
    line = arena_alloc(arena, sizeof(*line));
    throughline__cart__v1__cart_line__init(line);
    line->sku = arena_text(arena, sku);
    cart_append_line(cart, line, arena);
    return line;
}

const Error *cart_add_line(Cart *cart, const Product *product, const char *sku, int32_t quantity,
    const Actor *actor, Arena *arena, LineAdded *event)
{
    const Variant *variant = find_variant(product, sku);
    CartLine *line;
    int64_t unit_price;
    const Error *error;

    if ((error = cart_check_open(cart, arena)))
        return error;
    if (!variant)
        return &variant_not_found;
    if (product->state != THROUGHLINE__CATALOG__V1__PRODUCT__STATE__ACTIVE)
        return &product_retired;
    if (!find_price(variant, cart->currency, &unit_price))
        return &price_missing;
    if (!(line = line_for(cart, sku, arena)))
        return &cart_full;
    if (line->quantity > CART_MAX_QUANTITY - quantity)
        return &quantity_too_large;
    line->quantity += quantity;
    line->unit_price = money_message(arena, cart->currency, unit_price);
    describe_line(line, product, variant, actor, arena);
    if ((error = cart_add_up(cart, arena)))
        return error;
    cart_touch(cart, actor, arena);
    event->sku = line->sku;
    event->quantity = quantity;
    event->cart = cart;
    return NULL;
}

static void take_line(Cart *cart, size_t index)
{
    for (cart->n_lines--; index < cart->n_lines; index++)
        cart->lines[index] = cart->lines[index + 1];
}

const Error *cart_change_line(Cart *cart, const char *sku, int32_t quantity, const Actor *actor,
    Arena *arena, LineChanged *event)
{
    size_t i = cart_line_index(cart, sku);
    const Error *error;

    if ((error = cart_check_open(cart, arena)))
        return error;
    if (i == cart->n_lines)
        return &line_not_found;
    if (cart->lines[i]->quantity == quantity)
        return NULL;
    event->old_quantity = cart->lines[i]->quantity;
    event->new_quantity = quantity;
    event->sku = cart->lines[i]->sku;
    cart->lines[i]->quantity = quantity;
    cart->lines[i]->actor = arena_text(arena, actor->name);
    cart->lines[i]->channel = arena_text(arena, actor->channel);
    if (!quantity)
        take_line(cart, i);
    if ((error = cart_add_up(cart, arena)))
        return error;
    cart_touch(cart, actor, arena);
    event->cart = cart;
    return NULL;
}

const Error *cart_remove_line(
    Cart *cart, const char *sku, const Actor *actor, Arena *arena, LineRemoved *event)
{
    size_t i = cart_line_index(cart, sku);
    const Error *error;

    if ((error = cart_check_open(cart, arena)))
        return error;
    if (i == cart->n_lines)
        return &line_not_found;
    event->sku = cart->lines[i]->sku;
    take_line(cart, i);
    if ((error = cart_add_up(cart, arena)))
        return error;
    cart_touch(cart, actor, arena);
    event->cart = cart;
    return NULL;
}

const Error *cart_check_lines(const Cart *cart)
{
    return cart->n_lines ? NULL : &cart_empty;
}

static size_t code_index(const Cart *cart, const char *code)
{
    size_t i = 0;

    while (i < cart->n_codes && !text_equal(cart->codes[i], code))
        i++;
    return i;
}

bool cart_has_code(const Cart *cart, const char *code)
{
    return code_index(cart, code) < cart->n_codes;
}

void cart_append_code(Cart *cart, const char *code, Arena *arena)
{
    cart->codes = arena_grow(arena, cart->codes, cart->n_codes, cart->n_codes + 1, sizeof(char *));
    cart->codes[cart->n_codes++] = arena_text(arena, code);
}

const Error *cart_add_code(
    Cart *cart, const char *code, const Actor *actor, Arena *arena, PromotionAdded *event)
{
    const Error *error;

    if ((error = cart_check_open(cart, arena)))
        return error;
    if (cart_has_code(cart, code))
        return NULL;
    if (cart->n_codes == CART_MAX_CODES)
        return &promotions_full;
    cart_append_code(cart, code, arena);
    cart_touch(cart, actor, arena);
    event->code = arena_text(arena, code);
    event->cart = cart;
    return NULL;
}

const Error *cart_remove_code(
    Cart *cart, const char *code, const Actor *actor, Arena *arena, PromotionRemoved *event)
{
    size_t i = code_index(cart, code);
    const Error *error;

    if ((error = cart_check_open(cart, arena)))
        return error;
    if (i == cart->n_codes)
        return NULL;
    for (cart->n_codes--; i < cart->n_codes; i++)
        cart->codes[i] = cart->codes[i + 1];
    cart_touch(cart, actor, arena);
    event->code = arena_text(arena, code);
    event->cart = cart;
    return NULL;
}
