/* The folder that `up` keeps everything in. */
#ifndef THROUGHLINE_SERVICES_THROUGHLINE_DATA_FOLDER_H
#define THROUGHLINE_SERVICES_THROUGHLINE_DATA_FOLDER_H

#include "shared/base/arena.h"
#include "shared/base/error.h"

/* Makes the folder unless it is there. Errors: UNAVAILABLE FILE_UNWRITABLE. */
const Error *data_folder_make(Arena *arena, const char *path);

/* Makes the folder and keeps it for this process until it ends, so that two shops never share one. Errors: UNAVAILABLE
 * DATA_IN_USE, FILE_UNWRITABLE. */
const Error *data_folder_take(Arena *arena, const char *path);

/* UNAVAILABLE FILE_UNWRITABLE with what errno says. */
const Error *file_unwritable(Arena *arena, const char *path);

#endif
