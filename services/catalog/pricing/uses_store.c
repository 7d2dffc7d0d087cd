#include "services/catalog/pricing/uses_store.h"

#include "shared/base/log.h"
#include "shared/codec/message.h"
#include "shared/codec/types.h"
#include "shared/service/race.h"

typedef Throughline__Catalog__V1__UsesChanged UsesChanged;

enum { DUE_PAGE = 100 };

const Error *uses_load_counters(
    RpcCall *call, const UseReservation *reservation, UseCounter ***counters)
{
    Arena *arena = call->arena;
    StoreView steps = store_steps(call->store);
    const char **names = arena_array(arena, reservation->n_claims, sizeof(*names));
    void **found = arena_array(arena, reservation->n_claims, sizeof(*found));
    const Error *error;

    for (size_t i = 0; i < reservation->n_claims; i++)
        names[i] = reservation->claims[i]->counter;
    if ((error = store_get_many(&steps, &use_counters, names, reservation->n_claims, found)))
        return error;
    *counters = arena_array(arena, reservation->n_claims, sizeof(**counters));
    for (size_t i = 0; i < reservation->n_claims; i++) {
        (*counters)[i] = found[i] ? found[i] : message_new(arena, use_counters.message);
        (*counters)[i]->name = arena_text(arena, names[i]);
    }
    return NULL;
}

StoreWrite uses_counter_write(UseCounter *counter)
{
    return (StoreWrite){
        .kind = *counter->etag ? STORE_REPLACE : STORE_INSERT,
        .collection = &use_counters,
        .message = counter,
    };
}

const Error *uses_as_race(const Error *error)
{
    static const Error lost = { ERROR_ABORTED, "ETAG_STALE",
        "The counter was changed meanwhile: try again." };

    return error && error->code == ERROR_ALREADY_EXISTS ? &lost : error;
}

/* Closing. */

/* Says what it is about to do if that is new, then brings every counter after it. */
static const Error *carry_out(RpcCall *call, UseReservation *reservation, bool is_new)
{
    Arena *arena = call->arena;
    StoreView steps = store_steps(call->store);
    StoreWrite *writes = arena_array(arena, reservation->n_claims + 1, sizeof(*writes));
    UseCounter **counters;
    size_t n_writes = 0;
    const Error *error;

    if ((error = uses_load_counters(call, reservation, &counters)))
        return error;
    if (is_new)
        writes[n_writes++] = (StoreWrite){
            .kind = STORE_REPLACE, .collection = &use_reservations, .message = reservation
        };
    for (size_t i = 0; i < reservation->n_claims; i++) {
        if (!counter_follow(
                counters[i], reservation->claims[i], reservation, call->arrived_at, arena))
            continue;
        writes[n_writes] = uses_counter_write(counters[i]);
        writes[n_writes].is_chained = n_writes > 0;
        n_writes++;
    }
    return n_writes > 0 ? uses_as_race(store_write(&steps, writes, n_writes)) : NULL;
}

/* Whether this is the end that was wanted, or none was decided. */
static bool is_ended_so(const UseReservation *reservation, UsesEnd end)
{
    if (end == USES_FINISH)
        return true;
    return end == USES_REDEEM
               ? reservation->state == THROUGHLINE__CATALOG__V1__USE_RESERVATION__STATE__REDEEMED
               : reservation->state != THROUGHLINE__CATALOG__V1__USE_RESERVATION__STATE__REDEEMED;
}

