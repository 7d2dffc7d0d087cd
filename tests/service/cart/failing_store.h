/* A store that fails when it is told to: the embedded engine with a fault in one operation of a
 * handler or a job. Linked into a program, it takes the place of every embedded engine that is
 * opened: before any thread uses it, and without counting what relays, hubs and cleaners do
 * beside. */
#ifndef THROUGHLINE_TESTS_CART_FAILING_STORE_H
#define THROUGHLINE_TESTS_CART_FAILING_STORE_H

#include <stdbool.h>

typedef enum Fault {
    FAULT_BEFORE, /* nothing happened */
    FAULT_AFTER,  /* it happened, and nobody heard of it */
} Fault;

/* The n-th operation (1, 2, 3 …) of service `name` ("cart") from now on ends with
 * DEADLINE_EXCEEDED CUT_OFF. */
void failing_store_arm(const char *name, int n, Fault fault);

/* No more faults; whether there was one. */
bool failing_store_disarm(void);

#endif
