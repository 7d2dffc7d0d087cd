/* What becomes of the prices and states that an import brings: they are in force at once where whoever imports may publish, or go
 * into a draft. What a row only repeats of the row before it is no news: it does not undo what a release has said since. */
#ifndef THROUGHLINE_CATALOG_IMPORT_OFFERS_H
#define THROUGHLINE_CATALOG_IMPORT_OFFERS_H

#include "services/catalog/governance/governance.h"
#include "services/catalog/products/product_import.h"

typedef Throughline__Catalog__V1__ProductRevaluation ProductRevaluation;

typedef struct ImportOffers {
    RpcCall *call;     /* what is published may need a lot of its arena */
    const char *draft; /* "": in force at once */
    Deed *deed;
    bool may_publish;
    size_t n_changes;
    Change *changes[IMPORT_BATCH];
} ImportOffers;

/* What is decided about a row. */
typedef struct RowDecision {
    const char *field;               /* what the refusal is about */
    const char *refusal;             /* NULL: it is taken */
    Product *product;                /* as it is to be stored */
    ProductRevaluation *revaluation; /* NULL: nobody pays another price at once */
} RowDecision;

/* From the first message of an import. Errors: INVALID_ARGUMENT; NOT_FOUND DRAFT_NOT_FOUND; FAILED_PRECONDITION DRAFT_NOT_OPEN. */
const Error *import_offers_open(
    RpcCall *call, const ImportProductsRequest *first, ImportOffers *offers);

/* A good row, and what is stored of its product; NULL: nothing. */
RowDecision import_offers_take(
    ImportOffers *offers, Product *row, const Product *stored, Arena *arena);

/* Publishes what was taken, or puts it into the draft: before the products are stored, so that whoever starts again after a crash
 * finds the rest to do. Counts it in the result. Errors: those of drafts and publication. */
const Error *import_offers_settle(ImportOffers *offers, ImportProductsResponse *result);

#endif
