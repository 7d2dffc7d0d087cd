#include "services/cart/domain/merge.h"

#include <assert.h>

typedef Throughline__Cart__V1__AttachCustomerResponse__LineOutcome__Action Action;

static const Action added =
    THROUGHLINE__CART__V1__ATTACH_CUSTOMER_RESPONSE__LINE_OUTCOME__ACTION__ADDED;
static const Action changed =
    THROUGHLINE__CART__V1__ATTACH_CUSTOMER_RESPONSE__LINE_OUTCOME__ACTION__CHANGED;
static const Action kept =
    THROUGHLINE__CART__V1__ATTACH_CUSTOMER_RESPONSE__LINE_OUTCOME__ACTION__KEPT;
static const Action dropped =
    THROUGHLINE__CART__V1__ATTACH_CUSTOMER_RESPONSE__LINE_OUTCOME__ACTION__DROPPED;

static const Error cart_has_customer = { ERROR_FAILED_PRECONDITION, "CART_HAS_CUSTOMER",
    "The cart belongs to another customer already." };
static const Error currency_mismatch = { ERROR_FAILED_PRECONDITION, "CURRENCY_MISMATCH",
    "The customer's open cart has another currency: check it out or empty it first." };

const Error *merge_check_source(
    const Cart *source, const char *customer, const char *owner, Arena *arena)
{
    if (!text_equal(source->customer, owner) && !text_equal(source->customer, customer))
        return &cart_has_customer;
    if (source->state == THROUGHLINE__CART__V1__CART__STATE__MERGED)
        return NULL;
    return cart_check_open(source, arena);
}

const Error *merge_check_currency(const Cart *source, const Cart *target)
{
    return text_equal(source->currency, target->currency) ? NULL : &currency_mismatch;
}

void merge_attach(
    Cart *source, const char *customer, const Actor *actor, Arena *arena, CustomerAttached *event)
{
    cart_touch(source, actor, arena);
    source->state = THROUGHLINE__CART__V1__CART__STATE__OPEN;
    source->customer = arena_text(arena, customer);
    source->open_customer = source->customer;
    source->merged_into = arena_text(arena, "");
    source->pending = NULL;
    source->n_holders = 0;
    event->cart = source;
}

void merge_close(Cart *source, const Cart *target, MergeMode mode, const Actor *actor, Arena *arena,
    CartClosedByMerge *event)
{
    cart_touch(source, actor, arena);
    source->state = THROUGHLINE__CART__V1__CART__STATE__MERGED;
    source->customer = target->customer;
    source->open_customer = arena_text(arena, "");
    source->merged_into = target->name;
    source->pending = cart_pending(source, actor->now, arena);
    source->pending->mode = mode;
    event->cart = source;
}

void merge_undo(Cart *source, const char *owner, const Actor *actor, Arena *arena,
    Throughline__Cart__V1__CartOpened *event)
{
    cart_touch(source, actor, arena);
    source->state = THROUGHLINE__CART__V1__CART__STATE__OPEN;
    source->customer = source->open_customer = arena_text(arena, owner);
    source->merged_into = arena_text(arena, "");
    source->pending = NULL;
    event->cart = source;
}

bool merge_is_done(const Cart *source, const Cart *target)
{
    if (!source->pending)
        return true;
    for (size_t i = 0; i < target->n_merged_from; i++)
        if (text_equal(target->merged_from[i], source->name))
            return true;
    return false;
}

static int32_t joined_quantity(MergeMode mode, int32_t guest, int32_t own)
{
    switch (mode) {
    case THROUGHLINE__CART__V1__ATTACH_CUSTOMER_REQUEST__MODE__GUEST_WINS:
        return guest;
    case THROUGHLINE__CART__V1__ATTACH_CUSTOMER_REQUEST__MODE__CUSTOMER_WINS:
        return own;
    case THROUGHLINE__CART__V1__ATTACH_CUSTOMER_REQUEST__MODE__MAX:
        return guest > own ? guest : own;
    default:
        return guest > CART_MAX_QUANTITY - own ? CART_MAX_QUANTITY : guest + own;
    }
}

/* False when there is no room, or the cart would be worth too much. */
static bool take_new_line(Cart *target, const CartLine *guest, Arena *arena)
{
    CartLine *line;

    if (target->n_lines == CART_MAX_LINES)
        return false;
    line = arena_copy(arena, guest, sizeof(*guest));
    cart_append_line(target, line, arena);
    if (!cart_add_up(target, arena))
        return true;
    target->n_lines--;
    return false;
}

/* The guest's line is the later one: its price and title come along. */
static bool take_quantity(
    Cart *target, size_t index, const CartLine *guest, int32_t quantity, Arena *arena)
{
    CartLine *before = target->lines[index];
    CartLine *line = arena_copy(arena, guest, sizeof(*guest));

    if (quantity == before->quantity)
        return false;
    line->quantity = quantity;
    target->lines[index] = line;
    if (!cart_add_up(target, arena))
        return true;
    target->lines[index] = before;
    return false;
}

static LineOutcome *merge_line(Cart *target, const CartLine *guest, MergeMode mode, Arena *arena)
{
    LineOutcome *outcome = arena_alloc(arena, sizeof(*outcome));
    size_t index = cart_line_index(target, guest->sku);
    int32_t own, quantity;

    throughline__cart__v1__attach_customer_response__line_outcome__init(outcome);
    outcome->sku = guest->sku;
    if (index == target->n_lines) {
        bool is_taken = take_new_line(target, guest, arena);

        outcome->action = is_taken ? added : dropped;
        outcome->new_quantity = is_taken ? guest->quantity : 0;
        return outcome;
    }
    own = target->lines[index]->quantity;
    quantity = joined_quantity(mode, guest->quantity, own);
    outcome->action = take_quantity(target, index, guest, quantity, arena) ? changed : kept;
    outcome->old_quantity = own;
    outcome->new_quantity = target->lines[index]->quantity;
    return outcome;
}

/* Codes beyond the limit stay behind: the customer's own come first. */
static void take_codes(const Cart *source, Cart *target, Arena *arena)
{
    for (size_t i = 0; i < source->n_codes && target->n_codes < CART_MAX_CODES; i++)
        if (!cart_has_code(target, source->codes[i]))
            cart_append_code(target, source->codes[i], arena);
}

void merge_take(const Cart *source, Cart *target, MergeMode mode, const Actor *actor, Arena *arena,
    MergeReport *report, CartMerged *event)
{
    const Error *error;

    report->n_outcomes = source->n_lines;
    report->outcomes = arena_array(arena, source->n_lines, sizeof(LineOutcome *));
    for (size_t i = 0; i < source->n_lines; i++)
        report->outcomes[i] = merge_line(target, source->lines[i], mode, arena);
    /* Lines that were taken back leave the subtotal of before in place only if it is made anew. */
    error = cart_add_up(target, arena);
    assert(!error && "what fitted line by line fits together");
    (void)error;
    take_codes(source, target, arena);
    /* What the customer's own cart says of where it goes and of its terms counts. */
    if (!target->fulfilment)
        target->fulfilment = source->fulfilment;
    if (!target->terms)
        target->terms = source->terms;
    assert(target->n_merged_from < CART_MAX_MERGED_FROM);
    target->merged_from = arena_grow(arena, target->merged_from, target->n_merged_from,
        target->n_merged_from + 1, sizeof(char *));
    target->merged_from[target->n_merged_from++] = source->name;
    cart_touch(target, actor, arena);
    report->cart = target;
    event->source = source->name;
    event->cart = target;
}
