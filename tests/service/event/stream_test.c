/* Streams from the log: the whole log for other services, one aggregate for watchers. */
#include "shared/base/clock.h"
#include "shared/event/lease.h"
#include "tests/service/event/note_service.h"
#include "tests/support/fixture.h"
#include "tests/support/test_main.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

typedef Throughline__Event__V1__Position Position;
typedef Throughline__Event__V1__SubscribeRequest SubscribeRequest;
typedef Throughline__Event__V1__SubscribeResponse SubscribeResponse;

static Fixture *fixture;

static void start(void)
{
    fixture = fixture_start(&note_service);
}

static void stop(void)
{
    CU_ASSERT_TRUE(fixture_stop(fixture));
}

static void write_note(const char *name, const char *text, const char *customer)
{
    WriteNoteRequest request = THROUGHLINE__ECHO__V1__WRITE_NOTE_REQUEST__INIT;
    Note note = THROUGHLINE__ECHO__V1__NOTE__INIT;

    request.name = (char *)name;
    request.text = (char *)text;
    request.customer = (char *)customer;
    CHECK_TEXT(error_reason(fixture_call(fixture, "NoteService/WriteNote", &request, &note)), "OK");
}

static void write_many(int count, const char *customer)
{
    for (int i = 0; i < count; i++)
        write_note(arena_printf(fixture_arena(fixture), "notes/n%d", i % 7),
            arena_printf(fixture_arena(fixture), "text %d", i), customer);
}

/* What a subscriber keeps: positions, and how much it got. */
typedef struct Reader {
    RpcClientStream *stream;
    int64_t positions[STORE_PARTITIONS];
    int max_events; /* that it asks for in a message */
    int n_events, n_messages;
    int n_skipped;
} Reader;

static const Error *subscribe(Reader *reader, const char *type)
{
    SubscribeRequest request = THROUGHLINE__EVENT__V1__SUBSCRIBE_REQUEST__INIT;
    Position positions[STORE_PARTITIONS];
    Position *list[STORE_PARTITIONS];

    for (int i = 0; i < STORE_PARTITIONS; i++) {
        throughline__event__v1__position__init(&positions[i]);
        positions[i].partition = i;
        positions[i].sequence = reader->positions[i];
        list[i] = &positions[i];
    }
    request.positions = list;
    request.n_positions = STORE_PARTITIONS;
    request.types = (char **)&type;
    request.n_types = type ? 1 : 0;
    request.max_events = reader->max_events;
    return fixture_open(fixture, "EventService/Subscribe", &request, &reader->stream);
}

/* Takes the next message; checks that it follows without a gap. */
static const Error *take(Reader *reader)
{
    const SubscribeResponse *response;
    const Position *position;
    const Error *error;
    void *message;

    if ((error = rpc_client_receive(reader->stream, fixture_arena(fixture), &message)))
        return error;
    CU_ASSERT_PTR_NOT_NULL_FATAL(message);
    response = message;
    position = response->position;
    CU_ASSERT_PTR_NOT_NULL_FATAL(position);
    CHECK_INT(position->sequence,
        reader->positions[position->partition] + response->skipped + (response->event ? 1 : 0));
    reader->positions[position->partition] = position->sequence;
    if (response->event) {
        CHECK_INT(response->event->sequence, position->sequence);
        reader->n_events++;
    } else {
        CU_ASSERT_TRUE(response->skipped > 0);
    }
    reader->n_skipped += (int)response->skipped;
    for (size_t i = 0; i < response->n_more; i++, reader->n_events++)
        CHECK_INT(response->more[i]->sequence, ++reader->positions[response->more[i]->partition]);
    CU_ASSERT_TRUE(response->n_more == 0 || (int)response->n_more < reader->max_events);
    reader->n_messages++;
    return NULL;
}

static void take_many(Reader *reader, int count)
{
    for (int i = 0; i < count; i++)
        CU_ASSERT_PTR_NULL_FATAL(take(reader));
}

