/* The power goes at random moments under many writers, and the disk keeps what was synced and any part of the rest. The store must
 * open, SQLite must find it whole, and every acknowledged change must be there, with nothing half there. What was written relaxed
 * must be there up to the last acknowledged change behind it, and without a gap. Every store but the first goes on from what the last
 * accident left, so that accidents during recovery are among them.
 *
 * 10,000 accidents, under sanitizers 2,000, in CI and quick 250. THROUGHLINE_TEST_SEED=N repeats what is written and what is lost, but not how the
 * writers take turns; the files of an accident that does harm are kept. */
#include "tests/store/counted.h"
#include "tests/store/lost_power.h"

#include "shared/base/clock.h"
#include "shared/base/log.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#if defined(SANITIZE_ADDRESS) || defined(SANITIZE_THREAD)
enum { ACCIDENTS = 2000 }; /* they take as long as all of them elsewhere */
#else
enum { ACCIDENTS = 10000 };
#endif

enum {
    SHORT_ACCIDENTS = 250,
    AT_ONCE = 50, /* of one recording */
    THREADS = 4,
    CHANGES = 60, /* of each thread */
    LONG_CHANGES =
        90, /* with ballast: enough to have the log moved into the database while others write */
    LONG_EACH = 10,      /* recordings */
    BALLAST = 16 * 1024, /* numbers */
    MAX_ACKS = THREADS * LONG_CHANGES,
};

/* At this position of the recording the store had said that it keeps this change, and with it the notes before it. */
typedef struct Ack {
    size_t position;
    int document;
    int32_t count, noted;
} Ack;

typedef struct Writer {
    Store *store;
    int thread, n_changes;
    size_t ballast;
    const Error *error;
} Writer;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static Ack acks[MAX_ACKS];
static int n_acks;
static int32_t noted; /* notes so far */
static unsigned seed;
static const char *parent; /* of the folders of all stores */
static int n_accidents;

static void *write_some(void *argument)
{
    Writer *writer = argument;
    Arena *arena = arena_new();

    for (int i = 0; i < writer->n_changes && !writer->error; i++) {
        Ack ack = { .document = (writer->thread + i * THREADS) % COUNTED_DOCUMENTS };

        pthread_mutex_lock(&lock);
        ack.noted = noted;
        pthread_mutex_unlock(&lock);
        writer->error =
            counted_change(writer->store, arena, ack.document, writer->ballast, &ack.count);
        ack.position = lost_power_position();
        pthread_mutex_lock(&lock);
        if (!writer->error)
            acks[n_acks++] = ack;
        pthread_mutex_unlock(&lock);
        if (!writer->error)
            arena_reset(arena);
    }
    if (!writer->error)
        arena_free(arena);
    return NULL;
}

static void *note_some(void *argument)
{
    Writer *writer = argument;
    Arena *arena = arena_new();

    for (int i = 0; i < writer->n_changes && !writer->error; i++) {
        writer->error = counted_note(writer->store, arena, noted + 1);
        pthread_mutex_lock(&lock);
        noted += !writer->error;
        pthread_mutex_unlock(&lock);
        arena_reset(arena);
    }
    arena_free(arena);
    return NULL;
}

/* A store's life from its opening to its close; it goes on from so many notes. */
static void record(const char *folder, int32_t notes, bool is_long)
{
    Arena *arena = arena_new();
    Writer writers[THREADS + 1];
    pthread_t threads[THREADS + 1];
    Store *store = NULL;

    n_acks = 0;
    noted = notes;
    lost_power_record(folder);
    CHECK_OK(counted_open(arena, arena_printf(arena, "embedded:%s", folder), &store));
    CU_ASSERT_FATAL(store != NULL);
    for (int i = 0; i <= THREADS; i++) {
        writers[i] =
            (Writer){ store, i, is_long ? LONG_CHANGES : CHANGES, is_long ? BALLAST : 0, NULL };
        pthread_create(&threads[i], NULL, i < THREADS ? write_some : note_some, &writers[i]);
    }
    for (int i = 0; i <= THREADS; i++) {
        pthread_join(threads[i], NULL);
        CHECK_OK(writers[i].error);
    }
    store_close(store);
    lost_power_stop();
    arena_free(arena);
}

static int in_order(const void *a, const void *b)
{
    size_t first = *(const size_t *)a, second = *(const size_t *)b;

    return (first > second) - (first < second);
}

static Counted after(const Counted *before, size_t position)
{
    Counted counted = *before;

    for (int i = 0; i < n_acks; i++) {
        const Ack *ack = &acks[i];

        if (ack->position > position)
            continue;
        if (ack->count > counted.acknowledged[ack->document])
            counted.acknowledged[ack->document] = ack->count;
        if (ack->noted > counted.noted)
            counted.noted = ack->noted;
    }
    return counted;
}

