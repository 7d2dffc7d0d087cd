#include "shared/rpc/client_outgoing.h"

#include "shared/base/clock.h"
#include "shared/base/id.h"
#include "shared/codec/message.h"
#include "shared/codec/scan.h"
#include "shared/rpc/methods.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum {
    DEFAULT_DEADLINE_MS = 10 * 1000,
    MAX_FILE_BYTES = 1024 * 1024,
    TRACE_ID_SIZE = 32,
    SPAN_ID_BYTES = 8,
    TRACEPARENT_SIZE = 55, /* "00-" 32 "-" 16 "-" 2 */
};

static const Error metadata_invalid = { ERROR_INVALID_ARGUMENT, "METADATA_INVALID",
    "Token and context of a call may only have printable ASCII characters." };
static const Error reply_malformed = { ERROR_INTERNAL, "REPLY_MALFORMED",
    "The answer of another service is not the message that its method promises." };
const Error client_reply_missing = { ERROR_INTERNAL, "REPLY_MISSING",
    "Another service said that all is well, but sent no answer." };
const Error client_tls_unreadable = { ERROR_FAILED_PRECONDITION, "TLS_FILE_UNREADABLE",
    "A certificate or key of the client cannot be read." };
const Error client_stream_finished = { ERROR_FAILED_PRECONDITION, "STREAM_FINISHED",
    "The other side has ended the stream; nothing more can be sent." };

char *client_read_text(Arena *arena, const char *path)
{
    FILE *file = fopen(path, "r");
    char *text = NULL;
    struct stat info;

    if (!file)
        return NULL;
    if (!fstat(fileno(file), &info) && info.st_size <= MAX_FILE_BYTES) {
        text = arena_alloc(arena, (size_t)info.st_size + 1);
        text[fread(text, 1, (size_t)info.st_size, file)] = '\0';
    }
    fclose(file);
    return text;
}

void client_token_open(ClientToken *token, const RpcClientOptions *options)
{
    *token = (ClientToken){ .file = options->token_file, .text = options->token };
    pthread_mutex_init(&token->lock, NULL);
}

void client_token_close(ClientToken *token)
{
    arena_free(token->arena);
    pthread_mutex_destroy(&token->lock);
}

