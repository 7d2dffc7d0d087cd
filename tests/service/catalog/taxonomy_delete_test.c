/* Deleting what orders the catalogue, over gRPC, on both engines. */
#include "tests/service/catalog/follower.h"
#include "tests/service/catalog/stock_fixture.h"

#include "services/catalog/governance/governance.h"
#include "services/catalog/records.h"
#include "shared/base/clock.h"
#include "shared/base/id.h"

#include <string.h>

typedef Throughline__Catalog__V1__ListBrandsResponse ListBrandsResponse;
typedef Throughline__Catalog__V1__ListCategoriesResponse ListCategoriesResponse;
typedef Throughline__Catalog__V1__ListAuditEntriesResponse ListAuditEntriesResponse;

enum { WAIT_TRIES = 400, WAIT_MS = 50 };

/* In every name: a server of MongoDB's protocol outlives the test. */
static const char *run = "r";

/* What was refused says who uses it. */
static void check_use(const Error *error, const char *reason, const char *what, const char *count)
{
    CHECK_TEXT(error_reason(error), reason);
    CHECK_INT(error ? error->code : 0, ERROR_FAILED_PRECONDITION);
    CHECK_TEXT(error_fact(error, what), count);
}

static const Error *put_category(const char *slug, const char *title, const char *parent)
{
    Throughline__Catalog__V1__Category reply = THROUGHLINE__CATALOG__V1__CATEGORY__INIT;

    return ask_json("TaxonomyService/PutCategory", &reply,
        "{\"category\":{\"name\":\"categories/%s-%s\",\"title\":\"%s\",\"parent\":\"%s\"}}", slug,
        run, title, *parent ? arena_printf(arena, "categories/%s-%s", parent, run) : "");
}

static const Error *get_category(const char *slug, const char **etag)
{
    Throughline__Catalog__V1__Category reply = THROUGHLINE__CATALOG__V1__CATEGORY__INIT;
    const Error *error = ask_json(
        "TaxonomyService/GetCategory", &reply, "{\"name\":\"categories/%s-%s\"}", slug, run);

    *etag = reply.etag;
    return error;
}

static const Error *delete_category(const char *slug)
{
    return ask_json(
        "TaxonomyService/DeleteCategory", NULL, "{\"name\":\"categories/%s-%s\"}", slug, run);
}

static Product *a_tent(int number, const char *category)
{
    return product_of("{\"name\":\"products/t%d-%s\",\"title\":\"T\",\"categories\":"
                      "[\"categories/%s-%s\"],\"variants\":[{\"sku\":\"t%d-%s\"}]}",
        number, run, category, run, number, run);
}

static void a_category_in_use_stays(void)
{
    Product *tents[] = { a_tent(1, "tents"), a_tent(2, "tents"), a_tent(3, "tents"),
        a_tent(4, "tents") };
    const char *etag;
    const Error *error;

    CU_ASSERT_PTR_NULL(put_category("outdoor", "Outdoor", ""));
    CU_ASSERT_PTR_NULL(put_category("tents", "Tents", "outdoor"));
    import_all(tents, COUNT(tents));

    check_use(delete_category("outdoor"), "CATEGORY_IN_USE", "categories", "1");
    error = delete_category("tents");
    check_use(error, "CATEGORY_IN_USE", "products", "4");
    CU_ASSERT_PTR_NOT_NULL(strstr(error->message, arena_printf(arena, "products/t3-%s, …", run)));
    CU_ASSERT_PTR_NULL(get_category("tents", &etag));
}

/* An assortment names a category by its path, and a path it had before counts as well. */
static void a_category_that_an_assortment_names_stays(void)
{
    Assortment assortment = THROUGHLINE__CATALOG__V1__ASSORTMENT__INIT;

    CU_ASSERT_PTR_NULL(put_category("boats", arena_printf(arena, "Boats %s", run), ""));
    CU_ASSERT_PTR_NULL(ask_json("TaxonomyService/PutAssortment", &assortment,
        "{\"assortment\":{\"name\":\"assortments/pier-%s\",\"mode\":\"ALL_EXCEPT\","
        "\"categories\":[\"Boats %s\"]}}",
        run, run));

    check_use(delete_category("boats"), "CATEGORY_IN_USE", "assortments", "1");

    CU_ASSERT_PTR_NULL(put_category("boats", arena_printf(arena, "Ships %s", run), ""));
    check_use(delete_category("boats"), "CATEGORY_IN_USE", "assortments", "1");
    CU_ASSERT_PTR_NULL(ask_json(
        "TaxonomyService/DeleteAssortment", NULL, "{\"name\":\"assortments/pier-%s\"}", run));
    CU_ASSERT_PTR_NULL(delete_category("boats"));
}

