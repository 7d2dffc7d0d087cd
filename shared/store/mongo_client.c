/* Connections to MongoDB. libmongoc waits for a server as long as the address says; a stream of our own around each connection
 * ends every wait at the deadline of the call. */
#include "shared/store/mongo.h"

#include "shared/base/clock.h"
#include "shared/base/condition.h"

#include <stdlib.h>
#include <string.h>

enum {
    MICROS_PER_MS = 1000,
    STREAM_TYPE = 100, /* none of libmongoc's */
    CONNECT_MS = 2000,
    SOCKET_MS = 30000,
    SELECT_MS = 100,    /* one look for a server; as long as there is time another follows */
    ALMOST_LATE_MS = 2, /* libmongoc counts in whole milliseconds */
    PAUSE_MS = 50,
    CODE_MAX_TIME = 50,
};

/* "Not primary", "shutting down", "connection lost": nothing was done, another server may do it. */
static const int32_t codes_of_failover[] = { 6, 7, 89, 91, 189, 9001, 10107, 11600, 11602, 13435,
    13436 };

/* Exported by libmongoc 1.x, declared in its private headers only. Where it is missing, waits end at socketTimeoutMS. */
extern mongoc_stream_t *mongoc_client_default_stream_initiator(const mongoc_uri_t *uri,
    const mongoc_host_list_t *host, void *client, bson_error_t *error) __attribute__((weak));

typedef struct DeadlineStream {
    mongoc_stream_t stream;
    mongoc_stream_t *base;
    const MongoSlot *slot;
} DeadlineStream;

static mongoc_stream_t *base_of(mongoc_stream_t *stream)
{
    return ((DeadlineStream *)stream)->base;
}

static int32_t bounded(mongoc_stream_t *stream, int32_t timeout_ms)
{
    int64_t deadline = ((DeadlineStream *)stream)->slot->deadline, left;

    if (!deadline)
        return timeout_ms;
    left = (deadline - clock_monotonic()) / MICROS_PER_MS;
    if (left < 1)
        left = 1;
    return timeout_ms >= 0 && timeout_ms < left ? timeout_ms
                                                : (int32_t)(left < INT32_MAX ? left : INT32_MAX);
}

static void stream_destroy(mongoc_stream_t *stream)
{
    mongoc_stream_destroy(base_of(stream));
    free(stream);
}

static void stream_failed(mongoc_stream_t *stream)
{
    mongoc_stream_failed(base_of(stream));
    free(stream);
}

static int stream_close(mongoc_stream_t *stream)
{
    return mongoc_stream_close(base_of(stream));
}

static int stream_flush(mongoc_stream_t *stream)
{
    return mongoc_stream_flush(base_of(stream));
}

static ssize_t stream_write(
    mongoc_stream_t *stream, mongoc_iovec_t *parts, size_t n_parts, int32_t timeout_ms)
{
    return mongoc_stream_writev(base_of(stream), parts, n_parts, bounded(stream, timeout_ms));
}

static ssize_t stream_read(mongoc_stream_t *stream, mongoc_iovec_t *parts, size_t n_parts,
    size_t least, int32_t timeout_ms)
{
    return mongoc_stream_readv(base_of(stream), parts, n_parts, least, bounded(stream, timeout_ms));
}

static int stream_set(
    mongoc_stream_t *stream, int level, int option, void *value, mongoc_socklen_t size)
{
    return mongoc_stream_setsockopt(base_of(stream), level, option, value, size);
}

static bool stream_is_closed(mongoc_stream_t *stream)
{
    return mongoc_stream_check_closed(base_of(stream));
}

static bool stream_timed_out(mongoc_stream_t *stream)
{
    return mongoc_stream_timed_out(base_of(stream));
}

static bool stream_should_retry(mongoc_stream_t *stream)
{
    return mongoc_stream_should_retry(base_of(stream));
}

