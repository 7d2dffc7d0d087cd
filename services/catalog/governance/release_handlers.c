/* Releases and the rules in them: what is in force, what was, what is different, and who did it. */
#include "services/catalog/governance/governance.h"

#include "shared/codec/message.h"
#include "shared/rpc/check.h"
#include "shared/rpc/page.h"

#include <string.h>

typedef Throughline__Catalog__V1__GetReleaseRequest GetReleaseRequest;
typedef Throughline__Catalog__V1__ListReleasesRequest ListReleasesRequest;
typedef Throughline__Catalog__V1__ListReleasesResponse ListReleasesResponse;
typedef Throughline__Catalog__V1__DiffReleasesRequest DiffReleasesRequest;
typedef Throughline__Catalog__V1__DiffReleasesResponse DiffReleasesResponse;
typedef Throughline__Catalog__V1__GetRuleRequest GetRuleRequest;
typedef Throughline__Catalog__V1__ListRulesRequest ListRulesRequest;
typedef Throughline__Catalog__V1__PublishedRule PublishedRule;
typedef Throughline__Catalog__V1__ListRuleHistoryRequest ListRuleHistoryRequest;
typedef Throughline__Catalog__V1__ListRuleHistoryResponse ListRuleHistoryResponse;
typedef Throughline__Catalog__V1__RuleHistoryEntry RuleHistoryEntry;

enum { RULE_MAX_PREFIX = 100, NEWEST_AT_ONCE = 50 };

/* The book of a release that a request names, 0 for the current one. */
static const Error *find_book(RpcCall *call, int64_t number, RuleBook **book)
{
    RuleShelf *shelf = catalog_of(call)->shelf;

    if (number)
        return rule_shelf_at(shelf, call->store, number, book);
    *book = rule_shelf_current(shelf);
    return NULL;
}

static const Error release_not_found = { ERROR_NOT_FOUND, "RELEASE_NOT_FOUND",
    "There is no such release for the account's channel." };

static const Error *look_at_release(RpcCall *call, void *message, bool *is_seen)
{
    *is_seen = sees_release(call, message);
    show_release(call, message);
    return NULL;
}

/* The newest one that the caller sees. */
static const Error *find_newest(RpcCall *call, Release *release)
{
    StoreQuery query = { .index = "number", .is_descending = true, .limit = NEWEST_AT_ONCE };
    StorePage found = { 0 };
    const Error *error = find_seen(call, &releases, &query, look_at_release, &found);

    if (error)
        return error;
    if (!found.n_messages)
        return &release_not_found;
    *release = *(Release *)found.messages[0];
    return NULL;
}

static char *current_release(RpcCall *call)
{
    RuleBook *book = rule_shelf_current(catalog_of(call)->shelf);
    char *name = release_name(call->arena, rule_book_number(book));

    rule_book_release(book);
    return name;
}

const Error *get_release(RpcCall *call, const void *request, void *reply)
{
    const GetReleaseRequest *req = request;
    const Error *error;

    check_optional_name(call, "name", req->name, "releases/*");
    if ((error = check_result(call)))
        return error;

    if (!*req->name && bound_channel(call))
        return find_newest(call, reply);
    if ((error = store_get(
             call->store, &releases, *req->name ? req->name : current_release(call), reply)))
        return error;
    if (!sees_release(call, reply))
        return &release_not_found;
    show_release(call, reply);
    return NULL;
}

const Error *list_releases(RpcCall *call, const void *request, void *reply)
{
    const ListReleasesRequest *req = request;
    ListReleasesResponse *res = reply;
    RpcPage page = page_read(call, req->page_size, req->page_token, "");
    StoreQuery query = {
        .index = "number",
        .is_descending = true,
        .limit = page.limit,
        .max_bytes = PAGE_BYTES,
        .resume = page.resume,
    };
    StorePage found = { 0 };
    const Error *error;

    if ((error = check_result(call)) ||
        (error = find_seen(call, &releases, &query, look_at_release, &found)))
        return error;

    res->releases = (Release **)found.messages;
    res->n_releases = found.n_messages;
    res->next_page_token = page_token(call, &page, found.resume);
    return NULL;
}

