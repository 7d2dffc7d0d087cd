/* The bounded pool of threads that may block: handlers run here. */
#ifndef THROUGHLINE_RPC_WORKERS_H
#define THROUGHLINE_RPC_WORKERS_H

#include "shared/rpc/exchange.h"

typedef struct Workers Workers;

/* Threads are made when there is work for them, at most max_threads; at most max_queue exchanges
 * wait. */
Workers *workers_new(int max_threads, int max_queue, void (*run)(RpcExchange *exchange));

/* False when the queue is full. Any thread. The exchange belongs to the pool from then on. */
bool workers_add(Workers *workers, RpcExchange *exchange);

size_t workers_waiting(Workers *workers);
size_t workers_threads(Workers *workers);

/* Runs what waits, ends the threads and frees the pool. */
void workers_stop(Workers *workers);

#endif
