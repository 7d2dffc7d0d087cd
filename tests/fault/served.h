/* All five services in this process, and every method that each of them serves: what tests generated from the descriptor set
 * go through. */
#ifndef THROUGHLINE_TESTS_FAULT_SERVED_H
#define THROUGHLINE_TESTS_FAULT_SERVED_H

#include "shared/rpc/methods.h"
#include "tests/rpc/raw_client.h"
#include "tests/support/fixture.h"

#include <CUnit/CUnit.h>

enum { SERVED_SERVICES = 5 };

/* One method at one service: events, health and reflection are there five times. */
typedef struct Served {
    const char *label; /* "cart /throughline.cart.v1.CartService/AddLine" */
    int service;
    const RpcMethod *method;
} Served;

/* In the order of the methods' paths; made once a process. */
const Served *served_methods(size_t *count);

/* A suite's set-up and clean-up: the services run in between. */
int served_start(void);
int served_stop(void);

/* The running service behind a method. */
Fixture *served_fixture(const Served *served);
RawClient *served_client(const Served *served);

/* One test a method, named by its label, ended by CU_TEST_INFO_NULL; `everywhere`: also for what is the same code five times. */
CU_TestInfo *served_tests(CU_TestFunc test, bool everywhere);
/* Inside such a test: which method it is about. */
const Served *served_current(void);

/* Metadata in the arena; NULL texts are left out. */
const RawPair *served_metadata(
    Arena *arena, const char *token, const char *channel, const char *actor);

/* Whether the service answers its health check with SERVING. */
bool served_is_healthy(const Served *served);

#endif
