/* The server under TLS, with and without certificates of its clients. */
#include "tests/rpc/certificate.h"
#include "tests/rpc/echo_fixture.h"
#include "tests/support/test_main.h"

static Arena *arena;
static Certificate certificate;
static Echo *echo;

/* NULL where no certificate can be made. */
static void start_with(bool wants_client)
{
    RpcServerOptions options = { 0 };

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

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        { "a call under TLS is answered", a_call_under_tls_is_answered },
        { "a client must show its certificate", a_client_must_show_its_certificate },
        { "plain text is not understood", plain_text_is_not_understood },
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        { .pName = "TLS", .pTests = tests },
        CU_SUITE_INFO_NULL,
    };
    int code;

    arena = arena_new();
    code = test_main("rpc_tls_test", suites, argc, argv);
    arena_free(arena);
    return code;
}
