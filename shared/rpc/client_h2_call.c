/* A call on its channel's thread: attempts, messages, and the status that ends it. */
#include "shared/rpc/client_h2.h"

#include "shared/base/clock.h"
#include "shared/base/id.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HTTP_OK = 200, MAX_STATUS_DIGITS = 4, MAX_STATUS_TEXT = 32 * 1024 };

static const char too_large[] = "the answer is larger than 16 MiB";
static const char malformed[] = "the answer is not framed as gRPC says";

static void detach(Onward *call)
{
    if (!call->link)
        return;
    if (call->previous)
        call->previous->next = call->next;
    else
        call->link->calls = call->next;
    if (call->next)
        call->next->previous = call->previous;
    call->link = NULL;
}

/* Takes it from those that wait for a link. */
static void stop_waiting(Onward *call)
{
    ClientChannel *channel = call->channel;

    if (!call->is_waiting)
        return;
    for (Onward **at = &channel->waiting; *at; at = &(*at)->next) {
        if (*at != call)
            continue;
        *at = call->next;
        if (!*at)
            channel->last_waiting = at;
        break;
    }
    call->is_waiting = false;
}

/* The last word: from here on the call may be gone. */
static void finish(Onward *call, int code, const char *text)
{
    char *copy = strdup(text);

    if (!copy)
        abort();
    stop_waiting(call);
    detach(call);
    event_del(&call->timer);
    event_del(&call->pause);
    pthread_mutex_lock(&call->lock);
    call->status = code;
    call->status_text = copy;
    call->status_details = call->came_details;
    call->came_details = NULL;
    call->is_over = true;
    pthread_cond_broadcast(&call->changed);
    pthread_mutex_unlock(&call->lock);
}

/* Ended by us: the peer is told. */
static void cut(Onward *call, int code, const char *text)
{
    Link *link = call->link;

    if (link) {
        nghttp2_session_set_stream_user_data(link->session, call->stream, NULL);
        nghttp2_submit_rst_stream(link->session, NGHTTP2_FLAG_NONE, call->stream, NGHTTP2_CANCEL);
    }
    free(call->came_details);
    call->came_details = NULL;
    finish(call, code, text);
}

static void on_deadline(evutil_socket_t none, short what, void *context)
{
    Onward *call = context;
    ClientChannel *channel = call->channel;

    (void)none, (void)what;
    cut(call, ERROR_DEADLINE_EXCEEDED, "");
    channel_settle(channel);
}

static void on_pause_over(evutil_socket_t none, short what, void *context)
{
    Onward *call = context;
    ClientChannel *channel = call->channel;

    (void)none, (void)what;
    channel_place(channel, call);
    channel_settle(channel);
}

static void start(Onward *call)
{
    int64_t left = call->deadline - clock_monotonic();

    evtimer_assign(&call->timer, call->channel->base, on_deadline, call);
    evtimer_assign(&call->pause, call->channel->base, on_pause_over, call);
    if (left <= 0) {
        finish(call, ERROR_DEADLINE_EXCEEDED, "");
        return;
    }
    if (call->deadline != INT64_MAX)
        event_add(&call->timer, &(struct timeval){ left / 1000000, left % 1000000 });
    channel_place(call->channel, call);
}

/* The peer may send more again. */
static void give_window(Onward *call)
{
    size_t withheld;

    pthread_mutex_lock(&call->lock);
    withheld = call->withheld;
    call->withheld = 0;
    pthread_mutex_unlock(&call->lock);
    if (call->link && withheld)
        nghttp2_session_consume_stream(call->link->session, call->stream, withheld);
}

static void close_call(Onward *call)
{
    bool is_over;

    pthread_mutex_lock(&call->lock);
    is_over = call->is_over;
    pthread_mutex_unlock(&call->lock);
    if (!is_over)
        cut(call, ERROR_CANCELLED, "");
    pthread_mutex_lock(&call->lock);
    call->is_closed = true;
    pthread_cond_broadcast(&call->changed);
    pthread_mutex_unlock(&call->lock);
}

