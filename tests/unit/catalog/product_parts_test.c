/* What products show, go with and are sorted by: the rules. */
#include "services/catalog/domain/assortment.h"
#include "services/catalog/domain/bundle.h"
#include "services/catalog/domain/category.h"
#include "services/catalog/domain/location.h"
#include "services/catalog/domain/product_type.h"

#include "shared/codec/message.h"
#include "tests/support/test_main.h"
#include "tests/unit/catalog/builders.h"

#include <math.h>
#include <string.h>

typedef Throughline__Catalog__V1__Product__AttributesEntry ProductAttribute;
typedef Throughline__Catalog__V1__Variant__AttributesEntry VariantAttribute;

static LocalText *a_text(Arena *arena, const char *language, const char *title)
{
    LocalText *local = message_new(arena, &throughline__catalog__v1__local_text__descriptor);

    local->language = text(arena, language);
    local->title = text(arena, title);
    return local;
}

static Relation *a_relation(
    Arena *arena, Throughline__Catalog__V1__Relation__Kind kind, const char *product)
{
    Relation *relation = message_new(arena, &throughline__catalog__v1__relation__descriptor);

    relation->kind = kind;
    relation->product = text(arena, product);
    return relation;
}

/* Products. */

static void languages_have_a_form(void)
{
    static const char *const good[] = { "de", "de-CH", "zh-Hant-TW", "de-CH-1996", "x" };
    static const char *const bad[] = { "", "-", "de-", "-de", "de--CH", "de_CH", "123456789",
        "aaaaaaaa-aaaaaaaa-aaaaaaaa-aaaaaaaa-a" };

    for (size_t i = 0; i < COUNT(good); i++)
        CU_ASSERT(language_is_valid(good[i]));
    for (size_t i = 0; i < COUNT(bad); i++)
        CU_ASSERT_FALSE(language_is_valid(bad[i]));
}

static void every_bad_part_is_named(void)
{
    Arena *arena = arena_new();
    Findings findings = { .arena = arena };
    Product *product = a_product(arena);
    LocalText *texts[] = { a_text(arena, "de", ""), a_text(arena, "DE", ""),
        a_text(arena, "no language", "") };
    MediaItem media = THROUGHLINE__CATALOG__V1__MEDIA_ITEM__INIT;
    MediaItem *media_items[] = { &media };
    Relation *relations[] = { a_relation(arena, 0, "tent"),
        a_relation(arena, THROUGHLINE__CATALOG__V1__RELATION__KIND__ACCESSORY, product->name),
        a_relation(arena, THROUGHLINE__CATALOG__V1__RELATION__KIND__BUNDLE_PART, "products/rope") };
    char *named[] = { text(arena, "tents"), text(arena, "categories/a"),
        text(arena, "categories/a") };

    product->type = text(arena, "tent");
    product->texts = product->variants[0]->texts = texts;
    product->n_texts = 3;
    product->variants[0]->n_texts = 3;
    media.kind = 99;
    media.sku = text(arena, "rope");
    product->media_items = media_items;
    product->n_media_items = 1;
    relations[1]->quantity = 1;
    product->relations = relations;
    product->n_relations = 3;
    product->categories = named;
    product->n_categories = 3;

    product_check_parts(product, &findings);

    CU_ASSERT(has_finding(&findings, "type"));
    CU_ASSERT(has_finding(&findings, "texts[1].language"));
    CU_ASSERT(has_finding(&findings, "texts[2].language"));
    CU_ASSERT(has_finding(&findings, "variants[0].texts[2].language"));
    CU_ASSERT(has_finding(&findings, "media_items[0].uri"));
    CU_ASSERT(has_finding(&findings, "media_items[0].kind"));
    CU_ASSERT(has_finding(&findings, "media_items[0].sku"));
    CU_ASSERT(has_finding(&findings, "relations[0].kind"));
    CU_ASSERT(has_finding(&findings, "relations[0].product"));
    CU_ASSERT(has_finding(&findings, "relations[1].product"));
    CU_ASSERT(has_finding(&findings, "relations[1].quantity"));
    CU_ASSERT(has_finding(&findings, "relations[2].sku"));
    CU_ASSERT(has_finding(&findings, "relations[2].quantity"));
    CU_ASSERT(has_finding(&findings, "categories[0]"));
    CU_ASSERT(has_finding(&findings, "categories[2]"));
    arena_free(arena);
}

static void a_language_falls_back_to_the_broader_one(void)
{
    Arena *arena = arena_new();
    Product *product = a_product(arena);
    LocalText *texts[] = { a_text(arena, "de-CH", ""), a_text(arena, "de", "Zelt") };

    texts[0]->description = text(arena, "Gross");
    product->texts = texts;
    product->n_texts = 2;

    product_localize(product, "de-CH");

    CHECK_TEXT(product->title, "Zelt");
    CHECK_TEXT(product->description, "Gross");
    arena_free(arena);
}

