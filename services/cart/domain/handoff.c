#include "services/cart/domain/handoff.h"

#include "shared/base/id.h"
#include "shared/codec/types.h"

enum { MINUTE_MICROS = 60 * 1000000 };

const Error handoff_not_found = { ERROR_NOT_FOUND, "HANDOFF_NOT_FOUND",
    "The code is unknown, used or expired: ask for a new one." };
static const Error too_many_wrong_codes = { ERROR_RESOURCE_EXHAUSTED, "TOO_MANY_WRONG_CODES",
    "Too many wrong codes: wait a minute." };

static char *digest_name(Arena *arena, const char *collection, const char *seed)
{
    char id[ID_SIZE];

    id_from(seed, id);
    return arena_printf(arena, "%s/%s", collection, id);
}

char *handoff_name(Arena *arena, const char *code)
{
    return digest_name(arena, "handoffs", arena_printf(arena, "handoff %s", code));
}

void handoff_make(Handoff *handoff, const char *code, const char *cart, int64_t now, Arena *arena)
{
    handoff->name = handoff_name(arena, code);
    handoff->cart = arena_text(arena, cart);
    handoff->expire_time = timestamp_from_micros(arena, now + (int64_t)HANDOFF_SECONDS * 1000000);
}

bool handoff_is_over(const Handoff *handoff, int64_t now)
{
    return !text_is_empty(handoff->claim) || now >= timestamp_to_micros(handoff->expire_time);
}

const Error *handoff_check(const Handoff *handoff, const char *claim, int64_t now)
{
    bool is_mine = text_equal(handoff->claim, claim);

    if (now >= timestamp_to_micros(handoff->expire_time))
        return &handoff_not_found;
    return is_mine || text_is_empty(handoff->claim) ? NULL : &handoff_not_found;
}

void handoff_use(Handoff *handoff, const Actor *actor, const char *claim, Arena *arena)
{
    handoff->claimed_by = arena_text(arena, actor->name);
    handoff->claim = arena_text(arena, claim);
}

void claim_count_make(ClaimCount *count, const char *who, int64_t now, Arena *arena)
{
    int64_t minute = now / MINUTE_MICROS;

    count->name = digest_name(
        arena, "claimCounts", arena_printf(arena, "%s in minute %lld", who, (long long)minute));
    count->expire_time = timestamp_from_micros(arena, (minute + 2) * MINUTE_MICROS);
}

const Error *claim_refused(int64_t now, Arena *arena)
{
    int64_t left = MINUTE_MICROS - now % MINUTE_MICROS;

    return error_with_retry(arena, &too_many_wrong_codes, (int32_t)(left / 1000) + 1);
}
