/* The audit trail: made of the event log, where everything is that was done, in the same write with which it was done. */
#include "services/catalog/governance/audit.h"

#include "services/catalog/governance/governance.h"
#include "services/catalog/records.h"
#include "shared/codec/message.h"

#include <string.h>

typedef Throughline__Catalog__V1__AuditPosition AuditPosition;
typedef Throughline__Catalog__V1__ProductChanged ProductChanged;

struct AuditTrail {
    RpcCall *call;
    AuditPosition position;
    bool is_new;
    bool has_moved;
    const Error *error; /* nothing is taken any more */
};

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
    const ProtobufCMessageDescriptor *type = &throughline__catalog__v1__product_changed__descriptor;
    const ProductChanged *changed;
    AuditEntry *entry;
    Bytes packed, revaluation;

    /* Most imports change other things: that is seen without unpacking the product. */
    if (!event_packed(event, type, &packed) ||
        !message_peek(type, packed, "revaluation", &revaluation))
        return NULL;
    changed = event_payload(arena, event, type);
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

static const Error *load_position(AuditTrail *trail)
{
    Arena *arena = trail->call->arena;
    AuditPosition *position = &trail->position;
    const Error *error = store_get(trail->call->store, &audit_positions, position_name, position);

    trail->is_new = error && error->code == ERROR_NOT_FOUND;
    if (error && !trail->is_new)
        return error;
    if (trail->is_new) {
        position->name = arena_text(arena, position_name);
        position->n_sequences = STORE_PARTITIONS;
        position->sequences = arena_array(arena, STORE_PARTITIONS, sizeof(*position->sequences));
    }
    return NULL;
}

AuditTrail *audit_open(RpcCall *call)
{
    AuditTrail *trail = arena_alloc(call->arena, sizeof(*trail));

    trail->call = call;
    throughline__catalog__v1__audit_position__init(&trail->position);
    trail->error = load_position(trail);
    return trail;
}

int64_t audit_place(const AuditTrail *trail, int partition)
{
    return trail->error ? INT64_MAX : trail->position.sequences[partition];
}

void audit_take(AuditTrail *trail, StoreView *view, int partition, const LogPage *page)
{
    StoreWrite *writes = arena_array(view->arena, page->n_records, sizeof(*writes));
    size_t n_writes = 0;
    int64_t last = audit_place(trail, partition);

    for (size_t i = 0; i < page->n_records; i++) {
        const EventRecord *record = page->records[i];
        AuditEntry *entry = record->sequence > last ? entry_of(view->arena, record->event) : NULL;

        if (entry)
            writes[n_writes++] =
                (StoreWrite){ .kind = STORE_PUT, .collection = &audit_entries, .message = entry };
    }
    if (page->n_records == 0 || page->records[page->n_records - 1]->sequence <= last)
        return;
    if (n_writes)
        trail->error = error_copy(trail->call->arena, store_write(view, writes, n_writes));
    if (trail->error)
        return;
    trail->position.sequences[partition] = page->records[page->n_records - 1]->sequence;
    trail->has_moved = true;
}

const Error *audit_close(AuditTrail *trail)
{
    StoreView *view = trail->call->store;
    const Error *error;

    if (trail->has_moved) {
        error = trail->is_new ? store_insert(view, &audit_positions, &trail->position, NULL)
                              : store_replace(view, &audit_positions, &trail->position, NULL);
        /* Another replica was faster: it has written the same. */
        if (error && error->code != ERROR_ABORTED && error->code != ERROR_ALREADY_EXISTS)
            return error;
    }
    return trail->error;
}
