/* Parents change under one lock of the store's: every write that names a parent also moves the tree's own record on, so that of two
 * writes which would make a cycle together one has to look again. */
#include "services/catalog/products/category_tree.h"

#include "services/catalog/products/taxonomy_users.h"
#include "shared/codec/message.h"

#include "throughline/catalog/v1/records.pb-c.h"

static const Error category_not_found = { ERROR_NOT_FOUND, "CATEGORY_NOT_FOUND",
    "There is no category of this name." };

static const char tree_name[] = "categoryTree/1";

/* Categories by name: those of the batch, as they will be, then those of the store, each read once. */
typedef struct Ancestors {
    StoreView *view;
    void *const *batch;
    size_t n_batch;
    size_t n_known;
    size_t capacity;
    const char **names;
    const Category **known;
    const Error *error;
} Ancestors;

static const Category *remember(Ancestors *ancestors, const char *name, const Category *category)
{
    if (ancestors->n_known == ancestors->capacity) {
        size_t capacity = ancestors->capacity ? 2 * ancestors->capacity : 64;

        ancestors->names = arena_grow(ancestors->view->arena, ancestors->names, ancestors->n_known,
            capacity, sizeof(*ancestors->names));
        ancestors->known = arena_grow(ancestors->view->arena, ancestors->known, ancestors->n_known,
            capacity, sizeof(*ancestors->known));
        ancestors->capacity = capacity;
    }
    ancestors->names[ancestors->n_known] = name;
    ancestors->known[ancestors->n_known++] = category;
    return category;
}

static const Category *find_in_store(void *context, const char *name)
{
    Ancestors *ancestors = context;
    StoreView steps = store_steps(ancestors->view);
    Category *category;
    const Error *error;

    for (size_t i = 0; i < ancestors->n_batch; i++)
        if (text_equal(((const Category *)ancestors->batch[i])->name, name))
            return ancestors->batch[i];
    for (size_t i = 0; i < ancestors->n_known; i++)
        if (text_equal(ancestors->names[i], name))
            return ancestors->known[i];
    category = message_new(ancestors->view->arena, &throughline__catalog__v1__category__descriptor);
    error = store_get(&steps, &categories, name, category);
    if (error && error->code != ERROR_NOT_FOUND)
        ancestors->error = error;
    return remember(ancestors, name, error || record_is_deleted(category) ? NULL : category);
}

/* What it was called stays its own: by all names that its parents had, as they are stored. */
static const Error *carry(StoreView *view, const void *stored, void *record)
{
    const Category *before = stored;
    Category *category = record;
    Ancestors ancestors = { .view = view };
    FormerTexts former = { 0 };

    if (before && text_equal(before->title, category->title) &&
        text_equal(before->parent, category->parent)) {
        former = (FormerTexts){ before->n_former_paths, before->former_paths };
    } else if (before) {
        former = category_former_paths(before, find_in_store, &ancestors, view->arena);
        former_texts_add(
            &former, category_path(before, find_in_store, &ancestors, view->arena), view->arena);
    }
    category->path = (char *)protobuf_c_empty_string;
    category->former_paths = former.texts;
    category->n_former_paths = former.n_texts;
    return ancestors.error;
}

/* Moves the tree on. */
static const Error *make_head(StoreView *view, StoreWrite *head)
{
    StoreView steps = store_steps(view);
    Throughline__Catalog__V1__CategoryTree *tree =
        message_new(view->arena, &throughline__catalog__v1__category_tree__descriptor);
    const Error *error = store_get(&steps, &category_trees, tree_name, tree);

    if (error && error->code != ERROR_NOT_FOUND)
        return error;
    *head = (StoreWrite){
        .kind = error ? STORE_INSERT : STORE_REPLACE,
        .collection = &category_trees,
        .message = tree,
    };
    tree->name = arena_text(view->arena, tree_name);
    return NULL;
}

static const Error *screen(RpcCall *call, StoreView *view, void *const *records, size_t n_records,
    const Error **refusals, StoreWrite *head)
{
    Ancestors ancestors = { .view = view, .batch = records, .n_batch = n_records };
    bool has_parents = false;
    const Error *error;

    (void)call;
    for (size_t i = 0; i < n_records; i++)
        has_parents = has_parents || *((const Category *)records[i])->parent;
    if (!has_parents)
        return NULL;
    /* First the head, then the parents: whatever moves after this look makes the write fail. */
    if ((error = make_head(view, head)))
        return error;
    for (size_t i = 0; i < n_records; i++)
        refusals[i] = category_check_parents(records[i], find_in_store, &ancestors);
    return ancestors.error;
}

static void check(const void *record, Findings *findings)
{
    category_check(record, findings);
}

const RecordKind category_kind = {
    .collection = &categories,
    .field = "category",
    .check = check,
    .kind = THROUGHLINE__CATALOG__V1__TAXONOMY_CHANGED__RECORD_CATEGORY,
    .screen = screen,
    .carry = carry,
    .not_found = &category_not_found,
    .find_users = category_users,
    .in_use = "CATEGORY_IN_USE",
};

/* In memory. */

typedef struct Memory {
    Registry *registry;
    Arena *arena;
} Memory;

static const Category *find_in_memory(void *context, const char *name)
{
    const Memory *memory = context;

    return registry_get(memory->registry, name, memory->arena);
}

const char *category_tree_path(Catalog *catalog, const char *name, Arena *arena)
{
    Memory memory = { catalog->registry, arena };
    const Category *category = find_in_memory(&memory, name);

    return category ? category_path(category, find_in_memory, &memory, arena) : "";
}
