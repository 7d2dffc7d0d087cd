#include "services/cart/domain/credit.h"
#include "services/cart/domain/ledger.h"

#include "shared/codec/message.h"
#include "shared/codec/types.h"
#include "tests/support/test_main.h"
#include "tests/unit/cart/builders.h"

#include <stdlib.h>

typedef Throughline__Catalog__V1__TaxShare TaxShare;
typedef Throughline__Catalog__V1__TaxLine TaxLine;

enum { ROUNDS = 500, TENTS = 3, ROPES = 7, TENT_TAX = 7561, SHIPPING = 490 };

static Arena *arena;
static Order *order;
static Actor kim;

static Google__Type__Money *eur(int64_t minor)
{
    return money_message(arena, "EUR", minor);
}

static int64_t minor_of(const Google__Type__Money *money)
{
    int64_t minor = INT64_MIN;

    CU_ASSERT(money_minor(money, &minor));
    return minor;
}

/* Tax on top of the tents, 4.90 of shipping, a mug for nothing. */
static void enrich(Quote *quote)
{
    TaxShare *tax = message_new(arena, &throughline__catalog__v1__tax_share__descriptor);
    TaxLine *taxes = message_new(arena, &throughline__catalog__v1__tax_line__descriptor);

    tax->rate = taxes->rate = arena_text(arena, "taxRates/vat");
    taxes->title = arena_text(arena, "VAT");
    tax->amount = taxes->amount = eur(TENT_TAX);
    quote->lines[0]->n_taxes = quote->n_taxes = 1;
    quote->lines[0]->taxes = arena_copy(arena, &tax, sizeof(tax));
    quote->taxes = arena_copy(arena, &taxes, sizeof(taxes));
    quote->lines[0]->tax_total = quote->lines[0]->tax_on_top = eur(TENT_TAX);
    quote->tax_total = quote->tax_on_top = eur(TENT_TAX);
    quote->lines[0]->total = eur(minor_of(quote->lines[0]->total) + TENT_TAX);
    quote->shipping = message_new(arena, &throughline__catalog__v1__priced_shipping__descriptor);
    quote->shipping->method = arena_text(arena, "post");
    quote->shipping->list_total = quote->shipping->total = eur(SHIPPING);
    quote->list_total = eur(minor_of(quote->list_total) + SHIPPING);
    quote->total = eur(minor_of(quote->total) + TENT_TAX + SHIPPING);
    quote->n_gifts = 1;
    quote->gifts = arena_array(arena, 1, sizeof(PricedGift *));
    quote->gifts[0] = message_new(arena, &throughline__catalog__v1__priced_gift__descriptor);
    quote->gifts[0]->sku = arena_text(arena, "rope");
    quote->gifts[0]->quantity = 1;
    quote->gifts[0]->promotion = arena_text(arena, "promotions/rope");
}

static void take_from(const char *sku, const char *location, int64_t quantity)
{
    ReservedLine *line = message_new(arena, &throughline__catalog__v1__reserved_line__descriptor);

    line->sku = arena_text(arena, sku);
    line->location = arena_text(arena, location);
    line->quantity = quantity;
    order->pieces =
        arena_grow(arena, order->pieces, order->n_pieces, order->n_pieces + 1, sizeof(line));
    order->pieces[order->n_pieces++] = line;
}

static void set_up(void)
{
    CheckoutStarted event = THROUGHLINE__CART__V1__CHECKOUT_STARTED__INIT;
    Actor ann = an_actor("customers/ann");
    Cart *cart;
    Quote *quote;

    arena = arena_new();
    cart = a_cart(arena, "customers/ann");
    a_line(arena, cart, "tent", TENTS, 13267);
    a_line(arena, cart, "rope", ROPES, 333);
    quote = a_quote(arena, cart, 1000);
    enrich(quote);
    order = message_new(arena, &throughline__cart__v1__order__descriptor);
    checkout_start(cart, a_signed_quote(arena, quote), &ann, arena, &event);
    CU_ASSERT_PTR_NULL_FATAL(checkout_order(cart, quote, arena, order));
    order->etag = arena_text(arena, "1");
    take_from("tent", "berlin", 2);
    take_from("tent", "london", 1);
    take_from("rope", "berlin", ROPES + 1);
    kim = an_actor("agents/kim");
}

