#include "services/cart/domain/access.h"

#include "shared/codec/types.h"

const Error cart_not_found = { ERROR_NOT_FOUND, "CART_NOT_FOUND",
    "There is no such cart, or it is not yours to see." };
const Error order_not_found = { ERROR_NOT_FOUND, "ORDER_NOT_FOUND",
    "There is no such order, or it is not yours to see." };
static const Error not_an_agent = { ERROR_FAILED_PRECONDITION, "NOT_AN_AGENT",
    "Only agents join a cart: the call's actor must be \"agents/…\"." };
static const Error cart_crowded = { ERROR_FAILED_PRECONDITION, "CART_CROWDED",
    "A cart takes at most 20 agents and 20 holders: somebody must leave first." };

bool actor_is_agent(const Actor *actor)
{
    return text_starts_with(actor->name, "agents/");
}

bool actor_is_customer(const Actor *actor)
{
    return text_starts_with(actor->name, "customers/");
}

const Error *actor_check_agent(const Actor *actor)
{
    return actor_is_agent(actor) ? NULL : &not_an_agent;
}

static size_t participant_index(const Cart *cart, const char *name)
{
    size_t i = 0;

    while (i < cart->n_participants && !text_equal(cart->participants[i]->actor, name))
        i++;
    return i;
}

static bool is_holder(const Cart *cart, const char *name)
{
    for (size_t i = 0; i < cart->n_holders; i++)
        if (text_equal(cart->holders[i], name))
            return true;
    return false;
}

bool cart_may_change(const Cart *cart, const Actor *actor)
{
    /* Nobody must not be taken for the customer of a cart that has none. */
    if (text_is_empty(actor->name))
        return false;
    return text_equal(cart->customer, actor->name) || is_holder(cart, actor->name) ||
           participant_index(cart, actor->name) < cart->n_participants;
}

bool cart_may_read(const Cart *cart, const Actor *actor)
{
    return actor->is_service || cart_may_change(cart, actor);
}

const Error *cart_check_change(const Cart *cart, const Actor *actor)
{
    return cart_may_change(cart, actor) ? NULL : &cart_not_found;
}

const Error *cart_check_read(const Cart *cart, const Actor *actor)
{
    return cart_may_read(cart, actor) ? NULL : &cart_not_found;
}

bool order_may_read(const char *customer, const Actor *actor)
{
    if (actor->is_service)
        return true;
    if (actor_is_agent(actor))
        return text_equal(actor->on_behalf_of, customer);
    return text_equal(actor->name, customer);
}

const char *order_buyer(const Order *order)
{
    return text_is_empty(order->origin) ? order->customer : order->origin;
}

const Error *cart_check_attach(const Cart *cart, const Actor *actor, const char *customer)
{
    bool is_free = text_is_empty(cart->customer);

    if (is_free && text_equal(actor->name, customer))
        return NULL;
    return cart_check_change(cart, actor);
}

/* False when there is no room. */
static bool add_participant(Cart *cart, const Actor *actor, Arena *arena)
{
    Participant *participant;

    if (cart->n_participants == CART_MAX_PARTICIPANTS)
        return false;
    participant = arena_alloc(arena, sizeof(*participant));
    throughline__cart__v1__participant__init(participant);
    participant->actor = arena_text(arena, actor->name);
    participant->channel = arena_text(arena, actor->channel);
    participant->join_time = timestamp_from_micros(arena, actor->now);
    cart->participants = arena_grow(arena, cart->participants, cart->n_participants,
        cart->n_participants + 1, sizeof(Participant *));
    cart->participants[cart->n_participants++] = participant;
    return true;
}

static bool add_holder(Cart *cart, const Actor *actor, Arena *arena)
{
    if (cart->n_holders == CART_MAX_HOLDERS)
        return false;
    cart->holders =
        arena_grow(arena, cart->holders, cart->n_holders, cart->n_holders + 1, sizeof(char *));
    cart->holders[cart->n_holders++] = arena_text(arena, actor->name);
    return true;
}

static bool add_person(Cart *cart, const Actor *actor, Arena *arena)
{
    return actor_is_agent(actor) ? add_participant(cart, actor, arena)
                                 : add_holder(cart, actor, arena);
}

const Error *cart_join(Cart *cart, const Actor *actor, Arena *arena, AgentJoined *event)
{
    const Error *error;

    if ((error = actor_check_agent(actor)))
        return error;
    if (!text_is_empty(actor->on_behalf_of) && !text_equal(actor->on_behalf_of, cart->customer))
        return &cart_not_found;
    if ((error = cart_check_open(cart, arena)))
        return error;
    if (cart_may_change(cart, actor))
        return NULL;
    cart_touch_people(cart, actor, arena);
    if (!add_participant(cart, actor, arena))
        return &cart_crowded;
    event->agent = arena_text(arena, actor->name);
    event->cart = cart;
    return NULL;
}

const Error *cart_leave(Cart *cart, const Actor *actor, Arena *arena, AgentLeft *event)
{
    size_t i = participant_index(cart, actor->name);

    if (i == cart->n_participants)
        return &cart_not_found;
    cart_touch_people(cart, actor, arena);
    for (cart->n_participants--; i < cart->n_participants; i++)
        cart->participants[i] = cart->participants[i + 1];
    event->agent = arena_text(arena, actor->name);
    event->cart = cart;
    return NULL;
}

const Error *cart_claim(Cart *cart, const Actor *actor, Arena *arena, HandoffClaimed *event)
{
    const Error *error;

    if ((error = cart_check_open(cart, arena)))
        return error;
    cart_touch_people(cart, actor, arena);
    if (!cart_may_change(cart, actor) && !add_person(cart, actor, arena))
        return &cart_crowded;
    event->actor = arena_text(arena, actor->name);
    event->cart = cart;
    return NULL;
}

void cart_let_in(Cart *cart, const Actor *actor, Arena *arena)
{
    add_person(cart, actor, arena);
}
