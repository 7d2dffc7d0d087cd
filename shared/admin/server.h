/* What the files of this folder share: the server and its loop. */
#ifndef THROUGHLINE_ADMIN_SERVER_H
#define THROUGHLINE_ADMIN_SERVER_H

#include "shared/admin/http.h"

#include <event2/event.h>
#include <event2/listener.h>
#include <pthread.h>

typedef struct AdminConnection AdminConnection;
typedef struct AdminWatch AdminWatch;

/* Touched by the loop's thread only, once it runs; `watches` by the thread that started the
 * server. */
struct AdminServer {
    AdminOptions options;
    int port;
    pthread_t thread;
    struct event_base *base;
    struct evconnlistener *listener;
    struct event *stop;
    struct event *resume; /* takes up listening again after descriptors had run out */
    AdminConnection *newest;
    AdminConnection *oldest;
    int n_connections;
    AdminWatch *watches;
};

/* Ends all repeating work and signals; the loop does not run any more. */
void admin_free_watches(AdminServer *server);

#endif
