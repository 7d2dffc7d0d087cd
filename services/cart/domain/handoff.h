/* Handing a cart over by a code: 8 digits, 10 minutes, once. The stored document is found by a
 * digest of the code and does not contain it. */
#ifndef THROUGHLINE_CART_HANDOFF_H
#define THROUGHLINE_CART_HANDOFF_H

#include "services/cart/domain/cart.h"

#include "throughline/cart/v1/records.pb-c.h"

typedef Throughline__Cart__V1__Handoff Handoff;
typedef Throughline__Cart__V1__ClaimCount ClaimCount;

enum {
    HANDOFF_DIGITS = 8,
    HANDOFF_SECONDS = 600,
    /* Wrong codes a minute: with 1,000 live codes an account that does nothing else finds one in
     * about 28 hours. */
    HANDOFF_MAX_WRONG_ACTOR = 10,
    HANDOFF_MAX_WRONG_ACCOUNT = 60,
};

extern const Error handoff_not_found;

char *handoff_name(Arena *arena, const char *code);

/* Fills an initialised handoff as it is stored: without its code. */
void handoff_make(Handoff *handoff, const char *code, const char *cart, int64_t now, Arena *arena);

/* Whether this code can still be stored over: the handoff that has it is used up or expired. */
bool handoff_is_over(const Handoff *handoff, int64_t now);

/* `claim` names the request: the one that used the code before may go on. Errors: NOT_FOUND
 * HANDOFF_NOT_FOUND. */
const Error *handoff_check(const Handoff *handoff, const char *claim, int64_t now);
void handoff_use(Handoff *handoff, const Actor *actor, const char *claim, Arena *arena);

/* Fills an initialised count of wrong codes of `who` in this minute. */
void claim_count_make(ClaimCount *count, const char *who, int64_t now, Arena *arena);

/* RESOURCE_EXHAUSTED TOO_MANY_WRONG_CODES, to be tried again in the next minute. */
const Error *claim_refused(int64_t now, Arena *arena);

#endif
