/* Cases, what goes into them, and the notes beside them. */
#include "services/feedback/case_intake.h"
#include "services/feedback/owners.h"
#include "services/feedback/survey_handlers.h"
#include "shared/base/handle.h"
#include "shared/codec/types.h"
#include "shared/rpc/check.h"
#include "shared/rpc/naming.h"
#include "shared/rpc/page.h"
#include "shared/service/aliases.h"

typedef Throughline__Feedback__V1__RecordMentionRequest RecordMentionRequest;
typedef Throughline__Feedback__V1__RecordMentionResponse RecordMentionResponse;
typedef Throughline__Feedback__V1__RecordNoteRequest RecordNoteRequest;
typedef Throughline__Feedback__V1__OpenCaseRequest OpenCaseRequest;
typedef Throughline__Feedback__V1__GetCaseRequest GetCaseRequest;
typedef Throughline__Feedback__V1__ListCasesRequest ListCasesRequest;
typedef Throughline__Feedback__V1__ListCasesResponse ListCasesResponse;
typedef Throughline__Feedback__V1__AnswerCaseRequest AnswerCaseRequest;
typedef Throughline__Feedback__V1__ResolveCaseRequest ResolveCaseRequest;
typedef Throughline__Feedback__V1__CaseView CaseView;
typedef Throughline__Feedback__V1__CaseMessageAdded CaseMessageAdded;
typedef Throughline__Feedback__V1__CaseResolved CaseResolved;
typedef Throughline__Feedback__V1__MentionRecorded MentionRecorded;
typedef Throughline__Feedback__V1__NoteRecorded NoteRecorded;

enum { VIEW_MAX_ORDERS = 10, VIEW_MAX_NOTES = 50 };

static const Error case_not_found = { ERROR_NOT_FOUND, "CASE_NOT_FOUND", "There is no such case." };
static const Error not_a_colleague = { ERROR_PERMISSION_DENIED, "NOT_A_COLLEAGUE",
    "Notes are written by colleagues for colleagues: customers say something with RecordMention." };

static const Error *load_case(RpcCall *call, const char *name, Case *record)
{
    const Error *error;

    throughline__feedback__v1__case__init(record);
    if ((error = store_get(call->store, &cases, name, record)))
        return error->code == ERROR_NOT_FOUND ? &case_not_found : error;
    return alias_check_reader(call, record->customer, &case_not_found);
}

static const Error *keep_mention(RpcCall *call, const RecordMentionRequest *req,
    const IntakeOwner *owner, RecordMentionResponse *response)
{
    Mention mention = THROUGHLINE__FEEDBACK__V1__MENTION__INIT;
    MentionRecorded event = THROUGHLINE__FEEDBACK__V1__MENTION_RECORDED__INIT;

    mention.name = response->mention = rpc_new_name(call, "mentions", req->request_id);
    mention.customer = (char *)owner->customer;
    mention.identifier_key = (char *)owner->key;
    mention.text = req->text;
    mention.channel = (char *)call->context.channel;
    mention.actor = (char *)call->context.actor;
    mention.create_time = timestamp_from_micros(call->arena, call->arrived_at);
    event.mention = &mention;
    return store_insert(call->store, &mentions, &mention, &event);
}

static const Error *open_case_of(RpcCall *call, const RecordMentionRequest *req,
    const IntakeOwner *owner, RecordMentionResponse *response)
{
    Case record = THROUGHLINE__FEEDBACK__V1__CASE__INIT;

    record.name = response->case_name = rpc_new_name(call, "cases", req->request_id);
    record.customer = (char *)owner->customer;
    record.identifier_key = (char *)owner->key;
    case_open(&record, case_subject_of(req->text, call->arena), intake_message(call, req->text),
        call->arena);
    return intake_open_case(
        call->store, &record, *owner->customer ? owner->customer : owner->key, false);
}

static const Error *check_mention(
    RpcCall *call, const RecordMentionRequest *req, const char **handle)
{
    *handle = text_is_empty(req->handle) ? "" : handle_normal(call->arena, req->handle);
    if (!*handle)
        check_fail(call, "handle", "must be a handle with its network like chirp:@jo");
    check_optional_name(call, "customer", req->customer, "customers/*");
    if (text_is_empty(req->customer) && text_is_empty(req->handle))
        check_fail(call, "customer", "must be there when no handle is");
    check_text(call, "text", req->text, 1, CASE_MAX_TEXT);
    check_request_id(call, req->request_id);
    return check_result(call);
}

