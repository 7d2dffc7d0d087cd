/* Categories and brands that get other names, over gRPC, on both engines. */
#include "tests/service/catalog/follower.h"
#include "tests/service/catalog/pricing_fixture.h"

#include "shared/base/id.h"

#include <string.h>

typedef Throughline__Catalog__V1__SearchProductsResponse SearchProductsResponse;
typedef Throughline__Catalog__V1__ListProductsResponse ListProductsResponse;

/* In every name: a server of MongoDB's protocol outlives the test. */
static const char *run = "R";

static void put_category(const char *slug, const char *title, const char *parent)
{
    Throughline__Catalog__V1__Category reply = THROUGHLINE__CATALOG__V1__CATEGORY__INIT;

    CHECK_TEXT(
        error_reason(ask_json("TaxonomyService/PutCategory", &reply,
            "{\"category\":{\"name\":\"categories/%s-%s\",\"title\":\"%s\",\"parent\":\"%s\"}}",
            slug, text_lower(arena, run), title,
            *parent ? arena_printf(arena, "categories/%s-%s", parent, text_lower(arena, run))
                    : "")),
        "OK");
}

static void put_brand(const char *title)
{
    Throughline__Catalog__V1__Brand reply = THROUGHLINE__CATALOG__V1__BRAND__INIT;

    CHECK_TEXT(error_reason(ask_json("TaxonomyService/PutBrand", &reply,
                   "{\"brand\":{\"name\":\"brands/hall-%s\",\"title\":\"%s %s\"}}",
                   text_lower(arena, run), title, run)),
        "OK");
}

/* A tent of "Hall", in tents and in sale, below one top of this run. */
static Product *a_tent(int number)
{
    const char *own = text_lower(arena, run);

    return product_of(
        "{\"name\":\"products/t%d-%s\",\"title\":\"Tent\",\"brand\":\"Hall %s\","
        "\"categories\":[\"categories/tents-%s\",\"categories/sale-%s\"],\"variants\":"
        "[{\"sku\":\"t%d-%s\",\"prices\":[{\"amount\":{\"currencyCode\":\"EUR\","
        "\"units\":\"100\"}}]}]}",
        number, own, run, own, own, number, own);
}

static void prepare(void)
{
    Product *tents[] = { a_tent(1), a_tent(2) };

    put_category("top", arena_printf(arena, "Top %s", run), "");
    put_category("tents", "Tents", "top");
    put_category("sale", "Sale", "top");
    put_brand("Hall");
    import_all(tents, COUNT(tents));
}

static const char *path_of(const char *below)
{
    return arena_printf(arena, "Top %s%s", run, below);
}

/* How many are found under a value of a field; `facet` gets the count that the facet of the field says of it. */
static int find_by(const char *field, const char *value, int *facet)
{
    SearchProductsResponse page = THROUGHLINE__CATALOG__V1__SEARCH_PRODUCTS_RESPONSE__INIT;

    *facet = 0;
    CHECK_TEXT(error_reason(ask_json("ProductService/SearchProducts", &page,
                   "{\"filters\":[{\"field\":\"%s\",\"values\":[\"%s\"]}],"
                   "\"facets\":[{\"field\":\"%s\",\"limit\":500}]}",
                   field, value, field)),
        "OK");
    for (size_t i = 0; page.n_facets && i < page.facets[0]->n_values; i++)
        if (text_equal(page.facets[0]->values[i]->value, value))
            *facet = (int)page.facets[0]->values[i]->count;
    return (int)page.total_size;
}

static int count_listed(const char *path)
{
    ListProductsResponse page = THROUGHLINE__CATALOG__V1__LIST_PRODUCTS_RESPONSE__INIT;

    CU_ASSERT_PTR_NULL(
        ask_json("ProductService/ListProducts", &page, "{\"category\":\"%s\"}", path));
    return (int)page.n_products;
}

static const char *category_of(int number)
{
    const Product *product = get(a_tent(number)->name);

    CU_ASSERT_PTR_NOT_NULL_FATAL(product);
    return product->category;
}

