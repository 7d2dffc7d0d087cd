/* The holds go into the levels first, the reservation last, as one chain of writes: only when the reservation is there do they
 * count as its own. Until then they belong to an attempt, which gives them back when it fails; when it cannot, they end with
 * their time. */
#include "services/catalog/stock/stock_reserve.h"

#include "shared/base/id.h"
#include "shared/codec/message.h"
#include "shared/codec/types.h"
#include "shared/rpc/naming.h"
#include "shared/service/race.h"

typedef Throughline__Catalog__V1__ReservationChanged ReservationChanged;

enum { MICROS = 1000000, SHORTAGE_FACTS = 4 };

static const Error twin_is_ahead = { ERROR_ABORTED, "RESERVATION_UNDER_WAY",
    "The same request is being carried out: try again." };

/* One try of a request to become a reservation. */
typedef struct Attempt {
    RpcCall *call;
    const ReserveRequest *request;
    Reservation *reservation;
    const char *name;
    const char *id;
    int64_t expires_at;
    size_t n_levels;
    StockLevel **levels; /* every level that a line may be taken from, each once */
    int64_t *held;       /* what the attempt held there when it was loaded */
    size_t n_short;
    FieldViolation *shortages;
    const ErrorFact *facts; /* of the first shortage */
} Attempt;

static void add_level(Attempt *attempt, StockLevel *level)
{
    Arena *arena = attempt->call->arena;
    size_t n = attempt->n_levels;

    if (!stock_serves(attempt->call, level, attempt->request->purpose))
        return;
    for (size_t i = 0; i < n; i++)
        if (text_equal(attempt->levels[i]->name, level->name))
            return;
    attempt->levels = arena_grow(arena, attempt->levels, n, n + 1, sizeof(*attempt->levels));
    attempt->held = arena_grow(arena, attempt->held, n, n + 1, sizeof(*attempt->held));
    attempt->levels[n] = level;
    /* What an earlier round took is given back here and allocated anew: the levels have changed since. */
    attempt->held[n] = stock_drop(level, attempt->id, false);
    attempt->n_levels++;
}

static const Error *load_line(Attempt *attempt, const ReserveLine *line)
{
    StoreView steps = store_steps(attempt->call->store);
    StockLevel **levels;
    size_t n_levels;
    StockLevel *level;
    const Error *error;

    if (!*line->location) {
        error = stock_load_all(&steps, line->sku, &levels, &n_levels);
        for (size_t i = 0; i < n_levels && !error; i++)
            add_level(attempt, levels[i]);
        return error;
    }
    level = message_new(attempt->call->arena, &throughline__catalog__v1__stock_level__descriptor);
    if ((error = stock_load(&steps, line->sku, line->location, level)))
        return error;
    add_level(attempt, level);
    return NULL;
}

static void note_shortage(Attempt *attempt, size_t index, int64_t missing)
{
    Arena *arena = attempt->call->arena;
    const ReserveLine *line = attempt->request->lines[index];
    const char *available = arena_printf(arena, "%lld", (long long)(line->quantity - missing));
    ErrorFact *facts;

    attempt->shortages[attempt->n_short++] = (FieldViolation){
        .field = arena_printf(arena, "lines[%zu]", index),
        .description = arena_printf(
            arena, "%s of %d pieces of %s are available", available, line->quantity, line->sku),
    };
    if (attempt->facts)
        return;
    facts = arena_array(arena, SHORTAGE_FACTS, sizeof(*facts));
    facts[0] = (ErrorFact){ "sku", line->sku };
    facts[1] = (ErrorFact){ "location", line->location };
    facts[2] = (ErrorFact){ "asked", arena_printf(arena, "%d", line->quantity) };
    facts[3] = (ErrorFact){ "available", available };
    attempt->facts = facts;
}

static StockHold *make_hold(const Attempt *attempt, int64_t quantity)
{
    StockHold *hold =
        message_new(attempt->call->arena, &throughline__catalog__v1__stock_hold__descriptor);

    hold->reservation = arena_text(attempt->call->arena, attempt->name);
    hold->attempt = arena_text(attempt->call->arena, attempt->id);
    hold->quantity = quantity;
    hold->expire_time = timestamp_from_micros(attempt->call->arena, attempt->expires_at);
    return hold;
}

