/* Categories, types, brands and assortments, over gRPC. */
#include "tests/service/catalog/stock_fixture.h"

#include "services/catalog/domain/category.h"
#include "services/catalog/domain/product_type.h"
#include "shared/codec/message.h"
#include "tests/support/parallel.h"

typedef Throughline__Catalog__V1__PutCategoryRequest PutCategoryRequest;
typedef Throughline__Catalog__V1__ListCategoriesResponse ListCategoriesResponse;

static Category *a_category(const char *slug, const char *title, const char *parent)
{
    Category *category = message_new(arena, &throughline__catalog__v1__category__descriptor);

    category->name = arena_printf(arena, "categories/%s", slug);
    category->title = text(arena, title);
    category->parent = *parent ? arena_printf(arena, "categories/%s", parent) : category->parent;
    return category;
}

static const Error *put_category(Category *category, const char *request_id, Category *reply)
{
    PutCategoryRequest request = THROUGHLINE__CATALOG__V1__PUT_CATEGORY_REQUEST__INIT;

    throughline__catalog__v1__category__init(reply);
    request.category = category;
    request.request_id = text(arena, request_id);
    return fixture_call(fixture, "TaxonomyService/PutCategory", &request, reply);
}

static Category *get_category(const char *slug)
{
    Throughline__Catalog__V1__GetCategoryRequest request =
        THROUGHLINE__CATALOG__V1__GET_CATEGORY_REQUEST__INIT;
    Category *category = message_new(arena, &throughline__catalog__v1__category__descriptor);

    request.name = arena_printf(arena, "categories/%s", slug);
    CHECK_TEXT(
        error_reason(fixture_call(fixture, "TaxonomyService/GetCategory", &request, category)),
        "OK");
    return category;
}

static void prepare_tree(void)
{
    Category reply;

    CU_ASSERT_PTR_NULL(put_category(a_category("two", "Two-person", "tents"), "", &reply));
    CU_ASSERT_PTR_NULL(put_category(a_category("tents", "Tents", "outdoor"), "", &reply));
    CU_ASSERT_PTR_NULL(put_category(a_category("outdoor", "Outdoor", ""), "", &reply));
}

/* Categories. */

static void a_category_knows_its_path(void)
{
    Category reply;

    prepare_tree();
    CHECK_TEXT(get_category("two")->path, "Outdoor > Tents > Two-person");
    CHECK_TEXT(get_category("outdoor")->path, "Outdoor");

    CU_ASSERT_PTR_NULL(put_category(a_category("tents", "Shelter", "outdoor"), "", &reply));
    CHECK_TEXT(reply.etag, "2");
    CHECK_TEXT(get_category("two")->path, "Outdoor > Shelter > Two-person");
}

static void a_category_is_never_below_itself(void)
{
    Category reply;

    prepare_tree();
    CHECK_TEXT(error_reason(put_category(a_category("outdoor", "Outdoor", "two"), "", &reply)),
        "CATEGORY_CYCLE");
    CHECK_TEXT(error_reason(put_category(a_category("self", "Self", "self"), "", &reply)),
        "CATEGORY_CYCLE");
    CHECK_TEXT(get_category("outdoor")->parent, "");
}

static void categories_have_a_depth(void)
{
    Category reply;

    for (int i = 1; i <= CATEGORY_MAX_DEPTH; i++)
        CHECK_TEXT(error_reason(put_category(a_category(arena_printf(arena, "d-%d", i), "D",
                                                 i > 1 ? arena_printf(arena, "d-%d", i - 1) : ""),
                       "", &reply)),
            "OK");
    CHECK_TEXT(error_reason(put_category(a_category("deeper", "D", "d-16"), "", &reply)),
        "CATEGORY_TOO_DEEP");
}

