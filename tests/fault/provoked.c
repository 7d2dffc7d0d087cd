/* Linked into a service of the tests alone: lets memory run out at an allocation, and moves the wall clock, when whoever holds the shared
 * page of THROUGHLINE_PROVOKED (provoked.py) says so. Allocations are those of our code and of SQLite. */
#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

typedef struct Page {
    _Atomic int64_t fails_at;   /* this allocation fails; 0: none */
    _Atomic int64_t is_lasting; /* and all after it */
    _Atomic int64_t seen;       /* allocations */
    _Atomic int64_t clock_offset_us;
} Page;

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
int __real_clock_gettime(clockid_t clock, struct timespec *now);

void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);
int __wrap_clock_gettime(clockid_t clock, struct timespec *now);

static Page none, *page = &none;
static sqlite3_mem_methods sqlite_methods;

static bool fails(void)
{
    int64_t seen = atomic_fetch_add(&page->seen, 1) + 1, at = atomic_load(&page->fails_at);

    if (!at || seen < at || (seen > at && !atomic_load(&page->is_lasting)))
        return false;
    errno = ENOMEM;
    return true;
}

void *__wrap_malloc(size_t size)
{
    return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *memory, size_t size)
{
    return fails() ? NULL : __real_realloc(memory, size);
}

int __wrap_clock_gettime(clockid_t clock, struct timespec *now)
{
    int64_t offset = clock == CLOCK_REALTIME ? atomic_load(&page->clock_offset_us) : 0;
    int result = __real_clock_gettime(clock, now);
    int64_t nanos = now->tv_nsec + offset % 1000000 * 1000 + 1000000000;

    now->tv_sec += offset / 1000000 + nanos / 1000000000 - 1;
    now->tv_nsec = nanos % 1000000000;
    return result;
}

static void *sqlite_malloc(int size)
{
    return fails() ? NULL : sqlite_methods.xMalloc(size);
}

static void *sqlite_realloc(void *memory, int size)
{
    return fails() ? NULL : sqlite_methods.xRealloc(memory, size);
}

static void open_page(void) __attribute__((constructor));
static void open_page(void)
{
    const char *path = getenv("THROUGHLINE_PROVOKED");
    int file = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
    sqlite3_mem_methods methods;
    void *mapped;

    if (file < 0)
        abort();
    mapped = mmap(NULL, sizeof(Page), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (mapped == MAP_FAILED)
        abort();
    page = mapped;
    close(file);
    sqlite3_config(SQLITE_CONFIG_GETMALLOC, &sqlite_methods);
    methods = sqlite_methods;
    methods.xMalloc = sqlite_malloc;
    methods.xRealloc = sqlite_realloc;
    sqlite3_config(SQLITE_CONFIG_MALLOC, &methods);
}
