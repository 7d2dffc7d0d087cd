/* The catalogue's store and memory without a server around them: for tests that make the store fail, and jobs that run when the test
 * says so. */
#ifndef THROUGHLINE_TESTS_CATALOG_BARE_CATALOG_H
#define THROUGHLINE_TESTS_CATALOG_BARE_CATALOG_H

#include "services/catalog/governance/governance.h"
#include "shared/event/log.h"

typedef struct BareCatalog {
    Arena *arena;
    Store *store;
    StoreLog log;
    Catalog catalog;
    ServiceContext context;
} BareCatalog;

/* Over a new embedded store. */
void bare_catalog_open(BareCatalog *bare);
void bare_catalog_close(BareCatalog *bare);

/* A call of "agents/ann" who may do everything, in the arena. */
RpcCall *bare_catalog_call(BareCatalog *bare);

#endif
