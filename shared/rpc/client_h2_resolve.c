/* Targets as gRPC writes them: "host:port", "dns:///host:port", "ipv4:1.2.3.4:5,…", "ipv6:[::1]:5,…". */
#include "shared/rpc/client_h2.h"

#include <netdb.h>
#include <stdlib.h>
#include <string.h>

/* The first "host:port" of a target, and how long it is. */
static const char *first_of(const char *target, size_t *length)
{
    static const char *const schemes[] = { "dns:///", "dns:", "ipv4:", "ipv6:" };

    for (size_t i = 0; i < COUNT(schemes); i++)
        if (text_starts_with(target, schemes[i])) {
            target += strlen(schemes[i]);
            break;
        }
    *length = strcspn(target, ",");
    return target;
}

/* Where the colon before the port is; the end when there is none. */
static size_t host_length(const char *name, size_t length)
{
    for (size_t i = length; i > 0 && name[i - 1] != ']'; i--)
        if (name[i - 1] == ':')
            return i - 1;
    return length;
}

static char *copy_host(const char *name, size_t length)
{
    size_t size = host_length(name, length);

    if (size > 1 && name[0] == '[' && name[size - 1] == ']')
        return strndup(name + 1, size - 2);
    return strndup(name, size);
}

void target_names(const char *target, char **host, char **authority)
{
    size_t length;
    const char *name = first_of(target, &length);

    *host = copy_host(name, length);
    *authority = strndup(name, length);
    if (!*host || !*authority)
        abort();
}

static void add(Addresses *addresses, const char *name, size_t length, int flags)
{
    size_t size = host_length(name, length);
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = flags };
    char *host = copy_host(name, length);
    char *port = strndup(name + size + (size < length), length - size - (size < length));
    struct addrinfo *found;

    if (!host || !port)
        abort();
    if (*port && !getaddrinfo(host, port, &hints, &found)) {
        for (const struct addrinfo *one = found; one && addresses->count < ONWARD_MAX_ADDRESSES;
             one = one->ai_next) {
            memcpy(&addresses->items[addresses->count], one->ai_addr, one->ai_addrlen);
            addresses->sizes[addresses->count++] = one->ai_addrlen;
        }
        freeaddrinfo(found);
    }
    free(host);
    free(port);
}

static void add_all(const char *target, Addresses *addresses, int flags)
{
    size_t length;
    const char *name = first_of(target, &length);

    addresses->count = 0;
    for (;;) {
        add(addresses, name, length, flags);
        name += length;
        if (!*name++)
            return;
        length = strcspn(name, ",");
    }
}

bool target_numeric(const char *target, Addresses *addresses)
{
    add_all(target, addresses, AI_NUMERICHOST | AI_NUMERICSERV);
    return addresses->count > 0 || text_starts_with(target, "ipv");
}

void target_resolve(const char *target, Addresses *addresses)
{
    add_all(target, addresses, 0);
}
