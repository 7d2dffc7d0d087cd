#include "tests/rpc/h2_client.h"

#include "shared/base/clock.h"

#include <CUnit/CUnit.h>
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <nghttp2/nghttp2.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { WAIT_MICROS = 10 * 1000000, STEP_MS = 20, FRAME_HEAD = 9, GOAWAY_BYTES = 8 };

typedef struct Stream {
    H2Answer answer;
    int32_t id;
    Bytes body;
    bool ends;
} Stream;

struct H2Client {
    int socket;
    nghttp2_session *session;
    Stream *streams[H2_CLIENT_STREAMS];
    size_t n_streams;
    uint8_t frame[FRAME_HEAD + GOAWAY_BYTES]; /* the beginning of the one that comes */
    size_t frame_at;
    int64_t goaway;
    bool is_over;
};

static Stream *stream_of(H2Client *client, int32_t id)
{
    return nghttp2_session_get_stream_user_data(client->session, id);
}

static ssize_t on_send(
    nghttp2_session *session, const uint8_t *bytes, size_t size, int flags, void *context)
{
    (void)session, (void)flags;
    return h2_client_write(context, bytes, size) ? (ssize_t)size : NGHTTP2_ERR_CALLBACK_FAILURE;
}

static void keep(char *to, size_t room, const uint8_t *value, size_t size)
{
    size_t n = size < room - 1 ? size : room - 1;

    memcpy(to, value, n);
    to[n] = '\0';
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
    size_t name_size, const uint8_t *value, size_t size, uint8_t flags, void *context)
{
    Stream *stream = stream_of(context, frame->hd.stream_id);
    char text[16];

    (void)session, (void)name_size, (void)flags;
    if (!stream)
        return 0;
    keep(text, sizeof(text), value, size);
    if (text_equal((const char *)name, ":status"))
        stream->answer.http = atoi(text);
    else if (text_equal((const char *)name, "grpc-status"))
        stream->answer.status = atoi(text);
    else if (text_equal((const char *)name, "grpc-message"))
        keep(stream->answer.message, sizeof(stream->answer.message), value, size);
    else if (text_equal((const char *)name, "grpc-accept-encoding"))
        keep(stream->answer.accepts, sizeof(stream->answer.accepts), value, size);
    return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *data,
    size_t size, void *context)
{
    Stream *stream = stream_of(context, id);

    (void)session, (void)flags, (void)data;
    if (stream)
        stream->answer.size += size;
    return 0;
}

/* Looks for GOAWAY by itself: nghttp2 listens no more once the test has broken a rule. */
static void look(H2Client *client, uint8_t byte)
{
    const uint8_t *frame = client->frame;
    size_t size;

    if (client->frame_at < sizeof(client->frame))
        client->frame[client->frame_at] = byte;
    client->frame_at++;
    size = (size_t)frame[0] << 16 | (size_t)frame[1] << 8 | frame[2];
    if (client->frame_at < FRAME_HEAD || client->frame_at < FRAME_HEAD + size)
        return;
    if (frame[3] == NGHTTP2_GOAWAY)
        client->goaway = frame[FRAME_HEAD + 7];
    client->frame_at = 0;
}

static int on_closed(nghttp2_session *session, int32_t id, uint32_t code, void *context)
{
    Stream *stream = stream_of(context, id);

    (void)session;
    if (stream) {
        stream->answer.is_closed = true;
        stream->answer.reset_code = code;
    }
    return 0;
}

static ssize_t on_read(nghttp2_session *session, int32_t id, uint8_t *room, size_t size,
    uint32_t *flags, nghttp2_data_source *source, void *context)
{
    Stream *stream = source->ptr;
    size_t n = stream->body.size < size ? stream->body.size : size;

    (void)session, (void)id, (void)context;
    if (n == 0 && !stream->ends)
        return NGHTTP2_ERR_DEFERRED;
    if (n) {
        memcpy(room, stream->body.data, n);
        stream->body.data += n;
        stream->body.size -= n;
        stream->answer.sent += n;
    }
    if (stream->body.size == 0 && stream->ends)
        *flags |= NGHTTP2_DATA_FLAG_EOF;
    return (ssize_t)n;
}

