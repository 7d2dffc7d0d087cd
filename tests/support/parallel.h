/* Many callers of one service at once. */
#ifndef THROUGHLINE_TESTS_SUPPORT_PARALLEL_H
#define THROUGHLINE_TESTS_SUPPORT_PARALLEL_H

#include "tests/support/fixture.h"

typedef struct Worker {
    Fixture *fixture;
    Arena *arena; /* the thread's own */
    void *context;
    int index;
    const char *failure; /* the first one; NULL: none */
} Worker;

/* Runs `work` on so many threads at once, each with its index and calls of its own. Fails the test when one of them has a
 * failure: asserting is for the test's own thread. */
void parallel_run(Fixture *fixture, int n_threads, void (*work)(Worker *), void *context);

/* A call of a worker's, as this actor in the fixture's channel. */
const Error *worker_call(
    Worker *worker, const char *actor, const char *method, const void *request, void *reply);

/* "rush-RUN-3" for the worker of index 3: not that of another parallel_run over the same server. */
char *worker_request_id(Worker *worker, const char *what);

/* Notes the error as the worker's failure, if there is one; or a claim that does not hold. */
void worker_expect(Worker *worker, const Error *error);
void worker_expect_true(Worker *worker, bool is_so, const char *what);

#endif
