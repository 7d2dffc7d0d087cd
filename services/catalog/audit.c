/* The audit trail: made of the event log, where everything is that was done, in the same write with which it was done. */
#include "services/catalog/governance.h"
#include "services/catalog/records.h"

#include "shared/codec/message.h"
#include "shared/codec/types.h"
#include "shared/event/log.h"
#include "shared/rpc/check.h"

#include <string.h>

typedef Throughline__Catalog__V1__AuditPosition AuditPosition;
typedef Throughline__Catalog__V1__ProductChanged ProductChanged;
typedef Throughline__Catalog__V1__ListAuditEntriesRequest ListAuditEntriesRequest;
typedef Throughline__Catalog__V1__ListAuditEntriesResponse ListAuditEntriesResponse;

enum { AUDIT_PAGE = 200, AUDIT_MAX_SUBJECT = 512, AUDIT_MAX_ACTOR = 256 };

static const char position_name[] = "auditPositions/log";

static AuditEntry *new_entry(Arena *arena, const Event *event)
{
    AuditEntry *entry = message_new(arena, &throughline__catalog__v1__audit_entry__descriptor);

    entry->name = arena_printf(arena, "auditEntries/%s", strchr(event->name, '/') + 1);
    entry->subject = event->aggregate;
    return entry;
}

static AuditAction action_of(const Release *release)
{
    switch (release->kind) {
    case THROUGHLINE__CATALOG__V1__RELEASE__KIND__ROLLBACK:
        return THROUGHLINE__CATALOG__V1__AUDIT_ENTRY__ACTION__ROLLED_BACK;
    case THROUGHLINE__CATALOG__V1__RELEASE__KIND__DIRECT:
        return THROUGHLINE__CATALOG__V1__AUDIT_ENTRY__ACTION__RULE_CHANGED;
    case THROUGHLINE__CATALOG__V1__RELEASE__KIND__STOP:
        return THROUGHLINE__CATALOG__V1__AUDIT_ENTRY__ACTION__STOP_CHANGED;
    default:
        return THROUGHLINE__CATALOG__V1__AUDIT_ENTRY__ACTION__DRAFT_PUBLISHED;
    }
}

/* An import that changed at once what a product costs. */
static AuditEntry *entry_of_import(Arena *arena, const Event *event)
{
    const ProductChanged *changed =
        event_payload(arena, event, &throughline__catalog__v1__product_changed__descriptor);
    AuditEntry *entry;

    if (!changed || !changed->revaluation || !changed->revaluation->deed)
        return NULL;
    entry = new_entry(arena, event);
    entry->action = THROUGHLINE__CATALOG__V1__AUDIT_ENTRY__ACTION__PRODUCT_IMPORTED;
    entry->deed = changed->revaluation->deed;
    entry->title = changed->revaluation->title;
    return entry;
}

static AuditEntry *entry_of_taxonomy(Arena *arena, const Event *event)
{
    const TaxonomyChanged *changed =
        event_payload(arena, event, &throughline__catalog__v1__taxonomy_changed__descriptor);
    AuditEntry *entry;

    if (!changed || !changed->record_case || !changed->deed)
        return entry_of_import(arena, event);
    entry = new_entry(arena, event);
    entry->action = record_is_deleted(changed->category)
                        ? THROUGHLINE__CATALOG__V1__AUDIT_ENTRY__ACTION__TAXONOMY_DELETED
                        : THROUGHLINE__CATALOG__V1__AUDIT_ENTRY__ACTION__TAXONOMY_CHANGED;
    entry->deed = changed->deed;
    entry->title = changed->title;
    return entry;
}

/* NULL when the event is nothing that somebody did to prices, rules or the order of the catalogue. */
static AuditEntry *entry_of(Arena *arena, const Event *event)
{
    const DraftChanged *draft =
        event_payload(arena, event, &throughline__catalog__v1__draft_changed__descriptor);
    const ReleasePublished *published =
        event_payload(arena, event, &throughline__catalog__v1__release_published__descriptor);
    AuditEntry *entry;

    if (draft && draft->action && draft->deed) {
        entry = new_entry(arena, event);
        entry->action = draft->action;
        entry->deed = draft->deed;
        entry->title = draft->draft->title;
        entry->draft = draft->draft->name;
        return entry;
    }
    if (!published || !published->release->publication)
        return entry_of_taxonomy(arena, event);
    entry = new_entry(arena, event);
    entry->action = action_of(published->release);
    entry->deed = published->release->publication;
    entry->title = published->release->title;
    entry->draft = published->release->draft;
    entry->release = published->release->number;
    return entry;
}

/* Writes the entries of the next events of a partition; *sequence moves behind them. */
static const Error *follow_partition(
    StoreView *view, int partition, int64_t *sequence, bool *is_last)
{
    LogRange range = { .partition = partition, .after = *sequence, .limit = AUDIT_PAGE };
    StoreWrite writes[AUDIT_PAGE] = { 0 };
    size_t n_writes = 0;
    LogPage page;
    const Error *error = event_log_read(view, &range, &page);

    if (error)
        return error;
    for (size_t i = 0; i < page.n_records; i++) {
        AuditEntry *entry = entry_of(view->arena, page.records[i]->event);

        if (entry)
            writes[n_writes++] =
                (StoreWrite){ .kind = STORE_PUT, .collection = &audit_entries, .message = entry };
        *sequence = page.records[i]->sequence;
    }
    *is_last = page.n_records < AUDIT_PAGE;
    return n_writes ? store_write(view, writes, n_writes) : NULL;
}

static const Error *load_position(StoreView *view, AuditPosition *position, bool *is_new)
{
    const Error *error = store_get(view, &audit_positions, position_name, position);

    *is_new = error && error->code == ERROR_NOT_FOUND;
    if (error && !*is_new)
        return error;
    if (*is_new) {
        position->name = arena_text(view->arena, position_name);
        position->n_sequences = STORE_PARTITIONS;
        position->sequences =
            arena_array(view->arena, STORE_PARTITIONS, sizeof(*position->sequences));
    }
    return NULL;
}

/* One page of every partition. Entries are written before the position moves: whoever comes next, after a crash too, writes the
 * same entries again under the same names. */
static const Error *follow_once(StoreView *view, bool *is_last)
{
    AuditPosition position = THROUGHLINE__CATALOG__V1__AUDIT_POSITION__INIT;
    int64_t before[STORE_PARTITIONS];
    bool is_new;
    const Error *error = load_position(view, &position, &is_new);

    *is_last = true;
    if (error)
        return error;
    memcpy(before, position.sequences, sizeof(before));
    for (int i = 0; i < STORE_PARTITIONS && !error; i++) {
        bool is_end = true;

        error = follow_partition(view, i, &position.sequences[i], &is_end);
        *is_last = *is_last && is_end;
    }
    if (error || !memcmp(before, position.sequences, sizeof(before)))
        return error;
    error = is_new ? store_insert(view, &audit_positions, &position, NULL)
                   : store_replace(view, &audit_positions, &position, NULL);
    /* Another replica was faster: it has written the same. */
    if (error && (error->code == ERROR_ABORTED || error->code == ERROR_ALREADY_EXISTS))
        return NULL;
    return error;
}

const Error *audit_follow(RpcCall *call)
{
    Arena *arena = arena_new();
    StoreView view = *call->store;
    bool is_last = false;
    const Error *error = NULL;

    view.arena = arena;
    while (!error && !is_last && !rpc_should_stop(call)) {
        arena_reset(arena);
        error = follow_once(&view, &is_last);
    }
    error = error_copy(call->arena, error);
    arena_free(arena);
    return error;
}

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
