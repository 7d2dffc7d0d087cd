/* The compiled-in descriptor set as a thing to search: files by name, symbol and extension. Read
 * when first asked; any thread. */
#ifndef THROUGHLINE_RPC_DESCRIPTORS_H
#define THROUGHLINE_RPC_DESCRIPTORS_H

#include "shared/base/arena.h"
#include "shared/base/text.h"

/* A file's number, -1 when there is none. */
int descriptors_file_named(const char *name);
/* By full name: message, field, oneof, enum, enum value, extension, service or method. */
int descriptors_file_of_symbol(const char *symbol);
int descriptors_file_of_extension(const char *type, int32_t number);

bool descriptors_has_message(const char *type);
/* The numbers of all extensions of a message type. */
size_t descriptors_extensions(Arena *arena, const char *type, int32_t **numbers);

/* The serialized file and all that it imports, each once, itself first. */
size_t descriptors_with_imports(Arena *arena, int file, const Bytes **files);

#endif
