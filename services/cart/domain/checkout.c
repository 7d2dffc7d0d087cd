#include "services/cart/domain/checkout.h"

#include "services/cart/domain/terms.h"
#include "shared/base/id.h"
#include "shared/base/money.h"
#include "shared/codec/types.h"

#include <assert.h>
#include <string.h>

typedef Throughline__Catalog__V1__ReserveLine ReserveLine;

/* What the catalogue reserves at once. */
enum { CHECKOUT_MAX_PIECES = CART_MAX_LINES };

static const Error customer_missing = { ERROR_FAILED_PRECONDITION, "CUSTOMER_MISSING",
    "The cart has no customer: attach one first." };
static const Error quote_other_cart = { ERROR_FAILED_PRECONDITION, "QUOTE_OTHER_CART",
    "The quote was given for another cart: ask for one with QuoteCart." };
static const Error quote_expired = { ERROR_FAILED_PRECONDITION, "QUOTE_EXPIRED",
    "The quote has expired: ask for a new one." };
const Error quote_outdated = { ERROR_FAILED_PRECONDITION, "QUOTE_OUTDATED",
    "The quote is not for the cart as it is now: ask for a new one." };
static const Error quote_inconsistent = { ERROR_INTERNAL, "QUOTE_INCONSISTENT",
    "The quote's amounts do not add up." };
static const Error cart_ordered = { ERROR_FAILED_PRECONDITION, "CART_CLOSED",
    "The cart was ordered with another quote." };

bool amount_in(const char *currency, const Google__Type__Money *money, int64_t *minor)
{
    return money && text_equal(money->currency_code, currency) && money_minor(money, minor);
}

bool line_discount(const char *currency, const PricedLine *line, int64_t *minor)
{
    int64_t sum = 0;

    for (size_t i = 0; i < line->n_adjustments; i++) {
        int64_t amount;

        if (!amount_in(currency, line->adjustments[i]->amount, &amount) ||
            !money_add(sum, amount, &sum))
            return false;
    }
    *minor = sum;
    return true;
}

bool line_tax_on_top(const char *currency, const PricedLine *line, int64_t *minor)
{
    *minor = 0;
    return !line->tax_on_top || amount_in(currency, line->tax_on_top, minor);
}

size_t quote_parts(const Quote *quote)
{
    return quote->n_lines + (quote->shipping != NULL);
}

PricedLine quote_part(const Quote *quote, size_t index)
{
    PricedLine line = THROUGHLINE__CATALOG__V1__PRICED_LINE__INIT;

    if (index < quote->n_lines)
        return *quote->lines[index];
    line.title = quote->shipping->method;
    line.quantity = 1;
    line.unit_price = quote->shipping->list_total;
    line.list_total = quote->shipping->list_total;
    line.n_adjustments = quote->shipping->n_adjustments;
    line.adjustments = quote->shipping->adjustments;
    line.total = quote->shipping->total;
    line.tax_total = quote->shipping->tax_total;
    line.tax_on_top = quote->shipping->tax_on_top;
    line.n_taxes = quote->shipping->n_taxes;
    line.taxes = quote->shipping->taxes;
    return line;
}

static bool prices_these_lines(const Quote *quote, const Cart *cart)
{
    if (quote->n_lines != cart->n_lines || !text_equal(quote->currency, cart->currency))
        return false;
    for (size_t i = 0; i < cart->n_lines; i++)
        if (!text_equal(quote->lines[i]->sku, cart->lines[i]->sku) ||
            quote->lines[i]->quantity != cart->lines[i]->quantity)
            return false;
    return true;
}

const Error *checkout_check(
    const Cart *cart, const Quote *quote, bool has_ordered, int64_t now, Arena *arena)
{
    bool is_for_anybody = text_is_empty(quote->customer);
    bool is_first_order = quote->context && quote->context->is_first_order;

    if (text_is_empty(cart->customer))
        return &customer_missing;
    if (!text_equal(quote->cart, cart->name))
        return &quote_other_cart;
    if (now >= timestamp_to_micros(quote->expire_time))
        return &quote_expired;
    /* Who may ask for quotes can have one made for this cart and version with other content. */
    if (!text_equal(quote->cart_etag, cart_content_etag(cart)) ||
        (!is_for_anybody && !text_equal(quote->customer, cart->customer)) ||
        (is_first_order && has_ordered) || !prices_these_lines(quote, cart) ||
        !cart_is_priced_for(cart, quote, arena))
        return &quote_outdated;
    return NULL;
}

