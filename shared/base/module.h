/* Parts of a program that are loaded when they are first wanted, because they bring large libraries with them. */
#ifndef THROUGHLINE_BASE_MODULE_H
#define THROUGHLINE_BASE_MODULE_H

#include "shared/base/arena.h"
#include "shared/base/error.h"

/* The address of a symbol in NAME.so, which stays loaded. It lies beside the program, in the folder above (a test's program) or in
 * ../lib. Errors: FAILED_PRECONDITION MODULE_MISSING, which says where it was looked for and what went wrong. */
const Error *module_symbol(Arena *arena, const char *name, const char *symbol, void **address);

#endif
