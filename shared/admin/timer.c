/* Timers and signals as events of the admin loop. A signal is read from a descriptor of its own
 * (signalfd), which works whatever threads other libraries start, as long as the signal is blocked
 * in all of them. */
#include "shared/admin/timer.h"

#include "shared/admin/server.h"
#include "shared/base/text.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <unistd.h>

struct AdminWatch {
    AdminWatch *next;
    struct event *event;
    int descriptor; /* -1 for a timer */
    void (*work)(void *context);
    void (*caught)(int signal, void *context);
    void *context;
};

static const int blocked_signals[] = { SIGTERM, SIGINT, SIGHUP, SIGPIPE };

static AdminWatch *add_watch(AdminServer *server, void *context)
{
    AdminWatch *watch = calloc(1, sizeof(*watch));

    if (!watch)
        abort();
    watch->context = context;
    watch->descriptor = -1;
    watch->next = server->watches;
    server->watches = watch;
    return watch;
}

void admin_free_watches(AdminServer *server)
{
    for (AdminWatch *watch = server->watches, *next; watch; watch = next) {
        next = watch->next;
        event_free(watch->event);
        if (watch->descriptor >= 0)
            close(watch->descriptor);
        free(watch);
    }
    server->watches = NULL;
}

static void on_time(evutil_socket_t none, short what, void *context)
{
    AdminWatch *watch = context;

    (void)none, (void)what;
    watch->work(watch->context);
}

void admin_every(AdminServer *server, int milliseconds, void (*work)(void *context), void *context)
{
    AdminWatch *watch = add_watch(server, context);
    struct timeval period = { milliseconds / 1000, milliseconds % 1000 * 1000 };

    watch->work = work;
    watch->event = event_new(server->base, -1, EV_PERSIST, on_time, watch);
    if (!watch->event || event_add(watch->event, &period))
        abort();
}

void admin_block_signals(void)
{
    sigset_t set;

    sigemptyset(&set);
    for (size_t i = 0; i < COUNT(blocked_signals); i++)
        sigaddset(&set, blocked_signals[i]);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
}

static void on_signal(evutil_socket_t descriptor, short what, void *context)
{
    AdminWatch *watch = context;
    struct signalfd_siginfo info;

    (void)what;
    while (read(descriptor, &info, sizeof(info)) == (ssize_t)sizeof(info))
        watch->caught((int)info.ssi_signo, watch->context);
}

void admin_on_signal(
    AdminServer *server, int signal, void (*caught)(int signal, void *context), void *context)
{
    AdminWatch *watch = add_watch(server, context);
    sigset_t set;

    pthread_sigmask(SIG_BLOCK, NULL, &set);
    assert(sigismember(&set, signal));
    sigemptyset(&set);
    sigaddset(&set, signal);
    watch->caught = caught;
    watch->descriptor = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    watch->event =
        event_new(server->base, watch->descriptor, EV_READ | EV_PERSIST, on_signal, watch);
    if (watch->descriptor < 0 || !watch->event || event_add(watch->event, NULL))
        abort();
}
