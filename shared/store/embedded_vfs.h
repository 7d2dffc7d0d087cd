/* SQLite's file layer with a checksum in every page of the database file, so that a flipped byte is an error instead of a
 * wrong answer, with fewer and larger writes of the write-ahead log, and with a count of the syncs. */
#ifndef THROUGHLINE_STORE_EMBEDDED_VFS_H
#define THROUGHLINE_STORE_EMBEDDED_VFS_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

enum { VFS_RESERVED_BYTES = 8 }; /* at the end of each page */

typedef struct CheckedVfs CheckedVfs;

/* Stands on the default VFS of the moment. Lives until after the last connection. */
CheckedVfs *vfs_new(void);
void vfs_free(CheckedVfs *vfs);

/* For sqlite3_open_v2. */
const char *vfs_name(const CheckedVfs *vfs);

int64_t vfs_syncs(const CheckedVfs *vfs);

/* Whether the transactions of this connection are committed, from now on, without a sync of the log: they are in the file, for every
 * reader and in their order, and on the disk with the next sync. */
void vfs_relax(CheckedVfs *vfs, sqlite3 *handle, bool is_relaxed);

#endif
