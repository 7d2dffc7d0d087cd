/* The consumer of another service's log. One thread takes events from the stream and applies
 * them in order, those of a message together where the effect can do that; another, the keeper,
 * holds the lease and stores positions. Positions are stored behind the effects: what comes twice
 * after a crash is passed over by the marks, or makes no difference. */
#include "shared/event/consumer.h"

#include "shared/base/clock.h"
#include "shared/base/condition.h"
#include "shared/base/log.h"
#include "shared/codec/message.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef Throughline__Event__V1__Position Position;
typedef Throughline__Event__V1__SubscribeRequest SubscribeRequest;

static const Error gap = { ERROR_DATA_LOSS, "EVENT_GAP",
    "The source's log has left out an event; nothing behind it is taken." };

void consumer_wait(EventConsumer *consumer, int64_t until)
{
    condition_wait_until(&consumer->changed, &consumer->lock, until);
}

static void pause_for(EventConsumer *consumer, int milliseconds)
{
    int64_t until = clock_monotonic() + milliseconds * INT64_C(1000);

    pthread_mutex_lock(&consumer->lock);
    while (!consumer->is_stopping && clock_monotonic() < until)
        consumer_wait(consumer, until);
    pthread_mutex_unlock(&consumer->lock);
}

static int next_pause(int milliseconds)
{
    int next = milliseconds ? milliseconds * 2 : CONSUMER_MIN_PAUSE_MS;

    return next > CONSUMER_MAX_PAUSE_MS ? CONSUMER_MAX_PAUSE_MS : next;
}

static void log_failure(const EventConsumer *consumer, const char *what, const Error *error)
{
    log_write(LOG_WARN, what,
        (const LogField[]){ { "source", .text = consumer->source },
            { "reason", .text = error->reason }, { "message", .text = error->message }, { 0 } });
}

/* In the name of the source where the events are several. */
static RpcContext context_of(
    const EventConsumer *consumer, Arena *arena, const Event *const *events, size_t n_events)
{
    RpcContext context = { "", "", "", "", "", "" };

    if (n_events == 1) {
        context.channel = events[0]->channel;
        context.actor = events[0]->actor;
        context.on_behalf_of = events[0]->on_behalf_of;
        context.journey = events[0]->journey;
    }
    if (text_is_empty(context.actor))
        context.actor = arena_printf(arena, "services/%s", consumer->source);
    return context;
}

static const Error *apply_marked(
    const EventEffect *effect, RpcCall *call, const char *source, const Event *event)
{
    StoreView *view = call->store;
    const Error *error;

    view->mark_source = arena_printf(call->arena, "%s/%d", source, event->partition);
    view->mark_position = event->sequence;
    error = effect->apply(call, event);
    return error == &store_applied ? NULL : error;
}

/* One event, or several if the effect takes them. */
static const Error *apply_once(
    EventConsumer *consumer, Arena *arena, const Event *const *events, size_t n_events)
{
    const EventEffect *effect = &consumer->effect;
    RpcContext context = context_of(consumer, arena, events, n_events);
    RpcCall *call = rpc_internal_call(arena, consumer->method, &context, consumer->service_context);
    StoreView view = { .store = consumer->store,
        .arena = arena,
        .is_relaxed = effect->is_relaxed,
        .seal = event_seal,
        .seal_context = call };

    call->deadline = clock_monotonic() + CONSUMER_APPLY_MS * INT64_C(1000);
    if (n_events == 1 && *events[0]->traceparent)
        call->traceparent = events[0]->traceparent;
    view.deadline = call->deadline;
    call->store = &view;
    return effect->apply_all ? effect->apply_all(call, events, n_events)
                             : apply_marked(effect, call, consumer->source, events[0]);
}

/* Under the lock: whether the lease is still ours, without a break. */
static bool goes_on(const ConsumerSession *session)
{
    return !session->consumer->is_stopping && session->consumer->generation == session->generation;
}

static bool is_over(const ConsumerSession *session)
{
    bool is_ours;

    pthread_mutex_lock(&session->consumer->lock);
    is_ours = goes_on(session);
    pthread_mutex_unlock(&session->consumer->lock);
    return !is_ours;
}

/* Until it has its effect; false when the session is over first. */
static bool apply(ConsumerSession *session, Arena *arena, const Event *event)
{
    EventConsumer *consumer = session->consumer;
    const Error *error;
    int pause = 0;

    for (;;) {
        if (is_over(session))
            return false;
        arena_reset(arena);
        if (!(error = apply_once(consumer, arena, &event, 1)))
            return true;
        if (pause == 0)
            log_failure(consumer, "event_not_applied", error);
        counter_add(consumer->retries, 1);
        pause = next_pause(pause);
        pause_for(consumer, pause);
    }
}

