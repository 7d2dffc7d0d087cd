#include "services/catalog/stock/stock_store.h"

#include "shared/codec/message.h"
#include "shared/codec/types.h"
#include "shared/service/race.h"

#include <string.h>

typedef Throughline__Catalog__V1__ReservationChanged ReservationChanged;

enum { MAX_LEVELS = VARIANT_MAX_STOCK };

const Error *stock_load(StoreView *view, const char *sku, const char *location, StockLevel *level)
{
    const Error *error =
        store_get(view, &stock_levels, stock_level_name(view->arena, sku, location), level);

    if (!error || error->code != ERROR_NOT_FOUND)
        return error;
    stock_level_init(view->arena, sku, location, level);
    return NULL;
}

const Error *stock_load_all(
    StoreView *view, const char *sku, StockLevel ***levels, size_t *n_levels)
{
    StoreQuery query = {
        .index = "sku",
        .equal = { { .kind = STORE_TEXT, .text = sku } },
        .limit = MAX_LEVELS,
    };
    StorePage page = { 0 };
    const Error *error = store_find(view, &stock_levels, &query, &page);

    *levels = (StockLevel **)page.messages;
    *n_levels = page.n_messages;
    return error;
}

bool stock_serves(const RpcCall *call, const StockLevel *level, StockPurpose purpose)
{
    const char *name = arena_printf(call->arena, "locations/%s", level->location);

    return !purpose ||
           location_serves(registry_get(catalog_of(call)->registry, name, call->arena), purpose);
}

StockLevel *stock_shown(Arena *arena, const StockLevel *level)
{
    StockLevel *shown = arena_copy(arena, level, sizeof(*level));

    shown->n_holds = 0;
    return shown;
}

void stock_write(const RpcCall *call, Arena *arena, StockLevel *level, const StockChanged *event,
    int64_t before, StoreWrite *write)
{
    StockChanged *told = arena_copy(arena, event, sizeof(*event));
    const void **events = arena_array(arena, 1, sizeof(*events));

    level->update_time = timestamp_from_micros(arena, call->arrived_at);
    told->level = stock_shown(arena, level);
    told->on_hand_change = level->on_hand - before;
    events[0] = told;
    *write = (StoreWrite){
        .kind = *level->etag ? STORE_REPLACE : STORE_INSERT,
        .collection = &stock_levels,
        .message = level,
        .events = events,
        .n_events = 1,
    };
}

/* One write for every level that still has something of the reservation. */
static const Error *drop_all(
    RpcCall *call, const Reservation *reservation, StoreWrite *writes, size_t *n_writes)
{
    Arena *arena = call->arena;
    const char **names = arena_array(arena, reservation->n_lines, sizeof(*names));
    void **levels = arena_array(arena, reservation->n_lines, sizeof(*levels));
    StockChanged event = THROUGHLINE__CATALOG__V1__STOCK_CHANGED__INIT;
    const Error *error;

    event.reason = THROUGHLINE__CATALOG__V1__STOCK_REASON__STOCK_REASON_RESERVATION;
    event.reservation = reservation->name;
    for (size_t i = 0; i < reservation->n_lines; i++)
        names[i] =
            stock_level_name(arena, reservation->lines[i]->sku, reservation->lines[i]->location);
    if ((error = store_get_many(call->store, &stock_levels, names, reservation->n_lines, levels)))
        return error;
    for (size_t i = 0; i < reservation->n_lines; i++) {
        StockLevel *level = levels[i];
        int64_t before = level ? level->on_hand : 0;

        if (!level || !stock_drop(level, reservation->attempt, reservation_is_sale(reservation)))
            continue;
        stock_write(call, call->arena, level, &event, before, &writes[*n_writes]);
        writes[*n_writes].is_chained = *n_writes > 0;
        (*n_writes)++;
    }
    return NULL;
}

static const Error *carry_out(RpcCall *call, Reservation *reservation, bool keeps_reply)
{
    Arena *arena = call->arena;
    StoreView steps = store_steps(call->store);
    StoreWrite *writes = arena_array(arena, reservation->n_lines + 1, sizeof(*writes));
    size_t n_writes = 0;
    ReservationChanged event = THROUGHLINE__CATALOG__V1__RESERVATION_CHANGED__INIT;
    const void *const events[] = { &event };
    const Error *error;

    if ((error = drop_all(call, reservation, writes, &n_writes)))
        return error;
    reservation_closed(reservation, call->arrived_at, arena);
    event.reservation = reservation;
    writes[n_writes] = (StoreWrite){
        .kind = STORE_REPLACE,
        .collection = &reservations,
        .message = reservation,
        .events = events,
        .n_events = 1,
        .is_chained = n_writes > 0,
    };
    return store_write(keeps_reply ? call->store : &steps, writes, n_writes + 1);
}

