#include "shared/store/embedded_vfs.h"

#include "shared/store/checksum.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    MIN_PAGE = 512,
    MAX_PAGE = 65536,
    LOOKASIDE_BYTES = 512,
    LOOKASIDE_SLOTS = 16,
    GATHERED_BYTES = 65536, /* of the log, in one write */
};

/* The file methods below with ours over them. SQLite hands us only the file, whose first member points here. */
typedef struct Methods {
    sqlite3_io_methods methods;
    const sqlite3_io_methods *base;
    CheckedVfs *owner;
} Methods;

/* What was written to a log and is not in the file yet; stands behind SQLite's own part of the file. */
typedef struct Gathered {
    char *bytes; /* NULL before the first write */
    int size;
    sqlite3_int64 offset; /* of the first byte */
    bool is_relaxed;
} Gathered;

struct CheckedVfs {
    sqlite3_vfs vfs;
    sqlite3_vfs *base;
    pthread_mutex_t lock;
    Methods database, log;
    atomic_llong syncs;
    char name[40];
};

static Methods *methods_of(sqlite3_file *file)
{
    return (Methods *)(void *)(uintptr_t)file->pMethods;
}

static bool is_page(int size, sqlite3_int64 offset)
{
    return size >= MIN_PAGE && size <= MAX_PAGE && !(size & (size - 1)) && offset % size == 0;
}

static uint64_t page_sum(const void *page, int size)
{
    return checksum(0, page, (size_t)size - VFS_RESERVED_BYTES);
}

/* SQLite sees zeros in place of the checksum, and so does the write-ahead log: a page without one was brought into the file by
 * another program that is SQLite too, and is taken as it is. */
static int read_page(sqlite3_file *file, void *buffer, int size, sqlite3_int64 offset)
{
    int rc = methods_of(file)->base->xRead(file, buffer, size, offset);
    char *tail = (char *)buffer + size - VFS_RESERVED_BYTES;
    uint64_t sum;

    if (rc != SQLITE_OK || !is_page(size, offset))
        return rc;
    memcpy(&sum, tail, sizeof(sum));
    memset(tail, 0, VFS_RESERVED_BYTES);
    return !sum || sum == page_sum(buffer, size) ? SQLITE_OK : SQLITE_IOERR_DATA;
}

static int write_page(sqlite3_file *file, const void *buffer, int size, sqlite3_int64 offset)
{
    char page[MAX_PAGE];
    uint64_t sum;

    if (!is_page(size, offset))
        return methods_of(file)->base->xWrite(file, buffer, size, offset);
    sum = page_sum(buffer, size);
    memcpy(page, buffer, (size_t)size - VFS_RESERVED_BYTES);
    memcpy(page + size - VFS_RESERVED_BYTES, &sum, sizeof(sum));
    return methods_of(file)->base->xWrite(file, page, size, offset);
}

static int count_sync(sqlite3_file *file, int flags)
{
    Methods *methods = methods_of(file);

    atomic_fetch_add(&methods->owner->syncs, 1);
    return methods->base->xSync(file, flags);
}

static int base_file_bytes(const CheckedVfs *vfs)
{
    int alignment = (int)sizeof(sqlite3_int64);

    return (vfs->base->szOsFile + alignment - 1) / alignment * alignment;
}

static Gathered *gathered_of(sqlite3_file *file)
{
    return (Gathered *)(void *)((char *)file + base_file_bytes(methods_of(file)->owner));
}

/* What cannot be written is forgotten: the transaction that it belongs to hears of it before it can be committed. */
static int write_gathered(sqlite3_file *file)
{
    Gathered *gathered = gathered_of(file);
    int size = gathered->size;

    gathered->size = 0;
    return size ? methods_of(file)->base->xWrite(file, gathered->bytes, size, gathered->offset)
                : SQLITE_OK;
}

/* SQLite writes a log in pieces of 24 bytes and of a page, one behind the other, and syncs it before it tells anybody that there is
 * something new: many pieces are one write. */
static int write_log(sqlite3_file *file, const void *buffer, int size, sqlite3_int64 offset)
{
    Gathered *gathered = gathered_of(file);
    bool fits = gathered->size + size <= GATHERED_BYTES;
    int rc;

    if (gathered->size && (!fits || offset != gathered->offset + gathered->size) &&
        (rc = write_gathered(file)))
        return rc;
    if (!gathered->bytes && !(gathered->bytes = malloc(GATHERED_BYTES)))
        return SQLITE_IOERR_NOMEM;
    if (size > GATHERED_BYTES)
        return methods_of(file)->base->xWrite(file, buffer, size, offset);
    if (!gathered->size)
        gathered->offset = offset;
    memcpy(gathered->bytes + gathered->size, buffer, (size_t)size);
    gathered->size += size;
    return SQLITE_OK;
}

static int read_log(sqlite3_file *file, void *buffer, int size, sqlite3_int64 offset)
{
    int rc = write_gathered(file);

    return rc ? rc : methods_of(file)->base->xRead(file, buffer, size, offset);
}

