/* Bad input for every request type, made from its descriptor. Whatever comes, the server answers, says which field is wrong where
 * one is, never calls it a fault of its own, and is well afterwards. THROUGHLINE_SEED repeats a run. */
#include "shared/base/clock.h"
#include "shared/codec/message.h"
#include "shared/codec/scan.h"
#include "tests/fault/served.h"
#include "tests/fault/wire.h"
#include "tests/support/test_main.h"
#include "tests/unit/codec/random_message.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    AT_ONCE = 16, /* calls under way */
    STREAMS_AT_ONCE =
        2, /* the server keeps few threads for those that send more than one message */
    CALL_MS = 20 * 1000,
    ROUNDS = 1600, /* random inputs a request type */
    CI_ROUNDS = 32,
    QUICK_ROUNDS = 16,
    STREAM_MS = 100, /* after which a stream that was opened by good input is given up */
    MAX_MESSAGE_BYTES = 4 * 1024 * 1024,
    MAX_RANDOM_BYTES = 80,
    MAX_CUTS = 24,
    LONG_TEXT_BYTES = 100 * 1000,
};

static uint64_t seed;
static int rounds;

typedef struct Input {
    Bytes bytes;
    const char *reason; /* that must come; NULL: any answer that is not a fault */
    const char *field;  /* that must be named; NULL: none */
} Input;

/* The inputs of one method, sent a few at a time. */
typedef struct Attempt {
    const Served *served;
    Arena *arena;
    const RawPair *metadata;
    Input inputs[AT_ONCE];
    size_t count;
} Attempt;

/* The server's fault, or no answer of the server at all: that has a reason of its own. */
static bool is_fault(const Served *served, const Error *error)
{
    if (!error)
        return false;
    if (text_equal(error->reason, error_code_name((int)error->code)) &&
        error->code != ERROR_DEADLINE_EXCEEDED)
        return true;
    switch (error->code) {
    case ERROR_UNKNOWN:
    case ERROR_INTERNAL:
    case ERROR_DATA_LOSS:
    case ERROR_UNAVAILABLE:
    case ERROR_UNIMPLEMENTED:
    case ERROR_CANCELLED:
    case ERROR_UNAUTHENTICATED:
        return true;
    case ERROR_DEADLINE_EXCEEDED:
        return !served->method->server_streams;
    default:
        return false;
    }
}

static bool names(const Error *error, const char *field)
{
    for (size_t i = 0; error && i < error->n_violations; i++)
        if (text_equal(error->violations[i].field, field))
            return true;
    return false;
}

static const char *describe(Arena *arena, const Error *error, const Input *input)
{
    size_t size = input->bytes.size < MAX_RANDOM_BYTES ? input->bytes.size : MAX_RANDOM_BYTES;

    return arena_printf(arena, "%s %s (%s) for %zu bytes %s",
        error ? error_code_name((int)error->code) : "OK", error_reason(error),
        error && error->n_violations ? error->violations[0].field : "no field", input->bytes.size,
        text_hex(arena, input->bytes.data, size));
}

static void check_answer(const Attempt *attempt, const Input *input, const Error *error)
{
    if (!input->reason && is_fault(attempt->served, error))
        CHECK_TEXT(describe(attempt->arena, error, input), "an answer that is no fault");
    if (input->reason && !text_equal(error_reason(error), input->reason))
        CHECK_TEXT(describe(attempt->arena, error, input), input->reason);
    if (input->field && !names(error, input->field))
        CHECK_TEXT(describe(attempt->arena, error, input), input->field);
}

static void flush(Attempt *attempt)
{
    const RpcMethod *method = attempt->served->method;
    RawCall *calls[AT_ONCE];

    for (size_t i = 0; i < attempt->count; i++) {
        calls[i] = raw_start(served_client(attempt->served), method->path, attempt->metadata,
            method->server_streams && !attempt->inputs[i].reason ? STREAM_MS : CALL_MS);
        raw_send(calls[i], attempt->inputs[i].bytes);
        raw_finish_sending(calls[i]);
    }
    for (size_t i = 0; i < attempt->count; i++) {
        check_answer(attempt, &attempt->inputs[i], raw_status(calls[i]));
        raw_free(calls[i]);
    }
    attempt->count = 0;
}

static void try(Attempt *attempt, Input input)
{
    if (attempt->count == (attempt->served->method->client_streams ? STREAMS_AT_ONCE : AT_ONCE))
        flush(attempt);
    attempt->inputs[attempt->count++] = input;
}

static void cut_everywhere(Attempt *attempt, Random *random)
{
    Bytes whole = message_pack(
        attempt->arena, random_message(random, attempt->arena, attempt->served->method->input));
    size_t step = whole.size / MAX_CUTS + 1;

    for (size_t size = 0; size < whole.size; size += step)
        try(attempt, (Input){ .bytes = { whole.data, size } });
    try(attempt, (Input){ .bytes = whole });
}