static mongoc_stream_t *connect_stream(
    const mongoc_uri_t *uri, const mongoc_host_list_t *host, void *context, bson_error_t *error)
{
    MongoSlot *slot = context;
    mongoc_stream_t *base = mongoc_client_default_stream_initiator(uri, host, slot->client, error);
    DeadlineStream *stream;

    if (!base)
        return NULL;
    if (!(stream = calloc(1, sizeof(*stream))))
        abort();
    stream->stream = (mongoc_stream_t){ .type = STREAM_TYPE,
        .destroy = stream_destroy,
        .close = stream_close,
        .flush = stream_flush,
        .writev = stream_write,
        .readv = stream_read,
        .setsockopt = stream_set,
        .get_base_stream = base_of,
        .check_closed = stream_is_closed,
        .failed = stream_failed,
        .timed_out = stream_timed_out,
        .should_retry = stream_should_retry };
    stream->base = base;
    stream->slot = slot;
    return &stream->stream;
}

/* What libmongoc has to say comes back as errors too. */
static void no_log(mongoc_log_level_t level, const char *domain, const char *message, void *context)
{
    (void)level, (void)domain, (void)message, (void)context;
}

static void start_library(void)
{
    mongoc_log_set_handler(no_log, NULL);
    mongoc_init();
}

static void set_default(mongoc_uri_t *uri, const char *option, int32_t value)
{
    if (!mongoc_uri_has_option(uri, option))
        mongoc_uri_set_option_as_int32(uri, option, value);
}

const Error *mongo_connect(Arena *arena, const char *uri, MongoEngine *mongo)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    bson_error_t error;
    mongoc_uri_t *parsed;

    pthread_once(&once, start_library);
    if (!(parsed = mongoc_uri_new_with_error(uri, &error)))
        return error_new(arena, ERROR_INVALID_ARGUMENT, "STORE_URI_INVALID",
            "The store's address is no MongoDB address: %s.", error.message);
    set_default(parsed, MONGOC_URI_CONNECTTIMEOUTMS, CONNECT_MS);
    set_default(parsed, MONGOC_URI_SOCKETTIMEOUTMS, SOCKET_MS);
    set_default(parsed, MONGOC_URI_SERVERSELECTIONTIMEOUTMS, SELECT_MS);
    mongo->pool = mongoc_client_pool_new_with_error(parsed, &error);
    mongoc_uri_destroy(parsed);
    if (!mongo->pool)
        return error_new(arena, ERROR_INVALID_ARGUMENT, "STORE_URI_INVALID",
            "The store's address cannot be used: %s.", error.message);
    mongoc_client_pool_set_error_api(mongo->pool, MONGOC_ERROR_API_VERSION_2);
    mongoc_client_pool_max_size(mongo->pool, MONGO_CLIENTS);
    return NULL;
}

void mongo_disconnect(MongoEngine *mongo)
{
    for (int i = 0; i < mongo->n_open; i++)
        mongoc_client_pool_push(mongo->pool, mongo->slots[i].client);
    mongoc_client_pool_destroy(mongo->pool);
}

static const Error *wait_for_slot(MongoEngine *mongo, const StoreView *view)
{
    while (!mongo->n_idle && mongo->n_open == MONGO_CLIENTS) {
        if (!view->deadline)
            pthread_cond_wait(&mongo->returned, &mongo->lock);
        else if (!condition_wait_until(&mongo->returned, &mongo->lock, view->deadline))
            return &store_too_late;
    }
    return NULL;
}

const Error *mongo_take(MongoEngine *mongo, const StoreView *view, MongoSlot **slot)
{
    const Error *error;

    pthread_mutex_lock(&mongo->lock);
    if (!(error = wait_for_slot(mongo, view))) {
        if (mongo->n_idle) {
            *slot = mongo->idle[--mongo->n_idle];
        } else {
            *slot = &mongo->slots[mongo->n_open++];
            (*slot)->client = mongoc_client_pool_pop(mongo->pool);
            if (mongoc_client_default_stream_initiator)
                mongoc_client_set_stream_initiator((*slot)->client, connect_stream, *slot);
        }
        (*slot)->deadline = view->deadline;
    }
    pthread_mutex_unlock(&mongo->lock);
    return error;
}

