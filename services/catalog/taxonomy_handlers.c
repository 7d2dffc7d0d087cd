/* How the catalogue is ordered. */
#include "services/catalog/category_tree.h"

#include "services/catalog/domain/location.h"
#include "services/catalog/domain/product_type.h"
#include "shared/codec/message.h"
#include "shared/rpc/check.h"
#include "shared/rpc/page.h"

typedef Throughline__Catalog__V1__PutCategoryRequest PutCategoryRequest;
typedef Throughline__Catalog__V1__ImportCategoriesRequest ImportCategoriesRequest;
typedef Throughline__Catalog__V1__GetCategoryRequest GetCategoryRequest;
typedef Throughline__Catalog__V1__ListCategoriesRequest ListCategoriesRequest;
typedef Throughline__Catalog__V1__ListCategoriesResponse ListCategoriesResponse;
typedef Throughline__Catalog__V1__PutProductTypeRequest PutProductTypeRequest;
typedef Throughline__Catalog__V1__GetProductTypeRequest GetProductTypeRequest;
typedef Throughline__Catalog__V1__ListProductTypesRequest ListProductTypesRequest;
typedef Throughline__Catalog__V1__ListProductTypesResponse ListProductTypesResponse;
typedef Throughline__Catalog__V1__PutBrandRequest PutBrandRequest;
typedef Throughline__Catalog__V1__GetBrandRequest GetBrandRequest;
typedef Throughline__Catalog__V1__ListBrandsRequest ListBrandsRequest;
typedef Throughline__Catalog__V1__ListBrandsResponse ListBrandsResponse;
typedef Throughline__Catalog__V1__PutAssortmentRequest PutAssortmentRequest;
typedef Throughline__Catalog__V1__GetAssortmentRequest GetAssortmentRequest;

static const RecordKind product_type_kind = {
    .collection = &product_types,
    .kind = THROUGHLINE__CATALOG__V1__TAXONOMY_CHANGED__RECORD_PRODUCT_TYPE,
};
static const RecordKind brand_kind = {
    .collection = &brands,
    .kind = THROUGHLINE__CATALOG__V1__TAXONOMY_CHANGED__RECORD_BRAND,
};
static const RecordKind assortment_kind = {
    .collection = &assortments,
    .kind = THROUGHLINE__CATALOG__V1__TAXONOMY_CHANGED__RECORD_ASSORTMENT,
};

/* Categories. */

static const Error *put_category(RpcCall *call, const void *request, void *reply)
{
    const PutCategoryRequest *req = request;
    Category *category = reply;
    Findings findings = { .arena = call->arena };
    const Error *error;

    if (req->category)
        category_check(req->category, &findings);
    if ((error = record_check(call, req->request_id, "category", req->category, &findings)))
        return error;

    *category = *req->category;
    category->path = arena_text(call->arena, "");
    return record_put(call, &category_kind, category);
}

static const Error *import_categories(RpcCall *call, const void *request, void *reply)
{
    RecordImport *import = record_import_begin(call, &category_kind, reply);
    const Error *error;
    void *received;

    (void)request;
    do {
        rpc_recycle(call);
        if (!(error = rpc_receive(call, &received)) && received) {
            ImportCategoriesRequest *row = received;
            Arena *arena = arena_new();
            Findings findings = { .arena = arena };

            if (row->category) {
                row->category->path = (char *)protobuf_c_empty_string;
                category_check(row->category, &findings);
            } else {
                findings_add(&findings, "category", "is missing");
            }
            error = record_import_add(import, row->category, row->row, &findings);
            arena_free(arena);
        }
    } while (!error && received);
    return record_import_finish(import, error);
}

static const Error *get_category(RpcCall *call, const void *request, void *reply)
{
    const GetCategoryRequest *req = request;
    Category *category = reply;
    const Error *error;

    check_name(call, "name", req->name, "categories/*");
    if ((error = check_result(call)) ||
        (error = store_get(call->store, &categories, req->name, category)))
        return error;

    category->path =
        arena_text(call->arena, category_tree_path(catalog_of(call), category->name, call->arena));
    return NULL;
}

