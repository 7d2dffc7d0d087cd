/* The client and what lies between it and a server: names, TLS, connections that come to their end, large and compressed messages,
 * peers that speak something else, proxies that answer themselves. */
#include "shared/base/clock.h"
#include "shared/base/log.h"
#include "tests/rpc/certificate.h"
#include "tests/rpc/client_fixture.h"
#include "tests/support/test_main.h"

#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { LARGE_BYTES = 3 * 1024 * 1024, AGE_MS = 60, AGED_CALLS = 400, MANY = 20000 };

/* HTTP/2's own numbers (RFC 9113). */
enum { PREFACE = 24, FRAME_HEAD = 9, STREAM = 5, MAX_FRAME = 16384 };
enum { HEADERS = 1, RST_STREAM = 3, SETTINGS = 4 };
enum { END_STREAM = 1, END_HEADERS = 4 };
enum {
    INTERNAL_ERROR = 2,
    REFUSED_STREAM = 7,
    CANCEL = 8,
    ENHANCE_YOUR_CALM = 11,
    INADEQUATE_SECURITY = 12,
};

/* Of the test that runs. */
static Certificate certificate;

static const char *with_port(const char *format)
{
    return arena_printf(fixture.arena, "%s:%d", format, fixture.backends[0].port);
}

static void every_kind_of_target_is_understood(void)
{
    use_target(with_port("localhost"));
    CHECK_TEXT(error_reason(echo()), "OK");
    use_target(with_port("dns:///localhost"));
    CHECK_TEXT(error_reason(echo()), "OK");
    use_target(with_port("ipv4:127.0.0.1"));
    CHECK_TEXT(error_reason(echo()), "OK");
}

static void a_name_without_address_is_said(void)
{
    use_target("dns:///nobody.invalid:7001");

    CHECK_TEXT(error_reason(echo()), "PEER_UNAVAILABLE");
}

/* The first backend anew; the others' clients do not know it. */
static void restart(const RpcServerOptions *options)
{
    stop_backend(&fixture.backends[0]);
    fixture.backends[0].options = *options;
    start_backend(&fixture.backends[0], 0);
}

/* False where no certificate can be made. */
static bool start_tls(bool wants_client)
{
    if (!certificate_make(fixture.arena, &certificate)) {
        test_skip("openssl is not here");
        return false;
    }
    restart(&(RpcServerOptions){ .tls_certificate = certificate.path,
        .tls_key = certificate.key_path,
        .tls_client_ca = wants_client ? certificate.path : NULL });
    return true;
}

static void calls_go_over_tls(void)
{
    if (!start_tls(false))
        return;

    use_options(
        &(RpcClientOptions){ .target = with_port("localhost"), .tls_ca = certificate.path });
    CHECK_TEXT(error_reason(echo()), "OK");
    use_target(with_port("localhost"));
    CHECK_TEXT(error_reason(echo()), "PEER_UNAVAILABLE");
}

static void a_peer_of_another_name_is_refused(void)
{
    if (!start_tls(false))
        return;

    use_options(
        &(RpcClientOptions){ .target = with_port("127.0.0.1"), .tls_ca = certificate.path });
    CHECK_TEXT(error_reason(echo()), "PEER_UNAVAILABLE");
}

static void the_client_shows_its_certificate(void)
{
    if (!start_tls(true))
        return;

    use_options(&(RpcClientOptions){ .target = with_port("localhost"),
        .tls_ca = certificate.path,
        .tls_certificate = certificate.path,
        .tls_key = certificate.key_path });
    CHECK_TEXT(error_reason(echo()), "OK");
    use_options(
        &(RpcClientOptions){ .target = with_port("localhost"), .tls_ca = certificate.path });
    CHECK_TEXT(error_reason(echo()), "PEER_UNAVAILABLE");
}