void mongo_return(MongoEngine *mongo, MongoSlot *slot)
{
    pthread_mutex_lock(&mongo->lock);
    mongo->idle[mongo->n_idle++] = slot;
    pthread_cond_signal(&mongo->returned);
    pthread_mutex_unlock(&mongo->lock);
}

static bool is_failover(int32_t code)
{
    for (size_t i = 0; i < COUNT(codes_of_failover); i++)
        if (codes_of_failover[i] == code)
            return true;
    return false;
}

static const Error *server_error(const StoreView *view, int32_t code)
{
    if (code == CODE_MAX_TIME)
        return &store_too_late;
    return error_new(view->arena, ERROR_INTERNAL, "STORE_FAILED",
        "The store refused an operation with code %d.", code);
}

static const Error *too_late_or(const StoreView *view, const Error *error)
{
    bool is_late =
        view->deadline && clock_monotonic() + ALMOST_LATE_MS * MICROS_PER_MS >= view->deadline;

    return is_late ? &store_too_late : error;
}

/* What libmongoc's error means for the call. */
static MongoResult result_of(const StoreView *view, const bson_error_t *error)
{
    MongoResult result = { .error = too_late_or(view, &store_unavailable) };

    if (error->domain == MONGOC_ERROR_SERVER && is_failover((int32_t)error->code)) {
        result.error = &store_unavailable;
    } else if (error->domain == MONGOC_ERROR_SERVER) {
        result.code = (int)error->code;
        result.error = server_error(view, (int32_t)error->code);
    } else if (error->domain != MONGOC_ERROR_SERVER_SELECTION) {
        result.is_unknown = true;
    }
    return result;
}

/* Whether nothing was done, and trying again may help. */
static bool may_retry(const StoreView *view, int64_t start, const MongoResult *result)
{
    int64_t end = view->deadline ? view->deadline : start + MONGO_PATIENCE_MS * MICROS_PER_MS;

    return result->error == &store_unavailable && !result->is_unknown &&
           clock_monotonic() + PAUSE_MS * MICROS_PER_MS < end;
}

static int64_t milliseconds_left(const StoreView *view)
{
    int64_t left = (view->deadline - clock_monotonic()) / MICROS_PER_MS;

    return left > 1 ? left : 1;
}

/* The errors that come inside an answer which says "ok". */
static void read_inner_errors(const StoreView *view, const bson_t *reply, MongoResult *result)
{
    bson_iter_t iter, inner;

    if (bson_iter_init_find(&iter, reply, "n"))
        result->count = bson_iter_as_int64(&iter);
    if (bson_iter_init(&iter, reply) &&
        bson_iter_find_descendant(&iter, "writeErrors.0.code", &inner)) {
        result->code = (int)bson_iter_as_int64(&inner);
        result->error =
            is_failover(result->code) ? &store_unavailable : server_error(view, result->code);
    } else if (bson_iter_init_find(&iter, reply, "writeConcernError")) {
        result->error = too_late_or(view, &store_unavailable);
        result->is_unknown = true; /* done on one server, but not by the majority */
    }
}

static void append_write_options(bson_t *options, const StoreView *view)
{
    mongoc_write_concern_t *concern = mongoc_write_concern_new();

    mongoc_write_concern_set_wmajority(
        concern, view->deadline ? (int32_t)milliseconds_left(view) : 0);
    mongoc_write_concern_set_journal(concern, true);
    mongoc_write_concern_append(concern, options);
    mongoc_write_concern_destroy(concern);
}

