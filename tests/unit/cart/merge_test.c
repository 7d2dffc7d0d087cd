#include "services/cart/domain/access.h"
#include "services/cart/domain/merge.h"

#include "shared/codec/message.h"
#include "shared/codec/types.h"
#include "tests/support/test_main.h"
#include "tests/unit/cart/builders.h"

#include <stdlib.h>

enum { ROUNDS = 2000, SKUS = 12 };

static const MergeMode all_modes[] = {
    THROUGHLINE__CART__V1__ATTACH_CUSTOMER_REQUEST__MODE__MODE_UNSPECIFIED,
    THROUGHLINE__CART__V1__ATTACH_CUSTOMER_REQUEST__MODE__SUM,
    THROUGHLINE__CART__V1__ATTACH_CUSTOMER_REQUEST__MODE__MAX,
    THROUGHLINE__CART__V1__ATTACH_CUSTOMER_REQUEST__MODE__GUEST_WINS,
    THROUGHLINE__CART__V1__ATTACH_CUSTOMER_REQUEST__MODE__CUSTOMER_WINS,
};

static MergeReport merge(Arena *arena, const Cart *source, Cart *target, MergeMode mode)
{
    MergeReport report = THROUGHLINE__CART__V1__ATTACH_CUSTOMER_RESPONSE__INIT;
    CartMerged event = THROUGHLINE__CART__V1__CART_MERGED__INIT;
    Actor actor = an_actor("customers/ann");

    merge_take(source, target, mode, &actor, arena, &report, &event);
    CU_ASSERT_PTR_EQUAL(event.cart, target);
    CHECK_TEXT(event.source, source->name);
    return report;
}

static Cart *a_guest_cart(Arena *arena)
{
    Cart *cart = a_cart(arena, "");

    cart->name = arena_text(arena, "carts/guest");
    return cart;
}

static int32_t quantity_of(const Cart *cart, const char *sku)
{
    size_t i = cart_line_index(cart, sku);

    return i < cart->n_lines ? cart->lines[i]->quantity : 0;
}

static int32_t joined(MergeMode mode, int32_t guest, int32_t own)
{
    static const struct {
        int32_t guest, own, sum, max, guest_wins, customer_wins;
    } known[] = { { 3, 2, 5, 3, 3, 2 }, { 2, 3, 5, 3, 2, 3 } };

    for (size_t i = 0; i < COUNT(known); i++) {
        const int32_t by_mode[] = { known[i].sum, known[i].sum, known[i].max, known[i].guest_wins,
            known[i].customer_wins };

        if (known[i].guest == guest && known[i].own == own)
            return by_mode[mode];
    }
    return -1;
}

static void every_mode_joins_quantities_its_own_way(void)
{
    Arena *arena = arena_new();

    for (size_t i = 0; i < COUNT(all_modes); i++) {
        for (int32_t guest = 2; guest <= 3; guest++) {
            Cart *source = a_guest_cart(arena), *target = a_cart(arena, "customers/ann");
            MergeReport report;

            a_line(arena, source, "tent", guest, 19900);
            a_line(arena, target, "tent", 5 - guest, 19900);

            report = merge(arena, source, target, all_modes[i]);

            CHECK_INT(quantity_of(target, "tent"), joined(all_modes[i], guest, 5 - guest));
            CHECK_INT(report.outcomes[0]->old_quantity, 5 - guest);
            CHECK_INT(report.outcomes[0]->new_quantity, quantity_of(target, "tent"));
        }
    }
    arena_free(arena);
}

static void a_line_of_the_guest_alone_is_added_as_it_is(void)
{
    Arena *arena = arena_new();

    for (size_t i = 0; i < COUNT(all_modes); i++) {
        Cart *source = a_guest_cart(arena), *target = a_cart(arena, "customers/ann");
        MergeReport report;
        int64_t subtotal = 0;

        a_line(arena, source, "rope", 4, 500);
        a_line(arena, target, "tent", 1, 19900);

        report = merge(arena, source, target, all_modes[i]);

        CHECK_INT(report.n_outcomes, 1);
        CHECK_INT(report.outcomes[0]->action,
            THROUGHLINE__CART__V1__ATTACH_CUSTOMER_RESPONSE__LINE_OUTCOME__ACTION__ADDED);
        CHECK_INT(quantity_of(target, "rope"), 4);
        CHECK_INT(quantity_of(target, "tent"), 1);
        CU_ASSERT(money_minor(target->subtotal, &subtotal));
        CHECK_INT(subtotal, 19900 + 4 * 500);
    }
    arena_free(arena);
}

