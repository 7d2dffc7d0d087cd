/* Stock and reservations, over gRPC. */
#include "tests/service/catalog/stock_fixture.h"

#include "shared/base/clock.h"
#include "shared/codec/message.h"
#include "shared/codec/types.h"

/* What is there. */

static void a_counted_stock_is_shown(void)
{
    StockLevel level;
    GetStockResponse stock;

    CU_ASSERT_PTR_NULL(stock_count("tent-green", "berlin", 7, &level));
    CU_ASSERT_PTR_NULL(stock_change("tent-green", "berlin", -2, &level));

    CHECK_INT(level.on_hand, 5);
    CHECK_INT(level.available, 5);
    CHECK_TEXT(level.etag, "2");
    CHECK_TEXT(level.name, "locations/berlin/stock/tent-green");
    CU_ASSERT_PTR_NULL(stock_get("tent-green", &stock));
    CHECK_INT(stock.n_levels, 1);
    CHECK_INT(stock.on_hand, 5);
}

static void corrections_are_checked(void)
{
    Throughline__Catalog__V1__CorrectStockRequest request =
        THROUGHLINE__CATALOG__V1__CORRECT_STOCK_REQUEST__INIT;
    StockLevel level = THROUGHLINE__CATALOG__V1__STOCK_LEVEL__INIT;
    const Error *error;

    request.sku = text(arena, "no sku");
    request.location = text(arena, "Berlin");
    request.reason = THROUGHLINE__CATALOG__V1__STOCK_REASON__STOCK_REASON_RESERVATION;
    request.note = arena_printf(arena, "%0201d", 0);
    request.request_id = text(arena, "not valid");
    error = fixture_call(fixture, "StockService/CorrectStock", &request, &level);

    CHECK_INT(error->n_violations, 6);
    CU_ASSERT(has_violation(error, "sku"));
    CU_ASSERT(has_violation(error, "location"));
    CU_ASSERT(has_violation(error, "counted"));
    CU_ASSERT(has_violation(error, "reason"));
    CU_ASSERT(has_violation(error, "note"));
    CU_ASSERT(has_violation(error, "request_id"));
    CU_ASSERT(has_violation(stock_count("tent-green", "berlin", -1, &level), "counted"));
    CU_ASSERT(has_violation(stock_change("tent-green", "berlin", 0, &level), "change"));
    CHECK_TEXT(error_reason(stock_count("unheard-of", "berlin", 1, &level)), "VARIANT_NOT_FOUND");
    CHECK_TEXT(error_reason(stock_change("tent-green", "nowhere", -1, &level)), "STOCK_RESERVED");
    CU_ASSERT_PTR_NULL(stock_count("tent-green", "full", STOCK_MAX_PIECES, &level));
    CHECK_TEXT(error_reason(stock_change("tent-green", "full", 1, &level)), "STOCK_TOO_LARGE");
}

static void a_stale_correction_is_refused_and_a_repeated_one_counts_once(void)
{
    Throughline__Catalog__V1__CorrectStockRequest request =
        THROUGHLINE__CATALOG__V1__CORRECT_STOCK_REQUEST__INIT;
    StockLevel level = THROUGHLINE__CATALOG__V1__STOCK_LEVEL__INIT;

    stock_prepare("tent-green", "berlin", 7);
    request.sku = text(arena, "tent-green");
    request.location = text(arena, "berlin");
    request.correction_case = THROUGHLINE__CATALOG__V1__CORRECT_STOCK_REQUEST__CORRECTION_CHANGE;
    request.change = 3;
    request.reason = THROUGHLINE__CATALOG__V1__STOCK_REASON__STOCK_REASON_DELIVERY;
    request.request_id = text(arena, "delivery-1");
    for (int i = 0; i < 3; i++)
        CU_ASSERT_PTR_NULL(fixture_call(fixture, "StockService/CorrectStock", &request, &level));
    CHECK_INT(stock_sum("tent-green").on_hand, 10);

    request.request_id = text(arena, "delivery-2");
    request.etag = text(arena, "1");
    CHECK_TEXT(error_reason(fixture_call(fixture, "StockService/CorrectStock", &request, &level)),
        "ETAG_STALE");
}

