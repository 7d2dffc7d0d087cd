/* How the catalogue is ordered. */
#include "services/catalog/products/category_tree.h"

#include "services/catalog/domain/location.h"
#include "services/catalog/domain/product_type.h"
#include "services/catalog/governance/governance.h"
#include "services/catalog/products/taxonomy_users.h"
#include "shared/codec/message.h"
#include "shared/rpc/check.h"
#include "shared/rpc/page.h"

typedef Throughline__Catalog__V1__PutCategoryRequest PutCategoryRequest;
typedef Throughline__Catalog__V1__GetCategoryRequest GetCategoryRequest;
typedef Throughline__Catalog__V1__ListCategoriesRequest ListCategoriesRequest;
typedef Throughline__Catalog__V1__ListCategoriesResponse ListCategoriesResponse;
typedef Throughline__Catalog__V1__DeleteCategoryRequest DeleteCategoryRequest;
typedef Throughline__Catalog__V1__PutProductTypeRequest PutProductTypeRequest;
typedef Throughline__Catalog__V1__GetProductTypeRequest GetProductTypeRequest;
typedef Throughline__Catalog__V1__ListProductTypesRequest ListProductTypesRequest;
typedef Throughline__Catalog__V1__ListProductTypesResponse ListProductTypesResponse;
typedef Throughline__Catalog__V1__DeleteProductTypeRequest DeleteProductTypeRequest;
typedef Throughline__Catalog__V1__PutBrandRequest PutBrandRequest;
typedef Throughline__Catalog__V1__GetBrandRequest GetBrandRequest;
typedef Throughline__Catalog__V1__ListBrandsRequest ListBrandsRequest;
typedef Throughline__Catalog__V1__ListBrandsResponse ListBrandsResponse;
typedef Throughline__Catalog__V1__DeleteBrandRequest DeleteBrandRequest;
typedef Throughline__Catalog__V1__PutAssortmentRequest PutAssortmentRequest;
typedef Throughline__Catalog__V1__GetAssortmentRequest GetAssortmentRequest;
typedef Throughline__Catalog__V1__DeleteAssortmentRequest DeleteAssortmentRequest;

static const Error product_type_not_found = { ERROR_NOT_FOUND, "PRODUCT_TYPE_NOT_FOUND",
    "There is no type of products of this name." };
static const Error brand_not_found = { ERROR_NOT_FOUND, "BRAND_NOT_FOUND",
    "There is no brand of this name." };
static const Error assortments_full = { ERROR_RESOURCE_EXHAUSTED, "ASSORTMENTS_FULL",
    "At most 100 channels have an assortment: delete one that is not needed any more." };
static const Error assortment_not_found = { ERROR_NOT_FOUND, "ASSORTMENT_NOT_FOUND",
    "There is no assortment of this name." };

static void check_product_type(const void *record, Findings *findings)
{
    product_type_check(record, findings);
}

static const RecordKind product_type_kind = {
    .collection = &product_types,
    .field = "product_type",
    .check = check_product_type,
    .kind = THROUGHLINE__CATALOG__V1__TAXONOMY_CHANGED__RECORD_PRODUCT_TYPE,
    .not_found = &product_type_not_found,
    .find_users = product_type_users,
    .in_use = "PRODUCT_TYPE_IN_USE",
};
/* Products and rules that name a title which it had mean it still. */
static const Error *carry_brand(StoreView *view, const void *stored, void *record)
{
    const Brand *before = stored;
    Brand *brand = record;
    FormerTexts former = { 0 };

    for (size_t i = 0; before && i < before->n_former_titles; i++)
        former_texts_add(&former, before->former_titles[i], view->arena);
    if (before)
        former_texts_add(&former, before->title, view->arena);
    former_texts_remove(&former, brand->title);
    brand->former_titles = former.texts;
    brand->n_former_titles = former.n_texts;
    return NULL;
}

static void check_brand(const void *record, Findings *findings)
{
    brand_check(record, findings);
}

static const RecordKind brand_kind = {
    .collection = &brands,
    .field = "brand",
    .check = check_brand,
    .kind = THROUGHLINE__CATALOG__V1__TAXONOMY_CHANGED__RECORD_BRAND,
    .carry = carry_brand,
    .not_found = &brand_not_found,
    .find_users = brand_users,
    .in_use = "BRAND_IN_USE",
};
static const RecordKind assortment_kind = {
    .collection = &assortments,
    .kind = THROUGHLINE__CATALOG__V1__TAXONOMY_CHANGED__RECORD_ASSORTMENT,
    .not_found = &assortment_not_found,
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
    return record_put(call, &category_kind, category);
}

static const Error *import_categories(RpcCall *call, const void *request, void *reply)
{
    (void)request;
    return record_import(call, &category_kind, reply);
}

