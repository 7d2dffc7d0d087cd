#include "services/catalog/products/product_refs.h"

#include "services/catalog/domain/product_type.h"
#include "services/catalog/products/category_tree.h"
#include "shared/codec/message.h"

/* A record from memory, else, because another replica may have just put it, from the store. */
static const Error *find(RpcCall *call, const Collection *collection,
    Throughline__Catalog__V1__TaxonomyChanged__RecordCase kind, const char *name, Arena *arena,
    void **found)
{
    StoreView steps = store_steps(call->store);
    TaxonomyChanged changed = THROUGHLINE__CATALOG__V1__TAXONOMY_CHANGED__INIT;
    void *record = registry_get(catalog_of(call)->registry, name, arena);
    const Error *error = NULL;

    if (!record) {
        steps.arena = arena;
        record = message_new(arena, collection->message);
        error = store_get(&steps, collection, name, record);
        changed.record_case = kind;
        changed.category = record;
        if (!error)
            catalog_put_record(catalog_of(call), &changed);
    }
    *found = error || record_is_deleted(record) ? NULL : record;
    return error && error->code == ERROR_NOT_FOUND ? NULL : error;
}

static const Error *check_type(RpcCall *call, const Product *product, Findings *findings)
{
    void *type;
    const Error *error =
        find(call, &product_types, THROUGHLINE__CATALOG__V1__TAXONOMY_CHANGED__RECORD_PRODUCT_TYPE,
            product->type, findings->arena, &type);

    if (error)
        return error;
    if (type)
        product_type_check_product(type, product, findings);
    else
        findings_add(findings, "type", "there is no type of this name");
    return NULL;
}

static const Error *check_category(
    RpcCall *call, const Product *product, size_t index, Findings *findings)
{
    void *category;
    const Error *error =
        find(call, &categories, THROUGHLINE__CATALOG__V1__TAXONOMY_CHANGED__RECORD_CATEGORY,
            product->categories[index], findings->arena, &category);

    if (!error && !category)
        findings_add(findings, arena_printf(findings->arena, "categories[%zu]", index),
            "there is no category of this name");
    return error;
}

const Error *product_check_refs(RpcCall *call, Product *product, Findings *findings)
{
    const Error *error = NULL;

    if (*product->type && (error = check_type(call, product, findings)))
        return error;
    for (size_t i = 0; i < product->n_categories && !error; i++)
        error = check_category(call, product, i, findings);
    if (error || product->n_categories == 0)
        return error;
    product->category =
        (char *)category_tree_path(catalog_of(call), product->categories[0], findings->arena);
    if (!category_is_valid(product->category))
        findings_add(findings, "category", "the path of %s has more than %d characters",
            product->categories[0], PRODUCT_MAX_CATEGORY);
    return NULL;
}
