/* A door between a store and its server that can be held shut or slammed. */
#ifndef THROUGHLINE_TESTS_STORE_PROXY_H
#define THROUGHLINE_TESTS_STORE_PROXY_H

typedef struct Proxy Proxy;

typedef enum ProxyMode {
    PROXY_PASS,
    PROXY_HOLD,   /* nothing goes through, nothing is closed: a black hole */
    PROXY_REFUSE, /* connections are closed, new ones too */
} ProxyMode;

/* Listens on a free port of 127.0.0.1 for a server on another. */
Proxy *proxy_start(int server_port);
void proxy_stop(Proxy *proxy);
int proxy_port(const Proxy *proxy);

void proxy_set(Proxy *proxy, ProxyMode mode);

/* The next message with this text in it reaches the server, but its answer does not come back: the connection is cut. */
void proxy_lose_answer_to(Proxy *proxy, const char *text);

/* Whether an answer has been lost since. */
int proxy_has_lost(Proxy *proxy);

#endif