const Error *diff_releases(RpcCall *call, const void *request, void *reply)
{
    const DiffReleasesRequest *req = request;
    DiffReleasesResponse *res = reply;
    RpcPage page = page_read(call, req->page_size, req->page_token,
        arena_printf(call->arena, "%lld %lld", (long long)req->from, (long long)req->to));
    RuleBook *from, *to;
    ChangePage shown;
    const Error *error;

    check_range(call, "from", req->from, 0, INT64_MAX);
    check_range(call, "to", req->to, 0, INT64_MAX);
    if ((error = check_result(call)) ||
        (error = rule_shelf_at(catalog_of(call)->shelf, call->store, req->from, &from)))
        return error;
    if ((error = find_book(call, req->to, &to))) {
        rule_book_release(from);
        return error;
    }
    shown = change_page(call, &page, changes_between(from, to, call->arena));
    rule_book_release(from);
    rule_book_release(to);

    res->changes = shown.changes;
    res->n_changes = shown.n_changes;
    res->next_page_token = shown.next_page_token;
    return NULL;
}

static void show_rule(const BookRule *rule, Arena *arena, PublishedRule *shown)
{
    shown->name = arena_text(arena, rule->name);
    shown->rule = book_rule_unpack(rule, arena);
    shown->changed_in = rule->changed_in;
}

const Error *get_rule(RpcCall *call, const void *request, void *reply)
{
    static const Error not_found = { ERROR_NOT_FOUND, "RULE_NOT_FOUND",
        "The release has no rule of this name." };
    const GetRuleRequest *req = request;
    RuleBook *book;
    const BookRule *rule;
    bool is_there = false;
    const Error *error;

    if (!rule_name_is_valid(req->name))
        check_fail(call, "name", "is not the name of a rule");
    check_range(call, "release", req->release, 0, INT64_MAX);
    if ((error = check_result(call)) || (error = find_book(call, req->release, &book)))
        return error;

    if ((rule = rule_book_find(book, req->name))) {
        show_rule(rule, call->arena, reply);
        is_there = rule_is_shown(caller_desk(call, book), ((PublishedRule *)reply)->rule);
    }
    rule_book_release(book);
    return is_there ? NULL : &not_found;
}

/* Rules that the caller does not see leave nothing behind in the call's arena, however many they are. */
static bool is_packed_shown(const ChannelDesk *desk, const BookRule *rule)
{
    Arena *arena;
    ChannelDesk own;
    bool is_shown;

    if (!desk)
        return true;
    arena = arena_new();
    own = *desk;
    own.arena = arena;
    is_shown = rule_is_shown(&own, book_rule_unpack(rule, arena));
    arena_free(arena);
    return is_shown;
}

void rule_page(RpcCall *call, const RuleBook *book, const char *prefix, const RpcPage *page,
    ListRulesResponse *res)
{
    const ChannelDesk *desk = caller_desk(call, book);
    bool resumes = *page->resume && strcmp(page->resume, prefix) >= 0;
    size_t index = rule_book_seek(book, resumes ? page->resume : prefix), bytes = 0;

    if (resumes && index < rule_book_count(book) &&
        text_equal(rule_book_at(book, index)->name, page->resume))
        index++;
    res->rules = arena_array(call->arena, (size_t)page->limit, sizeof(*res->rules));
    res->next_page_token = arena_text(call->arena, "");
    for (; index < rule_book_count(book); index++) {
        const BookRule *rule = rule_book_at(book, index);

        if (!text_starts_with(rule->name, prefix))
            return;
        if (!is_packed_shown(desk, rule))
            continue;
        if (res->n_rules == (size_t)page->limit || bytes >= PAGE_BYTES) {
            res->next_page_token = page_token(call, page, res->rules[res->n_rules - 1]->name);
            return;
        }
        res->rules[res->n_rules] =
            message_new(call->arena, &throughline__catalog__v1__published_rule__descriptor);
        show_rule(rule, call->arena, res->rules[res->n_rules++]);
        bytes += rule->packed.size;
    }
}

