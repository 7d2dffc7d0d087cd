/* throughline watch: follows a cart, an inbox or a service's events and prints each change as a line of JSON. */
#include "services/throughline/command.h"
#include "services/throughline/shop.h"

#include "shared/base/clock.h"
#include "shared/base/text.h"
#include "shared/codec/json.h"

#include "throughline/cart/v1/cart.pb-c.h"
#include "throughline/event/v1/event.pb-c.h"
#include "throughline/notification/v1/message.pb-c.h"

#include <stdio.h>
#include <stdlib.h>

enum { RETRY_MS = 500 };

/* What is followed, and where to go on after a break. */
typedef struct Watch {
    RpcClient *client;
    const ProtobufCServiceDescriptor *service;
    const char *method;
    Throughline__Cart__V1__WatchCartRequest cart;
    Throughline__Notification__V1__WatchInboxRequest inbox;
    Throughline__Event__V1__SubscribeRequest events;
    const void *request;
    Throughline__Event__V1__Position positions[64];
    Throughline__Event__V1__Position *position_list[64];
} Watch;

static void remember_position(Watch *watch, const Throughline__Event__V1__Position *position)
{
    for (size_t i = 0; i < watch->events.n_positions; i++)
        if (watch->positions[i].partition == position->partition) {
            watch->positions[i].sequence = position->sequence;
            return;
        }
    if (watch->events.n_positions < COUNT(watch->positions)) {
        Throughline__Event__V1__Position *slot = &watch->positions[watch->events.n_positions];

        throughline__event__v1__position__init(slot);
        slot->partition = position->partition;
        slot->sequence = position->sequence;
        watch->position_list[watch->events.n_positions++] = slot;
    }
}

static void remember(Watch *watch, const void *message)
{
    if (watch->request == &watch->cart) {
        const Throughline__Cart__V1__WatchCartResponse *change = message;

        watch->cart.after = change->sequence;
    } else if (watch->request == &watch->inbox) {
        const Throughline__Notification__V1__WatchInboxResponse *arrival = message;

        watch->inbox.after = arrival->sequence;
    } else {
        const Throughline__Event__V1__SubscribeResponse *next = message;

        if (next->position)
            remember_position(watch, next->position);
    }
}

/* One stream until it ends or breaks. */
static const Error *follow(const Shop *shop, const Channel *channel, Watch *watch)
{
    RpcOutgoing outgoing = shop_outgoing(shop, channel, 0);
    RpcClientStream *stream = NULL;
    Arena *one = arena_new();
    void *message = NULL;
    const Error *error;

    outgoing.deadline = INT64_MAX;
    if (!(error = rpc_client_open_stream(
              watch->client, &outgoing, watch->service, watch->method, &stream))) {
        if (!(error = rpc_client_send(stream, watch->request)))
            error = rpc_client_finish_sending(stream);
        while (!error && !(error = rpc_client_receive(stream, one, &message)) && message) {
            remember(watch, message);
            printf("%s\n", json_from_message(one, message, JSON_COMPACT));
            arena_reset(one);
            if (fflush(stdout))
                break;
        }
        error = error_copy(shop->arena, error);
        rpc_client_close_stream(stream);
    }
    arena_free(one);
    return error;
}

static bool prepare(Watch *watch, const Shop *shop, const char *what, const char *which)
{
    throughline__cart__v1__watch_cart_request__init(&watch->cart);
    throughline__notification__v1__watch_inbox_request__init(&watch->inbox);
    throughline__event__v1__subscribe_request__init(&watch->events);
    watch->events.positions = watch->position_list;
    if (text_equal(what, "cart")) {
        watch->service = &throughline__cart__v1__cart_service__descriptor;
        watch->method = "WatchCart";
        watch->cart.cart = arena_text(shop->arena, which);
        watch->request = &watch->cart;
    } else if (text_equal(what, "inbox")) {
        watch->service = &throughline__notification__v1__message_service__descriptor;
        watch->method = "WatchInbox";
        watch->inbox.customer = arena_text(shop->arena, which);
        watch->request = &watch->inbox;
    } else if (text_equal(what, "events")) {
        watch->client = shop_client(shop, arena_printf(shop->arena, "throughline.%s.v1", which));
        watch->service = &throughline__event__v1__event_service__descriptor;
        watch->method = "Subscribe";
        watch->request = &watch->events;
        return watch->client != NULL;
    } else {
        return false;
    }
    watch->client = shop_client(shop, watch->service->package);
    return true;
}

static int run(const Config *config, Arena *arena)
{
    const char *const *words;
    const Error *error;
    Channel channel;
    Watch watch = { 0 };
    Shop shop;

    if (config_words(config, &words) != 2) {
        fprintf(stderr, "Usage: throughline watch cart CART | inbox CUSTOMER | events SERVICE\n");
        return EXIT_USAGE;
    }
    if ((error = shop_channel(arena, config, &channel)))
        return shop_complain("watch", error);
    shop_open(&shop, arena, config);
    if (!prepare(&watch, &shop, words[0], words[1])) {
        fprintf(stderr, "watch: there is nothing called \"%s %s\" to watch.\n", words[0], words[1]);
        shop_close(&shop);
        return EXIT_USAGE;
    }
    /* A server that restarts ends its streams; they go on after the last change that was printed. */
    while ((error = follow(&shop, &channel, &watch)) && error->code == ERROR_UNAVAILABLE &&
           !ferror(stdout)) {
        fprintf(stderr, "watch: %s (goes on in a moment)\n", error->message);
        clock_sleep_ms(RETRY_MS);
    }
    shop_close(&shop);
    return error ? shop_complain("watch", error) : EXIT_OK;
}

const Command command_watch = {
    .name = "watch",
    .arguments = "cart|inbox|events NAME",
    .summary = "Prints every change as it happens, one JSON a line, until Ctrl-C.",
    .details = "\nNAME is a cart, a customer, or a service for its events. Broken connections are "
               "taken up again after the last change: nothing is missed, "
               "nothing comes twice.\n\n"
               "Example: throughline watch events cart\n",
    .settings = (const Setting *const[]){ shop_settings, NULL },
    .run = run,
};
