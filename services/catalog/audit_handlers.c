/* Reading the audit trail. */
#include "services/catalog/governance.h"

#include "shared/codec/types.h"
#include "shared/rpc/check.h"

typedef Throughline__Catalog__V1__ListAuditEntriesRequest ListAuditEntriesRequest;
typedef Throughline__Catalog__V1__ListAuditEntriesResponse ListAuditEntriesResponse;

enum { AUDIT_MAX_SUBJECT = 512, AUDIT_MAX_ACTOR = 256 };

static void check_times(RpcCall *call, const ListAuditEntriesRequest *req)
{
    if (req->start_time && !timestamp_is_valid(req->start_time))
        check_fail(call, "start_time", "is not a time in the years 1 to 9999");
    if (req->end_time && !timestamp_is_valid(req->end_time))
        check_fail(call, "end_time", "is not a time in the years 1 to 9999");
}

static StoreQuery query_of(RpcCall *call, const ListAuditEntriesRequest *req)
{
    const char *key = *req->subject ? req->subject : req->actor;
    StoreQuery query = { .index = "time", .is_descending = true };

    if (*key) {
        query.index = *req->subject ? "subject" : "actor";
        query.equal[0] = (StoreValue){ .kind = STORE_TEXT, .text = arena_text(call->arena, key) };
    }
    if (req->start_time)
        query.from =
            (StoreValue){ .kind = STORE_TIME, .number = timestamp_to_micros(req->start_time) };
    if (req->end_time)
        query.below =
            (StoreValue){ .kind = STORE_TIME, .number = timestamp_to_micros(req->end_time) };
    return query;
}

const Error *list_audit_entries(RpcCall *call, const void *request, void *reply)
{
    const ListAuditEntriesRequest *req = request;
    ListAuditEntriesResponse *res = reply;
    StoreQuery query = query_of(call, req);
    RpcPage page = page_read(call, req->page_size, req->page_token,
        arena_printf(call->arena, "%s %s %lld %lld", req->subject, req->actor,
            (long long)timestamp_to_micros(req->start_time),
            (long long)timestamp_to_micros(req->end_time)));
    StorePage found = { 0 };
    const Error *error;

    check_text(call, "subject", req->subject, 0, AUDIT_MAX_SUBJECT);
    check_text(call, "actor", req->actor, 0, AUDIT_MAX_ACTOR);
    if (*req->subject && *req->actor)
        check_fail(call, "actor", "cannot be asked for together with a subject");
    check_times(call, req);
    query.limit = page.limit;
    query.resume = page.resume;
    if ((error = check_result(call)) ||
        (error = store_find(call->store, &audit_entries, &query, &found)))
        return error;

    res->entries = (AuditEntry **)found.messages;
    res->n_entries = found.n_messages;
    res->next_page_token = page_token(call, &page, found.resume);
    return NULL;
}
