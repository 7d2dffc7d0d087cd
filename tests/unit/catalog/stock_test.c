/* The rules of stock and reservations. */
#include "services/catalog/domain/reservation.h"

#include "shared/codec/message.h"
#include "shared/codec/types.h"
#include "tests/support/test_main.h"
#include "tests/unit/catalog/builders.h"

#include <string.h>

enum { LEVELS = 4 };

static StockLevel *a_level(Arena *arena, const char *location, int64_t on_hand)
{
    StockLevel *level = message_new(arena, &throughline__catalog__v1__stock_level__descriptor);

    stock_level_init(arena, "tent", location, level);
    CU_ASSERT_PTR_NULL(stock_set(level, on_hand, arena));
    return level;
}

static StockHold *a_hold(Arena *arena, const char *attempt, int64_t quantity)
{
    StockHold *hold = message_new(arena, &throughline__catalog__v1__stock_hold__descriptor);

    hold->reservation = text(arena, "reservations/one");
    hold->attempt = text(arena, attempt);
    hold->quantity = quantity;
    hold->expire_time = timestamp_from_micros(arena, some_noon);
    return hold;
}

static void holds_reserve_and_free(void)
{
    Arena *arena = arena_new();
    StockLevel *level = a_level(arena, "berlin", 10);

    CU_ASSERT_PTR_NULL(stock_hold(level, a_hold(arena, "a", 3), arena));
    CU_ASSERT_PTR_NULL(stock_hold(level, a_hold(arena, "b", 2), arena));
    CU_ASSERT_PTR_NULL(stock_hold(level, a_hold(arena, "a", 1), arena));
    CHECK_INT(level->reserved, 6);
    CHECK_INT(level->available, 4);
    CHECK_INT(stock_held(level, "a"), 4);

    CHECK_INT(stock_drop(level, "a", false), 4);
    CHECK_INT(stock_drop(level, "a", false), 0);
    CHECK_INT(level->on_hand, 10);
    CHECK_INT(stock_drop(level, "b", true), 2);
    CHECK_INT(level->on_hand, 8);
    CHECK_INT(level->available, 8);
    arena_free(arena);
}

static void a_level_has_a_limit_of_holds(void)
{
    Arena *arena = arena_new();
    StockLevel *level = a_level(arena, "berlin", STOCK_MAX_PIECES);

    for (int i = 0; i < STOCK_MAX_HOLDS; i++)
        CU_ASSERT_PTR_NULL(
            stock_hold(level, a_hold(arena, arena_printf(arena, "%d", i), 1), arena));
    CHECK_TEXT(error_reason(stock_hold(level, a_hold(arena, "more", 1), arena)), "STOCK_BUSY");
    CU_ASSERT_PTR_NULL(stock_hold(level, a_hold(arena, "7", 1), arena));
    arena_free(arena);
}

static void a_count_below_what_is_reserved_is_refused(void)
{
    Arena *arena = arena_new();
    StockLevel *level = a_level(arena, "berlin", 10);

    CU_ASSERT_PTR_NULL(stock_hold(level, a_hold(arena, "a", 3), arena));

    CHECK_TEXT(error_reason(stock_set(level, 2, arena)), "STOCK_RESERVED");
    CHECK_TEXT(error_reason(stock_set(level, -1, arena)), "STOCK_RESERVED");
    CHECK_TEXT(
        error_reason(stock_set(level, STOCK_MAX_PIECES + INT64_C(1), arena)), "STOCK_TOO_LARGE");
    CHECK_INT(level->on_hand, 10);
    CU_ASSERT_PTR_NULL(stock_set(level, 3, arena));
    CHECK_INT(level->available, 0);
    arena_free(arena);
}

