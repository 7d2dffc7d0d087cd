/* Calls of one moment that are answered together. */
#include "shared/codec/message.h"
#include "tests/rpc/echo_fixture.h"
#include "tests/rpc/engine.h"
#include "tests/rpc/h2_client.h"
#include "tests/support/test_main.h"

#include <string.h>

enum { MANY = 200, PREFIX = 5 };

static Echo *echo;
static H2Client *client;
static H2Answer *answers[MANY];
static size_t sizes[MANY];

/* One thread of the transport's, so that calls can be made to wait for one another. */
static void start(void)
{
    RpcServerOptions options = { .limits.pollers = 1, .transport = engine_named("h2") };

    echo = echo_start_with(&options);
    client = h2_client_open(echo->port);
    atomic_store(&echo->state.shares, true);
}

static void stop(void)
{
    h2_client_close(client);
    echo_stop(echo);
}

static Bytes payload_of(size_t size)
{
    EchoRequest request = THROUGHLINE__ECHO__V1__ECHO_REQUEST__INIT;

    request.payload = (ProtobufCBinaryData){ size, arena_alloc(echo->arena, size) };
    return message_pack(echo->arena, &request);
}

static H2Answer *begin(size_t size, size_t *answer_size)
{
    Bytes message = payload_of(size);

    if (answer_size)
        *answer_size = PREFIX + message.size;
    return h2_client_start(
        client, ECHO_PATH "Echo", echo_pairs(echo), h2_message(echo->arena, message, false), true);
}

/* Everything that is begun between these two lies in the socket before any of it is read. */
static void keep_waiting(void)
{
    H2Answer *first = begin(1, NULL);

    CU_ASSERT_FATAL(h2_client_wait(client, first));
    atomic_store(&echo->state.shared, 0);
    atomic_store(&echo->state.holds, true);
    begin(1, NULL);
    CU_ASSERT_FATAL(comes_to(&echo->state.held, 1));
}

static void let_go(void)
{
    atomic_store(&echo->state.holds, false);
}

static void check_answers(size_t n)
{
    for (size_t i = 0; i < n; i++) {
        CU_ASSERT_FATAL(h2_client_wait(client, answers[i]));
        CHECK_INT(answers[i]->status, 0);
        CHECK_INT(answers[i]->size, (int64_t)sizes[i]);
    }
}

static void one_call_is_answered_by_itself(void)
{
    answers[0] = begin(7, &sizes[0]);
    check_answers(1);
    CHECK_INT(atomic_load(&echo->state.shared), 1);
    CHECK_INT(atomic_load(&echo->state.largest), 1);
}

static void calls_of_one_turn_are_answered_together(void)
{
    keep_waiting();
    for (size_t i = 0; i < MANY; i++)
        answers[i] = begin(i % 50, &sizes[i]);
    let_go();
    check_answers(MANY);
    CHECK_INT(atomic_load(&echo->state.shared), MANY + 1);
    CU_ASSERT(atomic_load(&echo->state.largest) > 1);
    CU_ASSERT(atomic_load(&echo->state.largest) <= RPC_MAX_SHARERS);
}

static void other_connections_are_of_the_same_turn(void)
{
    H2Client *others[8];
    H2Client *mine = client;

    for (size_t i = 0; i < COUNT(others); i++) {
        client = others[i] = h2_client_open(echo->port);
        CU_ASSERT_FATAL(h2_client_wait(client, begin(1, NULL)));
    }
    client = mine;
    atomic_store(&echo->state.largest, 0);
    keep_waiting();
    for (size_t i = 0; i < COUNT(others); i++) {
        client = others[i];
        answers[i] = begin(i, &sizes[i]);
    }
    let_go();
    for (size_t i = 0; i < COUNT(others); i++) {
        client = others[i];
        CU_ASSERT(h2_client_wait(client, answers[i]));
        CHECK_INT(answers[i]->size, (int64_t)sizes[i]);
        h2_client_close(client);
    }
    client = mine;
    CHECK_INT(atomic_load(&echo->state.largest), COUNT(others));
}

static void calls_share_with_their_kind_only(void)
{
    keep_waiting();
    for (size_t i = 0; i < MANY; i++)
        answers[i] = begin(i % 3 ? 10 : 120, &sizes[i]);
    let_go();
    check_answers(MANY);
    CHECK_INT(atomic_load(&echo->state.shared), MANY + 1);
}

static void a_call_that_is_given_up_meanwhile_holds_up_nobody(void)
{
    keep_waiting();
    for (size_t i = 0; i < MANY; i++) {
        answers[i] = begin(i % 50, &sizes[i]);
        if (i % 3 == 0)
            h2_client_reset(client, answers[i]);
    }
    let_go();
    for (size_t i = 0; i < MANY; i++) {
        CU_ASSERT_FATAL(h2_client_wait(client, answers[i]));
        if (i % 3 == 0)
            continue;
        CHECK_INT(answers[i]->status, 0);
        CHECK_INT(answers[i]->size, (int64_t)sizes[i]);
    }
}

static void a_connection_that_is_lost_meanwhile_harms_nobody(void)
{
    H2Client *mine = client;

    keep_waiting();
    client = h2_client_open(echo->port);
    for (size_t i = 0; i < MANY / 4; i++)
        begin(10, NULL);
    h2_client_close(client);
    client = mine;
    answers[0] = begin(20, &sizes[0]);
    let_go();
    check_answers(1);
}

static void a_call_on_a_worker_completes_its_own_reply(void)
{
    atomic_store(&echo->state.blocks, true);
    answers[0] = begin(7, &sizes[0]);
    check_answers(1);
    CHECK_INT(atomic_load(&echo->state.moved), 1);
    CHECK_INT(atomic_load(&echo->state.shared), 0);
}

static void a_call_on_an_engine_without_turns_completes_its_own_reply(void)
{
    RpcServerOptions options = { .transport = engine_named("core") };
    Echo *other = echo_start_with(&options);
    Bytes message = payload_of(7), reply = { 0 };

    atomic_store(&other->state.shares, true);
    CU_ASSERT_PTR_NULL(raw_unary(
        other->client, other->arena, ECHO_PATH "Echo", echo_pairs(other), message, &reply));
    CHECK_INT(reply.size, (int64_t)message.size);
    CHECK_INT(atomic_load(&other->state.shared), 0);
    echo_stop(other);
}

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        { "one_call_is_answered_by_itself", one_call_is_answered_by_itself },
        { "calls_of_one_turn_are_answered_together", calls_of_one_turn_are_answered_together },
        { "other_connections_are_of_the_same_turn", other_connections_are_of_the_same_turn },
        { "calls_share_with_their_kind_only", calls_share_with_their_kind_only },
        { "a_call_that_is_given_up_meanwhile_holds_up_nobody",
            a_call_that_is_given_up_meanwhile_holds_up_nobody },
        { "a_connection_that_is_lost_meanwhile_harms_nobody",
            a_connection_that_is_lost_meanwhile_harms_nobody },
        { "a_call_on_a_worker_completes_its_own_reply",
            a_call_on_a_worker_completes_its_own_reply },
        { "a_call_on_an_engine_without_turns_completes_its_own_reply",
            a_call_on_an_engine_without_turns_completes_its_own_reply },
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        { .pName = "share", .pSetUpFunc = start, .pTearDownFunc = stop, .pTests = tests },
        CU_SUITE_INFO_NULL,
    };

    return test_main("rpc_share", suites, argc, argv);
}