static const Error *list_categories(RpcCall *call, const void *request, void *reply)
{
    const ListCategoriesRequest *req = request;
    ListCategoriesResponse *res = reply;
    RpcPage page = page_read(call, req->page_size, req->page_token, req->parent);
    StoreQuery query = {
        .index = "parent",
        .equal = { { .kind = STORE_TEXT, .text = req->parent } },
        .limit = page.limit,
        .resume = page.resume,
    };
    StorePage found = { 0 };
    const Error *error;

    check_optional_name(call, "parent", req->parent, "categories/*");
    if ((error = check_result(call)) ||
        (error = store_find(call->store, &categories, &query, &found)))
        return error;

    res->categories = (Category **)found.messages;
    res->n_categories = found.n_messages;
    for (size_t i = 0; i < res->n_categories; i++)
        res->categories[i]->path = arena_text(call->arena,
            category_tree_path(catalog_of(call), res->categories[i]->name, call->arena));
    res->next_page_token = page_token(call, &page, found.resume);
    return NULL;
}

/* Types, brands, assortments. */

static const Error *put_product_type(RpcCall *call, const void *request, void *reply)
{
    const PutProductTypeRequest *req = request;
    Findings findings = { .arena = call->arena };
    const Error *error;

    if (req->product_type)
        product_type_check(req->product_type, &findings);
    if ((error = record_check(call, req->request_id, "product_type", req->product_type, &findings)))
        return error;

    *(ProductType *)reply = *req->product_type;
    return record_put(call, &product_type_kind, reply);
}

static const Error *get_product_type(RpcCall *call, const void *request, void *reply)
{
    const GetProductTypeRequest *req = request;
    const Error *error;

    check_name(call, "name", req->name, "productTypes/*");
    if ((error = check_result(call)))
        return error;

    return store_get(call->store, &product_types, req->name, reply);
}

/* A page of a collection in the order of names. */
static const Error *list_records(RpcCall *call, const Collection *collection, int32_t page_size,
    const char *token, StorePage *found, char **next_token)
{
    RpcPage page = page_read(call, page_size, token, "");
    StoreQuery query = { .limit = page.limit, .resume = page.resume };
    const Error *error;

    if ((error = check_result(call)) ||
        (error = store_find(call->store, collection, &query, found)))
        return error;
    *next_token = page_token(call, &page, found->resume);
    return NULL;
}

static const Error *list_product_types(RpcCall *call, const void *request, void *reply)
{
    const ListProductTypesRequest *req = request;
    ListProductTypesResponse *res = reply;
    StorePage found = { 0 };
    const Error *error = list_records(
        call, &product_types, req->page_size, req->page_token, &found, &res->next_page_token);

    res->product_types = (ProductType **)found.messages;
    res->n_product_types = found.n_messages;
    return error;
}

static const Error *put_brand(RpcCall *call, const void *request, void *reply)
{
    const PutBrandRequest *req = request;
    Findings findings = { .arena = call->arena };
    const Error *error;

    if (req->brand)
        brand_check(req->brand, &findings);
    if ((error = record_check(call, req->request_id, "brand", req->brand, &findings)))
        return error;

    *(Brand *)reply = *req->brand;
    return record_put(call, &brand_kind, reply);
}

static const Error *get_brand(RpcCall *call, const void *request, void *reply)
{
    const GetBrandRequest *req = request;
    const Error *error;

    check_name(call, "name", req->name, "brands/*");
    if ((error = check_result(call)))
        return error;

    return store_get(call->store, &brands, req->name, reply);
}

static const Error *list_brands(RpcCall *call, const void *request, void *reply)
{
    const ListBrandsRequest *req = request;
    ListBrandsResponse *res = reply;
    StorePage found = { 0 };
    const Error *error =
        list_records(call, &brands, req->page_size, req->page_token, &found, &res->next_page_token);

    res->brands = (Brand **)found.messages;
    res->n_brands = found.n_messages;
    return error;
}

static const Error *put_assortment(RpcCall *call, const void *request, void *reply)
{
    const PutAssortmentRequest *req = request;
    Findings findings = { .arena = call->arena };
    const Error *error;

    if (req->assortment)
        assortment_check(req->assortment, &findings);
    if ((error = record_check(call, req->request_id, "assortment", req->assortment, &findings)))
        return error;

    *(Assortment *)reply = *req->assortment;
    assortment_normalize(reply);
    return record_put(call, &assortment_kind, reply);
}

static const Error *get_assortment(RpcCall *call, const void *request, void *reply)
{
    const GetAssortmentRequest *req = request;
    const Error *error;

    check_name(call, "name", req->name, "assortments/*");
    if ((error = check_result(call)))
        return error;

    return store_get(call->store, &assortments, req->name, reply);
}

const RpcService taxonomy_rpcs = THROUGHLINE__CATALOG__V1__TAXONOMY_SERVICE__INIT();