static void the_fullest_location_that_has_enough_serves_alone(void)
{
    Arena *arena = arena_new();
    StockLevel *levels[LEVELS] = { a_level(arena, "a", 2), a_level(arena, "b", 5),
        a_level(arena, "c", 9), a_level(arena, "d", 9) };
    ReserveLine line = THROUGHLINE__CATALOG__V1__RESERVE_LINE__INIT;
    StockPart parts[LEVELS];
    int64_t missing;

    line.sku = text(arena, "tent");
    line.quantity = 6;
    CHECK_INT(stock_allocate(&line, levels, LEVELS, parts, &missing), 1);
    CHECK_INT(missing, 0);
    CHECK_TEXT(parts[0].level->location, "c");
    CHECK_INT(parts[0].quantity, 6);
    arena_free(arena);
}

static void a_large_line_is_split_from_the_fullest_on(void)
{
    Arena *arena = arena_new();
    StockLevel *levels[LEVELS] = { a_level(arena, "a", 2), a_level(arena, "b", 5),
        a_level(arena, "c", 9), a_level(arena, "d", 0) };
    ReserveLine line = THROUGHLINE__CATALOG__V1__RESERVE_LINE__INIT;
    StockPart parts[LEVELS];
    int64_t missing;

    line.sku = text(arena, "tent");
    line.quantity = 15;
    CHECK_INT(stock_allocate(&line, levels, LEVELS, parts, &missing), 3);
    CHECK_TEXT(parts[0].level->location, "c");
    CHECK_TEXT(parts[2].level->location, "a");
    CHECK_INT(parts[2].quantity, 1);
    CHECK_INT(missing, 0);

    line.quantity = 20;
    CHECK_INT(stock_allocate(&line, levels, LEVELS, parts, &missing), 3);
    CHECK_INT(missing, 4);
    arena_free(arena);
}

static void a_line_keeps_to_its_location_and_sku(void)
{
    Arena *arena = arena_new();
    StockLevel *levels[2] = { a_level(arena, "a", 2), a_level(arena, "b", 5) };
    ReserveLine line = THROUGHLINE__CATALOG__V1__RESERVE_LINE__INIT;
    StockPart parts[2];
    int64_t missing;

    line.sku = text(arena, "tent");
    line.location = text(arena, "a");
    line.quantity = 3;
    CHECK_INT(stock_allocate(&line, levels, 2, parts, &missing), 1);
    CHECK_INT(missing, 1);
    line.sku = text(arena, "rope");
    CHECK_INT(stock_allocate(&line, levels, 2, parts, &missing), 0);
    CHECK_INT(missing, 3);
    arena_free(arena);
}

static void an_import_that_repeats_itself_is_no_news(void)
{
    Arena *arena = arena_new();
    StockLevel *level = a_level(arena, "berlin", 10);

    CU_ASSERT(stock_is_news(level, 0));
    level->is_imported = true;
    level->imported = 10;
    CU_ASSERT_FALSE(stock_is_news(level, 10));
    CU_ASSERT(stock_is_news(level, 11));
    arena_free(arena);
}

/* Reservations. */

typedef Throughline__Catalog__V1__Reservation__State State;

static Reservation *a_reservation(Arena *arena, State state)
{
    Reservation *reservation =
        message_new(arena, &throughline__catalog__v1__reservation__descriptor);

    reservation_init(arena, "reservations/one", "a", some_noon - 10, some_noon, reservation);
    reservation_add(arena, "tent", "berlin", 1, reservation);
    reservation_add(arena, "tent", "hamburg", 1, reservation);
    reservation_add(arena, "tent", "berlin", 2, reservation);
    reservation->state = state;
    return reservation;
}

static void pieces_of_one_place_are_one_line(void)
{
    Arena *arena = arena_new();
    const Reservation *reservation = a_reservation(arena, 1);

    CHECK_INT(reservation->n_lines, 2);
    CHECK_INT(reservation->lines[0]->quantity, 3);
    arena_free(arena);
}

