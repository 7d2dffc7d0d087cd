/* A loop: its thread, and what others post to it. Whoever posts wakes the loop only when it is
 * not at work on an earlier posting already, so a batch costs one wake-up. */
#include "shared/rpc/transport_h2.h"

#include "shared/base/clock.h"

#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum {
    /* After so many rounds of answers that lead to more answers other connections get a look. */
    MAX_ROUNDS = 16,
};

typedef struct Posted {
    H2Call *asked;
    H2Connection *handed;
    unsigned commands;
} Posted;

static _Thread_local const H2Loop *here;

bool h2_loop_is_here(const H2Loop *loop)
{
    return here == loop;
}

void h2_loop_enter(const H2Loop *loop)
{
    here = loop;
}

/* The lock is held: whatever was posted is not looked at, and the loop not freed, before. */
static void wake(H2Loop *loop)
{
    uint64_t one = 1;

    if (loop->is_woken)
        return;
    loop->is_woken = true;
    if (write(loop->wake, &one, sizeof(one)) != sizeof(one))
        abort();
}

void h2_loop_ask(H2Loop *loop, H2Call *call, H2Ask what)
{
    if (atomic_fetch_or(&call->asked, what))
        return; /* it waits already; from here on it may be gone */
    pthread_mutex_lock(&loop->lock);
    call->next_asked = NULL;
    *loop->last_asked = call;
    loop->last_asked = &call->next_asked;
    if (here != loop) /* which settles before it waits again */
        wake(loop);
    pthread_mutex_unlock(&loop->lock);
}

void h2_loop_hand(H2Loop *loop, H2Connection *connection)
{
    pthread_mutex_lock(&loop->lock);
    connection->next = loop->handed;
    loop->handed = connection;
    wake(loop);
    pthread_mutex_unlock(&loop->lock);
}

void h2_loop_command(H2Loop *loop, H2Command command)
{
    pthread_mutex_lock(&loop->lock);
    loop->commands |= command;
    wake(loop);
    pthread_mutex_unlock(&loop->lock);
}

static Posted take_posted(H2Loop *loop)
{
    Posted posted;

    pthread_mutex_lock(&loop->lock);
    posted = (Posted){ loop->asked, loop->handed, loop->commands };
    loop->asked = NULL;
    loop->last_asked = &loop->asked;
    loop->handed = NULL;
    loop->commands = 0;
    loop->is_woken = posted.asked || posted.handed || posted.commands;
    pthread_mutex_unlock(&loop->lock);
    return posted;
}

static void sweep(evutil_socket_t none, short what, void *context)
{
    H2Loop *loop = context;
    int64_t now = clock_monotonic();
    H2Connection *next;

    (void)none, (void)what;
    for (H2Connection *one = loop->connections; one; one = next) {
        next = one->next;
        h2_limits_sweep(one, now);
    }
    h2_loop_settle(loop);
    if (!loop->connections) {
        event_del(loop->sweep);
        loop->is_sweeping = false;
    }
}

static void take_handed(H2Loop *loop, H2Connection *handed)
{
    while (handed) {
        H2Connection *one = handed;

        handed = one->next;
        one->next = loop->connections;
        if (one->next)
            one->next->previous = one;
        loop->connections = one;
        h2_connection_start(one);
        if (loop->is_draining)
            h2_session_retire(one);
    }
    if (loop->connections && !loop->is_sweeping) {
        event_add(loop->sweep, &(struct timeval){ .tv_usec = H2_SWEEP_MICROS });
        loop->is_sweeping = true;
    }
}

static void run_asked(H2Call *asked)
{
    while (asked) {
        H2Call *call = asked;

        asked = call->next_asked; /* from the exchange on it may be posted anew */
        h2_call_asked(call, atomic_exchange(&call->asked, 0));
    }
}

static void obey(H2Loop *loop, unsigned commands)
{
    H2Connection *next;

    loop->is_draining |= (commands & H2_COMMAND_DRAIN) != 0;
    if (commands & H2_COMMAND_DRAIN && loop == &loop->transport->loops[0])
        h2_accept_stop(loop->transport);
    for (H2Connection *one = loop->connections; commands && one; one = next) {
        next = one->next;
        if (commands & H2_COMMAND_DRAIN)
            h2_session_retire(one);
        if (commands & H2_COMMAND_CUT)
            h2_connection_cut(one);
        if (commands & H2_COMMAND_CLOSE)
            h2_connection_close(one);
    }
    if (commands & H2_COMMAND_STOP)
        event_base_loopbreak(loop->base);
}

