#include "services/catalog/show.h"

#include "services/catalog/catalog.h"
#include "shared/codec/message.h"

#include <pthread.h>
#include <stdlib.h>

enum { SLICE = 256 };

struct TaxonomyHolder {
    pthread_mutex_t lock; /* held for a few instructions: to read the pointer and count */
    Taxonomy *taxonomy;
    pthread_mutex_t refreshing; /* held by the one who makes it anew */
    int64_t generation;         /* of the registry that it was made of */
};

TaxonomyHolder *taxonomy_holder_new(void)
{
    TaxonomyHolder *holder = calloc(1, sizeof(*holder));

    if (!holder)
        abort();
    pthread_mutex_init(&holder->lock, NULL);
    pthread_mutex_init(&holder->refreshing, NULL);
    holder->taxonomy = taxonomy_compile(NULL, 0, NULL, 0);
    return holder;
}

void taxonomy_holder_free(TaxonomyHolder *holder)
{
    if (!holder)
        return;
    taxonomy_release(holder->taxonomy);
    pthread_mutex_destroy(&holder->lock);
    pthread_mutex_destroy(&holder->refreshing);
    free(holder);
}

Taxonomy *taxonomy_holder_current(TaxonomyHolder *holder)
{
    Taxonomy *taxonomy;

    pthread_mutex_lock(&holder->lock);
    taxonomy = taxonomy_hold(holder->taxonomy);
    pthread_mutex_unlock(&holder->lock);
    return taxonomy;
}

static void swap(TaxonomyHolder *holder, Taxonomy *taxonomy)
{
    pthread_mutex_lock(&holder->lock);
    holder->taxonomy = taxonomy;
    pthread_mutex_unlock(&holder->lock);
}

/* One product. */

/* What it is shown by. */
typedef struct Shown {
    Taxonomy *taxonomy;
    Rules *rules;
} Shown;

static Shown shown_now(Catalog *catalog)
{
    return (
        Shown){ taxonomy_holder_current(catalog->taxonomy), rules_holder_current(catalog->rules) };
}

static void let_go(Shown shown)
{
    taxonomy_release(shown.taxonomy);
    rules_release(shown.rules);
}

/* How far a product is shown. */
typedef enum ShowStep { SHOW_ENTERED, SHOW_AGAIN, SHOW_WHOLE } ShowStep;

/* In this order, so that what is found is there, and so that a release which comes meanwhile finds the product. */
static void show_by(Catalog *catalog, const Product *product, Shown by, ShowStep step)
{
    Arena *arena = arena_new();
    int64_t release = rules_set(by.rules)->release;

    product = taxonomy_show(by.taxonomy, product, arena);
    if (step == SHOW_AGAIN)
        snapshot_refresh(catalog->snapshot, product);
    else
        snapshot_put(catalog->snapshot, product);
    product = offer_apply(rules_offer(by.rules, product->name), product, arena);
    if (step == SHOW_AGAIN)
        search_index_refresh(catalog->search, product, release);
    else if (step == SHOW_WHOLE)
        search_index_put(catalog->search, product, release);
    arena_free(arena);
}

/* Whoever shows a product by what is not in force any more when it is done shows it again: so the last one is right. */
static void show(Catalog *catalog, const Product *product, ShowStep step)
{
    Shown by = shown_now(catalog);

    for (;;) {
        Shown now;
        bool is_done;

        show_by(catalog, product, by, step);
        now = shown_now(catalog);
        is_done = now.taxonomy == by.taxonomy && now.rules == by.rules;
        let_go(by);
        by = now;
        if (is_done)
            break;
        step = SHOW_AGAIN;
    }
    let_go(by);
}

void catalog_put(Catalog *catalog, const Product *product)
{
    show(catalog, product, SHOW_WHOLE);
}

void catalog_enter(Catalog *catalog, const Product *product)
{
    show(catalog, product, SHOW_ENTERED);
}

/* All products. */

static void refresh_entry(
    Catalog *catalog, const TaxonomyChanges *changes, const SnapshotEntry *entry, Arena *arena)
{
    if (changes->has_brands ||
        taxonomy_changed(changes, entry->categories.paths, entry->categories.n_paths))
        show(catalog,
            message_unpack(arena, &throughline__catalog__v1__product__descriptor, entry->packed),
            true);
}

static void refresh_products(Catalog *catalog, const TaxonomyChanges *changes)
{
    SnapshotEntry *entries[SLICE];
    Arena *arena = arena_new();
    Arena *names = arena_new();
    const char *after = "";
    size_t n_entries;

    do {
        n_entries = snapshot_walk(catalog->snapshot, after, entries, SLICE);
        arena_reset(arena);
        for (size_t i = 0; i < n_entries; i++) {
            refresh_entry(catalog, changes, entries[i], arena);
            if (i == n_entries - 1)
                after = arena_text(names, entries[i]->name);
            snapshot_release(entries[i]);
        }
    } while (n_entries == SLICE);
    arena_free(names);
    arena_free(arena);
}

/* Takes over both. */
static void put_in_force(Catalog *catalog, Taxonomy *before, Taxonomy *now)
{
    Arena *arena = arena_new();
    TaxonomyChanges changes = taxonomy_compare(before, now, arena);

    if (changes.n_categories == 0 && !changes.has_brands) {
        taxonomy_release(now);
    } else {
        swap(catalog->taxonomy, now);
        refresh_products(catalog, &changes);
        taxonomy_release(before);
    }
    arena_free(arena);
}

void catalog_refresh(Catalog *catalog)
{
    TaxonomyHolder *holder = catalog->taxonomy;
    Taxonomy *before, *now;
    size_t n_categories, n_brands;
    int64_t generation;
    void **all_categories, **all_brands;
    Arena *arena;

    pthread_mutex_lock(&holder->refreshing);
    generation = registry_generation(catalog->registry);
    if (generation != holder->generation) {
        arena = arena_new();
        before = holder->taxonomy;
        all_categories = registry_list(catalog->registry, "categories/", arena, &n_categories);
        all_brands = registry_list(catalog->registry, "brands/", arena, &n_brands);
        now = taxonomy_compile((const Category *const *)all_categories, n_categories,
            (const Brand *const *)all_brands, n_brands);
        arena_free(arena);
        holder->generation = generation;
        put_in_force(catalog, before, now);
    }
    pthread_mutex_unlock(&holder->refreshing);
}
