/* The admin server: one loop on one thread. A connection carries one request and has one deadline
 * for all of it, so that a slow client holds its place for seconds at most; when all places are
 * taken, the oldest makes room. */
#include "shared/admin/http.h"

#include "shared/admin/page.h"
#include "shared/admin/server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <event2/bufferevent.h>
#include <event2/thread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum {
    MAX_CONNECTIONS = 64,
    MAX_HEAD_SIZE = 8 * 1024,
    BACKLOG = 128,
};

static const struct timeval connection_time = { .tv_sec = 5 };
static const struct timeval pause_time = { .tv_usec = 100 * 1000 };

struct AdminConnection {
    AdminConnection *newer;
    AdminConnection *older;
    AdminServer *server;
    struct bufferevent *stream;
    struct event *deadline;
    bool is_answered;
    bool is_half_closed; /* the client has said all it will say */
};

static void close_connection(AdminConnection *connection)
{
    AdminServer *server = connection->server;

    if (connection->newer)
        connection->newer->older = connection->older;
    else
        server->newest = connection->older;
    if (connection->older)
        connection->older->newer = connection->newer;
    else
        server->oldest = connection->newer;
    server->n_connections--;
    event_free(connection->deadline);
    bufferevent_free(connection->stream);
    free(connection);
}

/* Our side is closed first and the rest of the request read to its end: closing over unread bytes
 * would reset the connection and could take the response with it. */
static void on_written(struct bufferevent *stream, void *context)
{
    AdminConnection *connection = context;

    if (!connection->is_answered || evbuffer_get_length(bufferevent_get_output(stream)))
        return;
    if (connection->is_half_closed)
        close_connection(connection);
    else
        shutdown(bufferevent_getfd(stream), SHUT_WR);
}

static void on_readable(struct bufferevent *stream, void *context)
{
    AdminConnection *connection = context;
    struct evbuffer *input = bufferevent_get_input(stream);
    struct evbuffer *output = bufferevent_get_output(stream);
    size_t size = evbuffer_get_length(input);
    struct evbuffer_ptr end = evbuffer_search(input, "\r\n\r\n", 4, NULL);
    char head[MAX_HEAD_SIZE + 1];

    if (!connection->is_answered) {
        if (end.pos < 0 && size < MAX_HEAD_SIZE)
            return;
        connection->is_answered = true;
        if (end.pos < 0) {
            page_refuse_large(output);
        } else {
            size = (size_t)evbuffer_copyout(input, head, MAX_HEAD_SIZE);
            head[size] = '\0';
            page_answer(&connection->server->options, head, output);
        }
    }
    evbuffer_drain(input, evbuffer_get_length(input));
}

static void on_ended(struct bufferevent *stream, short what, void *context)
{
    AdminConnection *connection = context;

    connection->is_half_closed = true;
    if (!(what & BEV_EVENT_EOF) || !evbuffer_get_length(bufferevent_get_output(stream)))
        close_connection(connection);
}

static void on_deadline(evutil_socket_t none, short what, void *context)
{
    (void)none, (void)what;
    close_connection(context);
}

static void on_accepted(struct evconnlistener *listener, evutil_socket_t socket,
    struct sockaddr *address, int size, void *context)
{
    AdminServer *server = context;
    AdminConnection *connection = calloc(1, sizeof(*connection));

    (void)listener, (void)address, (void)size;
    if (!connection)
        abort();
    if (server->n_connections == MAX_CONNECTIONS)
        close_connection(server->oldest);
    connection->server = server;
    connection->stream = bufferevent_socket_new(server->base, socket, BEV_OPT_CLOSE_ON_FREE);
    connection->deadline = evtimer_new(server->base, on_deadline, connection);
    if (!connection->stream || !connection->deadline)
        abort();
    connection->older = server->newest;
    if (server->newest)
        server->newest->newer = connection;
    else
        server->oldest = connection;
    server->newest = connection;
    server->n_connections++;
    evtimer_add(connection->deadline, &connection_time);
    bufferevent_setcb(connection->stream, on_readable, on_written, on_ended, connection);
    bufferevent_setwatermark(connection->stream, EV_READ, 0, MAX_HEAD_SIZE);
    bufferevent_enable(connection->stream, EV_READ | EV_WRITE);
}

