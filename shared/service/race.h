/* Many who want to change one document at once. Whoever lost a race loads, decides and stores
 * again, one at a time with the others of this process who lost one for the same name: else they
 * lose it to each other again and again, and keep a slow store busy with writes that fail. */
#ifndef THROUGHLINE_SERVICE_RACE_H
#define THROUGHLINE_SERVICE_RACE_H

#include "shared/base/error.h"
#include "shared/rpc/call.h"

#include <pthread.h>

/* One caller's rounds; declared with the attribute that gives the turn back however the
 * function ends:
 *     Race race __attribute__((cleanup(race_end))) = race_start(call, name); */
typedef struct Race {
    const RpcCall *call;
    pthread_mutex_t *turn; /* whose name it is shares it with others of the same hash */
    bool is_mine;
    int tries;
} Race;

/* `name`: of what is changed. */
Race race_start(const RpcCall *call, const char *name);
void race_end(Race *race);

/* Waits for the turn. False when the call should stop, its time is over, or it has tried too often. */
bool race_again(Race *race);

/* After a write: whether it only lost a race, so that another round is worth it; waits for the
 * turn. A caller who gave an etag hears of the race instead. */
bool race_lost(Race *race, const Error *error, const char *etag);

#endif
