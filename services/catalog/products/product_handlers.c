/* What is sold: reads come from the snapshot, imports go through the store. */
#include "services/catalog/catalog.h"

#include "services/catalog/governance/published.h"
#include "services/catalog/listing.h"
#include "services/catalog/products/product_import.h"
#include "shared/codec/message.h"
#include "shared/rpc/check.h"

typedef Throughline__Catalog__V1__GetImportRequest GetImportRequest;
typedef Throughline__Catalog__V1__GetProductRequest GetProductRequest;
typedef Throughline__Catalog__V1__FindVariantRequest FindVariantRequest;
typedef Throughline__Catalog__V1__FindVariantResponse FindVariantResponse;
typedef Throughline__Catalog__V1__ListProductsRequest ListProductsRequest;
typedef Throughline__Catalog__V1__ListProductsResponse ListProductsResponse;

static const Error product_not_found = { ERROR_NOT_FOUND, "PRODUCT_NOT_FOUND",
    "There is no product of this name." };
static const Error variant_not_found = { ERROR_NOT_FOUND, "VARIANT_NOT_FOUND",
    "No product has a variant with this code." };

/* All rows of one message. */
static const Error *add_rows(ProductImport *import, const ImportProductsRequest *message)
{
    const Error *error = NULL;

    if (message->product || message->n_rows == 0)
        error = product_import_add(import, message->product, message->row);
    for (size_t i = 0; i < message->n_rows && !error; i++)
        error = product_import_add(import, message->rows[i]->product, message->rows[i]->row);
    return error;
}

/* Creates or replaces products; bad rows are in the answer. */
static const Error *import_products(RpcCall *call, const void *request, void *reply)
{
    ProductImport *import = product_import_begin(call);
    bool is_open = false;
    const Error *error;
    void *message;

    (void)request;
    do {
        rpc_recycle(call);
        if ((error = rpc_receive(call, &message)) || !message)
            break;
        if (is_open || !(error = product_import_open(import, message)))
            error = add_rows(import, message);
        is_open = true;
    } while (!error);
    if (!error)
        error = product_import_finish(import, reply);
    product_import_end(import);
    return error;
}

static const Error *get_import(RpcCall *call, const void *request, void *reply)
{
    const GetImportRequest *req = request;
    const Error *error;

    check_name(call, "name", req->name, "imports/*");
    if ((error = check_result(call)))
        return error;

    return store_get(call->store, &imports, req->name, reply);
}

static void check_language(RpcCall *call, const char *language)
{
    if (*language && !language_is_valid(language))
        check_fail(call, "language", "must be a BCP 47 tag like \"de\" or \"de-CH\"");
}

/* What was found, in a language: as it is stored where none is asked for. */
static void show(RpcCall *call, Bytes packed, const char *language, Product *reply)
{
    if (!*language) {
        snapshot_reply(call->arena, packed, reply);
        return;
    }
    *reply = *(Product *)message_unpack(
        call->arena, &throughline__catalog__v1__product__descriptor, packed);
    product_localize(reply, language);
}

/* Never blocks: a look into the snapshot. */
static const Error *get_product(RpcCall *call, const void *request, void *reply)
{
    const GetProductRequest *req = request;
    const Product *draft;
    const Error *error;
    Bytes packed;

    check_name(call, "name", req->name, "products/*");
    check_language(call, req->language);
    if ((error = check_result(call)))
        return error;

    if (published_get(catalog_of(call), req->name, call->arena, &packed)) {
        if (catalog_hides(call, packed))
            return &product_not_found;
        show(call, packed, req->language, reply);
        return NULL;
    }
    draft = caller_has_scope(call->caller, "catalog.write")
                ? published_product(catalog_of(call), req->name, call->arena)
                : NULL;
    if (!draft)
        return &product_not_found;
    *(Product *)reply = *draft;
    product_localize(reply, req->language);
    return NULL;
}

/* Never blocks. What a scanner reads may have fewer or more zeros in front than what was imported.
 */
static const Error *find_variant(RpcCall *call, const void *request, void *reply)
{
    const FindVariantRequest *req = request;
    FindVariantResponse *res = reply;
    bool is_sku = req->code_case == THROUGHLINE__CATALOG__V1__FIND_VARIANT_REQUEST__CODE_SKU;
    bool is_gtin = req->code_case == THROUGHLINE__CATALOG__V1__FIND_VARIANT_REQUEST__CODE_GTIN;
    char padded[GTIN_PADDED];
    const Error *error;
    const char *sku;
    Bytes packed;

    if (!is_sku && !is_gtin)
        check_fail(call, "sku", "a SKU or a GTIN must be given");
    if (is_sku && !sku_is_valid(req->sku))
        check_fail(call, "sku", "must be 1 to 64 characters of [A-Za-z0-9_.~-]");
    if (is_gtin && !gtin_is_valid(req->gtin))
        check_fail(call, "gtin", "must be 8, 12, 13 or 14 digits with a right check digit");
    check_language(call, req->language);
    if ((error = check_result(call)))
        return error;

    if (!published_find(catalog_of(call), is_sku ? SNAPSHOT_SKU : SNAPSHOT_GTIN,
            is_sku ? req->sku : gtin_pad(req->gtin, padded), call->arena, &packed, &sku) ||
        catalog_hides(call, packed))
        return &variant_not_found;

    res->product = message_new(call->arena, &throughline__catalog__v1__product__descriptor);
    show(call, packed, req->language, res->product);
    res->sku = arena_text(call->arena, sku);
    return NULL;
}

static const Error *list_products(RpcCall *call, const void *request, void *reply)
{
    const ListProductsRequest *req = request;
    ListProductsResponse *res = reply;
    RpcPage page = page_read(call, req->page_size, req->page_token, req->category);
    Listing listing;
    const Error *error;

    if (!category_is_valid(req->category))
        check_fail(call, "category", "must be parts joined by \" > \"");
    check_language(call, req->language);
    if ((error = check_result(call)) || (error = catalog_check_drafts(call, req->with_drafts)))
        return error;

    listing_by_name(
        call, catalog_of(call)->snapshot, req->category, req->with_drafts, &page, &listing);

    listing_localize(call, &listing, req->language);
    res->products = listing.products;
    res->n_products = listing.n_products;
    res->next_page_token = page_token(call, &page, listing.resume);
    return NULL;
}

const RpcService product_rpcs = THROUGHLINE__CATALOG__V1__PRODUCT_SERVICE__INIT();
