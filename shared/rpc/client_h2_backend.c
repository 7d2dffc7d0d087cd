/* An address of the peer: connects, and after failures connects again, each time a little later. */
#include "shared/rpc/client_h2.h"

#include "shared/base/id.h"

#include <stdlib.h>
#include <string.h>

static void on_again(evutil_socket_t none, short what, void *context)
{
    Backend *backend = context;

    (void)none, (void)what;
    backend_connect(backend);
    channel_settle(backend->channel);
}

Backend *backend_new(ClientChannel *channel, const struct sockaddr_storage *address, socklen_t size)
{
    Backend *backend = calloc(1, sizeof(*backend));

    if (!backend)
        abort();
    backend->channel = channel;
    memcpy(&backend->address, address, size);
    backend->address_size = size;
    backend->pause_ms = CLIENT_MIN_RECONNECT_MS;
    evtimer_assign(&backend->again, channel->base, on_again, backend);
    return backend;
}

void backend_connect(Backend *backend)
{
    event_del(&backend->again);
    backend->state = BACKEND_CONNECTING;
    if (!link_open(backend))
        backend_failed(backend);
}

/* Half as long again at most, so that many clients do not come back at once. */
static int64_t jittered(int64_t milliseconds)
{
    uint8_t random;

    id_random(&random, sizeof(random));
    return milliseconds + milliseconds * random / 512;
}

void backend_failed(Backend *backend)
{
    int64_t pause = jittered(backend->pause_ms);

    backend->link = NULL;
    backend->state = BACKEND_FAILED;
    backend->has_failed = true;
    backend->pause_ms *= 2;
    if (backend->pause_ms > CLIENT_MAX_RECONNECT_MS)
        backend->pause_ms = CLIENT_MAX_RECONNECT_MS;
    event_add(&backend->again, &(struct timeval){ pause / 1000, pause % 1000 * 1000 });
    channel_resolve(backend->channel);
    channel_look(backend->channel);
}

void backend_free(Backend *backend)
{
    event_del(&backend->again);
    if (backend->link)
        link_leave(backend->link);
    free(backend);
}
