/* A client of its own that knows one call, so that a service that asks nobody else never starts
 * gRPC core. Under TLS it shows the server's own certificate and takes any: it asks whether the
 * port answers, not who does. */
#include "shared/rpc/probe.h"

#include "shared/base/clock.h"
#include "shared/base/text.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <nghttp2/nghttp2.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum { PROBE_TIMEOUT_MICROS = 1000000, READ_BYTES = 4096, MESSAGE_BYTES = 5 };

static const Error probe_failed = { ERROR_UNAVAILABLE, "PROBE_FAILED",
    "The server did not answer a call through its own port within a second." };

/* In the name of the balancer itself. */
static const char proxy_header[] = "\r\n\r\n\0\r\nQUIT\n\x20\0\0";

typedef struct Prober {
    int socket;
    SSL_CTX *context;
    SSL *ssl; /* NULL: plaintext */
    nghttp2_session *session;
    int64_t end; /* clock_monotonic() */
    bool is_answered, is_over;
} Prober;

static const char *host_of(const RpcProbe *probe)
{
    if (text_equal(probe->address, "0.0.0.0"))
        return "127.0.0.1";
    return text_equal(probe->address, "::") ? "::1" : probe->address;
}

/* Every read and write is over within the probe's time. */
static int open_socket(const RpcProbe *probe)
{
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
    struct timeval time = { .tv_sec = PROBE_TIMEOUT_MICROS / 1000000 };
    struct addrinfo *found;
    char port[16];
    int fd;

    snprintf(port, sizeof(port), "%d", probe->port);
    if (getaddrinfo(host_of(probe), port, &hints, &found))
        return -1;
    fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0) {
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &time, sizeof(time));
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof(time));
    }
    if (fd >= 0 && connect(fd, found->ai_addr, found->ai_addrlen)) {
        close(fd);
        fd = -1;
    }
    freeaddrinfo(found);
    return fd;
}

static bool shake_hands(const RpcProbe *probe, Prober *prober)
{
    static const unsigned char protocol[] = { 2, 'h', '2' };

    if (!probe->tls_certificate)
        return true;
    prober->context = SSL_CTX_new(TLS_client_method());
    if (!prober->context ||
        SSL_CTX_use_certificate_chain_file(prober->context, probe->tls_certificate) != 1 ||
        SSL_CTX_use_PrivateKey_file(prober->context, probe->tls_key, SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_set_alpn_protos(prober->context, protocol, sizeof(protocol)) != 0 ||
        !(prober->ssl = SSL_new(prober->context)))
        return false;
    return SSL_set_fd(prober->ssl, prober->socket) == 1 && SSL_connect(prober->ssl) == 1;
}

static ssize_t on_send(
    nghttp2_session *session, const uint8_t *bytes, size_t size, int flags, void *context)
{
    const Prober *prober = context;
    ssize_t n = prober->ssl ? SSL_write(prober->ssl, bytes, (int)size)
                            : send(prober->socket, bytes, size, MSG_NOSIGNAL);

    (void)session, (void)flags;
    return n > 0 ? n : NGHTTP2_ERR_CALLBACK_FAILURE;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
    size_t name_size, const uint8_t *value, size_t size, uint8_t flags, void *context)
{
    static const char status[] = "grpc-status";

    (void)session, (void)frame, (void)flags;
    if (name_size == sizeof(status) - 1 && !memcmp(name, status, name_size))
        ((Prober *)context)->is_answered = size == 1 && *value == '0';
    return 0;
}

static int on_stream_closed(
    nghttp2_session *session, int32_t stream, uint32_t error_code, void *context)
{
    (void)session, (void)stream, (void)error_code;
    ((Prober *)context)->is_over = true;
    return 0;
}

/* One empty message. */
static ssize_t on_read(nghttp2_session *session, int32_t stream, uint8_t *room, size_t size,
    uint32_t *flags, nghttp2_data_source *source, void *context)
{
    (void)session, (void)stream, (void)size, (void)source, (void)context;
    memset(room, 0, MESSAGE_BYTES);
    *flags |= NGHTTP2_DATA_FLAG_EOF;
    return MESSAGE_BYTES;
}

static nghttp2_nv pair(const char *name, const char *value)
{
    return (nghttp2_nv){ (uint8_t *)(uintptr_t)name, (uint8_t *)(uintptr_t)value, strlen(name),
        strlen(value), NGHTTP2_NV_FLAG_NONE };
}

static void open_session(Prober *prober)
{
    const nghttp2_nv headers[] = {
        pair(":method", "POST"),
        pair(":scheme", prober->ssl ? "https" : "http"),
        pair(":path", "/grpc.health.v1.Health/Check"),
        pair(":authority", "localhost"),
        pair("te", "trailers"),
        pair("content-type", "application/grpc"),
    };
    nghttp2_data_provider provider = { .read_callback = on_read };
    nghttp2_session_callbacks *callbacks;

    if (nghttp2_session_callbacks_new(&callbacks))
        abort();
    nghttp2_session_callbacks_set_send_callback(callbacks, on_send);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_closed);
    if (nghttp2_session_client_new(&prober->session, callbacks, prober) ||
        nghttp2_submit_settings(prober->session, NGHTTP2_FLAG_NONE, NULL, 0) ||
        nghttp2_submit_request(prober->session, NULL, headers, COUNT(headers), &provider, NULL) < 0)
        abort();
    nghttp2_session_callbacks_del(callbacks);
}

static void converse(Prober *prober)
{
    uint8_t bytes[READ_BYTES];
    ssize_t n = 1;

    while (n > 0 && !prober->is_over && clock_monotonic() < prober->end &&
           nghttp2_session_send(prober->session) == 0) {
        n = prober->ssl ? SSL_read(prober->ssl, bytes, sizeof(bytes))
                        : recv(prober->socket, bytes, sizeof(bytes), 0);
        if (n > 0 && nghttp2_session_mem_recv(prober->session, bytes, (size_t)n) < 0)
            n = 0;
    }
}

const Error *probe_check(const RpcProbe *probe)
{
    Prober prober = { .socket = open_socket(probe),
        .end = clock_monotonic() + PROBE_TIMEOUT_MICROS };
    ssize_t header = sizeof(proxy_header);

    if (prober.socket < 0)
        return &probe_failed;
    if ((!probe->expects_proxy ||
            send(prober.socket, proxy_header, sizeof(proxy_header), MSG_NOSIGNAL) == header) &&
        shake_hands(probe, &prober)) {
        open_session(&prober);
        converse(&prober);
        nghttp2_session_del(prober.session);
    }
    SSL_free(prober.ssl);
    SSL_CTX_free(prober.context);
    ERR_clear_error();
    close(prober.socket);
    return prober.is_over && prober.is_answered ? NULL : &probe_failed;
}
