/* A connection's bytes: read into the loop's buffer and given to nghttp2 at once; gathered from it
 * and written once a turn of the loop. It keeps memory of its own only for what the socket did
 * not take. */
#include "shared/rpc/transport_h2.h"

#include "shared/base/clock.h"
#include "shared/rpc/transport_h2_proxy.h"

#include <errno.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    MAX_LINGERED = 1024 * 1024,
    /* A read of more frames than this makes the next one smaller: other connections wait. */
    FRAMES_AT_ONCE = 512,
    FIRST_READ = 16 * 1024,
    LEAST_READ = 4 * 1024,
    WRITES_AT_ONCE = 4,
};

typedef enum Moved { MOVED_LATER = 0, MOVED_OVER = -1 } Moved; /* else: bytes */

static ssize_t tls_moved(H2Connection *connection, int result)
{
    int error;

    if (result > 0)
        return result;
    error = SSL_get_error(connection->ssl, result);
    if (error == SSL_ERROR_WANT_WRITE && !connection->is_secure)
        event_add(&connection->writable, NULL); /* the handshake has more to say */
    ERR_clear_error();
    return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE ? MOVED_LATER : MOVED_OVER;
}

static ssize_t plain_moved(ssize_t result)
{
    if (result > 0)
        return result;
    if (result == 0)
        return MOVED_OVER;
    return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR ? MOVED_LATER : MOVED_OVER;
}

static ssize_t read_bytes(H2Connection *connection, uint8_t *room, size_t size)
{
    if (connection->ssl)
        return tls_moved(connection, SSL_read(connection->ssl, room, (int)size));
    return plain_moved(recv(connection->socket, room, size, 0));
}

static ssize_t write_bytes(H2Connection *connection, const uint8_t *bytes, size_t size)
{
    if (connection->ssl)
        return tls_moved(connection, SSL_write(connection->ssl, bytes, (int)size));
    return plain_moved(send(connection->socket, bytes, size, MSG_NOSIGNAL));
}

void h2_connection_touch(H2Connection *connection)
{
    if (connection->is_dirty)
        return;
    connection->is_dirty = true;
    connection->next_dirty = connection->loop->dirty;
    connection->loop->dirty = connection;
}

/* Once the handshake is over: who is it, and do they speak HTTP/2? */
static bool is_welcome(H2Connection *connection)
{
    if (!connection->ssl || connection->is_secure || !SSL_is_init_finished(connection->ssl))
        return true;
    connection->is_secure = true;
    connection->identity = h2_tls_identity(connection->ssl);
    return h2_tls_is_h2(connection->ssl);
}

static void adapt_reads(H2Connection *connection, size_t n)
{
    size_t size = connection->read_size;

    if (connection->seen > FRAMES_AT_ONCE)
        connection->read_size = size / 2 > LEAST_READ ? size / 2 : LEAST_READ;
    else if (n == size && size < H2_IO_BYTES)
        connection->read_size = size * 2;
}

/* False when the connection is over. */
static bool take_all(H2Connection *connection)
{
    H2Loop *loop = connection->loop;

    do {
        ssize_t n = read_bytes(connection, loop->in, connection->read_size);

        if (n == MOVED_OVER || !is_welcome(connection))
            return false;
        if (n == MOVED_LATER)
            return true;
        connection->read_at = clock_monotonic();
        connection->is_pinged = false;
        if (!connection->is_lingering)
            h2_session_take(connection, loop->in, (size_t)n);
        else if ((connection->lingered += (size_t)n) > MAX_LINGERED)
            return false;
        adapt_reads(connection, (size_t)n);
    } while (connection->ssl && SSL_pending(connection->ssl) > 0);
    return true;
}

/* The balancer's header is looked at until it is whole. A partial one would keep the socket
 * readable, so the socket is told how much more it takes; if it wakes us for less, there is no
 * more. False when the connection is over. */
