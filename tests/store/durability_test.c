/* A process that writes is killed at random moments, again and again. What it was told is stored must be there, written relaxed or
 * not, and nothing may be half there: document, index entry, event and answer agree.
 *
 * 300 rounds, in CI 30, quick 12; THROUGHLINE_TEST_SEED=N repeats a run. */
#include "tests/store/counted.h"

#include "shared/base/clock.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    ROUNDS = 300,
    CI_ROUNDS = 30,
    QUICK_ROUNDS = 12,
    THREADS = 8,
    NOTES = COUNTED_DOCUMENTS, /* what the writer of notes calls its document */
    ROUNDS_A_STORE = 10,
    LONGEST_MS = 200,
    ROUNDS_AT_START = 5, /* every fifth is killed while it opens the store, perhaps */
};

/* What a writer says once a change is acknowledged: the document and how often it has been changed. */
typedef struct Ack {
    int32_t document, count;
} Ack;

typedef struct Writer {
    Store *store;
    int thread, pipe;
} Writer;

static int n_rounds;
static unsigned seed;
static Counted counted; /* of the present store */

static void *write_on(void *argument)
{
    const Writer *writer = argument;
    Arena *arena = arena_new();

    for (int i = 0;; i++) {
        int document = (writer->thread + i * THREADS) % COUNTED_DOCUMENTS;
        Ack ack = { .document = document };

        if (counted_change(writer->store, arena, document, 0, &ack.count) ||
            write(writer->pipe, &ack, sizeof(ack)) != sizeof(ack))
            _exit(3);
        arena_reset(arena);
    }
    return NULL;
}

/* Beside the others, relaxed. */
static void *note_on(void *argument)
{
    const Writer *writer = argument;
    Arena *arena = arena_new();

    for (Ack ack = { NOTES, counted.noted + 1 };; ack.count++) {
        if (counted_note(writer->store, arena, ack.count) ||
            write(writer->pipe, &ack, sizeof(ack)) != sizeof(ack))
            _exit(3);
        arena_reset(arena);
    }
    return NULL;
}

/* The process that is going to be killed. */
static void run_writer(const char *uri, int pipe_end)
{
    Arena *arena = arena_new();
    Writer writers[THREADS + 1];
    pthread_t thread;
    Store *store;

    if (counted_open(arena, uri, &store))
        _exit(2);
    for (int i = 0; i <= THREADS; i++) {
        writers[i] = (Writer){ store, i, pipe_end };
        pthread_create(&thread, NULL, i < THREADS ? write_on : note_on, &writers[i]);
    }
    for (;;)
        pause();
}

static bool take_ack(int pipe_end)
{
    Ack ack;

    if (read(pipe_end, &ack, sizeof(ack)) != sizeof(ack))
        return false;
    if (ack.document == NOTES)
        counted.noted = ack.count;
    else if (ack.count > counted.acknowledged[ack.document])
        counted.acknowledged[ack.document] = ack.count;
    return true;
}

static int take_acks(int pipe_end, int64_t until)
{
    struct pollfd ready = { .fd = pipe_end, .events = POLLIN };
    int taken = 0;

    for (;;) {
        int64_t left = until ? (until - clock_monotonic()) / 1000 : -1;

        if (until && (left <= 0 || poll(&ready, 1, (int)left) <= 0))
            return taken;
        if (!take_ack(pipe_end))
            return taken;
        taken++;
    }
}

/* At any time after its start, or, mostly, after its first write. */
static int kill_one_writer(const char *uri, bool at_start)
{
    int ends[2], status = 0, taken;
    int64_t until;
    pid_t child;

    if (pipe(ends) || (child = fork()) < 0)
        abort();
    if (!child) {
        close(ends[0]);
        run_writer(uri, ends[1]);
    }
    close(ends[1]);
    taken = !at_start && take_ack(ends[0]);
    until = clock_monotonic() + 1000 * (int64_t)(1 + rand_r(&seed) % LONGEST_MS);
    taken += take_acks(ends[0], until);
    kill(child, SIGKILL);
    taken += take_acks(ends[0], 0);
    waitpid(child, &status, 0);
    close(ends[0]);
    CU_ASSERT(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    return taken;
}

static void a_killed_writer_loses_nothing_and_leaves_nothing_half(void)
{
    const char *folder = NULL;
    char uri[4096];
    int acks = 0;

    for (int i = 0; i < n_rounds && !CU_get_number_of_failures(); i++) {
        if (i % ROUNDS_A_STORE == 0) {
            folder = test_folder();
            snprintf(uri, sizeof(uri), "embedded:%s", folder);
            counted = (Counted){ .lost = counted.lost };
        }
        acks += kill_one_writer(uri, i % ROUNDS_AT_START == 0);
        counted_check_integrity(folder);
        counted_check(&counted, uri);
    }
    printf("  %d rounds, %d acknowledged writes, %d lost\n", n_rounds, acks, counted.lost);
    CU_ASSERT(acks >= n_rounds - n_rounds / ROUNDS_AT_START);
}

int main(int argc, char **argv)
{
    const char *given = getenv("THROUGHLINE_TEST_SEED");
    CU_TestInfo cases[] = {
        { "a_killed_writer_loses_nothing_and_leaves_nothing_half",
            a_killed_writer_loses_nothing_and_leaves_nothing_half },
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        { .pName = "durability", .pTests = cases },
        CU_SUITE_INFO_NULL,
    };

    n_rounds = test_size(QUICK_ROUNDS, CI_ROUNDS, ROUNDS);
    seed = given ? (unsigned)strtoul(given, NULL, 10) : (unsigned)clock_now();
    printf("  seed %u\n", seed);
    return test_main("durability_test", suites, argc, argv);
}