static bool is_same_time(struct timespec a, struct timespec b)
{
    return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

/* A file that has gone or is empty keeps the token that was read last: whoever replaces it may be
 * between two steps. */
static void refresh(ClientToken *token)
{
    Arena *arena;
    struct stat info;
    const char *text;

    if (stat(token->file, &info) || (token->arena && is_same_time(info.st_mtim, token->changed_at)))
        return;
    arena = arena_new();
    text = client_read_text(arena, token->file);
    text = text ? text_trim(arena, text) : "";
    if (!*text) {
        arena_free(arena);
        return;
    }
    arena_free(token->arena);
    token->arena = arena;
    token->changed_at = info.st_mtim;
    token->text = text;
}

/* NULL without one. */
static const char *token_text(ClientToken *token, Arena *arena)
{
    const char *text;

    if (!token->file)
        return token->text;
    pthread_mutex_lock(&token->lock);
    refresh(token);
    text = token->text ? arena_text(arena, token->text) : NULL;
    pthread_mutex_unlock(&token->lock);
    return text;
}

/* The same trace with a span id of its own; a new trace when there is none. */
static const char *next_span(Arena *arena, const char *traceparent)
{
    uint8_t random[TRACE_ID_SIZE / 2 + SPAN_ID_BYTES];
    const char *span;

    id_random(random, sizeof(random));
    span = text_hex(arena, random, SPAN_ID_BYTES);
    if (!traceparent || strlen(traceparent) != TRACEPARENT_SIZE)
        return arena_printf(
            arena, "00-%s-%s-01", text_hex(arena, random + SPAN_ID_BYTES, TRACE_ID_SIZE / 2), span);
    return arena_printf(arena, "%.*s%s%s", 3 + TRACE_ID_SIZE + 1, traceparent, span,
        traceparent + TRACEPARENT_SIZE - 3);
}

static bool is_printable(const char *text)
{
    while (*text >= ' ' && *text <= '~')
        text++;
    return *text == '\0';
}

const Error *client_pairs(ClientToken *token, const RpcOutgoing *outgoing,
    ClientPair pairs[CLIENT_MAX_PAIRS], size_t *n_pairs)
{
    const RpcContext *context = &outgoing->context;
    Arena *arena = outgoing->arena;
    const char *shown = outgoing->token ? outgoing->token : token_text(token, arena);
    const ClientPair all[] = {
        { "authorization", text_is_empty(shown) ? NULL : arena_printf(arena, "Bearer %s", shown) },
        { "throughline-channel", context->channel },
        { "throughline-actor", context->actor },
        { "throughline-on-behalf-of", context->on_behalf_of },
        { "throughline-device", context->device },
        { "throughline-journey", context->journey },
        { "throughline-purpose", context->purpose },
        { "traceparent", next_span(arena, outgoing->traceparent) },
    };

    *n_pairs = 0;
    for (size_t i = 0; i < COUNT(all); i++) {
        if (text_is_empty(all[i].value))
            continue;
        if (!is_printable(all[i].value))
            return &metadata_invalid;
        pairs[(*n_pairs)++] = all[i];
    }
    return NULL;
}

int64_t client_deadline(const RpcOutgoing *outgoing)
{
    return outgoing->deadline ? outgoing->deadline
                              : clock_monotonic() + DEFAULT_DEADLINE_MS * INT64_C(1000);
}

/* A status that the peer's run time did not make says nothing but its code. */
const Error *client_error(Arena *arena, const RpcStatus *status)
{
    if (status->details.size)
        return status_to_error(arena, status);
    switch (status->code) {
    case ERROR_UNAVAILABLE:
        return error_new(arena, ERROR_UNAVAILABLE, "PEER_UNAVAILABLE",
            "Another service cannot be reached: %s.", status->message);
    case ERROR_DEADLINE_EXCEEDED:
        return error_new(arena, ERROR_DEADLINE_EXCEEDED, "DEADLINE_EXCEEDED",
            "The answer did not come in time.");
    case ERROR_CANCELLED:
        return error_new(arena, ERROR_CANCELLED, "CALL_CANCELLED", "The call was cancelled.");
    default:
        return status_to_error(arena, status);
    }
}

const Error *client_unpack(
    Arena *arena, const ProtobufCMessageDescriptor *descriptor, Bytes bytes, void **message)
{
    if (scan_message(arena, descriptor, bytes))
        return &reply_malformed;
    *message = message_unpack(arena, descriptor, bytes);
    return *message ? NULL : &reply_malformed;
}

/* {"service":…,"method":…} of all methods that may be retried, with commas. */
static const char *retried_methods(Arena *arena)
{
    size_t count, size = 1;
    const RpcMethod *methods = rpc_methods(&count);
    char *names, *end;

    for (size_t i = 0; i < count; i++)
        size += strlen(methods[i].path) + sizeof("{\"service\":\"\",\"method\":\"\"},");
    names = end = arena_alloc(arena, size);
    for (size_t i = 0; i < count; i++)
        if (methods[i].policy.is_idempotent)
            end += sprintf(end, "%s{\"service\":\"%s\",\"method\":\"%s\"}", end > names ? "," : "",
                methods[i].service, methods[i].name);
    return names;
}

const char *rpc_client_service_config(Arena *arena)
{
    return arena_printf(arena,
        "{\"loadBalancingConfig\":[{\"round_robin\":{}}],"
        "\"healthCheckConfig\":{\"serviceName\":\"\"},"
        "\"methodConfig\":[{\"name\":[%s],\"retryPolicy\":{\"maxAttempts\":%d,"
        "\"initialBackoff\":\"%.3fs\",\"maxBackoff\":\"%.3fs\",\"backoffMultiplier\":2,"
        "\"retryableStatusCodes\":[\"UNAVAILABLE\"]}}]}",
        retried_methods(arena), CLIENT_ATTEMPTS, CLIENT_FIRST_PAUSE_MS / 1000.0,
        CLIENT_LONGEST_PAUSE_MS / 1000.0);
}
