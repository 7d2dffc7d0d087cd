/* Many callers at once whose answers come later: whatever the order in which handlers return, those who defer say how it went and callers
 * leave, every call ends once, and rightly. */
#include "shared/base/clock.h"
#include "shared/codec/message.h"
#include "tests/rpc/h2_client.h"
#include "tests/rpc/held.h"
#include "tests/support/test_main.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

enum {
    VISITORS = 64,
    ROUNDS = 20,
    TOGETHER = 4, /* calls of one visitor */
    ENDERS = 3,
    MAX_PAUSE_MICROS = 3000,
    MAX_PAYLOAD = 2000,
};

static Echo *echo;
static atomic_int n_deferred;

static void start(void)
{
    echo = echo_start(NULL);
    held_open();
}

static void stop(void)
{
    echo_stop(echo);
    CHECK_INT(held_count(), 0);
}

static void pause_up_to(unsigned *seed, int micros)
{
    int64_t until = clock_monotonic() + rand_r(seed) % micros;

    while (clock_monotonic() < until)
        sched_yield();
}

/* Ends what is held, well or badly, sooner or later. */
static void *end_held(void *argument)
{
    unsigned seed = (unsigned)(uintptr_t)argument;
    RpcDeferral *deferral;

    while ((deferral = held_take())) {
        pause_up_to(&seed, MAX_PAUSE_MICROS / VISITORS);
        rpc_deferral_end(deferral, rand_r(&seed) % 3);
    }
    return NULL;
}

static void end_anyhow(RpcDeferral *deferral)
{
    switch (atomic_fetch_add(&n_deferred, 1) % 5) {
    case 0:
        rpc_deferral_end(deferral, true);
        break;
    case 1:
        rpc_deferral_end(deferral, false);
        break;
    default:
        held_put(deferral);
    }
}

typedef struct Visitor {
    pthread_t thread;
    unsigned seed;
    const RawPair *pairs;
    int answered, given_up, late, wrong;
} Visitor;

/* What sets a call apart: of eight one leaves and one hurries. */
enum { LEAVES, HURRIES, KINDS = 8 };

/* One of the calls that a visitor has begun together. */
typedef struct Visit {
    int kind;
    H2Answer *answer;
    size_t size; /* of the right answer */
} Visit;

static Visit begin(Visitor *visitor, H2Client *client, Arena *arena)
{
    EchoRequest request = THROUGHLINE__ECHO__V1__ECHO_REQUEST__INIT;
    size_t size = (size_t)rand_r(&visitor->seed) % MAX_PAYLOAD;
    Visit visit = { .kind = rand_r(&visitor->seed) % KINDS };
    RawPair pairs[3] = { visitor->pairs[0] };
    Bytes message;

    if (visit.kind == HURRIES)
        pairs[1] = (RawPair){ "grpc-timeout",
            arena_printf(arena, "%du", 1 + rand_r(&visitor->seed) % MAX_PAUSE_MICROS) };
    request.payload = (ProtobufCBinaryData){ size, arena_alloc(arena, size) };
    message = h2_message(arena, message_pack(arena, &request), false);
    visit.size = message.size;
    visit.answer = h2_client_start(client, ECHO_PATH "Echo", pairs, message, true);
    return visit;
}

static void end(Visitor *visitor, H2Client *client, const Visit *visit)
{
    const H2Answer *answer = visit->answer;

    if (!h2_client_wait(client, answer))
        visitor->wrong++;
    else if (visit->kind == LEAVES)
        visitor->given_up++;
    else if (answer->status == 0 && answer->size == visit->size)
        visitor->answered++;
    else if (answer->status == ERROR_DEADLINE_EXCEEDED && visit->kind == HURRIES)
        visitor->late++;
    else
        visitor->wrong++;
}

static void *call_often(void *argument)
{
    Visitor *visitor = argument;
    H2Client *client = h2_client_open(echo->port);
    Arena *arena = arena_new();
    Visit visits[TOGETHER];

    for (int i = 0; i < ROUNDS; i++) {
        for (int j = 0; j < TOGETHER; j++)
            visits[j] = begin(visitor, client, arena);
        pause_up_to(&visitor->seed, MAX_PAUSE_MICROS);
        for (int j = 0; j < TOGETHER; j++)
            if (visits[j].kind == LEAVES)
                h2_client_reset(client, visits[j].answer);
        for (int j = 0; j < TOGETHER; j++)
            end(visitor, client, &visits[j]);
        arena_reset(arena);
    }
    h2_client_close(client);
    arena_free(arena);
    return NULL;
}

static void in_any_order_every_call_ends_rightly(void)
{
    static Visitor visitors[VISITORS];
    pthread_t enders[ENDERS];
    int answered = 0, given_up = 0, late = 0;

    atomic_store(&echo->state.defers, end_anyhow);
    for (int i = 0; i < ENDERS; i++)
        pthread_create(&enders[i], NULL, end_held, (void *)(uintptr_t)(i + 1));
    for (int i = 0; i < VISITORS; i++) {
        visitors[i] = (Visitor){ .seed = (unsigned)i + 1, .pairs = echo_pairs(echo) };
        pthread_create(&visitors[i].thread, NULL, call_often, &visitors[i]);
    }
    for (int i = 0; i < VISITORS; i++) {
        pthread_join(visitors[i].thread, NULL);
        CHECK_INT(visitors[i].wrong, 0);
        answered += visitors[i].answered;
        given_up += visitors[i].given_up;
        late += visitors[i].late;
    }
    CU_ASSERT(deferrals_come_to_rest(echo));
    held_close();
    for (int i = 0; i < ENDERS; i++)
        pthread_join(enders[i], NULL);

    CHECK_INT(answered + given_up + late, VISITORS * ROUNDS * TOGETHER);
    CU_ASSERT(answered >= VISITORS * ROUNDS * TOGETHER / 2);
    CU_ASSERT(atomic_load(&echo->state.waited) > 0);
}

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        { "in any order every call ends rightly", in_any_order_every_call_ends_rightly },
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        { .pName = "deferral_race", .pSetUpFunc = start, .pTearDownFunc = stop, .pTests = tests },
        CU_SUITE_INFO_NULL,
    };

    return test_main("rpc_deferral_race_test", suites, argc, argv);
}