static void a_correction_is_told(void)
{
    const Event *event;
    const StockChanged *told;

    stock_prepare("tent-green", "berlin", 7);
    event = fixture_event(fixture, "locations/berlin/stock/tent-green", 1);

    CU_ASSERT_PTR_NOT_NULL_FATAL(event);
    told = event_payload(arena, event, &throughline__catalog__v1__stock_changed__descriptor);
    CU_ASSERT_PTR_NOT_NULL_FATAL(told);
    CHECK_INT(told->level->on_hand, 7);
    CHECK_INT(told->on_hand_change, 7);
    CHECK_TEXT(told->note, "counted");
}

static void stock_of_a_location_is_listed_in_pages(void)
{
    ListStockRequest request = THROUGHLINE__CATALOG__V1__LIST_STOCK_REQUEST__INIT;
    ListStockResponse page = THROUGHLINE__CATALOG__V1__LIST_STOCK_RESPONSE__INIT;

    stock_prepare("tent-green", "berlin", 1);
    stock_prepare("tent-red", "berlin", 2);
    stock_prepare("tent-red", "hamburg", 3);
    request.location = text(arena, "berlin");
    request.page_size = 1;
    CU_ASSERT_PTR_NULL(fixture_call(fixture, "StockService/ListStock", &request, &page));
    CHECK_INT(page.n_levels, 1);
    CHECK_TEXT(page.levels[0]->sku, "tent-green");

    request.page_token = page.next_page_token;
    throughline__catalog__v1__list_stock_response__init(&page);
    CU_ASSERT_PTR_NULL(fixture_call(fixture, "StockService/ListStock", &request, &page));
    CHECK_INT(page.n_levels, 1);
    CHECK_TEXT(page.levels[0]->sku, "tent-red");
    CHECK_TEXT(page.next_page_token, "");

    request.location = text(arena, "");
    request.page_token = text(arena, "");
    CU_ASSERT(has_violation(
        fixture_call(fixture, "StockService/ListStock", &request, &page), "location"));
}

static void the_stock_of_nothing_is_not_found(void)
{
    GetStockResponse stock;

    CHECK_TEXT(error_reason(stock_get("unheard-of", &stock)), "VARIANT_NOT_FOUND");
    CU_ASSERT(has_violation(stock_get("no sku", &stock), "sku"));
    CU_ASSERT_PTR_NULL(stock_get("tent-green", &stock));
    CHECK_INT(stock.n_levels, 0);
}

/* Reserving. */

static void what_is_reserved_is_not_available(void)
{
    Reservation reservation;
    GetStockResponse stock;

    stock_prepare("tent-green", "berlin", 5);
    CU_ASSERT_PTR_NULL(stock_reserve_one("tent-green", "", 3, "", &reservation));

    CHECK_INT(reservation.state, THROUGHLINE__CATALOG__V1__RESERVATION__STATE__HELD);
    CHECK_INT(reservation.n_lines, 1);
    CHECK_TEXT(reservation.lines[0]->location, "berlin");
    CHECK_TEXT(reservation.holder, "carts/one");
    CU_ASSERT_PTR_NULL(stock_get("tent-green", &stock));
    CHECK_INT(stock.on_hand, 5);
    CHECK_INT(stock.reserved, 3);
    CHECK_INT(stock.available, 2);
    CHECK_INT(stock.levels[0]->n_holds, 1);
    CHECK_TEXT(stock.levels[0]->holds[0]->reservation, reservation.name);
}

