/* A catalogue in the test's process, with what the tests of both its services do to it. */
#ifndef THROUGHLINE_TESTS_CATALOG_FIXTURE_H
#define THROUGHLINE_TESTS_CATALOG_FIXTURE_H

#include "services/catalog/catalog.h"
#include "services/catalog/catalog_service.h"
#include "services/catalog/products/product_import.h"
#include "tests/support/fixture.h"
#include "tests/support/test_main.h"
#include "tests/unit/catalog/builders.h"

/* The fixture of the test that runs, made by start_catalog and freed by stop_catalog: the suite's
 * set-up and tear-down. */
extern Fixture *fixture;
extern Arena *arena;
void start_catalog(void);
void stop_catalog(void);
/* Over the Mongo server of THROUGHLINE_TEST_MONGO_URI; false, and the test is skipped, without one. */
bool start_catalog_over_mongo(void);

/* What goes out with a stream that takes as long as a whole file does under a sanitizer. */
RpcOutgoing import_outgoing(void);

/* Opens an import that may take its time. */
RpcClientStream *open_import(void);

/* Imports products one a row; every row must be taken. */
void import_all(Product *const *products, size_t n_products);

/* Imports and returns what the service answered. */
ImportProductsResponse *import(Product *const *products, size_t n_products);

/* An import of one message, by this caller. */
const Error *import_message(const RpcOutgoing *outgoing,
    const Throughline__Catalog__V1__ImportProductsRequest *message, ImportProductsResponse **reply);

/* The product as the service shows it, NULL when there is none. */
Product *get(const char *name);

/* Product i of a row of simple ones: "item-007" of "Row > Odd" or "Row > Even". */
Product *item(int i);
/* Imports the first so many, backwards, so that order is not an accident. */
void import_items(int n_items);

/* The product behind a SKU. */
typedef Throughline__Catalog__V1__FindVariantRequest FindVariantRequest;
typedef Throughline__Catalog__V1__FindVariantResponse FindVariantResponse;
const Error *find_sku(const char *sku, FindVariantResponse *found);

/* Calls a method with its request in JSON; `reply` may be NULL. */
const Error *ask_json(const char *method, void *reply, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* A message in JSON; its type without the package. */
void *message_of(const char *type, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A product in JSON. */
Product *product_of(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The value of one of an error's facts, "" when it has none of this key. */
const char *error_fact(const Error *error, const char *key);

/* Whether the error names this field. */
bool has_violation(const Error *error, const char *field);

#endif
