#include "tests/service/catalog/stock_fixture.h"

#include "shared/base/clock.h"
#include "shared/codec/message.h"
#include "shared/codec/types.h"

typedef Throughline__Catalog__V1__CorrectStockRequest CorrectStockRequest;

enum { WAIT_MS = 10000, STEP_MS = 5 };

void start_stock(void)
{
    Product *product;

    start_catalog();
    product = a_product(arena);
    for (size_t i = 0; i < product->n_variants; i++)
        product->variants[i]->n_stock = 0;
    import_all(&product, 1);
}

static const Error *correct(
    const char *sku, const char *location, CorrectStockRequest *request, StockLevel *level)
{
    throughline__catalog__v1__stock_level__init(level);
    request->sku = text(arena, sku);
    request->location = text(arena, location);
    request->reason = THROUGHLINE__CATALOG__V1__STOCK_REASON__STOCK_REASON_COUNTED;
    request->note = text(arena, "counted");
    return fixture_call(fixture, "StockService/CorrectStock", request, level);
}

const Error *stock_count(const char *sku, const char *location, int64_t on_hand, StockLevel *level)
{
    CorrectStockRequest request = THROUGHLINE__CATALOG__V1__CORRECT_STOCK_REQUEST__INIT;

    request.correction_case = THROUGHLINE__CATALOG__V1__CORRECT_STOCK_REQUEST__CORRECTION_COUNTED;
    request.counted = on_hand;
    return correct(sku, location, &request, level);
}

const Error *stock_change(const char *sku, const char *location, int64_t change, StockLevel *level)
{
    CorrectStockRequest request = THROUGHLINE__CATALOG__V1__CORRECT_STOCK_REQUEST__INIT;

    request.correction_case = THROUGHLINE__CATALOG__V1__CORRECT_STOCK_REQUEST__CORRECTION_CHANGE;
    request.change = change;
    return correct(sku, location, &request, level);
}

void stock_prepare(const char *sku, const char *location, int64_t on_hand)
{
    StockLevel level;

    CHECK_TEXT(error_reason(stock_count(sku, location, on_hand, &level)), "OK");
}

const Error *stock_get(const char *sku, GetStockResponse *stock)
{
    Throughline__Catalog__V1__GetStockRequest request =
        THROUGHLINE__CATALOG__V1__GET_STOCK_REQUEST__INIT;

    throughline__catalog__v1__get_stock_response__init(stock);
    request.sku = text(arena, sku);
    return fixture_call(fixture, "StockService/GetStock", &request, stock);
}

GetStockResponse stock_sum(const char *sku)
{
    GetStockResponse stock;

    CHECK_TEXT(error_reason(stock_get(sku, &stock)), "OK");
    return stock;
}

ReserveLine *stock_line(const char *sku, const char *location, int32_t quantity)
{
    ReserveLine *line = message_new(arena, &throughline__catalog__v1__reserve_line__descriptor);

    line->sku = text(arena, sku);
    line->location = text(arena, location);
    line->quantity = quantity;
    return line;
}

const Error *stock_reserve_lines(
    ReserveLine **lines, size_t n_lines, const char *request_id, Reservation *reservation)
{
    ReserveRequest request = THROUGHLINE__CATALOG__V1__RESERVE_REQUEST__INIT;

    throughline__catalog__v1__reservation__init(reservation);
    request.lines = lines;
    request.n_lines = n_lines;
    request.holder = text(arena, "carts/one");
    request.request_id = text(arena, request_id);
    return fixture_call(fixture, "StockService/Reserve", &request, reservation);
}

const Error *stock_reserve_one(const char *sku, const char *location, int32_t quantity,
    const char *request_id, Reservation *reservation)
{
    ReserveLine *line = stock_line(sku, location, quantity);

    return stock_reserve_lines(&line, 1, request_id, reservation);
}