static void what_is_confirmed_is_gone(void)
{
    Reservation reservation;
    Reservation again;

    stock_prepare("tent-green", "berlin", 5);
    CU_ASSERT_PTR_NULL(stock_reserve_one("tent-green", "", 3, "", &reservation));
    CU_ASSERT_PTR_NULL(stock_end("Confirm", reservation.name, &reservation));
    CU_ASSERT_PTR_NULL(stock_end("Confirm", reservation.name, &again));

    CHECK_INT(reservation.state, THROUGHLINE__CATALOG__V1__RESERVATION__STATE__CONFIRMED);
    CU_ASSERT(message_equal(&reservation, &again));
    CHECK_INT(stock_sum("tent-green").on_hand, 2);
    CHECK_INT(stock_sum("tent-green").reserved, 0);
    CHECK_TEXT(
        error_reason(stock_end("Release", reservation.name, &again)), "RESERVATION_CONFIRMED");
}

static void what_is_released_is_free_again(void)
{
    Reservation reservation;
    Reservation again;

    stock_prepare("tent-green", "berlin", 5);
    CU_ASSERT_PTR_NULL(stock_reserve_one("tent-green", "", 5, "", &reservation));
    CU_ASSERT_PTR_NULL(stock_end("Release", reservation.name, &reservation));
    CU_ASSERT_PTR_NULL(stock_end("Release", reservation.name, &again));

    CHECK_INT(again.state, THROUGHLINE__CATALOG__V1__RESERVATION__STATE__RELEASED);
    CHECK_INT(stock_sum("tent-green").available, 5);
    CHECK_TEXT(
        error_reason(stock_end("Confirm", reservation.name, &again)), "RESERVATION_RELEASED");
}

static void a_short_line_leaves_all_as_it_was(void)
{
    ReserveLine *lines[] = { stock_line("tent-green", "", 2), stock_line("tent-red", "", 3),
        stock_line("tent-red", "hamburg", 1) };
    Reservation reservation;
    const Error *error;

    stock_prepare("tent-green", "berlin", 5);
    stock_prepare("tent-red", "berlin", 2);
    error = stock_reserve_lines(lines, 3, "", &reservation);

    CHECK_TEXT(error_reason(error), "OUT_OF_STOCK");
    CHECK_INT(error->n_violations, 2);
    CU_ASSERT(has_violation(error, "lines[1]"));
    CU_ASSERT(has_violation(error, "lines[2]"));
    CHECK_TEXT(error_fact(error, "sku"), "tent-red");
    CHECK_TEXT(error_fact(error, "location"), "hamburg");
    CHECK_TEXT(error_fact(error, "asked"), "1");
    CHECK_TEXT(error_fact(error, "available"), "0");
    CHECK_INT(stock_sum("tent-green").reserved, 0);
    CHECK_INT(stock_sum("tent-red").reserved, 0);
}

static const Error *reserve_what_is_counted(
    ReserveLine **lines, size_t n_lines, Reservation *reservation)
{
    ReserveRequest request = THROUGHLINE__CATALOG__V1__RESERVE_REQUEST__INIT;

    throughline__catalog__v1__reservation__init(reservation);
    request.lines = lines;
    request.n_lines = n_lines;
    request.skips_uncounted = true;
    return fixture_call(fixture, "StockService/Reserve", &request, reservation);
}

static void what_nobody_has_counted_is_not_limited_where_that_is_asked_for(void)
{
    ReserveLine *lines[] = { stock_line("tent-green", "berlin", 2), stock_line("tent-red", "", 3) };
    Reservation reservation;

    CU_ASSERT_PTR_NULL(reserve_what_is_counted(lines, 2, &reservation));
    CHECK_TEXT(reservation.name, "");
    stock_prepare("tent-red", "berlin", 3);
    CU_ASSERT_PTR_NULL(reserve_what_is_counted(lines, 2, &reservation));
    CHECK_INT(reservation.n_lines, 1);
    CHECK_TEXT(reservation.lines[0]->sku, "tent-red");
    /* Counted elsewhere is counted. */
    stock_prepare("tent-green", "hamburg", 5);
    CHECK_TEXT(error_reason(reserve_what_is_counted(lines, 1, &reservation)), "OUT_OF_STOCK");
    CHECK_INT(stock_sum("tent-green").reserved, 0);
}

