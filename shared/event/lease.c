/* A lease is a document; whoever replaces its version has it. A holder on this machine whose
 * process has ended is not waited for. */
#include "shared/event/lease.h"

#include "shared/base/clock.h"
#include "shared/base/id.h"
#include "shared/codec/message.h"
#include "shared/codec/types.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

typedef Throughline__Event__V1__Lease Lease;
typedef Throughline__Event__V1__Position Position;

enum { HOST_SIZE = 65, STAT_SIZE = 1024, START_TIME_FIELD = 20 /* behind the command's ')' */ };

static const Error untried = { ERROR_UNAVAILABLE, "WRITE_UNTRIED", "The write was not tried." };

const Collection event_leases = {
    .name = "event_leases",
    .message = &throughline__event__v1__lease__descriptor,
};

/* When the process started, in ticks since boot; 0 when there is none. An id alone is used
 * again. */
static long long start_time(long process)
{
    char path[64];
    char stat[STAT_SIZE];
    FILE *file;
    const char *at;
    long long ticks = 0;

    snprintf(path, sizeof(path), "/proc/%ld/stat", process);
    file = fopen(path, "r");
    if (!file)
        return 0;
    stat[fread(stat, 1, sizeof(stat) - 1, file)] = '\0';
    fclose(file);
    at = strrchr(stat, ')');
    for (int field = 0; at && field < START_TIME_FIELD; field++)
        at = strchr(at + 1, ' ');
    return at && sscanf(at, " %lld", &ticks) == 1 ? ticks : 0;
}

void event_lease_holder(char holder[LEASE_TEXT_SIZE])
{
    char host[HOST_SIZE] = "";
    char id[ID_SIZE];

    gethostname(host, sizeof(host) - 1);
    id_new(id);
    snprintf(
        holder, LEASE_TEXT_SIZE, "%s/%ld/%lld/%s", host, (long)getpid(), start_time(getpid()), id);
}

static bool is_gone(const char *holder)
{
    char host[HOST_SIZE] = "";
    char held_by[HOST_SIZE];
    long process;
    long long started;

    gethostname(host, sizeof(host) - 1);
    return sscanf(holder, "%64[^/]/%ld/%lld/", held_by, &process, &started) == 3 &&
           text_equal(host, held_by) && start_time(process) != started;
}

static Lease *message_of(Arena *arena, const EventLease *lease, int64_t expires_at)
{
    Lease *message = message_new(arena, &throughline__event__v1__lease__descriptor);

    message->name = (char *)lease->name;
    message->etag = arena_text(arena, lease->etag);
    message->holder = (char *)lease->holder;
    message->expire_time = timestamp_from_micros(arena, expires_at);
    message->positions = arena_array(arena, STORE_PARTITIONS, sizeof(*message->positions));
    for (int i = 0; i < STORE_PARTITIONS; i++) {
        Position *position = message_new(arena, &throughline__event__v1__position__descriptor);

        position->partition = i;
        position->sequence = lease->positions[i];
        message->positions[message->n_positions++] = position;
    }
    return message;
}

static void take(EventLease *lease, const Lease *message)
{
    snprintf(lease->etag, sizeof(lease->etag), "%s", message->etag);
    memset(lease->positions, 0, sizeof(lease->positions));
    for (size_t i = 0; i < message->n_positions; i++) {
        const Position *position = message->positions[i];

        if (position->partition >= 0 && position->partition < STORE_PARTITIONS)
            lease->positions[position->partition] = position->sequence;
    }
}

/* Whether a lease that is not ours may be taken; *kind says by which write. */
static const Error *look(StoreView *view, EventLease *lease, bool *is_free, StoreWriteKind *kind)
{
    Lease found = THROUGHLINE__EVENT__V1__LEASE__INIT;
    const Error *error = store_get(view, &event_leases, lease->name, &found);

    *kind = STORE_INSERT;
    *is_free = true;
    lease->etag[0] = '\0';
    if (error)
        return error->code == ERROR_NOT_FOUND ? NULL : error;
    *kind = STORE_REPLACE;
    *is_free = timestamp_to_micros(found.expire_time) <= clock_now() || is_gone(found.holder);
    take(lease, &found);
    return NULL;
}

/* Whether the write was lost to somebody else. */
static bool is_lost(const Error *error)
{
    return error->code == ERROR_ABORTED || error->code == ERROR_ALREADY_EXISTS ||
           error->code == ERROR_NOT_FOUND;
}

static const Error *settle(EventLease *lease, const StoreWrite *write, int64_t asked_at)
{
    if (!write->error) {
        const Lease *written = write->message;

        snprintf(lease->etag, sizeof(lease->etag), "%s", written->etag);
        lease->is_held = true;
        lease->renewed_at = asked_at;
        return NULL;
    }
    if (is_lost(write->error)) {
        lease->is_held = false;
        return NULL;
    }
    if (asked_at - lease->renewed_at > LEASE_MS * INT64_C(1000))
        lease->is_held = false;
    return write->error;
}

const Error *event_leases_keep(StoreView *view, EventLease *leases, size_t n_leases)
{
    StoreWrite *writes = arena_array(view->arena, n_leases, sizeof(*writes));
    EventLease **written = arena_array(view->arena, n_leases, sizeof(EventLease *));
    int64_t asked_at = clock_monotonic();
    int64_t expires_at = clock_now() + LEASE_MS * INT64_C(1000);
    size_t n = 0;
    const Error *first = NULL;

    for (size_t i = 0; i < n_leases; i++) {
        EventLease *lease = &leases[i];
        StoreWriteKind kind = STORE_REPLACE;
        bool is_free = true;

        if (!lease->is_held) {
            first = look(view, lease, &is_free, &kind);
            if (first)
                return first;
        }
        if (!is_free)
            continue;
        written[n] = lease;
        writes[n++] = (StoreWrite){ .kind = kind,
            .collection = &event_leases,
            .message = message_of(view->arena, lease, expires_at),
            .error = &untried };
    }
    if (n == 0)
        return NULL;
    store_write(view, writes, n);
    for (size_t i = 0; i < n; i++) {
        const Error *error = settle(written[i], &writes[i], asked_at);

        first = first ? first : error;
    }
    return first;
}

const Error *event_lease_read(StoreView *view, EventLease *lease)
{
    Lease found = THROUGHLINE__EVENT__V1__LEASE__INIT;
    const Error *error = store_get(view, &event_leases, lease->name, &found);

    if (!error)
        take(lease, &found);
    return error;
}

void event_leases_release(StoreView *view, EventLease *leases, size_t n_leases)
{
    for (size_t i = 0; i < n_leases; i++) {
        if (leases[i].is_held)
            store_replace(view, &event_leases, message_of(view->arena, &leases[i], 0), NULL);
        leases[i].is_held = false;
    }
}
