#include "tests/store/lost_power.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SECTOR = 512, PATH_SIZE = 4096 };

typedef enum FileKind { DATABASE, LOG, JOURNAL, N_KINDS } FileKind;

static const char *const file_names[N_KINDS] = { "durable.db", "durable.db-wal",
    "durable.db-journal" };

typedef enum CallKind { CALL_WRITE, CALL_TRUNCATE, CALL_SYNC, CALL_DELETE } CallKind;

typedef struct FileCall {
    CallKind kind;
    FileKind file;
    bool is_safe; /* by later syncs, as far as the images have come */
    size_t offset, size;
    uint8_t *bytes;
} FileCall;

typedef struct File {
    bool exists;
    size_t size, capacity;
    uint8_t *bytes;
} File;

static sqlite3_vfs vfs, *base;
static sqlite3_io_methods methods[N_KINDS];
static const sqlite3_io_methods *base_methods[N_KINDS];

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static bool is_recording;
static FileCall *calls;
static size_t n_calls, capacity;
static size_t n_replayed;  /* calls that the images have come past */
static File safe[N_KINDS]; /* what their syncs made safe */

static void *must(void *memory)
{
    if (!memory)
        abort();
    return memory;
}

static void note(FileCall call, const void *bytes)
{
    pthread_mutex_lock(&lock);
    if (is_recording) {
        if (n_calls == capacity) {
            capacity = capacity ? 2 * capacity : 1024;
            calls = must(realloc(calls, capacity * sizeof(*calls)));
        }
        if (bytes)
            call.bytes = memcpy(must(malloc(call.size)), bytes, call.size);
        calls[n_calls++] = call;
    }
    pthread_mutex_unlock(&lock);
}

/* A call is remembered before it is made: who sees its effect also sees it remembered. */
static int write_file(
    FileKind kind, sqlite3_file *file, const void *bytes, int size, sqlite3_int64 offset)
{
    note((FileCall){ CALL_WRITE, kind, .offset = (size_t)offset, .size = (size_t)size }, bytes);
    return base_methods[kind]->xWrite(file, bytes, size, offset);
}

static int truncate_file(FileKind kind, sqlite3_file *file, sqlite3_int64 size)
{
    note((FileCall){ CALL_TRUNCATE, kind, .size = (size_t)size }, NULL);
    return base_methods[kind]->xTruncate(file, size);
}

static int sync_file(FileKind kind)
{
    note((FileCall){ CALL_SYNC, kind }, NULL);
    return SQLITE_OK;
}

/* The layer above has its own methods in the file, so each kind of file has functions of its own here. */
static int write_database(sqlite3_file *file, const void *bytes, int size, sqlite3_int64 offset)
{
    return write_file(DATABASE, file, bytes, size, offset);
}

static int write_log(sqlite3_file *file, const void *bytes, int size, sqlite3_int64 offset)
{
    return write_file(LOG, file, bytes, size, offset);
}

static int write_journal(sqlite3_file *file, const void *bytes, int size, sqlite3_int64 offset)
{
    return write_file(JOURNAL, file, bytes, size, offset);
}

static int truncate_database(sqlite3_file *file, sqlite3_int64 size)
{
    return truncate_file(DATABASE, file, size);
}

static int truncate_log(sqlite3_file *file, sqlite3_int64 size)
{
    return truncate_file(LOG, file, size);
}

static int truncate_journal(sqlite3_file *file, sqlite3_int64 size)
{
    return truncate_file(JOURNAL, file, size);
}

static int sync_database(sqlite3_file *file, int flags)
{
    (void)file, (void)flags;
    return sync_file(DATABASE);
}

static int sync_log(sqlite3_file *file, int flags)
{
    (void)file, (void)flags;
    return sync_file(LOG);
}

static int sync_journal(sqlite3_file *file, int flags)
{
    (void)file, (void)flags;
    return sync_file(JOURNAL);
}

static void take_methods(FileKind kind, const sqlite3_io_methods *of)
{
    base_methods[kind] = of;
    methods[kind] = *of;
    methods[kind].xWrite = (int (*[])(sqlite3_file *, const void *, int,
        sqlite3_int64)){ write_database, write_log, write_journal }[kind];
    methods[kind].xTruncate = (int (*[])(sqlite3_file *, sqlite3_int64)){ truncate_database,
        truncate_log, truncate_journal }[kind];
    methods[kind].xSync =
        (int (*[])(sqlite3_file *, int)){ sync_database, sync_log, sync_journal }[kind];
}

static int open_file(
    sqlite3_vfs *self, sqlite3_filename name, sqlite3_file *file, int flags, int *out_flags)
{
    int rc = base->xOpen(base, name, file, flags, out_flags);
    FileKind kind = flags & SQLITE_OPEN_MAIN_DB ? DATABASE
                    : flags & SQLITE_OPEN_WAL   ? LOG
                                                : JOURNAL;

    (void)self;
    if (rc != SQLITE_OK ||
        !(flags & (SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_JOURNAL)))
        return rc;
    pthread_mutex_lock(&lock);
    if (!base_methods[kind])
        take_methods(kind, file->pMethods);
    pthread_mutex_unlock(&lock);
    file->pMethods = &methods[kind];
    return rc;
}

static int delete_file(sqlite3_vfs *self, const char *name, int is_synced)
{
    (void)self;
    for (FileKind kind = 0; kind < N_KINDS; kind++) {
        size_t length = strlen(file_names[kind]), of_name = strlen(name);

        if (of_name < length || strcmp(name + of_name - length, file_names[kind]) != 0)
            continue;
        note((FileCall){ CALL_DELETE, kind }, NULL);
        if (is_synced)
            note((FileCall){ CALL_SYNC, kind }, NULL);
    }
    return base->xDelete(base, name, 0);
}