static const Error *restock(
    const char *sku, int32_t quantity, const char *request_id, StockLevel *level)
{
    Throughline__Catalog__V1__RestockRequest request =
        THROUGHLINE__CATALOG__V1__RESTOCK_REQUEST__INIT;

    throughline__catalog__v1__stock_level__init(level);
    request.sku = text(arena, sku);
    request.location = text(arena, "berlin");
    request.quantity = quantity;
    request.holder = text(arena, "orders/one");
    request.request_id = text(arena, request_id);
    return fixture_call(fixture, "StockService/Restock", &request, level);
}

static void what_was_sold_comes_back_once(void)
{
    Reservation reservation;
    StockLevel level;

    stock_prepare("tent-green", "berlin", 5);
    CU_ASSERT_PTR_NULL(stock_reserve_one("tent-green", "berlin", 2, "", &reservation));
    CU_ASSERT_PTR_NULL(stock_end("Confirm", reservation.name, &reservation));
    for (int i = 0; i < 3; i++)
        CU_ASSERT_PTR_NULL(restock("tent-green", 2, "note-1", &level));

    CHECK_INT(level.on_hand, 5);
    CHECK_INT(stock_sum("tent-green").available, 5);
    CU_ASSERT(has_violation(restock("tent-green", 0, "", &level), "quantity"));
    CHECK_TEXT(error_reason(restock("unheard-of", 1, "", &level)), "VARIANT_NOT_FOUND");
    CHECK_TEXT(error_reason(restock("tent-green", 3, "note-1", &level)), "REQUEST_ID_REUSED");
}

static void a_line_may_come_from_several_locations(void)
{
    Reservation reservation;

    stock_prepare("tent-red", "berlin", 2);
    stock_prepare("tent-red", "hamburg", 3);
    CU_ASSERT_PTR_NULL(stock_reserve_one("tent-red", "", 4, "", &reservation));

    CHECK_INT(reservation.n_lines, 2);
    CHECK_TEXT(reservation.lines[0]->location, "hamburg");
    CHECK_INT(reservation.lines[0]->quantity, 3);
    CHECK_TEXT(reservation.lines[1]->location, "berlin");
    CHECK_INT(reservation.lines[1]->quantity, 1);
}

static void one_request_reserves_once(void)
{
    Reservation first;
    Reservation second;

    stock_prepare("tent-red", "berlin", 5);
    CU_ASSERT_PTR_NULL(stock_reserve_one("tent-red", "", 2, "twice", &first));
    CU_ASSERT_PTR_NULL(stock_reserve_one("tent-red", "", 2, "twice", &second));

    CU_ASSERT(message_equal(&first, &second));
    CHECK_INT(stock_sum("tent-red").reserved, 2);
    CHECK_TEXT(
        error_reason(stock_reserve_one("tent-red", "", 3, "twice", &second)), "REQUEST_ID_REUSED");
}

static void a_refused_request_may_come_again(void)
{
    Reservation reservation;

    stock_prepare("tent-red", "berlin", 1);
    CHECK_TEXT(
        error_reason(stock_reserve_one("tent-red", "", 2, "soon", &reservation)), "OUT_OF_STOCK");
    stock_prepare("tent-red", "berlin", 2);
    CU_ASSERT_PTR_NULL(stock_reserve_one("tent-red", "", 2, "soon", &reservation));
}