static const Error *get_category(RpcCall *call, const void *request, void *reply)
{
    const GetCategoryRequest *req = request;
    Category *category = reply;
    const Error *error;

    check_name(call, "name", req->name, "categories/*");
    if ((error = check_result(call)) ||
        (error = record_get(call, &category_kind, req->name, category)))
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
        .max_bytes = PAGE_BYTES,
        .resume = page.resume,
    };
    StorePage found = { 0 };
    const Error *error;

    check_optional_name(call, "parent", req->parent, "categories/*");
    if ((error = check_result(call)) ||
        (error = store_find(call->store, &categories, &query, &found)))
        return error;
    records_drop_deleted(&found);

    res->categories = (Category **)found.messages;
    res->n_categories = found.n_messages;
    for (size_t i = 0; i < res->n_categories; i++)
        res->categories[i]->path = arena_text(call->arena,
            category_tree_path(catalog_of(call), res->categories[i]->name, call->arena));
    res->next_page_token = page_token(call, &page, found.resume);
    return NULL;
}

static const Error *delete_category(RpcCall *call, const void *request, void *reply)
{
    const DeleteCategoryRequest *req = request;
    const Error *error;

    (void)reply;
    check_delete(call, "categories/*", req->name, req->request_id);
    if ((error = check_result(call)))
        return error;

    return record_delete(call, &category_kind, req->name, req->etag);
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

static const Error *import_product_types(RpcCall *call, const void *request, void *reply)
{
    (void)request;
    return record_import(call, &product_type_kind, reply);
}

static const Error *get_product_type(RpcCall *call, const void *request, void *reply)
{
    const GetProductTypeRequest *req = request;
    const Error *error;

    check_name(call, "name", req->name, "productTypes/*");
    if ((error = check_result(call)))
        return error;

    return record_get(call, &product_type_kind, req->name, reply);
}

/* A page of a collection in the order of names. */
static const Error *list_records(RpcCall *call, const Collection *collection, int32_t page_size,
    const char *token, StorePage *found, char **next_token)
{
    RpcPage page = page_read(call, page_size, token, "");
    StoreQuery query = { .limit = page.limit, .max_bytes = PAGE_BYTES, .resume = page.resume };
    const Error *error;

    if ((error = check_result(call)) ||
        (error = store_find(call->store, collection, &query, found)))
        return error;
    records_drop_deleted(found);
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

static const Error *delete_product_type(RpcCall *call, const void *request, void *reply)
{
    const DeleteProductTypeRequest *req = request;
    const Error *error;

    (void)reply;
    check_delete(call, "productTypes/*", req->name, req->request_id);
    if ((error = check_result(call)))
        return error;

    return record_delete(call, &product_type_kind, req->name, req->etag);
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

static const Error *import_brands(RpcCall *call, const void *request, void *reply)
{
    (void)request;
    return record_import(call, &brand_kind, reply);
}

static const Error *get_brand(RpcCall *call, const void *request, void *reply)
{
    const GetBrandRequest *req = request;
    const Error *error;

    check_name(call, "name", req->name, "brands/*");
    if ((error = check_result(call)))
        return error;

    return record_get(call, &brand_kind, req->name, reply);
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

static const Error *delete_brand(RpcCall *call, const void *request, void *reply)
{
    const DeleteBrandRequest *req = request;
    const Error *error;

    (void)reply;
    check_delete(call, "brands/*", req->name, req->request_id);
    if ((error = check_result(call)))
        return error;

    return record_delete(call, &brand_kind, req->name, req->etag);
}

static const Error *put_assortment(RpcCall *call, const void *request, void *reply)
{
    const PutAssortmentRequest *req = request;
    Findings findings = { .arena = call->arena };
    const Error *error;

    if (req->assortment)
        assortment_check(req->assortment, &findings);
    if ((error = record_check(call, req->request_id, "assortment", req->assortment, &findings)) ||
        (error = check_own_channel(call, "assortment", assortment_channel(req->assortment->name))))
        return error;

    if (assortment_shelf_is_full(
            catalog_of(call)->assortments, assortment_channel(req->assortment->name)))
        return &assortments_full;

    *(Assortment *)reply = *req->assortment;
    assortment_normalize(reply);
    return record_put(call, &assortment_kind, reply);
}

static const Error *get_assortment(RpcCall *call, const void *request, void *reply)
{
    static const Error not_found = { ERROR_NOT_FOUND, "ASSORTMENT_NOT_FOUND",
        "There is no such assortment for the account's channel." };
    const GetAssortmentRequest *req = request;
    const Error *error;

    check_name(call, "name", req->name, "assortments/*");
    if ((error = check_result(call)))
        return error;

    if (!sees_channel(call, assortment_channel(req->name)))
        return &not_found;
    return record_get(call, &assortment_kind, req->name, reply);
}

static const Error *delete_assortment(RpcCall *call, const void *request, void *reply)
{
    const DeleteAssortmentRequest *req = request;
    const Error *error;

    (void)reply;
    check_delete(call, "assortments/*", req->name, req->request_id);
    if ((error = check_result(call)) ||
        (error = check_own_channel(call, "name", assortment_channel(req->name))))
        return error;

    return record_delete(call, &assortment_kind, req->name, req->etag);
}

const RpcService taxonomy_rpcs = THROUGHLINE__CATALOG__V1__TAXONOMY_SERVICE__INIT();
