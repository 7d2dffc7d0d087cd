/* Paths of proto names ("identifiers.key") inside messages of one type. */
#ifndef THROUGHLINE_STORE_PATH_H
#define THROUGHLINE_STORE_PATH_H

#include "shared/store/store.h"

enum { PATH_MAX_STEPS = 8 };

typedef struct Path {
    const ProtobufCFieldDescriptor *steps[PATH_MAX_STEPS];
    int n_steps;
    int repeated; /* the step that is repeated, -1: none */
} Path;

/* A path that the message does not have, or that crosses two repeated fields, is our mistake. */
Path path_resolve(const ProtobufCMessageDescriptor *message, const char *text);

/* The field at its end. */
const ProtobufCFieldDescriptor *path_field(
    const ProtobufCMessageDescriptor *message, const char *text);
const ProtobufCFieldDescriptor *path_end(const Path *path);

/* How many items the repeated step has. */
size_t path_count(const Path *path, const void *message);

/* The address of the value, with the given item of the repeated step; NULL when something on the way is absent. */
const void *path_value(const Path *path, const void *message, size_t item);

#endif
