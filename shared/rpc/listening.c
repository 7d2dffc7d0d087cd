#include "shared/rpc/listening.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum {
    RESERVED_DESCRIPTORS =
        64, /* kept for the store, files and onward calls; of a small limit an eighth */
};

static int bound_socket(const struct addrinfo *info)
{
    int yes = 1, no = 0;
    int fd = socket(info->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
    if (info->ai_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof(no));
    if (bind(fd, info->ai_addr, info->ai_addrlen) || listen(fd, SOMAXCONN)) {
        close(fd);
        return -1;
    }
    return fd;
}

const Error *listening_socket(Arena *arena, const char *address, int port, int *socket)
{
    struct addrinfo hints = { .ai_flags = AI_PASSIVE, .ai_socktype = SOCK_STREAM };
    struct addrinfo *found;
    char service[16];
    int failure;

    snprintf(service, sizeof(service), "%d", port);
    if (getaddrinfo(address, service, &hints, &found))
        return error_new(arena, ERROR_INVALID_ARGUMENT, "ADDRESS_INVALID",
            "There is no address \"%s\" to listen on.", address);
    *socket = bound_socket(found);
    failure = errno;
    freeaddrinfo(found);
    if (*socket < 0)
        return error_new(arena, ERROR_UNAVAILABLE, "PORT_TAKEN", "Cannot listen on %s:%d: %s.",
            address, port, strerror(failure));
    return NULL;
}

int listening_port(int socket)
{
    struct sockaddr_storage name;
    socklen_t size = sizeof(name);

    if (getsockname(socket, (struct sockaddr *)&name, &size))
        return 0;
    return ntohs(name.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&name)->sin6_port
                                            : ((struct sockaddr_in *)&name)->sin_port);
}

void listening_name(const struct sockaddr_storage *address, char name[LISTENING_NAME_SIZE])
{
    char host[INET6_ADDRSTRLEN] = "?", port[8] = "?";
    bool is_ipv6 = address->ss_family == AF_INET6;

    getnameinfo((const struct sockaddr *)address, sizeof(*address), host, sizeof(host), port,
        sizeof(port), NI_NUMERICHOST | NI_NUMERICSERV);
    snprintf(name, LISTENING_NAME_SIZE, is_ipv6 ? "ipv6:[%s]:%s" : "ipv4:%s:%s", host, port);
}

int listening_raise_descriptors(void)
{
    struct rlimit limit;
    rlim_t reserve = RESERVED_DESCRIPTORS;

    if (getrlimit(RLIMIT_NOFILE, &limit))
        return INT32_MAX;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    getrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_cur > INT32_MAX)
        return INT32_MAX;
    if (limit.rlim_cur / 8 < reserve)
        reserve = limit.rlim_cur / 8;
    return (int)(limit.rlim_cur - reserve);
}

int listening_spare(void)
{
    return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

void listening_turn_away(int socket, int *spare)
{
    int fd;

    close(*spare);
    fd = accept4(socket, NULL, NULL, SOCK_CLOEXEC);
    if (fd >= 0)
        close(fd);
    *spare = listening_spare();
}