/* Bundles. */

enum { CHAIN = 20 };

/* Products 0 … CHAIN-1, each a bundle of the next. */
typedef struct Chain {
    Product *products[CHAIN];
} Chain;

static const Product *in_chain(void *context, const char *name)
{
    const Chain *chain = context;

    for (int i = 0; i < CHAIN; i++)
        if (text_equal(chain->products[i]->name, name))
            return chain->products[i];
    return NULL;
}

static Chain a_chain(Arena *arena, int length)
{
    Chain chain;

    for (int i = 0; i < CHAIN; i++) {
        Product *product =
            a_simple_product(arena, arena_printf(arena, "p-%d", i), "Bundles", "EUR", 1);

        if (i < length - 1) {
            product->relations = arena_array(arena, 1, sizeof(Relation *));
            product->n_relations = 1;
            product->relations[0] =
                a_relation(arena, THROUGHLINE__CATALOG__V1__RELATION__KIND__BUNDLE_PART,
                    arena_printf(arena, "products/p-%d", i + 1));
        }
        chain.products[i] = product;
    }
    return chain;
}

static void bundles_have_a_depth_and_no_cycle(void)
{
    Arena *arena = arena_new();
    Chain flat = a_chain(arena, BUNDLE_MAX_DEPTH + 1);
    Chain deep = a_chain(arena, BUNDLE_MAX_DEPTH + 3);
    Chain round = a_chain(arena, 4);

    CU_ASSERT(bundle_is_one(flat.products[0]));
    CU_ASSERT_FALSE(bundle_is_one(flat.products[CHAIN - 1]));
    CU_ASSERT_PTR_NULL(bundle_problem(flat.products[0], in_chain, &flat, arena));
    CHECK_CONTAINS(bundle_problem(deep.products[0], in_chain, &deep, arena), "deeper");
    round.products[2]->relations[0]->product = round.products[0]->name;
    CHECK_CONTAINS(bundle_problem(round.products[0], in_chain, &round, arena), "itself");
    /* One that only contains a cycle ends too. */
    round.products[2]->relations[0]->product = round.products[1]->name;
    CHECK_CONTAINS(bundle_problem(round.products[0], in_chain, &round, arena), "deeper");
    arena_free(arena);
}

/* Types. */

static AttributeDefinition *a_definition(
    Arena *arena, const char *key, Throughline__Catalog__V1__AttributeDefinition__Kind kind)
{
    AttributeDefinition *attribute =
        message_new(arena, &throughline__catalog__v1__attribute_definition__descriptor);

    attribute->key = text(arena, key);
    attribute->kind = kind;
    return attribute;
}

/* Whether a value is one of the kind. */
static bool is_value(Throughline__Catalog__V1__AttributeDefinition__Kind kind, const char *value)
{
    Arena *arena = arena_new();
    Findings findings = { .arena = arena };
    Product *product = a_product(arena);
    ProductType type = THROUGHLINE__CATALOG__V1__PRODUCT_TYPE__INIT;
    AttributeDefinition *attributes[] = { a_definition(arena, "a", kind) };
    char *values[] = { text(arena, "red"), text(arena, "blue") };
    ProductAttribute entry = THROUGHLINE__CATALOG__V1__PRODUCT__ATTRIBUTES_ENTRY__INIT;
    ProductAttribute *entries[] = { &entry };
    bool is_good;

    attributes[0]->values = values;
    attributes[0]->n_values = 2;
    type.attributes = attributes;
    type.n_attributes = 1;
    entry.key = text(arena, "a");
    entry.value = text(arena, value);
    product->attributes = entries;
    product->n_attributes = 1;
    product_type_check_product(&type, product, &findings);
    is_good = findings.n_items == 0;
    arena_free(arena);
    return is_good;
}

static void values_have_the_form_of_their_kind(void)
{
    static const struct {
        Throughline__Catalog__V1__AttributeDefinition__Kind kind;
        const char *good[4], *bad[7];
    } rows[] = {
        { THROUGHLINE__CATALOG__V1__ATTRIBUTE_DEFINITION__KIND__TEXT, { "", "x" }, { NULL } },
        { THROUGHLINE__CATALOG__V1__ATTRIBUTE_DEFINITION__KIND__NUMBER, { "0", "-0.5", "12.25" },
            { "", "-", ".5", "5.", "1e3", "1,5" } },
        { THROUGHLINE__CATALOG__V1__ATTRIBUTE_DEFINITION__KIND__BOOLEAN, { "true", "false" },
            { "", "yes", "TRUE" } },
        { THROUGHLINE__CATALOG__V1__ATTRIBUTE_DEFINITION__KIND__CHOICE, { "red", "blue" },
            { "", "green" } },
        { THROUGHLINE__CATALOG__V1__ATTRIBUTE_DEFINITION__KIND__DATE, { "2026-11-22" },
            { "", "2026-13-01", "22.11.2026", "2026-11-22T00:00:00Z" } },
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        for (size_t j = 0; j < COUNT(rows[i].good) && rows[i].good[j]; j++)
            CU_ASSERT(is_value(rows[i].kind, rows[i].good[j]));
        for (size_t j = 0; j < COUNT(rows[i].bad) && rows[i].bad[j]; j++)
            CU_ASSERT_FALSE(is_value(rows[i].kind, rows[i].bad[j]));
    }
}

