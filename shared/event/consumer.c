/* The consumer of another service's log. One thread takes events from the stream and applies
 * them in order; another, the keeper, holds the lease and stores positions. Positions are stored
 * behind the effects: what comes twice after a crash is passed over by the marks. */
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

static const Error *apply_once(EventConsumer *consumer, Arena *arena, const Event *event)
{
    RpcContext context = {
        .channel = event->channel,
        .actor =
            *event->actor ? event->actor : arena_printf(arena, "services/%s", consumer->source),
        .on_behalf_of = event->on_behalf_of,
        .device = "",
        .journey = event->journey,
        .purpose = "",
    };
    RpcCall *call = rpc_internal_call(arena, consumer->method, &context, consumer->service_context);
    StoreView view = {
        .store = consumer->store, .arena = arena, .seal = event_seal, .seal_context = call
    };
    const Error *error;

    call->deadline = clock_monotonic() + CONSUMER_APPLY_MS * INT64_C(1000);
    if (*event->traceparent)
        call->traceparent = event->traceparent;
    view.deadline = call->deadline;
    view.mark_source = arena_printf(arena, "%s/%d", consumer->source, event->partition);
    view.mark_position = event->sequence;
    call->store = &view;
    error = consumer->effect.apply(call, event);
    return error == &store_applied ? NULL : error;
}

/* Under the lock: whether the lease is still ours, without a break. */
static bool goes_on(const ConsumerSession *session)
{
    return !session->consumer->is_stopping && session->consumer->generation == session->generation;
}

/* Until it has its effect; false when the session is over first. */
static bool apply(ConsumerSession *session, Arena *arena, const Event *event)
{
    EventConsumer *consumer = session->consumer;
    const Error *error;
    int pause = 0;
    bool is_ours = true;

    for (;;) {
        pthread_mutex_lock(&consumer->lock);
        is_ours = goes_on(session);
        pthread_mutex_unlock(&consumer->lock);
        arena_reset(arena);
        if (!is_ours || !(error = apply_once(consumer, arena, event)))
            return is_ours;
        if (pause == 0)
            log_failure(consumer, "event_not_applied", error);
        counter_add(consumer->retries, 1);
        pause = next_pause(pause);
        pause_for(consumer, pause);
    }
}

static const Error *check_place(const ConsumerSession *session, const SubscribeResponse *response)
{
    const Position *position = response->position;
    const Event *event = response->event;

    if (!position || position->partition < 0 || position->partition >= STORE_PARTITIONS ||
        response->skipped < 0 ||
        position->sequence - response->skipped - (event || !response->skipped ? 1 : 0) !=
            session->positions[position->partition])
        return &gap;
    if (event && (event->partition != position->partition || event->sequence != position->sequence))
        return &gap;
    return NULL;
}

/* The event has had its effect. */
static void move_on(ConsumerSession *session, const Position *position)
{
    EventConsumer *consumer = session->consumer;

    pthread_mutex_lock(&consumer->lock);
    session->has_taken = true;
    if (goes_on(session)) {
        consumer->positions[position->partition] = position->sequence;
        if (++consumer->n_unsaved == 1)
            consumer->unsaved_at = clock_monotonic();
        if (consumer->n_unsaved == 1 || consumer->n_unsaved == CONSUMER_SAVE_EVENTS)
            pthread_cond_broadcast(&consumer->changed);
    }
    pthread_mutex_unlock(&consumer->lock);
}

bool consumer_take(ConsumerSession *session, Arena *arena, const SubscribeResponse *response)
{
    if (response->event && !apply(session, arena, response->event))
        return false;
    move_on(session, response->position);
    counter_add(session->consumer->applied, response->event ? 1 : 0);
    return true;
}

static const Error *receive(ConsumerSession *session, const SubscribeResponse **response)
{
    void *message = NULL;
    const Error *error = rpc_client_receive(session->stream, session->message, &message);

    *response = message;
    if (!error && message && !(error = check_place(session, message)))
        session->positions[(*response)->position->partition] = (*response)->position->sequence;
    return error;
}

static const Error *take_in_turn(ConsumerSession *session)
{
    Arena *effect = arena_new();
    const SubscribeResponse *response;
    const Error *error;

    while (!(error = receive(session, &response)) && response &&
           consumer_take(session, effect, response))
        arena_reset(session->message);
    arena_free(effect);
    return error;
}

static const Error *take_in_lanes(ConsumerSession *session)
{
    const SubscribeResponse *response;
    const Error *error;

    while (!(error = receive(session, &response)) && response) {
        consumer_put(session, session->message, response);
        session->message = arena_new();
    }
    consumer_wait_for_lanes(session->consumer);
    return error;
}

static SubscribeRequest *request_of(const ConsumerSession *session, Arena *arena)
{
    SubscribeRequest *request =
        message_new(arena, &throughline__event__v1__subscribe_request__descriptor);
    const ProtobufCMessageDescriptor *const *types = session->consumer->effect.types;

    request->positions = arena_array(arena, STORE_PARTITIONS, sizeof(*request->positions));
    request->n_positions = STORE_PARTITIONS;
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
    bool is_parallel = session->consumer->effect.is_parallel;
    RpcOutgoing outgoing = { .arena = arena, .deadline = INT64_MAX };
    const Error *error;

    session->message = arena_new();
    error = rpc_client_open_stream(session->consumer->client, &outgoing,
        &throughline__event__v1__event_service__descriptor, "Subscribe", &session->stream);

    if (!error && show_stream(session) &&
        !(error = rpc_client_send(session->stream, request_of(session, arena))) &&
        !(error = rpc_client_finish_sending(session->stream)))
        error = is_parallel ? take_in_lanes(session) : take_in_turn(session);
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
    pthread_cond_init(&consumer->lane_filled, NULL);
    pthread_cond_init(&consumer->lane_emptied, NULL);
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
    consumer_end_lanes(consumer);
    pthread_join(consumer->keeper, NULL);
    consumer_release(consumer);
    pthread_cond_destroy(&consumer->changed);
    pthread_cond_destroy(&consumer->lane_filled);
    pthread_cond_destroy(&consumer->lane_emptied);
    pthread_mutex_destroy(&consumer->lock);
    free(consumer);
}