const Error *stock_end(const char *verb, const char *name, Reservation *reservation)
{
    /* The requests of all three begin with the name. */
    Throughline__Catalog__V1__ConfirmRequest confirm =
        THROUGHLINE__CATALOG__V1__CONFIRM_REQUEST__INIT;
    Throughline__Catalog__V1__ReleaseRequest release =
        THROUGHLINE__CATALOG__V1__RELEASE_REQUEST__INIT;
    Throughline__Catalog__V1__GetReservationRequest get =
        THROUGHLINE__CATALOG__V1__GET_RESERVATION_REQUEST__INIT;
    const char *method = arena_printf(arena, "StockService/%s", verb);

    throughline__catalog__v1__reservation__init(reservation);
    confirm.name = release.name = get.name = text(arena, name);
    if (text_equal(verb, "Confirm"))
        return fixture_call(fixture, method, &confirm, reservation);
    if (text_equal(verb, "Release"))
        return fixture_call(fixture, method, &release, reservation);
    return fixture_call(fixture, method, &get, reservation);
}

/* What accidents leave behind. */

static Reservation *load(StoreView *view, const char *name)
{
    Reservation *reservation =
        message_new(arena, &throughline__catalog__v1__reservation__descriptor);

    CU_ASSERT_PTR_NULL_FATAL(store_get(view, &reservations, name, reservation));
    return reservation;
}

static StockLevel *load_level(StoreView *view, const ReservedLine *line)
{
    StockLevel *level = message_new(arena, &throughline__catalog__v1__stock_level__descriptor);

    CU_ASSERT_PTR_NULL_FATAL(stock_load(view, line->sku, line->location, level));
    return level;
}

void stock_make_old(const char *name)
{
    StoreView view = fixture_view(fixture);
    Reservation *reservation = load(&view, name);
    int64_t past = clock_now() - 1;

    for (size_t i = 0; i < reservation->n_lines; i++) {
        StockLevel *level = load_level(&view, reservation->lines[i]);

        for (size_t j = 0; j < level->n_holds; j++)
            level->holds[j]->expire_time = timestamp_from_micros(arena, past);
        CU_ASSERT_PTR_NULL(store_replace(&view, &stock_levels, level, NULL));
    }
    reservation->expire_time = timestamp_from_micros(arena, past);
    reservation->due = (char *)reservation_due(arena, past, name);
    CU_ASSERT_PTR_NULL(store_replace(&view, &reservations, reservation, NULL));
}

void stock_leave_orphan(
    const char *sku, const char *location, int64_t quantity, const char *reservation)
{
    StoreView view = fixture_view(fixture);
    ReservedLine line = THROUGHLINE__CATALOG__V1__RESERVED_LINE__INIT;
    StockHold *hold = message_new(arena, &throughline__catalog__v1__stock_hold__descriptor);
    StockLevel *level;

    line.sku = text(arena, sku);
    line.location = text(arena, location);
    level = load_level(&view, &line);
    hold->reservation = text(arena, reservation);
    hold->attempt = text(arena, "lost");
    hold->quantity = quantity;
    hold->expire_time = timestamp_from_micros(arena, clock_now() - 1);
    CU_ASSERT_PTR_NULL(stock_hold(level, hold, arena));
    CU_ASSERT_PTR_NULL(store_replace(&view, &stock_levels, level, NULL));
}

void stock_leave_half_sold(const char *name)
{
    StoreView view = fixture_view(fixture);
    Reservation *reservation = load(&view, name);
    StockLevel *level = load_level(&view, reservation->lines[0]);
    bool is_done;

    CU_ASSERT_PTR_NULL(
        reservation_close(reservation, RESERVATION_SELL, clock_now(), arena, &is_done));
    reservation->due = (char *)reservation_due(arena, clock_now() - 1, name);
    CU_ASSERT_PTR_NULL(store_replace(&view, &reservations, reservation, NULL));
    CHECK_INT(stock_drop(level, reservation->attempt, true), reservation->lines[0]->quantity);
    /* The job may have been faster. */
    (void)store_replace(&view, &stock_levels, level, NULL);
}

bool stock_wait_reserved(const char *sku, int64_t reserved)
{
    int64_t end = clock_monotonic() + WAIT_MS * INT64_C(1000);

    while (stock_sum(sku).reserved != reserved && clock_monotonic() < end)
        clock_sleep_ms(STEP_MS);
    return stock_sum(sku).reserved == reserved;
}
