#include "services/cart/domain/ledger.h"

#include "shared/codec/message.h"
#include "shared/codec/types.h"
#include "tests/support/test_main.h"
#include "tests/unit/cart/builders.h"

#include <stdlib.h>

enum { ROUNDS = 300 };

static Order *some_order(Arena *arena)
{
    Cart *cart = a_cart(arena, "customers/ann");

    a_line(arena, cart, "tent", 2, 19900);
    a_line(arena, cart, "rope", 3, 333);
    return an_order(arena, cart, 1234);
}

static size_t findings_of(Arena *arena, const Order *order)
{
    Findings findings = { .arena = arena };
    Bytes payload = { order->signed_quote->payload.data, order->signed_quote->payload.len };

    ledger_check(order,
        message_unpack(arena, &throughline__catalog__v1__quote__descriptor, payload), &findings);
    for (size_t i = 0; i < findings.n_items; i++)
        CHECK_TEXT(findings.items[i]->order, order->name);
    return findings.n_items;
}

/* Every amount in a message and below, in the order of its fields. */
typedef struct Amounts {
    Google__Type__Money *items[200];
    size_t n_items;
} Amounts;

static void collect(ProtobufCMessage *message, Amounts *amounts)
{
    const ProtobufCMessageDescriptor *type = message->descriptor;

    if (type == &google__type__money__descriptor) {
        amounts->items[amounts->n_items++] = (Google__Type__Money *)message;
        return;
    }
    for (unsigned i = 0; i < type->n_fields; i++) {
        char *base = (char *)message;
        void *at = base + type->fields[i].offset;

        if (type->fields[i].type != PROTOBUF_C_TYPE_MESSAGE)
            continue;
        if (type->fields[i].label == PROTOBUF_C_LABEL_REPEATED) {
            ProtobufCMessage **items = *(ProtobufCMessage ***)at;
            size_t n = *(size_t *)(void *)(base + type->fields[i].quantifier_offset);

            for (size_t k = 0; k < n; k++)
                collect(items[k], amounts);
        } else if (*(ProtobufCMessage **)at) {
            collect(*(ProtobufCMessage **)at, amounts);
        }
    }
}

static void an_honest_order_has_no_findings(void)
{
    Arena *arena = arena_new();

    CHECK_INT(findings_of(arena, some_order(arena)), 0);
    arena_free(arena);
}

static void every_cent_in_order_and_invoice_is_watched(void)
{
    Arena *arena = arena_new();
    Amounts all = { .n_items = 0 };

    collect(&some_order(arena)->base, &all);
    CHECK_INT(all.n_items, 2 * 3 + 1 + 3 + 2 * 3 + 1);
    for (size_t i = 0; i < all.n_items; i++) {
        for (int64_t cent = -1; cent <= 1; cent += 2) {
            Order *order = message_copy(arena, some_order(arena));
            Amounts amounts = { .n_items = 0 };
            int64_t minor = 0;

            collect(&order->base, &amounts);
            CU_ASSERT(money_minor(amounts.items[i], &minor));
            *amounts.items[i] = *money_message(arena, "EUR", minor + cent);

            CU_ASSERT(findings_of(arena, order) > 0);
        }
    }
    arena_free(arena);
}

static void every_cent_in_the_promise_is_watched(void)
{
    Arena *arena = arena_new();
    Amounts all = { .n_items = 0 };

    collect(&some_order(arena)->quote->base, &all);
    for (size_t i = 0; i < all.n_items; i++) {
        Order *order = message_copy(arena, some_order(arena));
        Quote *promised = message_copy(arena, order->quote);
        Amounts amounts = { .n_items = 0 };
        int64_t minor = 0;

        collect(&promised->base, &amounts);
        CU_ASSERT(money_minor(amounts.items[i], &minor));
        *amounts.items[i] = *money_message(arena, "EUR", minor + 1);
        order->signed_quote = a_signed_quote(arena, promised);

        CU_ASSERT(findings_of(arena, order) > 0);
    }
    arena_free(arena);
}

static void a_cent_moved_between_lines_is_found_though_the_total_is_right(void)
{
    Arena *arena = arena_new();
    Order *order = message_copy(arena, some_order(arena));
    Charge *first = order->invoice->charges[0], *second = order->invoice->charges[1];
    int64_t a = 0, b = 0;

    CU_ASSERT(money_minor(first->amount, &a) && money_minor(second->amount, &b));
    first->amount = money_message(arena, "EUR", a - 1);
    second->amount = money_message(arena, "EUR", b + 1);

    CHECK_INT(findings_of(arena, order), 2);
    arena_free(arena);
}

