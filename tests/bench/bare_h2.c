/* A server of libnghttp2 and epoll and nothing else: one thread, which sends the message of every
 * call back. What an engine costs beyond it is the engine's own. Says on its first line where it
 * listens; ends at SIGTERM, without ceremony. */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <nghttp2/nghttp2.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { IO_BYTES = 64 * 1024, MAX_EVENTS = 64, MAX_BODY = 256, MAX_STREAMS = 256, BACKLOG = 1024 };

typedef struct Stream {
    uint8_t body[MAX_BODY];
    size_t size, sent;
} Stream;

typedef struct Connection {
    int socket;
    nghttp2_session *session;
    uint8_t *pending; /* what the socket did not take */
    size_t pending_size;
} Connection;

static uint8_t in[IO_BYTES], out[IO_BYTES + IO_BYTES];

#define PAIR(name, value)                                                                          \
    {                                                                                              \
        (uint8_t *)(name), (uint8_t *)(value), sizeof(name) - 1, sizeof(value) - 1,                \
            NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE                           \
    }

static nghttp2_nv headers[] = { PAIR(":status", "200"), PAIR("content-type", "application/grpc") };
static nghttp2_nv trailers[] = { PAIR("grpc-status", "0") };

static int on_begin(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    Stream *stream;

    (void)user;
    if (frame->hd.type != NGHTTP2_HEADERS)
        return 0;
    if (!(stream = malloc(sizeof(*stream))))
        abort();
    stream->size = stream->sent = 0;
    nghttp2_session_set_stream_user_data(session, frame->hd.stream_id, stream);
    return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *bytes,
    size_t size, void *user)
{
    Stream *stream = nghttp2_session_get_stream_user_data(session, id);

    (void)flags, (void)user;
    if (stream->size + size > MAX_BODY)
        return NGHTTP2_ERR_CALLBACK_FAILURE;
    memcpy(stream->body + stream->size, bytes, size);
    stream->size += size;
    return 0;
}

static ssize_t read_body(nghttp2_session *session, int32_t id, uint8_t *room, size_t size,
    uint32_t *flags, nghttp2_data_source *source, void *user)
{
    Stream *stream = source->ptr;
    size_t left = stream->size - stream->sent;

    (void)user;
    if (size < left)
        left = size;
    memcpy(room, stream->body + stream->sent, left);
    stream->sent += left;
    if (stream->sent == stream->size) {
        *flags |= NGHTTP2_DATA_FLAG_EOF | NGHTTP2_DATA_FLAG_NO_END_STREAM;
        nghttp2_submit_trailer(session, id, trailers, sizeof(trailers) / sizeof(*trailers));
    }
    return (ssize_t)left;
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    nghttp2_data_provider body = { .read_callback = read_body };

    (void)user;
    if ((frame->hd.type != NGHTTP2_DATA && frame->hd.type != NGHTTP2_HEADERS) ||
        !(frame->hd.flags & NGHTTP2_FLAG_END_STREAM))
        return 0;
    body.source.ptr = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
    return nghttp2_submit_response(
        session, frame->hd.stream_id, headers, sizeof(headers) / sizeof(*headers), &body);
}

static int on_close(nghttp2_session *session, int32_t id, uint32_t code, void *user)
{
    (void)code, (void)user;
    free(nghttp2_session_get_stream_user_data(session, id));
    return 0;
}

static void close_connection(Connection *connection)
{
    close(connection->socket);
    nghttp2_session_del(connection->session);
    free(connection->pending);
    free(connection);
}

static void keep(Connection *connection, const uint8_t *bytes, size_t size)
{
    uint8_t *kept = malloc(size);

    if (!kept)
        abort();
    memcpy(kept, bytes, size);
    free(connection->pending);
    connection->pending = kept;
    connection->pending_size = size;
}

/* False when the connection is broken. */
static bool write_out(Connection *connection, const uint8_t *bytes, size_t size)
{
    ssize_t written = send(connection->socket, bytes, size, MSG_NOSIGNAL);

    if (written < 0)
        written = 0; /* full, or closed: reading will tell */
    if ((size_t)written < size) {
        keep(connection, bytes + written, size - (size_t)written);
    } else {
        free(connection->pending);
        connection->pending = NULL;
    }
    return true;
}

/* Everything that there is to say, gathered into as few writes as fit. */
static bool flush(Connection *connection)
{
    size_t filled;

    if (connection->pending)
        return write_out(connection, connection->pending, connection->pending_size);
    do {
        const uint8_t *bytes;
        ssize_t size = 0;

        filled = 0;
        while (filled < IO_BYTES &&
               (size = nghttp2_session_mem_send(connection->session, &bytes)) > 0) {
            memcpy(out + filled, bytes, (size_t)size);
            filled += (size_t)size;
        }
        if (size < 0 || (filled && !write_out(connection, out, filled)))
            return false;
    } while (filled >= IO_BYTES && !connection->pending);
    return true;
}

/* Until there is nothing to read: the next event tells of more. */
static bool serve(Connection *connection)
{
    for (;;) {
        ssize_t size = recv(connection->socket, in, sizeof(in), 0);

        if (size < 0)
            return flush(connection);
        if (size == 0)
            return false;
        if (nghttp2_session_mem_recv(connection->session, in, (size_t)size) < 0 ||
            !flush(connection))
            return false;
    }
}

static void accept_one(int listener, int poll, const nghttp2_session_callbacks *callbacks)
{
    nghttp2_settings_entry entry = { NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, MAX_STREAMS };
    struct epoll_event event = { .events = EPOLLIN | EPOLLOUT | EPOLLET };
    Connection *connection = calloc(1, sizeof(*connection));
    int on = 1;

    if (!connection)
        abort();
    connection->socket = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (connection->socket < 0 ||
        nghttp2_session_server_new(&connection->session, callbacks, connection))
        abort();
    setsockopt(connection->socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    nghttp2_submit_settings(connection->session, NGHTTP2_FLAG_NONE, &entry, 1);
    event.data.ptr = connection;
    epoll_ctl(poll, EPOLL_CTL_ADD, connection->socket, &event);
}

static int listen_somewhere(void)
{
    struct sockaddr_in address = { .sin_family = AF_INET };
    socklen_t size = sizeof(address);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(listener, (struct sockaddr *)&address, size) || listen(listener, BACKLOG) ||
        getsockname(listener, (struct sockaddr *)&address, &size))
        exit(1);
    printf("{\"port\":%d}\n", ntohs(address.sin_port));
    fflush(stdout);
    return listener;
}

int main(void)
{
    struct epoll_event events[MAX_EVENTS], waiting = { .events = EPOLLIN };
    nghttp2_session_callbacks *callbacks;
    int listener = listen_somewhere(), poll = epoll_create1(EPOLL_CLOEXEC);

    nghttp2_session_callbacks_new(&callbacks);
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_begin);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_close);
    epoll_ctl(poll, EPOLL_CTL_ADD, listener, &waiting);
    for (;;) {
        int n = epoll_wait(poll, events, MAX_EVENTS, -1);

        for (int i = 0; i < n; i++) {
            Connection *connection = events[i].data.ptr;

            if (!connection)
                accept_one(listener, poll, callbacks);
            else if (!serve(connection))
                close_connection(connection);
        }
    }
}