/* How many the top of the tree has of this run. */
static int count_listed(const char *slug)
{
    ListCategoriesResponse page = THROUGHLINE__CATALOG__V1__LIST_CATEGORIES_RESPONSE__INIT;
    const char *name = arena_printf(arena, "categories/%s-%s", slug, run);
    const char *token = "";
    int count = 0;

    do {
        throughline__catalog__v1__list_categories_response__init(&page);
        CU_ASSERT_PTR_NULL(ask_json("TaxonomyService/ListCategories", &page,
            "{\"pageSize\":500,\"pageToken\":\"%s\"}", token));
        for (size_t i = 0; i < page.n_categories; i++)
            count += text_equal(page.categories[i]->name, name);
        token = page.next_page_token;
    } while (*token);
    return count;
}

static void a_deleted_category_is_gone_and_can_come_back(void)
{
    const char *etag, *before;
    Product *tent = a_tent(9, "gone");

    CU_ASSERT_PTR_NULL(put_category("gone", "Gone", ""));
    CU_ASSERT_PTR_NULL(get_category("gone", &before));
    CHECK_TEXT(error_reason(ask_json("TaxonomyService/DeleteCategory", NULL,
                   "{\"name\":\"categories/gone-%s\",\"etag\":\"77\"}", run)),
        "ETAG_STALE");
    CHECK_TEXT(error_reason(ask_json("TaxonomyService/DeleteCategory", NULL,
                   "{\"name\":\"categories/gone-%s\",\"etag\":\"%s\",\"requestId\":\"once-%s\"}",
                   run, before, run)),
        "OK");
    CHECK_TEXT(error_reason(ask_json("TaxonomyService/DeleteCategory", NULL,
                   "{\"name\":\"categories/gone-%s\",\"etag\":\"%s\",\"requestId\":\"once-%s\"}",
                   run, before, run)),
        "OK");
    CHECK_TEXT(error_reason(delete_category("gone")), "CATEGORY_NOT_FOUND");
    CHECK_TEXT(error_reason(get_category("gone", &etag)), "CATEGORY_NOT_FOUND");
    CHECK_INT(count_listed("gone"), 0);
    CHECK_TEXT(import(&tent, 1)->errors[0]->field, "categories[0]");

    fixture_restart(fixture);
    CHECK_TEXT(error_reason(get_category("gone", &etag)), "CATEGORY_NOT_FOUND");
    CHECK_TEXT(import(&tent, 1)->errors[0]->field, "categories[0]");

    CU_ASSERT_PTR_NULL(put_category("gone", "Back", ""));
    CU_ASSERT_PTR_NULL(get_category("gone", &etag));
    CU_ASSERT(!text_equal(etag, before));
    CHECK_INT(count_listed("gone"), 1);
    import_all(&tent, 1);
    CHECK_TEXT(get(tent->name)->category, "Back");
}

static void deletions_are_in_the_audit_trail(void)
{
    ListAuditEntriesResponse trail = THROUGHLINE__CATALOG__V1__LIST_AUDIT_ENTRIES_RESPONSE__INIT;

    CU_ASSERT_PTR_NULL(put_category("short", "Short-lived", ""));
    CU_ASSERT_PTR_NULL(delete_category("short"));
    for (int i = 0; i < WAIT_TRIES && trail.n_entries < 2; i++) {
        clock_sleep_ms(WAIT_MS);
        throughline__catalog__v1__list_audit_entries_response__init(&trail);
        CU_ASSERT_PTR_NULL(ask_json("GovernanceService/ListAuditEntries", &trail,
            "{\"subject\":\"categories/short-%s\"}", run));
    }
    CHECK_INT(trail.n_entries, 2);
    for (size_t i = 0; i < trail.n_entries; i++)
        CHECK_TEXT(trail.entries[i]->title, "Short-lived");
    CHECK_INT(trail.n_entries == 2 ? trail.entries[0]->action : 0,
        THROUGHLINE__CATALOG__V1__AUDIT_ENTRY__ACTION__TAXONOMY_DELETED);
    CHECK_TEXT(trail.n_entries == 2 ? trail.entries[0]->deed->actor : "", "agents/merchandiser");
}