/* Half of them move a below b, the others b below a: one way it stays. */
static void move(Worker *worker)
{
    PutCategoryRequest request = THROUGHLINE__CATALOG__V1__PUT_CATEGORY_REQUEST__INIT;
    Category reply = THROUGHLINE__CATALOG__V1__CATEGORY__INIT;
    Category category = THROUGHLINE__CATALOG__V1__CATEGORY__INIT;
    bool is_a = worker->index % 2 == 0;
    const Error *error;

    category.name = arena_text(worker->arena, is_a ? "categories/a" : "categories/b");
    category.parent = arena_text(worker->arena, is_a ? "categories/b" : "categories/a");
    category.title = arena_text(worker->arena, "T");
    request.category = &category;
    error =
        worker_call(worker, "agents/merchandiser", "TaxonomyService/PutCategory", &request, &reply);
    if (!error || !text_equal(error->reason, "CATEGORY_CYCLE"))
        worker_expect(worker, error);
}

static void two_moves_at_once_make_no_cycle(void)
{
    Category reply;

    CU_ASSERT_PTR_NULL(put_category(a_category("a", "A", ""), "", &reply));
    CU_ASSERT_PTR_NULL(put_category(a_category("b", "B", ""), "", &reply));
    parallel_run(fixture, 16, move, NULL);

    CU_ASSERT(!*get_category("a")->parent || !*get_category("b")->parent);
}

static void categories_are_checked(void)
{
    Category *category = a_category("Tents", "Out > Door", "Nowhere");
    Category reply;
    const Error *error = put_category(category, "not valid", &reply);

    CHECK_INT(error->n_violations, 4);
    CU_ASSERT(has_violation(error, "category.name"));
    CU_ASSERT(has_violation(error, "category.title"));
    CU_ASSERT(has_violation(error, "category.parent"));
    CU_ASSERT(has_violation(error, "request_id"));
    CU_ASSERT(has_violation(put_category(NULL, "", &reply), "category"));
}

static void a_stale_put_is_refused_and_a_repeated_one_counts_once(void)
{
    Category *category = a_category("tents", "Tents", "");
    Category reply;

    CU_ASSERT_PTR_NULL(put_category(category, "once", &reply));
    CU_ASSERT_PTR_NULL(put_category(category, "once", &reply));
    CHECK_TEXT(reply.etag, "1");
    category->title = text(arena, "Shelter");
    category->etag = text(arena, "7");
    CHECK_TEXT(error_reason(put_category(category, "", &reply)), "ETAG_STALE");
    category->etag = text(arena, "1");
    CU_ASSERT_PTR_NULL(put_category(category, "", &reply));
    CHECK_TEXT(reply.etag, "2");
}

static void children_are_listed(void)
{
    Throughline__Catalog__V1__ListCategoriesRequest request =
        THROUGHLINE__CATALOG__V1__LIST_CATEGORIES_REQUEST__INIT;
    ListCategoriesResponse page = THROUGHLINE__CATALOG__V1__LIST_CATEGORIES_RESPONSE__INIT;

    prepare_tree();
    CU_ASSERT_PTR_NULL(fixture_call(fixture, "TaxonomyService/ListCategories", &request, &page));
    CHECK_INT(page.n_categories, 1);
    CHECK_TEXT(page.categories[0]->name, "categories/outdoor");
    request.parent = text(arena, "categories/tents");
    throughline__catalog__v1__list_categories_response__init(&page);
    CU_ASSERT_PTR_NULL(fixture_call(fixture, "TaxonomyService/ListCategories", &request, &page));
    CHECK_INT(page.n_categories, 1);
    CHECK_TEXT(page.categories[0]->path, "Outdoor > Tents > Two-person");
    request.parent = text(arena, "tents");
    CU_ASSERT(has_violation(
        fixture_call(fixture, "TaxonomyService/ListCategories", &request, &page), "parent"));
}

/* Types. */

static AttributeDefinition *a_definition(
    const char *key, Throughline__Catalog__V1__AttributeDefinition__Kind kind, bool is_required)
{
    AttributeDefinition *attribute =
        message_new(arena, &throughline__catalog__v1__attribute_definition__descriptor);

    attribute->key = text(arena, key);
    attribute->kind = kind;
    attribute->is_required = is_required;
    return attribute;
}