static void a_subscriber_gets_what_was_and_what_comes(void)
{
    Reader reader = { 0 };

    write_many(20, "");
    CU_ASSERT_PTR_NULL_FATAL(subscribe(&reader, NULL));
    take_many(&reader, 20);
    write_many(15, "");
    take_many(&reader, 15);

    CHECK_INT(reader.n_events, 35);
    rpc_client_close_stream(reader.stream);
}

static void a_subscriber_goes_on_where_it_stopped(void)
{
    Reader reader = { 0 };

    write_many(30, "");
    CU_ASSERT_PTR_NULL_FATAL(subscribe(&reader, NULL));
    take_many(&reader, 17);
    rpc_client_close_stream(reader.stream);
    write_many(10, "");

    CU_ASSERT_PTR_NULL_FATAL(subscribe(&reader, NULL));
    take_many(&reader, 23);

    CHECK_INT(reader.n_events, 40);
    rpc_client_close_stream(reader.stream);
}

/* Several may be left out at once. */
static void take_until_skipped(Reader *reader, int count)
{
    while (reader->n_skipped < count)
        CU_ASSERT_PTR_NULL_FATAL(take(reader));
    CHECK_INT(reader->n_skipped, count);
}

static void types_that_are_not_wanted_move_the_position_only(void)
{
    Reader none = { 0 }, all = { 0 };

    write_many(10, "");
    CU_ASSERT_PTR_NULL_FATAL(subscribe(&none, "throughline.cart.v1.LineAdded"));
    CU_ASSERT_PTR_NULL_FATAL(subscribe(&all, "throughline.echo.v1.NoteWritten"));
    take_until_skipped(&none, 10);
    take_many(&all, 10);
    write_many(5, "");
    take_until_skipped(&none, 15);
    take_many(&all, 5);

    CHECK_INT(none.n_events, 0);
    CHECK_INT(all.n_events, 15);
    CHECK_INT(all.n_skipped, 0);
    CU_ASSERT_FALSE(memcmp(none.positions, all.positions, sizeof(none.positions)));
    rpc_client_close_stream(none.stream);
    rpc_client_close_stream(all.stream);
}

static void take_until(Reader *reader, int n_events)
{
    while (reader->n_events < n_events)
        CU_ASSERT_PTR_NULL_FATAL(take(reader));
    CHECK_INT(reader->n_events, n_events);
}

/* All of one partition, in one transaction. */
static void write_together(int count)
{
    StoreView view = fixture_view(fixture);
    StoreWrite *writes = arena_array(view.arena, (size_t)count, sizeof(*writes));
    NoteWritten *events = arena_array(view.arena, (size_t)count, sizeof(*events));
    Note *written = arena_array(view.arena, (size_t)count, sizeof(*written));
    const void **told = arena_array(view.arena, (size_t)count, sizeof(*told));

    for (int i = 0; i < count; i++) {
        written[i] = (Note)THROUGHLINE__ECHO__V1__NOTE__INIT;
        written[i].name = arena_printf(view.arena, "notes/together-%d", i);
        written[i].customer = (char *)"customers/ann";
        events[i] = (NoteWritten)THROUGHLINE__ECHO__V1__NOTE_WRITTEN__INIT;
        events[i].note = &written[i];
        told[i] = &events[i];
        writes[i] = (StoreWrite){ .kind = STORE_PUT,
            .collection = &notes,
            .message = &written[i],
            .events = &told[i],
            .n_events = 1 };
    }
    CHECK_TEXT(error_reason(store_write(&view, writes, (size_t)count)), "OK");
}

/* An event of another type in the same partition. */
static void write_other(void)
{
    StoreView view = fixture_view(fixture);
    Note note = THROUGHLINE__ECHO__V1__NOTE__INIT;

    note.name = (char *)"notes/other";
    note.customer = (char *)"customers/ann";
    CHECK_TEXT(error_reason(store_put(&view, &notes, &note, &note)), "OK");
}