static void tear_down(void)
{
    arena_free(arena);
}

static const Error *cancel(void)
{
    OrderCancelled event = THROUGHLINE__CART__V1__ORDER_CANCELLED__INIT;
    const Error *error =
        credit_cancel(order, "creditNotes/all", "Changed their mind", &kim, arena, &event);

    CU_ASSERT(error || event.order == order);
    return error;
}

/* One line, by a note of this name. */
static const Error *bring_back(
    const char *note, const char *sku, int32_t quantity, const char *promotion, bool is_damaged)
{
    ReturnLinesRequest request = THROUGHLINE__CART__V1__RETURN_LINES_REQUEST__INIT;
    ReturnedLine line = THROUGHLINE__CART__V1__RETURNED_LINE__INIT, *lines[] = { &line };
    LinesReturned event = THROUGHLINE__CART__V1__LINES_RETURNED__INIT;

    line.sku = arena_text(arena, sku);
    line.quantity = quantity;
    line.promotion = arena_text(arena, promotion);
    line.is_damaged = is_damaged;
    request.n_lines = COUNT(lines);
    request.lines = lines;
    request.reason = arena_text(arena, "Too small");
    return credit_return(order, note, &request, &kim, arena, &event);
}

static const Error *credit_shipping(const char *note)
{
    ReturnLinesRequest request = THROUGHLINE__CART__V1__RETURN_LINES_REQUEST__INIT;
    LinesReturned event = THROUGHLINE__CART__V1__LINES_RETURNED__INIT;

    request.credits_shipping = true;
    request.reason = arena_text(arena, "Late");
    return credit_return(order, note, &request, &kim, arena, &event);
}

static const CreditNote *note_of(size_t index)
{
    CU_ASSERT_FATAL(index < order->n_credit_notes);
    return order->credit_notes[index];
}

static size_t findings_of(const Order *audited)
{
    Findings findings = { .arena = arena };

    ledger_check(audited, audited->quote, &findings);
    for (size_t i = 0; i < findings.n_items && i < 3 && audited == order; i++)
        fprintf(stderr, "%s\n", findings.items[i]->description);
    return findings.n_items;
}

static void a_cancelled_order_is_credited_as_it_was_billed(void)
{
    const CreditNote *note;

    CU_ASSERT_PTR_NULL(cancel());
    note = note_of(0);

    CHECK_INT(order->state, THROUGHLINE__CART__V1__ORDER__STATE__CANCELLED);
    CHECK_TEXT(order->pending->credit_note, note->name);
    CU_ASSERT(credit_find(order, "creditNotes/all") == note);
    CU_ASSERT_PTR_NULL(credit_find(order, "creditNotes/none"));
    CHECK_INT(minor_of(note->total), minor_of(order->invoice->total));
    CHECK_INT(minor_of(note->tax_total), TENT_TAX);
    CHECK_TEXT(note->taxes[0]->title, "VAT");
    CHECK_INT(note->n_charges, order->invoice->n_charges);
    for (size_t i = 0; i < note->n_charges; i++)
        CU_ASSERT(message_equal(note->charges[i], order->invoice->charges[i]));
    CHECK_INT(note->n_pieces, 3);
    CHECK_INT(note->pieces[2]->quantity, ROPES + 1);
    CU_ASSERT(credit_frees_uses(order));
    CHECK_INT(findings_of(order), 0);
    CHECK_TEXT(error_reason(bring_back("creditNotes/2", "tent", 1, "", false)), "ORDER_CANCELLED");
}

