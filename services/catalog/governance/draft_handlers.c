/* Drafts: from an idea to an approval. */
#include "services/catalog/governance/governance.h"

#include "shared/codec/message.h"
#include "shared/rpc/check.h"
#include "shared/rpc/naming.h"
#include "shared/rpc/page.h"
#include "shared/service/race.h"

typedef Throughline__Catalog__V1__CreateDraftRequest CreateDraftRequest;
typedef Throughline__Catalog__V1__GetDraftRequest GetDraftRequest;
typedef Throughline__Catalog__V1__ListDraftsRequest ListDraftsRequest;
typedef Throughline__Catalog__V1__ListDraftsResponse ListDraftsResponse;
typedef Throughline__Catalog__V1__ChangeDraftRequest ChangeDraftRequest;
typedef Throughline__Catalog__V1__ListDraftChangesRequest ListDraftChangesRequest;
typedef Throughline__Catalog__V1__ListDraftChangesResponse ListDraftChangesResponse;
typedef Throughline__Catalog__V1__SubmitDraftRequest SubmitDraftRequest;
typedef Throughline__Catalog__V1__WithdrawDraftRequest WithdrawDraftRequest;
typedef Throughline__Catalog__V1__ApproveDraftRequest ApproveDraftRequest;
typedef Throughline__Catalog__V1__RejectDraftRequest RejectDraftRequest;

static void check_changes(RpcCall *call, Change *const *changes, size_t n_changes)
{
    Findings findings = { .arena = call->arena };

    check_count(call, "changes", n_changes, 0, CHANGES_PER_CALL);
    if (n_changes <= CHANGES_PER_CALL)
        changes_check(changes, n_changes, &findings);
    for (size_t i = 0; i < findings.n_items; i++)
        check_fail(call, findings.items[i].field, "%s", findings.items[i].description);
}

static const Error *create_draft(RpcCall *call, const void *request, void *reply)
{
    const CreateDraftRequest *req = request;
    Draft *draft = reply;
    DraftChanged event = THROUGHLINE__CATALOG__V1__DRAFT_CHANGED__INIT;
    const char *name = rpc_new_name(call, "drafts", req->request_id);
    DraftPut put = {
        .draft = name,
        .part = rpc_new_name(call, "draftParts", req->request_id),
        .changes = req->changes,
        .n_changes = req->n_changes,
    };
    const Error *error;

    check_text(call, "title", req->title, 1, DRAFT_MAX_TITLE);
    check_text(call, "reason", req->reason, 1, DRAFT_MAX_REASON);
    check_changes(call, req->changes, req->n_changes);
    check_request_id(call, req->request_id);
    if ((error = check_result(call)))
        return error;

    draft_open(draft, name, req->title, req->reason, deed_of(call, ""), call->arena);
    if (req->n_changes && (error = draft_fill(call, &put, draft)))
        return error;
    event.draft = draft;
    event.action = AUDIT_DRAFT_CREATED;
    event.deed = deed_of(call, req->reason);
    return store_insert(call->store, &drafts, draft, &event);
}

static const Error *get_draft(RpcCall *call, const void *request, void *reply)
{
    const GetDraftRequest *req = request;
    const Error *error;

    check_name(call, "name", req->name, "drafts/*");
    if ((error = check_result(call)) || (error = draft_load(call, req->name, "", reply)))
        return error;

    show_draft(call, reply);
    return NULL;
}

static const Error *look_at_draft(RpcCall *call, void *message, bool *is_seen)
{
    *is_seen = sees_draft(call, message);
    show_draft(call, message);
    return NULL;
}

static const Error *list_drafts(RpcCall *call, const void *request, void *reply)
{
    const ListDraftsRequest *req = request;
    ListDraftsResponse *res = reply;
    RpcPage page = page_read(
        call, req->page_size, req->page_token, arena_printf(call->arena, "%d", (int)req->state));
    StoreQuery query = {
        .index = req->state ? "state" : "time",
        .is_descending = true,
        .limit = page.limit,
        .max_bytes = PAGE_BYTES,
        .resume = page.resume,
    };
    StorePage found = { 0 };
    const Error *error;

    if (req->state) {
        check_enum(
            call, "state", &throughline__catalog__v1__draft__state__descriptor, (int)req->state);
        query.equal[0] = (StoreValue){ .kind = STORE_NUMBER, .number = (int64_t)req->state };
    }
    if ((error = check_result(call)) ||
        (error = find_seen(call, &drafts, &query, look_at_draft, &found)))
        return error;

    res->drafts = (Draft **)found.messages;
    res->n_drafts = found.n_messages;
    res->next_page_token = page_token(call, &page, found.resume);
    return NULL;
}

static void check_dropped(RpcCall *call, const ChangeDraftRequest *req)
{
    check_count(call, "dropped", req->n_dropped, 0, CHANGES_PER_CALL);
    for (size_t i = 0; i < req->n_dropped && i < CHANGES_PER_CALL; i++)
        if (!rule_name_is_valid(req->dropped[i]))
            check_fail(call, check_path(call, "dropped[%zu]", i), "is not the name of a rule");
    if (!req->n_changes && !req->n_dropped)
        check_fail(call, "changes", "changes or dropped rules are needed");
}