static void flush_dirty(H2Loop *loop)
{
    while (loop->dirty) {
        H2Connection *connection = loop->dirty;

        loop->dirty = connection->next_dirty;
        connection->is_dirty = false;
        if (connection->is_closed)
            h2_connection_release(connection);
        else
            h2_connection_flush(connection);
    }
}

void h2_loop_settle(H2Loop *loop)
{
    for (int round = 0; round < MAX_ROUNDS; round++) {
        Posted posted = take_posted(loop);

        if (!posted.asked && !posted.handed && !posted.commands && !loop->dirty)
            return;
        take_handed(loop, posted.handed);
        run_asked(posted.asked);
        obey(loop, posted.commands);
        flush_dirty(loop);
    }
    pthread_mutex_lock(&loop->lock);
    loop->is_woken = false;
    wake(loop);
    pthread_mutex_unlock(&loop->lock);
}

static void on_woken(evutil_socket_t fd, short what, void *context)
{
    uint64_t count;

    (void)what;
    if (read(fd, &count, sizeof(count)) == sizeof(count))
        h2_loop_settle(context);
}

void h2_loop_count(H2Loop *loop, int step)
{
    size_t calls = atomic_load_explicit(&loop->calls, memory_order_relaxed) + (size_t)step;
    H2Transport *transport = loop->transport;

    atomic_store_explicit(&loop->calls, calls, memory_order_release);
    if (calls > 0 || !atomic_load_explicit(&transport->is_draining, memory_order_relaxed))
        return;
    pthread_mutex_lock(&transport->lock);
    pthread_cond_broadcast(&transport->changed);
    pthread_mutex_unlock(&transport->lock);
}

void h2_loop_linger(H2Loop *loop, H2Call *call)
{
    if (!loop->lingering)
        event_active(loop->turn_end, EV_READ, 0);
    call->next_lingering = NULL;
    *loop->last_lingering = call;
    loop->last_lingering = &call->next_lingering;
}

/* Stands in libevent's queue behind all sockets that were found readable together. */
static void end_turn(evutil_socket_t none, short what, void *context)
{
    H2Loop *loop = context;
    H2Call *call = loop->lingering;
    void *users[RPC_MAX_SHARERS];

    (void)none, (void)what;
    loop->lingering = NULL;
    loop->last_lingering = &loop->lingering;
    while (call) {
        size_t n_users = 0;

        for (; call && n_users < COUNT(users); call = call->next_lingering)
            users[n_users++] = call->base.user;
        loop->transport->events.turned(users, n_users);
    }
    h2_loop_settle(loop);
}

static void *run(void *context)
{
    H2Loop *loop = context;

    h2_loop_enter(loop);
    event_base_loop(loop->base, EVLOOP_NO_EXIT_ON_EMPTY);
    return NULL;
}

void h2_loop_init(H2Loop *loop, H2Transport *transport)
{
    struct event_config *config = event_config_new();

    if (!config)
        abort();
    loop->transport = transport;
    h2_memory_init(&loop->memory);
    /* Nobody but its thread touches the base. */
    event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK);
    loop->base = event_base_new_with_config(config);
    event_config_free(config);
    loop->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    loop->in = malloc(H2_IO_BYTES);
    loop->out = malloc(H2_IO_BYTES + H2_FRAME_BYTES);
    loop->last_asked = &loop->asked;
    loop->last_lingering = &loop->lingering;
    pthread_mutex_init(&loop->lock, NULL);
    if (!loop->base || loop->wake < 0 || !loop->in || !loop->out)
        abort();
    loop->woken = event_new(loop->base, loop->wake, EV_READ | EV_PERSIST, on_woken, loop);
    loop->sweep = event_new(loop->base, -1, EV_PERSIST, sweep, loop);
    loop->turn_end = event_new(loop->base, -1, 0, end_turn, loop);
    if (!loop->woken || !loop->sweep || !loop->turn_end || event_add(loop->woken, NULL))
        abort();
}

void h2_loop_start(H2Loop *loop)
{
    if (pthread_create(&loop->thread, NULL, run, loop))
        abort();
}

void h2_loop_free(H2Loop *loop)
{
    while (loop->free_calls) {
        H2Call *call = loop->free_calls;

        loop->free_calls = call->next;
        free(call);
    }
    h2_memory_free(&loop->memory);
    event_free(loop->woken);
    event_free(loop->sweep);
    event_free(loop->turn_end);
    event_base_free(loop->base);
    close(loop->wake);
    free(loop->in);
    free(loop->out);
    pthread_mutex_destroy(&loop->lock);
}
