/* What releases changed, and pages of it. */
#include "services/catalog/governance/governance.h"
#include "shared/codec/message.h"

#include <string.h>

Change *release_change(RpcCall *call, const ReleaseChange *record)
{
    Change *change = message_new(call->arena, &throughline__catalog__v1__change__descriptor);

    change->rule = record->rule;
    change->before = record->before;
    change->after = record->after;
    return change;
}

const Error *published_changes(RpcCall *call, int64_t number, ChangeList *changes)
{
    Release release = THROUGHLINE__CATALOG__V1__RELEASE__INIT;
    ReleaseChange **records;
    const Error *error;

    if ((error = store_get(call->store, &releases, release_name(call->arena, number), &release)) ||
        (error = release_changes_load(call->store, &release, &records)))
        return error;
    changes->n_items = (size_t)release.change_count;
    changes->items = arena_array(call->arena, changes->n_items, sizeof(*changes->items));
    for (size_t i = 0; i < changes->n_items; i++)
        changes->items[i] = release_change(call, records[i]);
    return NULL;
}

ChangePage change_page(RpcCall *call, const RpcPage *page, ChangeList changes)
{
    ChangePage shown = { .next_page_token = arena_text(call->arena, "") };
    RuleBook *book = rule_shelf_current(catalog_of(call)->shelf);
    size_t first = 0, bytes = 0;

    changes = changes_shown(caller_desk(call, book), changes);
    rule_book_release(book);
    while (first < changes.n_items && strcmp(changes.items[first]->rule, page->resume) <= 0)
        first++;
    if (first < changes.n_items)
        shown.changes = changes.items + first;
    while (first + shown.n_changes < changes.n_items && shown.n_changes < (size_t)page->limit &&
           bytes < PAGE_BYTES) {
        bytes += protobuf_c_message_get_packed_size(&shown.changes[shown.n_changes]->base);
        shown.n_changes++;
    }
    if (first + shown.n_changes < changes.n_items)
        shown.next_page_token = page_token(call, page, shown.changes[shown.n_changes - 1]->rule);
    return shown;
}
