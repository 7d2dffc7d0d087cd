/* A connection: from a socket to a peer that says that it is ready, and to its end. */
#include "shared/rpc/client_h2.h"

#include "shared/base/clock.h"
#include "shared/rpc/transport_h2.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_READS = 16 };

static struct timeval in_ms(int64_t milliseconds)
{
    return (struct timeval){ milliseconds / 1000, milliseconds % 1000 * 1000 };
}

/* Its calls end, and its backend looks for another connection. */
void link_lost(Link *link, const char *why)
{
    Backend *backend = link->backend;
    bool was_ready = backend && backend->state == BACKEND_READY;

    if (link->is_lost)
        return;
    link->is_lost = true;
    link->backend = NULL;
    if (backend)
        backend->link = NULL;
    event_del(&link->readable);
    event_del(&link->writable);
    event_del(&link->timer);
    if (backend && was_ready) {
        backend->state = BACKEND_RESTING;
        channel_resolve(link->channel);
        if (backend->state == BACKEND_RESTING)
            backend_connect(backend);
    } else if (backend) {
        backend_failed(backend);
    }
    while (link->calls)
        onward_gone(link->calls, NGHTTP2_INTERNAL_ERROR, why);
}

void link_leave(Link *link)
{
    if (link->backend)
        link->backend->link = NULL;
    link->backend = NULL;
    if (!link->calls)
        link_lost(link, "the connection is not needed");
}

void link_healthy(Link *link, bool is_healthy)
{
    Backend *backend = link->backend;

    link->is_healthy = is_healthy;
    if (!backend)
        return;
    backend->state = is_healthy ? BACKEND_READY : BACKEND_CONNECTING;
    backend->has_failed = !is_healthy;
    if (is_healthy) {
        backend->pause_ms = CLIENT_MIN_RECONNECT_MS;
        event_add(&link->timer, &(struct timeval){ link->channel->keepalive_ms / 1000,
                                    link->channel->keepalive_ms % 1000 * 1000 });
    }
    channel_look(link->channel);
}

/* Before it is connected: it takes too long. After: is the peer still there? */
static void on_timer(evutil_socket_t none, short what, void *context)
{
    Link *link = context;
    int64_t silent_ms = (clock_monotonic() - link->read_at) / 1000;
    struct timeval next = in_ms(link->channel->keepalive_ms);

    (void)none, (void)what;
    if (!link->is_secure) {
        link_lost(link, "it does not accept connections in time");
    } else if (link->is_pinged && silent_ms >= CLIENT_KEEPALIVE_TIMEOUT_MS) {
        link_lost(link, "it does not answer any more");
    } else {
        if (link->wants_health)
            link_watch_health(link);
        if (silent_ms >= link->channel->keepalive_ms) {
            nghttp2_submit_ping(link->session, NGHTTP2_FLAG_NONE, NULL);
            link->is_pinged = true;
            next = in_ms(CLIENT_KEEPALIVE_TIMEOUT_MS);
        }
        if (!link->is_lost)
            event_add(&link->timer, &next);
    }
    channel_settle(link->channel);
}

/* What TLS waits for, if it only waits. */
static bool is_only_waiting(Link *link, int result)
{
    int error = SSL_get_error(link->ssl, result);

    ERR_clear_error();
    if (error == SSL_ERROR_WANT_WRITE)
        event_add(&link->writable, NULL);
    return error == SSL_ERROR_WANT_WRITE || error == SSL_ERROR_WANT_READ;
}

static void shake_hands(Link *link)
{
    int result = link->ssl ? SSL_connect(link->ssl) : 1;

    if (result == 1 && (!link->ssl || h2_tls_is_h2(link->ssl))) {
        link->is_secure = true;
        link->read_at = clock_monotonic();
        link_start(link);
    } else if (result == 1 || !is_only_waiting(link, result)) {
        ERR_clear_error();
        link_lost(link, "the TLS handshake failed");
    }
}

/* How many bytes came; 0: none now, negative: none ever. */
static ssize_t take(Link *link, uint8_t *room, size_t size)
{
    ssize_t n;
    int result;

    if (!link->ssl) {
        n = recv(link->socket, room, size, 0);
        return n > 0 ? n : n < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : -1;
    }
    result = SSL_read(link->ssl, room, (int)size);
    if (result > 0)
        return result;
    return is_only_waiting(link, result) ? 0 : -1;
}

static void take_all(Link *link)
{
    uint8_t *room = link->channel->room;

    for (int i = 0; i < MAX_READS && !link->is_lost; i++) {
        ssize_t n = take(link, room, ONWARD_IO_BYTES);

        if (n > 0) {
            link->read_at = clock_monotonic();
            link->is_pinged = false;
            n = nghttp2_session_mem_recv(link->session, room, (size_t)n);
        } else if (n == 0) {
            return;
        }
        if (n < 0)
            link_lost(link, "it closed the connection");
    }
    if (link->ssl && !link->is_lost && SSL_pending(link->ssl))
        event_active(&link->readable, EV_READ, 0);
}

