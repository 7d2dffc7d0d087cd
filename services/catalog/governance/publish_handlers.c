/* Publication: by hand, at a time, and back again. */
#include "services/catalog/governance/governance.h"

#include "services/catalog/governance/published.h"
#include "shared/base/log.h"
#include "shared/codec/message.h"
#include "shared/codec/types.h"
#include "shared/rpc/check.h"
#include "shared/service/race.h"

typedef Throughline__Catalog__V1__PublishDraftRequest PublishDraftRequest;
typedef Throughline__Catalog__V1__RollBackRequest RollBackRequest;

enum { DUE_PAGE = 100 };

static const int64_t day_micros = INT64_C(86400) * 1000000;
/* How long a publisher is left alone before somebody else finishes its work. */
static const int64_t patience_micros = INT64_C(5) * 1000000;

static const Error *store_draft(StoreView *view, Draft *draft)
{
    DraftChanged event = THROUGHLINE__CATALOG__V1__DRAFT_CHANGED__INIT;

    event.draft = draft;
    if (draft->state == DRAFT_SCHEDULED)
        event.action = AUDIT_DRAFT_SCHEDULED;
    if (draft->state == DRAFT_REFUSED)
        event.action = AUDIT_DRAFT_REFUSED;
    event.deed = draft->publication;
    return store_replace(view, &drafts, draft, &event);
}

/* What the rules, or the caller's channel, say against a publication, which another try would hear again. */
static bool is_refusal(const Error *error)
{
    return error &&
           (error->code == ERROR_FAILED_PRECONDITION || error->code == ERROR_PERMISSION_DENIED);
}

/* From PUBLISHING to the end, good or bad. */
static const Error *finish_publication(RpcCall *call, Draft *draft)
{
    StoreView steps = store_steps(call->store);
    const Error *error = publish_changes_of(call, draft), *failure;

    if (is_refusal(error)) {
        draft_return(draft, call->arrived_at, call->arena);
        failure = store_draft(&steps, draft);
        return failure ? failure : error;
    }
    if (error)
        return error;
    draft_finish(draft, draft->release, call->arrived_at, call->arena);
    return store_draft(call->store, draft);
}

static const Error *publish_now(RpcCall *call, const PublishDraftRequest *req, Draft *draft)
{
    StoreView steps = store_steps(call->store);
    const Error *error;

    if ((error = check_draft_channel(call, draft)))
        return error;
    if (draft->state != DRAFT_PUBLISHING &&
        ((error = draft_begin(draft, deed_of(call, req->note), call->arena)) ||
            (error = store_draft(&steps, draft))))
        return error;
    return finish_publication(call, draft);
}

/* Publishing twice is publishing once: whoever tries again meets the draft as their first try has left it, whatever the etag. */
static const Error *publish_or_schedule(RpcCall *call, const PublishDraftRequest *req, Draft *draft)
{
    int64_t time = timestamp_to_micros(req->publish_time);
    const Error *error;

    error = draft_load(call, req->name, req->etag, draft);
    if (draft->state == DRAFT_PUBLISHED && (!error || text_equal(error->reason, "ETAG_STALE")))
        return NULL;
    if (draft->state == DRAFT_PUBLISHING && (!error || text_equal(error->reason, "ETAG_STALE")))
        return publish_now(call, req, draft);
    if (error)
        return error;
    if (time <= call->arrived_at)
        return publish_now(call, req, draft);
    if ((error = check_draft_channel(call, draft)) ||
        (error = draft_schedule(draft, time, deed_of(call, req->note), call->arena)))
        return error;
    return store_draft(call->store, draft);
}

const Error *publish_draft(RpcCall *call, const void *request, void *reply)
{
    const PublishDraftRequest *req = request;
    Race race __attribute__((cleanup(race_end))) = race_start(call, req->name);
    const Error *error;

    check_name(call, "name", req->name, "drafts/*");
    check_text(call, "note", req->note, 0, GOVERNANCE_MAX_NOTE);
    check_request_id(call, req->request_id);
    if (req->publish_time && !timestamp_is_valid(req->publish_time))
        check_fail(call, "publish_time", "is not a time in the years 1 to 9999");
    else if (timestamp_to_micros(req->publish_time) >
             call->arrived_at + DRAFT_MAX_DAYS_AHEAD * day_micros)
        check_fail(call, "publish_time", "must be at most %d days ahead", DRAFT_MAX_DAYS_AHEAD);
    if ((error = check_result(call)))
        return error;

    do
        error = publish_or_schedule(call, req, reply);
    while (race_lost(&race, error, req->etag));
    return error;
}

