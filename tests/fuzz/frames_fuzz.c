/* Hostile bytes into a connection of the h2 engine: a loop that the fuzzer turns by hand, with one
 * end of a socket pair. The first byte says whether the preface is ours, whether a balancer's
 * header comes first, and how the rest is cut into pieces. Whatever comes: every call that arrived
 * is closed, and nothing is left of the connection. */
#include "shared/base/log.h"
#include "shared/rpc/transport_h2.h"
#include "tests/fuzz/fuzz.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { FLAG_PREFACE = 1, FLAG_PROXY = 2, PIECE_SHIFT = 2, MANY = 10, MAX_TURNS = 1000 };

typedef struct Ours {
    TransportCall *call;
    int left;                         /* to send */
    const TransportMessage *received; /* not sent back yet */
    bool receives;
} Ours;

static const TransportMethod methods[] = {
    { "/t.S/Echo", false, "echo" }, /* answers at once */
    { "/t.S/Hold", false, "hold" }, /* answers when it is cancelled */
    { "/t.S/Each", true, "each" },  /* sends back what it receives */
    { "/t.S/Many", false, "many" }, /* sends some messages */
};

static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0";
static const RpcStatus ok = { .message = "" };
static const RpcStatus refused = { ERROR_ABORTED, "no \n%", { (const uint8_t *)"\1\2", 2 } };

static H2Transport *transport;
static long n_open;

static void answer(TransportCall *call, Bytes message)
{
    uint8_t *room = transport_h2.reserve(call, message.size, false);

    if (message.size)
        memcpy(room, message.data, message.size);
}

static void send_back(Ours *ours)
{
    answer(ours->call, ours->received->bytes);
    ours->received = ours->received->next;
    transport_h2.send(ours->call);
}

static void read_all(TransportCall *call)
{
    TransportPair pair;
    size_t sum = 0;

    for (size_t i = 0; transport_h2.metadata(call, i, &pair); i++) {
        for (size_t k = 0; k < pair.key.size; k++)
            sum += pair.key.data[k];
        for (size_t k = 0; k < pair.value.size; k++)
            sum += pair.value.data[k];
    }
    must(sum != 1);
    must(transport_h2.peer(call, NULL).address != NULL);
}

static void send_one(Ours *ours)
{
    ours->left--;
    answer(ours->call, (Bytes){ (const uint8_t *)"message", 7 });
    transport_h2.send(ours->call);
}

static void arrived(void *context, TransportCall *call, const TransportArrival *arrival)
{
    const char *what = arrival->method ? arrival->method->user : "";
    Ours *ours = calloc(1, sizeof(*ours));

    must(context == NULL && ours);
    n_open++;
    ours->call = call;
    call->user = ours;
    read_all(call);
    if (text_equal(what, "echo")) {
        answer(call, arrival->message ? arrival->message->bytes : (Bytes){ 0 });
        transport_h2.finish(call, &ok);
    } else if (text_equal(what, "hold")) {
        transport_h2.watch(call);
    } else if (text_equal(what, "each")) {
        ours->receives = true;
        transport_h2.watch(call);
        transport_h2.receive(call);
    } else if (text_equal(what, "many")) {
        ours->left = MANY;
        transport_h2.watch(call);
        send_one(ours);
    } else {
        transport_h2.finish(call, &refused);
    }
}

static void received(void *user, TransportReceived what, const TransportMessage *messages)
{
    Ours *ours = user;

    if (what == TRANSPORT_MESSAGE) {
        ours->received = messages;
        send_back(ours);
    } else {
        transport_h2.finish(ours->call, what == TRANSPORT_END ? &ok : &refused);
    }
}

static void sent(void *user, bool is_sent)
{
    Ours *ours = user;

    if (!is_sent)
        transport_h2.finish(ours->call, &refused);
    else if (ours->left > 0)
        send_one(ours);
    else if (ours->received)
        send_back(ours);
    else if (ours->receives)
        transport_h2.receive(ours->call);
    else
        transport_h2.finish(ours->call, &ok);
}

static void cancelled(void *user)
{
    Ours *ours = user;

    if (!ours->receives && ours->left == 0 &&
        text_equal(((H2Call *)ours->call)->method->user, "hold"))
        transport_h2.finish(ours->call, &refused);
}

static void closed(void *user, bool is_cancelled)
{
    (void)is_cancelled;
    n_open--;
    free(user);
}

static void start(void)
{
    TransportOptions options = {
        .limits = { .max_message_bytes = 4096,
            .max_metadata_bytes = 1024,
            .max_streams = 20,
            .pollers = 1,
            .idle_ms = 60000,
            .max_age_ms = 60000,
            .max_age_grace_ms = 1000,
            .keepalive_ms = 60000,
            .max_connections = 10,
            .max_connections_per_address = 10,
            .max_address_bytes = 65536,
            .max_resets = 10,
            .max_control_frames = 50,
            .max_pending_bytes = 16384,
            .max_held_bytes = 8192,
            .handshake_ms = 10000,
            .body_ms = 60000,
            .stall_ms = 30000 },
        .methods = methods,
        .n_methods = COUNT(methods),
        .events = { NULL, arrived, received, sent, cancelled, closed },
    };

    log_setup("fuzz", LOG_OFF);
    transport = h2_transport_new(&options);
    h2_loop_enter(&transport->loops[0]);
}

static void turn(int peer)
{
    uint8_t bytes[4096];

    event_base_loop(transport->loops[0].base, EVLOOP_NONBLOCK);
    while (recv(peer, bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
        continue;
}

static void say(int peer, const uint8_t *data, size_t size, size_t piece)
{
    for (size_t at = 0; at < size; at += piece) {
        size_t n = size - at < piece ? size - at : piece;

        if (send(peer, data + at, n, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
            return;
        turn(peer);
    }
}

static int open_connection(uint8_t flags)
{
    const struct sockaddr_in address = { .sin_family = AF_INET };
    H2Loop *loop = &transport->loops[0];
    struct sockaddr_storage name = { 0 };
    H2Connection *connection;
    int ends[2];

    must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) == 0);
    connection = h2_connection_new(transport, ends[0]);
    connection->loop = loop;
    memcpy(&name, &address, sizeof(address));
    must(h2_connection_name(transport, connection, &name));
    connection->wants_proxy = (flags & FLAG_PROXY) != 0;
    atomic_fetch_add(&transport->connections, 1);
    h2_loop_hand(loop, connection);
    h2_loop_settle(loop);
    return ends[1];
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    H2Loop *loop;
    size_t piece;
    int peer;

    if (!transport)
        start();
    if (size == 0)
        return 0;
    loop = &transport->loops[0];
    piece = (size_t)1 << (data[0] >> PIECE_SHIFT) % 16;
    peer = open_connection(data[0]);
    if (data[0] & FLAG_PREFACE && !(data[0] & FLAG_PROXY))
        say(peer, (const uint8_t *)preface, sizeof(preface) - 1, sizeof(preface));
    say(peer, data + 1, size - 1, size < piece * 64 ? piece : size / 64 + 1);
    close(peer);
    for (int i = 0; i < MAX_TURNS && (loop->connections || n_open); i++)
        event_base_loop(loop->base, EVLOOP_NONBLOCK);
    must(!loop->connections && n_open == 0);
    must(atomic_load(&transport->connections) == 0 && atomic_load(&loop->calls) == 0);
    must(atomic_load(&transport->held_bytes) + loop->unreported == 0);
    return 0;
}