/* Changes of each writer that are there though nobody was told: the one that was under way, at most. */
static void check_untold(const Counted *told, const Counted *there)
{
    for (int thread = 0; thread < THREADS; thread++) {
        int untold = 0;

        for (int i = thread; i < COUNTED_DOCUMENTS; i += THREADS)
            untold += there->acknowledged[i] - told->acknowledged[i];
        CU_ASSERT(untold == 0 || untold == 1);
    }
}

static void remove_store(const char *folder)
{
    static const char *const names[] = { "durable.db", "durable.db-wal", "durable.db-shm",
        "durable.db-journal", "durable.lock" };
    char path[4200];

    for (size_t i = 0; i < COUNT(names); i++) {
        snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
        unlink(path);
    }
    rmdir(folder);
}

/* For whoever looks into it. */
static void keep(size_t position, LostPower lost, unsigned from)
{
    char folder[] = "/tmp/lost-power-XXXXXX";

    if (!mkdtemp(folder))
        abort();
    lost_power_image(position, lost, &from, folder);
    printf("  after call %zu, kind %d: the files are in %s\n", position, (int)lost, folder);
}

/* Returns what the store holds after the accident. */
static Counted suffer(const Counted *before, size_t position, LostPower lost, const char *folder)
{
    Counted told = after(before, position), there = told;
    unsigned failures = CU_get_number_of_failures(), from = seed;
    char uri[4200];

    mkdir(folder, 0700);
    lost_power_image(position, lost, &seed, folder);
    counted_check_integrity(folder);
    snprintf(uri, sizeof(uri), "embedded:%s", folder);
    counted_check(&there, uri);
    check_untold(&told, &there);
    if (CU_get_number_of_failures() != failures)
        keep(position, lost, from);
    return there;
}

/* Of one recording. Goes on from the last one. */
static void suffer_many(Counted *counted, char *folder, size_t folder_size, int *n_lost)
{
    static int n_folders;
    const Counted before = *counted;
    size_t positions[AT_ONCE];

    for (int i = 0; i < AT_ONCE; i++)
        positions[i] = (size_t)rand_r(&seed) % (lost_power_position() + 1);
    qsort(positions, AT_ONCE, sizeof(*positions), in_order);
    for (int i = 0; i < AT_ONCE && !CU_get_number_of_failures(); i++) {
        LostPower lost = (LostPower)((unsigned)rand_r(&seed) % N_LOST_POWER);

        remove_store(folder);
        snprintf(folder, folder_size, "%s/%d", parent, n_folders++);
        *counted = suffer(&before, positions[i], lost, folder);
        n_lost[lost]++;
    }
}

static void lost_power_loses_nothing_that_was_promised(void)
{
    int n_recordings = n_accidents / AT_ONCE, n_long = 0, n_lost[N_LOST_POWER] = { 0 };
    size_t n_calls = 0, n_acknowledged = 0;
    Counted counted = { 0 };
    char folder[4100];

    parent = test_folder();
    snprintf(folder, sizeof(folder), "%s/first", parent);
    mkdir(folder, 0700);
    for (int i = 0; i < n_recordings && !CU_get_number_of_failures(); i++) {
        bool is_long = i % LONG_EACH == LONG_EACH / 2;

        record(folder, counted.noted, is_long);
        n_long += is_long;
        n_calls += lost_power_position();
        n_acknowledged += (size_t)n_acks;
        suffer_many(&counted, folder, sizeof(folder), n_lost);
    }
    printf("  %d accidents, %zu calls and %zu acknowledged changes recorded, %d of %d "
           "recordings long; %d lost\n",
        n_recordings * AT_ONCE, n_calls, n_acknowledged, n_long, n_recordings, counted.lost);
    CU_ASSERT(n_acknowledged >= (size_t)n_recordings * THREADS * CHANGES);
    for (int i = 0; i < N_LOST_POWER; i++)
        CU_ASSERT(n_lost[i] > n_accidents / N_LOST_POWER / 2);
}

int main(int argc, char **argv)
{
    const char *given = getenv("THROUGHLINE_TEST_SEED");
    CU_TestInfo cases[] = {
        { "lost_power_loses_nothing_that_was_promised",
            lost_power_loses_nothing_that_was_promised },
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        { .pName = "power", .pTests = cases },
        CU_SUITE_INFO_NULL,
    };

    n_accidents = test_size(SHORT_ACCIDENTS, SHORT_ACCIDENTS, ACCIDENTS);
    seed = given ? (unsigned)strtoul(given, NULL, 10) : (unsigned)clock_now();
    printf("  seed %u\n", seed);
    log_setup("test", LOG_OFF);
    lost_power_install();
    return test_main("power_test", suites, argc, argv);
}
