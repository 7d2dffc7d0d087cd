/* How a reservation lives: held until it is confirmed, released or over. Closing has two steps: first the reservation says what
 * it will be (-ING), then each level follows, then it says that it is so. Whoever finds it half-way goes on from there. */
#ifndef THROUGHLINE_CATALOG_RESERVATION_H
#define THROUGHLINE_CATALOG_RESERVATION_H

#include "services/catalog/domain/stock.h"

typedef Throughline__Catalog__V1__Reservation Reservation;

enum {
    RESERVE_MAX_LINES = 100,
    RESERVE_MAX_QUANTITY = 1000000,
    RESERVE_MAX_HOLDER = 120,
    RESERVE_MIN_TTL_SECONDS = 10,
    RESERVE_MAX_TTL_SECONDS = 7 * 24 * 3600,
    RESERVE_DEFAULT_TTL_SECONDS = 900,
    RESERVATION_RETRY_SECONDS = 5, /* what is not carried out by then, the job carries out */
    RESERVATION_KEPT_DAYS = 30,
};

/* A new one, held until `expire` (microseconds since 1970). */
void reservation_init(Arena *arena, const char *name, const char *attempt, int64_t now,
    int64_t expire, Reservation *reservation);

/* Notes pieces of a SKU at a location; those of the same are one line. */
void reservation_add(Arena *arena, const char *sku, const char *location, int64_t quantity,
    Reservation *reservation);

typedef enum ReservationEnd {
    RESERVATION_SELL,
    RESERVATION_GIVE_BACK,
    RESERVATION_FINISH, /* what is decided, or that its time is over */
} ReservationEnd;

/* Decides how it ends unless that is decided; *is_done when there is nothing to carry out. Errors: FAILED_PRECONDITION
 * RESERVATION_EXPIRED, RESERVATION_RELEASED, RESERVATION_CONFIRMED. */
const Error *reservation_close(
    Reservation *reservation, ReservationEnd end, int64_t now, Arena *arena, bool *is_done);

/* Whether its end is decided and not yet carried out. */
bool reservation_is_closing(const Reservation *reservation);

/* Whether the pieces of one that is closing leave the stock. */
bool reservation_is_sale(const Reservation *reservation);

/* One that is closing is closed. */
void reservation_closed(Reservation *reservation, int64_t now, Arena *arena);

/* For the index of what is due: sorts by time. */
const char *reservation_due(Arena *arena, int64_t time, const char *name);

#endif