bool checkout_is_same(const SignedQuote *a, const SignedQuote *b)
{
    return a && b && a->payload.len == b->payload.len &&
           !memcmp(a->payload.data, b->payload.data, a->payload.len);
}

const Error *checkout_other_quote(const Cart *cart, Arena *arena)
{
    return error_with_fact(arena, &cart_ordered, "order", cart->order);
}

void checkout_start(Cart *cart, const SignedQuote *signed_quote, const Actor *actor, Arena *arena,
    CheckoutStarted *event)
{
    PendingWork *work = cart_pending(cart, actor->now, arena);
    char id[ID_SIZE];

    id_from(arena_printf(arena, "order of %s", cart->name), id);
    work->signed_quote = (SignedQuote *)signed_quote;
    work->channel = arena_text(arena, actor->channel);
    work->actor = arena_text(arena, actor->name);
    work->start_time = timestamp_from_micros(arena, actor->now);
    cart_touch(cart, actor, arena);
    cart->state = THROUGHLINE__CART__V1__CART__STATE__CHECKING_OUT;
    cart->open_customer = arena_text(arena, "");
    cart->order = arena_printf(arena, "orders/%s", id);
    cart->pending = work;
    event->cart = cart;
}

/* The line of a SKU, a new one where there is none; NULL when there is no room. */
static ReserveLine *piece_line(ReserveRequest *request, char *sku, Arena *arena)
{
    ReserveLine *line;

    for (size_t i = 0; i < request->n_lines; i++)
        if (text_equal(request->lines[i]->sku, sku))
            return request->lines[i];
    if (request->n_lines == CHECKOUT_MAX_PIECES)
        return NULL;
    line = arena_alloc(arena, sizeof(*line));
    throughline__catalog__v1__reserve_line__init(line);
    line->sku = sku;
    request->lines[request->n_lines++] = line;
    return line;
}

void checkout_pieces(
    const Cart *cart, const Quote *quote, bool has_gifts, Arena *arena, ReserveRequest *request)
{
    const Fulfilment *fulfilment = cart->fulfilment;

    request->holder = cart->name;
    request->lines = arena_array(arena, CHECKOUT_MAX_PIECES, sizeof(ReserveLine *));
    request->n_lines = 0;
    for (size_t i = 0; i < cart->n_lines; i++)
        piece_line(request, cart->lines[i]->sku, arena)->quantity += cart->lines[i]->quantity;
    for (size_t i = 0; i < quote->n_gifts && has_gifts; i++) {
        ReserveLine *line = piece_line(request, quote->gifts[i]->sku, arena);

        if (line)
            line->quantity += quote->gifts[i]->quantity;
    }
    if (!fulfilment)
        return;
    request->purpose = fulfilment_is_pickup(fulfilment)
                           ? THROUGHLINE__CATALOG__V1__STOCK_PURPOSE__STOCK_PURPOSE_PICKUP
                           : THROUGHLINE__CATALOG__V1__STOCK_PURPOSE__STOCK_PURPOSE_SHIP;
    for (size_t i = 0; i < request->n_lines; i++)
        request->lines[i]->location = fulfilment->location;
}

bool checkout_takes_uses(const Quote *quote)
{
    size_t n_adjustments = quote->shipping ? quote->shipping->n_adjustments : 0;

    for (size_t i = 0; i < quote->n_lines; i++)
        n_adjustments += quote->lines[i]->n_adjustments;
    return n_adjustments + quote->n_gifts + quote->n_codes > 0;
}

void checkout_finish(Cart *cart, const Actor *actor, Arena *arena, CartOrdered *event)
{
    cart_touch(cart, actor, arena);
    cart->state = THROUGHLINE__CART__V1__CART__STATE__ORDERED;
    cart->pending = NULL;
    event->cart = cart;
}