static const Error *change_draft(RpcCall *call, const void *request, void *reply)
{
    const ChangeDraftRequest *req = request;
    DraftPut put = {
        .draft = req->name,
        .etag = req->etag,
        .part = rpc_new_name(call, "draftParts", req->request_id),
        .changes = req->changes,
        .n_changes = req->n_changes,
        .dropped = req->dropped,
        .n_dropped = req->n_dropped,
        .view = call->store,
    };
    const Error *error;

    check_name(call, "name", req->name, "drafts/*");
    check_changes(call, req->changes, req->n_changes);
    check_dropped(call, req);
    check_request_id(call, req->request_id);
    if ((error = check_result(call)))
        return error;

    return draft_put(call, &put, reply);
}

static const Error *list_draft_changes(RpcCall *call, const void *request, void *reply)
{
    const ListDraftChangesRequest *req = request;
    ListDraftChangesResponse *res = reply;
    RpcPage page = page_read(call, req->page_size, req->page_token, req->name);
    Draft *draft = message_new(call->arena, &throughline__catalog__v1__draft__descriptor);
    ChangeList list = { 0 };
    ChangePage shown;
    const Error *error;

    check_name(call, "name", req->name, "drafts/*");
    if ((error = check_result(call)) || (error = draft_load(call, req->name, "", draft)) ||
        (error = draft->state == DRAFT_PUBLISHED ? published_changes(call, draft->release, &list)
                                                 : draft_changes_now(call, draft, &list)))
        return error;

    shown = change_page(call, &page, list);
    res->changes = shown.changes;
    res->n_changes = shown.n_changes;
    res->next_page_token = shown.next_page_token;
    return NULL;
}

/* One step in a draft's life, by whoever calls. */
typedef struct DraftStep {
    const char *name;
    const char *etag;
    const char *request_id;
    const char *note;
    const Error *(*take)(Draft *draft, Deed *deed, Arena *arena);
    AuditAction action;
    bool needs_note;
    bool is_checked; /* the changes must be fit to be published */
} DraftStep;

static const Error *take_step(RpcCall *call, const DraftStep *step, Draft *draft)
{
    Race race __attribute__((cleanup(race_end))) = race_start(call, step->name);
    Deed *deed = deed_of(call, step->note);
    DraftChanged event = THROUGHLINE__CATALOG__V1__DRAFT_CHANGED__INIT;
    const Error *error;

    check_name(call, "name", step->name, "drafts/*");
    check_text(call, "note", step->note, step->needs_note, GOVERNANCE_MAX_NOTE);
    check_request_id(call, step->request_id);
    if ((error = check_result(call)))
        return error;

    event.draft = draft;
    event.action = step->action;
    event.deed = deed;
    do {
        if ((error = draft_load_own(call, step->name, step->etag, draft)) ||
            (error = step->take(draft, deed, call->arena)) ||
            (step->is_checked && (error = check_draft(call, draft))))
            return error;
        error = store_replace(call->store, &drafts, draft, &event);
    } while (race_lost(&race, error, step->etag));
    return error;
}

static const Error *submit_draft(RpcCall *call, const void *request, void *reply)
{
    const SubmitDraftRequest *req = request;
    DraftStep step = {
        .name = req->name,
        .etag = req->etag,
        .request_id = req->request_id,
        .note = req->note,
        .take = draft_submit,
        .action = AUDIT_DRAFT_SUBMITTED,
        .is_checked = true,
    };

    return take_step(call, &step, reply);
}

static const Error *withdraw_draft(RpcCall *call, const void *request, void *reply)
{
    const WithdrawDraftRequest *req = request;
    DraftStep step = {
        .name = req->name,
        .etag = req->etag,
        .request_id = req->request_id,
        .note = "",
        .take = draft_withdraw,
        .action = AUDIT_DRAFT_WITHDRAWN,
    };

    return take_step(call, &step, reply);
}

static const Error *approve_draft(RpcCall *call, const void *request, void *reply)
{
    const ApproveDraftRequest *req = request;
    DraftStep step = {
        .name = req->name,
        .etag = req->etag,
        .request_id = req->request_id,
        .note = req->note,
        .take = draft_approve,
        .action = AUDIT_DRAFT_APPROVED,
    };

    return take_step(call, &step, reply);
}

static const Error *reject_draft(RpcCall *call, const void *request, void *reply)
{
    const RejectDraftRequest *req = request;
    DraftStep step = {
        .name = req->name,
        .etag = req->etag,
        .request_id = req->request_id,
        .note = req->note,
        .take = draft_reject,
        .action = AUDIT_DRAFT_REJECTED,
        .needs_note = true,
    };

    return take_step(call, &step, reply);
}

const RpcService governance_rpcs = THROUGHLINE__CATALOG__V1__GOVERNANCE_SERVICE__INIT();