void onward_asked(Onward *call, unsigned asked)
{
    if (asked & ONWARD_START)
        start(call); /* whoever asks for nothing else may have freed it now */
    if (asked & ONWARD_SEND && call->link && call->is_deferred) {
        call->is_deferred = false;
        nghttp2_session_resume_data(call->link->session, call->stream);
    }
    if (asked & ONWARD_TAKEN)
        give_window(call);
    if (asked & ONWARD_CANCEL && !call->is_over)
        cut(call, ERROR_CANCELLED, "");
    if (asked & ONWARD_CLOSE)
        close_call(call);
}

/* grpc-timeout has at most eight digits. */
static void write_timeout(Onward *call)
{
    int64_t left = call->deadline - clock_monotonic();

    left = left > 0 ? left : 1;
    if (left < 100000000)
        snprintf(call->timeout, sizeof(call->timeout), "%ldu", (long)left);
    else if (left / 1000 < 100000000)
        snprintf(call->timeout, sizeof(call->timeout), "%ldm", (long)(left / 1000));
    else
        snprintf(call->timeout, sizeof(call->timeout), "99999999S");
    call->headers[call->n_headers - 1].value = (uint8_t *)call->timeout;
    call->headers[call->n_headers - 1].valuelen = strlen(call->timeout);
}

void onward_begin(Onward *call, Link *link)
{
    if (call->deadline != INT64_MAX)
        write_timeout(call);
    h2_reader_free(&call->reader);
    call->attempts++;
    call->out_at = 0;
    free(call->came_text);
    free(call->came_details);
    call->came_text = call->came_details = NULL;
    call->http = call->code = -1;
    call->encoding = H2_IDENTITY;
    call->is_started = call->is_deferred = call->is_committed = false;
    call->stream = link_request(link, call);
    if (call->stream < 0) {
        link_leave(link);
        finish(call, ERROR_UNAVAILABLE, "the connection has had its calls");
        return;
    }
    link->channel->is_dirty = true;
    call->link = link;
    call->previous = NULL;
    call->next = link->calls;
    if (call->next)
        call->next->previous = call;
    link->calls = call;
}

ssize_t onward_read(Onward *call, uint8_t *room, size_t size, uint32_t *flags)
{
    size_t n;

    pthread_mutex_lock(&call->lock);
    n = call->out_size - call->out_at;
    n = n < size ? n : size;
    if (n)
        memcpy(room, call->out + call->out_at, n);
    call->out_at += n;
    if (call->out_at == call->out_size && call->ends_sending)
        *flags |= NGHTTP2_DATA_FLAG_EOF;
    call->is_deferred = n == 0 && !call->ends_sending;
    if (n && !call->is_unary) {
        call->is_sent = true; /* it cannot be said again */
        if (call->out_at == call->out_size) {
            free(call->out);
            call->out = NULL;
            call->out_size = call->out_at = 0;
            pthread_cond_broadcast(&call->changed);
        }
    }
    pthread_mutex_unlock(&call->lock);
    return call->is_deferred ? NGHTTP2_ERR_DEFERRED : (ssize_t)n;
}

/* Negative when it is none. */
static int status_of(Bytes value)
{
    int64_t status;

    return value.size <= MAX_STATUS_DIGITS && h2_number_read(value, &status) ? (int)status : -1;
}

static void keep(char **text, Bytes value)
{
    free(*text);
    *text = value.size <= MAX_STATUS_TEXT ? strndup((const char *)value.data, value.size) : NULL;
}

void onward_header(Onward *call, Bytes name, Bytes value)
{
    if (h2_bytes_are(name, ":status"))
        call->http = status_of(value);
    else if (h2_bytes_are(name, "grpc-status"))
        call->code = status_of(value);
    else if (h2_bytes_are(name, "grpc-message"))
        keep(&call->came_text, value);
    else if (h2_bytes_are(name, "grpc-status-details-bin"))
        keep(&call->came_details, value);
    else if (h2_bytes_are(name, "grpc-encoding"))
        call->encoding = h2_encoding_of(value);
}

static void hand_over(Onward *call, TransportMessage *message)
{
    pthread_mutex_lock(&call->lock);
    *call->last = message;
    call->last = &message->next;
    call->queued += message->bytes.size;
    if (!call->is_unary) /* whose caller waits for the status */
        pthread_cond_broadcast(&call->changed);
    pthread_mutex_unlock(&call->lock);
}

