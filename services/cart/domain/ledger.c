#include "services/cart/domain/ledger.h"

#include "shared/base/money.h"
#include "shared/codec/types.h"

typedef struct Audit {
    const Order *order;
    const char *currency;
    Findings *findings;
} Audit;

static void found(Audit *audit, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void found(Audit *audit, const char *format, ...)
{
    Findings *findings = audit->findings;
    Finding *finding;
    va_list args;

    if (findings->n_items == LEDGER_MAX_FINDINGS)
        return;
    finding = arena_alloc(findings->arena, sizeof(*finding));
    throughline__cart__v1__verify_ledger_response__finding__init(finding);
    finding->order = arena_text(findings->arena, audit->order->name);
    va_start(args, format);
    finding->description = arena_vprintf(findings->arena, format, args);
    va_end(args);
    findings->items = arena_grow(findings->arena, findings->items, findings->n_items,
        findings->n_items + 1, sizeof(Finding *));
    findings->items[findings->n_items++] = finding;
}

/* Minor units; an amount that is absent, of another currency or unfit is itself a finding. */
static int64_t read_amount(Audit *audit, const char *path, const Google__Type__Money *money)
{
    int64_t minor = 0;

    if (!amount_in(audit->currency, money, &minor))
        found(audit, "%s: not an amount in %s", path, audit->currency);
    return minor;
}

static void same_minor(Audit *audit, const char *path, int64_t is, const char *what, int64_t ought)
{
    char left[MONEY_TEXT_SIZE], right[MONEY_TEXT_SIZE];

    if (is != ought)
        found(audit, "%s: is %s, but %s is %s", path, money_format(audit->currency, is, left), what,
            money_format(audit->currency, ought, right));
}

static void same_amount(Audit *audit, const char *path, const Google__Type__Money *is,
    const Google__Type__Money *promised)
{
    same_minor(audit, path, read_amount(audit, path, is), "the promise",
        read_amount(audit, path, promised));
}

static void same_text(Audit *audit, const char *path, const char *is, const char *ought)
{
    if (!text_equal(is, ought))
        found(audit, "%s: is \"%s\", but should be \"%s\"", path, is, ought);
}

static void same_count(Audit *audit, const char *path, long long is, long long ought)
{
    if (is != ought)
        found(audit, "%s: is %lld, but should be %lld", path, is, ought);
}

static const char *path_of(Audit *audit, const char *list, size_t index, const char *field)
{
    return arena_printf(audit->findings->arena, "%s[%zu].%s", list, index, field);
}

/* A sum that saturates where it does not fit: it then differs from any total. */
static int64_t plus(int64_t a, int64_t b)
{
    int64_t sum;

    return money_add(a, b, &sum) ? sum : INT64_MAX;
}

static int64_t discount_of(Audit *audit, const char *path, const PricedLine *line)
{
    int64_t minor = 0;

    if (!line_discount(audit->currency, line, &minor))
        found(audit, "%s: not amounts in %s", path, audit->currency);
    return minor;
}

static void compare_line(Audit *audit, size_t i, const PricedLine *is, const PricedLine *promised)
{
    size_t n = is->n_adjustments;

    same_text(audit, path_of(audit, "quote.lines", i, "sku"), is->sku, promised->sku);
    same_count(
        audit, path_of(audit, "quote.lines", i, "quantity"), is->quantity, promised->quantity);
    same_amount(audit, path_of(audit, "quote.lines", i, "unit_price"), is->unit_price,
        promised->unit_price);
    same_amount(audit, path_of(audit, "quote.lines", i, "list_total"), is->list_total,
        promised->list_total);
    same_amount(audit, path_of(audit, "quote.lines", i, "total"), is->total, promised->total);
    same_count(audit, path_of(audit, "quote.lines", i, "adjustments"), (long long)n,
        (long long)promised->n_adjustments);
    for (size_t k = 0; k < n && k < promised->n_adjustments; k++)
        same_amount(audit, path_of(audit, "quote.lines", i, "adjustments"),
            is->adjustments[k]->amount, promised->adjustments[k]->amount);
}

/* The quote that the order shows is the one that was signed. */
static void compare_quotes(Audit *audit, const Quote *is, const Quote *promised)
{
    same_text(audit, "quote.name", is->name, promised->name);
    same_text(audit, "quote.currency", is->currency, promised->currency);
    same_text(audit, "quote.cart", is->cart, promised->cart);
    same_count(audit, "quote.lines", (long long)is->n_lines, (long long)promised->n_lines);
    for (size_t i = 0; i < is->n_lines && i < promised->n_lines; i++)
        compare_line(audit, i, is->lines[i], promised->lines[i]);
    same_amount(audit, "quote.list_total", is->list_total, promised->list_total);
    same_amount(audit, "quote.discount_total", is->discount_total, promised->discount_total);
    same_amount(audit, "quote.total", is->total, promised->total);
}

/* Every sum of the promise is the sum of its parts. */
static void add_up_quote(Audit *audit, const Quote *promised)
{
    int64_t lists = 0, discounts = 0, totals = 0;

    for (size_t i = 0; i < promised->n_lines; i++) {
        const PricedLine *line = promised->lines[i];
        const char *list_path = path_of(audit, "promise.lines", i, "list_total");
        const char *total_path = path_of(audit, "promise.lines", i, "total");
        int64_t unit = read_amount(audit, list_path, line->unit_price), product = INT64_MAX;
        int64_t list = read_amount(audit, list_path, line->list_total);
        int64_t total = read_amount(audit, total_path, line->total);
        int64_t discount = discount_of(audit, total_path, line);

        money_multiply(unit, line->quantity, &product);
        same_minor(audit, list_path, list, "unit price times quantity", product);
        same_minor(audit, total_path, total, "list total less adjustments", list - discount);
        lists = plus(lists, list);
        discounts = plus(discounts, discount);
        totals = plus(totals, total);
    }
    same_minor(audit, "promise.list_total",
        read_amount(audit, "promise.list_total", promised->list_total), "the sum of lines", lists);
    same_minor(audit, "promise.discount_total",
        read_amount(audit, "promise.discount_total", promised->discount_total), "the sum of lines",
        discounts);
    same_minor(audit, "promise.total", read_amount(audit, "promise.total", promised->total),
        "the sum of lines", totals);
}

static void compare_charge(Audit *audit, size_t i, const Charge *charge, const PricedLine *line)
{
    const char *discount_path = path_of(audit, "invoice.charges", i, "discount_amount");

    same_text(audit, path_of(audit, "invoice.charges", i, "sku"), charge->sku, line->sku);
    same_count(
        audit, path_of(audit, "invoice.charges", i, "quantity"), charge->quantity, line->quantity);
    same_amount(audit, path_of(audit, "invoice.charges", i, "list_amount"), charge->list_amount,
        line->list_total);
    same_minor(audit, discount_path, read_amount(audit, discount_path, charge->discount_amount),
        "the promise", discount_of(audit, discount_path, line));
    same_amount(audit, path_of(audit, "invoice.charges", i, "amount"), charge->amount, line->total);
}

/* The bill charges what was promised, line by line, and its charges add up to its total. */
static void compare_invoice(Audit *audit, const Invoice *invoice, const Quote *promised)
{
    int64_t sum = 0;

    same_text(audit, "invoice.order", invoice->order, audit->order->name);
    same_text(audit, "invoice.customer", invoice->customer, audit->order->customer);
    same_count(
        audit, "invoice.charges", (long long)invoice->n_charges, (long long)promised->n_lines);
    for (size_t i = 0; i < invoice->n_charges; i++) {
        const char *path = path_of(audit, "invoice.charges", i, "amount");

        sum = plus(sum, read_amount(audit, path, invoice->charges[i]->amount));
        if (i < promised->n_lines)
            compare_charge(audit, i, invoice->charges[i], promised->lines[i]);
    }
    same_amount(audit, "invoice.total", invoice->total, promised->total);
    same_minor(audit, "invoice.total", read_amount(audit, "invoice.total", invoice->total),
        "the sum of charges", sum);
}

void ledger_check(const Order *order, const Quote *promised, Findings *findings)
{
    Audit audit = { .order = order, .findings = findings };

    if (!promised) {
        found(&audit, "signed_quote: cannot be read");
        return;
    }
    audit.currency = promised->currency;
    add_up_quote(&audit, promised);
    same_text(&audit, "cart", order->cart, promised->cart);
    if (!text_is_empty(promised->customer))
        same_text(&audit, "customer", order->customer, promised->customer);
    if (order->quote)
        compare_quotes(&audit, order->quote, promised);
    else
        found(&audit, "quote: missing");
    if (order->invoice)
        compare_invoice(&audit, order->invoice, promised);
    else
        found(&audit, "invoice: missing");
}
