/* Reading the audit trail. */
#include "services/catalog/governance/governance.h"

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

/* Whose entry it is that no draft and no release belongs to: a price set by hand is its channel's, an assortment too, all else is for
 * everybody. */
static const char *channel_of_entry(const AuditEntry *entry)
{
    if (entry->action == THROUGHLINE__CATALOG__V1__AUDIT_ENTRY__ACTION__PRICE_OVERRIDDEN)
        return entry->deed->channel;
    return text_starts_with(entry->subject, "assortments/") ? assortment_channel(entry->subject)
                                                            : "";
}

/* What was done with a draft or by a release is for whom that is. */
static const Error *look_at_entry(RpcCall *call, void *message, bool *is_seen)
{
    const AuditEntry *entry = message;
    StoreView steps = store_steps(call->store);
    Release release = THROUGHLINE__CATALOG__V1__RELEASE__INIT;
    Draft draft = THROUGHLINE__CATALOG__V1__DRAFT__INIT;
    const Error *error = NULL;

    if (entry->release) {
        error = store_get(&steps, &releases, release_name(call->arena, entry->release), &release);
        *is_seen = !error && sees_release(call, &release);
    } else if (*entry->draft) {
        error = store_get(&steps, &drafts, entry->draft, &draft);
        *is_seen = !error && sees_draft(call, &draft);
    } else {
        *is_seen = sees_channel(call, channel_of_entry(entry));
    }
    return error && error->code != ERROR_NOT_FOUND ? error : NULL;
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
    query.max_bytes = PAGE_BYTES;
    query.resume = page.resume;
    if ((error = check_result(call)) ||
        (error = find_seen(call, &audit_entries, &query, look_at_entry, &found)))
        return error;

    res->entries = (AuditEntry **)found.messages;
    res->n_entries = found.n_messages;
    res->next_page_token = page_token(call, &page, found.resume);
    return NULL;
}
