/* The five services as children of this process, over one data folder. */
#ifndef THROUGHLINE_SERVICES_THROUGHLINE_PROCESSES_H
#define THROUGHLINE_SERVICES_THROUGHLINE_PROCESSES_H

#include "services/throughline/shop.h"

#include <signal.h>
#include <sys/types.h>

typedef struct Processes {
    pid_t pids[SHOP_SERVICES];       /* 0: not running */
    long logs_before[SHOP_SERVICES]; /* how long each log was when its service was started */
    int base_port;
    const char *data;
    const char *store_uri;
    const char *log_level;
    const volatile sig_atomic_t *stop; /* 1: to stop, 2: at once */
} Processes;

/* Starts all five, logs to DATA/logs. Errors: UNAVAILABLE PROGRAM_MISSING, PORT_TAKEN. */
const Error *processes_start(Arena *arena, Processes *processes);

/* Waits until /readyz of all is 200. Errors: UNAVAILABLE NOT_READY naming the service, what it said and where its
 * log is, CANCELLED INTERRUPTED. */
const Error *processes_wait_ready(Arena *arena, const Processes *processes, int timeout_ms);

/* The first child that has ended although nobody asked it to, -1 when all run. */
int processes_reap(Processes *processes);

/* SIGTERM to all, SIGKILL to those that are there after the grace, or when the stop is to be at once. True when all ended with 0. */
bool processes_stop(Processes *processes, int grace_ms);

#endif
