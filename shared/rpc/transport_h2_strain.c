/* Watches what a flood of connections eats: descriptors and memory. Above the mark new
 * connections are turned away, so that those that are there can go on. */
#include "shared/rpc/transport_h2.h"

#include "shared/base/clock.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { MARK_PERCENT = 85, LOOK_INTERVAL_MICROS = 1000000 };

static const char no_places[] = "there are as many connections as may be";
static const char no_descriptors[] = "file descriptors run out";
static const char no_memory[] = "memory runs out";

/* The first number of a file; 0 when there is none, as where a group has no limit ("max"). */
static int64_t number_in(const char *path, int skipped)
{
    FILE *file = fopen(path, "re");
    long long number = 0;

    if (!file)
        return 0;
    for (int i = 0; i <= skipped; i++)
        if (fscanf(file, "%lld", &number) != 1)
            number = 0;
    fclose(file);
    return number;
}

static int64_t smaller_limit(int64_t a, int64_t b)
{
    return b > 0 && b < a ? b : a;
}

void h2_strain_open(H2Transport *transport)
{
    int64_t limit = transport->limits.max_memory_bytes;

    if (limit == 0) {
        limit = (int64_t)sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE);
        limit = smaller_limit(limit, number_in("/sys/fs/cgroup/memory.max", 0));
        limit = smaller_limit(limit, number_in("/sys/fs/cgroup/memory/memory.limit_in_bytes", 0));
    }
    transport->memory_mark = limit / 100 * MARK_PERCENT;
    transport->descriptor_mark = (int)((int64_t)transport->descriptor_cap * MARK_PERCENT / 100);
}

bool h2_strain_of_memory(H2Transport *transport)
{
    int64_t now = clock_monotonic();

    if (now - atomic_load(&transport->memory_looked_at) > LOOK_INTERVAL_MICROS) {
        int64_t resident = number_in("/proc/self/statm", 1) * sysconf(_SC_PAGESIZE);

        atomic_store(&transport->memory_looked_at, now);
        atomic_store(&transport->is_memory_tight, resident > transport->memory_mark);
    }
    return atomic_load(&transport->is_memory_tight);
}

/* The lowest number that is free says how many are taken. */
static bool are_descriptors_tight(const H2Transport *transport)
{
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

    if (fd >= 0)
        close(fd);
    return fd < 0 || fd >= transport->descriptor_mark;
}

const char *h2_strain(Transport *base)
{
    H2Transport *transport = (H2Transport *)base;

    if (atomic_load(&transport->connections) >= (size_t)transport->limits.max_connections)
        return no_places;
    if (are_descriptors_tight(transport))
        return no_descriptors;
    return h2_strain_of_memory(transport) ? no_memory : NULL;
}