/* Somebody else opened the case first, or said something in it. */
static bool is_overtaken(Race *race, const Error *error)
{
    return race_lost(race, error, "") ||
           (error && text_equal(error->reason, "OPEN_KEY_TAKEN") && race_again(race));
}

/* Something somebody said: into their open case, into a new one, or kept as it is. */
static const Error *record_mention(RpcCall *call, const void *request, void *reply)
{
    const RecordMentionRequest *req = request;
    RecordMentionResponse *response = reply;
    const char *handle;
    IntakeOwner owner;
    const Error *error;
    Race race __attribute__((cleanup(race_end))) =
        race_start(call, text_is_empty(req->customer) ? req->handle : req->customer);

    /* validate */
    if ((error = check_mention(call, req, &handle)))
        return error;

    do {
        Case record;
        bool is_found;

        /* load */
        if ((error = intake_find_owner(call, req->customer, handle, &owner)) ||
            (!text_is_empty(owner.customer) &&
                (error = owners_check_speaker(call, owner.customer))) ||
            (error = intake_find_case(call, &owner, &record, &is_found)))
            return error;

        /* decide, store: one document has it, whichever it is */
        throughline__feedback__v1__record_mention_response__init(response);
        if (is_found)
            response->case_name = record.name;
        if (is_found)
            error = intake_join_case(call, &record, &owner, intake_message(call, req->text));
        else if (req->is_complaint)
            error = open_case_of(call, req, &owner, response);
        else
            error = keep_mention(call, req, &owner, response);
    } while (is_overtaken(&race, error));
    return error;
}

static const Error *record_note(RpcCall *call, const void *request, void *reply)
{
    const RecordNoteRequest *req = request;
    Note *note = reply;
    NoteRecorded event = THROUGHLINE__FEEDBACK__V1__NOTE_RECORDED__INIT;
    const char *customer;
    const Error *error;

    check_name(call, "customer", req->customer, "customers/*");
    check_text(call, "text", req->text, 1, CASE_MAX_TEXT);
    check_request_id(call, req->request_id);
    if ((error = check_result(call)))
        return error;
    if (!alias_is_colleague(call))
        return &not_a_colleague;
    if ((error = alias_survivor(call->store, req->customer, &customer)))
        return error;
    note->name = rpc_new_name(call, "notes", req->request_id);
    note->customer = (char *)customer;
    note->text = req->text;
    note->actor = (char *)call->context.actor;
    note->channel = (char *)call->context.channel;
    note->create_time = timestamp_from_micros(call->arena, call->arrived_at);
    event.note = note;
    return store_insert(call->store, &notes, note, &event);
}

/* A case by hand. */
static const Error *open_case(RpcCall *call, const void *request, void *reply)
{
    const OpenCaseRequest *req = request;
    Case *record = reply;
    const char *customer;
    const Error *error;

    check_name(call, "customer", req->customer, "customers/*");
    check_text(call, "subject", req->subject, 1, CASE_MAX_SUBJECT);
    check_text(call, "text", req->text, 1, CASE_MAX_TEXT);
    check_request_id(call, req->request_id);
    if ((error = check_result(call)) ||
        (error = alias_survivor(call->store, req->customer, &customer)) ||
        (error = owners_check_speaker(call, customer)))
        return error;
    record->name = rpc_new_name(call, "cases", req->request_id);
    record->customer = (char *)customer;
    case_open(record, req->subject, intake_message(call, req->text), call->arena);
    return intake_open_case(call->store, record, customer, true);
}

/* The customer's newest documents of a collection. */
static const Error *newest(RpcCall *call, const Collection *collection, const char *customer,
    int32_t limit, StorePage *page)
{
    StoreQuery query = { .index = "customer",
        .equal = { { .kind = STORE_TEXT, .text = customer } },
        .is_descending = true,
        .limit = limit };

    *page = (StorePage){ 0 };
    return text_is_empty(customer) ? NULL : store_find(call->store, collection, &query, page);
}