static void events_come_together_for_who_wants_that(void)
{
    Reader one = { 0 }, many = { .max_events = 16 };

    write_many(40, "customers/ann");
    CU_ASSERT_PTR_NULL_FATAL(subscribe(&one, NULL));
    CU_ASSERT_PTR_NULL_FATAL(subscribe(&many, NULL));
    take_until(&one, 40);
    take_until(&many, 40);

    CHECK_INT(one.n_messages, 40);
    CHECK_INT(many.n_messages, 3);

    write_together(30);
    take_until(&one, 70);
    take_until(&many, 70);

    CHECK_INT(one.n_messages, 70);
    CHECK_INT(many.n_messages, 5);
    rpc_client_close_stream(one.stream);
    rpc_client_close_stream(many.stream);
}

static void a_message_has_at_most_256_events(void)
{
    Reader reader = { .max_events = EVENT_MAX_IN_MESSAGE + 1 };

    CU_ASSERT_PTR_NULL_FATAL(subscribe(&reader, NULL));
    CHECK_TEXT(error_reason(take(&reader)), "FIELD_INVALID");
    rpc_client_close_stream(reader.stream);
}

/* Those that are not wanted come between those that are: nothing stands behind a gap in a message. */
static void what_is_left_out_is_counted_among_events_that_come_together(void)
{
    Reader reader = { .max_events = 16 };

    for (int i = 0; i < 6; i++) {
        write_note("notes/a", "wanted", "customers/ann");
        write_note("notes/a", "wanted", "customers/ann");
        write_other();
    }
    CU_ASSERT_PTR_NULL_FATAL(subscribe(&reader, "throughline.echo.v1.NoteWritten"));
    take_until(&reader, 12);
    take_until_skipped(&reader, 6);

    rpc_client_close_stream(reader.stream);
}

static void a_slow_subscriber_misses_nothing_and_holds_nobody_up(void)
{
    enum { N_EVENTS = 600 };
    static char text[1000];
    Reader slow = { 0 }, quick = { 0 };

    memset(text, 'x', sizeof(text) - 1);
    CU_ASSERT_PTR_NULL_FATAL(subscribe(&slow, NULL));
    CU_ASSERT_PTR_NULL_FATAL(subscribe(&quick, NULL));
    for (int i = 0; i < N_EVENTS; i++) {
        write_note(i % 2 ? "notes/a" : "notes/b", text, "customers/ann");
        take_many(&quick, 1);
    }

    /* 600 kB were offered: more than the stream's queue and the connection's windows hold. */
    take_many(&slow, N_EVENTS);

    CHECK_INT(slow.n_events, N_EVENTS);
    CHECK_INT(quick.n_events, N_EVENTS);
    rpc_client_close_stream(slow.stream);
    rpc_client_close_stream(quick.stream);
}

static const Error *subscribe_at(int partition, int64_t sequence, int n_positions)
{
    SubscribeRequest request = THROUGHLINE__EVENT__V1__SUBSCRIBE_REQUEST__INIT;
    Position position = THROUGHLINE__EVENT__V1__POSITION__INIT;
    Position *list[] = { &position, &position };
    RpcClientStream *stream;
    const Error *error;
    void *message;

    position.partition = partition;
    position.sequence = sequence;
    request.positions = list;
    request.n_positions = (size_t)n_positions;
    if ((error = fixture_open(fixture, "EventService/Subscribe", &request, &stream)))
        return error;
    error = rpc_client_receive(stream, fixture_arena(fixture), &message);
    rpc_client_close_stream(stream);
    return error;
}