static const Error *put_type(AttributeDefinition **attributes, size_t n, ProductType *reply)
{
    Throughline__Catalog__V1__PutProductTypeRequest request =
        THROUGHLINE__CATALOG__V1__PUT_PRODUCT_TYPE_REQUEST__INIT;
    ProductType type = THROUGHLINE__CATALOG__V1__PRODUCT_TYPE__INIT;

    throughline__catalog__v1__product_type__init(reply);
    type.name = text(arena, "productTypes/tent");
    type.title = text(arena, "Tent");
    type.attributes = attributes;
    type.n_attributes = n;
    request.product_type = &type;
    return fixture_call(fixture, "TaxonomyService/PutProductType", &request, reply);
}

static void products_are_checked_against_their_type(void)
{
    AttributeDefinition *attributes[] = {
        a_definition("weight", THROUGHLINE__CATALOG__V1__ATTRIBUTE_DEFINITION__KIND__NUMBER, true),
    };
    Product *product = item(1);
    Throughline__Catalog__V1__Product__AttributesEntry weight =
        THROUGHLINE__CATALOG__V1__PRODUCT__ATTRIBUTES_ENTRY__INIT;
    Throughline__Catalog__V1__Product__AttributesEntry *entries[] = { &weight };
    const ImportProductsResponse *answer;
    ProductType reply;

    CU_ASSERT_PTR_NULL(put_type(attributes, 1, &reply));
    product->type = text(arena, "productTypes/tent");
    weight.key = text(arena, "weight");
    weight.value = text(arena, "heavy");
    product->attributes = entries;
    product->n_attributes = 1;
    answer = import(&product, 1);
    CHECK_INT(answer->refused, 1);
    CHECK_TEXT(answer->errors[0]->field, "attributes[\"weight\"]");

    weight.value = text(arena, "2.5");
    import_all(&product, 1);
    product->type = text(arena, "productTypes/none");
    answer = import(&product, 1);
    CHECK_TEXT(answer->errors[0]->field, "type");
}

static void types_are_shown_and_checked(void)
{
    Throughline__Catalog__V1__GetProductTypeRequest get_request =
        THROUGHLINE__CATALOG__V1__GET_PRODUCT_TYPE_REQUEST__INIT;
    Throughline__Catalog__V1__ListProductTypesRequest list_request =
        THROUGHLINE__CATALOG__V1__LIST_PRODUCT_TYPES_REQUEST__INIT;
    Throughline__Catalog__V1__ListProductTypesResponse page =
        THROUGHLINE__CATALOG__V1__LIST_PRODUCT_TYPES_RESPONSE__INIT;
    AttributeDefinition *attributes[] = { a_definition("", 0, true) };
    ProductType reply;
    const Error *error = put_type(attributes, 1, &reply);

    CU_ASSERT(has_violation(error, "product_type.attributes[0].key"));
    CU_ASSERT(has_violation(error, "product_type.attributes[0].kind"));
    get_request.name = text(arena, "productTypes/tent");
    CHECK_TEXT(
        error_reason(fixture_call(fixture, "TaxonomyService/GetProductType", &get_request, &reply)),
        "PRODUCT_TYPE_NOT_FOUND");
    CU_ASSERT_PTR_NULL(put_type(NULL, 0, &reply));
    CU_ASSERT_PTR_NULL(
        fixture_call(fixture, "TaxonomyService/GetProductType", &get_request, &reply));
    CU_ASSERT_PTR_NULL(
        fixture_call(fixture, "TaxonomyService/ListProductTypes", &list_request, &page));
    CHECK_INT(page.n_product_types, 1);
}

static void products_take_the_path_of_their_category(void)
{
    Product *product = item(1);
    char *named[] = { text(arena, "categories/two"), text(arena, "categories/outdoor") };
    const ImportProductsResponse *answer;

    prepare_tree();
    product->category = text(arena, "");
    product->categories = named;
    product->n_categories = 2;
    import_all(&product, 1);
    CHECK_TEXT(get(product->name)->category, "Outdoor > Tents > Two-person");
    CHECK_INT(import(&product, 1)->unchanged, 1);

    named[1] = text(arena, "categories/none");
    answer = import(&product, 1);
    CHECK_INT(answer->refused, 1);
    CHECK_TEXT(answer->errors[0]->field, "categories[1]");
}

/* Brands. */