typedef struct RollBackPlan {
    int64_t number;
    StoreView *view;
} RollBackPlan;

static const Error *plan_rollback(
    RpcCall *call, void *context, const RuleBook *book, ChangeList *changes)
{
    static const Error current = { ERROR_FAILED_PRECONDITION, "RELEASE_CURRENT",
        "The rules are as in that release already." };
    const RollBackPlan *plan = context;
    RuleBook *target;
    const Error *error;

    if ((error = rule_shelf_at(catalog_of(call)->shelf, plan->view, plan->number, &target)))
        return error;
    *changes = changes_to_restore(book, target, call->arena);
    rule_book_release(target);
    return changes->n_items ? NULL : &current;
}

const Error *roll_back(RpcCall *call, const void *request, void *reply)
{
    const RollBackRequest *req = request;
    Release *release = reply;
    StoreView steps = store_steps(call->store);
    RollBackPlan plan = { req->number, &steps };
    Publication publication = { release, plan_rollback, &plan, call->store };
    const Error *error;

    check_range(call, "number", req->number, 1, INT64_MAX);
    check_text(call, "reason", req->reason, 1, DRAFT_MAX_REASON);
    check_request_id(call, req->request_id);
    if ((error = check_result(call)))
        return error;

    release->kind = RELEASE_ROLLBACK;
    release->title = arena_printf(call->arena, "Rollback to release %lld", (long long)req->number);
    release->reason = req->reason;
    release->restored_release = req->number;
    release->publication = deed_of(call, req->reason);
    return publish(call, &publication);
}

/* The job. */

/* Brings a draft, whose time has come or whose publisher has gone, to its end. */
static const Error *carry_on(RpcCall *call, const char *name)
{
    Draft *draft = message_new(call->arena, &throughline__catalog__v1__draft__descriptor);
    const Error *error;

    if ((error = draft_load(call, name, "", draft)))
        return error;
    if (draft->state == DRAFT_SCHEDULED &&
        ((error = draft_begin(draft, draft->publication, call->arena)) ||
            (error = store_draft(call->store, draft))))
        return error;
    if (draft->state != DRAFT_PUBLISHING)
        return NULL;
    error = publish_changes_of(call, draft);
    if (is_refusal(error))
        draft_refuse(draft, error->message, call->arrived_at, call->arena);
    else if (error)
        return error;
    else
        draft_finish(draft, draft->release, call->arrived_at, call->arena);
    return store_draft(call->store, draft);
}

/* Drafts in a state, whose `index` time is before `until`. */
static const Error *carry_on_all(RpcCall *call, DraftState state, int64_t until)
{
    StoreQuery query = {
        .index = state == DRAFT_SCHEDULED ? "due" : "touched",
        .equal = { { .kind = STORE_NUMBER, .number = (int64_t)state } },
        .below = { .kind = STORE_TIME, .number = until },
        .limit = DUE_PAGE,
    };
    StorePage page = { 0 };
    const Error *error = store_find(call->store, &drafts, &query, &page);

    for (size_t i = 0; i < page.n_messages && !error; i++) {
        const Draft *draft = page.messages[i];
        const Error *failure = carry_on(call, draft->name);

        /* One that cannot be finished now must not hold up the others. */
        if (failure && failure->code != ERROR_ABORTED)
            log_write(LOG_WARN, "draft_publication",
                (const LogField[]){ { "draft", .text = draft->name },
                    { "reason", .text = failure->reason }, { 0 } });
    }
    return error;
}

const Error *govern(RpcCall *call)
{
    const Error *error;

    if ((error = rule_shelf_follow(catalog_of(call)->shelf, call->store)) ||
        (error = rule_shelf_keep(catalog_of(call)->shelf, call->store)))
        return error;
    rules_holder_sweep(catalog_of(call)->rules);
    published_follow(catalog_of(call));
    if ((error = carry_on_all(call, DRAFT_SCHEDULED, call->arrived_at + 1)))
        return error;
    return carry_on_all(call, DRAFT_PUBLISHING, call->arrived_at - patience_micros);
}
