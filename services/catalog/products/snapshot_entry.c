#include "services/catalog/products/snapshot_entry.h"

#include "shared/codec/message.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

uint64_t snapshot_hash(const char *text)
{
    return text_hash(text, strlen(text));
}

void snapshot_hold(SnapshotEntry *entry)
{
    atomic_fetch_add_explicit(&entry->references, 1, memory_order_relaxed);
}

void snapshot_release(SnapshotEntry *entry)
{
    if (atomic_fetch_sub_explicit(&entry->references, 1, memory_order_acq_rel) == 1)
        free(entry);
}

static char *copy_bytes(char **at, const void *bytes, size_t size)
{
    char *copy = *at;

    memcpy(copy, bytes, size);
    *at += size;
    return copy;
}

static char *copy_text(char **at, const char *text)
{
    return copy_bytes(at, text, strlen(text) + 1);
}

/* Copies the texts; `copies` has room for their pointers. */
static ProductPaths copy_paths(ProductPaths paths, const char **copies, char **at)
{
    for (size_t i = 0; i < paths.n_paths; i++)
        copies[i] = copy_text(at, paths.paths[i]);
    return (ProductPaths){ paths.n_paths, copies };
}

/* Bytes of all, with a NUL and a pointer each. */
static size_t paths_size(ProductPaths paths)
{
    size_t size = paths.n_paths * sizeof(char *);

    for (size_t i = 0; i < paths.n_paths; i++)
        size += strlen(paths.paths[i]) + 1;
    return size;
}

static size_t codes_size(const Product *product, size_t *n_codes)
{
    size_t size = 0;

    *n_codes = 0;
    for (size_t i = 0; i < product->n_variants; i++) {
        const Variant *variant = product->variants[i];

        size += strlen(variant->sku) + 1;
        (*n_codes)++;
        if (*variant->gtin) {
            size += GTIN_PADDED;
            (*n_codes)++;
        }
    }
    return size;
}

static void add_code(
    SnapshotEntry *entry, SnapshotKey key, const char *code, const char *sku, char **at)
{
    const char *copy = copy_text(at, code);

    entry->codes[entry->n_codes++] = (SnapshotCode){
        .hash = snapshot_hash(copy),
        .entry = entry,
        .key = key,
        .code = copy,
        .sku = sku ? sku : copy,
    };
}

int64_t snapshot_version_of(const Product *product)
{
    int64_t version;
    bool is_number = text_to_int64(product->etag, &version);

    assert(is_number && "a stored product has a version");
    return version;
}

SnapshotEntry *snapshot_entry_new(const Product *product)
{
    Arena *arena = arena_new();
    Bytes packed = message_pack(arena, product);
    size_t n_codes;
    size_t codes = codes_size(product, &n_codes);
    ProductPaths paths = product_paths(product, arena);
    ProductPaths categories = { product->n_categories, (const char *const *)product->categories };
    size_t texts = strlen(product->name) + 1 + paths_size(paths) + paths_size(categories);
    SnapshotEntry *entry =
        calloc(1, sizeof(*entry) + n_codes * sizeof(SnapshotCode) + packed.size + codes + texts);
    char *at = (char *)(entry + 1) + n_codes * sizeof(SnapshotCode);
    const char **pointers = (const char **)(void *)at;

    if (!entry)
        abort();
    atomic_init(&entry->references, 1);
    entry->version = snapshot_version_of(product);
    entry->codes = (SnapshotCode *)(entry + 1);
    at += (paths.n_paths + categories.n_paths) * sizeof(*pointers);
    entry->packed.data = (const uint8_t *)copy_bytes(&at, packed.data, packed.size);
    entry->packed.size = packed.size;
    entry->name = copy_text(&at, product->name);
    entry->paths = copy_paths(paths, pointers, &at);
    entry->categories = copy_paths(categories, pointers + paths.n_paths, &at);
    entry->is_draft = product->state == PRODUCT_DRAFT;
    for (size_t i = 0; i < product->n_variants; i++) {
        const Variant *variant = product->variants[i];
        char padded[GTIN_PADDED];

        add_code(entry, SNAPSHOT_SKU, variant->sku, NULL, &at);
        if (*variant->gtin)
            add_code(entry, SNAPSHOT_GTIN, gtin_pad(variant->gtin, padded),
                entry->codes[entry->n_codes - 1].code, &at);
    }
    arena_free(arena);
    return entry;
}
