#include "tests/rpc/tiny_server.h"

#include "shared/base/clock.h"

#include <assert.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

Tiny tiny;

static pthread_mutex_t seen_lock = PTHREAD_MUTEX_INITIALIZER;
static TinySeen seen;

static const TransportMethod methods[] = {
    { "/t.S/Echo", false, "echo" },   /* answers at once */
    { "/t.S/Later", false, "later" }, /* answers from a thread of its own */
    { "/t.S/Hold", false, "hold" },   /* answers when it is cancelled or released */
    { "/t.S/Fail", false, "fail" },   /* answers with an error */
    { "/t.S/Each", true, "each" },    /* sends back what it receives */
    { "/t.S/Many", false, "many" },   /* sends 100 messages */
};

typedef struct Ours {
    TransportCall *call;
    atomic_bool is_answered;
    const TransportMessage *received; /* not sent back yet */
    bool receives;
    int left; /* to send */
} Ours;

static const RpcStatus ok = { .message = "" };

static void fill(TransportCall *call, Bytes message)
{
    uint8_t *room = tiny.ops->reserve(call, message.size, false);

    if (message.size)
        memcpy(room, message.data, message.size);
}

static void answer(TransportCall *call, Bytes message)
{
    fill(call, message);
    tiny.ops->finish(call, &ok);
}

static void *answer_later(void *context)
{
    Ours *ours = context;

    clock_sleep_ms(20);
    answer(ours->call, (Bytes){ (const uint8_t *)"later", 5 });
    return NULL;
}

static void *answer_when_released(void *context)
{
    Ours *ours = context;

    while (!atomic_load(&tiny.is_released) && !atomic_load(&ours->is_answered))
        clock_sleep_ms(2);
    if (atomic_exchange(&ours->is_answered, true))
        tiny.ops->finish(ours->call, &(RpcStatus){ .code = ERROR_CANCELLED, .message = "" });
    else
        answer(ours->call, (Bytes){ (const uint8_t *)"held", 4 });
    return NULL;
}

static void start_thread(void *(*run)(void *), void *context)
{
    pthread_t thread;

    if (pthread_create(&thread, NULL, run, context) || pthread_detach(thread))
        abort();
}

static void note(TransportCall *call, const TransportArrival *arrival)
{
    Arena *arena = arena_new();
    TransportPeer peer = tiny.ops->peer(call, arena);
    TransportPair pair;

    pthread_mutex_lock(&seen_lock);
    seen = (TinySeen){
        .deadline = arrival->deadline,
        .has_message = arrival->message != NULL,
        .is_known = arrival->method != NULL,
        .size = arrival->message ? arrival->message->bytes.size : 0,
    };
    snprintf(seen.address, sizeof(seen.address), "%s", peer.address);
    snprintf(seen.identity, sizeof(seen.identity), "%s", peer.identity);
    for (size_t i = 0; tiny.ops->metadata(call, i, &pair); i++)
        if (pair.key.size == 5 && !memcmp(pair.key.data, "x-key", 5))
            snprintf(seen.key, sizeof(seen.key), "%.*s", (int)pair.value.size, pair.value.data);
    pthread_mutex_unlock(&seen_lock);
    arena_free(arena);
}

static void send_number(Ours *ours)
{
    uint8_t *room = tiny.ops->reserve(ours->call, 1, false);

    *room = (uint8_t)(100 - ours->left--);
    tiny.ops->send(ours->call);
}