const Error *list_rules(RpcCall *call, const void *request, void *reply)
{
    const ListRulesRequest *req = request;
    RpcPage page = page_read(call, req->page_size, req->page_token,
        arena_printf(call->arena, "%lld %s", (long long)req->release, req->prefix));
    RuleBook *book;
    const Error *error;

    check_text(call, "prefix", req->prefix, 0, RULE_MAX_PREFIX);
    check_range(call, "release", req->release, 0, INT64_MAX);
    if ((error = check_result(call)) || (error = find_book(call, req->release, &book)))
        return error;

    rule_page(call, book, req->prefix, &page, reply);
    rule_book_release(book);
    return NULL;
}

/* Those changes that a release names, each with its release. */
static const Error *join_releases(
    RpcCall *call, void **records, size_t n_records, ListRuleHistoryResponse *res)
{
    const char **names = arena_array(call->arena, n_records, sizeof(*names));
    void **found = arena_array(call->arena, n_records, sizeof(*found));
    const Error *error;

    for (size_t i = 0; i < n_records; i++)
        names[i] = release_name(call->arena, ((const ReleaseChange *)records[i])->release);
    if ((error = store_get_many(call->store, &releases, names, n_records, found)))
        return error;
    res->entries = arena_array(call->arena, n_records, sizeof(*res->entries));
    for (size_t i = 0; i < n_records; i++) {
        const ReleaseChange *record = records[i];
        Release *release = found[i];
        RuleHistoryEntry *entry;

        if (!release || !text_equal(release->change_set, record->change_set))
            continue;
        entry = message_new(call->arena, &throughline__catalog__v1__rule_history_entry__descriptor);
        entry->change = release_change(call, record);
        show_release(call, release);
        entry->release = release;
        res->entries[res->n_entries++] = entry;
    }
    return NULL;
}

const Error *find_by_rule(RpcCall *call, const Collection *collection, const char *rule,
    const RpcPage *page, Look look, StorePage *found)
{
    StoreQuery query = {
        .index = "rule",
        .equal = { { .kind = STORE_TEXT, .text = rule } },
        .is_descending = true,
        .limit = page->limit,
        .max_bytes = PAGE_BYTES,
        .resume = page->resume,
    };
    const Error *error = check_result(call);

    return error ? error : find_seen(call, collection, &query, look, found);
}

static const Error *look_at_change(RpcCall *call, void *message, bool *is_seen)
{
    ReleaseChange *record = message;
    Change *change = release_change(call, record);
    RuleBook *book = rule_shelf_current(catalog_of(call)->shelf);
    ChangeList shown = changes_shown(caller_desk(call, book), (ChangeList){ &change, 1 });

    rule_book_release(book);
    *is_seen = shown.n_items > 0;
    if (*is_seen) {
        record->before = shown.items[0]->before;
        record->after = shown.items[0]->after;
    }
    return NULL;
}

const Error *list_rule_history(RpcCall *call, const void *request, void *reply)
{
    const ListRuleHistoryRequest *req = request;
    ListRuleHistoryResponse *res = reply;
    RpcPage page = page_read(call, req->page_size, req->page_token, req->rule);
    StorePage found = { 0 };
    const Error *error;

    if (!rule_name_is_valid(req->rule))
        check_fail(call, "rule", "is not the name of a rule");
    if ((error = find_by_rule(call, &release_changes, req->rule, &page, look_at_change, &found)) ||
        (error = join_releases(call, found.messages, found.n_messages, res)))
        return error;

    res->next_page_token = page_token(call, &page, found.resume);
    return NULL;
}
