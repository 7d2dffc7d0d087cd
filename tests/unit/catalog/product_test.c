#include "tests/support/test_main.h"
#include "tests/unit/catalog/builders.h"

#include "shared/codec/types.h"

#include <string.h>

static Findings check(Arena *arena, const Product *product)
{
    Findings findings = { .arena = arena };

    product_check(product, &findings);
    return findings;
}

static void a_good_product_has_no_findings(void)
{
    Arena *arena = arena_new();

    CHECK_INT(check(arena, a_product(arena)).n_items, 0);
    arena_free(arena);
}

static void every_bad_field_is_named(void)
{
    Arena *arena = arena_new();
    Product *product = a_product(arena);
    Variant *red = product->variants[1];
    Findings findings;

    product->name = text(arena, "Tent");
    product->title = text(arena, "");
    product->brand = memset(arena_alloc(arena, 200), 'b', 121);
    product->category = text(arena, "Outdoor >  > Tents");
    product->state = 7;
    red->sku = text(arena, "tent green");
    red->gtin = text(arena, "4006381333930");
    red->prices[1]->amount->currency_code = text(arena, "USX");
    red->prices[0]->list_amount = money_message(arena, "EUR", 19899);
    red->stock[0]->location = text(arena, "Berlin");
    red->stock[0]->on_hand = -1;

    findings = check(arena, product);

    CHECK_INT(findings.n_items, 11);
    CU_ASSERT(has_finding(&findings, "name"));
    CU_ASSERT(has_finding(&findings, "title"));
    CU_ASSERT(has_finding(&findings, "brand"));
    CU_ASSERT(has_finding(&findings, "category"));
    CU_ASSERT(has_finding(&findings, "state"));
    CU_ASSERT(has_finding(&findings, "variants[1].sku"));
    CU_ASSERT(has_finding(&findings, "variants[1].gtin"));
    CU_ASSERT(has_finding(&findings, "variants[1].prices[1].amount.currency_code"));
    CU_ASSERT(has_finding(&findings, "variants[1].prices[0].list_amount"));
    CU_ASSERT(has_finding(&findings, "variants[1].stock[0].location"));
    CU_ASSERT(has_finding(&findings, "variants[1].stock[0].on_hand"));
    arena_free(arena);
}

static void prices_are_amounts_of_their_currency(void)
{
    Arena *arena = arena_new();
    Product *product = a_product(arena);
    Variant *variant = product->variants[0];
    Findings findings;

    variant->prices[0]->amount->nanos = 1;          /* more digits than cents */
    variant->prices[1]->amount->units = -1;         /* negative */
    product->variants[1]->prices[0]->amount = NULL; /* none at all */
    product->variants[1]->prices[1]->list_amount = money_message(arena, "EUR", 99999);

    findings = check(arena, product);

    CHECK_INT(findings.n_items, 4);
    CU_ASSERT(has_finding(&findings, "variants[0].prices[0].amount"));
    CU_ASSERT(has_finding(&findings, "variants[0].prices[1].amount"));
    CU_ASSERT(has_finding(&findings, "variants[1].prices[0].amount"));
    CU_ASSERT(has_finding(&findings, "variants[1].prices[1].list_amount"));
    arena_free(arena);
}

static void what_must_be_unique_is_named_when_it_is_not(void)
{
    Arena *arena = arena_new();
    Product *product = a_product(arena);
    Variant *red = product->variants[1];
    Findings findings;

    red->sku = product->variants[0]->sku;
    red->gtin = product->variants[0]->gtin;
    red->prices[1] = a_price(arena, "EUR", 1);
    red->stock = arena_array(arena, 2, sizeof(*red->stock));
    red->n_stock = 2;
    red->stock[0] = red->stock[1] = a_stock(arena, "london", 1);

    findings = check(arena, product);

    CHECK_INT(findings.n_items, 4);
    CU_ASSERT(has_finding(&findings, "variants[1].sku"));
    CU_ASSERT(has_finding(&findings, "variants[1].gtin"));
    CU_ASSERT(has_finding(&findings, "variants[1].prices[1]"));
    CU_ASSERT(has_finding(&findings, "variants[1].stock[1].location"));
    arena_free(arena);
}

static void a_product_without_variants_is_refused(void)
{
    Arena *arena = arena_new();
    Product *product = a_product(arena);
    Findings findings;

    product->n_variants = 0;

    findings = check(arena, product);

    CHECK_INT(findings.n_items, 1);
    CU_ASSERT(has_finding(&findings, "variants"));
    arena_free(arena);
}