static bool take_proxy(H2Connection *connection)
{
    H2Loop *loop = connection->loop;
    struct sockaddr_storage address;
    socklen_t size = sizeof(address);
    size_t whole;
    ssize_t n;
    int more = 1;

    if (!connection->wants_proxy)
        return true;
    if (getpeername(connection->socket, (struct sockaddr *)&address, &size))
        return false;
    n = plain_moved(recv(connection->socket, loop->in, H2_PROXY_MAX_BYTES, MSG_PEEK));
    if (n <= 0 || n == connection->proxy_seen)
        return n == MOVED_LATER;
    connection->proxy_seen = n;
    switch (h2_proxy_read((Bytes){ loop->in, (size_t)n }, &whole, &address)) {
    case H2_PROXY_MORE:
        more = (int)n + 1;
        break;
    case H2_PROXY_DONE:
        connection->wants_proxy = false;
        if (recv(connection->socket, loop->in, whole, 0) == (ssize_t)whole &&
            h2_connection_name(loop->transport, connection, &address))
            break;
        h2_limits_count(loop->transport, H2_REASON_ADDRESS, connection->name);
        return false;
    case H2_PROXY_BAD:
        h2_limits_count(loop->transport, H2_REASON_PROXY, connection->name);
        return false;
    }
    setsockopt(connection->socket, SOL_SOCKET, SO_RCVLOWAT, &more, sizeof(more));
    return true;
}

static void on_readable(evutil_socket_t fd, short what, void *context)
{
    H2Connection *connection = context;
    H2Loop *loop = connection->loop;

    (void)fd, (void)what;
    if (!take_proxy(connection) || (!connection->wants_proxy && !take_all(connection)))
        h2_connection_close(connection);
    else
        h2_connection_touch(connection);
    h2_loop_settle(loop);
}

static void on_writable(evutil_socket_t fd, short what, void *context)
{
    H2Connection *connection = context;

    if (connection->ssl && !connection->is_secure) {
        on_readable(fd, what, context);
        return;
    }
    h2_connection_touch(connection);
    h2_loop_settle(connection->loop);
}

/* What the socket did not take waits, in memory of the connection's own. */
static bool keep(H2Connection *connection, const uint8_t *bytes, size_t size)
{
    connection->pending = malloc(size);
    if (!connection->pending)
        abort();
    memcpy(connection->pending, bytes, size);
    connection->pending_size = size;
    connection->pending_at = 0;
    event_add(&connection->writable, NULL);
    return true;
}

/* False when the connection is over. */
static bool write_or_keep(H2Connection *connection, const uint8_t *bytes, size_t size)
{
    while (size) {
        ssize_t n = write_bytes(connection, bytes, size);

        if (n == MOVED_OVER)
            return false;
        if (n == MOVED_LATER)
            return keep(connection, bytes, size);
        bytes += n;
        size -= (size_t)n;
    }
    return true;
}

/* False when the connection is over. */
static bool write_pending(H2Connection *connection)
{
    while (connection->pending_at < connection->pending_size) {
        ssize_t n = write_bytes(connection, connection->pending + connection->pending_at,
            connection->pending_size - connection->pending_at);

        if (n == MOVED_OVER)
            return false;
        if (n == MOVED_LATER) {
            event_add(&connection->writable, NULL);
            return true;
        }
        connection->pending_at += (size_t)n;
    }
    free(connection->pending);
    connection->pending = NULL;
    connection->pending_size = connection->pending_at = 0;
    return true;
}

/* False when the connection is over. */
static bool write_session(H2Connection *connection)
{
    H2Loop *loop = connection->loop;

    for (int i = 0; i < WRITES_AT_ONCE; i++) {
        loop->out_size = 0;
        loop->is_out_full = false;
        if (!h2_session_gather(connection) || !write_or_keep(connection, loop->out, loop->out_size))
            return false;
        if (!loop->is_out_full || connection->pending)
            return true;
    }
    event_add(&connection->writable, NULL); /* the rest when others had their turn */
    return true;
}

/* Our side is closed first and the rest read to its end: closing over unread bytes would reset the
 * connection, and could take the last answer with it. */
static void linger(H2Connection *connection)
{
    connection->is_lingering = true;
    connection->lingers_since = clock_monotonic();
    if (connection->ssl)
        SSL_shutdown(connection->ssl);
    ERR_clear_error();
    shutdown(connection->socket, SHUT_WR);
}

