#include "services/catalog/channel_view.h"

#include "services/catalog/catalog.h"
#include "services/catalog/governance/rule_shelf.h"

/* How often a page that is not full yet is filled up from what comes behind it. */
enum { ROUNDS_A_PAGE = 20 };

const char *bound_channel(const RpcCall *call)
{
    const Caller *caller = call->caller;

    if (!caller || text_is_empty(caller->channel) ||
        caller_has_scope(caller, "catalog.all_channels"))
        return NULL;
    return caller->channel;
}

ChannelDesk *caller_desk(RpcCall *call, const RuleBook *book)
{
    const char *channel = bound_channel(call);

    return channel ? channel_desk(channel, book, call->arena) : NULL;
}

bool sees_channel(const RpcCall *call, const char *channel)
{
    const char *own = bound_channel(call);

    return !own || text_is_empty(channel) || text_equal(channel, own);
}

bool sees_promotion(RpcCall *call, const char *promotion)
{
    RuleBook *book;
    bool is_seen;

    if (!bound_channel(call))
        return true;
    book = rule_shelf_current(catalog_of(call)->shelf);
    is_seen = promotion_is_shown(caller_desk(call, book), promotion);
    rule_book_release(book);
    return is_seen;
}

bool sees_draft(const RpcCall *call, const Draft *draft)
{
    const char *own = bound_channel(call);

    if (!own)
        return true;
    /* One without changes is its maker's. */
    if (!draft->change_count)
        return draft->n_authors > 0 && text_equal(draft->authors[0]->channel, own);
    return audience_count(draft->audience, own) > 0;
}

bool sees_release(const RpcCall *call, const Release *release)
{
    const char *own = bound_channel(call);

    return !own || audience_count(release->audience, own) > 0;
}

void show_draft(const RpcCall *call, Draft *draft)
{
    if (!bound_channel(call))
        return;
    draft->change_count = audience_count(draft->audience, bound_channel(call));
    draft->audience = NULL;
}

void show_release(const RpcCall *call, Release *release)
{
    if (!bound_channel(call))
        return;
    release->change_count = audience_count(release->audience, bound_channel(call));
    release->audience = NULL;
    release->rule_count = 0;
    release->digest = (ProtobufCBinaryData){ 0 };
}

/* Leaves only what the caller sees. */
static const Error *look_at(RpcCall *call, Look look, StorePage *page)
{
    size_t n_seen = 0;

    for (size_t i = 0; i < page->n_messages; i++) {
        bool is_seen = false;
        const Error *error = look(call, page->messages[i], &is_seen);

        if (error)
            return error;
        if (is_seen)
            page->messages[n_seen++] = page->messages[i];
    }
    page->n_messages = n_seen;
    return NULL;
}

const Error *find_seen(RpcCall *call, const Collection *collection, const StoreQuery *query,
    Look look, StorePage *page)
{
    StoreQuery next = *query;
    size_t limit = (size_t)query->limit;
    const Error *error;

    if (!bound_channel(call))
        return store_find(call->store, collection, query, page);
    *page = (StorePage){ .messages = arena_array(call->arena, limit, sizeof(*page->messages)) };
    for (int round = 0; round < ROUNDS_A_PAGE && page->n_messages < limit; round++) {
        StorePage found = { 0 };
        bool is_full;

        next.limit = (int32_t)(limit - page->n_messages);
        if ((error = store_find(call->store, collection, &next, &found)))
            return error;
        is_full = found.n_messages < (size_t)next.limit;
        if ((error = look_at(call, look, &found)))
            return error;
        for (size_t i = 0; i < found.n_messages; i++)
            page->messages[page->n_messages++] = found.messages[i];
        next.resume = page->resume = found.resume;
        if (text_is_empty(found.resume) || is_full)
            break;
    }
    return NULL;
}
