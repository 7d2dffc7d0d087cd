/* The engine over libevent and libnghttp2: from options to loops that listen, and the drain. */
#include "shared/rpc/transport_h2.h"

#include "shared/base/clock.h"
#include "shared/base/condition.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

enum {
    /* After the last call connections get this long to close by themselves: cutting one at once
     * may take its last answer with it. */
    LINGER_MS = 200,
    DRAIN_STEP_MS = 10,
    SLOTS_PER_METHOD = 4,
};

const TransportMethod *h2_find_method(const H2Transport *transport, Bytes path)
{
    size_t at = text_hash(path.data, path.size) & transport->slot_mask;
    const TransportMethod *method;

    for (; (method = transport->slots[at]); at = (at + 1) & transport->slot_mask)
        if (strlen(method->path) == path.size && !memcmp(method->path, path.data, path.size))
            return method;
    return NULL;
}

static void add_methods(H2Transport *transport, const TransportOptions *options)
{
    size_t n_slots = SLOTS_PER_METHOD;

    while (n_slots < options->n_methods * SLOTS_PER_METHOD)
        n_slots *= 2;
    transport->slots = calloc(n_slots, sizeof(*transport->slots));
    if (!transport->slots)
        abort();
    transport->slot_mask = n_slots - 1;
    for (size_t i = 0; i < options->n_methods; i++) {
        const char *path = options->methods[i].path;
        size_t at = text_hash(path, strlen(path)) & transport->slot_mask;

        while (transport->slots[at])
            at = (at + 1) & transport->slot_mask;
        transport->slots[at] = &options->methods[i];
    }
}

H2Transport *h2_transport_new(const TransportOptions *options)
{
    H2Transport *transport = calloc(1, sizeof(*transport));

    if (!transport)
        abort();
    transport->base.ops = &transport_h2;
    transport->events = options->events;
    transport->limits = options->limits;
    transport->socket = transport->spare = -1;
    transport->descriptor_cap = listening_raise_descriptors();
    pthread_mutex_init(&transport->lock, NULL);
    condition_init(&transport->changed);
    transport->expects_proxy = options->expects_proxy;
    transport->peers = h2_peers_new();
    h2_strain_open(transport);
    h2_limits_setup(transport, options->metrics);
    add_methods(transport, options);
    h2_session_setup(transport);
    transport->n_loops = (size_t)transport->limits.pollers;
    transport->loops = calloc(transport->n_loops, sizeof(*transport->loops));
    if (!transport->loops)
        abort();
    for (size_t i = 0; i < transport->n_loops; i++)
        h2_loop_init(&transport->loops[i], transport);
    return transport;
}

void h2_transport_free(H2Transport *transport)
{
    h2_accept_stop(transport);
    for (size_t i = 0; i < transport->n_loops; i++)
        h2_loop_free(&transport->loops[i]);
    h2_tls_close(transport->tls);
    h2_peers_free(transport->peers);
    nghttp2_session_callbacks_del(transport->callbacks);
    nghttp2_option_del(transport->options);
    pthread_cond_destroy(&transport->changed);
    pthread_mutex_destroy(&transport->lock);
    free(transport->slots);
    free(transport->loops);
    free(transport);
}

/* The threads inherit the mask: signals are for whoever asked for them. */
static void start_loops(H2Transport *transport)
{
    sigset_t all, before;

    h2_accept_start(transport);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    for (size_t i = 0; i < transport->n_loops; i++)
        h2_loop_start(&transport->loops[i]);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

const Error *h2_listen(Arena *arena, const TransportOptions *options, Transport **transport)
{
    H2Transport *opened = h2_transport_new(options);
    const Error *error = NULL;

    if ((options->tls_certificate && (error = h2_tls_open(arena, options, &opened->tls))) ||
        (error = h2_accept_open(arena, opened, options))) {
        h2_transport_free(opened);
        return error;
    }
    start_loops(opened);
    *transport = &opened->base;
    return NULL;
}

int h2_port(const Transport *transport)
{
    return ((const H2Transport *)transport)->port;
}

size_t h2_calls(const Transport *base)
{
    const H2Transport *transport = (const H2Transport *)base;
    size_t calls = 0;

    for (size_t i = 0; i < transport->n_loops; i++)
        calls += atomic_load_explicit(
            &((H2Loop *)(uintptr_t)&transport->loops[i])->calls, memory_order_acquire);
    return calls;
}

static void command(H2Transport *transport, H2Command what)
{
    for (size_t i = 0; i < transport->n_loops; i++)
        h2_loop_command(&transport->loops[i], what);
}

/* The lock is held. */
static void wait_a_step(H2Transport *transport)
{
    condition_wait_until(
        &transport->changed, &transport->lock, clock_monotonic() + DRAIN_STEP_MS * INT64_C(1000));
}

/* Until all connections are gone, no call was there for the linger, or the grace is over. */
static void wait_for_calls(H2Transport *transport, int64_t grace_ms)
{
    int64_t now = clock_monotonic();
    int64_t end = now + grace_ms * 1000;
    int64_t quiet_since = now;

    pthread_mutex_lock(&transport->lock);
    while (now < end && now - quiet_since < LINGER_MS * 1000 &&
           (h2_calls(&transport->base) || atomic_load(&transport->connections))) {
        wait_a_step(transport);
        now = clock_monotonic();
        if (h2_calls(&transport->base))
            quiet_since = now;
    }
    pthread_mutex_unlock(&transport->lock);
}

bool h2_drain(Transport *base, int grace_ms)
{
    H2Transport *transport = (H2Transport *)base;
    bool is_clean;

    atomic_store(&transport->is_draining, true);
    command(transport, H2_COMMAND_DRAIN);
    wait_for_calls(transport, grace_ms);
    is_clean = h2_calls(base) == 0;
    command(transport, H2_COMMAND_CUT);
    wait_for_calls(transport, LINGER_MS);
    command(transport, H2_COMMAND_CLOSE);
    pthread_mutex_lock(&transport->lock);
    while (h2_calls(base) || atomic_load(&transport->connections))
        wait_a_step(transport);
    pthread_mutex_unlock(&transport->lock);
    return is_clean;
}

void h2_destroy(Transport *base)
{
    H2Transport *transport = (H2Transport *)base;

    command(transport, H2_COMMAND_STOP);
    for (size_t i = 0; i < transport->n_loops; i++)
        pthread_join(transport->loops[i].thread, NULL);
    h2_transport_free(transport);
}
