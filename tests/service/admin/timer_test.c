/* Timers and signals on the admin thread. The signals are blocked before the first thread
 * starts. */
#include "shared/admin/timer.h"

#include "shared/base/clock.h"
#include "tests/support/test_main.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PATIENCE_MS = 5000 };

static Arena *arena;
static Metrics *metrics;
static AdminServer *server;

/* What the admin thread did. */
typedef struct Seen {
    atomic_int count;
    atomic_int signal;
    pthread_t thread; /* of the first call; valid once count > 0 */
} Seen;

static bool is_ready(void *context, const char **reason)
{
    (void)context, (void)reason;
    return true;
}

static void start(void)
{
    AdminOptions options = { .address = "127.0.0.1",
        .service = "cart",
        .version = "1.2.3",
        .metrics = metrics,
        .is_ready = is_ready };

    if (admin_start(arena, &options, &server))
        abort();
}

static void set_up(void)
{
    arena = arena_new();
    metrics = metrics_new();
    start();
}

static void tear_down(void)
{
    admin_stop(server);
    metrics_free(metrics);
    arena_free(arena);
}

static void note(void *context)
{
    Seen *seen = context;

    if (atomic_load(&seen->count) == 0)
        seen->thread = pthread_self();
    atomic_fetch_add(&seen->count, 1);
}

static void note_signal(int signal, void *context)
{
    Seen *seen = context;

    atomic_store(&seen->signal, signal);
    note(context);
}

static bool comes_to(const Seen *seen, int count)
{
    for (int waited = 0; waited < PATIENCE_MS; waited++) {
        if (atomic_load(&seen->count) >= count)
            return true;
        clock_sleep_ms(1);
    }
    return false;
}

static void repeating_work_is_done_again_and_again_on_one_other_thread(void)
{
    Seen seen = { 0 };
    int64_t before = clock_monotonic();

    admin_every(server, 20, note, &seen);

    CU_ASSERT_FATAL(comes_to(&seen, 5));
    CU_ASSERT(clock_monotonic() - before >= 5 * 20 * 1000 - 10000);
    CU_ASSERT(!pthread_equal(seen.thread, pthread_self()));
    admin_stop(server);
    server = NULL;
}

static void two_timers_keep_their_own_pace(void)
{
    Seen fast = { 0 };
    Seen slow = { 0 };

    admin_every(server, 10, note, &fast);
    admin_every(server, 200, note, &slow);

    CU_ASSERT(comes_to(&slow, 2));
    CU_ASSERT(fast.count >= 10);
    CU_ASSERT(slow.count <= 3);
    CU_ASSERT(pthread_equal(fast.thread, slow.thread));
    admin_stop(server);
    server = NULL;
}

static void no_work_is_done_after_the_stop(void)
{
    Seen seen = { 0 };
    int count;

    admin_every(server, 5, note, &seen);
    CU_ASSERT(comes_to(&seen, 2));
    admin_stop(server);
    server = NULL;
    count = seen.count;
    clock_sleep_ms(50);

    CHECK_INT(seen.count, count);
}

static void a_signal_to_the_process_reaches_the_admin_thread(void)
{
    Seen seen = { 0 };

    admin_on_signal(server, SIGTERM, note_signal, &seen);
    kill(getpid(), SIGTERM);

    CU_ASSERT_FATAL(comes_to(&seen, 1));
    CHECK_INT(seen.signal, SIGTERM);
    CU_ASSERT(!pthread_equal(seen.thread, pthread_self()));
    admin_stop(server);
    server = NULL;
}

static void each_signal_has_its_own_handler(void)
{
    Seen term = { 0 };
    Seen hup = { 0 };

    admin_on_signal(server, SIGTERM, note_signal, &term);
    admin_on_signal(server, SIGHUP, note_signal, &hup);
    kill(getpid(), SIGHUP);
    CU_ASSERT(comes_to(&hup, 1));
    CHECK_INT(term.count, 0);
    kill(getpid(), SIGTERM);
    CU_ASSERT(comes_to(&term, 1));

    kill(getpid(), SIGHUP);
    CU_ASSERT(comes_to(&hup, 2));
    CHECK_INT(term.count, 1);
    admin_stop(server);
    server = NULL;
}

static void *wait_for_end(void *context)
{
    while (!atomic_load((atomic_bool *)context))
        clock_sleep_ms(1);
    return NULL;
}

/* As with gRPC: threads that somebody else started inherit the mask. */
static void a_signal_is_caught_whatever_other_threads_run(void)
{
    pthread_t threads[4];
    atomic_bool is_over = false;
    Seen seen = { 0 };

    for (int i = 0; i < 4; i++)
        pthread_create(&threads[i], NULL, wait_for_end, &is_over);
    admin_on_signal(server, SIGINT, note_signal, &seen);
    for (int i = 1; i <= 20; i++) {
        kill(getpid(), SIGINT);
        CU_ASSERT(comes_to(&seen, i));
    }
    atomic_store(&is_over, true);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);

    admin_stop(server);
    server = NULL;
    CHECK_INT(seen.count, 20);
}

/* A service that is told to stop before it listens for it stops all the same. */
static void a_signal_that_came_too_early_is_not_lost(void)
{
    Seen seen = { 0 };

    kill(getpid(), SIGTERM);
    admin_on_signal(server, SIGTERM, note_signal, &seen);

    CU_ASSERT(comes_to(&seen, 1));
    admin_stop(server);
    server = NULL;
}

static void a_broken_pipe_does_not_end_the_process(void)
{
    int ends[2];

    CHECK_INT(pipe(ends), 0);
    close(ends[0]);

    CHECK_INT(write(ends[1], "x", 1), -1);
    CHECK_INT(errno, EPIPE);
    close(ends[1]);
}

/* Forked before it starts a server of its own: threads do not survive a fork. */
static void asking_for_a_signal_that_is_not_blocked_is_our_mistake(void)
{
    int status = 0;
    pid_t child;

    admin_stop(server);
    server = NULL;
    child = fork();
    if (child == 0) {
        setrlimit(RLIMIT_CORE, &(struct rlimit){ 0 });
        close(STDERR_FILENO);
        start();
        admin_on_signal(server, SIGUSR1, note_signal, NULL);
        _exit(0);
    }
    waitpid(child, &status, 0);

    CU_ASSERT(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        { "repeating_work_is_done_again_and_again_on_one_other_thread",
            repeating_work_is_done_again_and_again_on_one_other_thread },
        { "two_timers_keep_their_own_pace", two_timers_keep_their_own_pace },
        { "no_work_is_done_after_the_stop", no_work_is_done_after_the_stop },
        { "a_signal_to_the_process_reaches_the_admin_thread",
            a_signal_to_the_process_reaches_the_admin_thread },
        { "each_signal_has_its_own_handler", each_signal_has_its_own_handler },
        { "a_signal_is_caught_whatever_other_threads_run",
            a_signal_is_caught_whatever_other_threads_run },
        { "a_signal_that_came_too_early_is_not_lost", a_signal_that_came_too_early_is_not_lost },
        { "a_broken_pipe_does_not_end_the_process", a_broken_pipe_does_not_end_the_process },
        { "asking_for_a_signal_that_is_not_blocked_is_our_mistake",
            asking_for_a_signal_that_is_not_blocked_is_our_mistake },
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        { .pName = "timer", .pSetUpFunc = set_up, .pTearDownFunc = tear_down, .pTests = tests },
        CU_SUITE_INFO_NULL,
    };

    admin_block_signals();
    return test_main("admin_timer", suites, argc, argv);
}
