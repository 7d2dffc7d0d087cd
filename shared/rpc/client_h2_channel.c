/* A channel: its thread, what is posted to it, which connection a call gets, and where the connections go. */
#include "shared/rpc/client_h2.h"

#include "shared/base/clock.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* A question for addresses, which may outlive the channel that asked. */
struct Resolution {
    pthread_mutex_t lock;
    ClientChannel *channel; /* NULL: it does not wait any more */
    char *target;
    atomic_int users; /* the channel and the thread */
};

static void resolution_drop(Resolution *resolution)
{
    if (atomic_fetch_sub(&resolution->users, 1) > 1)
        return;
    pthread_mutex_destroy(&resolution->lock);
    free(resolution->target);
    free(resolution);
}

void channel_wake(ClientChannel *channel)
{
    uint64_t one = 1;

    if (channel->is_woken)
        return;
    channel->is_woken = true;
    if (write(channel->wake, &one, sizeof(one)) != sizeof(one))
        abort();
}

void channel_post(Onward *call, OnwardAsk what)
{
    ClientChannel *channel = call->channel;

    pthread_mutex_lock(&channel->lock);
    if (!call->asked) {
        call->next_posted = NULL;
        *channel->last_posted = call;
        channel->last_posted = &call->next_posted;
    }
    call->asked |= what;
    channel_wake(channel);
    pthread_mutex_unlock(&channel->lock);
}

/* What the call wants, once: nothing of it is posted any more then. */
static Onward *take_posted(ClientChannel *channel, unsigned *asked)
{
    Onward *call;

    pthread_mutex_lock(&channel->lock);
    call = channel->posted;
    if (call) {
        channel->posted = call->next_posted;
        if (!channel->posted)
            channel->last_posted = &channel->posted;
        *asked = call->asked;
        call->asked = 0;
    }
    pthread_mutex_unlock(&channel->lock);
    return call;
}

/* The next backend in turn that takes calls. */
static Link *pick(ClientChannel *channel)
{
    Backend *one = channel->turn ? channel->turn : channel->backends;
    const Backend *first = one;

    if (!one)
        return NULL;
    do {
        Backend *next = one->next ? one->next : channel->backends;

        if (one->state == BACKEND_READY) {
            channel->turn = next;
            return one->link;
        }
        one = next;
    } while (one != first);
    return NULL;
}

/* Whether a backend may be ready soon; those that rest begin now. */
static bool is_worth_waiting(ClientChannel *channel)
{
    bool is_worth = !channel->is_resolved;

    for (Backend *one = channel->backends; one; one = one->next) {
        if (one->state == BACKEND_RESTING)
            backend_connect(one);
        is_worth |= one->state == BACKEND_CONNECTING && !one->has_failed;
    }
    return is_worth;
}

void channel_place(ClientChannel *channel, Onward *call)
{
    Link *link;

    if (!channel->backends)
        channel_resolve(channel);
    link = pick(channel);
    if (link) {
        onward_begin(call, link);
    } else if (is_worth_waiting(channel)) {
        call->is_waiting = true;
        call->next = NULL;
        *channel->last_waiting = call;
        channel->last_waiting = &call->next;
    } else {
        onward_forsaken(
            call, channel->backends ? "no address of it takes calls" : "its name has no address");
    }
}

void channel_look(ClientChannel *channel)
{
    Onward *call = channel->waiting;

    channel->waiting = NULL;
    channel->last_waiting = &channel->waiting;
    while (call) {
        Onward *next = call->next;

        call->is_waiting = false;
        channel_place(channel, call);
        call = next;
    }
}

static Backend *find_backend(ClientChannel *channel, const Addresses *found, size_t i)
{
    for (Backend *one = channel->backends; one; one = one->next)
        if (one->address_size == found->sizes[i] &&
            !memcmp(&one->address, &found->items[i], found->sizes[i]))
            return one;
    return NULL;
}

static void drop_unlisted(ClientChannel *channel)
{
    for (Backend **at = &channel->backends; *at;) {
        Backend *one = *at;

        if (one->is_listed) {
            at = &one->next;
            continue;
        }
        *at = one->next;
        if (channel->turn == one)
            channel->turn = NULL;
        backend_free(one);
    }
}

