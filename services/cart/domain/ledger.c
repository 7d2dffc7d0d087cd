#include "services/cart/domain/ledger.h"

#include "services/cart/domain/access.h"
#include "services/cart/domain/credit.h"
#include "shared/base/money.h"
#include "shared/codec/types.h"

typedef struct Audit {
    const Order *order;
    const char *currency;
    Findings *findings;
} Audit;

/* What is looked at: "lines[2].total" is { "lines", 2, "total" }; a place without a list is a
 * field of its own. Written out only when something is found. */
typedef struct Place {
    const char *list;
    size_t index;
    const char *field;
} Place;

static Place field(const char *name)
{
    return (Place){ .field = name };
}

static void found(Audit *audit, Place place, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void found(Audit *audit, Place place, const char *format, ...)
{
    Findings *findings = audit->findings;
    Arena *arena = findings->arena;
    Finding *finding;
    const char *what;
    va_list args;

    if (findings->n_items == LEDGER_MAX_FINDINGS)
        return;
    va_start(args, format);
    what = arena_vprintf(arena, format, args);
    va_end(args);
    finding = arena_alloc(arena, sizeof(*finding));
    throughline__cart__v1__verify_ledger_response__finding__init(finding);
    finding->order = arena_text(arena, audit->order->name);
    finding->description = place.list ? arena_printf(arena, "%s[%zu].%s: %s", place.list,
                                            place.index, place.field, what)
                                      : arena_printf(arena, "%s: %s", place.field, what);
    findings->items = arena_grow(
        arena, findings->items, findings->n_items, findings->n_items + 1, sizeof(Finding *));
    findings->items[findings->n_items++] = finding;
}

/* Minor units; an amount that is absent, of another currency or unfit is itself a finding. */
static int64_t read_amount(Audit *audit, Place place, const Google__Type__Money *money)
{
    int64_t minor = 0;

    if (!amount_in(audit->currency, money, &minor))
        found(audit, place, "not an amount in %s", audit->currency);
    return minor;
}

static void same_minor(Audit *audit, Place place, int64_t is, const char *what, int64_t ought)
{
    char left[MONEY_TEXT_SIZE], right[MONEY_TEXT_SIZE];

    if (is != ought)
        found(audit, place, "is %s, but %s is %s", money_format(audit->currency, is, left), what,
            money_format(audit->currency, ought, right));
}

static void same_amount(
    Audit *audit, Place place, const Google__Type__Money *is, const Google__Type__Money *promised)
{
    same_minor(audit, place, read_amount(audit, place, is), "the promise",
        read_amount(audit, place, promised));
}

/* The same for amounts that are absent when there is nothing. */
static int64_t read_optional(Audit *audit, Place place, const Google__Type__Money *money)
{
    return money ? read_amount(audit, place, money) : 0;
}

static void same_optional(
    Audit *audit, Place place, const Google__Type__Money *is, const Google__Type__Money *promised)
{
    same_minor(audit, place, read_optional(audit, place, is), "the promise",
        read_optional(audit, place, promised));
}

static void same_text(Audit *audit, Place place, const char *is, const char *ought)
{
    if (!text_equal(is, ought))
        found(audit, place, "is \"%s\", but should be \"%s\"", is, ought);
}

static void same_count(Audit *audit, Place place, long long is, long long ought)
{
    if (is != ought)
        found(audit, place, "is %lld, but should be %lld", is, ought);
}

/* A sum that saturates where it does not fit: it then differs from any total. */
static int64_t plus(int64_t a, int64_t b)
{
    int64_t sum;

    return money_add(a, b, &sum) ? sum : INT64_MAX;
}

static int64_t discount_of(Audit *audit, Place place, const PricedLine *line)
{
    int64_t minor = 0;

    if (!line_discount(audit->currency, line, &minor))
        found(audit, place, "adjustments are not amounts in %s", audit->currency);
    return minor;
}

static void compare_line(Audit *audit, size_t i, const PricedLine *is, const PricedLine *promised)
{
    static const char list[] = "quote.lines";
    Place adjustments = { list, i, "adjustments" };
    size_t n = is->n_adjustments;

    same_text(audit, (Place){ list, i, "sku" }, is->sku, promised->sku);
    same_count(audit, (Place){ list, i, "quantity" }, is->quantity, promised->quantity);
    same_amount(audit, (Place){ list, i, "unit_price" }, is->unit_price, promised->unit_price);
    same_amount(audit, (Place){ list, i, "list_total" }, is->list_total, promised->list_total);
    same_amount(audit, (Place){ list, i, "total" }, is->total, promised->total);
    same_optional(audit, (Place){ list, i, "tax_total" }, is->tax_total, promised->tax_total);
    same_optional(audit, (Place){ list, i, "tax_on_top" }, is->tax_on_top, promised->tax_on_top);
    same_count(audit, adjustments, (long long)n, (long long)promised->n_adjustments);
    for (size_t k = 0; k < n && k < promised->n_adjustments; k++)
        same_amount(
            audit, adjustments, is->adjustments[k]->amount, promised->adjustments[k]->amount);
}

static void compare_gifts(Audit *audit, const Quote *is, const Quote *promised)
{
    same_count(audit, field("quote.gifts"), (long long)is->n_gifts, (long long)promised->n_gifts);
    for (size_t i = 0; i < is->n_gifts && i < promised->n_gifts; i++) {
        static const char list[] = "quote.gifts";
        const PricedGift *gift = is->gifts[i], *ought = promised->gifts[i];

        same_text(audit, (Place){ list, i, "sku" }, gift->sku, ought->sku);
        same_text(audit, (Place){ list, i, "promotion" }, gift->promotion, ought->promotion);
        same_count(audit, (Place){ list, i, "quantity" }, gift->quantity, ought->quantity);
    }
}

/* The quote that the order shows is the one that was signed. */
static void compare_quotes(Audit *audit, const Quote *is, const Quote *promised)
{
    same_text(audit, field("quote.name"), is->name, promised->name);
    same_text(audit, field("quote.currency"), is->currency, promised->currency);
    same_text(audit, field("quote.cart"), is->cart, promised->cart);
    same_count(
        audit, field("quote.lines"), (long long)quote_parts(is), (long long)quote_parts(promised));
    for (size_t i = 0; i < quote_parts(is) && i < quote_parts(promised); i++) {
        PricedLine line = quote_part(is, i), ought = quote_part(promised, i);

        compare_line(audit, i, &line, &ought);
    }
    compare_gifts(audit, is, promised);
    same_amount(audit, field("quote.list_total"), is->list_total, promised->list_total);
    same_amount(audit, field("quote.discount_total"), is->discount_total, promised->discount_total);
    same_amount(audit, field("quote.total"), is->total, promised->total);
    same_optional(audit, field("quote.tax_total"), is->tax_total, promised->tax_total);
}

/* Every sum of the promise is the sum of its parts. */
static void add_up_quote(Audit *audit, const Quote *promised)
{
    Place list_total = field("promise.list_total"), total = field("promise.total");
    Place discount_total = field("promise.discount_total");
    int64_t lists = 0, discounts = 0, totals = 0;

    for (size_t i = 0; i < quote_parts(promised); i++) {
        PricedLine line = quote_part(promised, i);
        Place at_list = { "promise.lines", i, "list_total" };
        Place at_total = { "promise.lines", i, "total" };
        int64_t unit = read_amount(audit, at_list, line.unit_price), product = INT64_MAX;
        int64_t list = read_amount(audit, at_list, line.list_total);
        int64_t amount = read_amount(audit, at_total, line.total);
        int64_t discount = discount_of(audit, at_total, &line);
        int64_t on_top = read_optional(audit, at_total, line.tax_on_top);

        money_multiply(unit, line.quantity, &product);
        same_minor(audit, at_list, list, "unit price times quantity", product);
        same_minor(audit, at_total, plus(list, on_top), "total and adjustments together",
            plus(amount, discount));
        lists = plus(lists, list);
        discounts = plus(discounts, discount);
        totals = plus(totals, amount);
    }
    same_minor(audit, list_total, read_amount(audit, list_total, promised->list_total),
        "the sum of lines", lists);
    same_minor(audit, discount_total, read_amount(audit, discount_total, promised->discount_total),
        "the sum of lines", discounts);
    same_minor(
        audit, total, read_amount(audit, total, promised->total), "the sum of lines", totals);
}

static void compare_charge(Audit *audit, size_t i, const Charge *charge, const PricedLine *line)
{
    static const char list[] = "invoice.charges";
    Place discount = { list, i, "discount_amount" };

    same_text(audit, (Place){ list, i, "sku" }, charge->sku, line->sku);
    same_count(audit, (Place){ list, i, "quantity" }, charge->quantity, line->quantity);
    same_amount(audit, (Place){ list, i, "list_amount" }, charge->list_amount, line->list_total);
    same_minor(audit, discount, read_amount(audit, discount, charge->discount_amount),
        "the promise", discount_of(audit, discount, line));
    same_amount(audit, (Place){ list, i, "amount" }, charge->amount, line->total);
    same_optional(audit, (Place){ list, i, "tax_amount" }, charge->tax_amount, line->tax_total);
    same_optional(audit, (Place){ list, i, "tax_on_top" }, charge->tax_on_top, line->tax_on_top);
}

/* A gift is on the bill as it was promised, for nothing. */
static void compare_gift(Audit *audit, size_t i, const Charge *charge, const PricedGift *gift)
{
    static const char list[] = "invoice.charges";

    same_text(audit, (Place){ list, i, "sku" }, charge->sku, gift->sku);
    same_text(audit, (Place){ list, i, "promotion" }, charge->promotion, gift->promotion);
    same_count(audit, (Place){ list, i, "quantity" }, charge->quantity, gift->quantity);
    same_minor(audit, (Place){ list, i, "list_amount" },
        read_amount(audit, (Place){ list, i, "list_amount" }, charge->list_amount), "a gift's", 0);
    same_minor(audit, (Place){ list, i, "discount_amount" },
        read_amount(audit, (Place){ list, i, "discount_amount" }, charge->discount_amount),
        "a gift's", 0);
    same_minor(audit, (Place){ list, i, "amount" },
        read_amount(audit, (Place){ list, i, "amount" }, charge->amount), "a gift's", 0);
}

/* The bill charges what was promised, line by line, and its charges add up to its total. */
static void compare_invoice(Audit *audit, const Invoice *invoice, const Quote *promised)
{
    size_t n_parts = quote_parts(promised);
    Place total = field("invoice.total");
    int64_t sum = 0;

    same_text(audit, field("invoice.order"), invoice->order, audit->order->name);
    same_text(audit, field("invoice.customer"), invoice->customer, order_buyer(audit->order));
    same_count(audit, field("invoice.charges"), (long long)invoice->n_charges,
        (long long)(n_parts + promised->n_gifts));
    for (size_t i = 0; i < invoice->n_charges; i++) {
        Place amount = { "invoice.charges", i, "amount" };

        sum = plus(sum, read_amount(audit, amount, invoice->charges[i]->amount));
        if (i < n_parts) {
            PricedLine part = quote_part(promised, i);

            compare_charge(audit, i, invoice->charges[i], &part);
        } else if (i < n_parts + promised->n_gifts) {
            compare_gift(audit, i, invoice->charges[i], promised->gifts[i - n_parts]);
        }
    }
    same_amount(audit, total, invoice->total, promised->total);
    same_optional(audit, field("invoice.tax_total"), invoice->tax_total, promised->tax_total);
    same_minor(audit, total, read_amount(audit, total, invoice->total), "the sum of charges", sum);
}

/* What the notes credit of one charge. */
typedef struct Credits {
    int64_t quantity, amount, discount, taxes, on_top;
} Credits;

static Credits credits_of(Audit *audit, const Charge *billed)
{
    static const char list[] = "credit_notes.charges";
    const Order *order = audit->order;
    Credits sum = { 0 };

    for (size_t i = 0; i < order->n_credit_notes; i++)
        for (size_t k = 0; k < order->credit_notes[i]->n_charges; k++) {
            const Charge *charge = order->credit_notes[i]->charges[k];
            Place at = { list, k, charge->sku };

            if (!text_equal(charge->sku, billed->sku) ||
                !text_equal(charge->promotion, billed->promotion))
                continue;
            sum.quantity += charge->quantity;
            sum.amount = plus(sum.amount, read_amount(audit, at, charge->amount));
            sum.discount = plus(sum.discount, read_amount(audit, at, charge->discount_amount));
            sum.taxes = plus(sum.taxes, read_optional(audit, at, charge->tax_amount));
            sum.on_top = plus(sum.on_top, read_optional(audit, at, charge->tax_on_top));
        }
    return sum;
}

/* No more is credited than was charged; all of it when all pieces are. */
static void compare_credits(Audit *audit, size_t i, const Charge *billed)
{
    static const char list[] = "credited.charges";
    Credits sum = credits_of(audit, billed);
    Place amount = { list, i, "amount" };
    int64_t charged = read_amount(audit, amount, billed->amount);

    if (sum.quantity > billed->quantity)
        found(audit, (Place){ list, i, "quantity" }, "is %lld, but %d were charged",
            (long long)sum.quantity, billed->quantity);
    if (sum.amount > charged)
        same_minor(audit, amount, sum.amount, "the charge", charged);
    if (sum.quantity != billed->quantity)
        return;
    same_minor(audit, amount, sum.amount, "the charge", charged);
    same_minor(audit, (Place){ list, i, "discount_amount" }, sum.discount, "the charge",
        read_amount(audit, amount, billed->discount_amount));
    same_minor(audit, (Place){ list, i, "tax_amount" }, sum.taxes, "the charge",
        read_optional(audit, amount, billed->tax_amount));
    same_minor(audit, (Place){ list, i, "tax_on_top" }, sum.on_top, "the charge",
        read_optional(audit, amount, billed->tax_on_top));
}

/* Every sum of a credit note is the sum of its parts. */
static void add_up_credit(Audit *audit, size_t index, const CreditNote *note)
{
    static const char list[] = "credit_notes";
    Place at_total = { list, index, "total" }, at_tax = { list, index, "tax_total" };
    int64_t total = 0, tax_total = 0, by_rate = 0;

    for (size_t i = 0; i < note->n_charges; i++) {
        const Charge *charge = note->charges[i];
        int64_t amount = read_amount(audit, at_total, charge->amount);
        int64_t discount = read_amount(audit, at_total, charge->discount_amount);
        int64_t before = read_amount(audit, at_total, charge->list_amount);
        int64_t on_top = read_optional(audit, at_total, charge->tax_on_top);

        same_minor(audit, at_total, plus(before, on_top), "amount and discount together",
            plus(amount, discount));
        total = plus(total, amount);
        tax_total = plus(tax_total, read_optional(audit, at_tax, charge->tax_amount));
    }
    for (size_t i = 0; i < note->n_taxes; i++)
        by_rate = plus(by_rate, read_amount(audit, at_tax, note->taxes[i]->amount));
    same_minor(
        audit, at_total, read_amount(audit, at_total, note->total), "the sum of charges", total);
    same_minor(audit, at_tax, read_optional(audit, at_tax, note->tax_total), "the sum of charges",
        tax_total);
    same_minor(audit, at_tax, by_rate, "the sum of charges", tax_total);
    same_text(audit, (Place){ list, index, "order" }, note->order, audit->order->name);
}

static void check_credits(Audit *audit, const Order *order)
{
    int64_t credited = 0;

    for (size_t i = 0; i < order->n_credit_notes; i++) {
        const CreditNote *note = order->credit_notes[i];

        add_up_credit(audit, i, note);
        credited = plus(credited, read_amount(audit, field("credit_notes"), note->total));
    }
    for (size_t i = 0; i < order->invoice->n_charges; i++)
        compare_credits(audit, i, order->invoice->charges[i]);
    if (order->state == THROUGHLINE__CART__V1__ORDER__STATE__CANCELLED)
        same_minor(audit, field("credit_notes"), credited, "the bill",
            read_amount(audit, field("invoice.total"), order->invoice->total));
}

void ledger_check(const Order *order, const Quote *promised, Findings *findings)
{
    Audit audit = { .order = order, .findings = findings };

    if (!promised) {
        found(&audit, field("signed_quote"), "cannot be read");
        return;
    }
    audit.currency = promised->currency;
    add_up_quote(&audit, promised);
    same_text(&audit, field("cart"), order->cart, promised->cart);
    if (!text_is_empty(promised->customer))
        same_text(&audit, field("customer"), order_buyer(order), promised->customer);
    if (order->quote)
        compare_quotes(&audit, order->quote, promised);
    else
        found(&audit, field("quote"), "missing");
    if (!order->invoice) {
        found(&audit, field("invoice"), "missing");
        return;
    }
    compare_invoice(&audit, order->invoice, promised);
    check_credits(&audit, order);
}
