#include "tests/service/notification/receiver.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { REQUEST_SIZE = 65536 };

struct Receiver {
    int fd;
    int port;
    int failures, failure;
    atomic_int posts;
    pthread_t thread;
    char last[REQUEST_SIZE];
};

/* Reads until the body that Content-Length promises is there. */
static void read_request(int fd, char *request)
{
    size_t size = 0, wanted = REQUEST_SIZE - 1;
    ssize_t n;

    while (size < wanted && (n = read(fd, request + size, REQUEST_SIZE - 1 - size)) > 0) {
        const char *body, *length;

        size += (size_t)n;
        request[size] = 0;
        body = strstr(request, "\r\n\r\n");
        length = strstr(request, "Content-Length: ");
        if (body && length)
            wanted = (size_t)(body - request) + 4 + strtoul(length + 16, NULL, 10);
    }
}

static void *serve(void *context)
{
    Receiver *receiver = context;
    int fd;

    while ((fd = accept(receiver->fd, NULL, NULL)) >= 0) {
        int n = atomic_load(&receiver->posts) + 1;

        read_request(fd, receiver->last);
        dprintf(fd, "HTTP/1.1 %d X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
            n <= receiver->failures ? receiver->failure : 204);
        close(fd);
        atomic_store(&receiver->posts, n);
    }
    return NULL;
}

Receiver *receiver_start(int failures, int failure)
{
    Receiver *receiver = calloc(1, sizeof(*receiver));
    struct sockaddr_in address = { .sin_family = AF_INET,
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t size = sizeof(address);

    receiver->failures = failures;
    receiver->failure = failure;
    receiver->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (receiver->fd < 0 || bind(receiver->fd, (struct sockaddr *)&address, size) ||
        listen(receiver->fd, 16) || getsockname(receiver->fd, (struct sockaddr *)&address, &size))
        abort();
    receiver->port = ntohs(address.sin_port);
    pthread_create(&receiver->thread, NULL, serve, receiver);
    return receiver;
}

int receiver_port(const Receiver *receiver)
{
    return receiver->port;
}

int receiver_posts(Receiver *receiver)
{
    return atomic_load(&receiver->posts);
}

const char *receiver_stop(Receiver *receiver)
{
    shutdown(receiver->fd, SHUT_RDWR);
    pthread_join(receiver->thread, NULL);
    close(receiver->fd);
    return receiver->last;
}

void receiver_free(Receiver *receiver)
{
    free(receiver);
}
