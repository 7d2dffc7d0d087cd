/* The assortments of all channels, ready to be asked on every read. Any thread. */
#ifndef THROUGHLINE_CATALOG_ASSORTMENT_SHELF_H
#define THROUGHLINE_CATALOG_ASSORTMENT_SHELF_H

#include "services/catalog/domain/assortment.h"

enum { ASSORTMENT_MAX_CHANNELS = 100 }; /* what Put takes */

typedef struct AssortmentShelf AssortmentShelf;

AssortmentShelf *assortment_shelf_new(void);
void assortment_shelf_free(AssortmentShelf *shelf);

/* Takes one as it is stored; older ones are passed over. */
void assortment_shelf_put(AssortmentShelf *shelf, const Assortment *assortment);

/* Whether anything is said about the channel at all. */
bool assortment_shelf_has(AssortmentShelf *shelf, const char *channel);

/* Whether there are as many as there may be, and none of the channel. */
bool assortment_shelf_is_full(AssortmentShelf *shelf, const char *channel);

/* Calls `visit` with each. */
typedef void (*AssortmentVisit)(void *context, const Assortment *assortment, const char *path);
void assortment_shelf_each(
    AssortmentShelf *shelf, AssortmentVisit visit, void *context, const char *path);

/* Whether the channel sells it; a channel without assortment sells everything. */
bool assortment_shelf_shows(
    AssortmentShelf *shelf, const char *channel, const char *name, ProductPaths paths);

#endif