static void a_type_says_what_is_missing_and_what_does_not_belong(void)
{
    Arena *arena = arena_new();
    Findings findings = { .arena = arena };
    Findings of_draft = { .arena = arena };
    Product *product = a_product(arena);
    ProductType type = THROUGHLINE__CATALOG__V1__PRODUCT_TYPE__INIT;
    AttributeDefinition *attributes[] = {
        a_definition(arena, "weight", THROUGHLINE__CATALOG__V1__ATTRIBUTE_DEFINITION__KIND__TEXT),
        a_definition(arena, "size", THROUGHLINE__CATALOG__V1__ATTRIBUTE_DEFINITION__KIND__TEXT),
    };
    ProductAttribute entry = THROUGHLINE__CATALOG__V1__PRODUCT__ATTRIBUTES_ENTRY__INIT;
    ProductAttribute *entries[] = { &entry };
    VariantAttribute odd = THROUGHLINE__CATALOG__V1__VARIANT__ATTRIBUTES_ENTRY__INIT;
    VariantAttribute *odd_entries[] = { &odd };

    attributes[0]->is_required = attributes[1]->is_required = true;
    attributes[1]->is_of_variant = true;
    type.is_closed = true;
    type.attributes = attributes;
    type.n_attributes = 2;
    entry.key = text(arena, "size");
    product->attributes = entries;
    product->n_attributes = 1;
    odd.key = text(arena, "odd");
    product->variants[0]->attributes = odd_entries;
    product->variants[0]->n_attributes = 1;

    product_type_check_product(&type, product, &findings);
    product->state = PRODUCT_DRAFT;
    product_type_check_product(&type, product, &of_draft);

    CU_ASSERT(has_finding(&findings, "attributes[\"weight\"]"));
    CU_ASSERT(has_finding(&findings, "attributes[\"size\"]"));
    CU_ASSERT(has_finding(&findings, "variants[0].attributes[\"odd\"]"));
    CU_ASSERT(has_finding(&findings, "variants[0].attributes[\"size\"]"));
    CU_ASSERT(has_finding(&findings, "variants[1].attributes[\"size\"]"));
    CU_ASSERT_FALSE(has_finding(&of_draft, "attributes[\"weight\"]"));
    arena_free(arena);
}

static void a_bad_type_is_named(void)
{
    Arena *arena = arena_new();
    Findings findings = { .arena = arena };
    ProductType type = THROUGHLINE__CATALOG__V1__PRODUCT_TYPE__INIT;
    AttributeDefinition *attributes[] = {
        a_definition(arena, "a", THROUGHLINE__CATALOG__V1__ATTRIBUTE_DEFINITION__KIND__CHOICE),
        a_definition(arena, "a", THROUGHLINE__CATALOG__V1__ATTRIBUTE_DEFINITION__KIND__TEXT),
    };
    char *values[] = { text(arena, "x"), text(arena, "x") };

    attributes[1]->unit = text(arena, "cm");
    attributes[1]->values = values;
    attributes[1]->n_values = 2;
    type.attributes = attributes;
    type.n_attributes = 2;
    product_type_check(&type, &findings);
    CU_ASSERT(has_finding(&findings, "name"));
    CU_ASSERT(has_finding(&findings, "title"));
    CU_ASSERT(has_finding(&findings, "attributes[0].values"));
    CU_ASSERT(has_finding(&findings, "attributes[1].key"));
    CU_ASSERT(has_finding(&findings, "attributes[1].unit"));
    CU_ASSERT(has_finding(&findings, "attributes[1].values"));

    attributes[0]->values = values;
    attributes[0]->n_values = 2;
    product_type_check(&type, &findings);
    CU_ASSERT(has_finding(&findings, "attributes[0].values[1]"));
    arena_free(arena);
}

/* URIs. */

