#include "shared/rpc/workers.h"

#include <pthread.h>
#include <stdlib.h>

struct Workers {
    pthread_mutex_t lock;
    pthread_cond_t work;
    void (*run)(RpcExchange *exchange);
    RpcExchange *first;
    RpcExchange **last;
    size_t waiting, max_waiting;
    size_t busy; /* threads that run something */
    size_t n_threads, max_threads;
    bool is_stopping;
    pthread_t threads[];
};

Workers *workers_new(int max_threads, int max_queue, void (*run)(RpcExchange *exchange))
{
    Workers *workers = calloc(1, sizeof(*workers) + (size_t)max_threads * sizeof(pthread_t));

    if (!workers)
        abort();
    pthread_mutex_init(&workers->lock, NULL);
    pthread_cond_init(&workers->work, NULL);
    workers->run = run;
    workers->last = &workers->first;
    workers->max_waiting = (size_t)max_queue;
    workers->max_threads = (size_t)max_threads;
    return workers;
}

static RpcExchange *take(Workers *workers)
{
    RpcExchange *exchange = workers->first;

    workers->first = exchange->next;
    if (!workers->first)
        workers->last = &workers->first;
    workers->waiting--;
    return exchange;
}

static void *work(void *context)
{
    Workers *workers = context;

    pthread_mutex_lock(&workers->lock);
    for (;;) {
        RpcExchange *exchange;

        while (!workers->first && !workers->is_stopping)
            pthread_cond_wait(&workers->work, &workers->lock);
        if (!workers->first)
            break;
        exchange = take(workers);
        workers->busy++;
        pthread_mutex_unlock(&workers->lock);
        workers->run(exchange);
        pthread_mutex_lock(&workers->lock);
        workers->busy--;
    }
    pthread_mutex_unlock(&workers->lock);
    return NULL;
}

/* A new thread only when those that are free, or just starting, are spoken for. The lock is
 * held. Where the system gives no thread, those that are there go on; false when there is none
 * at all. */
static bool staff(Workers *workers)
{
    pthread_t *thread = &workers->threads[workers->n_threads];

    if (workers->waiting > workers->n_threads - workers->busy &&
        workers->n_threads < workers->max_threads && !pthread_create(thread, NULL, work, workers))
        workers->n_threads++;
    return workers->n_threads > 0;
}

bool workers_add(Workers *workers, RpcExchange *exchange)
{
    bool is_taken = false;
    size_t room;

    pthread_mutex_lock(&workers->lock);
    room = workers->max_threads - workers->busy + workers->max_waiting;
    if (workers->waiting < room) {
        workers->waiting++;
        is_taken = staff(workers);
        workers->waiting -= !is_taken;
    }
    if (is_taken) {
        exchange->next = NULL;
        *workers->last = exchange;
        workers->last = &exchange->next;
    }
    pthread_mutex_unlock(&workers->lock);
    /* After the lock is free, or the thread that wakes would have to sleep again for it. */
    if (is_taken)
        pthread_cond_signal(&workers->work);
    return is_taken;
}

size_t workers_waiting(Workers *workers)
{
    size_t waiting;

    pthread_mutex_lock(&workers->lock);
    waiting = workers->waiting;
    pthread_mutex_unlock(&workers->lock);
    return waiting;
}

size_t workers_threads(Workers *workers)
{
    size_t threads;

    pthread_mutex_lock(&workers->lock);
    threads = workers->n_threads;
    pthread_mutex_unlock(&workers->lock);
    return threads;
}

void workers_stop(Workers *workers)
{
    pthread_mutex_lock(&workers->lock);
    workers->is_stopping = true;
    pthread_cond_broadcast(&workers->work);
    pthread_mutex_unlock(&workers->lock);
    for (size_t i = 0; i < workers->n_threads; i++)
        pthread_join(workers->threads[i], NULL);
    pthread_cond_destroy(&workers->work);
    pthread_mutex_destroy(&workers->lock);
    free(workers);
}