/* Moves the session on by one event. */
static const Error *step(ConsumerSession *session, const Event *event)
{
    if (event->partition < 0 || event->partition >= STORE_PARTITIONS ||
        event->sequence != session->positions[event->partition] + 1)
        return &gap;
    session->positions[event->partition] = event->sequence;
    return NULL;
}

/* Moves the session on by what the response brings. */
static const Error *check_places(ConsumerSession *session, const SubscribeResponse *response)
{
    const Position *position = response->position;
    const Event *event = response->event;
    int64_t skipped = event || response->skipped ? response->skipped : 1;
    const Error *error = NULL;

    if (!position || position->partition < 0 || position->partition >= STORE_PARTITIONS ||
        skipped < 0 || skipped > position->sequence - session->positions[position->partition])
        return &gap;
    session->positions[position->partition] += skipped;
    if (event && ((error = step(session, event)) || event->partition != position->partition))
        return &gap;
    if (session->positions[position->partition] != position->sequence)
        return &gap;
    for (size_t i = 0; i < response->n_more && !error; i++)
        error = step(session, response->more[i]);
    return error;
}

/* So many events, up to these positions, have had their effect; 0: others were left out. */
static void move_on(
    ConsumerSession *session, const int64_t positions[STORE_PARTITIONS], size_t n_events)
{
    EventConsumer *consumer = session->consumer;
    int n_before, n_steps = n_events ? (int)n_events : 1;

    pthread_mutex_lock(&consumer->lock);
    session->has_taken = true;
    if (goes_on(session)) {
        memcpy(consumer->positions, positions, sizeof(consumer->positions));
        n_before = consumer->n_unsaved;
        consumer->n_unsaved += n_steps;
        if (n_before == 0)
            consumer->unsaved_at = clock_monotonic();
        if (n_before == 0 ||
            n_before / CONSUMER_SAVE_EVENTS < consumer->n_unsaved / CONSUMER_SAVE_EVENTS)
            pthread_cond_broadcast(&consumer->changed);
    }
    pthread_mutex_unlock(&consumer->lock);
    counter_add(consumer->applied, n_events);
}

/* One after the other: what has had its effect counts, whatever becomes of the rest. */
static bool apply_each(ConsumerSession *session, Arena *arena, const Event *const *events,
    size_t n_events, int64_t positions[STORE_PARTITIONS])
{
    for (size_t i = 0; i < n_events; i++) {
        if (!apply(session, arena, events[i]))
            return false;
        positions[events[i]->partition] = events[i]->sequence;
        move_on(session, positions, 1);
    }
    return true;
}

/* `positions` are those before the response; false when the session is over first. */
static bool take(ConsumerSession *session, Arena *arena, const SubscribeResponse *response,
    int64_t positions[STORE_PARTITIONS])
{
    const Event **events = arena_array(session->message, response->n_more + 1, sizeof(*events));
    bool is_together = response->n_more > 0 && session->consumer->effect.apply_all;
    size_t n_events = 0;

    if (response->event)
        events[n_events++] = response->event;
    for (size_t i = 0; i < response->n_more; i++)
        events[n_events++] = response->more[i];
    arena_reset(arena);
    if (is_together && (is_over(session) || apply_once(session->consumer, arena, events, n_events)))
        is_together = false;
    if (!is_together && !apply_each(session, arena, events, n_events, positions))
        return false;
    if (is_together || !n_events)
        move_on(session, session->positions, n_events);
    return true;
}

static const Error *take_all(ConsumerSession *session)
{
    Arena *effect = arena_new();
    int64_t positions[STORE_PARTITIONS];
    const Error *error;
    void *response;

    do {
        arena_reset(session->message);
        memcpy(positions, session->positions, sizeof(positions));
        error = rpc_client_receive(session->stream, session->message, &response);
        if (!error && response)
            error = check_places(session, response);
    } while (!error && response && take(session, effect, response, positions));
    arena_free(effect);
    return error;
}

static SubscribeRequest *request_of(const ConsumerSession *session, Arena *arena)
{
    SubscribeRequest *request =
        message_new(arena, &throughline__event__v1__subscribe_request__descriptor);
    const ProtobufCMessageDescriptor *const *types = session->consumer->effect.types;

    request->positions = arena_array(arena, STORE_PARTITIONS, sizeof(*request->positions));
    request->n_positions = STORE_PARTITIONS;
    request->max_events = EVENT_MAX_IN_MESSAGE;
    for (int i = 0; i < STORE_PARTITIONS; i++) {
        request->positions[i] = message_new(arena, &throughline__event__v1__position__descriptor);
        request->positions[i]->partition = i;
        request->positions[i]->sequence = session->positions[i];
    }
    for (size_t i = 0; types && types[i]; i++) {
        request->types = arena_grow(
            arena, request->types, request->n_types, request->n_types + 1, sizeof(char *));
        request->types[request->n_types++] = (char *)types[i]->name;
    }
    return request;
}

