/* Stock levels and reservations in the store: what the handlers and the job of the stock share. */
#ifndef THROUGHLINE_CATALOG_STOCK_STORE_H
#define THROUGHLINE_CATALOG_STOCK_STORE_H

#include "services/catalog/catalog.h"
#include "services/catalog/domain/location.h"
#include "services/catalog/domain/reservation.h"

typedef Throughline__Catalog__V1__StockReason StockReason;
typedef Throughline__Catalog__V1__StockChanged StockChanged;

/* The level, a new one with an empty etag when there is none. */
const Error *stock_load(StoreView *view, const char *sku, const char *location, StockLevel *level);

/* All levels of a SKU, in the order of locations. */
const Error *stock_load_all(
    StoreView *view, const char *sku, StockLevel ***levels, size_t *n_levels);

/* Whether pieces of a level serve for the purpose, by what is known of its location. */
bool stock_serves(const RpcCall *call, const StockLevel *level, StockPurpose purpose);

/* What a level shows to the world: no holds. */
StockLevel *stock_shown(Arena *arena, const StockLevel *level);

/* Makes the write of a changed level with its event; `before` is what was on hand. */
void stock_write(const RpcCall *call, Arena *arena, StockLevel *level, const StockChanged *event,
    int64_t before, StoreWrite *write);

/* Ends one: decides if it is held, carries out what is decided. With `keeps_reply`, `reservation` is the call's reply. It takes turns
 * with others (race.h): not to be called inside another race. */
const Error *reservation_end(RpcCall *call, const char *name, ReservationEnd end, bool keeps_reply,
    Reservation *reservation);

/* Gives back what a level holds past its time; *is_freed when there was any. Not inside a race, as above. */
const Error *stock_reclaim(RpcCall *call, const StockLevel *level, bool *is_freed);

/* Gives back what an attempt holds at a level. Not inside a race, as above. */
const Error *stock_give_back(RpcCall *call, const StockLevel *level, const char *attempt);

#endif