static void types_and_brands_in_use_stay(void)
{
    Throughline__Catalog__V1__ProductType type = THROUGHLINE__CATALOG__V1__PRODUCT_TYPE__INIT;
    Throughline__Catalog__V1__Brand brand = THROUGHLINE__CATALOG__V1__BRAND__INIT;
    Throughline__Catalog__V1__Promotion promotion = THROUGHLINE__CATALOG__V1__PROMOTION__INIT;
    Product *boot =
        product_of("{\"name\":\"products/boot-%s\",\"title\":\"B\",\"brand\":\"Hill %s\","
                   "\"type\":\"productTypes/boot-%s\",\"variants\":[{\"sku\":\"b-%s\"}]}",
            run, run, run, run);

    CU_ASSERT_PTR_NULL(ask_json("TaxonomyService/PutProductType", &type,
        "{\"productType\":{\"name\":\"productTypes/boot-%s\",\"title\":\"Boot\"}}", run));
    CU_ASSERT_PTR_NULL(ask_json("TaxonomyService/PutBrand", &brand,
        "{\"brand\":{\"name\":\"brands/hill-%s\",\"title\":\"Hill %s\"}}", run, run));
    import_all(&boot, 1);
    CHECK_TEXT(error_reason(ask_json("PricingService/CreatePromotion", &promotion,
                   "{\"promotion\":{\"title\":\"Hill week\",\"target\":{\"brands\":[\"Hill %s\"]},"
                   "\"basisPoints\":1000}}",
                   run)),
        "OK");

    check_use(ask_json("TaxonomyService/DeleteProductType", NULL,
                  "{\"name\":\"productTypes/boot-%s\"}", run),
        "PRODUCT_TYPE_IN_USE", "products", "1");
    check_use(ask_json("TaxonomyService/DeleteBrand", NULL, "{\"name\":\"brands/hill-%s\"}", run),
        "BRAND_IN_USE", "products", "1");
    check_use(ask_json("TaxonomyService/DeleteBrand", NULL, "{\"name\":\"brands/hill-%s\"}", run),
        "BRAND_IN_USE", "rules", "1");

    CU_ASSERT_PTR_NULL(
        ask_json("PricingService/EndPromotion", &promotion, "{\"name\":\"%s\"}", promotion.name));
}

static void unused_types_and_brands_go(void)
{
    Throughline__Catalog__V1__ProductType type = THROUGHLINE__CATALOG__V1__PRODUCT_TYPE__INIT;
    Throughline__Catalog__V1__Brand brand = THROUGHLINE__CATALOG__V1__BRAND__INIT;

    CU_ASSERT_PTR_NULL(ask_json("TaxonomyService/PutProductType", &type,
        "{\"productType\":{\"name\":\"productTypes/idle-%s\",\"title\":\"Idle\"}}", run));
    CU_ASSERT_PTR_NULL(ask_json("TaxonomyService/PutBrand", &brand,
        "{\"brand\":{\"name\":\"brands/idle-%s\",\"title\":\"Idle %s\"}}", run, run));
    CU_ASSERT_PTR_NULL(ask_json(
        "TaxonomyService/DeleteProductType", NULL, "{\"name\":\"productTypes/idle-%s\"}", run));
    CU_ASSERT_PTR_NULL(
        ask_json("TaxonomyService/DeleteBrand", NULL, "{\"name\":\"brands/idle-%s\"}", run));
    CHECK_TEXT(error_reason(ask_json("TaxonomyService/GetProductType", &type,
                   "{\"name\":\"productTypes/idle-%s\"}", run)),
        "PRODUCT_TYPE_NOT_FOUND");
    CHECK_TEXT(error_reason(ask_json(
                   "TaxonomyService/GetBrand", &brand, "{\"name\":\"brands/idle-%s\"}", run)),
        "BRAND_NOT_FOUND");

    /* Its title is free again. */
    throughline__catalog__v1__brand__init(&brand);
    CU_ASSERT_PTR_NULL(ask_json("TaxonomyService/PutBrand", &brand,
        "{\"brand\":{\"name\":\"brands/new-%s\",\"title\":\"Idle %s\"}}", run, run));
}

