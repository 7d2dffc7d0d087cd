#include "services/catalog/domain/taxonomy.h"

#include "shared/codec/message.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* A category or a brand. */
typedef struct Place {
    const char *key;    /* a category's name, a brand's title: unique */
    const char *text;   /* its path, its title */
    const char *parent; /* a category's, "" for none */
    FormerTexts former;
} Place;

typedef struct Places {
    size_t n_items;
    Place *items; /* in the order of keys */
} Places;

/* What something was called, and what it is called now. */
typedef struct Renaming {
    const char *former;
    const char *now;
} Renaming;

typedef struct Renamings {
    size_t n_items;
    Renaming *items; /* in the order of `former` */
} Renamings;

struct Taxonomy {
    atomic_int references;
    Arena *arena;
    Places categories;
    Places brands; /* only those that were called something else */
    Renamings paths;
    Renamings titles;
};

/* Former texts. */

void former_texts_remove(FormerTexts *former, const char *text)
{
    size_t n_left = 0;

    for (size_t i = 0; i < former->n_texts; i++)
        if (!text_equal(former->texts[i], text))
            former->texts[n_left++] = former->texts[i];
    former->n_texts = n_left;
}

void former_texts_add(FormerTexts *former, const char *text, Arena *arena)
{
    former_texts_remove(former, text);
    if (former->n_texts == TAXONOMY_MAX_FORMER) {
        former->n_texts--;
        memmove(former->texts, former->texts + 1, former->n_texts * sizeof(*former->texts));
    }
    former->texts = arena_grow(
        arena, former->texts, former->n_texts, former->n_texts + 1, sizeof(*former->texts));
    former->texts[former->n_texts++] = arena_text(arena, text);
}

FormerTexts category_former_paths(
    const Category *category, CategoryLookup lookup, void *context, Arena *arena)
{
    FormerTexts former = { 0 };
    const char *below = "";

    for (int depth = 1; category && depth <= CATEGORY_MAX_DEPTH; depth++) {
        for (size_t i = 0; i < category->n_former_paths; i++)
            former_texts_add(
                &former, arena_printf(arena, "%s%s", category->former_paths[i], below), arena);
        below = arena_printf(arena, " > %s%s", category->title, below);
        category = *category->parent ? lookup(context, category->parent) : NULL;
    }
    return former;
}

/* Compiling. */