static void on_readable(evutil_socket_t fd, short what, void *context)
{
    Link *link = context;

    (void)fd, (void)what;
    if (!link->is_secure)
        shake_hands(link);
    else
        take_all(link);
    channel_settle(link->channel);
}

static void on_writable(evutil_socket_t fd, short what, void *context)
{
    Link *link = context;
    ClientChannel *channel = link->channel;
    int problem = 0;
    socklen_t size = sizeof(problem);

    (void)what;
    if (!link->is_connected) {
        if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &problem, &size) || problem) {
            link_lost(link, strerror(problem));
        } else {
            link->is_connected = true;
            event_add(&link->readable, NULL);
        }
    }
    if (!link->is_lost && !link->is_secure)
        shake_hands(link);
    channel_settle(channel);
}

/* How many bytes went; 0: none now, negative: none ever. */
static ssize_t give(Link *link, const uint8_t *bytes, size_t size)
{
    ssize_t n;
    int result;

    if (!link->ssl) {
        n = send(link->socket, bytes, size, MSG_NOSIGNAL);
        return n >= 0 ? n : errno == EAGAIN || errno == EINTR ? 0 : -1;
    }
    result = SSL_write(link->ssl, bytes, (int)size);
    if (result > 0)
        return result;
    return is_only_waiting(link, result) ? 0 : -1;
}

/* Frames until the buffer is full. */
static ssize_t gather(Link *link)
{
    uint8_t *out = link->channel->room;
    size_t size = 0;

    while (size < ONWARD_IO_BYTES) {
        const uint8_t *bytes;
        ssize_t n = nghttp2_session_mem_send(link->session, &bytes);

        if (n < 0)
            return n;
        if (n == 0)
            break;
        memcpy(out + size, bytes, (size_t)n);
        size += (size_t)n;
    }
    return (ssize_t)size;
}

/* Keeps what the socket does not take. */
static void keep(Link *link, const uint8_t *bytes, size_t size)
{
    link->pending = malloc(size);
    if (!link->pending)
        abort();
    memcpy(link->pending, bytes, size);
    link->pending_size = size;
    link->pending_at = 0;
    event_add(&link->writable, NULL);
}

/* False when some of it is left, or the connection is lost. */
static bool give_pending(Link *link)
{
    while (link->pending_at < link->pending_size) {
        ssize_t n =
            give(link, link->pending + link->pending_at, link->pending_size - link->pending_at);

        if (n < 0)
            link_lost(link, "it closed the connection");
        else if (n == 0)
            event_add(&link->writable, NULL);
        if (n <= 0)
            return false;
        link->pending_at += (size_t)n;
    }
    free(link->pending);
    link->pending = NULL;
    link->pending_size = link->pending_at = 0;
    return true;
}

void link_flush(Link *link)
{
    ssize_t size = 1;

    if (!link->session || !give_pending(link))
        return;
    while (size > 0 && !link->pending) {
        ssize_t n = 0;

        size = gather(link);
        if (size > 0)
            n = give(link, link->channel->room, (size_t)size);
        if (size < 0 || n < 0) {
            link_lost(link, "it closed the connection");
            return;
        }
        if (n < size)
            keep(link, link->channel->room + n, (size_t)(size - n));
    }
    if (!nghttp2_session_want_read(link->session) && !nghttp2_session_want_write(link->session))
        link_lost(link, "it ended the connection");
    else if (!link->backend && !link->calls)
        link_lost(link, "the connection is not needed");
}

bool link_open(Backend *backend)
{
    ClientChannel *channel = backend->channel;
    int yes = 1;
    int fd = socket(backend->address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    struct timeval patience = in_ms(CLIENT_CONNECT_MS);
    Link *link;

    if (fd < 0)
        return false;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
    if (connect(fd, (const struct sockaddr *)&backend->address, backend->address_size) &&
        errno != EINPROGRESS) {
        close(fd);
        return false;
    }
    link = calloc(1, sizeof(*link));
    if (!link)
        abort();
    *link = (Link){ .channel = channel, .backend = backend, .socket = fd, .next = channel->links };
    channel->links = link;
    backend->link = link;
    if (channel->tls)
        link->ssl = client_tls_new(channel, fd);
    event_assign(&link->readable, channel->base, fd, EV_READ | EV_PERSIST, on_readable, link);
    event_assign(&link->writable, channel->base, fd, EV_WRITE, on_writable, link);
    evtimer_assign(&link->timer, channel->base, on_timer, link);
    event_add(&link->writable, NULL);
    event_add(&link->timer, &patience);
    return true;
}

/* What ends with the session may have set the timer once more. */
void link_free(Link *link)
{
    event_del(&link->timer);
    nghttp2_session_del(link->session);
    SSL_free(link->ssl);
    close(link->socket);
    h2_reader_free(&link->health);
    free(link->pending);
    free(link);
}
