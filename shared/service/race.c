#include "shared/service/race.h"

#include "shared/base/clock.h"
#include "shared/base/text.h"

#include <string.h>
#include <time.h>

/* A lost race means that another write went through: with so many tries only a caller that is not
 * served at all comes to the end of them. */
enum { MAX_TRIES = 100, N_TURNS = 256 };

static pthread_mutex_t turns[N_TURNS];
static pthread_once_t turns_made = PTHREAD_ONCE_INIT;

static void make_turns(void)
{
    for (int i = 0; i < N_TURNS; i++)
        pthread_mutex_init(&turns[i], NULL);
}

Race race_start(const RpcCall *call, const char *name)
{
    pthread_once(&turns_made, make_turns);
    return (Race){ .call = call, .turn = &turns[text_hash(name, strlen(name)) % N_TURNS] };
}

void race_end(Race *race)
{
    if (race->is_mine)
        pthread_mutex_unlock(race->turn);
}

/* False when the call's time is over before its turn comes. */
static bool wait_for_turn(Race *race)
{
    int64_t until = clock_monotonic() + rpc_remaining_ms(race->call) * INT64_C(1000);
    struct timespec time = { until / 1000000, until % 1000000 * 1000 };

    if (!race->is_mine)
        race->is_mine = pthread_mutex_clocklock(race->turn, CLOCK_MONOTONIC, &time) == 0;
    return race->is_mine;
}

bool race_again(Race *race)
{
    return ++race->tries < MAX_TRIES && wait_for_turn(race) && !rpc_should_stop(race->call);
}

bool race_lost(Race *race, const Error *error, const char *etag)
{
    return error && text_equal(error->reason, "ETAG_STALE") && text_is_empty(etag) &&
           race_again(race);
}
