#include "services/catalog/domain/reservation.h"

#include "shared/codec/message.h"
#include "shared/codec/types.h"

#include <assert.h>

typedef Throughline__Catalog__V1__Reservation__State State;

static const State HELD = THROUGHLINE__CATALOG__V1__RESERVATION__STATE__HELD;
static const State CONFIRMING = THROUGHLINE__CATALOG__V1__RESERVATION__STATE__CONFIRMING;
static const State CONFIRMED = THROUGHLINE__CATALOG__V1__RESERVATION__STATE__CONFIRMED;
static const State RELEASING = THROUGHLINE__CATALOG__V1__RESERVATION__STATE__RELEASING;
static const State RELEASED = THROUGHLINE__CATALOG__V1__RESERVATION__STATE__RELEASED;
static const State EXPIRING = THROUGHLINE__CATALOG__V1__RESERVATION__STATE__EXPIRING;
static const State EXPIRED = THROUGHLINE__CATALOG__V1__RESERVATION__STATE__EXPIRED;

enum { MICROS = 1000000, DAY_SECONDS = 24 * 3600 };

static const Error expired = { ERROR_FAILED_PRECONDITION, "RESERVATION_EXPIRED",
    "The time of the reservation is over: reserve again." };
static const Error released = { ERROR_FAILED_PRECONDITION, "RESERVATION_RELEASED",
    "The reservation was released: reserve again." };
static const Error confirmed = { ERROR_FAILED_PRECONDITION, "RESERVATION_CONFIRMED",
    "The pieces are sold: correct the stock when they come back." };

const char *reservation_due(Arena *arena, int64_t time, const char *name)
{
    return arena_printf(arena, "%019lld %s", (long long)time, name);
}

void reservation_init(Arena *arena, const char *name, const char *attempt, int64_t now,
    int64_t expire, Reservation *reservation)
{
    message_init(&throughline__catalog__v1__reservation__descriptor, reservation);
    reservation->name = arena_text(arena, name);
    reservation->attempt = arena_text(arena, attempt);
    reservation->state = HELD;
    reservation->create_time = timestamp_from_micros(arena, now);
    reservation->expire_time = timestamp_from_micros(arena, expire);
    reservation->due = (char *)reservation_due(arena, expire, name);
}

void reservation_add(
    Arena *arena, const char *sku, const char *location, int64_t quantity, Reservation *reservation)
{
    ReservedLine *line;

    for (size_t i = 0; i < reservation->n_lines; i++)
        if (text_equal(reservation->lines[i]->sku, sku) &&
            text_equal(reservation->lines[i]->location, location)) {
            reservation->lines[i]->quantity += quantity;
            return;
        }
    line = message_new(arena, &throughline__catalog__v1__reserved_line__descriptor);
    line->sku = arena_text(arena, sku);
    line->location = arena_text(arena, location);
    line->quantity = quantity;
    reservation->lines = arena_grow(arena, reservation->lines, reservation->n_lines,
        reservation->n_lines + 1, sizeof(ReservedLine *));
    reservation->lines[reservation->n_lines++] = line;
}

static bool is_over(const Reservation *reservation, int64_t now)
{
    return timestamp_to_micros(reservation->expire_time) <= now;
}

/* What stands against this end in the state that it has; NULL when nothing does. */
static const Error *objection(const Reservation *reservation, ReservationEnd end, int64_t now)
{
    State state = reservation->state;

    if (state == HELD)
        return end == RESERVATION_SELL && is_over(reservation, now) ? &expired : NULL;
    if (state == CONFIRMING || state == CONFIRMED)
        return end == RESERVATION_GIVE_BACK ? &confirmed : NULL;
    if (end != RESERVATION_SELL)
        return NULL;
    return state == RELEASING || state == RELEASED ? &released : &expired;
}

const Error *reservation_close(
    Reservation *reservation, ReservationEnd end, int64_t now, Arena *arena, bool *is_done)
{
    const Error *error = objection(reservation, end, now);

    *is_done = !error &&
               (reservation->state == HELD ? end == RESERVATION_FINISH && !is_over(reservation, now)
                                           : !reservation_is_closing(reservation));
    if (error || *is_done || reservation->state != HELD)
        return error;
    if (end == RESERVATION_SELL)
        reservation->state = CONFIRMING;
    else
        reservation->state = end == RESERVATION_GIVE_BACK ? RELEASING : EXPIRING;
    reservation->due = (char *)reservation_due(
        arena, now + (int64_t)RESERVATION_RETRY_SECONDS * MICROS, reservation->name);
    return NULL;
}

bool reservation_is_closing(const Reservation *reservation)
{
    return reservation->state == CONFIRMING || reservation->state == RELEASING ||
           reservation->state == EXPIRING;
}

bool reservation_is_sale(const Reservation *reservation)
{
    return reservation->state == CONFIRMING;
}

void reservation_closed(Reservation *reservation, int64_t now, Arena *arena)
{
    assert(reservation_is_closing(reservation));
    reservation->state = reservation->state == CONFIRMING  ? CONFIRMED
                         : reservation->state == RELEASING ? RELEASED
                                                           : EXPIRED;
    reservation->close_time = timestamp_from_micros(arena, now);
    reservation->purge_time =
        timestamp_from_micros(arena, now + (int64_t)RESERVATION_KEPT_DAYS * DAY_SECONDS * MICROS);
    reservation->due = arena_text(arena, "");
}
