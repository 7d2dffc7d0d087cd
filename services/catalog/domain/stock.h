/* Pieces at places: what is on hand, who holds some of it, where to take a line from. A level never promises more than
 * there is: on_hand >= reserved, always. */
#ifndef THROUGHLINE_CATALOG_STOCK_H
#define THROUGHLINE_CATALOG_STOCK_H

#include "shared/base/error.h"
#include "shared/base/text.h"

#include "throughline/catalog/v1/stock.pb-c.h"

typedef Throughline__Catalog__V1__StockLevel StockLevel;
typedef Throughline__Catalog__V1__StockHold StockHold;
typedef Throughline__Catalog__V1__ReserveLine ReserveLine;
typedef Throughline__Catalog__V1__ReservedLine ReservedLine;

enum {
    STOCK_MAX_PIECES = 1000000000, /* on hand, at one location */
    STOCK_MAX_HOLDS = 2000,        /* at one level */
    LOCATION_MAX_ID = 63,
};

/* 1 to LOCATION_MAX_ID characters of [a-z0-9-]. */
bool location_is_valid(const char *location);

/* "locations/berlin/stock/SKU". */
const char *stock_level_name(Arena *arena, const char *sku, const char *location);

/* Of a new level: nothing is there. */
void stock_level_init(Arena *arena, const char *sku, const char *location, StockLevel *level);

/* What an attempt holds, 0 when nothing. */
int64_t stock_held(const StockLevel *level, const char *attempt);

/* Promises pieces that are available; more for an attempt that holds some. `hold` becomes part of the level.
 * Errors: RESOURCE_EXHAUSTED STOCK_BUSY. */
const Error *stock_hold(StockLevel *level, StockHold *hold, Arena *arena);

/* Takes an attempt's hold away; sold pieces leave with it. Returns how many there were, 0 when it holds nothing. */
int64_t stock_drop(StockLevel *level, const char *attempt, bool is_sold);

/* On hand becomes `on_hand`. Errors: FAILED_PRECONDITION STOCK_RESERVED, STOCK_TOO_LARGE. */
const Error *stock_set(StockLevel *level, int64_t on_hand, Arena *arena);

/* Whether an import that says so says something new; one that is repeated does not undo what was sold since. */
bool stock_is_news(const StockLevel *level, int64_t on_hand);

/* What of a line is taken from where. */
typedef struct StockPart {
    StockLevel *level;
    int64_t quantity;
} StockPart;

/* Chooses from levels of the line's SKU (others are passed over): one that has enough if there is one, the fullest; else
 * the fullest first until the line is filled. Equal ones by location. Returns the number of parts; what is missing goes to
 * *missing. `parts` has room for as many as there are levels. */
size_t stock_allocate(const ReserveLine *line, StockLevel *const *levels, size_t n_levels,
    StockPart *parts, int64_t *missing);

#endif
