/* A catalogue with stock: what its tests do to it. */
#ifndef THROUGHLINE_TESTS_CATALOG_STOCK_FIXTURE_H
#define THROUGHLINE_TESTS_CATALOG_STOCK_FIXTURE_H

#include "services/catalog/stock/stock_store.h"
#include "tests/service/catalog/catalog_fixture.h"

typedef Throughline__Catalog__V1__GetStockResponse GetStockResponse;
typedef Throughline__Catalog__V1__ListStockRequest ListStockRequest;
typedef Throughline__Catalog__V1__ListStockResponse ListStockResponse;
typedef Throughline__Catalog__V1__ReserveRequest ReserveRequest;

/* A catalogue with the tent of builders.h and no stock. */
void start_stock(void);

/* Says what is on hand; or how many more. The replies are initialised here. */
const Error *stock_count(const char *sku, const char *location, int64_t on_hand, StockLevel *level);
const Error *stock_change(const char *sku, const char *location, int64_t change, StockLevel *level);
/* The same, and it must be taken. */
void stock_prepare(const char *sku, const char *location, int64_t on_hand);

const Error *stock_get(const char *sku, GetStockResponse *stock);
/* The sums of all locations. */
GetStockResponse stock_sum(const char *sku);

ReserveLine *stock_line(const char *sku, const char *location, int32_t quantity);
/* For "carts/one", for the usual time. */
const Error *stock_reserve_lines(
    ReserveLine **lines, size_t n_lines, const char *request_id, Reservation *reservation);
const Error *stock_reserve_one(const char *sku, const char *location, int32_t quantity,
    const char *request_id, Reservation *reservation);
/* "Confirm", "Release" or "GetReservation". */
const Error *stock_end(const char *verb, const char *name, Reservation *reservation);

/* What accidents leave behind. */

/* The reservation's time is over now, and that of its holds. */
void stock_make_old(const char *name);
/* Pieces held, their time over, by an attempt that never made its reservation. */
void stock_leave_orphan(
    const char *sku, const char *location, int64_t quantity, const char *reservation);
/* Decided as sold, and only the first line carried out; long enough ago for the job. */
void stock_leave_half_sold(const char *name);

/* Waits until so many are reserved; false after 10 s. */
bool stock_wait_reserved(const char *sku, int64_t reserved);

#endif