static void a_full_cart_drops_lines_and_says_so(void)
{
    Arena *arena = arena_new();
    Cart *source = a_guest_cart(arena), *target = a_cart(arena, "customers/ann");
    MergeReport report;

    for (int i = 0; i < CART_MAX_LINES - 1; i++)
        a_line(arena, target, arena_printf(arena, "sku-%d", i), 1, 100);
    a_line(arena, source, "fits", 1, 100);
    a_line(arena, source, "too-many", 2, 100);
    a_line(arena, source, "sku-0", 2, 100);

    report = merge(arena, source, target, all_modes[1]);

    CHECK_INT(target->n_lines, CART_MAX_LINES);
    CHECK_INT(report.outcomes[0]->action,
        THROUGHLINE__CART__V1__ATTACH_CUSTOMER_RESPONSE__LINE_OUTCOME__ACTION__ADDED);
    CHECK_INT(report.outcomes[1]->action,
        THROUGHLINE__CART__V1__ATTACH_CUSTOMER_RESPONSE__LINE_OUTCOME__ACTION__DROPPED);
    CHECK_INT(report.outcomes[1]->new_quantity, 0);
    CHECK_INT(report.outcomes[2]->action,
        THROUGHLINE__CART__V1__ATTACH_CUSTOMER_RESPONSE__LINE_OUTCOME__ACTION__CHANGED);
    CHECK_INT(report.outcomes[2]->new_quantity, 3);
    arena_free(arena);
}

static void a_sum_stops_at_the_largest_quantity(void)
{
    Arena *arena = arena_new();
    Cart *source = a_guest_cart(arena), *target = a_cart(arena, "customers/ann");
    MergeReport report;

    a_line(arena, source, "nail", 6000, 1);
    a_line(arena, target, "nail", 6000, 1);

    report = merge(arena, source, target, all_modes[1]);

    CHECK_INT(quantity_of(target, "nail"), CART_MAX_QUANTITY);
    CHECK_INT(report.outcomes[0]->new_quantity, CART_MAX_QUANTITY);
    arena_free(arena);
}

static void what_would_be_worth_too_much_stays_out(void)
{
    Arena *arena = arena_new();
    Cart *source = a_guest_cart(arena), *other = a_guest_cart(arena);
    Cart *target = a_cart(arena, "customers/ann");
    MergeReport report;
    int64_t subtotal = 0;

    a_line(arena, target, "yacht", 1, INT64_MAX - 100);
    a_line(arena, source, "dinghy", 1, 101);
    a_line(arena, source, "rope", 1, 100);
    a_line(arena, other, "yacht", 1, INT64_MAX - 100);

    report = merge(arena, source, target, all_modes[1]);
    CHECK_INT(report.outcomes[0]->action,
        THROUGHLINE__CART__V1__ATTACH_CUSTOMER_RESPONSE__LINE_OUTCOME__ACTION__DROPPED);
    CHECK_INT(quantity_of(target, "rope"), 1);
    report = merge(arena, other, target, all_modes[1]);
    CHECK_INT(report.outcomes[0]->action,
        THROUGHLINE__CART__V1__ATTACH_CUSTOMER_RESPONSE__LINE_OUTCOME__ACTION__KEPT);

    CHECK_INT(quantity_of(target, "yacht"), 1);
    CU_ASSERT(money_minor(target->subtotal, &subtotal));
    CHECK_INT(subtotal, INT64_MAX);
    arena_free(arena);
}

/* What every line of the target must come to, whatever the carts. */
static int32_t expected(MergeMode mode, int32_t guest, int32_t own)
{
    if (!guest || !own)
        return guest + own;
    if (mode == THROUGHLINE__CART__V1__ATTACH_CUSTOMER_REQUEST__MODE__MAX)
        return guest > own ? guest : own;
    if (mode == THROUGHLINE__CART__V1__ATTACH_CUSTOMER_REQUEST__MODE__GUEST_WINS)
        return guest;
    if (mode == THROUGHLINE__CART__V1__ATTACH_CUSTOMER_REQUEST__MODE__CUSTOMER_WINS)
        return own;
    return guest + own <= CART_MAX_QUANTITY ? guest + own : CART_MAX_QUANTITY;
}

