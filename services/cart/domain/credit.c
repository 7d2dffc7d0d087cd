#include "services/cart/domain/credit.h"

#include "shared/base/money.h"
#include "shared/codec/message.h"
#include "shared/codec/types.h"

#include <assert.h>

typedef Throughline__Catalog__V1__TaxLine TaxLine;

static const Error etag_stale = { ERROR_ABORTED, "ETAG_STALE",
    "The order was changed meanwhile: load it again." };
static const Error order_returned = { ERROR_FAILED_PRECONDITION, "ORDER_RETURNED",
    "Pieces of the order have come back already: return the others as well." };
static const Error order_cancelled = { ERROR_FAILED_PRECONDITION, "ORDER_CANCELLED",
    "The order was cancelled: all of it is credited." };
static const Error returns_full = { ERROR_FAILED_PRECONDITION, "RETURNS_FULL",
    "An order takes at most 100 returns." };
static const Error charge_not_found = { ERROR_NOT_FOUND, "CHARGE_NOT_FOUND",
    "The order was not charged for this." };

/* Pieces of one charge of the bill that are being credited. */
typedef struct Credited {
    size_t index;
    int32_t before; /* pieces that were credited already */
    int32_t after;
} Credited;

const Error *order_check_etag(const Order *order, const char *etag)
{
    return text_is_empty(etag) || text_equal(etag, order->etag) ? NULL : &etag_stale;
}

const CreditNote *credit_find(const Order *order, const char *name)
{
    for (size_t i = 0; i < order->n_credit_notes; i++)
        if (text_equal(order->credit_notes[i]->name, name))
            return order->credit_notes[i];
    return NULL;
}

bool credit_frees_uses(const Order *order)
{
    return order->state == THROUGHLINE__CART__V1__ORDER__STATE__CANCELLED ||
           order->state == THROUGHLINE__CART__V1__ORDER__STATE__RETURNED;
}

static bool is_same_charge(const Charge *a, const char *sku, const char *promotion)
{
    return text_equal(a->sku, sku) && text_equal(a->promotion, promotion);
}

/* Pieces of a charge that all notes together credit. */
static int32_t credited_before(const Order *order, const Charge *charge)
{
    int32_t quantity = 0;

    for (size_t i = 0; i < order->n_credit_notes; i++) {
        const CreditNote *note = order->credit_notes[i];

        for (size_t k = 0; k < note->n_charges; k++)
            if (is_same_charge(note->charges[k], charge->sku, charge->promotion))
                quantity += note->charges[k]->quantity;
    }
    return quantity;
}

/* Amounts. */

static int64_t minor_of(const Google__Type__Money *money)
{
    int64_t minor = 0;

    if (money) {
        bool is_good = money_minor(money, &minor);

        assert(is_good && "what was billed is an amount");
    }
    return minor;
}

/* Parts of what fits fit. */
static int64_t plus(int64_t a, int64_t b)
{
    bool is_good = money_add(a, b, &a);

    assert(is_good);
    return a;
}

/* What of an amount falls on these pieces: the shares of all pieces are together the amount. */
static int64_t share(const Google__Type__Money *amount, const Credited *part, int32_t whole)
{
    int64_t minor = minor_of(amount), before = 0, after = 0;
    bool is_good = money_scale(minor, part->before, whole, &before) &&
                   money_scale(minor, part->after, whole, &after);

    assert(is_good);
    return after - before;
}

static const TaxLine *billed_tax(const Invoice *invoice, const char *rate)
{
    for (size_t i = 0; i < invoice->n_taxes; i++)
        if (text_equal(invoice->taxes[i]->rate, rate))
            return invoice->taxes[i];
    return NULL;
}

/* The note's line of a rate, a new one of nothing where there is none. */
static TaxLine *tax_line(const Order *order, const char *rate, Arena *arena, CreditNote *note)
{
    const TaxLine *billed = billed_tax(order->invoice, rate);
    TaxLine *line;

    for (size_t i = 0; i < note->n_taxes; i++)
        if (text_equal(note->taxes[i]->rate, rate))
            return note->taxes[i];
    line = message_new(arena, &throughline__catalog__v1__tax_line__descriptor);
    line->rate = arena_text(arena, rate);
    line->amount = money_message(arena, order->quote->currency, 0);
    if (billed) {
        line->title = billed->title;
        line->rate_millionths = billed->rate_millionths;
    }
    note->taxes =
        arena_grow(arena, note->taxes, note->n_taxes, note->n_taxes + 1, sizeof(TaxLine *));
    note->taxes[note->n_taxes++] = line;
    return line;
}