static const Error *end_once(
    RpcCall *call, const char *name, ReservationEnd end, bool keeps_reply, Reservation *reservation)
{
    StoreView steps = store_steps(call->store);
    bool is_done = false;
    bool is_decided;
    const Error *error;

    message_init(&throughline__catalog__v1__reservation__descriptor, reservation);
    if ((error = store_get(keeps_reply ? call->store : &steps, &reservations, name, reservation)))
        return error;
    is_decided = reservation_is_closing(reservation);
    error = reservation_close(reservation, end, call->arrived_at, call->arena, &is_done);
    if (error || is_done)
        return error;
    if (!is_decided && (error = store_replace(&steps, &reservations, reservation, NULL)))
        return error;
    return carry_out(call, reservation, keeps_reply);
}

const Error *reservation_end(
    RpcCall *call, const char *name, ReservationEnd end, bool keeps_reply, Reservation *reservation)
{
    Race race __attribute__((cleanup(race_end))) = race_start(call, name);
    const Error *error;

    do
        error = end_once(call, name, end, keeps_reply, reservation);
    while (race_lost(&race, error, ""));
    return error;
}

const Error *stock_give_back(RpcCall *call, const StockLevel *level, const char *attempt)
{
    StoreView steps = store_steps(call->store);
    Race race __attribute__((cleanup(race_end))) = race_start(call, level->name);
    StockChanged event = THROUGHLINE__CATALOG__V1__STOCK_CHANGED__INIT;
    StoreWrite write;
    const Error *error;

    event.reason = THROUGHLINE__CATALOG__V1__STOCK_REASON__STOCK_REASON_RESERVATION;
    do {
        StockLevel *now =
            message_new(call->arena, &throughline__catalog__v1__stock_level__descriptor);

        if ((error = store_get(&steps, &stock_levels, level->name, now)) ||
            !stock_drop(now, attempt, false))
            return error;
        stock_write(call, call->arena, now, &event, now->on_hand, &write);
        error = store_write(&steps, &write, 1);
    } while (race_lost(&race, error, ""));
    return error;
}

/* A reservation that was never finished: its name is taken, so that whoever is still about to finish it finds out. */
static const Error *bury(RpcCall *call, const StockHold *hold)
{
    StoreView steps = store_steps(call->store);
    Reservation *reservation =
        message_new(call->arena, &throughline__catalog__v1__reservation__descriptor);
    int64_t now = call->arrived_at;
    bool is_done;

    reservation_init(call->arena, hold->reservation, hold->attempt, now, now, reservation);
    reservation_close(reservation, RESERVATION_FINISH, now, call->arena, &is_done);
    reservation_closed(reservation, now, call->arena);
    return store_insert(&steps, &reservations, reservation, NULL);
}

static const Error *reclaim_hold(RpcCall *call, const StockLevel *level, const StockHold *hold)
{
    StoreView steps = store_steps(call->store);
    Reservation *reservation =
        message_new(call->arena, &throughline__catalog__v1__reservation__descriptor);
    const Error *error = store_get(&steps, &reservations, hold->reservation, reservation);

    if (error && error->code == ERROR_NOT_FOUND) {
        if ((error = bury(call, hold)))
            return error;
    } else if (error) {
        return error;
    } else if (text_equal(reservation->attempt, hold->attempt)) {
        return reservation_end(call, hold->reservation, RESERVATION_FINISH, false, reservation);
    }
    return stock_give_back(call, level, hold->attempt);
}

const Error *stock_reclaim(RpcCall *call, const StockLevel *level, bool *is_freed)
{
    const Error *error = NULL;

    for (size_t i = 0; i < level->n_holds && !error; i++)
        if (timestamp_to_micros(level->holds[i]->expire_time) <= call->arrived_at) {
            *is_freed = true;
            error = reclaim_hold(call, level, level->holds[i]);
        }
    return error;
}