static void a_product_counts_in_each_category_and_once_above(void)
{
    int facet;

    prepare();
    CHECK_INT(find_by("category", path_of(" > Tents"), &facet), 2);
    CHECK_INT(facet, 2);
    CHECK_INT(find_by("category", path_of(" > Sale"), &facet), 2);
    CHECK_INT(facet, 2);
    CHECK_INT(find_by("category", path_of(""), &facet), 2);
    CHECK_INT(facet, 2);
    CHECK_INT(count_listed(path_of(" > Sale")), 2);
}

static void a_renamed_category_is_so_for_all_at_once(void)
{
    Product *tents[] = { a_tent(1), a_tent(2) };
    int facet;

    prepare();
    put_category("tents", "Shelters", "top");
    CHECK_TEXT(category_of(1), path_of(" > Shelters"));
    CHECK_INT(find_by("category", path_of(" > Shelters"), &facet), 2);
    CHECK_INT(facet, 2);
    CHECK_INT(count_listed(path_of(" > Shelters")), 2);

    /* Who names the old path means it still; it is not shown. */
    CHECK_INT(find_by("category", path_of(" > Tents"), &facet), 2);
    CHECK_INT(facet, 0);
    CHECK_INT(count_listed(path_of(" > Tents")), 2);
    CHECK_INT(import(tents, COUNT(tents))->unchanged, 2);
    CHECK_TEXT(category_of(2), path_of(" > Shelters"));

    fixture_restart(fixture);
    CHECK_TEXT(category_of(1), path_of(" > Shelters"));
    CHECK_INT(find_by("category", path_of(" > Shelters"), &facet), 2);
    CHECK_INT(find_by("category", path_of(" > Tents"), &facet), 2);
}

static void a_move_takes_along_what_is_below(void)
{
    int facet;

    prepare();
    put_category("attic", arena_printf(arena, "Attic %s", run), "");
    put_category("top", arena_printf(arena, "Top %s", run), "attic");
    CHECK_TEXT(category_of(1), arena_printf(arena, "Attic %s > Top %s > Tents", run, run));
    CHECK_INT(find_by("category", arena_printf(arena, "Attic %s", run), &facet), 2);
    CHECK_INT(facet, 2);
    CHECK_INT(find_by("category", path_of(" > Sale"), &facet), 2);
    put_category("top", arena_printf(arena, "Top %s", run), "");
    CHECK_TEXT(category_of(1), path_of(" > Tents"));
}

static int64_t price_of_one(void)
{
    CreateQuoteRequest *request = a_request(arena, 1);

    request->lines[0]->sku = a_tent(1)->variants[0]->sku;
    CHECK_TEXT(error_reason(quote(request)), "OK");
    return minor(answer.quote->total);
}

static void promotions_go_with_the_name(void)
{
    Promotion by_path = THROUGHLINE__CATALOG__V1__PROMOTION__INIT;
    Promotion by_brand = THROUGHLINE__CATALOG__V1__PROMOTION__INIT;

    prepare();
    CHECK_TEXT(error_reason(ask_json("PricingService/CreatePromotion", &by_path,
                   "{\"promotion\":{\"title\":\"P\",\"basisPoints\":1000,\"category\":\"%s\"}}",
                   path_of(" > Tents"))),
        "OK");
    CHECK_INT(price_of_one(), 9000);
    put_category("tents", "Shelters", "top");
    put_category("top", arena_printf(arena, "Roof %s", run), "");
    CHECK_INT(price_of_one(), 9000);
    CU_ASSERT_PTR_NULL(
        ask_json("PricingService/EndPromotion", &by_path, "{\"name\":\"%s\"}", by_path.name));

    CHECK_TEXT(error_reason(ask_json("PricingService/CreatePromotion", &by_brand,
                   "{\"promotion\":{\"title\":\"B\",\"basisPoints\":2000,"
                   "\"target\":{\"brands\":[\"Hall %s\"]}}}",
                   run)),
        "OK");
    put_brand("Great Hall");
    CHECK_INT(price_of_one(), 8000);
    CU_ASSERT_PTR_NULL(
        ask_json("PricingService/EndPromotion", &by_brand, "{\"name\":\"%s\"}", by_brand.name));
    put_brand("Hall");
    put_category("top", arena_printf(arena, "Top %s", run), "");
}