static void random_bytes(Attempt *attempt, Random *random)
{
    size_t size = random_below(random, MAX_RANDOM_BYTES);
    uint8_t *bytes = arena_alloc(attempt->arena, size);

    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)random_next(random);
    try(attempt, (Input){ .bytes = { bytes, size } });
}

/* Long enough that an answer which repeats it is larger than what a client takes. */
static void long_text(Attempt *attempt, const WireLeaf *leaf)
{
    uint8_t *text = arena_alloc(attempt->arena, LONG_TEXT_BYTES);

    memset(text, 'x', LONG_TEXT_BYTES);
    try(attempt,
        (Input){ .bytes = wire_bytes(attempt->arena, leaf, (Bytes){ text, LONG_TEXT_BYTES }) });
}

static void bad_texts(Attempt *attempt, const WireLeaf *leaf)
{
    const Bytes not_utf8 = { (const uint8_t *)"ab\xc3\x28", 4 };
    const Bytes with_nul = { (const uint8_t *)"ab\0cd", 5 };
    const Bytes surrogate = { (const uint8_t *)"\xed\xa0\x80", 3 };
    const Bytes bad[] = { not_utf8, with_nul, surrogate };

    for (size_t i = 0; i < COUNT(bad); i++)
        try(attempt, (Input){ .bytes = wire_bytes(attempt->arena, leaf, bad[i]),
                         .reason = "FIELD_INVALID",
                         .field = leaf->path });
    long_text(attempt, leaf);
}

static void extreme_numbers(Attempt *attempt, const WireLeaf *leaf)
{
    static const int64_t extremes[] = { -1, INT32_MIN, INT32_MAX, INT64_C(4294967296), INT64_MIN,
        INT64_MAX };

    for (size_t i = 0; i < COUNT(extremes); i++)
        try(attempt, (Input){ .bytes = wire_number(attempt->arena, leaf, extremes[i]) });
}

static void each_field(Attempt *attempt)
{
    WireLeaf *leaves;
    size_t n = wire_leaves(attempt->arena, attempt->served->method->input, &leaves);

    for (size_t i = 0; i < n; i++) {
        const ProtobufCFieldDescriptor *outer = leaves[i].way[0];
        bool is_first = i == 0 || leaves[i - 1].way[0] != outer;

        if (wire_field(&leaves[i])->type == PROTOBUF_C_TYPE_STRING)
            bad_texts(attempt, &leaves[i]);
        else if (wire_field(&leaves[i])->type != PROTOBUF_C_TYPE_BYTES)
            extreme_numbers(attempt, &leaves[i]);
        if (!is_first || outer->label != PROTOBUF_C_LABEL_REPEATED)
            continue;
        try(attempt, (Input){ .bytes = wire_items(attempt->arena, &leaves[i], SCAN_MAX_ITEMS + 1),
                         .reason = "MESSAGE_TOO_MANY_ITEMS" });
        try(attempt, (Input){ .bytes = wire_items(attempt->arena, &leaves[i], SCAN_MAX_ITEMS) });
    }
}

static void too_large(Attempt *attempt)
{
    static uint8_t bytes[MAX_MESSAGE_BYTES + 1];

    try(attempt, (Input){ .bytes = { bytes, sizeof(bytes) }, .reason = "RESOURCE_EXHAUSTED" });
}

/* The same inputs for a method whatever else is run. */
static uint64_t seed_of(const Served *served)
{
    return seed ^ text_hash(served->label, strlen(served->label));
}

static void whatever_comes_is_answered(void)
{
    const Served *served = served_current();
    Fixture *fixture = served_fixture(served);
    Random random = { .state = seed_of(served), .with_unknown = true };
    Attempt attempt = { .served = served, .arena = arena_new() };

    attempt.metadata =
        served_metadata(attempt.arena, fixture_token(fixture, "*", ""), "web", "agents/fault");
    try(&attempt,
        (Input){ .bytes = { (const uint8_t *)"\xff", 1 }, .reason = "MESSAGE_MALFORMED" });
    each_field(&attempt);
    too_large(&attempt);
    for (int i = 0; i < rounds; i++)
        random_bytes(&attempt, &random);
    for (int i = 0; i < rounds / 16; i++)
        cut_everywhere(&attempt, &random);
    flush(&attempt);
    CU_ASSERT(served_is_healthy(served));
    arena_free(attempt.arena);
}

int main(int argc, char **argv)
{
    const char *chosen = getenv("THROUGHLINE_SEED");
    CU_SuiteInfo suites[] = {
        { .pName = "bad input",
            .pInitFunc = served_start,
            .pCleanupFunc = served_stop,
            .pTests = served_tests(whatever_comes_is_answered, false) },
        CU_SUITE_INFO_NULL,
    };

    seed = chosen ? strtoull(chosen, NULL, 10) : (uint64_t)clock_now();
    rounds = test_size(QUICK_ROUNDS, CI_ROUNDS, ROUNDS);
    printf("THROUGHLINE_SEED=%llu\n", (unsigned long long)seed);
    return test_main("fault_bad_input", suites, argc, argv);
}
