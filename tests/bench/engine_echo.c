/* An engine of the run time and nothing else: every call of its one method is answered with its
 * own message. engine_echo core|h2; says on its first line where it listens, ends at SIGTERM. */
#include "shared/base/clock.h"
#include "shared/rpc/transport.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

enum { GRACE_MS = 1000 };

static const TransportOps *ops;

static void arrived(void *context, TransportCall *call, const TransportArrival *arrival)
{
    const RpcStatus status = { .code = arrival->method ? 0 : ERROR_UNIMPLEMENTED, .message = "" };

    (void)context;
    if (arrival->message)
        memcpy(ops->reserve(call, arrival->message->bytes.size, false),
            arrival->message->bytes.data, arrival->message->bytes.size);
    ops->finish(call, &status);
}

static void closed(void *user, bool is_cancelled)
{
    (void)user, (void)is_cancelled;
}

int main(int argc, char **argv)
{
    static const TransportMethod method = { .path = "/bench.Bare/Echo" };
    const TransportOptions options = {
        .address = "127.0.0.1",
        .methods = &method,
        .n_methods = 1,
        .limits = rpc_limits(&(RpcLimits){ .pollers = 1 }),
        .events = { .arrived = arrived, .closed = closed },
    };
    Arena *arena = arena_new();
    Transport *transport;
    sigset_t signals;
    int caught;

    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    if (transport_find(arena, argc > 1 ? argv[1] : "", &ops) ||
        ops->listen(arena, &options, &transport))
        return 1;
    printf("{\"port\":%d}\n", ops->port(transport));
    fflush(stdout);
    sigwait(&signals, &caught);
    ops->drain(transport, GRACE_MS);
    ops->destroy(transport);
    arena_free(arena);
    return 0;
}
