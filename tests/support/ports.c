#include "tests/support/ports.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>

/* Linux lets a second socket bind the port when both say SO_REUSEADDR and none listens yet. */
static int bind_some_port(bool is_shared, int *handle)
{
    struct sockaddr_in address = { .sin_family = AF_INET };
    socklen_t size = sizeof(address);
    int yes = is_shared;

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    *handle = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (*handle < 0 || setsockopt(*handle, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) ||
        bind(*handle, (struct sockaddr *)&address, size) ||
        getsockname(*handle, (struct sockaddr *)&address, &size))
        abort();
    return ntohs(address.sin_port);
}

int port_reserve(int *handle)
{
    return bind_some_port(true, handle);
}

int port_dead(void)
{
    static int port, handle;

    if (!port)
        port = bind_some_port(false, &handle);
    return port;
}
