/* What every engine's listener needs: a bound socket, the caps of the system, names of peers. */
#ifndef THROUGHLINE_RPC_LISTENING_H
#define THROUGHLINE_RPC_LISTENING_H

#include "shared/base/arena.h"
#include "shared/base/error.h"

#include <sys/socket.h>

enum { LISTENING_NAME_SIZE = 64 };

/* A socket that listens and does not block. Errors: UNAVAILABLE PORT_TAKEN, INVALID_ARGUMENT
 * ADDRESS_INVALID. */
const Error *listening_socket(Arena *arena, const char *address, int port, int *socket);
int listening_port(int socket);

/* "ipv4:10.0.0.7:4711" */
void listening_name(const struct sockaddr_storage *address, char name[LISTENING_NAME_SIZE]);

/* Takes as many descriptors as the system lets us have: the number below which connections are
 * taken. Descriptors are numbered from below, so a connection with a higher one is one too many. */
int listening_raise_descriptors(void);

/* A descriptor that is kept to be given up when there is no other. */
int listening_spare(void);
/* Out of descriptors: takes the next connection in place of the spare one, and hangs up. */
void listening_turn_away(int socket, int *spare);

#endif
