#include "services/catalog/governance.h"

#include "throughline/catalog/v1/stock.pb-c.h"

const Collection imports = {
    .name = "imports",
    .message = &throughline__catalog__v1__import__descriptor,
    .expire_field = "purge_time",
};

const Collection products = {
    .name = "products",
    .message = &throughline__catalog__v1__product__descriptor,
    .indexes = { { .name = "sku", .fields = { "variants.sku" }, .is_unique = true },
        { .name = "gtin", .fields = { "variants.gtin" }, .is_unique = true } },
};

const Collection promotions = {
    .name = "promotions",
    .message = &throughline__catalog__v1__promotion__descriptor,
    .indexes = { { .name = "code", .fields = { "code" }, .is_unique = true } },
};

const Collection quote_keys = {
    .name = "quote_keys",
    .message = &throughline__catalog__v1__quote_key_record__descriptor,
};

const Collection reservations = {
    .name = "reservations",
    .message = &throughline__catalog__v1__reservation__descriptor,
    /* Unique, so that only those that are not closed have entries. */
    .indexes = { { .name = "due", .fields = { "due" }, .is_unique = true } },
    .expire_field = "purge_time",
};

const Collection stock_levels = {
    .name = "stock_levels",
    .message = &throughline__catalog__v1__stock_level__descriptor,
    .indexes = { { .name = "sku", .fields = { "sku", "location" } },
        { .name = "location", .fields = { "location", "sku" } } },
};

const Collection *const catalog_collections[] = {
    &audit_entries,
    &audit_positions,
    &draft_parts,
    &drafts,
    &imports,
    &products,
    &promotions,
    &quote_keys,
    &reservations,
    &stock_levels,
    &release_changes,
    &releases,
    NULL,
};