static void an_order_of_which_something_came_back_is_not_cancelled(void)
{
    CU_ASSERT_PTR_NULL(bring_back("creditNotes/1", "tent", 1, "", false));
    CHECK_INT(order->state, THROUGHLINE__CART__V1__ORDER__STATE__PARTLY_RETURNED);
    CU_ASSERT(!credit_frees_uses(order));
    CHECK_TEXT(error_reason(cancel()), "ORDER_RETURNED");
}

static void returns_in_any_steps_credit_what_was_paid(void)
{
    const int32_t steps[] = { 1, 1, 1 };
    int64_t total = 0, taxes = 0;

    for (size_t i = 0; i < COUNT(steps); i++) {
        CU_ASSERT_PTR_NULL(
            bring_back(arena_printf(arena, "creditNotes/%zu", i), "tent", steps[i], "", false));
        total += minor_of(note_of(i)->total);
        taxes += minor_of(note_of(i)->tax_total);
        CHECK_INT(findings_of(order), 0);
    }
    CHECK_INT(total, TENTS * 13267 - 1000 + TENT_TAX);
    CHECK_INT(taxes, TENT_TAX);
    CHECK_INT(order->state, THROUGHLINE__CART__V1__ORDER__STATE__PARTLY_RETURNED);
    CU_ASSERT_PTR_NULL(bring_back("creditNotes/ropes", "rope", ROPES, "", false));
    CHECK_INT(order->state, THROUGHLINE__CART__V1__ORDER__STATE__RETURNED);
    CU_ASSERT(credit_frees_uses(order));
    CU_ASSERT_PTR_NULL(credit_shipping("creditNotes/shipping"));
    CHECK_INT(minor_of(note_of(4)->total), SHIPPING);
    CHECK_TEXT(error_reason(credit_shipping("creditNotes/again")), "RETURN_TOO_LARGE");
    CHECK_INT(findings_of(order), 0);
}

static void pieces_go_where_they_came_from(void)
{
    CU_ASSERT_PTR_NULL(bring_back("creditNotes/1", "tent", 1, "", true));
    CHECK_INT(note_of(0)->n_pieces, 0);
    CU_ASSERT_PTR_NULL(bring_back("creditNotes/2", "tent", 2, "", false));
    CHECK_INT(note_of(1)->n_pieces, 2);
    CHECK_TEXT(note_of(1)->pieces[0]->location, "berlin");
    CHECK_INT(note_of(1)->pieces[0]->quantity, 1);
    CHECK_TEXT(note_of(1)->pieces[1]->location, "london");
}

static void a_gift_comes_back_by_itself_and_for_nothing(void)
{
    CU_ASSERT_PTR_NULL(bring_back("creditNotes/1", "rope", 1, "promotions/rope", false));
    CHECK_INT(minor_of(note_of(0)->total), 0);
    CHECK_TEXT(note_of(0)->charges[0]->promotion, "promotions/rope");
    CHECK_INT(note_of(0)->pieces[0]->quantity, 1);
    CU_ASSERT_PTR_NULL(bring_back("creditNotes/2", "rope", ROPES, "", false));
    CHECK_INT(minor_of(note_of(1)->total), ROPES * 333);
    CHECK_INT(findings_of(order), 0);
}

static void no_more_comes_back_than_was_bought(void)
{
    const Error *error;

    CU_ASSERT_PTR_NULL(bring_back("creditNotes/1", "tent", 2, "", false));
    error = bring_back("creditNotes/2", "tent", 2, "", false);
    CHECK_TEXT(error_reason(error), "RETURN_TOO_LARGE");
    CHECK_INT(error->n_facts, 3);
    CHECK_TEXT(error->facts[2].key, "left");
    CHECK_TEXT(error->facts[2].value, "1");
    CHECK_TEXT(error_reason(bring_back("creditNotes/2", "boat", 1, "", false)), "CHARGE_NOT_FOUND");
    CHECK_TEXT(error_reason(bring_back("creditNotes/2", "tent", 1, "promotions/rope", false)),
        "CHARGE_NOT_FOUND");
    CHECK_INT(order->n_credit_notes, 1);
}

