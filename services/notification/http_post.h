/* POST by libcurl: a module, loaded with the first webhook, because libcurl brings two dozen libraries with it. */
#ifndef THROUGHLINE_SERVICES_NOTIFICATION_HTTP_POST_H
#define THROUGHLINE_SERVICES_NOTIFICATION_HTTP_POST_H

#include <stdbool.h>
#include <stdint.h>

struct sockaddr;

typedef struct HttpPost {
    const char *uri;
    const char *const *headers; /* "name: value", NULL-ended */
    const char *body;
    int64_t timeout_ms;
    /* Asked after names were resolved: whether this address may be connected to. */
    bool (*is_allowed)(const struct sockaddr *address);
} HttpPost;

/* The HTTP status; 0 when there was no answer. Redirections are not followed. */
long http_post(const HttpPost *post);

#endif