static void a_location_goes_when_nothing_lies_there(void)
{
    Throughline__Catalog__V1__Location location = THROUGHLINE__CATALOG__V1__LOCATION__INIT;
    Throughline__Catalog__V1__ListLocationsResponse page =
        THROUGHLINE__CATALOG__V1__LIST_LOCATIONS_RESPONSE__INIT;
    const char *id = arena_printf(arena, "hall-%s", run);
    const char *sku = arena_printf(arena, "p-%s", run);
    Product *piece = product_of(
        "{\"name\":\"products/p-%s\",\"title\":\"P\",\"variants\":[{\"sku\":\"%s\"}]}", run, sku);

    import_all(&piece, 1);
    CU_ASSERT_PTR_NULL(ask_json("LocationService/PutLocation", &location,
        "{\"location\":{\"name\":\"locations/%s\",\"title\":\"Hall\"}}", id));
    stock_prepare(sku, id, 2);
    check_use(ask_json("LocationService/DeleteLocation", NULL, "{\"name\":\"locations/%s\"}", id),
        "LOCATION_IN_USE", "stock", "1");
    stock_prepare(sku, id, 0);
    CU_ASSERT_PTR_NULL(
        ask_json("LocationService/DeleteLocation", NULL, "{\"name\":\"locations/%s\"}", id));
    CHECK_TEXT(error_reason(ask_json(
                   "LocationService/GetLocation", &location, "{\"name\":\"locations/%s\"}", id)),
        "LOCATION_NOT_FOUND");
    CU_ASSERT_PTR_NULL(ask_json("LocationService/ListLocations", &page, "{\"pageSize\":500}"));
    for (size_t i = 0; i < page.n_locations; i++)
        CU_ASSERT(!text_ends_with(page.locations[i]->name, id));
}

static void without_its_assortment_a_channel_sells_everything(void)
{
    Assortment assortment = THROUGHLINE__CATALOG__V1__ASSORTMENT__INIT;
    const char *channel = arena_printf(arena, "kiosk-%s", run);
    Product *lamp =
        product_of("{\"name\":\"products/lamp-%s\",\"title\":\"L\",\"category\":\"Lamps\","
                   "\"variants\":[{\"sku\":\"lamp-%s\"}]}",
            run, run);

    import_all(&lamp, 1);
    CU_ASSERT_PTR_NULL(ask_json("TaxonomyService/PutAssortment", &assortment,
        "{\"assortment\":{\"name\":\"assortments/%s\",\"mode\":\"ALL_EXCEPT\","
        "\"categories\":[\"Lamps\"]}}",
        channel));
    fixture_act_as(fixture, channel, "agents/merchandiser");
    CU_ASSERT_PTR_NULL(get(lamp->name));
    CU_ASSERT_PTR_NULL(ask_json(
        "TaxonomyService/DeleteAssortment", NULL, "{\"name\":\"assortments/%s\"}", channel));
    CU_ASSERT_PTR_NOT_NULL(get(lamp->name));
    fixture_restart(fixture);
    CU_ASSERT_PTR_NOT_NULL(get(lamp->name));
    CHECK_TEXT(error_reason(ask_json("TaxonomyService/GetAssortment", &assortment,
                   "{\"name\":\"assortments/%s\"}", channel)),
        "ASSORTMENT_NOT_FOUND");
    fixture_act_as(fixture, "web", "agents/merchandiser");
}

static const Error *put_assortment(int number)
{
    Assortment assortment = THROUGHLINE__CATALOG__V1__ASSORTMENT__INIT;

    return ask_json("TaxonomyService/PutAssortment", &assortment,
        "{\"assortment\":{\"name\":\"assortments/c-%d\",\"mode\":\"ALL_EXCEPT\"}}", number);
}

