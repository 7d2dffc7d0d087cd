/* A client of the admin port that sends any bytes at all. */
#ifndef THROUGHLINE_TESTS_SERVICE_ADMIN_CLIENT_H
#define THROUGHLINE_TESTS_SERVICE_ADMIN_CLIENT_H

#include "shared/base/arena.h"

#include <stdbool.h>

/* A connection to the port on 127.0.0.1; aborts when there is none. */
int client_connect(int port);

/* Whether all bytes could be sent. */
bool client_send(int connection, const char *bytes, size_t size);

/* All that comes until the server closes, as a text; closes the connection. NULL when it ends in
 * an error. */
char *client_read_all(Arena *arena, int connection);

/* Sends the text and reads the answer. */
char *client_exchange(Arena *arena, int port, const char *request);

/* Whether the server has closed the connection. */
bool client_is_closed(int connection);

#endif
