/* A cart gets its customer. The order of the writes, and why, is in domain/merge.h. */
#include "services/cart/cart_service.h"

#include "shared/codec/message.h"
#include "shared/rpc/check.h"

#include <string.h>

typedef Throughline__Cart__V1__AttachCustomerRequest AttachCustomerRequest;
typedef Throughline__Cart__V1__CartOpened CartOpened;

/* A merge takes two; the rest is for races. */
enum { ATTACH_MAX_STEPS = 400 };

/* One attachment on its way. */
typedef struct Attachment {
    RpcCall *call;
    Actor actor;
    const char *customer;
    const char *owner; /* whose the cart may be besides: "" nobody's */
    MergeMode mode;
    Cart *source;
    bool is_over; /* the report is filled */
} Attachment;

static Cart *new_cart(RpcCall *call)
{
    return message_new(call->arena, carts.message);
}

/* No open cart of the customer's: this one is it. */
static const Error *attach_as_it_is(Attachment *on, MergeReport *report)
{
    CustomerAttached event = THROUGHLINE__CART__V1__CUSTOMER_ATTACHED__INIT;

    merge_attach(on->source, on->customer, &on->actor, on->call->arena, &event);
    report->cart = on->source;
    on->is_over = true;
    return store_replace(on->call->store, &carts, on->source, &event);
}

/* The first write of a merge, and the first again when the target was closed meanwhile. */
static const Error *close_source(Attachment *on, const Cart *target)
{
    CartClosedByMerge event = THROUGHLINE__CART__V1__CART_CLOSED_BY_MERGE__INIT;
    StoreView steps = store_steps(on->call->store);

    merge_close(on->source, target, on->mode, &on->actor, on->call->arena, &event);
    return store_replace(&steps, &carts, on->source, &event);
}

/* The customer's cart has another currency: both carts stay as they were before. */
static const Error *refuse(Attachment *on, const Error *mismatch)
{
    CartOpened event = THROUGHLINE__CART__V1__CART_OPENED__INIT;
    StoreView steps = store_steps(on->call->store);
    const Error *error;

    if (!on->source->pending)
        return mismatch;
    merge_undo(on->source, on->owner, &on->actor, on->call->arena, &event);
    error = store_replace(&steps, &carts, on->source, &event);
    return error ? error : mismatch;
}

static const Error *choose_target(Attachment *on, MergeReport *report)
{
    Cart *target = new_cart(on->call);
    const Error *error = cart_find_open(on->call->store, on->customer, target);

    if (error == &cart_not_found)
        return attach_as_it_is(on, report);
    if (error)
        return error;
    if ((error = merge_check_currency(on->source, target)))
        return refuse(on, error);
    return close_source(on, target);
}

/* The work of a source whose lines are in their target is over; nobody needs to see that. */
static const Error *settle(RpcCall *call, Cart *source)
{
    StoreView steps = store_steps(call->store);

    source->pending = NULL;
    return store_replace(&steps, &carts, source, NULL);
}

/* The target names the last of its sources only: the oldest makes room, once nobody can take its
 * merge for unfinished any more. */
static const Error *make_room(Attachment *on, Cart *target)
{
    StoreView steps = store_steps(on->call->store);
    Cart *oldest = new_cart(on->call);
    const Error *error;

    if (target->n_merged_from < CART_MAX_MERGED_FROM)
        return NULL;
    error = cart_load(&steps, target->merged_from[0], oldest);
    if (!error && oldest->pending)
        error = settle(on->call, oldest);
    if (error && error != &cart_not_found)
        return error;
    target->n_merged_from--;
    memmove(target->merged_from, target->merged_from + 1,
        target->n_merged_from * sizeof(*target->merged_from));
    return NULL;
}

/* The second write of a merge. */
static const Error *take_lines(Attachment *on, Cart *target, MergeReport *report)
{
    CartMerged event = THROUGHLINE__CART__V1__CART_MERGED__INIT;
    const Error *error;

    if ((error = make_room(on, target)))
        return error;
    merge_take(
        on->source, target, on->source->pending->mode, &on->actor, on->call->arena, report, &event);
    on->is_over = true;
    return store_replace(on->call->store, &carts, target, &event);
}

static const Error *go_on_merging(Attachment *on, MergeReport *report)
{
    Cart *target = new_cart(on->call);
    const Error *error;

    if ((error = cart_load(on->call->store, on->source->merged_into, target)))
        return error;
    if (merge_is_done(on->source, target)) {
        report->cart = target;
        on->is_over = true;
        return NULL;
    }
    if (target->state == THROUGHLINE__CART__V1__CART__STATE__OPEN)
        return take_lines(on, target, report);
    return choose_target(on, report);
}

/* One write at most: from wherever the source stands to where it stands next. */
static const Error *step(Attachment *on, const char *name, MergeReport *report)
{
    const Error *error;

    on->is_over = false;
    on->source = new_cart(on->call);
    report->n_outcomes = 0;
    if ((error = cart_load(on->call->store, name, on->source)) ||
        (error = merge_check_source(on->source, on->customer, on->owner, on->call->arena)))
        return error;
    if (on->source->state == THROUGHLINE__CART__V1__CART__STATE__MERGED)
        return go_on_merging(on, report);
    if (text_equal(on->source->customer, on->owner))
        return choose_target(on, report);
    report->cart = on->source;
    on->is_over = true;
    return NULL;
}

/* Another sign-in of the customer was faster: its cart is the target of the next step. */
static bool is_taken(const Error *error)
{
    return error && text_equal(error->reason, "OPEN_CUSTOMER_TAKEN");
}

const Error *attach_cart(RpcCall *call, const char *name, const char *customer, const char *owner,
    MergeMode mode, MergeReport *report)
{
    static const Error keeps_changing = { ERROR_ABORTED, "CARTS_CHANGING",
        "The customer's carts keep changing: try again." };
    Attachment on = {
        .call = call, .actor = actor_of(call), .customer = customer, .owner = owner, .mode = mode
    };
    Race race __attribute__((cleanup(race_end))) = race_start(call, customer);

    for (int steps = 0; steps < ATTACH_MAX_STEPS; steps++) {
        const Error *error = step(&on, name, report);

        if (!error && on.is_over)
            return NULL;
        if (error && !is_taken(error) && !race_lost(&race, error, ""))
            return error;
    }
    return &keeps_changing;
}

const Error *settle_merge(RpcCall *call, const char *name)
{
    Race race __attribute__((cleanup(race_end))) = race_start(call, name);
    const Error *error;

    do {
        Cart *source = new_cart(call);

        if ((error = cart_load(call->store, name, source)) || !source->pending)
            return error;
        error = settle(call, source);
    } while (race_lost(&race, error, ""));
    return error;
}

const Error *attach_customer(RpcCall *call, const void *request, void *reply)
{
    const AttachCustomerRequest *req = request;
    Cart *cart = new_cart(call);
    Actor actor = actor_of(call);
    const Error *error;

    check_name(call, "cart", req->cart, "carts/*");
    check_name(call, "customer", req->customer, "customers/*");
    if (req->mode)
        check_enum(call, "mode", &throughline__cart__v1__attach_customer_request__mode__descriptor,
            (int)req->mode);
    check_request_id(call, req->request_id);
    if ((error = check_result(call)) || (error = cart_load(call->store, req->cart, cart)) ||
        (error = cart_check_attach(cart, &actor, req->customer)))
        return error;
    return attach_cart(call, req->cart, req->customer, "", req->mode, reply);
}
