#include "services/catalog/domain/stock.h"

#include "shared/codec/message.h"

#include <assert.h>
#include <string.h>

static const Error stock_busy = { ERROR_RESOURCE_EXHAUSTED, "STOCK_BUSY",
    "Too many hold pieces of this SKU at this location: try again a little later.",
    .retry_after_ms = 1000 };
static const Error stock_too_large = { ERROR_FAILED_PRECONDITION, "STOCK_TOO_LARGE",
    "There would be more than 1,000,000,000 pieces at one location." };

bool location_is_valid(const char *location)
{
    size_t length = strspn(location, "abcdefghijklmnopqrstuvwxyz0123456789-");

    return !location[length] && length >= 1 && length <= LOCATION_MAX_ID;
}

const char *stock_level_name(Arena *arena, const char *sku, const char *location)
{
    return arena_printf(arena, "locations/%s/stock/%s", location, sku);
}

void stock_level_init(Arena *arena, const char *sku, const char *location, StockLevel *level)
{
    message_init(&throughline__catalog__v1__stock_level__descriptor, level);
    level->name = (char *)stock_level_name(arena, sku, location);
    level->sku = arena_text(arena, sku);
    level->location = arena_text(arena, location);
}

/* What follows from on_hand and the holds. */
static void count(StockLevel *level)
{
    level->reserved = 0;
    for (size_t i = 0; i < level->n_holds; i++)
        level->reserved += level->holds[i]->quantity;
    assert(level->reserved <= level->on_hand && "no more is promised than there is");
    level->available = level->on_hand - level->reserved;
}

static StockHold *find_hold(const StockLevel *level, const char *attempt)
{
    for (size_t i = 0; i < level->n_holds; i++)
        if (text_equal(level->holds[i]->attempt, attempt))
            return level->holds[i];
    return NULL;
}

int64_t stock_held(const StockLevel *level, const char *attempt)
{
    const StockHold *hold = find_hold(level, attempt);

    return hold ? hold->quantity : 0;
}

const Error *stock_hold(StockLevel *level, StockHold *hold, Arena *arena)
{
    StockHold *held = find_hold(level, hold->attempt);

    assert(hold->quantity > 0 && hold->quantity <= level->available);
    if (!held && level->n_holds >= STOCK_MAX_HOLDS)
        return &stock_busy;
    if (held) {
        held->quantity += hold->quantity;
    } else {
        level->holds = arena_grow(
            arena, level->holds, level->n_holds, level->n_holds + 1, sizeof(StockHold *));
        level->holds[level->n_holds++] = hold;
    }
    count(level);
    return NULL;
}

int64_t stock_drop(StockLevel *level, const char *attempt, bool is_sold)
{
    int64_t dropped = 0;
    size_t n_kept = 0;

    for (size_t i = 0; i < level->n_holds; i++)
        if (text_equal(level->holds[i]->attempt, attempt))
            dropped += level->holds[i]->quantity;
        else
            level->holds[n_kept++] = level->holds[i];
    level->n_holds = n_kept;
    if (is_sold)
        level->on_hand -= dropped;
    count(level);
    return dropped;
}

const Error *stock_set(StockLevel *level, int64_t on_hand, Arena *arena)
{
    if (on_hand > STOCK_MAX_PIECES)
        return &stock_too_large;
    if (on_hand < level->reserved)
        return error_with_fact(arena,
            error_new(arena, ERROR_FAILED_PRECONDITION, "STOCK_RESERVED",
                "%lld pieces are reserved: there cannot be only %lld.", (long long)level->reserved,
                (long long)on_hand),
            "reserved", arena_printf(arena, "%lld", (long long)level->reserved));
    level->on_hand = on_hand;
    count(level);
    return NULL;
}

bool stock_is_news(const StockLevel *level, int64_t on_hand)
{
    return !level->is_imported || level->imported != on_hand;
}

/* Whether the line may be taken from there, and something is. */
static bool may_serve(const ReserveLine *line, const StockLevel *level)
{
    return level->available > 0 && text_equal(level->sku, line->sku) &&
           (!*line->location || text_equal(level->location, line->location));
}

static bool is_fuller(const StockLevel *a, const StockLevel *b)
{
    return a->available != b->available ? a->available > b->available
                                        : strcmp(a->location, b->location) < 0;
}

size_t stock_allocate(const ReserveLine *line, StockLevel *const *levels, size_t n_levels,
    StockPart *parts, int64_t *missing)
{
    size_t n_parts = 0;

    for (size_t i = 0; i < n_levels; i++) {
        size_t at = n_parts;

        if (!may_serve(line, levels[i]))
            continue;
        for (; at > 0 && is_fuller(levels[i], parts[at - 1].level); at--)
            parts[at] = parts[at - 1];
        parts[at].level = levels[i];
        n_parts++;
    }
    *missing = line->quantity;
    for (size_t i = 0; i < n_parts; i++) {
        parts[i].quantity =
            parts[i].level->available < *missing ? parts[i].level->available : *missing;
        *missing -= parts[i].quantity;
        if (*missing == 0)
            return i + 1;
    }
    return n_parts;
}
