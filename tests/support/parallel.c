#include "tests/support/parallel.h"

#include "shared/base/clock.h"
#include "shared/base/id.h"
#include "tests/support/test_main.h"

#include <pthread.h>

enum { CALL_MS = 60 * 1000 };

typedef struct Thread {
    Worker worker;
    void (*work)(Worker *);
    pthread_barrier_t *start;
    pthread_t thread;
} Thread;

static void *run(void *argument)
{
    Thread *thread = argument;

    pthread_barrier_wait(thread->start);
    thread->work(&thread->worker);
    return NULL;
}

static char run_id[ID_SIZE];

void parallel_run(Fixture *fixture, int n_threads, void (*work)(Worker *), void *context)
{
    Thread *threads = arena_array(fixture_arena(fixture), (size_t)n_threads, sizeof(Thread));
    pthread_barrier_t start;

    id_new(run_id);
    pthread_barrier_init(&start, NULL, (unsigned)n_threads);
    for (int i = 0; i < n_threads; i++) {
        threads[i] = (Thread){ .work = work,
            .start = &start,
            .worker = { .fixture = fixture, .context = context, .index = i } };
        threads[i].worker.arena = arena_new();
        CU_ASSERT_FATAL(!pthread_create(&threads[i].thread, NULL, run, &threads[i]));
    }
    for (int i = 0; i < n_threads; i++) {
        pthread_join(threads[i].thread, NULL);
        CHECK_TEXT(threads[i].worker.failure, NULL);
        arena_free(threads[i].worker.arena);
    }
    pthread_barrier_destroy(&start);
}

char *worker_request_id(Worker *worker, const char *what)
{
    return arena_printf(worker->arena, "%s-%s-%d", what, run_id, worker->index);
}

void worker_expect(Worker *worker, const Error *error)
{
    if (error && !worker->failure)
        worker->failure = arena_printf(worker->arena, "%s: %s", error->reason, error->message);
}

void worker_expect_true(Worker *worker, bool is_so, const char *what)
{
    if (!is_so && !worker->failure)
        worker->failure = what;
}

const Error *worker_call(
    Worker *worker, const char *actor, const char *method, const void *request, void *reply)
{
    RpcOutgoing outgoing = fixture_outgoing(worker->fixture);

    outgoing.arena = worker->arena;
    outgoing.deadline = clock_monotonic() + CALL_MS * INT64_C(1000);
    outgoing.context.actor = actor;
    return fixture_call_with(worker->fixture, &outgoing, method, request, reply);
}