/* Taxes of the pieces, added to the note's; all of them together. */
static int64_t credit_taxes(
    const Order *order, const Credited *part, int32_t whole, Arena *arena, CreditNote *note)
{
    const char *currency = order->quote->currency;
    PricedLine line;
    int64_t sum = 0;

    if (part->index >= quote_parts(order->quote))
        return 0;
    line = quote_part(order->quote, part->index);
    for (size_t i = 0; i < line.n_taxes; i++) {
        TaxLine *tax = tax_line(order, line.taxes[i]->rate, arena, note);
        int64_t amount = share(line.taxes[i]->amount, part, whole);

        tax->amount = money_message(arena, currency, plus(minor_of(tax->amount), amount));
        sum = plus(sum, amount);
    }
    return sum;
}

static void credit_charge(const Order *order, const Credited *part, Arena *arena, CreditNote *note)
{
    const char *currency = order->quote->currency;
    const Charge *billed = order->invoice->charges[part->index];
    Charge *charge = message_new(arena, &throughline__cart__v1__charge__descriptor);
    int64_t amount = share(billed->amount, part, billed->quantity);
    int64_t discount = share(billed->discount_amount, part, billed->quantity);
    int64_t taxes = credit_taxes(order, part, billed->quantity, arena, note);
    /* Taxes are on top of a line's prices or in them: all or none. */
    int64_t on_top = billed->tax_on_top ? taxes : 0;

    charge->sku = billed->sku;
    charge->title = billed->title;
    charge->quantity = part->after - part->before;
    charge->promotion = billed->promotion;
    charge->amount = money_message(arena, currency, amount);
    charge->discount_amount = money_message(arena, currency, discount);
    /* What rounding leaves over shows in the one amount that nobody pays. */
    charge->list_amount = money_message(arena, currency, plus(plus(amount, discount), -on_top));
    if (billed->tax_amount)
        charge->tax_amount = money_message(arena, currency, taxes);
    if (billed->tax_on_top)
        charge->tax_on_top = money_message(arena, currency, on_top);
    note->charges[note->n_charges++] = charge;
    note->total = money_message(arena, currency, plus(minor_of(note->total), amount));
    if (billed->tax_amount)
        note->tax_total = money_message(arena, currency, plus(minor_of(note->tax_total), taxes));
}

/* Pieces. */

static void add_pieces(
    CreditNote *note, const char *sku, const char *location, int64_t quantity, Arena *arena)
{
    ReservedLine *line;

    for (size_t i = 0; i < note->n_pieces; i++)
        if (text_equal(note->pieces[i]->sku, sku) &&
            text_equal(note->pieces[i]->location, location)) {
            note->pieces[i]->quantity += quantity;
            return;
        }
    line = message_new(arena, &throughline__catalog__v1__reserved_line__descriptor);
    line->sku = arena_text(arena, sku);
    line->location = arena_text(arena, location);
    line->quantity = quantity;
    note->pieces =
        arena_grow(arena, note->pieces, note->n_pieces, note->n_pieces + 1, sizeof(ReservedLine *));
    note->pieces[note->n_pieces++] = line;
}

/* Pieces of a SKU that all notes and this one so far credit, whatever they were charged as. */
static int64_t pieces_before(const Order *order, const CreditNote *note, const char *sku)
{
    int64_t quantity = 0;

    for (size_t i = 0; i <= order->n_credit_notes; i++) {
        const CreditNote *other = i < order->n_credit_notes ? order->credit_notes[i] : note;

        for (size_t k = 0; k < other->n_charges; k++)
            if (text_equal(other->charges[k]->sku, sku))
                quantity += other->charges[k]->quantity;
    }
    return quantity;
}

/* The next pieces of a SKU in the order in which they were taken; what was never taken from stock
 * does not go there. */
static void put_back(const Order *order, const char *sku, int64_t quantity, const char *location,
    Arena *arena, CreditNote *note)
{
    int64_t passed = pieces_before(order, note, sku);

    for (size_t i = 0; i < order->n_pieces && quantity > 0; i++) {
        const ReservedLine *taken = order->pieces[i];
        int64_t left = taken->quantity, part;

        if (!text_equal(taken->sku, sku))
            continue;
        left -= passed < left ? passed : left;
        passed -= taken->quantity - left;
        part = left < quantity ? left : quantity;
        quantity -= part;
        if (part > 0)
            add_pieces(
                note, sku, text_is_empty(location) ? taken->location : location, part, arena);
    }
}

/* Notes. */