/* Every end in every state: what it leads to, "done" when there is nothing to do, or why not. */
static void every_end_in_every_state(void)
{
    static const char *const names[] = { "", "HELD", "CONFIRMING", "CONFIRMED", "RELEASING",
        "RELEASED", "EXPIRING", "EXPIRED" };
    static const struct {
        const char *state, *sell, *give_back, *finish;
    } rows[] = {
        { "HELD", "CONFIRMING", "RELEASING", "done" },
        { "CONFIRMING", "CONFIRMING", "RESERVATION_CONFIRMED", "CONFIRMING" },
        { "CONFIRMED", "done", "RESERVATION_CONFIRMED", "done" },
        { "RELEASING", "RESERVATION_RELEASED", "RELEASING", "RELEASING" },
        { "RELEASED", "RESERVATION_RELEASED", "done", "done" },
        { "EXPIRING", "RESERVATION_EXPIRED", "EXPIRING", "EXPIRING" },
        { "EXPIRED", "RESERVATION_EXPIRED", "done", "done" },
    };
    Arena *arena = arena_new();

    for (size_t i = 0; i < COUNT(rows); i++)
        for (int end = RESERVATION_SELL; end <= RESERVATION_FINISH; end++) {
            const char *expected[] = { rows[i].sell, rows[i].give_back, rows[i].finish };
            Reservation *reservation = a_reservation(arena, (State)(i + 1));
            bool is_done;
            const Error *error =
                reservation_close(reservation, (ReservationEnd)end, some_noon - 1, arena, &is_done);

            CHECK_TEXT(error     ? error->reason
                       : is_done ? "done"
                                 : names[reservation->state],
                expected[end]);
        }
    arena_free(arena);
}

static void what_is_over_cannot_be_sold(void)
{
    Arena *arena = arena_new();
    Reservation *reservation = a_reservation(arena, 1);
    bool is_done;

    CHECK_TEXT(
        error_reason(reservation_close(reservation, RESERVATION_SELL, some_noon, arena, &is_done)),
        "RESERVATION_EXPIRED");
    CU_ASSERT_PTR_NULL(
        reservation_close(reservation, RESERVATION_FINISH, some_noon, arena, &is_done));
    CU_ASSERT_FALSE(is_done);
    CHECK_INT(reservation->state, THROUGHLINE__CATALOG__V1__RESERVATION__STATE__EXPIRING);
    CU_ASSERT_FALSE(reservation_is_sale(reservation));
    reservation_closed(reservation, some_noon, arena);
    CHECK_INT(reservation->state, THROUGHLINE__CATALOG__V1__RESERVATION__STATE__EXPIRED);
    CHECK_TEXT(reservation->due, "");
    CHECK_INT(timestamp_to_micros(reservation->close_time), some_noon);
    arena_free(arena);
}

int main(int argc, char **argv)
{
    CU_TestInfo levels[] = {
        { "holds_reserve_and_free", holds_reserve_and_free },
        { "a_level_has_a_limit_of_holds", a_level_has_a_limit_of_holds },
        { "a_count_below_what_is_reserved_is_refused", a_count_below_what_is_reserved_is_refused },
        { "the_fullest_location_that_has_enough_serves_alone",
            the_fullest_location_that_has_enough_serves_alone },
        { "a_large_line_is_split_from_the_fullest_on", a_large_line_is_split_from_the_fullest_on },
        { "a_line_keeps_to_its_location_and_sku", a_line_keeps_to_its_location_and_sku },
        { "an_import_that_repeats_itself_is_no_news", an_import_that_repeats_itself_is_no_news },
        CU_TEST_INFO_NULL,
    };
    CU_TestInfo ends[] = {
        { "pieces_of_one_place_are_one_line", pieces_of_one_place_are_one_line },
        { "every_end_in_every_state", every_end_in_every_state },
        { "what_is_over_cannot_be_sold", what_is_over_cannot_be_sold },
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        { .pName = "levels", .pTests = levels },
        { .pName = "reservations", .pTests = ends },
        CU_SUITE_INFO_NULL,
    };

    return test_main("catalog_stock", suites, argc, argv);
}