static void positions_outside_the_log_are_refused(void)
{
    CHECK_TEXT(error_reason(subscribe_at(0, 1, 1)), "FIELD_INVALID");
    CHECK_TEXT(error_reason(subscribe_at(0, -1, 1)), "FIELD_INVALID");
    CHECK_TEXT(error_reason(subscribe_at(8, 0, 1)), "FIELD_INVALID");
    CHECK_TEXT(error_reason(subscribe_at(-1, 0, 1)), "FIELD_INVALID");
    CHECK_TEXT(error_reason(subscribe_at(0, 0, 2)), "FIELD_INVALID");
}

static void positions_are_the_ends_of_the_partitions(void)
{
    Throughline__Event__V1__GetPositionsRequest request =
        THROUGHLINE__EVENT__V1__GET_POSITIONS_REQUEST__INIT;
    Throughline__Event__V1__GetPositionsResponse reply =
        THROUGHLINE__EVENT__V1__GET_POSITIONS_RESPONSE__INIT;
    int64_t sum = 0;

    write_many(25, "");
    CU_ASSERT_TRUE(fixture_settle(fixture));
    CHECK_TEXT(
        error_reason(fixture_call(fixture, "EventService/GetPositions", &request, &reply)), "OK");

    CHECK_INT(reply.n_positions, STORE_PARTITIONS);
    for (size_t i = 0; i < reply.n_positions; i++)
        sum += reply.positions[i]->sequence;
    CHECK_INT(sum, 25);
}

static RpcClientStream *watch(const char *name, int64_t after)
{
    WatchNoteRequest request = THROUGHLINE__ECHO__V1__WATCH_NOTE_REQUEST__INIT;
    RpcClientStream *stream = NULL;

    request.name = (char *)name;
    request.after = after;
    CHECK_TEXT(
        error_reason(fixture_open(fixture, "NoteService/WatchNote", &request, &stream)), "OK");
    CU_ASSERT_PTR_NOT_NULL_FATAL(stream);
    return stream;
}

static const WatchNoteResponse *next(RpcClientStream *stream)
{
    void *message;

    CU_ASSERT_PTR_NULL_FATAL(rpc_client_receive(stream, fixture_arena(fixture), &message));
    CU_ASSERT_PTR_NOT_NULL_FATAL(message);
    return message;
}

static void a_watcher_sees_one_aggregate_from_any_point(void)
{
    RpcClientStream *stream;

    for (int i = 1; i <= 5; i++) {
        write_note("notes/a", arena_printf(fixture_arena(fixture), "a%d", i), "");
        write_note("notes/b", "b", "");
    }
    stream = watch("notes/a", 2);

    CHECK_TEXT(next(stream)->note->text, "a3");
    CHECK_TEXT(next(stream)->note->text, "a4");
    CHECK_TEXT(next(stream)->note->text, "a5");
    write_note("notes/b", "b", "");
    write_note("notes/a", "a6", "");
    CHECK_INT(next(stream)->number, 6);
    rpc_client_close_stream(stream);
}

static const char *a_customer_in_another_partition_than(int partition)
{
    const char *customer;
    int i = 0;

    do
        customer = arena_printf(fixture_arena(fixture), "customers/%d", i++);
    while (text_hash(customer, strlen(customer)) % STORE_PARTITIONS == (uint64_t)partition);
    return customer;
}

/* More than one page of the log: each goes on where the one before it has ended. */
static void a_watcher_of_a_customer_gets_each_event_once(void)
{
    enum { N_EVENTS = 2 * RPC_STREAM_QUEUE + 20 };
    const char *customer = a_customer_in_another_partition_than(0);
    RpcClientStream *stream;

    write_many(N_EVENTS, customer);
    write_note("notes/other", "of somebody else", "customers/other");
    CU_ASSERT_TRUE(fixture_settle(fixture));
    stream = watch(customer, 0);

    for (int i = 0; i < N_EVENTS; i++)
        CHECK_TEXT(next(stream)->note->text, arena_printf(fixture_arena(fixture), "text %d", i));
    write_note("notes/n0", "the last", customer);
    CHECK_TEXT(next(stream)->note->text, "the last");
    rpc_client_close_stream(stream);
}