static void a_renamed_brand_is_so_for_all_at_once(void)
{
    Product *tents[] = { a_tent(1), a_tent(2) };
    const char *old = arena_printf(arena, "Hall %s", run);
    const char *now = arena_printf(arena, "Castle %s", run);
    int facet;

    prepare();
    put_brand("Castle");
    CHECK_TEXT(get(tents[0]->name)->brand, now);
    CHECK_INT(find_by("brand", now, &facet), 2);
    CHECK_INT(facet, 2);
    CHECK_INT(find_by("brand", old, &facet), 2);
    CHECK_INT(facet, 0);
    CHECK_INT(import(tents, COUNT(tents))->unchanged, 2);
    CHECK_TEXT(error_reason(ask_json("TaxonomyService/DeleteBrand", NULL,
                   "{\"name\":\"brands/hall-%s\"}", text_lower(arena, run))),
        "BRAND_IN_USE");
    put_brand("Hall");
    CHECK_TEXT(get(tents[0]->name)->brand, old);
}

static void assortments_go_with_the_name(void)
{
    Throughline__Catalog__V1__Assortment assortment = THROUGHLINE__CATALOG__V1__ASSORTMENT__INIT;
    const char *channel = arena_printf(arena, "kiosk-%s", text_lower(arena, run));

    prepare();
    CHECK_TEXT(error_reason(ask_json("TaxonomyService/PutAssortment", &assortment,
                   "{\"assortment\":{\"name\":\"assortments/%s\",\"mode\":\"ALL_EXCEPT\","
                   "\"categories\":[\"%s\"]}}",
                   channel, path_of(" > Sale"))),
        "OK");
    put_category("sale", "Outlet", "top");
    fixture_act_as(fixture, channel, "agents/merchandiser");
    CU_ASSERT_PTR_NULL(get(a_tent(1)->name));
    CHECK_INT(count_listed(path_of(" > Outlet")), 0);
    fixture_act_as(fixture, "web", "agents/merchandiser");
    CHECK_INT(count_listed(path_of(" > Outlet")), 2);
    put_category("sale", "Sale", "top");
}

static void other_replicas_see_the_name(void)
{
    Follower follower;
    const Product *product;

    prepare();
    follower_open(&follower);
    put_category("tents", "Huts", "top");
    follower_hear(&follower);
    product = snapshot_product(follower.catalog.snapshot, a_tent(1)->name, arena);
    CHECK_TEXT(product->category, path_of(" > Huts"));
    CHECK_TEXT(product->category_paths[1], path_of(" > Sale"));
    follower_close(&follower);
}

static void names_change_the_same_way_over_mongo(void)
{
    char id[ID_SIZE];

    id_new(id);
    run = id;
    if (start_catalog_over_mongo()) {
        a_product_counts_in_each_category_and_once_above();
        a_renamed_category_is_so_for_all_at_once();
        a_move_takes_along_what_is_below();
        a_renamed_brand_is_so_for_all_at_once();
        assortments_go_with_the_name();
        other_replicas_see_the_name();
        promotions_go_with_the_name();
        stop_catalog();
    }
    run = "R";
}

int main(int argc, char **argv)
{
    CU_TestInfo embedded[] = {
        { "a_product_counts_in_each_category_and_once_above",
            a_product_counts_in_each_category_and_once_above },
        { "a_renamed_category_is_so_for_all_at_once", a_renamed_category_is_so_for_all_at_once },
        { "a_move_takes_along_what_is_below", a_move_takes_along_what_is_below },
        { "promotions_go_with_the_name", promotions_go_with_the_name },
        { "a_renamed_brand_is_so_for_all_at_once", a_renamed_brand_is_so_for_all_at_once },
        { "assortments_go_with_the_name", assortments_go_with_the_name },
        { "other_replicas_see_the_name", other_replicas_see_the_name },
        CU_TEST_INFO_NULL,
    };
    CU_TestInfo mongo[] = {
        { "names_change_the_same_way_over_mongo", names_change_the_same_way_over_mongo },
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        { .pName = "embedded",
            .pSetUpFunc = start_catalog,
            .pTearDownFunc = stop_catalog,
            .pTests = embedded },
        { .pName = "mongo", .pTests = mongo },
        CU_SUITE_INFO_NULL,
    };

    return test_main("catalog_rename_service", suites, argc, argv);
}
