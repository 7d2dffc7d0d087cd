/* What a catalogue holds in memory, empty, for tests that have no service around it. */
#ifndef THROUGHLINE_TESTS_CATALOG_CATALOG_MEMORY_H
#define THROUGHLINE_TESTS_CATALOG_CATALOG_MEMORY_H

#include "services/catalog/catalog.h"

/* All but the quote keys. */
void catalog_memory_open(Catalog *catalog);
void catalog_memory_close(Catalog *catalog);

#endif