static void returns_have_an_end(void)
{
    order->n_credit_notes = ORDER_MAX_CREDIT_NOTES;
    CHECK_TEXT(error_reason(bring_back("creditNotes/1", "tent", 1, "", false)), "RETURNS_FULL");
}

static void a_stale_etag_is_refused(void)
{
    CU_ASSERT_PTR_NULL(order_check_etag(order, ""));
    CU_ASSERT_PTR_NULL(order_check_etag(order, "1"));
    CHECK_TEXT(error_reason(order_check_etag(order, "2")), "ETAG_STALE");
}

static void every_cent_that_is_credited_is_watched(void)
{
    Order *more, *less, *twice;

    CU_ASSERT_PTR_NULL(cancel());
    more = message_copy(arena, order);
    more->credit_notes[0]->total = eur(minor_of(order->invoice->total) + 1);
    CU_ASSERT(findings_of(more) > 0);
    less = message_copy(arena, order);
    less->credit_notes[0]->charges[1]->amount = eur(1);
    CU_ASSERT(findings_of(less) > 0);
    twice = message_copy(arena, order);
    twice->credit_notes = arena_grow(arena, twice->credit_notes, 1, 2, sizeof(CreditNote *));
    twice->credit_notes[1] = twice->credit_notes[0];
    twice->n_credit_notes = 2;
    CU_ASSERT(findings_of(twice) > 0);
}

/* Whatever comes back in whatever order: no finding, no negative amount, and in the end what was paid. */
static void random_returns_add_up(void)
{
    srand(20261122);
    for (int round = 0; round < ROUNDS; round++) {
        int64_t total = 0;

        tear_down();
        set_up();
        for (int i = 0; i < ORDER_MAX_CREDIT_NOTES / 2; i++) {
            const char *name = arena_printf(arena, "creditNotes/%d", i);

            (void)bring_back(
                name, rand() % 2 ? "tent" : "rope", 1 + rand() % 3, "", rand() % 4 == 0);
        }
        for (size_t i = 0; i < order->n_credit_notes; i++) {
            CU_ASSERT(minor_of(note_of(i)->total) >= 0);
            total += minor_of(note_of(i)->total);
        }
        CHECK_INT(findings_of(order), 0);
        if (order->state == THROUGHLINE__CART__V1__ORDER__STATE__RETURNED)
            CHECK_INT(total, minor_of(order->invoice->total) - SHIPPING);
        else
            CU_ASSERT(total < minor_of(order->invoice->total));
    }
}

static CU_TestInfo tests[] = {
    { "a_cancelled_order_is_credited_as_it_was_billed",
        a_cancelled_order_is_credited_as_it_was_billed },
    { "an_order_of_which_something_came_back_is_not_cancelled",
        an_order_of_which_something_came_back_is_not_cancelled },
    { "returns_in_any_steps_credit_what_was_paid", returns_in_any_steps_credit_what_was_paid },
    { "pieces_go_where_they_came_from", pieces_go_where_they_came_from },
    { "a_gift_comes_back_by_itself_and_for_nothing", a_gift_comes_back_by_itself_and_for_nothing },
    { "no_more_comes_back_than_was_bought", no_more_comes_back_than_was_bought },
    { "returns_have_an_end", returns_have_an_end },
    { "a_stale_etag_is_refused", a_stale_etag_is_refused },
    { "every_cent_that_is_credited_is_watched", every_cent_that_is_credited_is_watched },
    { "random_returns_add_up", random_returns_add_up },
    CU_TEST_INFO_NULL,
};

int main(int argc, char **argv)
{
    CU_SuiteInfo suites[] = {
        { .pName = "credit", .pSetUpFunc = set_up, .pTearDownFunc = tear_down, .pTests = tests },
        CU_SUITE_INFO_NULL,
    };

    return test_main("cart_credit", suites, argc, argv);
}
