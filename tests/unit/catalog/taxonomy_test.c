/* Where categories stand and what things were called before. */
#include "services/catalog/domain/facet.h"
#include "services/catalog/domain/selector.h"
#include "services/catalog/domain/taxonomy.h"
#include "shared/codec/message.h"
#include "tests/support/test_main.h"
#include "tests/unit/catalog/builders.h"

enum { MAX_CATEGORIES = 8 };

static Arena *arena;
static const Category *categories[MAX_CATEGORIES];
static size_t n_categories;

static void begin(void)
{
    arena = arena_new();
    n_categories = 0;
}

static void end(void)
{
    arena_free(arena);
}

static Category *add(const char *name, const char *title, const char *parent)
{
    Category *category = message_new(arena, &throughline__catalog__v1__category__descriptor);

    category->name = text(arena, name);
    category->title = text(arena, title);
    category->parent = text(arena, parent);
    categories[n_categories++] = category;
    return category;
}

static void was(Category *category, const char *path)
{
    FormerTexts former = { category->n_former_paths, category->former_paths };

    former_texts_add(&former, path, arena);
    category->former_paths = former.texts;
    category->n_former_paths = former.n_texts;
}

static Taxonomy *compile(const Brand *brand)
{
    return taxonomy_compile(categories, n_categories, &brand, brand ? 1 : 0);
}

static Product *in(const char *main, const char *other)
{
    Product *product = a_product(arena);
    char **named = arena_array(arena, 2, sizeof(*named));

    named[0] = text(arena, main);
    named[1] = text(arena, other);
    product->categories = named;
    product->n_categories = *other ? 2 : 1;
    return product;
}

static void a_product_shows_the_paths_that_are_now(void)
{
    const Product *shown;
    Taxonomy *taxonomy;

    add("categories/tents", "Shelters", "categories/outdoor");
    add("categories/outdoor", "Outdoor", "");
    add("categories/sale", "Sale", "");
    taxonomy = compile(NULL);
    shown = taxonomy_show(taxonomy, in("categories/tents", "categories/sale"), arena);

    CHECK_TEXT(shown->category, "Outdoor > Shelters");
    CHECK_INT(shown->n_category_paths, 2);
    CHECK_TEXT(shown->category_paths[1], "Sale");
    CU_ASSERT_PTR_NULL(shown->former_names);
    taxonomy_release(taxonomy);
}

static void what_is_not_there_leaves_the_path_as_it_was(void)
{
    Taxonomy *taxonomy = compile(NULL);
    const Product *product = in("categories/gone", "categories/lost");
    const Product *shown = taxonomy_show(taxonomy, product, arena);

    CHECK_TEXT(shown->category, product->category);
    CHECK_TEXT(shown->category_paths[1], "");
    product = a_product(arena);
    CU_ASSERT_PTR_EQUAL(taxonomy_show(taxonomy, product, arena), product);
    taxonomy_release(taxonomy);
}

/* Outdoor > Tents > Two; then Tents became Shelters, then Outdoor became Outside. */
static Taxonomy *renamed_twice(void)
{
    Category *outdoor = add("categories/outdoor", "Outside", "");
    Category *tents = add("categories/tents", "Shelters", "categories/outdoor");

    add("categories/two", "Two", "categories/tents");
    was(tents, "Outdoor > Tents");
    was(outdoor, "Outdoor");
    return compile(NULL);
}

static void all_paths_that_it_had_are_known(void)
{
    static const char *const had[] = { "Outdoor > Tents > Two", "Outdoor > Shelters > Two" };
    Taxonomy *taxonomy = renamed_twice();

    for (size_t i = 0; i < COUNT(had); i++)
        CHECK_TEXT(taxonomy_path_now(taxonomy, had[i]), "Outside > Shelters > Two");
    CHECK_TEXT(taxonomy_path_now(taxonomy, "Outdoor > Tents"), "Outside > Shelters");
    CHECK_TEXT(taxonomy_path_now(taxonomy, "Outdoor"), "Outside");
    CHECK_TEXT(taxonomy_path_now(taxonomy, "Indoor"), "Indoor");
    taxonomy_release(taxonomy);
}

static void a_category_keeps_what_its_parents_made_of_it(void)
{
    Category *outdoor = add("categories/outdoor", "Outside", "");
    Category *tents = add("categories/tents", "Tents", "categories/outdoor");
    Taxonomy *before, *after;
    TaxonomyChanges changes;

    /* First the parent is renamed, then the category: as its carrier does it. */
    was(outdoor, "Outdoor");
    before = compile(NULL);
    CHECK_TEXT(taxonomy_path_now(before, "Outdoor > Tents"), "Outside > Tents");
    was(tents, "Outdoor > Tents");
    was(tents, "Outside > Tents");
    tents->title = text(arena, "Shelters");
    after = compile(NULL);

    CHECK_TEXT(taxonomy_path_now(after, "Outdoor > Tents"), "Outside > Shelters");
    CHECK_TEXT(taxonomy_path_now(after, "Outside > Tents"), "Outside > Shelters");
    changes = taxonomy_compare(before, after, arena);
    CHECK_INT(changes.n_categories, 1);
    CU_ASSERT(!changes.has_brands);
    CU_ASSERT(
        taxonomy_changed(&changes, (const char *[]){ "categories/a", "categories/tents" }, 2));
    CU_ASSERT(!taxonomy_changed(&changes, (const char *[]){ "categories/outdoor" }, 1));
    CHECK_INT(taxonomy_compare(after, after, arena).n_categories, 0);
    taxonomy_release(before);
    taxonomy_release(after);
}