static const Error *get_case(RpcCall *call, const void *request, void *reply)
{
    const GetCaseRequest *req = request;
    CaseView *view = reply;
    Case *record = arena_alloc(call->arena, sizeof(*record));
    StorePage bought, noted = { 0 };
    const Error *error;

    check_name(call, "name", req->name, "cases/*");
    if ((error = check_result(call)) || (error = load_case(call, req->name, record)) ||
        (error = newest(call, &order_summaries, record->customer, VIEW_MAX_ORDERS, &bought)) ||
        (alias_is_colleague(call) &&
            (error = newest(call, &notes, record->customer, VIEW_MAX_NOTES, &noted))))
        return error;
    view->case_record = record;
    view->orders = (OrderSummary **)bought.messages;
    view->n_orders = bought.n_messages;
    view->notes = (Note **)noted.messages;
    view->n_notes = noted.n_messages;
    return NULL;
}

static const Error *list_cases(RpcCall *call, const void *request, void *reply)
{
    const ListCasesRequest *req = request;
    ListCasesResponse *response = reply;
    RpcPage page = page_read(call, req->page_size, req->page_token, req->customer);
    StoreQuery query = { .index = "customer",
        .is_descending = true,
        .limit = page.limit,
        .max_bytes = PAGE_BYTES,
        .resume = page.resume };
    StorePage found;
    const char *customer;
    const Error *error;

    check_name(call, "customer", req->customer, "customers/*");
    if ((error = check_result(call)) ||
        (error = alias_survivor(call->store, req->customer, &customer)) ||
        (error = alias_check_reader(call, customer, &customer_not_found)))
        return error;
    query.equal[0] = (StoreValue){ .kind = STORE_TEXT, .text = customer };
    if ((error = store_find(call->store, &cases, &query, &found)))
        return error;
    response->n_cases = found.n_messages;
    response->cases = (Case **)found.messages;
    response->next_page_token = page_token(call, &page, found.resume);
    return NULL;
}

/* A reply to the customer, or of the customer. */
static const Error *answer_case(RpcCall *call, const void *request, void *reply)
{
    const AnswerCaseRequest *req = request;
    Case *record = reply;
    CaseMessage *message = intake_message(call, req->text);
    const Error *error;
    Race race __attribute__((cleanup(race_end))) = race_start(call, req->name);

    check_name(call, "name", req->name, "cases/*");
    check_text(call, "text", req->text, 1, CASE_MAX_TEXT);
    check_request_id(call, req->request_id);
    if ((error = check_result(call)))
        return error;
    if (alias_is_colleague(call))
        message->author = THROUGHLINE__FEEDBACK__V1__CASE_MESSAGE__AUTHOR__AGENT;
    do {
        CaseMessageAdded event = THROUGHLINE__FEEDBACK__V1__CASE_MESSAGE_ADDED__INIT;

        if ((error = load_case(call, req->name, record)) ||
            (error = case_add_message(record, message, call->arena)))
            return error;
        if (!text_is_empty(req->etag))
            record->etag = req->etag;
        event.case_record = record;
        error = store_replace(call->store, &cases, record, &event);
    } while (race_lost(&race, error, req->etag));
    return error;
}

static const Error *resolve_case(RpcCall *call, const void *request, void *reply)
{
    const ResolveCaseRequest *req = request;
    Case *record = reply;
    Timestamp *now = timestamp_from_micros(call->arena, call->arrived_at);
    const Error *error;
    Race race __attribute__((cleanup(race_end))) = race_start(call, req->name);

    check_name(call, "name", req->name, "cases/*");
    check_text(call, "resolution", req->resolution, 1, CASE_MAX_RESOLUTION);
    check_request_id(call, req->request_id);
    if ((error = check_result(call)))
        return error;
    do {
        CaseResolved event = THROUGHLINE__FEEDBACK__V1__CASE_RESOLVED__INIT;

        if ((error = load_case(call, req->name, record)) ||
            (error = case_resolve(record, req->resolution, now, call->arena)))
            return error;
        if (!text_is_empty(req->etag))
            record->etag = req->etag;
        event.case_record = record;
        error = store_replace(call->store, &cases, record, &event);
    } while (race_lost(&race, error, req->etag));
    return error;
}

const RpcService case_rpcs = THROUGHLINE__FEEDBACK__V1__CASE_SERVICE__INIT();
