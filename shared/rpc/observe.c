/* What operators see of calls: metrics by method and status (names of gRFC A66), one log line a
 * failed call. */
#include "shared/rpc/exchange.h"

#include "shared/base/clock.h"
#include "shared/base/log.h"

#include <assert.h>

static const char other_label[] = "other";

static const char *label_of(const ServerMethod *method)
{
    return method->method ? method->method->path + 1 : other_label;
}

static void make_series(RpcServer *server, Arena *arena, ServerMethod *method)
{
    const char *labels = arena_printf(arena, "grpc_method=\"%s\"", label_of(method));

    method->started = metrics_counter(
        server->metrics, "grpc_server_call_started_total", labels, "Calls that arrived.");
    method->received_bytes = metrics_counter(server->metrics,
        "grpc_server_call_rcvd_message_bytes_total", labels, "Bytes of messages received.");
    method->sent_bytes = metrics_counter(server->metrics,
        "grpc_server_call_sent_message_bytes_total", labels, "Bytes of messages sent.");
}

void observe_methods(RpcServer *server)
{
    Arena *arena = arena_new();

    for (size_t i = 0; i < server->n_methods; i++)
        make_series(server, arena, &server->methods[i]);
    make_series(server, arena, &server->other);
    arena_free(arena);
}

void observe_arrival(RpcExchange *exchange)
{
    counter_add(exchange->method->started, 1);
    if (exchange->message)
        counter_add(exchange->method->received_bytes, exchange->message->bytes.size);
}

static Histogram *duration_of(RpcExchange *exchange, int code)
{
    _Atomic(Histogram *) *slot = &exchange->method->durations[code];
    Histogram *histogram = atomic_load_explicit(slot, memory_order_acquire);

    if (histogram)
        return histogram;
    histogram = metrics_histogram(exchange->server->metrics, "grpc_server_call_duration_seconds",
        arena_printf(exchange->arena, "grpc_method=\"%s\",grpc_status=\"%s\"",
            label_of(exchange->method), error_code_name(code)),
        "From arrival to status.");
    atomic_store_explicit(slot, histogram, memory_order_release);
    return histogram;
}

static bool is_refusal(const Error *error)
{
    return error &&
           (error->code == ERROR_UNAUTHENTICATED || error->code == ERROR_PERMISSION_DENIED);
}

static LogLevel level_of(const Error *error)
{
    if (!error)
        return LOG_DEBUG;
    return error->code == ERROR_INTERNAL || error->code == ERROR_DATA_LOSS ? LOG_ERROR : LOG_INFO;
}

/* No personal data: neither actor nor the error's text, which may quote the request. Causes
 * inside the server are ours. */
static void log_call(RpcExchange *exchange, const Error *error, int64_t micros)
{
    const RpcCall *call = &exchange->call;
    LogLevel level = level_of(error);
    TransportPeer peer = { "", "" };

    if (!log_is_on(level))
        return;
    if (is_refusal(error))
        peer = exchange->server->ops->peer(exchange->wire, exchange->arena);
    log_write(level, "call",
        (const LogField[]){
            { "method", label_of(exchange->method), 0 },
            { "status", error_code_name(error ? (int)error->code : 0), 0 },
            { "reason", error_reason(error), 0 },
            { "cause", level == LOG_ERROR ? error->message : "", 0 },
            { "duration_us", NULL, micros },
            { "trace_id", call->trace_id, 0 },
            { "account", call->caller ? call->caller->account : "", 0 },
            { "channel", call->context.channel, 0 },
            { "peer", peer.address, 0 },
            { "identity", peer.identity, 0 },
            { 0 },
        });
}

void observe_end(RpcExchange *exchange, const Error *error)
{
    int64_t micros = clock_monotonic() - exchange->started_at;
    int code = error ? (int)error->code : 0;

    assert(code >= 0 && code <= ERROR_UNAUTHENTICATED);
    histogram_record(duration_of(exchange, code), micros);
    log_call(exchange, error, micros);
}
