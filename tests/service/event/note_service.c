#include "tests/service/event/note_service.h"

#include "shared/base/clock.h"
#include "shared/codec/message.h"
#include "shared/rpc/check.h"

#include <stdlib.h>

const Collection notes = { .name = "notes", .message = &throughline__echo__v1__note__descriptor };
const Collection tallies = { .name = "tallies",
    .message = &throughline__echo__v1__tally__descriptor };

static const Error as_asked = { ERROR_FAILED_PRECONDITION, "AS_ASKED", "The text asks for it." };
static const Error written_before = { ERROR_FAILED_PRECONDITION, "WRITTEN_BEFORE",
    "The text is for notes that are not there yet." };
static const Error injected = { ERROR_UNAVAILABLE, "INJECTED", "A test wants this failure." };

void (*_Atomic note_meanwhile)(void);

/* Decides by what is there now, whoever wrote it: what rules do that look at more than the note itself. */
static const Error *check_unwritten(const RpcCall *call, const char *name)
{
    void (*meanwhile)(void) = atomic_exchange(&note_meanwhile, NULL);
    StoreView steps = store_steps(call->store);
    Note there = THROUGHLINE__ECHO__V1__NOTE__INIT;
    const Error *error;

    if (meanwhile)
        meanwhile();
    error = store_get(&steps, &notes, name, &there);
    return !error ? &written_before : error->code == ERROR_NOT_FOUND ? NULL : error;
}

static const Error *write_note(RpcCall *call, const void *request, void *reply)
{
    const WriteNoteRequest *req = request;
    Note *note = reply;
    NoteWritten event = THROUGHLINE__ECHO__V1__NOTE_WRITTEN__INIT;
    const Error *error;
    bool is_new;

    check_name(call, "name", req->name, "notes/*");
    check_text(call, "text", req->text, 0, 1000);
    check_range(call, "delay_ms", req->delay_ms, 0, 10000);
    if ((error = check_result(call)))
        return error;

    error = store_get(call->store, &notes, req->name, note);
    is_new = error && error->code == ERROR_NOT_FOUND;
    if (error && !is_new)
        return error;

    if (text_equal(req->text, "fail"))
        return &as_asked;
    if (text_equal(req->text, "once") && (error = check_unwritten(call, req->name)))
        return error;
    clock_sleep_ms(req->delay_ms);
    note->name = req->name;
    note->text = req->text;
    note->customer = req->customer;
    note->writings++;
    event.note = note;

    return is_new ? store_insert(call->store, &notes, note, &event)
                  : store_replace(call->store, &notes, note, &event);
}

static const Error *get_note(RpcCall *call, const void *request, void *reply)
{
    const GetNoteRequest *req = request;

    return store_get(call->store, &notes, req->name, reply);
}

static const void *render_writing(void *context, Arena *arena, const Event *event)
{
    NoteWritten *written =
        event_payload(arena, event, &throughline__echo__v1__note_written__descriptor);
    WatchNoteResponse *response;

    (void)context;
    if (!written)
        return NULL;
    response = message_new(arena, &throughline__echo__v1__watch_note_response__descriptor);
    response->note = written->note;
    response->number = event->aggregate_sequence;
    return response;
}

static const Error *watch_note(RpcCall *call, const void *request, void *reply)
{
    const WatchNoteRequest *req = request;
    EventInterest interest = { .after = req->after, .render = render_writing };

    (void)reply;
    *(text_starts_with(req->name, "customers/") ? &interest.customer : &interest.aggregate) =
        req->name;
    return event_hub_follow(service_of(call)->hub, call, &interest);
}

static const RpcService note_rpcs = THROUGHLINE__ECHO__V1__NOTE_SERVICE__INIT();

static const Collection *const note_collections[] = { &notes, NULL };

const Service note_service = {
    .name = "notes",
    .port = 7901,
    .rpcs = { &note_rpcs },
    .collections = note_collections,
};

atomic_int mirror_fails_every;
atomic_bool mirror_is_stuck;

/* Failures by turns: of every two, one comes before the effect and one behind it. */
static bool fails_now(bool is_behind)
{
    static atomic_int n_calls;
    int every = atomic_load(&mirror_fails_every);
    int call = is_behind ? atomic_load(&n_calls) : atomic_fetch_add(&n_calls, 1) + 1;

    return every > 0 && call % every == 0 && (call / every % 2 == 0) == is_behind;
}

static const Error *count_writing(RpcCall *call, const Event *event)
{
    NoteWritten *written =
        event_payload(call->arena, event, &throughline__echo__v1__note_written__descriptor);
    Tally tally = THROUGHLINE__ECHO__V1__TALLY__INIT;
    const char *name = *event->customer ? event->customer : event->aggregate;
    const Error *error;
    bool is_new;

    if (atomic_load(&mirror_is_stuck) || fails_now(false))
        return &injected;
    error = store_get(call->store, &tallies, name, &tally);
    is_new = error && error->code == ERROR_NOT_FOUND;
    if (error && !is_new)
        return error;
    tally.name = (char *)name;
    tally.writings++;
    tally.texts = arena_grow(
        call->arena, tally.texts, tally.n_texts, tally.n_texts + 1, sizeof(*tally.texts));
    tally.texts[tally.n_texts++] = written->note->text;
    error = is_new ? store_insert(call->store, &tallies, &tally, NULL)
                   : store_replace(call->store, &tallies, &tally, NULL);
    return error ? error : fails_now(true) ? &injected : NULL;
}

static const Collection *const mirror_collections[] = { &tallies, NULL };

const Service mirror_service = {
    .name = "mirror",
    .port = 7902,
    .rpcs = { NULL },
    .collections = mirror_collections,
    .peers = { "notes" },
    .consumers = { { "notes", { count_writing } } },
};

atomic_int album_most;

/* An event that had its effect before is passed over. */
static const Error *keep_writing(RpcCall *call, const Event *event)
{
    NoteWritten *written =
        event_payload(call->arena, event, &throughline__echo__v1__note_written__descriptor);
    Tally tally = THROUGHLINE__ECHO__V1__TALLY__INIT;
    const Error *error = store_get(call->store, &tallies, event->aggregate, &tally);
    bool is_new = error && error->code == ERROR_NOT_FOUND;

    if (error && !is_new)
        return error;
    if (tally.writings >= event->aggregate_sequence)
        return NULL;
    tally.name = event->aggregate;
    tally.writings++;
    tally.texts = arena_grow(
        call->arena, tally.texts, tally.n_texts, tally.n_texts + 1, sizeof(*tally.texts));
    tally.texts[tally.n_texts++] = written->note->text;
    return is_new ? store_insert(call->store, &tallies, &tally, NULL)
                  : store_replace(call->store, &tallies, &tally, NULL);
}

static const Error *keep_writings(RpcCall *call, const Event *const *events, size_t n_events)
{
    const Error *error = fails_now(false) ? &injected : NULL;

    if ((int)n_events > atomic_load(&album_most))
        atomic_store(&album_most, (int)n_events);
    for (size_t i = 0; i < n_events && !error; i++)
        error = keep_writing(call, events[i]);
    return error ? error : fails_now(true) ? &injected : NULL;
}

const Service album_service = {
    .name = "album",
    .port = 7903,
    .rpcs = { NULL },
    .collections = mirror_collections,
    .peers = { "notes" },
    .consumers = { { "notes", { .apply_all = keep_writings, .is_relaxed = true } } },
};
