/* The first loop accepts, and hands connections to all loops in turn. When descriptors run out
 * the next connection is turned away in place of a spare one. */
#include "shared/rpc/transport_h2.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <unistd.h>

enum { ACCEPTED_AT_ONCE = 64 };

static const struct timeval pause_time = { .tv_usec = 10 * 1000 };

/* Whether there is room for one more; H2_REASONS when there is. */
static H2Reason what_is_full(H2Transport *transport, int fd)
{
    if (atomic_load(&transport->connections) >= (size_t)transport->limits.max_connections)
        return H2_REASON_CONNECTIONS;
    if (fd >= transport->descriptor_mark)
        return H2_REASON_DESCRIPTORS;
    return h2_strain_of_memory(transport) ? H2_REASON_MEMORY : H2_REASONS;
}

static void refuse(H2Transport *transport, int fd, H2Reason reason)
{
    h2_limits_count(transport, reason, "");
    close(fd);
}

static void hand_over(H2Transport *transport, int fd, const struct sockaddr_storage *address)
{
    H2Connection *connection = h2_connection_new(transport, fd);
    int yes = 1;

    /* Until the balancer's header is there, the connection is the balancer's. */
    if (!h2_connection_name(transport, connection, address)) {
        SSL_free(connection->ssl);
        free(connection);
        refuse(transport, fd, H2_REASON_ADDRESS);
        return;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
    connection->loop = &transport->loops[transport->next_loop++ % transport->n_loops];
    atomic_fetch_add(&transport->connections, 1);
    if (transport->open)
        gauge_add(transport->open, 1);
    h2_loop_hand(connection->loop, connection);
}

/* False when there is nothing to accept now. */
static bool accept_one(H2Transport *transport)
{
    struct sockaddr_storage address;
    socklen_t size = sizeof(address);
    int fd = accept4(
        transport->socket, (struct sockaddr *)&address, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    H2Reason full;

    if (fd < 0 && (errno == EMFILE || errno == ENFILE)) {
        listening_turn_away(transport->socket, &transport->spare);
        h2_limits_count(transport, H2_REASON_DESCRIPTORS, "");
        return true;
    }
    if (fd < 0 && (errno == ENOBUFS || errno == ENOMEM)) {
        event_del(transport->acceptable);
        event_add(transport->accept_again, &pause_time);
        return false;
    }
    if (fd < 0)
        return errno != EAGAIN && errno != EWOULDBLOCK;
    full = what_is_full(transport, fd);
    if (full == H2_REASONS)
        hand_over(transport, fd, &address);
    else
        refuse(transport, fd, full);
    return true;
}

static void on_acceptable(evutil_socket_t fd, short what, void *context)
{
    H2Transport *transport = context;

    (void)fd, (void)what;
    for (int i = 0; i < ACCEPTED_AT_ONCE && accept_one(transport); i++)
        continue;
    h2_loop_settle(&transport->loops[0]);
}

static void on_again(evutil_socket_t none, short what, void *context)
{
    H2Transport *transport = context;

    (void)none, (void)what;
    event_add(transport->acceptable, NULL);
}

const Error *h2_accept_open(Arena *arena, H2Transport *transport, const TransportOptions *options)
{
    const Error *error =
        listening_socket(arena, options->address, options->port, &transport->socket);

    if (error)
        return error;
    transport->port = listening_port(transport->socket);
    transport->spare = listening_spare();
    return NULL;
}

void h2_accept_start(H2Transport *transport)
{
    struct event_base *base = transport->loops[0].base;

    transport->acceptable =
        event_new(base, transport->socket, EV_READ | EV_PERSIST, on_acceptable, transport);
    transport->accept_again = evtimer_new(base, on_again, transport);
    if (!transport->acceptable || !transport->accept_again ||
        event_add(transport->acceptable, NULL))
        abort();
}

void h2_accept_stop(H2Transport *transport)
{
    if (transport->acceptable)
        event_free(transport->acceptable);
    if (transport->accept_again)
        event_free(transport->accept_again);
    transport->acceptable = transport->accept_again = NULL;
    if (transport->socket >= 0)
        close(transport->socket);
    if (transport->spare >= 0)
        close(transport->spare);
    transport->socket = transport->spare = -1;
}