static MongoResult write_once(
    MongoEngine *mongo, const StoreView *view, const bson_t *command, bson_t *reply)
{
    bson_t options = BSON_INITIALIZER;
    MongoResult result = { 0 };
    bson_error_t error;
    MongoSlot *slot;

    bson_init(reply);
    if ((result.error = mongo_take(mongo, view, &slot))) {
        bson_destroy(&options);
        return result;
    }
    append_write_options(&options, view);
    bson_destroy(reply);
    if (mongoc_client_write_command_with_opts(
            slot->client, mongo->database, command, &options, reply, &error) ||
        bson_has_field(reply, "writeErrors"))
        read_inner_errors(view, reply, &result);
    else
        result = result_of(view, &error);
    bson_destroy(&options);
    mongo_return(mongo, slot);
    return result;
}

MongoResult mongo_write_command(
    MongoEngine *mongo, const StoreView *view, const bson_t *command, bson_t *reply)
{
    int64_t start = clock_monotonic();
    MongoResult result;
    bson_t own;

    for (;;) {
        result = write_once(mongo, view, command, &own);
        if (!may_retry(view, start, &result))
            break;
        bson_destroy(&own);
        clock_sleep_ms(PAUSE_MS);
    }
    if (reply)
        bson_copy_to(&own, reply);
    bson_destroy(&own);
    return result;
}

static MongoResult read_once(MongoEngine *mongo, const StoreView *view, const bson_t *command)
{
    MongoResult result = { 0 };
    bson_error_t failure;
    MongoSlot *slot;

    if ((result.error = mongo_take(mongo, view, &slot)))
        return result;
    if (!mongoc_client_command_simple(
            slot->client, mongo->database, command, NULL, NULL, &failure)) {
        result = result_of(view, &failure);
        result.is_unknown = false; /* reading changes nothing */
    }
    mongo_return(mongo, slot);
    return result;
}

const Error *mongo_read_command(MongoEngine *mongo, const StoreView *view, const bson_t *command)
{
    int64_t start = clock_monotonic();
    MongoResult result;

    while ((result = read_once(mongo, view, command)).error && may_retry(view, start, &result))
        clock_sleep_ms(PAUSE_MS);
    return result.error;
}

static MongoResult find_once(MongoEngine *mongo, const StoreView *view, const char *collection,
    const bson_t *filter, const bson_t *options, MongoEach each, void *context, bool *has_begun)
{
    MongoResult result = { 0 };
    mongoc_collection_t *handle = NULL;
    mongoc_cursor_t *cursor = NULL;
    const bson_t *document;
    bson_error_t failure;
    MongoSlot *slot;

    if ((result.error = mongo_take(mongo, view, &slot)))
        return result;
    handle = mongoc_client_get_collection(slot->client, mongo->database, collection);
    cursor = mongoc_collection_find_with_opts(handle, filter, options, NULL);
    while (mongoc_cursor_next(cursor, &document)) {
        *has_begun = true;
        if (!each(context, document))
            goto done;
        if (store_is_late(view)) {
            result.error = &store_too_late;
            goto done;
        }
    }
    if (mongoc_cursor_error(cursor, &failure)) {
        result = result_of(view, &failure);
        result.is_unknown = false; /* reading changes nothing */
    }
done:
    mongoc_cursor_destroy(cursor);
    mongoc_collection_destroy(handle);
    mongo_return(mongo, slot);
    return result;
}

const Error *mongo_find(MongoEngine *mongo, const StoreView *view, const char *collection,
    const bson_t *filter, const bson_t *options, MongoEach each, void *context)
{
    int64_t start = clock_monotonic();
    MongoResult result;
    bool has_begun = false;
    bson_t bounded_options;

    for (;;) {
        bson_copy_to(options, &bounded_options);
        if (view->deadline)
            BSON_APPEND_INT64(&bounded_options, "maxTimeMS", milliseconds_left(view));
        result =
            find_once(mongo, view, collection, filter, &bounded_options, each, context, &has_begun);
        bson_destroy(&bounded_options);
        if (has_begun || !may_retry(view, start, &result))
            return result.error;
        clock_sleep_ms(PAUSE_MS);
    }
}
