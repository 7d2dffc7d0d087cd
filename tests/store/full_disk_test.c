/* A disk that is full: writes are refused with STORE_FULL, reads go on, and once there is space again so do writes. */
#include "tests/store/store_fixture.h"

#include "shared/base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

enum {
    RECORD_BYTES = 64 * 1024,
    FREED_BYTES = 4 * 1024 * 1024,
    MAX_RECORDS = 1000,
    RECOVERY_MS = 1000,
    REFUSALS = 20, /* one after the other */
};

static const char disk_options[] = "size=24m";

/* A small disk of our own, which goes with the process. Its error, 0 when it is there. */
static int mount_disk(const char *folder)
{
    if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
        mount("tmpfs", folder, "tmpfs", 0, disk_options))
        return errno;
    return 0;
}

static void make_file(const char *path, off_t size)
{
    int file = open(path, O_CREAT | O_WRONLY, 0600);

    CU_ASSERT_FATAL(file >= 0 && posix_fallocate(file, 0, size) == 0);
    close(file);
}

static Store *open_store(Arena *arena, const char *uri)
{
    static const Collection *const collections[] = { &accounts, NULL };
    Store *store = NULL;

    CHECK_OK(store_open(arena,
        &(StoreOptions){ .uri = uri, .service = "full", .collections = collections }, &store));
    CU_ASSERT_FATAL(store != NULL);
    return store;
}

static const Error *insert(Store *store, Arena *arena, int number)
{
    StoreView view = { .store = store, .arena = arena };
    Record record = THROUGHLINE__ECHO__V1__RECORD__INIT;

    record.name = arena_printf(arena, "records/%d", number);
    record.data = (ProtobufCBinaryData){ RECORD_BYTES, arena_alloc(arena, RECORD_BYTES) };
    memset(record.data.data, number, RECORD_BYTES);
    return store_insert(&view, &accounts, &record, NULL);
}

/* Writes what is there already. */
static bool is_replaced_later(Store *store, Arena *arena, int number)
{
    StoreView view = { .store = store, .arena = arena };
    Record record = THROUGHLINE__ECHO__V1__RECORD__INIT;

    CHECK_OK(store_get(&view, &accounts, arena_printf(arena, "records/%d", number), &record));
    return replaced_later(&view, &accounts, &record, NULL);
}

static bool is_whole(Store *store, Arena *arena, int number)
{
    StoreView view = { .store = store, .arena = arena };
    Record record = THROUGHLINE__ECHO__V1__RECORD__INIT;

    return !store_get(&view, &accounts, arena_printf(arena, "records/%d", number), &record) &&
           record.data.len == RECORD_BYTES && record.data.data[RECORD_BYTES - 1] == (uint8_t)number;
}

static void check_all(Store *store, Arena *arena, int count)
{
    for (int i = 0; i < count; i++)
        CU_ASSERT(is_whole(store, arena, i));
}

/* Inserts until the disk is full and stays so, while the log is still being moved; returns how many were acknowledged. */
static int fill(Store *store, Arena *arena)
{
    int count = 0;

    for (int refused = 0; refused < REFUSALS && count < MAX_RECORDS;) {
        const Error *error = insert(store, arena, count);

        if (error) {
            CHECK_REASON(error, "STORE_FULL");
            CHECK_INT(error->code, ERROR_RESOURCE_EXHAUSTED);
            clock_sleep_ms(5);
        }
        refused = error ? refused + 1 : 0;
        count += !error;
    }
    return count;
}

static bool recovers(Store *store, Arena *arena, int number)
{
    int64_t until = clock_monotonic() + RECOVERY_MS * 1000;

    while (clock_monotonic() < until) {
        if (!store_check(store) && !insert(store, arena, number))
            return true;
        clock_sleep_ms(10);
    }
    return false;
}

static void a_full_disk_loses_nothing_and_is_recovered_from(void)
{
    static char reason[200];
    const char *folder = test_folder();
    Arena *arena = arena_new();
    char uri[4096], filler[4096];
    Store *store;
    int count, error = mount_disk(folder);

    if (error) {
        snprintf(reason, sizeof(reason), "no disk can be mounted here: %s", strerror(error));
        test_skip(reason);
        arena_free(arena);
        return;
    }
    snprintf(uri, sizeof(uri), "embedded:%s", folder);
    snprintf(filler, sizeof(filler), "%s/filler", folder);
    make_file(filler, FREED_BYTES);
    store = open_store(arena, uri);

    count = fill(store, arena);
    CU_ASSERT(count > 10);
    CHECK_REASON(store_check(store), "STORE_FULL");
    CU_ASSERT_FALSE(is_replaced_later(store, arena, 0));
    check_all(store, arena, count);

    unlink(filler);
    CU_ASSERT(recovers(store, arena, count));
    count++;
    CU_ASSERT(is_replaced_later(store, arena, 0));
    check_all(store, arena, count);
    store_close(store);

    store = open_store(arena, uri);
    check_all(store, arena, count);
    store_close(store);
    umount(folder);
    arena_free(arena);
}

int main(int argc, char **argv)
{
    CU_TestInfo cases[] = {
        { "a_full_disk_loses_nothing_and_is_recovered_from",
            a_full_disk_loses_nothing_and_is_recovered_from },
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        { .pName = "full_disk", .pTests = cases },
        CU_SUITE_INFO_NULL,
    };

    return test_main("full_disk_test", suites, argc, argv);
}
