#include "tests/store/proxy.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MAX_PAIRS = 200, CHUNK = 65536, TICK_MS = 5 };

typedef struct Pair {
    int client, server; /* -1: free */
    bool loses_answer;
} Pair;

/* One thread serves all connections. */
struct Proxy {
    int listener, port, server_port;
    pthread_t thread;
    pthread_mutex_t lock;
    ProxyMode mode;
    char lost_text[64];
    bool has_lost, is_stopping;
    Pair pairs[MAX_PAIRS];
};

static struct sockaddr_in address_of(int port)
{
    return (struct sockaddr_in){ .sin_family = AF_INET,
        .sin_port = htons((uint16_t)port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
}

static void close_pair(Pair *pair)
{
    close(pair->client);
    close(pair->server);
    pair->client = pair->server = -1;
}

static void accept_one(Proxy *proxy, ProxyMode mode)
{
    struct sockaddr_in address = address_of(proxy->server_port);
    int client = accept(proxy->listener, NULL, NULL), on = 1;
    Pair *pair = proxy->pairs;

    while (pair < proxy->pairs + MAX_PAIRS && pair->client >= 0)
        pair++;
    if (client < 0 || mode == PROXY_REFUSE || pair == proxy->pairs + MAX_PAIRS) {
        close(client);
        return;
    }
    *pair = (Pair){ client, socket(AF_INET, SOCK_STREAM, 0), false };
    setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    setsockopt(pair->server, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if (connect(pair->server, (struct sockaddr *)&address, sizeof(address)))
        close_pair(pair);
}

static bool send_all(int to, const char *bytes, ssize_t size)
{
    while (size > 0) {
        ssize_t sent = send(to, bytes, (size_t)size, MSG_NOSIGNAL);

        if (sent <= 0)
            return false;
        bytes += sent;
        size -= sent;
    }
    return true;
}

static bool is_to_be_lost(Proxy *proxy, const char *bytes, ssize_t size)
{
    bool is_found;

    pthread_mutex_lock(&proxy->lock);
    is_found = proxy->lost_text[0] &&
               memmem(bytes, (size_t)size, proxy->lost_text, strlen(proxy->lost_text));
    if (is_found)
        proxy->lost_text[0] = 0;
    pthread_mutex_unlock(&proxy->lock);
    return is_found;
}

static void forward(Proxy *proxy, Pair *pair, bool from_client)
{
    char bytes[CHUNK];
    ssize_t size = recv(from_client ? pair->client : pair->server, bytes, sizeof(bytes), 0);

    if (!from_client && pair->loses_answer) {
        pthread_mutex_lock(&proxy->lock);
        proxy->has_lost = true;
        pthread_mutex_unlock(&proxy->lock);
        size = 0;
    }
    if (size > 0 && from_client)
        pair->loses_answer |= is_to_be_lost(proxy, bytes, size);
    if (size <= 0 || !send_all(from_client ? pair->server : pair->client, bytes, size))
        close_pair(pair);
}

static void serve_once(Proxy *proxy, ProxyMode mode)
{
    struct pollfd fds[1 + 2 * MAX_PAIRS];

    fds[0] = (struct pollfd){ .fd = proxy->listener, .events = POLLIN };
    for (int i = 0; i < MAX_PAIRS; i++) {
        if (mode == PROXY_REFUSE && proxy->pairs[i].client >= 0)
            close_pair(&proxy->pairs[i]);
        fds[1 + 2 * i] = (struct pollfd){ .fd = proxy->pairs[i].client, .events = POLLIN };
        fds[2 + 2 * i] = (struct pollfd){ .fd = proxy->pairs[i].server, .events = POLLIN };
    }
    if (poll(fds, mode == PROXY_HOLD ? 0 : 1 + 2 * MAX_PAIRS, TICK_MS) <= 0)
        return;
    if (fds[0].revents)
        accept_one(proxy, mode);
    for (int i = 0; i < MAX_PAIRS; i++)
        for (int side = 0; side < 2; side++)
            if (fds[1 + 2 * i + side].fd >= 0 && fds[1 + 2 * i + side].revents &&
                proxy->pairs[i].client >= 0)
                forward(proxy, &proxy->pairs[i], side == 0);
}

static void *run(void *argument)
{
    Proxy *proxy = argument;

    for (;;) {
        bool is_stopping;
        ProxyMode mode;

        pthread_mutex_lock(&proxy->lock);
        is_stopping = proxy->is_stopping;
        mode = proxy->mode;
        pthread_mutex_unlock(&proxy->lock);
        if (is_stopping)
            return NULL;
        serve_once(proxy, mode);
    }
}

Proxy *proxy_start(int server_port)
{
    struct sockaddr_in address = address_of(0);
    socklen_t size = sizeof(address);
    Proxy *proxy = calloc(1, sizeof(*proxy));

    if (!proxy)
        abort();
    proxy->server_port = server_port;
    for (int i = 0; i < MAX_PAIRS; i++)
        proxy->pairs[i].client = proxy->pairs[i].server = -1;
    pthread_mutex_init(&proxy->lock, NULL);
    proxy->listener = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(proxy->listener, (struct sockaddr *)&address, size) || listen(proxy->listener, 64) ||
        getsockname(proxy->listener, (struct sockaddr *)&address, &size))
        abort();
    proxy->port = ntohs(address.sin_port);
    if (pthread_create(&proxy->thread, NULL, run, proxy))
        abort();
    return proxy;
}

void proxy_stop(Proxy *proxy)
{
    pthread_mutex_lock(&proxy->lock);
    proxy->is_stopping = true;
    pthread_mutex_unlock(&proxy->lock);
    pthread_join(proxy->thread, NULL);
    for (int i = 0; i < MAX_PAIRS; i++)
        if (proxy->pairs[i].client >= 0)
            close_pair(&proxy->pairs[i]);
    close(proxy->listener);
    pthread_mutex_destroy(&proxy->lock);
    free(proxy);
}

int proxy_port(const Proxy *proxy)
{
    return proxy->port;
}

void proxy_set(Proxy *proxy, ProxyMode mode)
{
    pthread_mutex_lock(&proxy->lock);
    proxy->mode = mode;
    pthread_mutex_unlock(&proxy->lock);
}

void proxy_lose_answer_to(Proxy *proxy, const char *text)
{
    pthread_mutex_lock(&proxy->lock);
    strncpy(proxy->lost_text, text, sizeof(proxy->lost_text) - 1);
    proxy->has_lost = false;
    pthread_mutex_unlock(&proxy->lock);
}

int proxy_has_lost(Proxy *proxy)
{
    int has_lost;

    pthread_mutex_lock(&proxy->lock);
    has_lost = proxy->has_lost;
    pthread_mutex_unlock(&proxy->lock);
    return has_lost;
}