/* None of the calls may be said twice, so all depends on the connection's orderly end. */
static void connections_end_without_losing_a_call(void)
{
    int64_t start_at = clock_monotonic();
    int calls = 0;

    restart(&(RpcServerOptions){ .limits = { .max_age_ms = AGE_MS } });
    use_target(with_port("127.0.0.1"));
    while (ms_since(start_at) < 10 * AGE_MS || calls < AGED_CALLS) {
        RpcOutgoing outgoing = for_ms(WAIT_MS);
        EchoContextRequest request = THROUGHLINE__ECHO__V1__ECHO_CONTEXT_REQUEST__INIT;
        EchoContextResponse reply = THROUGHLINE__ECHO__V1__ECHO_CONTEXT_RESPONSE__INIT;

        outgoing.arena = arena_new();
        CHECK_TEXT(error_reason(rpc_client_call(
                       fixture.client, &outgoing, ECHO, "EchoContext", &request, &reply)),
            "OK");
        arena_free(outgoing.arena);
        calls++;
    }

    CHECK_INT(atomic_load(&fixture.backends[0].calls), calls);
}

static void echo_large(void)
{
    RpcOutgoing outgoing = for_ms(WAIT_MS);
    EchoRequest request = THROUGHLINE__ECHO__V1__ECHO_REQUEST__INIT;
    EchoResponse reply = THROUGHLINE__ECHO__V1__ECHO_RESPONSE__INIT;
    uint8_t *payload = arena_alloc(fixture.arena, LARGE_BYTES);

    for (size_t i = 0; i < LARGE_BYTES; i++)
        payload[i] = (uint8_t)(i % 251);
    request.payload = (ProtobufCBinaryData){ LARGE_BYTES, payload };
    CHECK_TEXT(
        error_reason(rpc_client_call(fixture.client, &outgoing, ECHO, "Echo", &request, &reply)),
        "OK");

    CHECK_INT(reply.payload.len, LARGE_BYTES);
    CU_ASSERT_TRUE(
        reply.payload.len == LARGE_BYTES && !memcmp(reply.payload.data, payload, LARGE_BYTES));
}

static void large_messages_go_and_come(void)
{
    echo_large();
}

static void compressed_messages_are_read(void)
{
    atomic_store(&fixture.backends[0].compresses, true);

    echo_large();
}

/* A reader who is late finds everything in order; what came meanwhile waited at the server. */
static void a_late_reader_misses_nothing(void)
{
    RpcOutgoing outgoing = for_ms(WAIT_MS);
    EchoManyRequest request = THROUGHLINE__ECHO__V1__ECHO_MANY_REQUEST__INIT;
    Arena *own = arena_new();
    RpcClientStream *stream;
    void *message = NULL;

    request.count = MANY;
    CU_ASSERT_PTR_NULL_FATAL(
        rpc_client_open_stream(fixture.client, &outgoing, ECHO, "EchoMany", &stream));
    CHECK_TEXT(error_reason(rpc_client_send(stream, &request)), "OK");
    CHECK_TEXT(error_reason(rpc_client_finish_sending(stream)), "OK");
    clock_sleep_ms(100);
    for (int i = 0; i < MANY; i++) {
        CHECK_TEXT(error_reason(rpc_client_receive(stream, own, &message)), "OK");
        CU_ASSERT_PTR_NOT_NULL_FATAL(message);
        CHECK_INT(((EchoManyResponse *)message)->number, i);
        arena_reset(own);
    }
    CHECK_TEXT(error_reason(rpc_client_receive(stream, own, &message)), "OK");
    CU_ASSERT_PTR_NULL(message);
    rpc_client_close_stream(stream);
    arena_free(own);
}

typedef struct Stranger {
    int socket, port;
    const char *says;
    size_t size;
    pthread_t thread;
} Stranger;

/* To whoever comes: what it has to say, and good-bye. */
static void *be_strange(void *context)
{
    const Stranger *stranger = context;
    int fd;

    while ((fd = accept(stranger->socket, NULL, NULL)) >= 0) {
        if (stranger->size)
            CU_ASSERT(send(fd, stranger->says, stranger->size, MSG_NOSIGNAL) > 0);
        close(fd);
    }
    return NULL;
}

static int listen_somewhere(int *port)
{
    struct sockaddr_in name = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t size = sizeof(name);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    CU_ASSERT_FATAL(!bind(fd, (struct sockaddr *)&name, sizeof(name)) && !listen(fd, 16) &&
                    !getsockname(fd, (struct sockaddr *)&name, &size));
    *port = ntohs(name.sin_port);
    return fd;
}

