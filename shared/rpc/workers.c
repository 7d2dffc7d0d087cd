#include "shared/rpc/workers.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>

/* A thread of the pool. It sleeps on a semaphore of its own: a condition would cost it one more system call each time, and the one that
 * fell asleep last, whose memory is still warm, could not be chosen. */
typedef struct Worker {
    struct Worker *next; /* among those that sleep */
    Workers *workers;
    pthread_t thread;
    sem_t work;
} Worker;

struct Workers {
    pthread_mutex_t lock;
    void (*run)(RpcExchange *exchange);
    RpcExchange *first;
    RpcExchange **last;
    size_t waiting, max_waiting;
    size_t running; /* exchanges */
    size_t n_threads, max_threads;
    Worker *asleep;
    bool is_stopping;
    Worker threads[];
};

Workers *workers_new(int max_threads, int max_queue, void (*run)(RpcExchange *exchange))
{
    Workers *workers = calloc(1, sizeof(*workers) + (size_t)max_threads * sizeof(Worker));

    if (!workers)
        abort();
    pthread_mutex_init(&workers->lock, NULL);
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

/* Under the lock, which is free meanwhile: until somebody wakes this worker. */
static void sleep_until_woken(Worker *worker)
{
    Workers *workers = worker->workers;

    worker->next = workers->asleep;
    workers->asleep = worker;
    pthread_mutex_unlock(&workers->lock);
    while (sem_wait(&worker->work))
        continue;
    pthread_mutex_lock(&workers->lock);
}

/* Under the lock. */
static Worker *pick_sleeper(Workers *workers)
{
    Worker *worker = workers->asleep;

    if (worker)
        workers->asleep = worker->next;
    return worker;
}

static void *work(void *context)
{
    Worker *worker = context;
    Workers *workers = worker->workers;

    pthread_mutex_lock(&workers->lock);
    for (;;) {
        RpcExchange *exchange;

        while (!workers->first && !workers->is_stopping)
            sleep_until_woken(worker);
        if (!workers->first)
            break;
        exchange = take(workers);
        workers->running++;
        pthread_mutex_unlock(&workers->lock);
        workers->run(exchange);
        pthread_mutex_lock(&workers->lock);
        workers->running--;
    }
    pthread_mutex_unlock(&workers->lock);
    return NULL;
}

/* Under the lock, when nobody sleeps: a new thread, unless one of those that look for work now is
 * left for this exchange. Where the system gives no thread, those that are there go on; false when
 * there is none at all. */
static bool hire(Workers *workers)
{
    Worker *worker = &workers->threads[workers->n_threads];

    if (workers->waiting < workers->n_threads - workers->running ||
        workers->n_threads == workers->max_threads)
        return true;
    worker->workers = workers;
    sem_init(&worker->work, 0, 0);
    if (pthread_create(&worker->thread, NULL, work, worker))
        sem_destroy(&worker->work);
    else
        workers->n_threads++;
    return workers->n_threads > 0;
}

bool workers_add(Workers *workers, RpcExchange *exchange)
{
    Worker *woken = NULL;
    bool is_taken = false;

    pthread_mutex_lock(&workers->lock);
    if (workers->waiting + workers->running < workers->max_threads + workers->max_waiting)
        is_taken = (woken = pick_sleeper(workers)) || hire(workers);
    if (is_taken) {
        exchange->next = NULL;
        *workers->last = exchange;
        workers->last = &exchange->next;
        workers->waiting++;
    }
    pthread_mutex_unlock(&workers->lock);
    /* After the lock is free, or the thread that wakes would have to sleep again for it. */
    if (woken)
        sem_post(&woken->work);
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
    for (Worker *worker; (worker = pick_sleeper(workers));)
        sem_post(&worker->work);
    pthread_mutex_unlock(&workers->lock);
    for (size_t i = 0; i < workers->n_threads; i++) {
        pthread_join(workers->threads[i].thread, NULL);
        sem_destroy(&workers->threads[i].work);
    }
    pthread_mutex_destroy(&workers->lock);
    free(workers);
}