void lost_power_install(void)
{
    base = sqlite3_vfs_find(NULL);
    vfs = *base;
    vfs.zName = "lost-power";
    vfs.pNext = NULL;
    vfs.xOpen = open_file;
    vfs.xDelete = delete_file;
    sqlite3_vfs_register(&vfs, 1);
}

static File read_whole(const char *folder, FileKind kind)
{
    char path[PATH_SIZE];
    File whole = { 0 };
    FILE *file;

    snprintf(path, sizeof(path), "%s/%s", folder, file_names[kind]);
    if (!(file = fopen(path, "rb")))
        return whole;
    fseek(file, 0, SEEK_END);
    whole = (File){ .exists = true, .size = (size_t)ftell(file) };
    rewind(file);
    whole.capacity = whole.size + 1;
    whole.bytes = must(malloc(whole.capacity));
    if (fread(whole.bytes, 1, whole.size, file) != whole.size)
        abort();
    fclose(file);
    return whole;
}

void lost_power_record(const char *folder)
{
    pthread_mutex_lock(&lock);
    for (size_t i = 0; i < n_calls; i++)
        free(calls[i].bytes);
    n_calls = n_replayed = 0;
    for (FileKind kind = 0; kind < N_KINDS; kind++) {
        free(safe[kind].bytes);
        safe[kind] = read_whole(folder, kind);
    }
    is_recording = true;
    pthread_mutex_unlock(&lock);
}

void lost_power_stop(void)
{
    pthread_mutex_lock(&lock);
    is_recording = false;
    pthread_mutex_unlock(&lock);
}

size_t lost_power_position(void)
{
    size_t position;

    pthread_mutex_lock(&lock);
    position = n_calls;
    pthread_mutex_unlock(&lock);
    return position;
}

static void resize(File *file, size_t size)
{
    if (size > file->capacity) {
        file->capacity = 2 * size;
        file->bytes = must(realloc(file->bytes, file->capacity));
    }
    if (size > file->size)
        memset(file->bytes + file->size, 0, size - file->size);
    file->size = size;
}

static bool one_in(unsigned *seed, unsigned n)
{
    return (unsigned)rand_r(seed) % n == 0;
}

/* Sector by sector of the file: the new bytes, the old ones, or others. */
static void write_sectors(File *file, const FileCall *call, LostPower lost, unsigned *seed)
{
    size_t end = call->offset + call->size;

    for (size_t at = call->offset, next; at < end; at = next) {
        size_t sector_end = (at / SECTOR + 1) * SECTOR;
        bool is_garbage = lost == LOST_GARBAGE && one_in(seed, 8);

        next = sector_end < end ? sector_end : end;
        for (size_t i = at; is_garbage && i < next; i++)
            file->bytes[i] = (uint8_t)rand_r(seed);
        if (!is_garbage && (lost < LOST_SECTORS || one_in(seed, 2)))
            memcpy(file->bytes + at, call->bytes + (at - call->offset), next - at);
    }
}

static void apply(File *file, const FileCall *call, LostPower lost, unsigned *seed)
{
    if (lost == LOST_ALL || (lost >= LOST_CALLS && one_in(seed, 2)))
        return;
    if (call->kind == CALL_DELETE) {
        file->exists = false;
        file->size = 0;
        return;
    }
    file->exists = true;
    if (call->kind == CALL_TRUNCATE) {
        resize(file, call->size);
        return;
    }
    if (file->size < call->offset + call->size)
        resize(file, call->offset + call->size);
    write_sectors(file, call, lost, seed);
}

static void make_safe(FileCall *call)
{
    apply(&safe[call->file], call, LOST_NOTHING, NULL);
    call->is_safe = true;
}

/* A sync makes safe what its file went through before it. SQLite syncs the folder too with the first sync of a log or a journal that it
 * has made, and so makes safe that others were deleted. */
static void replay_until(size_t position)
{
    for (; n_replayed < position; n_replayed++) {
        FileKind kind = calls[n_replayed].file;
        bool is_first = kind != DATABASE && !safe[kind].exists;

        if (calls[n_replayed].kind != CALL_SYNC)
            continue;
        calls[n_replayed].is_safe = true;
        for (size_t i = 0; i < n_replayed; i++)
            if (!calls[i].is_safe &&
                (calls[i].file == kind || (is_first && calls[i].kind == CALL_DELETE)))
                make_safe(&calls[i]);
    }
}

static void write_whole(const char *folder, FileKind kind, const File *whole)
{
    char path[PATH_SIZE];
    FILE *file;

    snprintf(path, sizeof(path), "%s/%s", folder, file_names[kind]);
    file = must(fopen(path, "wb"));
    if (fwrite(whole->bytes, 1, whole->size, file) != whole->size || fclose(file))
        abort();
}

void lost_power_image(size_t position, LostPower lost, unsigned *seed, const char *folder)
{
    replay_until(position);
    for (FileKind kind = 0; kind < N_KINDS; kind++) {
        File file = safe[kind];

        file.capacity = file.size + 1;
        file.bytes = must(malloc(file.capacity));
        memcpy(file.bytes, safe[kind].bytes ? safe[kind].bytes : (uint8_t *)"", file.size);
        for (size_t i = 0; i < position; i++)
            if (calls[i].file == kind && !calls[i].is_safe)
                apply(&file, &calls[i], lost, seed);
        if (file.exists)
            write_whole(folder, kind, &file);
        free(file.bytes);
    }
}