/* From now on the keeper and event_consumer_stop can cancel the stream; false: it comes too
 * late. */
static bool show_stream(ConsumerSession *session)
{
    bool is_good;

    pthread_mutex_lock(&session->consumer->lock);
    is_good = goes_on(session);
    session->consumer->stream = is_good ? session->stream : NULL;
    pthread_mutex_unlock(&session->consumer->lock);
    return is_good;
}

static void close_stream(ConsumerSession *session)
{
    pthread_mutex_lock(&session->consumer->lock);
    session->consumer->stream = NULL;
    pthread_mutex_unlock(&session->consumer->lock);
    rpc_client_close_stream(session->stream);
}

static void follow(ConsumerSession *session)
{
    Arena *arena = arena_new();
    RpcOutgoing outgoing = { .arena = arena, .deadline = INT64_MAX };
    const Error *error;

    session->message = arena_new();
    error = rpc_client_open_stream(session->consumer->client, &outgoing,
        &throughline__event__v1__event_service__descriptor, "Subscribe", &session->stream);

    if (!error && show_stream(session) &&
        !(error = rpc_client_send(session->stream, request_of(session, arena))) &&
        !(error = rpc_client_finish_sending(session->stream)))
        error = take_all(session);
    close_stream(session);
    if (session->has_taken)
        session->consumer->is_troubled = false;
    if (error && error->code != ERROR_CANCELLED && !text_equal(error->reason, "STREAM_DRAINED")) {
        if (!session->consumer->is_troubled)
            log_failure(session->consumer, "subscription_ended", error);
        session->consumer->is_troubled = true;
    }
    arena_free(session->message);
    arena_free(arena);
}

/* False when the consumer stops. */
static bool begin_session(EventConsumer *consumer, ConsumerSession *session)
{
    bool goes;

    pthread_mutex_lock(&consumer->lock);
    while (!consumer->is_stopping && !consumer->lease.is_held)
        pthread_cond_wait(&consumer->changed, &consumer->lock);
    goes = !consumer->is_stopping;
    *session = (ConsumerSession){ .consumer = consumer, .generation = consumer->generation };
    memcpy(session->positions, consumer->positions, sizeof(session->positions));
    pthread_mutex_unlock(&consumer->lock);
    return goes;
}

static void *consume(void *context)
{
    EventConsumer *consumer = context;
    ConsumerSession session;
    int pause = 0;

    while (begin_session(consumer, &session)) {
        follow(&session);
        pause = session.has_taken ? CONSUMER_MIN_PAUSE_MS : next_pause(pause);
        pause_for(consumer, pause);
    }
    return NULL;
}

EventConsumer *event_consumer_start(Store *store, const char *source, RpcClient *client,
    const EventEffect *effect, void *service_context, Metrics *metrics)
{
    EventConsumer *consumer = calloc(1, sizeof(*consumer));
    char labels[CONSUMER_TEXT_SIZE];

    if (!consumer)
        abort();
    consumer->store = store;
    consumer->client = client;
    consumer->effect = *effect;
    consumer->service_context = service_context;
    snprintf(consumer->source, sizeof(consumer->source), "%s", source);
    snprintf(consumer->method, sizeof(consumer->method), "events/%s", source);
    snprintf(consumer->lease.name, sizeof(consumer->lease.name), "leases/consumer-%s", source);
    event_lease_holder(consumer->lease.holder);
    snprintf(labels, sizeof(labels), "source=\"%s\"", source);
    consumer->applied = metrics_counter(
        metrics, "event_consumer_applied_total", labels, "Events that have had their effect.");
    consumer->retries = metrics_counter(metrics, "event_consumer_retries_total", labels,
        "Events that were tried again because they could not have their effect.");
    consumer->lag = metrics_gauge(metrics, "event_consumer_lag_events", labels,
        "Events of the source's log that wait to be applied; -1 when it cannot be asked.");
    pthread_mutex_init(&consumer->lock, NULL);
    condition_init(&consumer->changed);
    if (pthread_create(&consumer->keeper, NULL, consumer_keep, consumer) ||
        pthread_create(&consumer->reader, NULL, consume, consumer))
        abort();
    return consumer;
}

void event_consumer_stop(EventConsumer *consumer)
{
    if (!consumer)
        return;
    pthread_mutex_lock(&consumer->lock);
    consumer->is_stopping = true;
    if (consumer->stream)
        rpc_client_cancel(consumer->stream);
    pthread_cond_broadcast(&consumer->changed);
    pthread_mutex_unlock(&consumer->lock);
    pthread_join(consumer->reader, NULL);
    pthread_join(consumer->keeper, NULL);
    consumer_release(consumer);
    pthread_cond_destroy(&consumer->changed);
    pthread_mutex_destroy(&consumer->lock);
    free(consumer);
}
