#include "shared/rpc/transport_h2_proxy.h"

#include <netinet/in.h>
#include <string.h>

enum {
    HEAD_BYTES = 16,
    VERSION = 2,
    COMMAND_LOCAL = 0,
    COMMAND_PROXY = 1,
    TCP_OVER_IPV4 = 0x11,
    TCP_OVER_IPV6 = 0x21,
    IPV4_BYTES = 12, /* both addresses, both ports */
    IPV6_BYTES = 36,
};

static const uint8_t signature[] = { '\r', '\n', '\r', '\n', 0, '\r', '\n', 'Q', 'U', 'I', 'T',
    '\n' };

static void take_ipv4(const uint8_t *bytes, struct sockaddr_storage *address)
{
    struct sockaddr_in name = { .sin_family = AF_INET };

    memcpy(&name.sin_addr, bytes, 4);
    memcpy(&name.sin_port, bytes + 8, 2);
    memcpy(address, &name, sizeof(name));
}

static void take_ipv6(const uint8_t *bytes, struct sockaddr_storage *address)
{
    struct sockaddr_in6 name = { .sin6_family = AF_INET6 };

    memcpy(&name.sin6_addr, bytes, 16);
    memcpy(&name.sin6_port, bytes + 32, 2);
    memcpy(address, &name, sizeof(name));
}

H2Proxy h2_proxy_read(Bytes bytes, size_t *size, struct sockaddr_storage *address)
{
    const uint8_t *at = bytes.data;
    size_t known = bytes.size < sizeof(signature) ? bytes.size : sizeof(signature);
    size_t left;

    if (memcmp(at, signature, known) != 0)
        return H2_PROXY_BAD;
    if (bytes.size < HEAD_BYTES)
        return H2_PROXY_MORE;
    left = (size_t)at[14] << 8 | at[15];
    *size = HEAD_BYTES + left;
    if (at[12] >> 4 != VERSION || *size > H2_PROXY_MAX_BYTES || (at[12] & 15) > COMMAND_PROXY)
        return H2_PROXY_BAD;
    if (bytes.size < *size)
        return H2_PROXY_MORE;
    if ((at[12] & 15) == COMMAND_LOCAL)
        return H2_PROXY_DONE;
    if (at[13] == TCP_OVER_IPV4 && left >= IPV4_BYTES)
        take_ipv4(at + HEAD_BYTES, address);
    else if (at[13] == TCP_OVER_IPV6 && left >= IPV6_BYTES)
        take_ipv6(at + HEAD_BYTES, address);
    else if (at[13] == TCP_OVER_IPV4 || at[13] == TCP_OVER_IPV6)
        return H2_PROXY_BAD;
    return H2_PROXY_DONE;
}