static void reservations_are_checked(void)
{
    ReserveRequest request = THROUGHLINE__CATALOG__V1__RESERVE_REQUEST__INIT;
    Reservation reservation = THROUGHLINE__CATALOG__V1__RESERVATION__INIT;
    ReserveLine *lines[] = { stock_line("no sku", "Berlin", 0), stock_line("tent-red", "", 1),
        stock_line("tent-red", "", 1) };
    const Error *error;

    request.holder = arena_printf(arena, "%0121d", 0);
    request.ttl_seconds = 9;
    request.lines = lines;
    request.n_lines = 3;
    error = fixture_call(fixture, "StockService/Reserve", &request, &reservation);

    CHECK_INT(error->n_violations, 6);
    CU_ASSERT(has_violation(error, "lines[0].sku"));
    CU_ASSERT(has_violation(error, "lines[0].location"));
    CU_ASSERT(has_violation(error, "lines[0].quantity"));
    CU_ASSERT(has_violation(error, "lines[2].sku"));
    CU_ASSERT(has_violation(error, "holder"));
    CU_ASSERT(has_violation(error, "ttl_seconds"));
    request.n_lines = 0;
    CU_ASSERT(has_violation(
        fixture_call(fixture, "StockService/Reserve", &request, &reservation), "lines"));
    CHECK_TEXT(error_reason(stock_end("Confirm", "reservations/none", &reservation)),
        "RESERVATION_NOT_FOUND");
    CHECK_TEXT(error_reason(stock_end("Release", "reservations/none", &reservation)),
        "RESERVATION_NOT_FOUND");
    CHECK_TEXT(error_reason(stock_end("GetReservation", "reservations/none", &reservation)),
        "RESERVATION_NOT_FOUND");
    CU_ASSERT(has_violation(stock_end("Confirm", "tents/1", &reservation), "name"));
    CU_ASSERT(has_violation(stock_end("Release", "tents/1", &reservation), "name"));
    CU_ASSERT(has_violation(stock_end("GetReservation", "tents/1", &reservation), "name"));
}

static void reserving_needs_the_right(void)
{
    RpcOutgoing outgoing = fixture_outgoing(fixture);
    ReserveRequest request = THROUGHLINE__CATALOG__V1__RESERVE_REQUEST__INIT;
    Reservation reservation = THROUGHLINE__CATALOG__V1__RESERVATION__INIT;

    outgoing.token = fixture_token(fixture, "catalog.read catalog.write", "web");
    CHECK_TEXT(error_reason(fixture_call_with(
                   fixture, &outgoing, "StockService/Reserve", &request, &reservation)),
        "SCOPE_MISSING");
}

/* Time. */

static void what_expires_is_free_again(void)
{
    Reservation first;
    Reservation second;
    Reservation seen;

    stock_prepare("tent-red", "berlin", 2);
    CU_ASSERT_PTR_NULL(stock_reserve_one("tent-red", "", 2, "", &first));
    stock_make_old(first.name);

    /* Whether the job or this call comes first, the pieces are free. */
    CU_ASSERT_PTR_NULL(stock_reserve_one("tent-red", "", 2, "", &second));
    CHECK_TEXT(error_reason(stock_end("Confirm", first.name, &seen)), "RESERVATION_EXPIRED");
    CU_ASSERT_PTR_NULL(stock_end("GetReservation", first.name, &seen));
    CHECK_INT(seen.state, THROUGHLINE__CATALOG__V1__RESERVATION__STATE__EXPIRED);
    CHECK_INT(stock_sum("tent-red").reserved, 2);
}

static void the_job_gives_back_what_expires(void)
{
    Reservation reservation;

    stock_prepare("tent-red", "berlin", 2);
    CU_ASSERT_PTR_NULL(stock_reserve_one("tent-red", "", 2, "", &reservation));
    stock_make_old(reservation.name);

    CU_ASSERT(stock_wait_reserved("tent-red", 0));
}

