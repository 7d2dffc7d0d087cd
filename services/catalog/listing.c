#include "services/catalog/listing.h"

#include "shared/codec/message.h"

#include <stdlib.h>
#include <string.h>

enum { SLICE = 256 };

static const Error page_token_invalid = { ERROR_INVALID_ARGUMENT, "PAGE_TOKEN_INVALID",
    "The page token is not one of this search." };

/* A product that matches, and how well. */
typedef struct Match {
    int score;
    SnapshotEntry *entry;
} Match;

/* The best matches so far, best first: one more than the page holds, to know whether there is
 * another page. */
typedef struct Best {
    size_t n_matches;
    size_t limit;
    Match matches[PAGE_MAX + 1];
} Best;

/* Adds a product to the page; false when it does not fit any more. */
static bool add(RpcCall *call, const SnapshotEntry *entry, Listing *listing, size_t *bytes)
{
    Product *product;

    if (listing->n_products > 0 && *bytes + entry->packed.size > LISTING_MAX_BYTES)
        return false;
    *bytes += entry->packed.size;
    product = message_new(call->arena, &throughline__catalog__v1__product__descriptor);
    snapshot_reply(call->arena,
        (Bytes){
            arena_copy(call->arena, entry->packed.data, entry->packed.size), entry->packed.size },
        product);
    listing->products[listing->n_products++] = product;
    return true;
}

static void begin(RpcCall *call, const RpcPage *page, Listing *listing)
{
    *listing = (Listing){ .resume = "" };
    listing->products = arena_array(call->arena, (size_t)page->limit, sizeof(*listing->products));
}

void listing_by_name(
    RpcCall *call, Snapshot *snapshot, const char *category, const RpcPage *page, Listing *listing)
{
    SnapshotEntry *entries[SLICE];
    const char *after = page->resume;
    const char *last = "";
    size_t bytes = 0;
    bool is_full = false;
    size_t n_entries;

    begin(call, page, listing);
    do {
        n_entries = snapshot_walk(snapshot, after, entries, SLICE);
        for (size_t i = 0; i < n_entries; i++) {
            const SnapshotEntry *entry = entries[i];

            if (!is_full && category_contains(category, entry->category)) {
                is_full = listing->n_products == (size_t)page->limit ||
                          !add(call, entry, listing, &bytes);
                if (is_full)
                    listing->resume = last;
                else
                    last = arena_text(call->arena, entry->name);
            }
            if (i == n_entries - 1)
                after = arena_text(call->arena, entry->name);
            snapshot_release(entries[i]);
        }
    } while (n_entries == SLICE && !is_full);
}

static bool is_before(const Match *a, int score, const char *name)
{
    return a->score != score ? a->score > score : strcmp(a->entry->name, name) < 0;
}

/* Keeps a match if it is among the best; takes its reference over. */
static void keep(Best *best, Match match)
{
    size_t at = best->n_matches;

    while (at > 0 && !is_before(&best->matches[at - 1], match.score, match.entry->name))
        at--;
    if (at == best->limit) {
        snapshot_release(match.entry);
        return;
    }
    if (best->n_matches == best->limit)
        snapshot_release(best->matches[--best->n_matches].entry);
    memmove(&best->matches[at + 1], &best->matches[at],
        (best->n_matches - at) * sizeof(*best->matches));
    best->matches[at] = match;
    best->n_matches++;
}

/* "17 products/tent": the last match of the page before. */
static bool read_resume(const char *resume, int *score, const char **name)
{
    char *end;
    long value = strtol(resume, &end, 10);

    if (value < 1 || value > INT32_MAX || *end != ' ')
        return false;
    *score = (int)value;
    *name = end + 1;
    return true;
}

/* Looks through the whole snapshot for what comes behind a score and name. */
static void find_best(RpcCall *call, Snapshot *snapshot, const SearchWords *words, int score,
    const char *name, Best *best)
{
    SnapshotEntry *entries[SLICE];
    const char *after = "";
    size_t n_entries;

    do {
        n_entries = snapshot_walk(snapshot, after, entries, SLICE);
        if (n_entries > 0)
            after = arena_text(call->arena, entries[n_entries - 1]->name);
        for (size_t i = 0; i < n_entries; i++) {
            Match match = { search_score(entries[i]->text, words), entries[i] };

            if (match.score > 0 && !is_before(&match, score, name) &&
                (match.score != score || strcmp(entries[i]->name, name) != 0))
                keep(best, match);
            else
                snapshot_release(entries[i]);
        }
    } while (n_entries == SLICE);
}

const Error *listing_by_score(RpcCall *call, Snapshot *snapshot, const SearchWords *words,
    const RpcPage *page, Listing *listing)
{
    Best *best;
    int score = INT32_MAX;
    const char *name = "";
    size_t bytes = 0;
    size_t n_taken = 0;

    if (*page->resume && !read_resume(page->resume, &score, &name))
        return &page_token_invalid;
    best = arena_alloc(call->arena, sizeof(*best));
    best->limit = (size_t)page->limit + 1;
    begin(call, page, listing);
    find_best(call, snapshot, words, score, name, best);
    while (n_taken < best->n_matches && n_taken < (size_t)page->limit &&
           add(call, best->matches[n_taken].entry, listing, &bytes))
        n_taken++;
    if (n_taken < best->n_matches)
        listing->resume = arena_printf(call->arena, "%d %s", best->matches[n_taken - 1].score,
            best->matches[n_taken - 1].entry->name);
    for (size_t i = 0; i < best->n_matches; i++)
        snapshot_release(best->matches[i].entry);
    return NULL;
}
