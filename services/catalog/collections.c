#include "services/catalog/catalog_service.h"

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

const Collection *const catalog_collections[] = {
    &products,
    &promotions,
    &quote_keys,
    NULL,
};
