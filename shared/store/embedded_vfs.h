/* SQLite's file layer with a checksum in every page of the database file, so that a flipped byte is an error instead of a
 * wrong answer, with fewer and larger writes of the write-ahead log, and with a count of the syncs. */
#ifndef THROUGHLINE_STORE_EMBEDDED_VFS_H
#define THROUGHLINE_STORE_EMBEDDED_VFS_H

#include <sqlite3.h>
#include <stdint.h>

enum { VFS_RESERVED_BYTES = 8 }; /* at the end of each page */

typedef struct CheckedVfs CheckedVfs;

/* Stands on the default VFS of the moment. Lives until after the last connection. */
CheckedVfs *vfs_new(void);
void vfs_free(CheckedVfs *vfs);

/* For sqlite3_open_v2. */
const char *vfs_name(const CheckedVfs *vfs);

int64_t vfs_syncs(const CheckedVfs *vfs);

#endif