static void a_path_that_another_has_now_is_that_others(void)
{
    Category *shelters = add("categories/shelters", "Shelters", "");
    Taxonomy *taxonomy;

    was(shelters, "Tents");
    add("categories/tents", "Tents", "");
    taxonomy = compile(NULL);
    CHECK_TEXT(taxonomy_path_now(taxonomy, "Tents"), "Tents");
    CU_ASSERT_PTR_NULL(taxonomy_show(taxonomy, in("categories/shelters", ""), arena)->former_names);
    taxonomy_release(taxonomy);
}

static void former_names_are_forgotten_from_the_oldest(void)
{
    FormerTexts former = { 0 };

    for (int i = 0; i < TAXONOMY_MAX_FORMER + 2; i++)
        former_texts_add(&former, arena_printf(arena, "%d", i), arena);
    CHECK_INT(former.n_texts, TAXONOMY_MAX_FORMER);
    CHECK_TEXT(former.texts[0], "2");
    former_texts_add(&former, "2", arena);
    CHECK_INT(former.n_texts, TAXONOMY_MAX_FORMER);
    CHECK_TEXT(former.texts[0], "3");
    CHECK_TEXT(former.texts[TAXONOMY_MAX_FORMER - 1], "2");
}

static void rules_find_a_product_by_all_its_names(void)
{
    Brand brand = THROUGHLINE__CATALOG__V1__BRAND__INIT;
    char *titles[] = { text(arena, "Fernhall"), text(arena, "Fern Hall") };
    Throughline__Catalog__V1__Selector selector = THROUGHLINE__CATALOG__V1__SELECTOR__INIT;
    Product *product = in("categories/two", "categories/sale");
    const Product *shown;
    CompiledSelector compiled;
    Taxonomy *taxonomy;
    char *wanted;

    brand.title = text(arena, "FH");
    brand.former_titles = titles;
    brand.n_former_titles = 2;
    product->brand = titles[0];
    add("categories/sale", "Sale", "");
    taxonomy_release(renamed_twice());
    taxonomy = compile(&brand);
    shown = taxonomy_show(taxonomy, product, arena);
    CHECK_TEXT(shown->brand, "FH");
    CHECK_TEXT(taxonomy_show(taxonomy, shown, arena)->brand, "FH");

    selector.categories = &wanted;
    selector.n_categories = 1;
    for (size_t i = 0; i < 5; i++) {
        wanted = (char *[]){ "Outside > Shelters > Two", "Outdoor > Tents", "Outdoor", "Sale",
            "Tents" }[i];
        compiled = selector_compile(arena, &selector);
        CHECK_INT(selector_matches(&compiled, shown, shown->variants[0]), i < 4);
    }
    selector.n_categories = 0;
    selector.brands = &wanted;
    selector.n_brands = 1;
    for (size_t i = 0; i < 4; i++) {
        wanted = (char *[]){ "FH", "Fern Hall", "Fernhall", "Fern" }[i];
        compiled = selector_compile(arena, &selector);
        CHECK_INT(selector_matches(&compiled, shown, shown->variants[0]), i < 3);
    }
    taxonomy_release(taxonomy);
}

static void a_facet_has_every_category_with_those_above(void)
{
    FacetValue *values;
    Taxonomy *taxonomy;
    size_t n_values, n_found = 0;

    add("categories/tents", "Tents", "categories/outdoor");
    add("categories/stoves", "Stoves", "categories/outdoor");
    add("categories/outdoor", "Outdoor", "");
    taxonomy = compile(NULL);
    n_values =
        facet_values(taxonomy_show(taxonomy, in("categories/tents", "categories/stoves"), arena),
            arena, &values);
    for (size_t i = 0; i < n_values; i++)
        n_found += text_equal(values[i].field, "category") &&
                   (text_equal(values[i].value, "Outdoor") ||
                       text_equal(values[i].value, "Outdoor > Tents") ||
                       text_equal(values[i].value, "Outdoor > Stoves"));
    /* "Outdoor" comes with each; a document holds it once. */
    CHECK_INT(n_found, 4);
    taxonomy_release(taxonomy);
}

static void a_path_has_parts(void)
{
    size_t length = 0;

    CU_ASSERT(category_part("A > B > C", &length));
    CHECK_INT(length, 1);
    CU_ASSERT(category_part("A > B > C", &length));
    CHECK_INT(length, 5);
    CU_ASSERT(category_part("A > B > C", &length));
    CHECK_INT(length, 9);
    CU_ASSERT(!category_part("A > B > C", &length));
    length = 0;
    CU_ASSERT(!category_part("", &length));
}

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        { "a_product_shows_the_paths_that_are_now", a_product_shows_the_paths_that_are_now },
        { "what_is_not_there_leaves_the_path_as_it_was",
            what_is_not_there_leaves_the_path_as_it_was },
        { "all_paths_that_it_had_are_known", all_paths_that_it_had_are_known },
        { "a_category_keeps_what_its_parents_made_of_it",
            a_category_keeps_what_its_parents_made_of_it },
        { "a_path_that_another_has_now_is_that_others",
            a_path_that_another_has_now_is_that_others },
        { "former_names_are_forgotten_from_the_oldest",
            former_names_are_forgotten_from_the_oldest },
        { "rules_find_a_product_by_all_its_names", rules_find_a_product_by_all_its_names },
        { "a_facet_has_every_category_with_those_above",
            a_facet_has_every_category_with_those_above },
        { "a_path_has_parts", a_path_has_parts },
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        { .pName = "taxonomy", .pSetUpFunc = begin, .pTearDownFunc = end, .pTests = tests },
        CU_SUITE_INFO_NULL,
    };

    return test_main("catalog_taxonomy", suites, argc, argv);
}