/* While nobody takes what is there, the peer's window stays shut. */
static void account(Onward *call, size_t size)
{
    bool is_full;

    pthread_mutex_lock(&call->lock);
    is_full = call->queued >= ONWARD_QUEUED_BYTES;
    if (is_full)
        call->withheld += size;
    pthread_mutex_unlock(&call->lock);
    if (!is_full)
        nghttp2_session_consume_stream(call->link->session, call->stream, size);
}

void onward_data(Onward *call, Bytes bytes)
{
    H2Read read = H2_READ_MESSAGE;

    account(call, bytes.size);
    while (read == H2_READ_MESSAGE) {
        H2Message *message;

        read = h2_reader_take(&call->reader, &bytes, CLIENT_MAX_MESSAGE_BYTES, &message);
        if (read != H2_READ_MESSAGE)
            break;
        if (message->base.is_compressed)
            read = call->encoding == H2_GZIP || call->encoding == H2_DEFLATE
                       ? h2_message_inflate(&message, CLIENT_MAX_MESSAGE_BYTES)
                       : H2_READ_MALFORMED;
        if (read == H2_READ_MESSAGE)
            hand_over(call, &message->base);
        else
            free(message);
    }
    if (read == H2_READ_TOO_LARGE)
        cut(call, ERROR_RESOURCE_EXHAUSTED, too_large);
    else if (read == H2_READ_MALFORMED)
        cut(call, ERROR_INTERNAL, malformed);
}

/* As gRPC maps them. */
static int code_of_http(int http)
{
    switch (http) {
    case 400:
        return ERROR_INTERNAL;
    case 401:
        return ERROR_UNAUTHENTICATED;
    case 403:
        return ERROR_PERMISSION_DENIED;
    case 404:
        return ERROR_UNIMPLEMENTED;
    case 429:
    case 502:
    case 503:
    case 504:
        return ERROR_UNAVAILABLE;
    default:
        return ERROR_UNKNOWN;
    }
}

static int code_of_reset(uint32_t error_code)
{
    switch (error_code) {
    case NGHTTP2_REFUSED_STREAM:
        return ERROR_UNAVAILABLE;
    case NGHTTP2_CANCEL:
        return ERROR_CANCELLED;
    case NGHTTP2_ENHANCE_YOUR_CALM:
        return ERROR_RESOURCE_EXHAUSTED;
    case NGHTTP2_INADEQUATE_SECURITY:
        return ERROR_PERMISSION_DENIED;
    default:
        return ERROR_INTERNAL;
    }
}

/* Whether it may be said once more: the peer must not have begun to answer. */
static bool try_again(Onward *call, int code, bool was_unseen)
{
    int64_t pause_ms = CLIENT_FIRST_PAUSE_MS;
    uint8_t random;

    if (code != ERROR_UNAVAILABLE || call->is_committed || call->is_sent ||
        call->attempts >= CLIENT_ATTEMPTS || (!call->is_idempotent && !was_unseen))
        return false;
    for (int i = 1; i < call->attempts && pause_ms < CLIENT_LONGEST_PAUSE_MS; i++)
        pause_ms *= 2;
    id_random(&random, sizeof(random));
    pause_ms = was_unseen ? 0 : pause_ms * (random + 1) / 256;
    event_add(&call->pause, &(struct timeval){ pause_ms / 1000, pause_ms % 1000 * 1000 });
    return true;
}

void onward_forsaken(Onward *call, const char *why)
{
    call->attempts++;
    if (!try_again(call, ERROR_UNAVAILABLE, false))
        finish(call, ERROR_UNAVAILABLE, why);
}

void onward_gone(Onward *call, uint32_t error_code, const char *why)
{
    bool was_unseen = !call->is_started || error_code == NGHTTP2_REFUSED_STREAM;
    int code = call->code;
    const char *text = call->came_text ? call->came_text : "";

    detach(call);
    if (code < 0) {
        text = why ? why : "the call was reset";
        code = why || was_unseen                         ? ERROR_UNAVAILABLE
               : call->http > 0 && call->http != HTTP_OK ? code_of_http(call->http)
                                                         : code_of_reset(error_code);
    }
    if (!try_again(call, code, was_unseen))
        finish(call, code, text);
}