static const Error *close_once(
    RpcCall *call, const char *name, UsesEnd end, bool keeps_reply, UseReservation *reservation)
{
    UsesChanged event = THROUGHLINE__CATALOG__V1__USES_CHANGED__INIT;
    StoreView steps = store_steps(call->store);
    StoreView *view = keeps_reply ? call->store : &steps;
    StoreView *last;
    bool is_done = false;
    bool was_closing;
    const Error *error;

    message_init(use_reservations.message, reservation);
    if ((error = store_get(view, &use_reservations, name, reservation)))
        return error;
    was_closing = uses_is_closing(reservation);
    error = uses_end(reservation, end, call->arrived_at, call->arena, &is_done);
    if (error || is_done || (error = carry_out(call, reservation, !was_closing)))
        return error;
    uses_closed(reservation, call->arrived_at, call->arena);
    event.reservation = reservation;
    last = is_ended_so(reservation, end) ? view : &steps;
    return store_replace(last, &use_reservations, reservation, &event);
}

const Error *uses_close(
    RpcCall *call, const char *name, UsesEnd end, bool keeps_reply, UseReservation *reservation)
{
    Race race __attribute__((cleanup(race_end))) = race_start(call, name);
    const Error *error;

    /* What was found on its way to another end is looked at once more when it is there. */
    do
        error = close_once(call, name, end, keeps_reply, reservation);
    while (race_lost(&race, error, "") || (!error && !is_ended_so(reservation, end)));
    return error;
}

/* What is over. */

/* Drops the hold of an attempt that has failed or is over. */
static const Error *drop_leftover(
    RpcCall *call, const char *counter, const UseReservation *reservation)
{
    StoreView steps = store_steps(call->store);
    Race race __attribute__((cleanup(race_end))) = race_start(call, counter);
    const Error *error;

    do {
        UseCounter *now = message_new(call->arena, use_counters.message);

        if ((error = store_get(&steps, &use_counters, counter, now)) ||
            !counter_drop(now, reservation))
            return error;
        error = store_replace(&steps, &use_counters, now, NULL);
    } while (race_lost(&race, error, ""));
    return error;
}

/* Closing it drops the hold; one that is still there then was left by somebody who was late. */
static const Error *reclaim_hold(RpcCall *call, const char *counter, const UseHold *hold)
{
    UseReservation *reservation = message_new(call->arena, use_reservations.message);
    UseReservation left = THROUGHLINE__CATALOG__V1__USE_RESERVATION__INIT;
    const Error *error = uses_close(call, hold->reservation, USES_FINISH, false, reservation);

    if (error && error->code != ERROR_NOT_FOUND)
        return error;
    if (!error && uses_is_open(reservation) && reservation->attempt == hold->attempt)
        return NULL;
    left.name = hold->reservation;
    left.attempt = hold->attempt;
    return drop_leftover(call, counter, &left);
}

const Error *uses_reclaim(RpcCall *call, const UseReservation *reservation, bool *is_freed)
{
    UseCounter **counters;
    const Error *error = uses_load_counters(call, reservation, &counters);

    for (size_t i = 0; i < reservation->n_claims && !error; i++)
        for (size_t j = 0; j < counters[i]->n_holds && !error; j++) {
            const UseHold *hold = counters[i]->holds[j];

            if (hold->is_return || timestamp_to_micros(hold->expire_time) > call->arrived_at)
                continue;
            *is_freed = true;
            error = reclaim_hold(call, counters[i]->name, hold);
        }
    return error;
}

const Error *uses_finish_due(RpcCall *call)
{
    StoreQuery query = {
        .index = "due",
        .below = { .kind = STORE_TEXT, .text = uses_due(call->arena, call->arrived_at, "") },
        .limit = DUE_PAGE,
    };
    StorePage page = { 0 };
    const Error *error = store_find(call->store, &use_reservations, &query, &page);

    for (size_t i = 0; i < page.n_messages && !error && !rpc_should_stop(call); i++) {
        UseReservation *reservation = page.messages[i];
        const Error *failure = uses_close(call, reservation->name, USES_FINISH, false, reservation);

        /* One that cannot be finished now must not hold up the others. */
        if (failure)
            log_write(LOG_WARN, "uses_due",
                (const LogField[]){ { "reason", .text = failure->reason },
                    { "message", .text = failure->message }, { 0 } });
    }
    return error;
}
