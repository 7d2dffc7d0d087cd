/* Connections come through a socket of our own. Core's own listener dies for good when
 * descriptors run out once (CVE-2023-4785) and has no cap on connections; this one turns
 * connections away instead, and goes on. */
#include "shared/rpc/transport_core.h"

#include "shared/base/clock.h"
#include "shared/base/log.h"
#include "shared/rpc/listening.h"

#include <errno.h>
#include <grpc/grpc_posix.h>
#include <grpc/grpc_security.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    COMPLAINT_INTERVAL_MICROS = 1000000,
    ACCEPT_PAUSE_MS = 10,
    MAX_ADDRESSES = 65536,
};

struct CoreListener {
    int socket;
    int wake; /* written to once: stop */
    /* given up for a moment to turn a connection away when there are no descriptors left */
    int spare;
    /* descriptors are numbered from below, so a connection with a higher number is one too many */
    int cap;
    int port;
    int64_t complained_at;
    pthread_mutex_t lock;                   /* for the addresses */
    char (*addresses)[LISTENING_NAME_SIZE]; /* of peers, by descriptor */
    grpc_server *server;
    grpc_server_credentials *credentials;
    pthread_t thread;
    bool is_started;
};

const Error *core_listener_open(
    Arena *arena, const char *address, int port, int descriptor_cap, CoreListener **listener)
{
    CoreListener *opened;
    int fd;
    const Error *error = listening_socket(arena, address, port, &fd);

    if (error)
        return error;
    opened = calloc(1, sizeof(*opened));
    if (!opened)
        abort();
    opened->socket = fd;
    opened->port = listening_port(fd);
    opened->wake = eventfd(0, EFD_CLOEXEC);
    opened->spare = listening_spare();
    opened->cap = descriptor_cap < MAX_ADDRESSES ? descriptor_cap : MAX_ADDRESSES;
    opened->addresses = calloc((size_t)opened->cap, LISTENING_NAME_SIZE);
    if (!opened->addresses)
        abort();
    pthread_mutex_init(&opened->lock, NULL);
    *listener = opened;
    return NULL;
}

int core_listener_port(const CoreListener *listener)
{
    return listener->port;
}

static void complain(CoreListener *listener)
{
    int64_t now = clock_monotonic();

    if (now - listener->complained_at < COMPLAINT_INTERVAL_MICROS)
        return;
    listener->complained_at = now;
    log_write(LOG_WARN, "connections_refused",
        (const LogField[]){ { "descriptor_cap", NULL, listener->cap }, { 0 } });
}

/* Core knows a connection that it was handed only as "fd:7". */
static void note_address(CoreListener *listener, int fd, const struct sockaddr_storage *name)
{
    char text[LISTENING_NAME_SIZE];

    listening_name(name, text);
    pthread_mutex_lock(&listener->lock);
    memcpy(listener->addresses[fd], text, sizeof(text));
    pthread_mutex_unlock(&listener->lock);
}

static void take_connection(CoreListener *listener)
{
    struct sockaddr_storage name;
    socklen_t size = sizeof(name);
    int yes = 1;
    int fd =
        accept4(listener->socket, (struct sockaddr *)&name, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);

    if (fd < 0 && (errno == EMFILE || errno == ENFILE)) {
        listening_turn_away(listener->socket, &listener->spare);
        complain(listener);
    } else if (fd < 0 && (errno == ENOBUFS || errno == ENOMEM)) {
        clock_sleep_ms(ACCEPT_PAUSE_MS);
    } else if (fd >= listener->cap) {
        close(fd);
        complain(listener);
    } else if (fd >= 0) {
        note_address(listener, fd, &name);
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
        grpc_server_add_channel_from_fd(listener->server, fd, listener->credentials);
    }
}

static void *listen_loop(void *context)
{
    CoreListener *listener = context;
    struct pollfd fds[] = { { .fd = listener->wake, .events = POLLIN },
        { .fd = listener->socket, .events = POLLIN } };

    for (;;) {
        if (poll(fds, COUNT(fds), -1) < 0)
            continue;
        if (fds[0].revents)
            return NULL;
        if (fds[1].revents)
            take_connection(listener);
    }
}

void core_listener_start(CoreListener *listener, grpc_server *server)
{
    listener->server = server;
    listener->credentials = grpc_insecure_server_credentials_create();
    listener->is_started = true;
    if (pthread_create(&listener->thread, NULL, listen_loop, listener))
        abort();
}

void core_listener_stop(CoreListener *listener)
{
    uint64_t one = 1;

    if (!listener->is_started)
        return;
    if (write(listener->wake, &one, sizeof(one)) != sizeof(one))
        abort();
    pthread_join(listener->thread, NULL);
    close(listener->socket);
    listener->socket = -1;
    listener->is_started = false;
}

void core_listener_free(CoreListener *listener)
{
    if (listener->socket >= 0)
        close(listener->socket);
    close(listener->wake);
    close(listener->spare);
    if (listener->credentials)
        grpc_server_credentials_release(listener->credentials);
    pthread_mutex_destroy(&listener->lock);
    free(listener->addresses);
    free(listener);
}

const char *core_listener_address(CoreListener *listener, Arena *arena, const char *peer)
{
    int fd = text_starts_with(peer, "fd:") ? atoi(peer + 3) : -1;
    const char *address;

    if (fd < 0 || fd >= listener->cap)
        return arena_text(arena, peer);
    pthread_mutex_lock(&listener->lock);
    address = arena_text(arena, listener->addresses[fd]);
    pthread_mutex_unlock(&listener->lock);
    return address;
}