static const Error *take_line(Attempt *attempt, size_t index)
{
    const ReserveLine *line = attempt->request->lines[index];
    StockPart *parts = arena_array(attempt->call->arena, attempt->n_levels, sizeof(*parts));
    int64_t missing;
    size_t n_parts = stock_allocate(line, attempt->levels, attempt->n_levels, parts, &missing);
    const Error *error = NULL;

    if (missing) {
        note_shortage(attempt, index, missing);
        return NULL;
    }
    for (size_t i = 0; i < n_parts && !error; i++) {
        error =
            stock_hold(parts[i].level, make_hold(attempt, parts[i].quantity), attempt->call->arena);
        reservation_add(attempt->call->arena, line->sku, parts[i].level->location,
            parts[i].quantity, attempt->reservation);
    }
    return error;
}

/* Lines that name their location come first: the others may go elsewhere. */
static const Error *take_all(Attempt *attempt)
{
    const ReserveRequest *request = attempt->request;
    const Error *error = NULL;

    attempt->n_short = 0;
    attempt->facts = NULL;
    attempt->shortages =
        arena_array(attempt->call->arena, request->n_lines, sizeof(*attempt->shortages));
    for (int pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < request->n_lines && !error; i++)
            if ((pass == 0) == (*request->lines[i]->location != '\0'))
                error = take_line(attempt, i);
    return error;
}

static const Error *out_of_stock(const Attempt *attempt)
{
    Error *error = arena_alloc(attempt->call->arena, sizeof(*error));

    *error = (Error){
        .code = ERROR_FAILED_PRECONDITION,
        .reason = "OUT_OF_STOCK",
        .message = attempt->shortages[0].description,
        .n_violations = attempt->n_short,
        .violations = attempt->shortages,
        .n_facts = SHORTAGE_FACTS,
        .facts = attempt->facts,
    };
    return error;
}

static bool has_twin(const Attempt *attempt)
{
    for (size_t i = 0; i < attempt->n_levels; i++)
        for (size_t j = 0; j < attempt->levels[i]->n_holds; j++) {
            const StockHold *hold = attempt->levels[i]->holds[j];

            if (text_equal(hold->reservation, attempt->name) &&
                !text_equal(hold->attempt, attempt->id))
                return true;
        }
    return false;
}

/* Pieces are short. When the same request was sent twice at once, the other one may have what this
 * one wants: its reservation is the answer, also when the pieces were sold since. */
static const Error *refuse(Attempt *attempt)
{
    StoreView steps = store_steps(attempt->call->store);
    const Error *error;

    if (text_is_empty(attempt->request->request_id))
        return out_of_stock(attempt);
    error = store_get(&steps, &reservations, attempt->name, attempt->reservation);
    if (!error)
        attempt->n_short = 0;
    if (!error || error->code != ERROR_NOT_FOUND)
        return error;
    return has_twin(attempt) ? &twin_is_ahead : out_of_stock(attempt);
}

static const Error *write_all(Attempt *attempt)
{
    Arena *arena = attempt->call->arena;
    StoreWrite *writes = arena_array(arena, attempt->n_levels + 1, sizeof(*writes));
    ReservationChanged *made =
        message_new(arena, &throughline__catalog__v1__reservation_changed__descriptor);
    StockChanged event = THROUGHLINE__CATALOG__V1__STOCK_CHANGED__INIT;
    const void *events[] = { made };
    size_t n_writes = 0;

    event.reason = THROUGHLINE__CATALOG__V1__STOCK_REASON__STOCK_REASON_RESERVATION;
    event.reservation = attempt->reservation->name;
    for (size_t i = 0; i < attempt->n_levels; i++) {
        StockLevel *level = attempt->levels[i];

        if (stock_held(level, attempt->id) == attempt->held[i])
            continue;
        stock_write(attempt->call, arena, level, &event, level->on_hand, &writes[n_writes]);
        writes[n_writes].is_chained = n_writes > 0;
        n_writes++;
    }
    made->reservation = attempt->reservation;
    writes[n_writes] = (StoreWrite){
        .kind = STORE_INSERT,
        .collection = &reservations,
        .message = attempt->reservation,
        .events = events,
        .n_events = 1,
        .is_chained = n_writes > 0,
    };
    return store_write(attempt->call->store, writes, n_writes + 1);
}

