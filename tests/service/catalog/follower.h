/* A second replica of the catalogue under test, in its process: it has only what it loads and what it hears. */
#ifndef THROUGHLINE_TESTS_CATALOG_FOLLOWER_H
#define THROUGHLINE_TESTS_CATALOG_FOLLOWER_H

#include "tests/service/catalog/catalog_fixture.h"

typedef struct Follower {
    Arena *arena;
    ServiceContext context;
    Catalog catalog;
} Follower;

/* Starts over the fixture's store, from what is stored now. */
void follower_open(Follower *follower);
void follower_close(Follower *follower);

/* Waits until everything that was done has been heard. */
void follower_hear(Follower *follower);

#endif