static void arrived(void *context, TransportCall *call, const TransportArrival *arrival)
{
    const char *what = arrival->method ? arrival->method->user : "";
    Ours *ours = calloc(1, sizeof(*ours));

    assert(context == &tiny);
    ours->call = call;
    call->user = ours;
    note(call, arrival);
    atomic_fetch_add(&tiny.arrived, 1);
    if (text_equal(what, "echo")) {
        answer(call, arrival->message ? arrival->message->bytes : (Bytes){ 0 });
    } else if (text_equal(what, "later")) {
        tiny.ops->watch(call);
        start_thread(answer_later, ours);
    } else if (text_equal(what, "hold")) {
        tiny.ops->watch(call);
        start_thread(answer_when_released, ours);
    } else if (text_equal(what, "each")) {
        ours->receives = true;
        tiny.ops->watch(call);
        tiny.ops->receive(call);
    } else if (text_equal(what, "many")) {
        tiny.ops->watch(call);
        ours->left = 100;
        send_number(ours);
    } else {
        tiny.ops->finish(call, &(RpcStatus){ ERROR_ABORTED, "as \"asked\": 100 %, ü",
                                   { (const uint8_t *)"\0d\xff", 3 } });
    }
}

static void send_back(Ours *ours)
{
    fill(ours->call, ours->received->bytes);
    ours->received = ours->received->next;
    tiny.ops->send(ours->call);
}

static void received(void *user, TransportReceived what, const TransportMessage *messages)
{
    Ours *ours = user;

    if (what == TRANSPORT_MESSAGE) {
        atomic_fetch_add(&tiny.received, 1);
        ours->received = messages;
        send_back(ours);
        return;
    }
    atomic_fetch_add(what == TRANSPORT_END ? &tiny.ended : &tiny.broken, 1);
    tiny.ops->finish(ours->call, &ok);
}

static void sent(void *user, bool is_sent)
{
    Ours *ours = user;

    if (!is_sent) {
        atomic_fetch_add(&tiny.unsent, 1);
        answer(ours->call, (Bytes){ (const uint8_t *)"more", 4 }); /* in vain, and no harm */
    } else if (ours->left > 0) {
        send_number(ours);
    } else if (ours->received) {
        send_back(ours);
    } else if (ours->receives) {
        tiny.ops->receive(ours->call);
    } else {
        tiny.ops->finish(ours->call, &ok);
    }
}

static void cancelled(void *user)
{
    atomic_store(&((Ours *)user)->is_answered, true);
    atomic_fetch_add(&tiny.cancelled, 1);
}

static void closed(void *user, bool is_cancelled)
{
    (void)is_cancelled;
    free(user);
    atomic_fetch_add(&tiny.closed, 1);
}

TransportOptions tiny_options(void)
{
    return (TransportOptions){
        .address = "127.0.0.1",
        .limits = { .max_message_bytes = 100000,
            .max_metadata_bytes = 16384,
            .max_calls = 100,
            .max_queue = 100,
            .max_streams = 100,
            .workers = 1,
            .pollers = 2,
            .idle_ms = 60000,
            .max_age_ms = 60000,
            .max_age_grace_ms = 1000,
            .keepalive_ms = 60000,
            .min_ping_interval_ms = 10000,
            .default_deadline_ms = 10000,
            .max_connections = 1000,
            .max_connections_per_address = 1000,
            .max_address_bytes = 64 * 1024 * 1024,
            .max_resets = 1000,
            .max_control_frames = 1000,
            .max_pending_bytes = 1000000,
            .max_held_bytes = 1000000,
            .handshake_ms = 10000,
            .body_ms = 60000,
            .stall_ms = 30000 },
        .methods = methods,
        .n_methods = COUNT(methods),
        .events = { &tiny, arrived, received, sent, cancelled, closed },
    };
}

void tiny_listen(const TransportOptions *options)
{
    const Error *error = tiny.ops->listen(tiny.arena, options, &tiny.transport);

    if (error) {
        printf("tiny server: %s: %s\n", error->reason, error->message);
        abort();
    }
    tiny.port = tiny.ops->port(tiny.transport);
}

void tiny_start(const TransportOps *ops)
{
    TransportOptions options = tiny_options();

    memset(&tiny, 0, sizeof(tiny));
    tiny.ops = ops;
    tiny.arena = arena_new();
    tiny_listen(&options);
}

TinySeen tiny_seen(void)
{
    TinySeen copy;

    pthread_mutex_lock(&seen_lock);
    copy = seen;
    pthread_mutex_unlock(&seen_lock);
    return copy;
}