/* Out of descriptors: without a pause the loop would spin on the connection that it cannot
 * accept. */
static void on_accept_failed(struct evconnlistener *listener, void *context)
{
    AdminServer *server = context;

    evconnlistener_disable(listener);
    evtimer_add(server->resume, &pause_time);
}

static void on_resume(evutil_socket_t none, short what, void *context)
{
    AdminServer *server = context;

    (void)none, (void)what;
    evconnlistener_enable(server->listener);
}

static void on_stop(evutil_socket_t none, short what, void *context)
{
    AdminServer *server = context;

    (void)none, (void)what;
    event_base_loopbreak(server->base);
}

static void *run_loop(void *context)
{
    AdminServer *server = context;

    event_base_loop(server->base, EVLOOP_NO_EXIT_ON_EMPTY);
    return NULL;
}

/* An IPv4 or IPv6 address in numbers. */
static bool read_address(
    const char *text, int port, struct sockaddr_storage *address, socklen_t *size)
{
    struct sockaddr_in *v4 = (struct sockaddr_in *)address;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)address;

    memset(address, 0, sizeof(*address));
    if (inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons((uint16_t)port);
        *size = sizeof(*v4);
        return true;
    }
    if (inet_pton(AF_INET6, text, &v6->sin6_addr) != 1)
        return false;
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons((uint16_t)port);
    *size = sizeof(*v6);
    return true;
}

static const Error *listen_on(Arena *arena, AdminServer *server)
{
    const AdminOptions *options = &server->options;
    struct sockaddr_storage address;
    socklen_t size;

    if (!read_address(options->address, options->port, &address, &size))
        return error_new(arena, ERROR_INVALID_ARGUMENT, "ADMIN_ADDRESS_BAD",
            "The admin address %s is not an IPv4 or IPv6 address in numbers.", options->address);
    server->listener = evconnlistener_new_bind(server->base, on_accepted, server,
        LEV_OPT_REUSEABLE | LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, BACKLOG,
        (struct sockaddr *)&address, (int)size);
    if (!server->listener)
        return error_new(arena, ERROR_UNAVAILABLE, "ADMIN_PORT_TAKEN",
            "The admin port %s:%d cannot be listened on: %s.", options->address, options->port,
            strerror(errno));
    evconnlistener_set_error_cb(server->listener, on_accept_failed);
    getsockname(evconnlistener_get_fd(server->listener), (struct sockaddr *)&address, &size);
    server->port =
        ntohs(address.ss_family == AF_INET ? ((struct sockaddr_in *)&address)->sin_port
                                           : ((struct sockaddr_in6 *)&address)->sin6_port);
    return NULL;
}

static void free_server(AdminServer *server)
{
    while (server->newest)
        close_connection(server->newest);
    admin_free_watches(server);
    if (server->listener)
        evconnlistener_free(server->listener);
    event_free(server->stop);
    event_free(server->resume);
    event_base_free(server->base);
    free(server);
}

/* No signal is ever delivered to the loop's thread itself: they arrive through descriptors. */
static void start_thread(AdminServer *server)
{
    sigset_t all;
    sigset_t before;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    if (pthread_create(&server->thread, NULL, run_loop, server))
        abort();
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_setname_np(server->thread, "admin");
}

const Error *admin_start(Arena *arena, const AdminOptions *options, AdminServer **server)
{
    AdminServer *started = calloc(1, sizeof(*started));
    const Error *error;

    if (!started || evthread_use_pthreads() || !(started->base = event_base_new()))
        abort();
    started->options = *options;
    started->stop = event_new(started->base, -1, 0, on_stop, started);
    started->resume = evtimer_new(started->base, on_resume, started);
    if (!started->stop || !started->resume)
        abort();
    error = listen_on(arena, started);
    if (error) {
        free_server(started);
        return error;
    }
    start_thread(started);
    *server = started;
    return NULL;
}

int admin_port(const AdminServer *server)
{
    return server->port;
}

void admin_stop(AdminServer *server)
{
    if (!server)
        return;
    event_active(server->stop, EV_TIMEOUT, 1);
    pthread_join(server->thread, NULL);
    free_server(server);
}
