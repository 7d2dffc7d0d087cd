#include "services/notification/domain/endpoint.h"

#include "shared/base/text.h"

#include <ctype.h>
#include <stddef.h>
#include <string.h>

enum { MAX_PORT = 65535, MAX_PORT_DIGITS = 5 };

/* A name or an address; IPv6 in brackets. How long it is; 0: it is none. */
static size_t host_size(const char *text)
{
    size_t size;

    if (*text != '[')
        return strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_");
    size = 1 + strspn(text + 1, "0123456789abcdefABCDEF:.");
    return size > 1 && text[size] == ']' ? size + 1 : 0;
}

/* ":443" or nothing, up to the path. */
static bool is_port(const char *text, size_t size)
{
    long port = 0;

    if (size == 0)
        return true;
    if (*text != ':' || size == 1 || size > 1 + MAX_PORT_DIGITS)
        return false;
    for (size_t i = 1; i < size; i++) {
        if (!isdigit((unsigned char)text[i]))
            return false;
        port = port * 10 + (text[i] - '0');
    }
    return port >= 1 && port <= MAX_PORT;
}

const char *endpoint_check_uri(const char *uri)
{
    const char *authority;
    size_t size, host;

    if (!text_starts_with(uri, "http://") && !text_starts_with(uri, "https://"))
        return "must begin with http:// or https://";
    for (const char *at = uri; *at; at++)
        if (!isgraph((unsigned char)*at))
            return "must be printable ASCII without spaces: encode other characters as %XX";
    authority = strstr(uri, "://") + strlen("://");
    size = strcspn(authority, "/?#");
    if (memchr(authority, '@', size))
        return "must not carry a user's name or password";
    host = host_size(authority);
    if (host == 0 || host > size || !is_port(authority + host, size - host))
        return "must name a host, and a port only as a number up to 65535";
    return NULL;
}