static const Error *put_brand(const char *slug, const char *title)
{
    Throughline__Catalog__V1__PutBrandRequest request =
        THROUGHLINE__CATALOG__V1__PUT_BRAND_REQUEST__INIT;
    Throughline__Catalog__V1__Brand brand = THROUGHLINE__CATALOG__V1__BRAND__INIT;
    Throughline__Catalog__V1__Brand reply = THROUGHLINE__CATALOG__V1__BRAND__INIT;

    brand.name = arena_printf(arena, "brands/%s", slug);
    brand.title = text(arena, title);
    request.brand = &brand;
    return fixture_call(fixture, "TaxonomyService/PutBrand", &request, &reply);
}

static void brands_have_titles_of_their_own(void)
{
    Throughline__Catalog__V1__GetBrandRequest get_request =
        THROUGHLINE__CATALOG__V1__GET_BRAND_REQUEST__INIT;
    Throughline__Catalog__V1__ListBrandsRequest list_request =
        THROUGHLINE__CATALOG__V1__LIST_BRANDS_REQUEST__INIT;
    Throughline__Catalog__V1__ListBrandsResponse page =
        THROUGHLINE__CATALOG__V1__LIST_BRANDS_RESPONSE__INIT;
    Throughline__Catalog__V1__Brand brand = THROUGHLINE__CATALOG__V1__BRAND__INIT;

    CU_ASSERT_PTR_NULL(put_brand("hill", "Hill & Sons"));
    CHECK_TEXT(error_reason(put_brand("other", "Hill & Sons")), "TITLE_TAKEN");
    CU_ASSERT(has_violation(put_brand("no", ""), "brand.title"));
    get_request.name = text(arena, "brands/hill");
    CU_ASSERT_PTR_NULL(fixture_call(fixture, "TaxonomyService/GetBrand", &get_request, &brand));
    CHECK_TEXT(brand.title, "Hill & Sons");
    get_request.name = text(arena, "brands/none");
    CHECK_TEXT(
        error_reason(fixture_call(fixture, "TaxonomyService/GetBrand", &get_request, &brand)),
        "BRAND_NOT_FOUND");
    CU_ASSERT_PTR_NULL(fixture_call(fixture, "TaxonomyService/ListBrands", &list_request, &page));
    CHECK_INT(page.n_brands, 1);
}

/* Assortments. */

static const Error *put_assortment(Assortment *assortment, Assortment *reply)
{
    Throughline__Catalog__V1__PutAssortmentRequest request =
        THROUGHLINE__CATALOG__V1__PUT_ASSORTMENT_REQUEST__INIT;

    throughline__catalog__v1__assortment__init(reply);
    request.assortment = assortment;
    return fixture_call(fixture, "TaxonomyService/PutAssortment", &request, reply);
}

static int32_t count_listed(void)
{
    Throughline__Catalog__V1__ListProductsRequest request =
        THROUGHLINE__CATALOG__V1__LIST_PRODUCTS_REQUEST__INIT;
    Throughline__Catalog__V1__ListProductsResponse page =
        THROUGHLINE__CATALOG__V1__LIST_PRODUCTS_RESPONSE__INIT;

    CU_ASSERT_PTR_NULL(fixture_call(fixture, "ProductService/ListProducts", &request, &page));
    return (int32_t)page.n_products;
}