static CreditNote *new_note(
    const Order *order, const char *name, const char *reason, const Actor *actor, Arena *arena)
{
    CreditNote *note = message_new(arena, &throughline__cart__v1__credit_note__descriptor);

    note->name = arena_text(arena, name);
    note->order = order->name;
    note->invoice = order->invoice->name;
    note->customer = order->customer;
    note->reason = arena_text(arena, reason);
    note->charges = arena_array(arena, order->invoice->n_charges, sizeof(Charge *));
    note->total = money_message(arena, order->quote->currency, 0);
    note->issue_time = timestamp_from_micros(arena, actor->now);
    note->channel = arena_text(arena, actor->channel);
    note->actor = arena_text(arena, actor->name);
    return note;
}

static void add_note(Order *order, CreditNote *note, const Actor *actor, Arena *arena)
{
    order->credit_notes = arena_grow(arena, order->credit_notes, order->n_credit_notes,
        order->n_credit_notes + 1, sizeof(CreditNote *));
    order->credit_notes[order->n_credit_notes++] = note;
    order->pending = message_new(arena, &throughline__cart__v1__pending_credit__descriptor);
    order->pending->key = pending_key(order->name, actor->now, arena);
    order->pending->credit_note = note->name;
}

const Error *credit_cancel(Order *order, const char *name, const char *reason, const Actor *actor,
    Arena *arena, OrderCancelled *event)
{
    CreditNote *note;

    if (order->state != THROUGHLINE__CART__V1__ORDER__STATE__PLACED)
        return &order_returned;
    note = new_note(order, name, reason, actor, arena);
    for (size_t i = 0; i < order->invoice->n_charges; i++)
        credit_charge(order,
            &(Credited){ .index = i, .after = order->invoice->charges[i]->quantity }, arena, note);
    for (size_t i = 0; i < order->n_pieces; i++)
        add_pieces(note, order->pieces[i]->sku, order->pieces[i]->location,
            order->pieces[i]->quantity, arena);
    add_note(order, note, actor, arena);
    order->state = THROUGHLINE__CART__V1__ORDER__STATE__CANCELLED;
    event->order = order;
    event->credit_note = note;
    return NULL;
}

/* Which pieces of which charge a line means. */
static const Error *find_credited(const Order *order, const char *sku, const char *promotion,
    int32_t quantity, Arena *arena, Credited *part)
{
    const Invoice *invoice = order->invoice;
    int32_t left;

    part->index = 0;
    while (part->index < invoice->n_charges &&
           !is_same_charge(invoice->charges[part->index], sku, promotion))
        part->index++;
    if (part->index == invoice->n_charges)
        return error_with_fact(arena, &charge_not_found, "sku", sku);
    part->before = credited_before(order, invoice->charges[part->index]);
    left = invoice->charges[part->index]->quantity - part->before;
    if (quantity <= left) {
        part->after = part->before + quantity;
        return NULL;
    }
    return error_with_fact(arena,
        error_with_fact(arena,
            error_with_fact(arena,
                error_new(arena, ERROR_FAILED_PRECONDITION, "RETURN_TOO_LARGE",
                    "%d pieces were to be returned, but %d are left.", quantity, left),
                "sku", sku),
            "asked", arena_printf(arena, "%d", quantity)),
        "left", arena_printf(arena, "%d", left));
}

/* Whether every line that was bought has come back; shipping and gifts do not count. */
static bool has_all_lines(const Order *order)
{
    for (size_t i = 0; i < order->quote->n_lines; i++) {
        const Charge *charge = order->invoice->charges[i];

        if (credited_before(order, charge) < charge->quantity)
            return false;
    }
    return true;
}

const Error *credit_return(Order *order, const char *name, const ReturnLinesRequest *request,
    const Actor *actor, Arena *arena, LinesReturned *event)
{
    CreditNote *note = new_note(order, name, request->reason, actor, arena);
    const Error *error;
    Credited part;

    if (order->state == THROUGHLINE__CART__V1__ORDER__STATE__CANCELLED)
        return &order_cancelled;
    if (order->n_credit_notes == ORDER_MAX_CREDIT_NOTES)
        return &returns_full;
    for (size_t i = 0; i < request->n_lines; i++) {
        const ReturnedLine *line = request->lines[i];

        if ((error =
                    find_credited(order, line->sku, line->promotion, line->quantity, arena, &part)))
            return error;
        if (!line->is_damaged)
            put_back(order, line->sku, line->quantity, request->location, arena, note);
        credit_charge(order, &part, arena, note);
    }
    if (request->credits_shipping) {
        if ((error = find_credited(order, "", "", 1, arena, &part)))
            return error;
        credit_charge(order, &part, arena, note);
    }
    add_note(order, note, actor, arena);
    order->state = has_all_lines(order) ? THROUGHLINE__CART__V1__ORDER__STATE__RETURNED
                                        : THROUGHLINE__CART__V1__ORDER__STATE__PARTLY_RETURNED;
    event->order = order;
    event->credit_note = note;
    return NULL;
}