static void a_uri_is_one_that_a_page_may_show(void)
{
    static const char *const good[] = { "https://shop.example/a.jpg?w=3#x", "HTTP://a/b",
        "/static/a.jpg", "a.jpg", "//cdn.example/a:b.jpg", "bilder/größe.jpg" };
    static const char *const bad[] = { "", "javascript:alert(1)", "data:text/html,x",
        "file:///etc/passwd", "a b.jpg", "a\nb", "\"><script>", "https:\\a" };

    for (size_t i = 0; i < COUNT(good); i++)
        CU_ASSERT(uri_is_valid(good[i]));
    for (size_t i = 0; i < COUNT(bad); i++)
        CU_ASSERT_FALSE(uri_is_valid(bad[i]));
}

/* Assortments and locations. */

static bool shows(const Assortment *assortment, const char *name, const char *path)
{
    return assortment_shows(assortment, name, (ProductPaths){ 1, &path });
}

static void an_assortment_lists_or_leaves_out(void)
{
    Arena *arena = arena_new();
    Assortment assortment = THROUGHLINE__CATALOG__V1__ASSORTMENT__INIT;
    char *names[] = { text(arena, "products/z"), text(arena, "products/a") };
    char *paths[] = { text(arena, "Outdoor > Tents") };

    assortment.mode = THROUGHLINE__CATALOG__V1__ASSORTMENT__MODE__ONLY;
    assortment.products = names;
    assortment.n_products = 2;
    assortment.categories = paths;
    assortment.n_categories = 1;
    assortment_normalize(&assortment);

    CU_ASSERT(shows(&assortment, "products/a", ""));
    CU_ASSERT(shows(&assortment, "products/z", "Ropes"));
    CU_ASSERT(shows(&assortment, "products/b", "Outdoor > Tents > Two-person"));
    CU_ASSERT_FALSE(shows(&assortment, "products/b", "Outdoor > Tentsticks"));
    assortment.mode = THROUGHLINE__CATALOG__V1__ASSORTMENT__MODE__ALL_EXCEPT;
    CU_ASSERT_FALSE(shows(&assortment, "products/a", ""));
    CU_ASSERT(shows(&assortment, "products/b", ""));
    assortment.n_products = assortment.n_categories = 0;
    CU_ASSERT(shows(&assortment, "products/a", ""));
    arena_free(arena);
}

static void a_location_serves_for_what_it_offers(void)
{
    Location location = THROUGHLINE__CATALOG__V1__LOCATION__INIT;

    location.is_pickup = true;
    CU_ASSERT(
        location_serves(&location, THROUGHLINE__CATALOG__V1__STOCK_PURPOSE__STOCK_PURPOSE_PICKUP));
    CU_ASSERT_FALSE(
        location_serves(&location, THROUGHLINE__CATALOG__V1__STOCK_PURPOSE__STOCK_PURPOSE_SHIP));
    CU_ASSERT(location_serves(
        &location, THROUGHLINE__CATALOG__V1__STOCK_PURPOSE__STOCK_PURPOSE_UNSPECIFIED));
    CU_ASSERT(location_serves(NULL, THROUGHLINE__CATALOG__V1__STOCK_PURPOSE__STOCK_PURPOSE_SHIP));
}

static void a_place_that_is_no_number_is_refused(void)
{
    Arena *arena = arena_new();
    Findings findings = { .arena = arena };
    Location location = THROUGHLINE__CATALOG__V1__LOCATION__INIT;

    location.name = text(arena, "locations/berlin");
    location.title = text(arena, "Berlin");
    location.latitude = nan("");
    location.longitude = INFINITY;
    location_check(&location, &findings);

    CHECK_INT(findings.n_items, 2);
    arena_free(arena);
}

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        { "languages_have_a_form", languages_have_a_form },
        { "every_bad_part_is_named", every_bad_part_is_named },
        { "a_language_falls_back_to_the_broader_one", a_language_falls_back_to_the_broader_one },
        { "bundles_have_a_depth_and_no_cycle", bundles_have_a_depth_and_no_cycle },
        { "values_have_the_form_of_their_kind", values_have_the_form_of_their_kind },
        { "a_type_says_what_is_missing_and_what_does_not_belong",
            a_type_says_what_is_missing_and_what_does_not_belong },
        { "a_bad_type_is_named", a_bad_type_is_named },
        { "a_uri_is_one_that_a_page_may_show", a_uri_is_one_that_a_page_may_show },
        { "an_assortment_lists_or_leaves_out", an_assortment_lists_or_leaves_out },
        { "a_location_serves_for_what_it_offers", a_location_serves_for_what_it_offers },
        { "a_place_that_is_no_number_is_refused", a_place_that_is_no_number_is_refused },
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        { .pName = "parts", .pTests = tests },
        CU_SUITE_INFO_NULL,
    };

    return test_main("catalog_product_parts", suites, argc, argv);
}