static void a_channel_sells_only_its_assortment(void)
{
    Assortment assortment = THROUGHLINE__CATALOG__V1__ASSORTMENT__INIT;
    Throughline__Catalog__V1__GetAssortmentRequest get_request =
        THROUGHLINE__CATALOG__V1__GET_ASSORTMENT_REQUEST__INIT;
    char *listed[] = { text(arena, "Row > Odd") };
    char *names[] = { text(arena, "products/item-004"), text(arena, "products/item-002") };
    Throughline__Catalog__V1__CreateQuoteRequest quote =
        THROUGHLINE__CATALOG__V1__CREATE_QUOTE_REQUEST__INIT;
    Throughline__Catalog__V1__CreateQuoteResponse given =
        THROUGHLINE__CATALOG__V1__CREATE_QUOTE_RESPONSE__INIT;
    Throughline__Catalog__V1__QuoteLine line = THROUGHLINE__CATALOG__V1__QUOTE_LINE__INIT;
    Throughline__Catalog__V1__QuoteLine *lines[] = { &line };
    Assortment reply;
    FindVariantResponse found;

    import_items(6);
    assortment.name = text(arena, "assortments/web");
    assortment.mode = THROUGHLINE__CATALOG__V1__ASSORTMENT__MODE__ONLY;
    assortment.categories = listed;
    assortment.n_categories = 1;
    assortment.products = names;
    assortment.n_products = 2;
    CU_ASSERT_PTR_NULL(put_assortment(&assortment, &reply));

    CHECK_INT(count_listed(), 5);
    CU_ASSERT_PTR_NULL(get("products/item-000"));
    CU_ASSERT_PTR_NOT_NULL(get("products/item-002"));
    CHECK_TEXT(error_reason(find_sku("item-000", &found)), "VARIANT_NOT_FOUND");
    quote.currency = text(arena, "EUR");
    line.sku = text(arena, "item-000");
    line.quantity = 1;
    quote.lines = lines;
    quote.n_lines = 1;
    CHECK_TEXT(error_reason(fixture_call(fixture, "PricingService/CreateQuote", &quote, &given)),
        "VARIANT_NOT_FOUND");
    fixture_act_as(fixture, "store", "agents/merchandiser");
    CHECK_INT(count_listed(), 6);

    fixture_act_as(fixture, "web", "agents/merchandiser");
    assortment.mode = THROUGHLINE__CATALOG__V1__ASSORTMENT__MODE__ALL_EXCEPT;
    CU_ASSERT_PTR_NULL(put_assortment(&assortment, &reply));
    CHECK_INT(count_listed(), 1);
    fixture_restart(fixture);
    CHECK_INT(count_listed(), 1);
    get_request.name = text(arena, "assortments/web");
    CU_ASSERT_PTR_NULL(
        fixture_call(fixture, "TaxonomyService/GetAssortment", &get_request, &reply));
    CHECK_TEXT(reply.products[0], "products/item-002");
}

static void assortments_are_checked(void)
{
    Assortment assortment = THROUGHLINE__CATALOG__V1__ASSORTMENT__INIT;
    char *bad[] = { text(arena, "") };
    Assortment reply;
    const Error *error;

    assortment.categories = assortment.products = bad;
    assortment.n_categories = assortment.n_products = 1;
    error = put_assortment(&assortment, &reply);
    CU_ASSERT(has_violation(error, "assortment.name"));
    CU_ASSERT(has_violation(error, "assortment.mode"));
    CU_ASSERT(has_violation(error, "assortment.categories[0]"));
    CU_ASSERT(has_violation(error, "assortment.products[0]"));
}

int main(int argc, char **argv)
{
    CU_TestInfo tree[] = {
        { "a_category_knows_its_path", a_category_knows_its_path },
        { "a_category_is_never_below_itself", a_category_is_never_below_itself },
        { "categories_have_a_depth", categories_have_a_depth },
        { "two_moves_at_once_make_no_cycle", two_moves_at_once_make_no_cycle },
        { "categories_are_checked", categories_are_checked },
        { "a_stale_put_is_refused_and_a_repeated_one_counts_once",
            a_stale_put_is_refused_and_a_repeated_one_counts_once },
        { "children_are_listed", children_are_listed },
        { "products_take_the_path_of_their_category", products_take_the_path_of_their_category },
        CU_TEST_INFO_NULL,
    };
    CU_TestInfo others[] = {
        { "products_are_checked_against_their_type", products_are_checked_against_their_type },
        { "types_are_shown_and_checked", types_are_shown_and_checked },
        { "brands_have_titles_of_their_own", brands_have_titles_of_their_own },
        { "a_channel_sells_only_its_assortment", a_channel_sells_only_its_assortment },
        { "assortments_are_checked", assortments_are_checked },
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        { .pName = "tree",
            .pSetUpFunc = start_catalog,
            .pTearDownFunc = stop_catalog,
            .pTests = tree },
        { .pName = "others",
            .pSetUpFunc = start_catalog,
            .pTearDownFunc = stop_catalog,
            .pTests = others },
        CU_SUITE_INFO_NULL,
    };

    return test_main("catalog_taxonomy_service", suites, argc, argv);
}
