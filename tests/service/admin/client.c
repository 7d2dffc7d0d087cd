#include "tests/service/admin/client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum { MAX_ANSWER = 16 << 20, PATIENCE_SECONDS = 10, RECEIVE_BUFFER = 64 * 1024 };

int client_connect(int port)
{
    int connection = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct timeval patience = { .tv_sec = PATIENCE_SECONDS };
    struct sockaddr_in address = { .sin_family = AF_INET,
        .sin_port = htons((uint16_t)port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

    /* A small one, so that a large answer has to wait in the server. */
    setsockopt(connection, SOL_SOCKET, SO_RCVBUF, &(int){ RECEIVE_BUFFER }, sizeof(int));
    setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    setsockopt(connection, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    if (connect(connection, (struct sockaddr *)&address, sizeof(address)))
        abort();
    return connection;
}

bool client_send(int connection, const char *bytes, size_t size)
{
    while (size > 0) {
        ssize_t sent = send(connection, bytes, size, MSG_NOSIGNAL);

        if (sent <= 0)
            return false;
        bytes += sent;
        size -= (size_t)sent;
    }
    return true;
}

char *client_read_all(Arena *arena, int connection)
{
    char *answer = malloc(MAX_ANSWER);
    char *copy = NULL;
    size_t size = 0;
    ssize_t got;

    if (!answer)
        abort();
    while ((got = recv(connection, answer + size, MAX_ANSWER - size, 0)) > 0)
        size += (size_t)got;
    if (got == 0)
        copy = arena_text_of(arena, answer, size);
    free(answer);
    close(connection);
    return copy;
}

char *client_exchange(Arena *arena, int port, const char *request)
{
    int connection = client_connect(port);

    client_send(connection, request, strlen(request));
    return client_read_all(arena, connection);
}

bool client_is_closed(int connection)
{
    char byte;
    ssize_t got = recv(connection, &byte, 1, MSG_DONTWAIT | MSG_PEEK);

    return got == 0 || (got < 0 && errno == ECONNRESET);
}
