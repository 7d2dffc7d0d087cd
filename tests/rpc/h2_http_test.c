/* What HTTP does not allow in a request ends its stream, and nothing else. */
#include "tests/rpc/h2_fixture.h"

#include <string.h>

enum { MAX_PAIRS = 4 };

typedef struct Case {
    const char *what;
    RawPair headers[MAX_PAIRS];
} Case;

static const Case malformed[] = {
    { "no path", { { ":path", "" } } },
    { "no method", { { ":method", "" } } },
    { "no scheme", { { ":scheme", "" } } },
    { "a path that is none", { { ":path", "t.S/Echo" } } },
    { "a second path", { { ":path", "/t.S/Echo" }, { ":path", "/t.S/Echo" } } },
    { "a pseudo-header of answers", { { ":status", "200" } } },
    { "an unknown pseudo-header", { { ":fate", "1" } } },
    { "a blank in a name", { { "x y", "1" } } },
    { "a character beyond ASCII in a name", { { "x-\xc3\xbc", "1" } } },
    { "a control character", { { "x-bell", "ring\aring, and some more" } } },
    { "a deleted character", { { "x-deleted", "gone\x7f" } } },
    { "connection", { { "connection", "close" } } },
    { "keep-alive", { { "keep-alive", "5" } } },
    { "proxy-connection", { { "proxy-connection", "close" } } },
    { "transfer-encoding", { { "transfer-encoding", "chunked" } } },
    { "upgrade", { { "upgrade", "h3" } } },
    { "te", { { "te", "gzip" } } },
    { "a length that is too small", { { "content-length", "5" } } },
    { "a length that is too large", { { "content-length", "7" } } },
    { "a length that is none", { { "content-length", "six" } } },
    { "a length beyond all bounds", { { "content-length", "9999999999999999999" } } },
    { "two lengths", { { "content-length", "6" }, { "content-length", "6" } } },
};

static void malformed_requests_end_their_streams(void)
{
    H2Client *client = h2_client_open(tiny.port);

    for (size_t i = 0; i < COUNT(malformed); i++) {
        const H2Answer *answer =
            h2_client_call(client, "/t.S/Echo", malformed[i].headers, message_of(1));

        if (answer->reset_code != PROTOCOL_ERROR)
            printf("  %s\n", malformed[i].what);
        CHECK_INT(answer->reset_code, PROTOCOL_ERROR);
    }
    CHECK_INT(tiny.arrived, 0);

    CHECK_INT(h2_client_call(client, "/t.S/Echo", NULL, message_of(1))->status, 0);
    h2_client_close(client);
}

static const Case well_formed[] = {
    { "its length", { { "content-length", "6" } } },
    { "all characters that a name may have", { { "x-!#$%&'*+-.^_`|~09az", "1" } } },
    { "values of all kinds", { { "x-tab", "tab\tand \xc3\xbc and blanks  " }, { "x-empty", "" } } },
    { "te", { { "te", "trailers" } } },
};

static void well_formed_requests_are_served(void)
{
    H2Client *client = h2_client_open(tiny.port);

    for (size_t i = 0; i < COUNT(well_formed); i++)
        CHECK_INT(
            h2_client_call(client, "/t.S/Echo", well_formed[i].headers, message_of(1))->status, 0);
    h2_client_close(client);
}

/* In trailers, past the client's library, which would write them small. */
static void capitals_in_names_are_malformed(void)
{
    static const uint8_t block[] = "\0\1X\0011";
    H2Client *client = h2_client_open(tiny.port);
    const H2Answer *answer = h2_client_start(client, "/t.S/Each", NULL, (Bytes){ 0 }, false);

    h2_client_frame(client, HEADERS, END_HEADERS | END_STREAM, 1, block, sizeof(block) - 1);

    CU_ASSERT(h2_client_wait(client, answer));
    CHECK_INT(answer->reset_code, PROTOCOL_ERROR);
    h2_client_close(client);
}

static void trailers_are_the_end(void)
{
    static const uint8_t block[] = "\0\5x-end\0011", pseudo[] = "\x83";
    H2Client *client = h2_client_open(tiny.port);
    const H2Answer *open = h2_client_start(client, "/t.S/Each", NULL, (Bytes){ 0 }, false);
    const H2Answer *odd = h2_client_start(client, "/t.S/Each", NULL, (Bytes){ 0 }, false);
    const H2Answer *well = h2_client_start(client, "/t.S/Each", NULL, (Bytes){ 0 }, false);

    h2_client_frame(client, HEADERS, END_HEADERS, 1, block, sizeof(block) - 1);
    h2_client_frame(client, HEADERS, END_HEADERS | END_STREAM, 3, pseudo, sizeof(pseudo) - 1);
    h2_client_frame(client, HEADERS, END_HEADERS | END_STREAM, 5, block, sizeof(block) - 1);

    CU_ASSERT(h2_client_wait(client, open));
    CHECK_INT(open->reset_code, PROTOCOL_ERROR);
    CU_ASSERT(h2_client_wait(client, odd));
    CHECK_INT(odd->reset_code, PROTOCOL_ERROR);
    for (int i = 0; i < 1000 && well->status < 0; i++)
        h2_client_turn(client); /* the client does not know that its stream is over */
    CHECK_INT(well->status, 0);
    h2_client_close(client);
}

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        { "malformed requests end their streams", malformed_requests_end_their_streams },
        { "well-formed requests are served", well_formed_requests_are_served },
        { "capitals in names are malformed", capitals_in_names_are_malformed },
        { "trailers are the end", trailers_are_the_end },
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        { .pName = "http of h2",
            .pSetUpFunc = h2_start,
            .pTearDownFunc = h2_stop,
            .pTests = tests },
        CU_SUITE_INFO_NULL,
    };

    return test_main("rpc_h2_http_test", suites, argc, argv);
}