static void fill(Arena *arena, Cart *cart, unsigned *seed)
{
    for (int i = 0; i < SKUS; i++)
        if (rand_r(seed) % 3 == 0)
            a_line(arena, cart, arena_printf(arena, "sku-%d", i),
                1 + rand_r(seed) % CART_MAX_QUANTITY, rand_r(seed) % 100000);
}

static void check_merged(const Cart *source, const Cart *before, const Cart *after,
    const MergeReport *report, MergeMode mode)
{
    char sku[16];
    int64_t sum = 0, subtotal = -1;

    for (int i = 0; i < SKUS; i++) {
        int32_t now;

        snprintf(sku, sizeof(sku), "sku-%d", i);
        now = quantity_of(after, sku);
        CHECK_INT(now, expected(mode, quantity_of(source, sku), quantity_of(before, sku)));
    }
    for (size_t i = 0; i < report->n_outcomes; i++) {
        const LineOutcome *outcome = report->outcomes[i];

        CHECK_TEXT(outcome->sku, source->lines[i]->sku);
        CHECK_INT(outcome->old_quantity, quantity_of(before, outcome->sku));
        CHECK_INT(outcome->new_quantity, quantity_of(after, outcome->sku));
    }
    for (size_t i = 0; i < after->n_lines; i++) {
        int64_t unit_price = 0;

        CU_ASSERT(money_minor(after->lines[i]->unit_price, &unit_price));
        sum += unit_price * after->lines[i]->quantity;
    }
    CU_ASSERT(money_minor(after->subtotal, &subtotal));
    CHECK_INT(subtotal, sum);
    CHECK_INT(report->n_outcomes, source->n_lines);
}

static void no_merge_loses_or_invents_a_piece(void)
{
    unsigned seed = 20260101;

    for (int round = 0; round < ROUNDS; round++) {
        Arena *arena = arena_new();
        Cart *source = a_guest_cart(arena), *target = a_cart(arena, "customers/ann"), *before;
        MergeMode mode = all_modes[round % (int)COUNT(all_modes)];
        MergeReport report;

        fill(arena, source, &seed);
        fill(arena, target, &seed);
        before = message_copy(arena, target);

        report = merge(arena, source, target, mode);

        check_merged(source, before, target, &report, mode);
        arena_free(arena);
    }
}

static void codes_come_along_as_far_as_there_is_room(void)
{
    Arena *arena = arena_new();
    Cart *source = a_guest_cart(arena), *target = a_cart(arena, "customers/ann");

    for (int i = 0; i < CART_MAX_CODES - 1; i++)
        cart_append_code(target, arena_printf(arena, "CODE-%d", i), arena);
    cart_append_code(source, "CODE-0", arena);
    cart_append_code(source, "GUEST-1", arena);
    cart_append_code(source, "GUEST-2", arena);

    merge(arena, source, target, all_modes[1]);

    CHECK_INT(target->n_codes, CART_MAX_CODES);
    CU_ASSERT(cart_has_code(target, "GUEST-1"));
    CU_ASSERT_FALSE(cart_has_code(target, "GUEST-2"));
    arena_free(arena);
}

static void a_source_is_done_when_the_target_names_it(void)
{
    Arena *arena = arena_new();
    Cart *source = a_guest_cart(arena), *target = a_cart(arena, "customers/ann");
    CartClosedByMerge closed = THROUGHLINE__CART__V1__CART_CLOSED_BY_MERGE__INIT;
    Actor actor = an_actor("anonymous/web");

    a_line(arena, source, "tent", 1, 19900);
    merge_close(source, target, all_modes[2], &actor, arena, &closed);

    CHECK_INT(source->state, THROUGHLINE__CART__V1__CART__STATE__MERGED);
    CHECK_TEXT(source->merged_into, "carts/one");
    CHECK_TEXT(source->customer, "customers/ann");
    CHECK_INT(source->pending->mode, all_modes[2]);
    CHECK_INT(source->n_lines, 1);
    CU_ASSERT_FALSE(merge_is_done(source, target));
    merge(arena, source, target, source->pending->mode);
    CU_ASSERT(merge_is_done(source, target));
    arena_free(arena);
}

