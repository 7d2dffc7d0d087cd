/* Small records in memory by their names: categories, types of products, locations. Kept current by the follow job. Any thread. */
#ifndef THROUGHLINE_CATALOG_REGISTRY_H
#define THROUGHLINE_CATALOG_REGISTRY_H

#include "shared/base/arena.h"
#include "shared/base/text.h"

#include <protobuf-c/protobuf-c.h>

typedef struct Registry Registry;

Registry *registry_new(void);
void registry_free(Registry *registry);

/* Takes a stored message (with name, etag and delete_time: what is deleted is not there); one that is older than what is there is
 * passed over. */
void registry_put(Registry *registry, const void *message);

/* Copies of all whose names begin so, in no order. */
void **registry_list(Registry *registry, const char *prefix, Arena *arena, size_t *n_records);

/* Changes with every record that is taken. */
int64_t registry_generation(Registry *registry);

/* A copy in the arena, NULL when there is none of this name. The caller knows its type by the name. */
void *registry_get(Registry *registry, const char *name, Arena *arena);

#endif
