#include "services/catalog/listing.h"

#include "services/catalog/governance/published.h"
#include "shared/codec/message.h"

enum { SLICE = 256 };

/* Adds a product to the page; false when it does not fit any more. */
static bool add(RpcCall *call, Bytes packed, Listing *listing, size_t *bytes)
{
    Product *product;

    if (listing->n_products > 0 && *bytes + packed.size > LISTING_MAX_BYTES)
        return false;
    *bytes += packed.size;
    product = message_new(call->arena, &throughline__catalog__v1__product__descriptor);
    snapshot_reply(call->arena, packed, product);
    listing->packed[listing->n_products] = packed;
    listing->products[listing->n_products++] = product;
    return true;
}

/* As `add`, unless it is a draft that is not asked for. */
static bool add_entry(
    RpcCall *call, const SnapshotEntry *entry, bool with_drafts, Listing *listing, size_t *bytes)
{
    Bytes packed;

    if (!published_entry(catalog_of(call), entry, call->arena, &packed) && !with_drafts)
        return true;
    packed.data = arena_copy(call->arena, packed.data, packed.size);
    return add(call, packed, listing, bytes);
}

static void begin(RpcCall *call, size_t limit, Listing *listing)
{
    *listing = (Listing){ .resume = "" };
    listing->products = arena_array(call->arena, limit, sizeof(*listing->products));
    listing->packed = arena_array(call->arena, limit, sizeof(*listing->packed));
}

void listing_by_name(RpcCall *call, Snapshot *snapshot, const char *category, bool with_drafts,
    const RpcPage *page, Listing *listing)
{
    SnapshotEntry *entries[SLICE];
    const char *after = page->resume;
    const char *last = "";
    size_t bytes = 0;
    bool is_full = false;
    size_t n_entries;

    begin(call, (size_t)page->limit, listing);
    do {
        n_entries = snapshot_walk(snapshot, after, entries, SLICE);
        for (size_t i = 0; i < n_entries; i++) {
            const SnapshotEntry *entry = entries[i];

            if (!is_full && category_contains_any(category, entry->paths) &&
                catalog_sells(call, entry->name, entry->paths)) {
                is_full = listing->n_products == (size_t)page->limit ||
                          !add_entry(call, entry, with_drafts, listing, &bytes);
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

size_t listing_of_hits(RpcCall *call, const SearchHit *hits, size_t n_hits, Listing *listing)
{
    size_t bytes = 0;
    Bytes packed;

    begin(call, n_hits, listing);
    for (size_t i = 0; i < n_hits; i++)
        if (published_get(catalog_of(call), hits[i].name, call->arena, &packed) &&
            !catalog_hides(call, packed) && !add(call, packed, listing, &bytes))
            return i;
    return n_hits;
}

void listing_localize(RpcCall *call, Listing *listing, const char *language)
{
    for (size_t i = 0; i < listing->n_products && *language; i++) {
        *listing->products[i] = *(Product *)message_unpack(
            call->arena, &throughline__catalog__v1__product__descriptor, listing->packed[i]);
        product_localize(listing->products[i], language);
    }
}