/* An empty answer leaves things as they are: names fail when their servers do. */
static void take_addresses(ClientChannel *channel, const Addresses *found)
{
    Backend **last = &channel->backends;

    channel->is_resolved = true;
    channel->resolved_at = clock_monotonic();
    if (found->count > 0) {
        for (Backend *one = channel->backends; one; one = one->next)
            one->is_listed = false;
        for (size_t i = 0; i < found->count; i++) {
            Backend *backend = find_backend(channel, found, i);

            while (*last)
                last = &(*last)->next;
            if (!backend)
                backend = *last = backend_new(channel, &found->items[i], found->sizes[i]);
            backend->is_listed = true;
        }
        drop_unlisted(channel);
    }
    for (Backend *one = channel->backends; one; one = one->next)
        if (one->state == BACKEND_RESTING)
            backend_connect(one);
    channel_look(channel);
}

/* Asking for a name can take many seconds, which nobody waits for who closes the client. */
static void *run_resolver(void *context)
{
    Resolution *resolution = context;
    Addresses *found = calloc(1, sizeof(*found));
    ClientChannel *channel;

    if (!found)
        abort();
    target_resolve(resolution->target, found);
    pthread_mutex_lock(&resolution->lock);
    channel = resolution->channel;
    if (channel) {
        pthread_mutex_lock(&channel->lock);
        channel->found = found;
        channel_wake(channel);
        pthread_mutex_unlock(&channel->lock);
    } else {
        free(found);
    }
    pthread_mutex_unlock(&resolution->lock);
    resolution_drop(resolution);
    return NULL;
}

static void start_resolver(ClientChannel *channel)
{
    Resolution *resolution = calloc(1, sizeof(*resolution));
    pthread_t thread;

    if (!resolution || !(resolution->target = strdup(channel->options->target)))
        abort();
    pthread_mutex_init(&resolution->lock, NULL);
    resolution->channel = channel;
    atomic_init(&resolution->users, 2);
    channel->resolution = resolution;
    if (pthread_create(&thread, NULL, run_resolver, resolution))
        abort();
    pthread_detach(thread);
}

/* Nobody waits for the answer any more, or it is there. */
static void end_resolution(ClientChannel *channel)
{
    Resolution *resolution = channel->resolution;

    if (!resolution)
        return;
    pthread_mutex_lock(&resolution->lock);
    resolution->channel = NULL;
    pthread_mutex_unlock(&resolution->lock);
    resolution_drop(resolution);
    channel->resolution = NULL;
}

static void take_found(ClientChannel *channel)
{
    Addresses *found;

    pthread_mutex_lock(&channel->lock);
    found = channel->found;
    channel->found = NULL;
    pthread_mutex_unlock(&channel->lock);
    if (!found)
        return;
    end_resolution(channel);
    take_addresses(channel, found);
    free(found);
}

static void resolve_now(ClientChannel *channel)
{
    Addresses found;

    if (channel->resolution)
        return;
    if (target_numeric(channel->options->target, &found))
        take_addresses(channel, &found);
    else
        start_resolver(channel);
}

static void on_resolve_again(evutil_socket_t none, short what, void *context)
{
    ClientChannel *channel = context;

    (void)none, (void)what;
    resolve_now(channel);
    channel_settle(channel);
}

/* Not more often than the limit says. */
void channel_resolve(ClientChannel *channel)
{
    int64_t left =
        channel->resolved_at + CLIENT_MIN_RESOLUTION_MS * INT64_C(1000) - clock_monotonic();

    if (!channel->is_resolved) {
        resolve_now(channel);
    } else if (!event_pending(channel->resolve_again, EV_TIMEOUT, NULL)) {
        left = left > 0 ? left : 0;
        event_add(channel->resolve_again, &(struct timeval){ left / 1000000, left % 1000000 });
    }
}