static int by_key(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* In an array of structs whose first member is the key. */
static const void *find(const char *key, const void *items, size_t n_items, size_t size)
{
    return n_items ? bsearch(&key, items, n_items, size, by_key) : NULL;
}

static void sort(void *items, size_t n_items, size_t size)
{
    if (n_items > 1)
        qsort(items, n_items, size, by_key);
}

typedef struct Known {
    const char *name;
    const Category *category;
} Known;

typedef struct KnownCategories {
    size_t n_items;
    Known *items;
} KnownCategories;

static const Category *find_known(void *context, const char *name)
{
    const KnownCategories *all = context;
    const Known *known = find(name, all->items, all->n_items, sizeof(*known));

    return known ? known->category : NULL;
}

static void place_categories(
    Taxonomy *taxonomy, const Category *const *categories, size_t n_categories, Arena *scratch)
{
    KnownCategories all = { n_categories, arena_array(scratch, n_categories, sizeof(Known)) };

    taxonomy->categories.n_items = n_categories;
    taxonomy->categories.items = arena_array(taxonomy->arena, n_categories, sizeof(Place));
    for (size_t i = 0; i < n_categories; i++)
        all.items[i] = (Known){ categories[i]->name, categories[i] };
    sort(all.items, n_categories, sizeof(Known));
    for (size_t i = 0; i < n_categories; i++) {
        const Category *category = all.items[i].category;

        taxonomy->categories.items[i] = (Place){
            .key = arena_text(taxonomy->arena, category->name),
            .text = arena_text(taxonomy->arena, category_path(category, find_known, &all, scratch)),
            .parent = arena_text(taxonomy->arena, category->parent),
            .former = category_former_paths(category, find_known, &all, taxonomy->arena),
        };
    }
}

static void place_brands(Taxonomy *taxonomy, const Brand *const *brands, size_t n_brands)
{
    Arena *arena = taxonomy->arena;

    taxonomy->brands.items = arena_array(arena, n_brands, sizeof(Place));
    for (size_t i = 0; i < n_brands; i++) {
        Place *place = &taxonomy->brands.items[taxonomy->brands.n_items];

        if (brands[i]->n_former_titles == 0)
            continue;
        *place = (Place){ .key = arena_text(arena, brands[i]->title) };
        place->text = place->key;
        for (size_t j = 0; j < brands[i]->n_former_titles; j++)
            former_texts_add(&place->former, brands[i]->former_titles[j], arena);
        taxonomy->brands.n_items++;
    }
    sort(taxonomy->brands.items, taxonomy->brands.n_items, sizeof(Place));
}

/* What something is called now is no former name of anything else; `now` is in order. */
static void drop_taken(Places *places, const char *const *now, size_t n_now)
{
    for (size_t i = 0; i < places->n_items; i++) {
        FormerTexts *former = &places->items[i].former;
        size_t n_left = 0;

        for (size_t j = 0; j < former->n_texts; j++)
            if (!find(former->texts[j], now, n_now, sizeof(*now)))
                former->texts[n_left++] = former->texts[j];
        former->n_texts = n_left;
    }
}

/* What two had before is on every replica that of the same one. */
static int by_renaming(const void *a, const void *b)
{
    const Renaming *left = a;
    const Renaming *right = b;
    int order = strcmp(left->former, right->former);

    return order ? order : strcmp(left->now, right->now);
}

static Renamings renamings_of(const Places *places, Arena *arena)
{
    Renamings renamings = { 0 };
    size_t n_texts = 0;

    for (size_t i = 0; i < places->n_items; i++)
        n_texts += places->items[i].former.n_texts;
    renamings.items = arena_array(arena, n_texts, sizeof(*renamings.items));
    for (size_t i = 0; i < places->n_items; i++)
        for (size_t j = 0; j < places->items[i].former.n_texts; j++)
            renamings.items[renamings.n_items++] =
                (Renaming){ places->items[i].former.texts[j], places->items[i].text };
    if (renamings.n_items > 1)
        qsort(renamings.items, renamings.n_items, sizeof(*renamings.items), by_renaming);
    return renamings;
}

Taxonomy *taxonomy_compile(const Category *const *categories, size_t n_categories,
    const Brand *const *brands, size_t n_brands)
{
    Taxonomy *taxonomy = calloc(1, sizeof(*taxonomy));
    Arena *scratch = arena_new();
    const char **now = arena_array(scratch, n_categories + n_brands, sizeof(*now));

    if (!taxonomy)
        abort();
    atomic_init(&taxonomy->references, 1);
    taxonomy->arena = arena_new();
    place_categories(taxonomy, categories, n_categories, scratch);
    place_brands(taxonomy, brands, n_brands);
    for (size_t i = 0; i < n_categories; i++)
        now[i] = taxonomy->categories.items[i].text;
    sort(now, n_categories, sizeof(*now));
    drop_taken(&taxonomy->categories, now, n_categories);
    for (size_t i = 0; i < n_brands; i++)
        now[i] = brands[i]->title;
    sort(now, n_brands, sizeof(*now));
    drop_taken(&taxonomy->brands, now, n_brands);
    taxonomy->paths = renamings_of(&taxonomy->categories, taxonomy->arena);
    taxonomy->titles = renamings_of(&taxonomy->brands, taxonomy->arena);
    arena_free(scratch);
    return taxonomy;
}

Taxonomy *taxonomy_hold(Taxonomy *taxonomy)
{
    atomic_fetch_add_explicit(&taxonomy->references, 1, memory_order_relaxed);
    return taxonomy;
}

void taxonomy_release(Taxonomy *taxonomy)
{
    if (atomic_fetch_sub_explicit(&taxonomy->references, 1, memory_order_acq_rel) > 1)
        return;
    arena_free(taxonomy->arena);
    free(taxonomy);
}

/* Comparing. */

static bool is_same_place(const Place *one, const Place *other)
{
    if (!text_equal(one->text, other->text) || one->former.n_texts != other->former.n_texts)
        return false;
    for (size_t i = 0; i < one->former.n_texts; i++)
        if (!text_equal(one->former.texts[i], other->former.texts[i]))
            return false;
    return true;
}

static bool is_same_places(const Places *one, const Places *other)
{
    if (one->n_items != other->n_items)
        return false;
    for (size_t i = 0; i < one->n_items; i++)
        if (!text_equal(one->items[i].key, other->items[i].key) ||
            !is_same_place(&one->items[i], &other->items[i]))
            return false;
    return true;
}

static const Place *place_in(const Places *places, const char *key)
{
    return find(key, places->items, places->n_items, sizeof(Place));
}

TaxonomyChanges taxonomy_compare(const Taxonomy *one, const Taxonomy *other, Arena *arena)
{
    const Places *left = &one->categories, *right = &other->categories;
    TaxonomyChanges changes = { .has_brands = !is_same_places(&one->brands, &other->brands) };
    size_t i = 0, j = 0;

    changes.categories =
        arena_array(arena, left->n_items + right->n_items, sizeof(*changes.categories));
    while (i < left->n_items || j < right->n_items) {
        int order = i == left->n_items    ? 1
                    : j == right->n_items ? -1
                                          : strcmp(left->items[i].key, right->items[j].key);

        if (order != 0 || !is_same_place(&left->items[i], &right->items[j]))
            changes.categories[changes.n_categories++] =
                order > 0 ? right->items[j].key : left->items[i].key;
        i += order <= 0;
        j += order >= 0;
    }
    return changes;
}

bool taxonomy_changed(
    const TaxonomyChanges *changes, const char *const *categories, size_t n_categories)
{
    for (size_t i = 0; i < n_categories; i++)
        if (find(categories[i], changes->categories, changes->n_categories,
                sizeof(*changes->categories)))
            return true;
    return false;
}

/* Showing. */

static const char *now_of(const Renamings *renamings, const char *text)
{
    const Renaming *renaming = find(text, renamings->items, renamings->n_items, sizeof(*renaming));

    return renaming ? renaming->now : text;
}

const char *taxonomy_path_now(const Taxonomy *taxonomy, const char *path)
{
    return now_of(&taxonomy->paths, path);
}

const char *taxonomy_brand_now(const Taxonomy *taxonomy, const char *title)
{
    return now_of(&taxonomy->titles, title);
}

static void add_former(char ***texts, size_t *n_texts, const FormerTexts *former, Arena *arena)
{
    *texts = arena_grow(arena, *texts, *n_texts, *n_texts + former->n_texts, sizeof(**texts));
    for (size_t i = 0; i < former->n_texts; i++)
        (*texts)[(*n_texts)++] = former->texts[i];
}

static void show_category(
    const Taxonomy *taxonomy, size_t i, const Place *place, Product *shown, Arena *arena)
{
    Throughline__Catalog__V1__FormerNames *names = shown->former_names;
    char ***texts = i ? &names->categories : &names->category;
    size_t *n_texts = i ? &names->n_categories : &names->n_category;

    if (i == 0)
        shown->category = (char *)place->text;
    shown->category_paths[i] = (char *)place->text;
    for (int depth = 1; place && depth <= CATEGORY_MAX_DEPTH && taxonomy->paths.n_items; depth++) {
        add_former(texts, n_texts, &place->former, arena);
        place = place_in(&taxonomy->categories, place->parent);
    }
}

const Product *taxonomy_show(const Taxonomy *taxonomy, const Product *product, Arena *arena)
{
    const char *brand = taxonomy_brand_now(taxonomy, product->brand);
    const Place *brand_place = place_in(&taxonomy->brands, brand);
    Throughline__Catalog__V1__FormerNames *names;
    Product *shown;

    if (product->n_categories == 0 && !brand_place)
        return product;
    shown = arena_copy(arena, product, sizeof(*product));
    names = message_new(arena, &throughline__catalog__v1__former_names__descriptor);
    shown->former_names = names;
    shown->n_category_paths = product->n_categories;
    shown->category_paths =
        arena_array(arena, product->n_categories, sizeof(*shown->category_paths));
    for (size_t i = 0; i < product->n_categories; i++) {
        const Place *place = place_in(&taxonomy->categories, product->categories[i]);

        shown->category_paths[i] = i ? (char *)protobuf_c_empty_string : product->category;
        if (place)
            show_category(taxonomy, i, place, shown, arena);
    }
    shown->brand = (char *)brand;
    if (brand_place)
        add_former(&names->brand, &names->n_brand, &brand_place->former, arena);
    if (!names->n_category && !names->n_categories && !names->n_brand)
        shown->former_names = NULL;
    return shown;
}
