#include "tests/rpc/held.h"

#include "shared/base/clock.h"
#include "tests/support/test_main.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    RpcDeferral *deferrals[HELD_MAX];
    int count;
    atomic_int total;
    bool is_closed;
} held = { .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER };

void held_open(void)
{
    atomic_store(&held.total, 0);
    pthread_mutex_lock(&held.lock);
    held.is_closed = false;
    pthread_mutex_unlock(&held.lock);
}

void held_put(RpcDeferral *deferral)
{
    pthread_mutex_lock(&held.lock);
    if (held.count == HELD_MAX)
        abort();
    held.deferrals[held.count++] = deferral;
    pthread_cond_signal(&held.changed);
    pthread_mutex_unlock(&held.lock);
    atomic_fetch_add(&held.total, 1);
}

RpcDeferral *held_take(void)
{
    RpcDeferral *deferral = NULL;

    pthread_mutex_lock(&held.lock);
    while (!held.count && !held.is_closed)
        pthread_cond_wait(&held.changed, &held.lock);
    if (held.count)
        deferral = held.deferrals[--held.count];
    pthread_mutex_unlock(&held.lock);
    return deferral;
}

void held_close(void)
{
    pthread_mutex_lock(&held.lock);
    held.is_closed = true;
    pthread_cond_broadcast(&held.changed);
    pthread_mutex_unlock(&held.lock);
}

int held_count(void)
{
    int count;

    pthread_mutex_lock(&held.lock);
    count = held.count;
    pthread_mutex_unlock(&held.lock);
    return count;
}

atomic_int *held_total(void)
{
    return &held.total;
}

static double calls_in(const Echo *echo)
{
    static const char name[] = "\nthroughline_rpc_calls ";
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    double calls;

    metrics_print(echo->metrics, out);
    fclose(out);
    CU_ASSERT_FATAL(strstr(text, name) != NULL);
    calls = strtod(strstr(text, name) + sizeof(name) - 1, NULL);
    free(text);
    return calls;
}

bool deferrals_come_to_rest(const Echo *echo)
{
    for (int i = 0; i < 5000 && calls_in(echo) > 0; i++)
        clock_sleep_ms(2);
    return calls_in(echo) <= 0;
}