static void meet(const char *says, size_t size)
{
    Stranger stranger = { .says = says, .size = size };
    RpcOutgoing outgoing = for_ms(WAIT_MS);
    const Error *error;

    stranger.socket = listen_somewhere(&stranger.port);
    pthread_create(&stranger.thread, NULL, be_strange, &stranger);
    use_target(arena_printf(fixture.arena, "127.0.0.1:%d", stranger.port));
    error = slowly(&outgoing, 0, 0);

    CHECK_TEXT(error_reason(error), "PEER_UNAVAILABLE");
    shutdown(stranger.socket, SHUT_RDWR);
    pthread_join(stranger.thread, NULL);
    close(stranger.socket);
}

static void a_peer_that_hangs_up_is_not_there(void)
{
    meet("", 0);
}

static void a_peer_that_speaks_something_else_is_not_there(void)
{
    static const char page[] = "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n";

    meet(page, sizeof(page) - 1);
}

static void a_peer_of_broken_frames_is_not_there(void)
{
    /* SETTINGS of a length that no SETTINGS has */
    static const char frames[] = "\0\0\5\4\0\0\0\0\0hello";

    meet(frames, sizeof(frames) - 1);
}

/* What a proxy between us answers every request with: a frame of this type and these contents on the request's stream. */
typedef struct Proxy {
    int socket, port;
    uint8_t type, flags, size;
    const uint8_t *contents;
    const char *no_health; /* what it answers the question for its health with */
    pthread_t thread;
} Proxy;

static const char not_found[] = "\x8d"; /* :status 404, the thirteenth of HPACK's own fields */

static bool receive_all(int fd, uint8_t *bytes, size_t size)
{
    return recv(fd, bytes, size, MSG_WAITALL) == (ssize_t)size;
}

static void answer(const Proxy *proxy, int fd, const uint8_t *stream)
{
    uint8_t head[FRAME_HEAD] = { 0, 0, proxy->size, proxy->type, proxy->flags };

    memcpy(head + STREAM, stream, FRAME_HEAD - STREAM);
    (void)send(fd, head, sizeof(head), MSG_NOSIGNAL);
    (void)send(fd, proxy->contents, proxy->size, MSG_NOSIGNAL);
}

/* Until the client hangs up. What it asks first is how the server is: whoever knows nothing of that is taken as well. */
static void serve_as_proxy(const Proxy *proxy, int fd)
{
    static const uint8_t settings[FRAME_HEAD] = { 0, 0, 0, SETTINGS };
    const Proxy no_health = { .type = HEADERS,
        .flags = END_STREAM | END_HEADERS,
        .size = (uint8_t)strlen(proxy->no_health),
        .contents = (const uint8_t *)proxy->no_health };
    uint8_t bytes[MAX_FRAME], head[FRAME_HEAD];
    bool is_first = true;

    (void)send(fd, settings, sizeof(settings), MSG_NOSIGNAL);
    if (!receive_all(fd, bytes, PREFACE))
        return;
    while (receive_all(fd, head, sizeof(head)) &&
           receive_all(fd, bytes, (size_t)(head[0] << 16 | head[1] << 8 | head[2])))
        if (head[3] == HEADERS) {
            answer(is_first ? &no_health : proxy, fd, head + STREAM);
            is_first = false;
        }
}

static void *be_a_proxy(void *context)
{
    const Proxy *proxy = context;
    int fd;

    while ((fd = accept(proxy->socket, NULL, NULL)) >= 0) {
        serve_as_proxy(proxy, fd);
        close(fd);
    }
    return NULL;
}

/* The code of a call that is answered so. */
static int code_behind(Proxy proxy)
{
    RpcOutgoing outgoing = for_ms(WAIT_MS);
    const Error *error;

    if (!proxy.no_health)
        proxy.no_health = not_found;
    proxy.socket = listen_somewhere(&proxy.port);
    pthread_create(&proxy.thread, NULL, be_a_proxy, &proxy);
    use_target(arena_printf(fixture.arena, "127.0.0.1:%d", proxy.port));
    error = slowly(&outgoing, 0, 0);
    use_target(with_port("ipv4:127.0.0.1")); /* hangs up on the proxy */
    shutdown(proxy.socket, SHUT_RDWR);
    pthread_join(proxy.thread, NULL);
    close(proxy.socket);
    return error ? (int)error->code : 0;
}

