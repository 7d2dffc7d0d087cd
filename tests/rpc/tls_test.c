/* The server under TLS, with and without certificates of its clients. */
#include "shared/base/clock.h"
#include "shared/rpc/transport.h"
#include "tests/rpc/certificate.h"
#include "tests/rpc/echo_fixture.h"
#include "tests/rpc/engine.h"
#include "tests/support/test_main.h"

#include <netinet/in.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static Arena *arena;
static const TransportOps *engine;
static Certificate certificate;
static Echo *echo;

static void take_core(void)
{
    engine = engine_named("core");
}

static void take_h2(void)
{
    engine = &transport_h2;
}

/* NULL where no certificate can be made. */
static void start_with(bool wants_client)
{
    RpcServerOptions options = { .transport = engine };

    echo = NULL;
    if (!certificate.path && !certificate_make(arena, &certificate)) {
        test_skip("openssl is not here");
        return;
    }
    options.tls_certificate = certificate.path;
    options.tls_key = certificate.key_path;
    options.tls_client_ca = wants_client ? certificate.path : NULL;
    echo = echo_start_with(&options);
}

static int say(bool shows_certificate)
{
    RawOptions options = { .port = echo->port, .tls_ca = certificate.text };
    RawClient *client;
    const Error *error;

    options.tls_certificate = shows_certificate ? certificate.text : NULL;
    options.tls_key = shows_certificate ? certificate.key_text : NULL;
    client = raw_open_with(&options);
    error = raw_unary(client, echo->arena, ECHO_PATH "Echo", echo_pairs(echo), (Bytes){ 0 }, NULL);
    raw_close(client);
    return error ? (int)error->code : 0;
}

static void a_call_under_tls_is_answered(void)
{
    start_with(false);
    if (!echo)
        return;

    CHECK_INT(say(false), 0);
    CHECK_TEXT(error_reason(rpc_server_probe(echo->server)), "OK");
    echo_stop(echo);
}

static void a_client_must_show_its_certificate(void)
{
    start_with(true);
    if (!echo)
        return;

    CHECK_INT(say(true), 0);
    CHECK_INT(say(false), ERROR_UNAVAILABLE);
    CHECK_TEXT(error_reason(rpc_server_probe(echo->server)), "OK");
    echo_stop(echo);
}

static void plain_text_is_not_understood(void)
{
    start_with(false);
    if (!echo)
        return;

    CHECK_INT(
        raw_unary(echo->client, echo->arena, ECHO_PATH "Echo", echo_pairs(echo), (Bytes){ 0 }, NULL)
            ->code,
        ERROR_UNAVAILABLE);
    CHECK_INT(say(false), 0);
    echo_stop(echo);
}

/* Whether a handshake succeeds, and the connection is kept, with the newest protocol and what it
 * offers of ALPN ("" : nothing). */
static bool shakes_hands(int version, const char *offer)
{
    struct sockaddr_in name = { .sin_family = AF_INET,
        .sin_port = htons((uint16_t)echo->port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    SSL *ssl = SSL_new(context);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    char byte;
    bool is_kept;

    CU_ASSERT_FATAL(fd >= 0 && !connect(fd, (struct sockaddr *)&name, sizeof(name)));
    SSL_set_max_proto_version(ssl, version);
    if (*offer)
        SSL_set_alpn_protos(ssl, (const unsigned char *)offer, (unsigned)strlen(offer));
    SSL_set_fd(ssl, fd);
    is_kept = SSL_connect(ssl) == 1 && SSL_read(ssl, &byte, 1) == 1; /* of its SETTINGS */
    SSL_free(ssl);
    SSL_CTX_free(context);
    close(fd);
    return is_kept;
}

static void only_tls_1_3_and_http2_are_spoken(void)
{
    start_with(false);
    if (!echo)
        return;

    CU_ASSERT(shakes_hands(TLS1_3_VERSION, "\2h2"));
    CU_ASSERT(shakes_hands(TLS1_3_VERSION, "\10http/1.1\2h2"));
    CU_ASSERT_FALSE(shakes_hands(TLS1_2_VERSION, "\2h2"));
    CU_ASSERT_FALSE(shakes_hands(TLS1_3_VERSION, "\10http/1.1"));
    CU_ASSERT_FALSE(shakes_hands(TLS1_3_VERSION, ""));
    CHECK_INT(say(false), 0);
    echo_stop(echo);
}

/* A new certificate in the files of the old; false where none can be made. */
static bool renew(void)
{
    Certificate renewed;

    if (!certificate_make(arena, &renewed) || rename(renewed.key_path, certificate.key_path) ||
        rename(renewed.path, certificate.path))
        return false;
    certificate.text = renewed.text;
    certificate.key_text = renewed.key_text;
    return true;
}

static void a_renewed_certificate_is_shown_without_a_restart(void)
{
    RawClient *before;
    int code = -1;

    start_with(false);
    if (!echo)
        return;
    before = raw_open_with(&(RawOptions){ .port = echo->port, .tls_ca = certificate.text });
    CHECK_TEXT(error_reason(raw_unary(
                   before, echo->arena, ECHO_PATH "Echo", echo_pairs(echo), (Bytes){ 0 }, NULL)),
        "OK");
    CU_ASSERT_FATAL(renew());
    for (int i = 0; i < 100 && code != 0; i++) {
        code = say(false);
        clock_sleep_ms(code ? 100 : 0);
    }

    CHECK_INT(code, 0);
    CHECK_TEXT(error_reason(raw_unary(
                   before, echo->arena, ECHO_PATH "Echo", echo_pairs(echo), (Bytes){ 0 }, NULL)),
        "OK");
    raw_close(before);
    echo_stop(echo);
}

static void files_that_became_useless_change_nothing(void)
{
    FILE *file;
    int64_t end;

    start_with(false);
    if (!echo)
        return;
    file = fopen(certificate.path, "we");
    CU_ASSERT_FATAL(file != NULL);
    fputs("no certificate\n", file);
    fclose(file);
    end = clock_monotonic() + 1500000; /* it looks once a second */
    while (clock_monotonic() < end)
        CHECK_INT(say(false), 0);
    echo_stop(echo);
    certificate.path = NULL;
}

int main(int argc, char **argv)
{
    CU_TestInfo both[] = {
        { "a call under TLS is answered", a_call_under_tls_is_answered },
        { "a client must show its certificate", a_client_must_show_its_certificate },
        { "plain text is not understood", plain_text_is_not_understood },
        CU_TEST_INFO_NULL,
    };
    CU_TestInfo own[] = {
        { "only TLS 1.3 and HTTP/2 are spoken", only_tls_1_3_and_http2_are_spoken },
        { "a renewed certificate is shown without a restart",
            a_renewed_certificate_is_shown_without_a_restart },
        { "files that became useless change nothing", files_that_became_useless_change_nothing },
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        { .pName = "TLS by gRPC core", .pSetUpFunc = take_core, .pTests = both },
        { .pName = "TLS by OpenSSL", .pSetUpFunc = take_h2, .pTests = both },
        { .pName = "TLS by OpenSSL alone", .pSetUpFunc = take_h2, .pTests = own },
        CU_SUITE_INFO_NULL,
    };
    int code;

    arena = arena_new();
    code = test_main("rpc_tls_test", suites, argc, argv);
    arena_free(arena);
    return code;
}