void channel_settle(ClientChannel *channel)
{
    do {
        channel->is_dirty = false;
        for (Link *link = channel->links; link; link = link->next)
            if (!link->is_lost)
                link_flush(link);
    } while (channel->is_dirty);
    for (Link **at = &channel->links; *at;) {
        Link *link = *at;

        if (!link->is_lost) {
            at = &link->next;
            continue;
        }
        *at = link->next;
        link_free(link);
    }
}

static void on_woken(evutil_socket_t fd, short what, void *context)
{
    ClientChannel *channel = context;
    bool is_stopping;
    unsigned asked;
    uint64_t count;
    Onward *call;

    (void)what;
    if (read(fd, &count, sizeof(count)) != sizeof(count))
        return;
    pthread_mutex_lock(&channel->lock);
    channel->is_woken = false;
    is_stopping = channel->is_stopping;
    pthread_mutex_unlock(&channel->lock);
    take_found(channel);
    while ((call = take_posted(channel, &asked)))
        onward_asked(call, asked);
    channel_settle(channel);
    if (is_stopping)
        event_base_loopbreak(channel->base);
}

static void *run(void *context)
{
    ClientChannel *channel = context;
    sigset_t signals;

    sigemptyset(&signals);
    sigaddset(&signals, SIGPIPE); /* OpenSSL writes to sockets that the peer has closed */
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    event_base_loop(channel->base, EVLOOP_NO_EXIT_ON_EMPTY);
    return NULL;
}

static void make_base(ClientChannel *channel)
{
    struct event_config *config = event_config_new();

    if (!config)
        abort();
    event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK); /* nobody but its thread touches it */
    channel->base = event_base_new_with_config(config);
    event_config_free(config);
    channel->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    channel->room = malloc(ONWARD_IO_BYTES + ONWARD_FRAME_BYTES);
    if (!channel->base || channel->wake < 0 || !channel->room)
        abort();
    channel->woken =
        event_new(channel->base, channel->wake, EV_READ | EV_PERSIST, on_woken, channel);
    channel->resolve_again = event_new(channel->base, -1, 0, on_resolve_again, channel);
    if (!channel->woken || !channel->resolve_again || event_add(channel->woken, NULL))
        abort();
}

ClientChannel *channel_open(const RpcClientOptions *options)
{
    ClientChannel *channel = calloc(1, sizeof(*channel));

    if (!channel)
        abort();
    channel->options = options;
    channel->keepalive_ms = options->keepalive_ms ? options->keepalive_ms : CLIENT_KEEPALIVE_MS;
    channel->last_posted = &channel->posted;
    channel->last_waiting = &channel->waiting;
    client_token_open(&channel->token, options);
    pthread_mutex_init(&channel->lock, NULL);
    target_names(options->target, &channel->host, &channel->authority);
    channel->error = client_tls_open(options, &channel->tls);
    link_setup(channel);
    make_base(channel);
    if (pthread_create(&channel->thread, NULL, run, channel))
        abort();
    return channel;
}

static void free_connections(ClientChannel *channel)
{
    while (channel->backends) {
        Backend *one = channel->backends;

        channel->backends = one->next;
        backend_free(one);
    }
    for (Link *link = channel->links; link; link = link->next)
        if (!link->is_lost)
            link_lost(link, "the client was closed");
    channel_settle(channel);
}

void channel_close(ClientChannel *channel)
{
    pthread_mutex_lock(&channel->lock);
    channel->is_stopping = true;
    channel_wake(channel);
    pthread_mutex_unlock(&channel->lock);
    pthread_join(channel->thread, NULL);
    end_resolution(channel);
    free(channel->found);
    free_connections(channel);
    event_free(channel->woken);
    event_free(channel->resolve_again);
    event_base_free(channel->base);
    close(channel->wake);
    nghttp2_session_callbacks_del(channel->callbacks);
    nghttp2_option_del(channel->nghttp2_options);
    SSL_CTX_free(channel->tls);
    client_token_close(&channel->token);
    pthread_mutex_destroy(&channel->lock);
    free(channel->room);
    free(channel->host);
    free(channel->authority);
    free(channel);
}