/* One look at the levels, one decision, one chain of writes. */
static const Error *try_once(Attempt *attempt)
{
    const ReserveRequest *request = attempt->request;
    const Error *error = NULL;

    attempt->n_levels = 0;
    attempt->levels = NULL;
    attempt->held = NULL;
    reservation_init(attempt->call->arena, attempt->name, attempt->id, attempt->call->arrived_at,
        attempt->expires_at, attempt->reservation);
    attempt->reservation->holder = request->holder;
    for (size_t i = 0; i < request->n_lines && !error; i++)
        error = load_line(attempt, request->lines[i]);
    if (error || (error = take_all(attempt)))
        return error;
    return attempt->n_short ? refuse(attempt) : write_all(attempt);
}

/* Tries until it is decided; those who want the same first SKU take turns. */
static const Error *try_all(Attempt *attempt)
{
    Race race __attribute__((cleanup(race_end))) =
        race_start(attempt->call, attempt->request->lines[0]->sku);
    const Error *error;

    do
        error = try_once(attempt);
    while (race_lost(&race, error, "") || (error == &twin_is_ahead && race_again(&race)));
    return error;
}

/* The service's own copies of what it loaded may be of a round that was not written: give_back looks again. */
static void give_back(const Attempt *attempt)
{
    for (size_t i = 0; i < attempt->n_levels; i++)
        if (attempt->held[i] || stock_held(attempt->levels[i], attempt->id))
            /* What cannot be given back now ends with its time. */
            (void)stock_give_back(attempt->call, attempt->levels[i], attempt->id);
}

/* Whether it is certain that no reservation of this attempt was made. */
static bool is_refused(const Error *error)
{
    return error == &store_replayed || error->code == ERROR_ALREADY_EXISTS ||
           error->code == ERROR_ABORTED || error->code == ERROR_FAILED_PRECONDITION ||
           text_equal(error->reason, "STOCK_BUSY");
}

/* Pieces whose time is over count as free, though nobody has come to give them back yet. */
static const Error *reclaim(const Attempt *attempt, bool *is_freed)
{
    const Error *error = NULL;

    for (size_t i = 0; i < attempt->n_levels && !error; i++)
        error = stock_reclaim(attempt->call, attempt->levels[i], is_freed);
    return error;
}

/* Goes on without the lines of SKUs that no location has ever counted. */
static const Error *drop_uncounted(Attempt *attempt, bool *is_changed)
{
    const ReserveRequest *request = attempt->request;
    ReserveRequest *counted = arena_copy(attempt->call->arena, request, sizeof(*request));
    StoreView steps = store_steps(attempt->call->store);

    counted->lines = arena_array(attempt->call->arena, request->n_lines, sizeof(*counted->lines));
    counted->n_lines = 0;
    for (size_t i = 0; i < request->n_lines; i++) {
        StockLevel **levels;
        size_t n_levels;
        const Error *error = stock_load_all(&steps, request->lines[i]->sku, &levels, &n_levels);

        if (error)
            return error;
        if (n_levels)
            counted->lines[counted->n_lines++] = request->lines[i];
    }
    *is_changed = counted->n_lines < request->n_lines;
    attempt->request = counted;
    return NULL;
}

const Error *stock_reserve(RpcCall *call, const ReserveRequest *request, Reservation *reservation)
{
    char id[ID_SIZE];
    int64_t ttl = request->ttl_seconds ? request->ttl_seconds : RESERVE_DEFAULT_TTL_SECONDS;
    Attempt attempt = {
        .call = call,
        .request = request,
        .reservation = reservation,
        .name = rpc_new_name(call, "reservations", request->request_id),
        .id = id,
        .expires_at = call->arrived_at + ttl * MICROS,
    };
    bool is_changed = false;
    bool is_freed = false;
    const Error *error;
    const Error *failure;

    id_new(id);
    error = try_all(&attempt);
    if (error && attempt.n_short && request->skips_uncounted) {
        if ((failure = drop_uncounted(&attempt, &is_changed)))
            return failure;
        if (!attempt.request->n_lines) {
            message_init(&throughline__catalog__v1__reservation__descriptor, reservation);
            return NULL;
        }
        if (is_changed)
            error = try_all(&attempt);
    }
    if (error && attempt.n_short) {
        if ((failure = reclaim(&attempt, &is_freed)))
            return failure;
        if (is_freed)
            error = try_all(&attempt);
    }
    if (error && is_refused(error))
        give_back(&attempt);
    return error;
}
