/* Many who want to change one cart at once. Whoever lost a race loads, decides and stores again,
 * one at a time with the others of this process who lost one for the same cart: else they lose it
 * to each other again and again, and keep a slow store busy with writes that fail. */
#ifndef THROUGHLINE_CART_RACE_H
#define THROUGHLINE_CART_RACE_H

#include "shared/base/error.h"
#include "shared/rpc/call.h"

#include <pthread.h>

/* The turns of all carts. Any thread. */
typedef struct Turns Turns;
Turns *turns_new(void);
void turns_free(Turns *turns);

/* One caller's rounds; declared with the attribute that gives the turn back however the
 * function ends:
 *     Race race __attribute__((cleanup(race_end))) = race_start(call, turns, name); */
typedef struct Race {
    const RpcCall *call;
    pthread_mutex_t *turn; /* whose name it is shares it with others of the same hash */
    bool is_mine;
    int tries;
} Race;

Race race_start(const RpcCall *call, Turns *turns, const char *name);
void race_end(Race *race);

/* After a write: whether it only lost a race, so that another round is worth it; waits for the
 * turn. A caller who gave an etag hears of the race instead. */
bool race_lost(Race *race, const Error *error, const char *etag);

#endif
