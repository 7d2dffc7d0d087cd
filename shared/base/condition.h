/* Conditions whose waits end at a moment of clock_monotonic(), whatever is done to the clock on the wall. */
#ifndef THROUGHLINE_BASE_CONDITION_H
#define THROUGHLINE_BASE_CONDITION_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

void condition_init(pthread_cond_t *condition);

/* Like pthread_cond_wait, and may as well return for no reason; false when the moment (microseconds) has come. */
bool condition_wait_until(pthread_cond_t *condition, pthread_mutex_t *lock, int64_t until);

#endif