static void a_deleted_assortment_makes_room(void)
{
    int number = 0;
    const Error *error;

    /* Those of other tests are there too. */
    while (!(error = put_assortment(number)) && number <= ASSORTMENT_MAX_CHANNELS)
        number++;
    CHECK_TEXT(error_reason(error), "ASSORTMENTS_FULL");
    CU_ASSERT_PTR_NULL(put_assortment(0));
    CU_ASSERT_PTR_NULL(
        ask_json("TaxonomyService/DeleteAssortment", NULL, "{\"name\":\"assortments/c-0\"}"));
    CU_ASSERT_PTR_NULL(put_assortment(number));
}

static void bad_deletions_name_what_is_wrong(void)
{
    const Error *error = ask_json(
        "TaxonomyService/DeleteBrand", NULL, "{\"name\":\"brand\",\"requestId\":\"no way\"}");

    CU_ASSERT(has_violation(error, "name"));
    CU_ASSERT(has_violation(error, "request_id"));
}

static bool follower_has(Follower *follower, const char *slug)
{
    return registry_get(follower->catalog.registry,
               arena_printf(arena, "categories/%s-%s", slug, run), follower->arena) != NULL;
}

static void other_replicas_hear_of_it(void)
{
    Follower follower;

    CU_ASSERT_PTR_NULL(put_category("heard", "Heard", ""));
    CU_ASSERT_PTR_NULL(put_category("dead", "Dead", ""));
    CU_ASSERT_PTR_NULL(delete_category("dead"));
    follower_open(&follower);
    CU_ASSERT(follower_has(&follower, "heard"));
    CU_ASSERT(!follower_has(&follower, "dead"));

    CU_ASSERT_PTR_NULL(delete_category("heard"));
    follower_hear(&follower);
    CU_ASSERT(!follower_has(&follower, "heard"));
    CU_ASSERT_PTR_NULL(put_category("heard", "Heard", ""));
    CU_ASSERT_PTR_NULL(put_category("dead", "Dead", ""));
    follower_hear(&follower);
    CU_ASSERT(follower_has(&follower, "heard"));
    CU_ASSERT(follower_has(&follower, "dead"));
    follower_close(&follower);
}

static void deletions_go_the_same_way_over_mongo(void)
{
    char id[ID_SIZE];

    id_new(id);
    run = id;
    if (start_catalog_over_mongo()) {
        a_category_in_use_stays();
        a_deleted_category_is_gone_and_can_come_back();
        deletions_are_in_the_audit_trail();
        types_and_brands_in_use_stay();
        unused_types_and_brands_go();
        a_location_goes_when_nothing_lies_there();
        without_its_assortment_a_channel_sells_everything();
        other_replicas_hear_of_it();
        stop_catalog();
    }
    run = "r";
}

int main(int argc, char **argv)
{
    CU_TestInfo embedded[] = {
        { "a_category_in_use_stays", a_category_in_use_stays },
        { "a_category_that_an_assortment_names_stays", a_category_that_an_assortment_names_stays },
        { "a_deleted_category_is_gone_and_can_come_back",
            a_deleted_category_is_gone_and_can_come_back },
        { "deletions_are_in_the_audit_trail", deletions_are_in_the_audit_trail },
        { "types_and_brands_in_use_stay", types_and_brands_in_use_stay },
        { "unused_types_and_brands_go", unused_types_and_brands_go },
        { "a_location_goes_when_nothing_lies_there", a_location_goes_when_nothing_lies_there },
        { "without_its_assortment_a_channel_sells_everything",
            without_its_assortment_a_channel_sells_everything },
        { "a_deleted_assortment_makes_room", a_deleted_assortment_makes_room },
        { "bad_deletions_name_what_is_wrong", bad_deletions_name_what_is_wrong },
        { "other_replicas_hear_of_it", other_replicas_hear_of_it },
        CU_TEST_INFO_NULL,
    };
    CU_TestInfo mongo[] = {
        { "deletions_go_the_same_way_over_mongo", deletions_go_the_same_way_over_mongo },
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

    return test_main("catalog_taxonomy_delete_service", suites, argc, argv);
}
