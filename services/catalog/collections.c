#include "services/catalog/governance/governance.h"
#include "services/catalog/governance/rule_checkpoint.h"

#include "throughline/catalog/v1/coupon.pb-c.h"
#include "throughline/catalog/v1/location.pb-c.h"
#include "throughline/catalog/v1/records.pb-c.h"
#include "throughline/catalog/v1/stock.pb-c.h"
#include "throughline/catalog/v1/taxonomy.pb-c.h"

const Collection assortments = {
    .name = "assortments",
    .message = &throughline__catalog__v1__assortment__descriptor,
};

const Collection brands = {
    .name = "brands",
    .message = &throughline__catalog__v1__brand__descriptor,
    .indexes = { { .name = "title", .fields = { "title" }, .is_unique = true } },
};

const Collection categories = {
    .name = "categories",
    .message = &throughline__catalog__v1__category__descriptor,
    .indexes = { { .name = "parent", .fields = { "parent", "name" } } },
};

const Collection category_trees = {
    .name = "category_trees",
    .message = &throughline__catalog__v1__category_tree__descriptor,
};

const Collection coupon_campaigns = {
    .name = "coupon_campaigns",
    .message = &throughline__catalog__v1__coupon_campaign__descriptor,
    .indexes = { { .name = "code", .fields = { "code" }, .is_unique = true },
        { .name = "prefix", .fields = { "prefix" }, .is_unique = true } },
};

const Collection coupon_keys = {
    .name = "coupon_keys",
    .message = &throughline__catalog__v1__coupon_key_record__descriptor,
};

const Collection imports = {
    .name = "imports",
    .message = &throughline__catalog__v1__import__descriptor,
    .expire_field = "purge_time",
};

const Collection locations = {
    .name = "locations",
    .message = &throughline__catalog__v1__location__descriptor,
};

const Collection product_types = {
    .name = "product_types",
    .message = &throughline__catalog__v1__product_type__descriptor,
};

const Collection products = {
    .name = "products",
    .message = &throughline__catalog__v1__product__descriptor,
    .indexes = { { .name = "sku", .fields = { "variants.sku" }, .is_unique = true },
        { .name = "gtin", .fields = { "variants.gtin" }, .is_unique = true } },
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

const Collection use_counters = {
    .name = "use_counters",
    .message = &throughline__catalog__v1__use_counter__descriptor,
};

const Collection use_reservations = {
    .name = "use_reservations",
    .message = &throughline__catalog__v1__use_reservation__descriptor,
    /* Unique, so that only those that are not closed have entries. */
    .indexes = { { .name = "due", .fields = { "due" }, .is_unique = true } },
    .expire_field = "purge_time",
};

const Collection *const catalog_collections[] = {
    &audit_entries,
    &audit_positions,
    &assortments,
    &brands,
    &categories,
    &category_trees,
    &coupon_campaigns,
    &coupon_keys,
    &draft_parts,
    &drafts,
    &imports,
    &locations,
    &priced_orders,
    &product_types,
    &products,
    &quote_keys,
    &reservations,
    &stock_levels,
    &release_changes,
    &releases,
    &rule_checkpoint_parts,
    &rule_checkpoints,
    &use_counters,
    &use_reservations,
    NULL,
};