static void pieces_of_a_reservation_that_was_never_made_come_back(void)
{
    Reservation reservation;

    stock_prepare("tent-red", "berlin", 2);
    stock_leave_orphan("tent-red", "berlin", 2, "reservations/lost");

    CU_ASSERT_PTR_NULL(stock_reserve_one("tent-red", "", 2, "", &reservation));
    CHECK_INT(stock_sum("tent-red").reserved, 2);
    /* Whoever was still about to make it finds out. */
    CU_ASSERT_PTR_NULL(stock_end("GetReservation", "reservations/lost", &reservation));
    CHECK_INT(reservation.state, THROUGHLINE__CATALOG__V1__RESERVATION__STATE__EXPIRED);
}

static void a_sale_that_was_left_half_way_is_carried_out(void)
{
    Reservation reservation;

    stock_prepare("tent-red", "berlin", 2);
    stock_prepare("tent-green", "berlin", 2);
    CU_ASSERT_PTR_NULL(stock_reserve_lines(
        (ReserveLine *[]){ stock_line("tent-red", "", 1), stock_line("tent-green", "", 1) }, 2, "",
        &reservation));
    stock_leave_half_sold(reservation.name);

    CU_ASSERT(stock_wait_reserved("tent-green", 0));
    CU_ASSERT(stock_wait_reserved("tent-red", 0));
    CHECK_INT(stock_sum("tent-red").on_hand, 1);
    CHECK_INT(stock_sum("tent-green").on_hand, 1);
}

int main(int argc, char **argv)
{
    CU_TestInfo levels[] = {
        { "a_counted_stock_is_shown", a_counted_stock_is_shown },
        { "corrections_are_checked", corrections_are_checked },
        { "a_stale_correction_is_refused_and_a_repeated_one_counts_once",
            a_stale_correction_is_refused_and_a_repeated_one_counts_once },
        { "a_correction_is_told", a_correction_is_told },
        { "stock_of_a_location_is_listed_in_pages", stock_of_a_location_is_listed_in_pages },
        { "the_stock_of_nothing_is_not_found", the_stock_of_nothing_is_not_found },
        CU_TEST_INFO_NULL,
    };
    CU_TestInfo reserving[] = {
        { "what_is_reserved_is_not_available", what_is_reserved_is_not_available },
        { "what_is_confirmed_is_gone", what_is_confirmed_is_gone },
        { "what_is_released_is_free_again", what_is_released_is_free_again },
        { "a_short_line_leaves_all_as_it_was", a_short_line_leaves_all_as_it_was },
        { "what_nobody_has_counted_is_not_limited_where_that_is_asked_for",
            what_nobody_has_counted_is_not_limited_where_that_is_asked_for },
        { "what_was_sold_comes_back_once", what_was_sold_comes_back_once },
        { "a_line_may_come_from_several_locations", a_line_may_come_from_several_locations },
        { "one_request_reserves_once", one_request_reserves_once },
        { "a_refused_request_may_come_again", a_refused_request_may_come_again },
        { "reservations_are_checked", reservations_are_checked },
        { "reserving_needs_the_right", reserving_needs_the_right },
        CU_TEST_INFO_NULL,
    };
    CU_TestInfo times[] = {
        { "what_expires_is_free_again", what_expires_is_free_again },
        { "the_job_gives_back_what_expires", the_job_gives_back_what_expires },
        { "pieces_of_a_reservation_that_was_never_made_come_back",
            pieces_of_a_reservation_that_was_never_made_come_back },
        { "a_sale_that_was_left_half_way_is_carried_out",
            a_sale_that_was_left_half_way_is_carried_out },
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        { .pName = "levels",
            .pSetUpFunc = start_stock,
            .pTearDownFunc = stop_catalog,
            .pTests = levels },
        { .pName = "reserving",
            .pSetUpFunc = start_stock,
            .pTearDownFunc = stop_catalog,
            .pTests = reserving },
        { .pName = "times",
            .pSetUpFunc = start_stock,
            .pTearDownFunc = stop_catalog,
            .pTests = times },
        CU_SUITE_INFO_NULL,
    };

    return test_main("catalog_stock_service", suites, argc, argv);
}
