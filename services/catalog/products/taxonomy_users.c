#include "services/catalog/products/taxonomy_users.h"

#include "services/catalog/domain/location.h"
#include "services/catalog/domain/product_type.h"
#include "services/catalog/products/category_tree.h"
#include "shared/codec/message.h"

#include <string.h>

enum { SLICE = 256 };

/* Products. */

typedef bool (*ProductUses)(const Product *product, const void *record);

static bool is_in_category(const Product *product, const void *record)
{
    for (size_t i = 0; i < product->n_categories; i++)
        if (text_equal(product->categories[i], ((const Category *)record)->name))
            return true;
    return false;
}

static bool is_of_type(const Product *product, const void *record)
{
    return text_equal(product->type, ((const ProductType *)record)->name);
}

static bool is_of_brand(const Product *product, const void *record)
{
    const Brand *brand = record;

    for (size_t i = 0; i < brand->n_former_titles; i++)
        if (text_equal(product->brand, brand->former_titles[i]))
            return true;
    return text_equal(product->brand, brand->title);
}

static void add_products(RpcCall *call, ProductUses uses, const void *record, Users *users)
{
    SnapshotEntry *entries[SLICE];
    const char *after = "";
    Arena *arena = arena_new();
    size_t n_entries;

    do {
        n_entries = snapshot_walk(catalog_of(call)->snapshot, after, entries, SLICE);
        arena_reset(arena);
        for (size_t i = 0; i < n_entries; i++) {
            const Product *product = message_unpack(
                arena, &throughline__catalog__v1__product__descriptor, entries[i]->packed);

            if (uses(product, record))
                users_add(users, "products", product->name);
            if (i == n_entries - 1)
                after = arena_text(call->arena, product->name);
            snapshot_release(entries[i]);
        }
    } while (n_entries == SLICE && !rpc_should_stop(call));
    arena_free(arena);
}

static void add_rules(RpcCall *call, const char *const *fields, const char *value, Users *users)
{
    Rules *rules = rules_holder_current(catalog_of(call)->rules);

    users_add_rules(users, rules_set(rules), fields, value);
    rules_release(rules);
}

/* Records that an index finds under one value: all pages of them. */
typedef void (*AddRecord)(const void *record, Users *users);

static const Error *add_found(RpcCall *call, const Collection *collection, const char *index,
    const char *value, AddRecord add, Users *users)
{
    StoreView steps = store_steps(call->store);
    StoreQuery query = {
        .index = index,
        .equal = { { .kind = STORE_TEXT, .text = value } },
        .limit = STORE_MAX_PAGE,
    };
    StorePage page = { 0 };
    const Error *error;

    do {
        if ((error = store_find(&steps, collection, &query, &page)))
            return error;
        for (size_t i = 0; i < page.n_messages; i++)
            add(page.messages[i], users);
        query.resume = page.resume;
    } while (*page.resume && !rpc_should_stop(call));
    return NULL;
}

static void add_child(const void *category, Users *users)
{
    users_add(users, "categories", ((const Category *)category)->name);
}

static void add_level(const void *record, Users *users)
{
    const StockLevel *level = record;

    if (level->on_hand > 0 || level->reserved > 0)
        users_add(users, "stock", level->name);
}

static void add_assortment(void *context, const Assortment *assortment, const char *path)
{
    for (size_t i = 0; i < assortment->n_categories; i++)
        if (text_equal(assortment->categories[i], path)) {
            users_add(context, "assortments", assortment->name);
            return;
        }
}

/* Rules and assortments that name a path. */
static void add_namers(RpcCall *call, const char *const *fields, const char *path, Users *users)
{
    add_rules(call, fields, path, users);
    assortment_shelf_each(catalog_of(call)->assortments, add_assortment, users, path);
}

const Error *category_users(RpcCall *call, const void *record, Users *users)
{
    static const char *const fields[] = { "category", "categories", "excluded_categories", NULL };
    const Category *category = record;
    const char *path = category_tree_path(catalog_of(call), category->name, call->arena);
    const Error *error = add_found(call, &categories, "parent", category->name, add_child, users);

    add_products(call, is_in_category, category, users);
    if (*path)
        add_namers(call, fields, path, users);
    for (size_t i = 0; i < category->n_former_paths; i++)
        add_namers(call, fields, category->former_paths[i], users);
    return error;
}

const Error *product_type_users(RpcCall *call, const void *type, Users *users)
{
    add_products(call, is_of_type, type, users);
    return NULL;
}

const Error *brand_users(RpcCall *call, const void *record, Users *users)
{
    static const char *const fields[] = { "brands", NULL };
    const Brand *brand = record;

    add_products(call, is_of_brand, brand, users);
    add_rules(call, fields, brand->title, users);
    for (size_t i = 0; i < brand->n_former_titles; i++)
        add_rules(call, fields, brand->former_titles[i], users);
    return NULL;
}

const Error *location_users(RpcCall *call, const void *record, Users *users)
{
    static const char *const fields[] = { "location", "locations", NULL };
    const char *id = ((const Location *)record)->name + strlen("locations/");

    add_rules(call, fields, id, users);
    return add_found(call, &stock_levels, "location", id, add_level, users);
}