static void random_orders_are_clean_and_one_cent_off_is_not(void)
{
    unsigned seed = 7;

    for (int round = 0; round < ROUNDS; round++) {
        Arena *arena = arena_new();
        Cart *cart = a_cart(arena, "customers/ann");
        int n = 1 + rand_r(&seed) % 20;
        Order *order;
        Amounts amounts = { .n_items = 0 };
        int64_t minor = 0;
        size_t i;

        for (int k = 0; k < n; k++)
            a_line(arena, cart, arena_printf(arena, "sku-%d", k), 1 + rand_r(&seed) % 999,
                1 + rand_r(&seed) % 999999);
        order = message_copy(arena, an_order(arena, cart, rand_r(&seed) % 2));
        CHECK_INT(findings_of(arena, order), 0);

        collect(&order->invoice->base, &amounts);
        i = (size_t)rand_r(&seed) % amounts.n_items;
        CU_ASSERT(money_minor(amounts.items[i], &minor));
        *amounts.items[i] = *money_message(arena, "EUR", minor + (rand_r(&seed) % 2 ? 1 : -1));
        CU_ASSERT(findings_of(arena, order) > 0);
        arena_free(arena);
    }
}

static void what_belongs_to_another_is_found(void)
{
    Arena *arena = arena_new();
    Order *cart = message_copy(arena, some_order(arena));
    Order *customer = message_copy(arena, some_order(arena));
    Order *invoice = message_copy(arena, some_order(arena));
    Order *sku = message_copy(arena, some_order(arena));
    Order *quantity = message_copy(arena, some_order(arena));

    cart->cart = arena_text(arena, "carts/other");
    customer->customer = arena_text(arena, "customers/bob");
    invoice->invoice->order = arena_text(arena, "orders/other");
    sku->invoice->charges[1]->sku = arena_text(arena, "string");
    quantity->quote->lines[1]->quantity++;

    CHECK_INT(findings_of(arena, cart), 1);
    CHECK_INT(findings_of(arena, customer), 2);
    CHECK_INT(findings_of(arena, invoice), 1);
    CHECK_INT(findings_of(arena, sku), 1);
    CHECK_INT(findings_of(arena, quantity), 1);
    arena_free(arena);
}

static void what_is_missing_is_found(void)
{
    Arena *arena = arena_new();
    Order *quote = message_copy(arena, some_order(arena));
    Order *invoice = message_copy(arena, some_order(arena));
    Order *charge = message_copy(arena, some_order(arena));
    Order *amount = message_copy(arena, some_order(arena));
    Findings findings = { .arena = arena };

    quote->quote = NULL;
    invoice->invoice = NULL;
    charge->invoice->n_charges = 1;
    amount->invoice->charges[0]->amount = NULL;

    CHECK_INT(findings_of(arena, quote), 1);
    CHECK_INT(findings_of(arena, invoice), 1);
    CU_ASSERT(findings_of(arena, charge) > 0);
    CU_ASSERT(findings_of(arena, amount) > 0);
    ledger_check(some_order(arena), NULL, &findings);
    CHECK_INT(findings.n_items, 1);
    arena_free(arena);
}

static void a_finding_says_what_and_how_much(void)
{
    Arena *arena = arena_new();
    Order *order = message_copy(arena, some_order(arena));
    Findings findings = { .arena = arena };
    Quote *promised = message_copy(arena, order->quote);

    order->invoice->charges[1]->list_amount = money_message(arena, "EUR", 1000);
    ledger_check(order, promised, &findings);

    CHECK_INT(findings.n_items, 1);
    CHECK_TEXT(findings.items[0]->description,
        "invoice.charges[1].list_amount: is 10.00 EUR, but the promise is 9.99 EUR");
    arena_free(arena);
}

static void findings_are_bounded(void)
{
    Arena *arena = arena_new();
    Order *order = message_copy(arena, some_order(arena));
    Findings findings = { .arena = arena };
    Quote *promised = message_copy(arena, order->quote);

    order->cart = arena_text(arena, "carts/other");
    for (int i = 0; i < LEDGER_MAX_FINDINGS + 5; i++)
        ledger_check(order, promised, &findings);

    CHECK_INT(findings.n_items, LEDGER_MAX_FINDINGS);
    arena_free(arena);
}

static CU_TestInfo tests[] = {
    { "an_honest_order_has_no_findings", an_honest_order_has_no_findings },
    { "every_cent_in_order_and_invoice_is_watched", every_cent_in_order_and_invoice_is_watched },
    { "every_cent_in_the_promise_is_watched", every_cent_in_the_promise_is_watched },
    { "a_cent_moved_between_lines_is_found_though_the_total_is_right",
        a_cent_moved_between_lines_is_found_though_the_total_is_right },
    { "random_orders_are_clean_and_one_cent_off_is_not",
        random_orders_are_clean_and_one_cent_off_is_not },
    { "what_belongs_to_another_is_found", what_belongs_to_another_is_found },
    { "what_is_missing_is_found", what_is_missing_is_found },
    { "a_finding_says_what_and_how_much", a_finding_says_what_and_how_much },
    { "findings_are_bounded", findings_are_bounded },
    CU_TEST_INFO_NULL,
};

int main(int argc, char **argv)
{
    CU_SuiteInfo suites[] = { { .pName = "ledger", .pTests = tests }, CU_SUITE_INFO_NULL };

    return test_main("cart_ledger", suites, argc, argv);
}