static void an_undone_source_is_as_it_was(void)
{
    Arena *arena = arena_new();
    Cart *source = a_guest_cart(arena), *target = a_cart(arena, "customers/ann"), *before;
    CartClosedByMerge closed = THROUGHLINE__CART__V1__CART_CLOSED_BY_MERGE__INIT;
    Throughline__Cart__V1__CartOpened opened = THROUGHLINE__CART__V1__CART_OPENED__INIT;
    Actor actor = an_actor("anonymous/web");

    a_line(arena, source, "tent", 1, 19900);
    before = message_copy(arena, source);
    merge_close(source, target, all_modes[1], &actor, arena, &closed);
    merge_undo(source, "", &actor, arena, &opened);

    CU_ASSERT(message_equal(source, before));
    CU_ASSERT_PTR_EQUAL(opened.cart, source);
    arena_free(arena);
}

static void an_attached_cart_is_the_customers_and_nobody_elses(void)
{
    Arena *arena = arena_new();
    Cart *source = a_guest_cart(arena);
    CustomerAttached event = THROUGHLINE__CART__V1__CUSTOMER_ATTACHED__INIT;
    Actor web = an_actor("anonymous/web"), ann = an_actor("customers/ann");

    merge_attach(source, "customers/ann", &web, arena, &event);

    CHECK_TEXT(source->open_customer, "customers/ann");
    CU_ASSERT(cart_may_change(source, &ann));
    CU_ASSERT_FALSE(cart_may_read(source, &web));
    arena_free(arena);
}

static void only_free_carts_are_attached(void)
{
    Arena *arena = arena_new();
    Cart *cart = a_guest_cart(arena), *dollars = a_cart(arena, "customers/ann");

    CU_ASSERT_PTR_NULL(merge_check_source(cart, "customers/ann", "", arena));
    cart->customer = arena_text(arena, "customers/bob");
    CHECK_TEXT(
        error_reason(merge_check_source(cart, "customers/ann", "", arena)), "CART_HAS_CUSTOMER");
    CU_ASSERT_PTR_NULL(merge_check_source(cart, "customers/bob", "", arena));
    cart->state = THROUGHLINE__CART__V1__CART__STATE__ORDERED;
    CHECK_TEXT(error_reason(merge_check_source(cart, "customers/bob", "", arena)), "CART_CLOSED");
    dollars->currency = arena_text(arena, "USD");
    CHECK_TEXT(error_reason(merge_check_currency(cart, dollars)), "CURRENCY_MISMATCH");
    arena_free(arena);
}

static CU_TestInfo tests[] = {
    { "every_mode_joins_quantities_its_own_way", every_mode_joins_quantities_its_own_way },
    { "a_line_of_the_guest_alone_is_added_as_it_is", a_line_of_the_guest_alone_is_added_as_it_is },
    { "a_full_cart_drops_lines_and_says_so", a_full_cart_drops_lines_and_says_so },
    { "a_sum_stops_at_the_largest_quantity", a_sum_stops_at_the_largest_quantity },
    { "what_would_be_worth_too_much_stays_out", what_would_be_worth_too_much_stays_out },
    { "no_merge_loses_or_invents_a_piece", no_merge_loses_or_invents_a_piece },
    { "codes_come_along_as_far_as_there_is_room", codes_come_along_as_far_as_there_is_room },
    { "a_source_is_done_when_the_target_names_it", a_source_is_done_when_the_target_names_it },
    { "an_undone_source_is_as_it_was", an_undone_source_is_as_it_was },
    { "an_attached_cart_is_the_customers_and_nobody_elses",
        an_attached_cart_is_the_customers_and_nobody_elses },
    { "only_free_carts_are_attached", only_free_carts_are_attached },
    CU_TEST_INFO_NULL,
};

int main(int argc, char **argv)
{
    CU_SuiteInfo suites[] = { { .pName = "cart merge", .pTests = tests }, CU_SUITE_INFO_NULL };

    return test_main("cart_merge", suites, argc, argv);
}
