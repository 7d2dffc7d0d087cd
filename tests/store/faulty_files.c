#include "tests/store/faulty_files.h"

#include "shared/base/clock.h"

#include <pthread.h>
#include <sqlite3.h>

typedef enum FileKind { DATABASE, LOG, N_KINDS } FileKind;

static sqlite3_vfs vfs, *base;
static sqlite3_io_methods methods[N_KINDS];
static const sqlite3_io_methods *base_methods[N_KINDS];

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static FileCall armed_call;
static int armed_nth, armed_result, n_seen;
static int slow_ms;
static bool is_armed, is_lasting_fault, has_failed, is_slowed;

/* SQLITE_OK or the result to fail with. */
static int judge(FileCall call)
{
    int result = SQLITE_OK;

    pthread_mutex_lock(&lock);
    if (is_armed && (armed_call == call || armed_call == FILE_ANY_CHANGE)) {
        n_seen++;
        if (n_seen == armed_nth || (is_lasting_fault && n_seen > armed_nth)) {
            result = armed_result;
            has_failed = true;
        }
    }
    pthread_mutex_unlock(&lock);
    return result;
}

/* The layer above has its own methods in the file, so each kind of file has functions of its own here. */
static int write_file(
    FileKind kind, sqlite3_file *file, const void *bytes, int size, sqlite3_int64 offset)
{
    int result = judge(FILE_WRITE);

    return result ? result : base_methods[kind]->xWrite(file, bytes, size, offset);
}

static int write_database(sqlite3_file *file, const void *bytes, int size, sqlite3_int64 offset)
{
    return write_file(DATABASE, file, bytes, size, offset);
}

static int write_log(sqlite3_file *file, const void *bytes, int size, sqlite3_int64 offset)
{
    return write_file(LOG, file, bytes, size, offset);
}

static int truncate_database(sqlite3_file *file, sqlite3_int64 size)
{
    int result = judge(FILE_ANY_CHANGE);

    return result ? result : base_methods[DATABASE]->xTruncate(file, size);
}

static int truncate_log(sqlite3_file *file, sqlite3_int64 size)
{
    int result = judge(FILE_ANY_CHANGE);

    return result ? result : base_methods[LOG]->xTruncate(file, size);
}

static int sync_database(sqlite3_file *file, int flags)
{
    int result = judge(FILE_SYNC_DATABASE);

    return result ? result : base_methods[DATABASE]->xSync(file, flags);
}

static int sync_log(sqlite3_file *file, int flags)
{
    int result = judge(FILE_SYNC_LOG);
    int milliseconds;

    pthread_mutex_lock(&lock);
    milliseconds = slow_ms;
    is_slowed = milliseconds > 0;
    pthread_mutex_unlock(&lock);
    clock_sleep_ms(milliseconds);
    pthread_mutex_lock(&lock);
    is_slowed = false;
    pthread_mutex_unlock(&lock);
    return result ? result : base_methods[LOG]->xSync(file, flags);
}

static int open_file(
    sqlite3_vfs *self, sqlite3_filename name, sqlite3_file *file, int flags, int *out_flags)
{
    int rc = base->xOpen(base, name, file, flags, out_flags);
    FileKind kind = flags & SQLITE_OPEN_MAIN_DB ? DATABASE : LOG;

    (void)self;
    if (rc != SQLITE_OK || !(flags & (SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_WAL)))
        return rc;
    pthread_mutex_lock(&lock);
    if (!base_methods[kind]) {
        base_methods[kind] = file->pMethods;
        methods[kind] = *file->pMethods;
        methods[kind].xWrite = kind == LOG ? write_log : write_database;
        methods[kind].xTruncate = kind == LOG ? truncate_log : truncate_database;
        methods[kind].xSync = kind == LOG ? sync_log : sync_database;
    }
    pthread_mutex_unlock(&lock);
    file->pMethods = &methods[kind];
    return rc;
}

void faulty_files_install(void)
{
    base = sqlite3_vfs_find(NULL);
    vfs = *base;
    vfs.zName = "faulty";
    vfs.pNext = NULL;
    vfs.xOpen = open_file;
    sqlite3_vfs_register(&vfs, 1);
}

void faulty_files_arm(FileCall call, int nth, bool is_lasting, int result)
{
    pthread_mutex_lock(&lock);
    armed_call = call;
    armed_nth = nth;
    armed_result = result;
    is_lasting_fault = is_lasting;
    is_armed = true;
    has_failed = false;
    n_seen = 0;
    pthread_mutex_unlock(&lock);
}

void faulty_files_disarm(void)
{
    pthread_mutex_lock(&lock);
    is_armed = false;
    slow_ms = 0;
    pthread_mutex_unlock(&lock);
}

bool faulty_files_have_failed(void)
{
    bool failed;

    pthread_mutex_lock(&lock);
    failed = has_failed;
    pthread_mutex_unlock(&lock);
    return failed;
}

void faulty_files_slow(int milliseconds)
{
    pthread_mutex_lock(&lock);
    slow_ms = milliseconds;
    pthread_mutex_unlock(&lock);
}

bool faulty_files_are_slow(void)
{
    bool slow;

    pthread_mutex_lock(&lock);
    slow = is_slowed;
    pthread_mutex_unlock(&lock);
    return slow;
}