void h2_connection_flush(H2Connection *connection)
{
    if (connection->is_lingering || (connection->ssl && !connection->is_secure))
        return;
    if (!write_pending(connection) || (!connection->pending && !write_session(connection)))
        h2_connection_close(connection);
    else if (connection->n_waiting)
        h2_request_admit(connection);
    else if (!connection->pending && !nghttp2_session_want_read(connection->session) &&
             !nghttp2_session_want_write(connection->session))
        linger(connection);
    if (!connection->is_closed)
        h2_weigh(connection);
}

H2Connection *h2_connection_new(H2Transport *transport, int socket)
{
    H2Connection *connection = calloc(1, sizeof(*connection));

    if (!connection)
        abort();
    connection->socket = socket;
    connection->wants_proxy = transport->expects_proxy;
    connection->read_size = FIRST_READ;
    connection->payload_left = NGHTTP2_CLIENT_MAGIC_LEN;
    if (transport->tls)
        connection->ssl = h2_tls_new(transport->tls, socket);
    return connection;
}

static void leave_peer(H2Transport *transport, H2Connection *connection)
{
    h2_peers_weigh(connection->peer, -connection->weight);
    h2_peers_drop(transport->peers, connection->peer);
    connection->weight = 0;
    connection->peer = NULL;
}

bool h2_connection_name(
    H2Transport *transport, H2Connection *connection, const struct sockaddr_storage *address)
{
    listening_name(address, connection->name);
    leave_peer(transport, connection);
    connection->peer = h2_peers_add(transport->peers, address, &transport->limits);
    return connection->peer != NULL;
}

/* Between nine tenths and eleven tenths, so that not all come back at once. */
static int64_t with_jitter(int64_t micros, int64_t seed)
{
    enum { STEPS = 1024 };

    return micros / 10 * 9 + micros / 5 / STEPS * (int64_t)(text_hash(&seed, sizeof(seed)) % STEPS);
}

void h2_connection_start(H2Connection *connection)
{
    H2Loop *loop = connection->loop;

    connection->opened_at = connection->read_at = connection->idle_since = clock_monotonic();
    connection->max_age_micros =
        with_jitter(loop->transport->limits.max_age_ms * 1000, connection->opened_at);
    h2_session_start(connection);
    h2_limits_start(connection);
    h2_weigh(connection);
    event_assign(&connection->readable, loop->base, connection->socket, EV_READ | EV_PERSIST,
        on_readable, connection);
    event_assign(
        &connection->writable, loop->base, connection->socket, EV_WRITE, on_writable, connection);
    if (event_add(&connection->readable, NULL))
        abort();
    if (!connection->ssl)
        h2_connection_touch(connection);
}

void h2_connection_cut(H2Connection *connection)
{
    H2Call *next;

    for (H2Call *call = connection->calls; call; call = next) {
        next = call->next;
        h2_call_cut(call, &h2_going_away);
    }
}

static void unlink_from_loop(H2Connection *connection)
{
    if (connection->previous)
        connection->previous->next = connection->next;
    else
        connection->loop->connections = connection->next;
    if (connection->next)
        connection->next->previous = connection->previous;
}

void h2_connection_close(H2Connection *connection)
{
    H2Call *next;

    if (connection->is_closed)
        return;
    connection->is_closed = true;
    h2_connection_touch(connection); /* released when nobody is in the middle of it */
    unlink_from_loop(connection);
    event_del(&connection->readable);
    event_del(&connection->writable);
    nghttp2_session_del(connection->session);
    connection->session = NULL;
    for (H2Call *call = connection->calls; call; call = next) {
        next = call->next;
        h2_call_gone(call);
    }
    SSL_free(connection->ssl);
    close(connection->socket);
    free(connection->pending);
    connection->pending = NULL;
    if (connection->loop->transport->open)
        gauge_add(connection->loop->transport->open, -1);
    atomic_fetch_sub(&connection->loop->transport->connections, 1);
}

void h2_connection_release(H2Connection *connection)
{
    if (!connection->is_closed)
        return;
    h2_weigh(connection); /* calls that the run time is not done with still count */
    if (connection->calls || connection->is_dirty)
        return;
    leave_peer(connection->loop->transport, connection);
    free(connection->identity);
    free(connection);
}