/* The head of a log that begins anew is always synced before what follows it: else frames of the old log could stand behind the new
 * head, or new ones behind the old. */
static int sync_log(sqlite3_file *file, int flags)
{
    Gathered *gathered = gathered_of(file);
    bool is_head = gathered->size && gathered->offset == 0;
    int rc = write_gathered(file);

    return rc || (gathered->is_relaxed && !is_head) ? rc : count_sync(file, flags);
}

static int truncate_log(sqlite3_file *file, sqlite3_int64 size)
{
    int rc = write_gathered(file);

    return rc ? rc : methods_of(file)->base->xTruncate(file, size);
}

static int size_log(sqlite3_file *file, sqlite3_int64 *size)
{
    int rc = write_gathered(file);

    return rc ? rc : methods_of(file)->base->xFileSize(file, size);
}

static int close_log(sqlite3_file *file)
{
    Gathered *gathered = gathered_of(file);

    write_gathered(file); /* of a transaction that was not committed, if anything */
    free(gathered->bytes);
    gathered->bytes = NULL;
    return methods_of(file)->base->xClose(file);
}

static void gather_log(sqlite3_io_methods *methods)
{
    methods->iVersion = 2;
    methods->xWrite = write_log;
    methods->xRead = read_log;
    methods->xSync = sync_log;
    methods->xTruncate = truncate_log;
    methods->xFileSize = size_log;
    methods->xClose = close_log;
}

static void check_pages(sqlite3_io_methods *methods)
{
    methods->iVersion = 2; /* no memory map: every page is read through us */
    methods->xSync = count_sync;
    methods->xRead = read_page;
    methods->xWrite = write_page;
}

/* The base has one table of methods a kind of file; ours is made from the first that is seen. */
static void put_over(
    CheckedVfs *vfs, Methods *ours, sqlite3_file *file, void (*change)(sqlite3_io_methods *methods))
{
    pthread_mutex_lock(&vfs->lock);
    if (!ours->base) {
        ours->base = file->pMethods;
        ours->methods = *file->pMethods;
        change(&ours->methods);
    }
    assert(ours->base == file->pMethods);
    pthread_mutex_unlock(&vfs->lock);
    file->pMethods = &ours->methods;
}

static int open_file(
    sqlite3_vfs *vfs, sqlite3_filename name, sqlite3_file *file, int flags, int *out_flags)
{
    CheckedVfs *self = (CheckedVfs *)vfs;
    int rc = self->base->xOpen(self->base, name, file, flags, out_flags);

    if (rc != SQLITE_OK || !file->pMethods)
        return rc;
    if (flags & SQLITE_OPEN_MAIN_DB)
        put_over(self, &self->database, file, check_pages);
    if (flags & SQLITE_OPEN_WAL) {
        put_over(self, &self->log, file, gather_log);
        *gathered_of(file) = (Gathered){ 0 };
    }
    return rc;
}

/* SQLite would count its memory under one lock of the whole process, for figures that nobody reads, and give every connection memory
 * in advance. Refused, which does no harm, when SQLite is in use already. */
static void configure(void)
{
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    sqlite3_config(SQLITE_CONFIG_PAGECACHE, NULL, 0, 0);
    sqlite3_config(SQLITE_CONFIG_LOOKASIDE, LOOKASIDE_BYTES, LOOKASIDE_SLOTS);
}

CheckedVfs *vfs_new(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    CheckedVfs *vfs = calloc(1, sizeof(*vfs));

    if (!vfs)
        abort();
    pthread_once(&once, configure);
    vfs->base = sqlite3_vfs_find(NULL);
    vfs->vfs = *vfs->base;
    snprintf(vfs->name, sizeof(vfs->name), "throughline-%p", (void *)vfs);
    vfs->vfs.szOsFile = base_file_bytes(vfs) + (int)sizeof(Gathered);
    vfs->vfs.zName = vfs->name;
    vfs->vfs.pNext = NULL;
    vfs->vfs.xOpen = open_file;
    vfs->database.owner = vfs->log.owner = vfs;
    pthread_mutex_init(&vfs->lock, NULL);
    if (sqlite3_vfs_register(&vfs->vfs, 0) != SQLITE_OK)
        abort();
    return vfs;
}

void vfs_free(CheckedVfs *vfs)
{
    sqlite3_vfs_unregister(&vfs->vfs);
    pthread_mutex_destroy(&vfs->lock);
    free(vfs);
}

const char *vfs_name(const CheckedVfs *vfs)
{
    return vfs->name;
}

int64_t vfs_syncs(const CheckedVfs *vfs)
{
    return atomic_load(&vfs->syncs);
}

void vfs_relax(CheckedVfs *vfs, sqlite3 *handle, bool is_relaxed)
{
    sqlite3_file *file = NULL;

    sqlite3_file_control(handle, "main", SQLITE_FCNTL_JOURNAL_POINTER, &file);
    if (file && methods_of(file) == &vfs->log)
        gathered_of(file)->is_relaxed = is_relaxed;
}