H2Client *h2_client_connect(int port)
{
    struct sockaddr_in name = { .sin_family = AF_INET,
        .sin_port = htons((uint16_t)port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    H2Client *client = calloc(1, sizeof(*client));
    nghttp2_session_callbacks *callbacks;
    int yes = 1;

    client->goaway = -1;
    client->socket = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (client->socket < 0 || connect(client->socket, (struct sockaddr *)&name, sizeof(name)) ||
        nghttp2_session_callbacks_new(&callbacks))
        abort();
    setsockopt(client->socket, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
    nghttp2_session_callbacks_set_send_callback(callbacks, on_send);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_closed);
    if (nghttp2_session_client_new(&client->session, callbacks, client))
        abort();
    nghttp2_session_callbacks_del(callbacks);
    return client;
}

void h2_client_greet(H2Client *client)
{
    nghttp2_submit_settings(client->session, NGHTTP2_FLAG_NONE, NULL, 0);
    nghttp2_session_send(client->session);
}

H2Client *h2_client_open(int port)
{
    H2Client *client = h2_client_connect(port);

    h2_client_greet(client);
    return client;
}

void h2_client_close(H2Client *client)
{
    nghttp2_session_del(client->session);
    close(client->socket);
    for (size_t i = 0; i < client->n_streams; i++)
        free(client->streams[i]);
    free(client);
}

bool h2_client_write(H2Client *client, const void *bytes, size_t size)
{
    const uint8_t *at = bytes;

    while (size && !client->is_over) {
        ssize_t n = send(client->socket, at, size, MSG_NOSIGNAL);

        if (n < 0 && errno == EINTR)
            continue;
        client->is_over = n < 0;
        at += n > 0 ? n : 0;
        size -= n > 0 ? (size_t)n : 0;
    }
    return !client->is_over;
}

bool h2_client_frame(
    H2Client *client, uint8_t type, uint8_t flags, uint32_t stream, const void *bytes, size_t size)
{
    uint8_t head[FRAME_HEAD] = { (uint8_t)(size >> 16), (uint8_t)(size >> 8), (uint8_t)size, type,
        flags, (uint8_t)(stream >> 24), (uint8_t)(stream >> 16), (uint8_t)(stream >> 8),
        (uint8_t)stream };

    return h2_client_write(client, head, sizeof(head)) && h2_client_write(client, bytes, size);
}

/* Reads once, when something comes within the time; false when the server has hung up. */
static bool take(H2Client *client, int wait_ms)
{
    struct pollfd ready = { .fd = client->socket, .events = POLLIN };
    uint8_t bytes[16384];
    ssize_t n;

    if (poll(&ready, 1, wait_ms) <= 0)
        return true;
    n = recv(client->socket, bytes, sizeof(bytes), 0);
    for (ssize_t i = 0; i < n; i++)
        look(client, bytes[i]);
    if (n > 0)
        nghttp2_session_mem_recv(client->session, bytes, (size_t)n);
    return n > 0;
}

void h2_client_turn(H2Client *client)
{
    nghttp2_session_send(client->session);
    if (!take(client, STEP_MS))
        client->is_over = true;
}

static nghttp2_nv header(const char *name, const char *value)
{
    return (nghttp2_nv){ (uint8_t *)(uintptr_t)name, (uint8_t *)(uintptr_t)value, strlen(name),
        strlen(value), NGHTTP2_NV_FLAG_NONE };
}

static const char *value_of(const RawPair *headers, const char *name, const char *fallback)
{
    for (; headers && headers->key; headers++)
        if (text_equal(headers->key, name))
            return headers->value;
    return fallback;
}

static size_t all_headers(nghttp2_nv *all, const char *path, const RawPair *headers)
{
    static const RawPair usual[] = { { ":method", "POST" }, { ":scheme", "http" },
        { ":authority", "test" }, { "te", "trailers" }, { "content-type", "application/grpc" } };
    size_t n = 0;

    all[n++] = header(":path", path);
    for (size_t i = 0; i < COUNT(usual); i++) {
        const char *value = value_of(headers, usual[i].key, usual[i].value);

        if (*value)
            all[n++] = header(usual[i].key, value);
    }
    for (; headers && headers->key && n < H2_CLIENT_HEADERS; headers++) {
        bool is_usual = false;

        for (size_t i = 0; i < COUNT(usual); i++)
            is_usual |= text_equal(usual[i].key, headers->key);
        if (!is_usual)
            all[n++] = header(headers->key, headers->value);
    }
    return n;
}

H2Answer *h2_client_start(
    H2Client *client, const char *path, const RawPair *headers, Bytes body, bool ends)
{
    nghttp2_nv all[H2_CLIENT_HEADERS];
    size_t n = all_headers(all, path, headers);
    Stream *stream = calloc(1, sizeof(*stream));
    nghttp2_data_provider provider = { { .ptr = stream }, on_read };

    if (client->n_streams == H2_CLIENT_STREAMS)
        abort();
    client->streams[client->n_streams++] = stream;
    stream->answer.status = -1;
    stream->body = body;
    stream->ends = ends;
    stream->id = nghttp2_submit_request(client->session, NULL, all, n, &provider, stream);
    nghttp2_session_send(client->session);
    return &stream->answer;
}

bool h2_client_wait(H2Client *client, const H2Answer *answer)
{
    int64_t end = clock_monotonic() + WAIT_MICROS;

    while (!answer->is_closed && !client->is_over && clock_monotonic() < end)
        h2_client_turn(client);
    return answer->is_closed;
}

H2Answer *h2_client_call(H2Client *client, const char *path, const RawPair *headers, Bytes body)
{
    H2Answer *answer = h2_client_start(client, path, headers, body, true);

    CU_ASSERT(h2_client_wait(client, answer));
    return answer;
}

void h2_client_reset(H2Client *client, const H2Answer *answer)
{
    nghttp2_submit_rst_stream(
        client->session, NGHTTP2_FLAG_NONE, ((const Stream *)answer)->id, NGHTTP2_CANCEL);
    nghttp2_session_send(client->session);
}

uint32_t h2_client_skip(H2Client *client)
{
    uint32_t stream = nghttp2_session_get_next_stream_id(client->session);

    nghttp2_session_set_next_stream_id(client->session, (int32_t)stream + 2);
    return stream;
}

void h2_client_window(H2Client *client, uint32_t size)
{
    nghttp2_settings_entry entry = { NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, size };

    nghttp2_submit_settings(client->session, NGHTTP2_FLAG_NONE, &entry, 1);
    nghttp2_session_send(client->session);
}

bool h2_client_is_hung_up(H2Client *client, int64_t *code)
{
    int64_t end = clock_monotonic() + WAIT_MICROS;
    bool is_open = true;

    while (is_open && clock_monotonic() < end)
        is_open = take(client, STEP_MS);
    *code = client->goaway;
    return !is_open;
}

Bytes h2_message(Arena *arena, Bytes message, bool is_compressed)
{
    uint8_t *bytes = arena_alloc(arena, message.size + 5);

    bytes[0] = is_compressed;
    bytes[1] = (uint8_t)(message.size >> 24);
    bytes[2] = (uint8_t)(message.size >> 16);
    bytes[3] = (uint8_t)(message.size >> 8);
    bytes[4] = (uint8_t)message.size;
    if (message.size)
        memcpy(bytes + 5, message.data, message.size);
    return (Bytes){ bytes, message.size + 5 };
}