static void attributes_are_named_by_their_key(void)
{
    Arena *arena = arena_new();
    Product *product = a_product(arena);
    Throughline__Catalog__V1__Product__AttributesEntry entry =
        THROUGHLINE__CATALOG__V1__PRODUCT__ATTRIBUTES_ENTRY__INIT;
    Throughline__Catalog__V1__Product__AttributesEntry *twice[] = { &entry, &entry };
    Findings findings;

    entry.key = text(arena, "material");
    product->attributes = twice;
    product->n_attributes = 2;

    findings = check(arena, product);

    CHECK_INT(findings.n_items, 1);
    CU_ASSERT(has_finding(&findings, "attributes[\"material\"]"));
    arena_free(arena);
}

static void findings_are_bounded(void)
{
    Arena *arena = arena_new();
    Product *product = a_product(arena);
    Variant *bad = product->variants[0];

    bad->sku = text(arena, "");
    product->variants = arena_array(arena, PRODUCT_MAX_VARIANTS, sizeof(*product->variants));
    product->n_variants = PRODUCT_MAX_VARIANTS;
    for (size_t i = 0; i < product->n_variants; i++)
        product->variants[i] = bad;

    CHECK_INT(check(arena, product).n_items, FINDINGS_MAX);
    arena_free(arena);
}

static void gtins_need_their_check_digit(void)
{
    static const char *const good[] = { "96385074", "036000291452", "4006381333931",
        "10614141000415", "00000000" };
    static const char *const bad[] = { "", "96385075", "4006381333932", "400638133393", "123",
        "400638133393a", "40063813339311", " 4006381333931" };

    for (size_t i = 0; i < COUNT(good); i++)
        CU_ASSERT(gtin_is_valid(good[i]));
    for (size_t i = 0; i < COUNT(bad); i++)
        CU_ASSERT(!gtin_is_valid(bad[i]));
}

static void categories_contain_themselves_and_what_is_below(void)
{
    CU_ASSERT(category_contains("", "Outdoor > Tents"));
    CU_ASSERT(category_contains("", ""));
    CU_ASSERT(category_contains("Outdoor", "Outdoor"));
    CU_ASSERT(category_contains("Outdoor", "Outdoor > Tents"));
    CU_ASSERT(!category_contains("Outdoor", "Outdoors"));
    CU_ASSERT(!category_contains("Outdoor", "Outdoor wear > Coats"));
    CU_ASSERT(!category_contains("Outdoor > Tents", "Outdoor"));
    CU_ASSERT(!category_contains("Outdoor", ""));
}

static void category_paths_have_no_empty_parts(void)
{
    CU_ASSERT(category_is_valid(""));
    CU_ASSERT(category_is_valid("Outdoor"));
    CU_ASSERT(category_is_valid("Home & kitchen > Pots > 20 cm"));
    CU_ASSERT(!category_is_valid(" > Tents"));
    CU_ASSERT(!category_is_valid("Outdoor > "));
    CU_ASSERT(!category_is_valid("Outdoor >  > Tents"));
    CU_ASSERT(!category_is_valid(" Outdoor"));
}

static void one_product_has_one_stored_form(void)
{
    Arena *arena = arena_new();
    Product *product = a_product(arena);
    Variant *variant = product->variants[0];
    Price *euro = variant->prices[0];

    product->state = 0;
    product->etag = text(arena, "17");
    product->create_time = timestamp_from_micros(arena, some_noon);
    variant->prices[0] = variant->prices[1];
    variant->prices[1] = euro;

    product_normalize(product);

    CHECK_INT(product->state, PRODUCT_ACTIVE);
    CHECK_TEXT(product->etag, "");
    CU_ASSERT_PTR_NULL(product->create_time);
    CU_ASSERT_PTR_EQUAL(variant->prices[0], euro);
    arena_free(arena);
}

static void a_retired_product_stays_retired(void)
{
    Arena *arena = arena_new();
    Product *product = a_product(arena);

    product->state = PRODUCT_RETIRED;

    product_normalize(product);

    CHECK_INT(product->state, PRODUCT_RETIRED);
    arena_free(arena);
}

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        { "a_good_product_has_no_findings", a_good_product_has_no_findings },
        { "every_bad_field_is_named", every_bad_field_is_named },
        { "prices_are_amounts_of_their_currency", prices_are_amounts_of_their_currency },
        { "what_must_be_unique_is_named_when_it_is_not",
            what_must_be_unique_is_named_when_it_is_not },
        { "a_product_without_variants_is_refused", a_product_without_variants_is_refused },
        { "attributes_are_named_by_their_key", attributes_are_named_by_their_key },
        { "findings_are_bounded", findings_are_bounded },
        { "gtins_need_their_check_digit", gtins_need_their_check_digit },
        { "categories_contain_themselves_and_what_is_below",
            categories_contain_themselves_and_what_is_below },
        { "category_paths_have_no_empty_parts", category_paths_have_no_empty_parts },
        { "one_product_has_one_stored_form", one_product_has_one_stored_form },
        { "a_retired_product_stays_retired", a_retired_product_stays_retired },
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        { .pName = "product", .pTests = tests },
        CU_SUITE_INFO_NULL,
    };

    return test_main("catalog_product", suites, argc, argv);
}
