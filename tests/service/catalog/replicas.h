/* Replicas of the catalogue that publish into one store, on either engine: their rule books and their calls, without a server
 * around them. */
#ifndef THROUGHLINE_TESTS_CATALOG_REPLICAS_H
#define THROUGHLINE_TESTS_CATALOG_REPLICAS_H

#include "services/catalog/governance/governance.h"

enum { REPLICAS = 2 };

typedef struct Replica {
    Arena *arena;
    Store *store; /* over MongoDB each has its own connection */
    Catalog catalog;
    ServiceContext context;
} Replica;

typedef struct Replicas {
    Arena *arena;
    Replica each[REPLICAS];
    bool is_shared; /* one store for all */
} Replicas;

/* Over a new embedded store or a new database of THROUGHLINE_TEST_MONGO_URI; false, with the test skipped, when that is not set. */
bool replicas_open(Replicas *replicas, bool is_mongo);
void replicas_close(Replicas *replicas);

/* A replica starts anew: with nothing in memory. */
void replica_restart(Replica *replica);

/* A call of "agents/PERSON" with the store view of a job; everything in the arena. */
RpcCall *replica_call(Replica *replica, Arena *arena, const char *person);

#endif