/* Its events move to the customer's partition: another log, another relay's turn. */
static void a_watcher_keeps_order_when_the_customer_becomes_known(void)
{
    RpcClientStream *stream = watch("notes/a", 0);

    for (int i = 1; i <= 60; i++)
        write_note("notes/a", "text",
            i % 3 == 0   ? "customers/ann"
            : i % 3 == 1 ? "customers/bob"
                         : "");

    for (int i = 1; i <= 60; i++)
        CHECK_INT(next(stream)->number, i);
    rpc_client_close_stream(stream);
}

static void a_drain_ends_streams_with_a_status_to_resume(void)
{
    RpcClientStream *stream = watch("notes/a", 0);
    const Error *error;
    void *message;

    write_note("notes/a", "one", "");
    CHECK_INT(next(stream)->number, 1);
    fixture_restart(fixture);
    error = rpc_client_receive(stream, fixture_arena(fixture), &message);

    CHECK_TEXT(error_reason(error), "STREAM_DRAINED");
    CHECK_INT(error->code, ERROR_UNAVAILABLE);
    rpc_client_close_stream(stream);
}

static void streams_come_and_go_without_end(void)
{
    Gauge *open = metrics_gauge(fixture_context(fixture)->metrics, "event_streams", "", "");
    int64_t until = clock_monotonic() + 5 * 1000000;

    for (int i = 0; i < 100; i++) {
        RpcClientStream *stream = watch("notes/a", 0);

        if (i % 3 == 0) {
            write_note("notes/a", "text", "");
            next(stream);
        }
        rpc_client_close_stream(stream);
    }

    while (gauge_value(open) > 0 && clock_monotonic() < until)
        clock_sleep_ms(5);
    CHECK_INT(gauge_value(open), 0);
}

static CU_TestInfo tests[] = {
    { "a_subscriber_gets_what_was_and_what_comes", a_subscriber_gets_what_was_and_what_comes },
    { "a_subscriber_goes_on_where_it_stopped", a_subscriber_goes_on_where_it_stopped },
    { "types_that_are_not_wanted_move_the_position_only",
        types_that_are_not_wanted_move_the_position_only },
    { "events_come_together_for_who_wants_that", events_come_together_for_who_wants_that },
    { "a_message_has_at_most_256_events", a_message_has_at_most_256_events },
    { "what_is_left_out_is_counted_among_events_that_come_together",
        what_is_left_out_is_counted_among_events_that_come_together },
    { "a_slow_subscriber_misses_nothing_and_holds_nobody_up",
        a_slow_subscriber_misses_nothing_and_holds_nobody_up },
    { "positions_outside_the_log_are_refused", positions_outside_the_log_are_refused },
    { "positions_are_the_ends_of_the_partitions", positions_are_the_ends_of_the_partitions },
    { "a_watcher_sees_one_aggregate_from_any_point", a_watcher_sees_one_aggregate_from_any_point },
    { "a_watcher_of_a_customer_gets_each_event_once",
        a_watcher_of_a_customer_gets_each_event_once },
    { "a_watcher_keeps_order_when_the_customer_becomes_known",
        a_watcher_keeps_order_when_the_customer_becomes_known },
    { "a_drain_ends_streams_with_a_status_to_resume",
        a_drain_ends_streams_with_a_status_to_resume },
    { "streams_come_and_go_without_end", streams_come_and_go_without_end },
    CU_TEST_INFO_NULL,
};

int main(int argc, char **argv)
{
    CU_SuiteInfo suites[] = {
        { .pName = "streams", .pSetUpFunc = start, .pTearDownFunc = stop, .pTests = tests },
        CU_SUITE_INFO_NULL,
    };

    return test_main("event_stream_test", suites, argc, argv);
}