/* One line of the bill; false when the quote's line does not add up. */
static bool charge_line(
    const char *currency, const PricedLine *line, Arena *arena, Charge *charge, int64_t *sum)
{
    int64_t list, discount, on_top, amount;

    if (!amount_in(currency, line->list_total, &list) ||
        !line_discount(currency, line, &discount) || !line_tax_on_top(currency, line, &on_top) ||
        !amount_in(currency, line->total, &amount) || discount < 0 || on_top < 0 || amount < 0 ||
        list - discount != amount - on_top || !money_add(*sum, amount, sum))
        return false;
    throughline__cart__v1__charge__init(charge);
    charge->sku = line->sku;
    charge->title = line->title;
    charge->quantity = line->quantity;
    charge->list_amount = money_message(arena, currency, list);
    charge->discount_amount = money_message(arena, currency, discount);
    charge->amount = money_message(arena, currency, amount);
    charge->tax_amount = line->tax_total;
    charge->tax_on_top = line->tax_on_top;
    return true;
}

/* What costs nothing, and why. */
static Charge *charge_gift(const char *currency, const PricedGift *gift, Arena *arena)
{
    Charge *charge = arena_alloc(arena, sizeof(*charge));

    throughline__cart__v1__charge__init(charge);
    charge->sku = gift->sku;
    charge->title = gift->title;
    charge->quantity = gift->quantity;
    charge->list_amount = money_message(arena, currency, 0);
    charge->discount_amount = charge->list_amount;
    charge->amount = charge->list_amount;
    charge->promotion = gift->promotion;
    return charge;
}

static const Error *make_invoice(
    const Order *order, const Quote *quote, Arena *arena, Invoice *invoice)
{
    size_t n_parts = quote_parts(quote);
    int64_t sum = 0, total;

    throughline__cart__v1__invoice__init(invoice);
    invoice->name = arena_printf(arena, "invoices/%s", order->name + strlen("orders/"));
    invoice->order = order->name;
    invoice->customer = order->customer;
    invoice->issue_time = order->create_time;
    invoice->taxes = quote->taxes;
    invoice->n_taxes = quote->n_taxes;
    invoice->tax_total = quote->tax_total;
    invoice->n_charges = n_parts + quote->n_gifts;
    invoice->charges = arena_array(arena, invoice->n_charges, sizeof(Charge *));
    for (size_t i = 0; i < n_parts; i++) {
        PricedLine part = quote_part(quote, i);

        invoice->charges[i] = arena_alloc(arena, sizeof(Charge));
        if (!charge_line(quote->currency, &part, arena, invoice->charges[i], &sum))
            return &quote_inconsistent;
    }
    for (size_t i = 0; i < quote->n_gifts; i++)
        invoice->charges[n_parts + i] = charge_gift(quote->currency, quote->gifts[i], arena);
    if (!amount_in(quote->currency, quote->total, &total) || total != sum)
        return &quote_inconsistent;
    invoice->total = money_message(arena, quote->currency, sum);
    return NULL;
}

/* What every bill must keep: the sum of its charges is its total. */
static void assert_adds_up(const Invoice *invoice)
{
    int64_t sum = 0, amount, total;

    for (size_t i = 0; i < invoice->n_charges; i++) {
        bool is_good =
            money_minor(invoice->charges[i]->amount, &amount) && money_add(sum, amount, &sum);

        assert(is_good);
    }
    assert(money_minor(invoice->total, &total) && total == sum);
}

const Error *checkout_order(const Cart *cart, const Quote *quote, Arena *arena, Order *order)
{
    const PendingWork *work = cart->pending;
    const Error *error;

    assert(cart->state == THROUGHLINE__CART__V1__CART__STATE__CHECKING_OUT && work);
    order->name = cart->order;
    order->state = THROUGHLINE__CART__V1__ORDER__STATE__PLACED;
    order->cart = cart->name;
    order->customer = cart->customer;
    order->quote = (Quote *)quote;
    order->signed_quote = work->signed_quote;
    order->channel = work->channel;
    order->actor = work->actor;
    order->create_time = work->start_time;
    order->uses = work->uses;
    order->fulfilment = cart->fulfilment;
    order->stock = work->stock;
    order->pieces = work->pieces;
    order->n_pieces = work->n_pieces;
    order->lacks_pieces = work->lacks_pieces;
    order->invoice = arena_alloc(arena, sizeof(Invoice));
    if ((error = make_invoice(order, quote, arena, order->invoice)))
        return error;
    assert_adds_up(order->invoice);
    return NULL;
}
