/* Handing a cart over by a code. */
#include "services/cart/cart_service.h"

#include "services/cart/domain/handoff.h"
#include "shared/base/id.h"
#include "shared/codec/message.h"
#include "shared/rpc/check.h"

#include <string.h>

typedef Throughline__Cart__V1__CreateHandoffRequest CreateHandoffRequest;
typedef Throughline__Cart__V1__ClaimHandoffRequest ClaimHandoffRequest;

enum { CODE_MAX_TRIES = 20, MAX_OLD_CODES = 100 };

/* A new code ends those that were given for the cart before. Used ones stay until they expire: the
 * request that used one may still be on its way. */
static const Error *end_older_codes(RpcCall *call, const char *cart)
{
    StoreQuery query = {
        .index = "cart",
        .equal = { { .kind = STORE_TEXT, .text = cart } },
        .limit = MAX_OLD_CODES,
    };
    StorePage page;
    const Error *error;

    if ((error = store_find(call->store, &handoffs, &query, &page)))
        return error;
    for (size_t i = 0; i < page.n_messages; i++) {
        const Handoff *old = page.messages[i];

        if (!text_is_empty(old->claim))
            continue;
        error = store_delete(call->store, &handoffs, old->name, old->etag);
        if (error && error->code != ERROR_ABORTED && error->code != ERROR_NOT_FOUND)
            return error;
    }
    return NULL;
}

/* Stores the handoff under the code, over one that is used up or expired. ALREADY_EXISTS: the
 * code is somebody's. */
static const Error *store_handoff(
    RpcCall *call, const char *code, const char *cart, Handoff *handoff)
{
    Handoff *old = message_new(call->arena, handoffs.message);
    const Error *taken, *error;

    message_init(handoffs.message, handoff);
    handoff_make(handoff, code, cart, call->arrived_at, call->arena);
    taken = store_insert(call->store, &handoffs, handoff, NULL);
    if (!taken || taken->code != ERROR_ALREADY_EXISTS)
        return taken;
    if ((error = store_get(call->store, &handoffs, handoff->name, old)))
        return error;
    if (!handoff_is_over(old, call->arrived_at))
        return taken;
    handoff->etag = old->etag;
    return store_replace(call->store, &handoffs, handoff, NULL);
}

const Error *create_handoff(RpcCall *call, const void *request, void *reply)
{
    const CreateHandoffRequest *req = request;
    Cart *cart = message_new(call->arena, carts.message);
    Handoff *handoff = reply;
    char *code;
    const Error *error;

    check_name(call, "cart", req->cart, "carts/*");
    if ((error = check_result(call)) || (error = cart_load_to_change(call, req->cart, "", cart)) ||
        (error = cart_check_open(cart, call->arena)) || (error = end_older_codes(call, req->cart)))
        return error;
    for (int tries = 0;; tries++) {
        code = id_digits(call->arena, HANDOFF_DIGITS);
        error = store_handoff(call, code, req->cart, handoff);
        if (!error)
            break;
        if ((error->code != ERROR_ALREADY_EXISTS && error->code != ERROR_ABORTED) ||
            tries == CODE_MAX_TRIES)
            return error;
    }
    /* Shown here and nowhere else: it is not in the store. */
    handoff->code = code;
    return NULL;
}

static const Error *count(RpcCall *call, const char *who, int64_t delta, int64_t max)
{
    StoreView steps = store_steps(call->store);
    ClaimCount count = THROUGHLINE__CART__V1__CLAIM_COUNT__INIT;
    const Error *error;

    claim_count_make(&count, who, call->arrived_at, call->arena);
    error = store_increment(&steps, &claim_counts, count.name, "wrong", delta, 0, max, NULL);
    if (error && error->code == ERROR_NOT_FOUND && delta > 0) {
        count.wrong = delta;
        error = store_insert(&steps, &claim_counts, &count, NULL);
        if (error && error->code == ERROR_ALREADY_EXISTS)
            error =
                store_increment(&steps, &claim_counts, count.name, "wrong", delta, 0, max, NULL);
    }
    return error && text_equal(error->reason, "GUARD_REFUSED")
               ? claim_refused(call->arrived_at, call->arena)
               : error;
}

/* Counted before the code is looked at, so that a thousand tries at once are counted too; a
 * right code is taken off again. */
static const Error *count_try(RpcCall *call, int64_t delta)
{
    const char *account = call->caller->account;
    const char *actor = arena_printf(call->arena, "%s as %s", account, call->context.actor);
    const Error *error;

    if ((error = count(call, actor, delta, HANDOFF_MAX_WRONG_ACTOR)))
        return error;
    return count(call, account, delta, HANDOFF_MAX_WRONG_ACCOUNT);
}

/* A code whose cart is gone or closed is as good as none. */
static const Error *hide(const Error *error)
{
    bool is_gone =
        error && (error->code == ERROR_NOT_FOUND || text_equal(error->reason, "CART_CLOSED"));

    return is_gone ? &handoff_not_found : error;
}

/* The code is used up first, then the actor comes in: of many claims at once one writes first,
 * and it can go on where it was cut off. */
static const Error *claim(RpcCall *call, const char *code, const char *claim_id, Cart *cart)
{
    HandoffClaimed event = THROUGHLINE__CART__V1__HANDOFF_CLAIMED__INIT;
    StoreView steps = store_steps(call->store);
    Handoff *handoff = message_new(call->arena, handoffs.message);
    Actor actor = actor_of(call);
    const Error *error;

    if ((error = hide(store_get(&steps, &handoffs, handoff_name(call->arena, code), handoff))) ||
        (error = handoff_check(handoff, claim_id, call->arrived_at)) ||
        (error = hide(cart_load(call->store, handoff->cart, cart))) ||
        (error = hide(cart_claim(cart, &actor, call->arena, &event))))
        return error;
    if (text_is_empty(handoff->claim)) {
        handoff_use(handoff, &actor, claim_id, call->arena);
        if ((error = store_replace(&steps, &handoffs, handoff, NULL)))
            return error;
    }
    return store_replace(call->store, &carts, cart, &event);
}

static const char *claim_id_of(RpcCall *call)
{
    char id[ID_SIZE];

    if (call->store->request_key)
        id_from(call->store->request_key, id);
    else
        id_new(id);
    return arena_text(call->arena, id);
}

/* The code as it is kept: people write it in groups. */
static const char *check_code(RpcCall *call, const char *field, const char *text)
{
    char *code = arena_text(call->arena, text);
    size_t n = 0;

    for (const char *at = text; *at; at++)
        if (*at != ' ' && *at != '-')
            code[n++] = *at;
    code[n] = 0;
    if (n != HANDOFF_DIGITS || strspn(code, "0123456789") != n)
        check_fail(call, field, "must be %d digits", HANDOFF_DIGITS);
    return code;
}

const Error *claim_handoff(RpcCall *call, const void *request, void *reply)
{
    const ClaimHandoffRequest *req = request;
    const char *claim_id = claim_id_of(call);
    const char *code = check_code(call, "code", req->code);
    Race race __attribute__((cleanup(race_end))) = race_start(call, code);
    const Error *error;

    check_request_id(call, req->request_id);
    if ((error = check_result(call)) || (error = count_try(call, 1)))
        return error;
    do
        error = claim(call, code, claim_id, reply);
    while (race_lost(&race, error, ""));
    /* Not a wrong code: taken off again. Where that fails it is forgotten within the minute. */
    if (error != &handoff_not_found)
        (void)count_try(call, -1);
    return error;
}
