/* Following a cart: its events, one by one, with the cart after each. */
#include "services/cart/cart_service.h"

#include "shared/codec/message.h"
#include "shared/codec/types.h"
#include "shared/rpc/check.h"

#include <stdlib.h>
#include <string.h>

typedef Throughline__Cart__V1__WatchCartRequest WatchCartRequest;
typedef Throughline__Cart__V1__WatchCartResponse WatchCartResponse;

/* Who watches, in one block that the hub frees. */
typedef struct Watcher {
    int64_t since;
    bool is_service;
    char name[];
} Watcher;

static Watcher *watcher_new(const Actor *actor)
{
    size_t size = strlen(actor->name) + 1;
    Watcher *watcher = malloc(sizeof(*watcher) + size);

    if (!watcher)
        abort();
    watcher->since = actor->now;
    watcher->is_service = actor->is_service;
    memcpy(watcher->name, actor->name, size);
    return watcher;
}

/* Access was looked at when the watch began, and holds for all that lay before; who loses it
 * meanwhile (an anonymous holder when the customer signs in, an agent who leaves) sees no more. */
static bool may_see(const Watcher *watcher, const Event *event, const Cart *cart)
{
    Actor actor = { .name = watcher->name, .is_service = watcher->is_service };

    return timestamp_to_micros(event->time) < watcher->since || cart_may_read(cart, &actor);
}

static const void *render(void *context, Arena *arena, const Event *event)
{
    const Google__Protobuf__Any *any = event->payload;
    const ProtobufCMessage *payload =
        message_from_any(arena, any->type_url, (Bytes){ any->value.data, any->value.len });
    WatchCartResponse *change;
    Cart *const *cart;

    if (!payload || !(cart = message_field(payload, "cart")) || !*cart ||
        !may_see(context, event, *cart))
        return NULL;
    change = message_new(arena, &throughline__cart__v1__watch_cart_response__descriptor);
    change->sequence = event->aggregate_sequence;
    change->change = (char *)payload->descriptor->short_name;
    change->cart = *cart;
    change->actor = event->actor;
    change->channel = event->channel;
    return change;
}

const Error *watch_cart(RpcCall *call, const void *request, void *reply)
{
    const WatchCartRequest *req = request;
    Cart cart = THROUGHLINE__CART__V1__CART__INIT;
    Actor actor = actor_of(call);
    EventInterest interest = { .aggregate = req->cart, .after = req->after, .render = render };
    const Error *error;

    (void)reply;
    check_name(call, "cart", req->cart, "carts/*");
    if ((error = check_result(call)) || (error = cart_load(call->store, req->cart, &cart)) ||
        (error = cart_check_read(&cart, &actor)) || (error = event_check_after(call, &interest)))
        return error;
    interest.context = watcher_new(&actor);
    return event_hub_follow(service_of(call)->hub, call, &interest);
}