static void the_status_of_a_proxy_is_told_as_a_code(void)
{
    static const struct {
        const char *status;
        int code;
    } pages[] = { { "400", ERROR_INTERNAL }, { "401", ERROR_UNAUTHENTICATED },
        { "403", ERROR_PERMISSION_DENIED }, { "404", ERROR_UNIMPLEMENTED },
        { "503", ERROR_UNAVAILABLE }, { "418", ERROR_UNKNOWN } };

    for (size_t i = 0; i < COUNT(pages); i++) {
        /* ":status" is the eighth of HPACK's own names. */
        uint8_t block[] = { 8, 3, (uint8_t)pages[i].status[0], (uint8_t)pages[i].status[1],
            (uint8_t)pages[i].status[2] };

        CHECK_INT(code_behind((Proxy){ .type = HEADERS,
                      .flags = END_STREAM | END_HEADERS,
                      .size = sizeof(block),
                      .contents = block }),
            pages[i].code);
    }
}

static void a_peer_without_health_takes_calls(void)
{
    /* :status 200, and a field in full */
    static const char unimplemented[] = "\x88\x40\13grpc-status\2"
                                        "12";
    static const uint8_t cancelled[] = { 0, 0, 0, CANCEL };
    Proxy proxy = { .type = RST_STREAM, .size = sizeof(cancelled), .contents = cancelled };

    CHECK_INT(code_behind(proxy), ERROR_CANCELLED);
    proxy.no_health = unimplemented;
    CHECK_INT(code_behind(proxy), ERROR_CANCELLED);
}

static void a_reset_is_told_as_a_code(void)
{
    static const struct {
        uint8_t reset;
        int code;
    } resets[] = { { CANCEL, ERROR_CANCELLED }, { ENHANCE_YOUR_CALM, ERROR_RESOURCE_EXHAUSTED },
        { INADEQUATE_SECURITY, ERROR_PERMISSION_DENIED }, { REFUSED_STREAM, ERROR_UNAVAILABLE },
        { INTERNAL_ERROR, ERROR_INTERNAL } };

    for (size_t i = 0; i < COUNT(resets); i++) {
        uint8_t contents[] = { 0, 0, 0, resets[i].reset };

        CHECK_INT(code_behind((Proxy){ .type = RST_STREAM, .size = 4, .contents = contents }),
            resets[i].code);
    }
}

static CU_TestInfo wire_tests[] = {
    { "every_kind_of_target_is_understood", every_kind_of_target_is_understood },
    { "a_name_without_address_is_said", a_name_without_address_is_said },
    { "calls_go_over_tls", calls_go_over_tls },
    { "a_peer_of_another_name_is_refused", a_peer_of_another_name_is_refused },
    { "the_client_shows_its_certificate", the_client_shows_its_certificate },
    { "connections_end_without_losing_a_call", connections_end_without_losing_a_call },
    { "large_messages_go_and_come", large_messages_go_and_come },
    { "compressed_messages_are_read", compressed_messages_are_read },
    { "a_late_reader_misses_nothing", a_late_reader_misses_nothing },
    { "a_peer_that_hangs_up_is_not_there", a_peer_that_hangs_up_is_not_there },
    { "a_peer_that_speaks_something_else_is_not_there",
        a_peer_that_speaks_something_else_is_not_there },
    { "a_peer_of_broken_frames_is_not_there", a_peer_of_broken_frames_is_not_there },
    { "the_status_of_a_proxy_is_told_as_a_code", the_status_of_a_proxy_is_told_as_a_code },
    { "a_peer_without_health_takes_calls", a_peer_without_health_takes_calls },
    { "a_reset_is_told_as_a_code", a_reset_is_told_as_a_code },
    CU_TEST_INFO_NULL,
};

int main(int argc, char **argv)
{
    CU_SuiteInfo suites[] = {
        { .pName = "wire", .pSetUpFunc = start, .pTearDownFunc = stop, .pTests = wire_tests },
        CU_SUITE_INFO_NULL,
    };

    log_setup("test", LOG_OFF);
    return test_main("rpc_client_wire_test", suites, argc, argv);
}
