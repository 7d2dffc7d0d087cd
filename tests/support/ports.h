/* Ports of this machine for tests, kept from everybody else for as long as they are wanted. */
#ifndef THROUGHLINE_TESTS_SUPPORT_PORTS_H
#define THROUGHLINE_TESTS_SUPPORT_PORTS_H

/* A port on 127.0.0.1 that only somebody who names it gets: *handle, a bound socket, keeps it from being given to others until it
 * is closed. A server may listen on it meanwhile. */
int port_reserve(int *handle);

/* A port on which nobody listens as long as the process lives. */
int port_dead(void);

#endif
