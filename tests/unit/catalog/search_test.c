#include "services/catalog/domain/search.h"

#include "tests/support/test_main.h"
#include "tests/unit/catalog/builders.h"

#include <string.h>

static int score(const Product *product, const char *query)
{
    Arena *arena = arena_new();
    SearchWords words;
    int result = -1;

    if (search_read(query, arena, &words))
        result = search_score((const char *)search_text(product, arena).data, &words);
    arena_free(arena);
    return result;
}

static void all_words_must_be_there(void)
{
    Arena *arena = arena_new();
    const Product *product = a_product(arena);

    CU_ASSERT(score(product, "tent fernweh") > 0);
    CU_ASSERT(score(product, "FERNWEH person") > 0);
    CHECK_INT(score(product, "tent caravan"), 0);
    arena_free(arena);
}

static void only_the_last_word_may_be_a_beginning(void)
{
    Arena *arena = arena_new();
    const Product *product = a_product(arena);

    CU_ASSERT(score(product, "tent fern") > 0);
    CHECK_INT(score(product, "fern tent"), 0);
    CHECK_INT(score(product, "tent fern "), 0);
    CHECK_INT(score(product, "tent ernweh"), 0);
    arena_free(arena);
}

static void better_fields_weigh_more(void)
{
    Arena *arena = arena_new();
    Product *in_title = a_product(arena);
    Product *in_brand = a_product(arena);
    Product *in_category = a_product(arena);
    Product *in_variant = a_product(arena);
    Product *in_description = a_product(arena);
    Product *in_code = a_product(arena);

    in_code->variants[0]->sku = text(arena, "lantern");
    in_title->title = text(arena, "Storm lantern");
    in_brand->brand = text(arena, "Lantern");
    in_category->category = text(arena, "Outdoor > Lantern");
    in_variant->variants[1]->title = text(arena, "with lantern");
    in_description->description = text(arena, "Fits a lantern.");

    CU_ASSERT(score(in_code, "lantern") > score(in_title, "lantern"));
    CU_ASSERT(score(in_title, "lantern") > score(in_brand, "lantern"));
    CU_ASSERT(score(in_brand, "lantern") > score(in_category, "lantern"));
    CU_ASSERT(score(in_category, "lantern") > score(in_variant, "lantern"));
    CU_ASSERT(score(in_variant, "lantern") > score(in_description, "lantern"));
    CU_ASSERT(score(in_description, "lantern") > 0);
    arena_free(arena);
}

static void codes_are_found_whole_and_in_parts(void)
{
    Arena *arena = arena_new();
    const Product *product = a_product(arena);

    CU_ASSERT(score(product, "tent-green") > 0);
    CU_ASSERT(score(product, "tentgr") > 0);
    CU_ASSERT(score(product, "4006381333931") > 0);
    CU_ASSERT(score(product, "400638") > 0);
    CHECK_INT(score(product, "006381333931"), 0);
    arena_free(arena);
}

static void case_is_folded_for_latin_letters(void)
{
    Arena *arena = arena_new();
    Product *product = a_product(arena);

    product->title = text(arena, "ÜBERZELT Großraum × ÉTÉ");

    CU_ASSERT(score(product, "überzelt") > 0);
    CU_ASSERT(score(product, "GROßRAUM") > 0);
    CU_ASSERT(score(product, "été") > 0);
    CHECK_INT(score(product, "uberzelt"), 0);
    arena_free(arena);
}

static void a_query_without_words_is_none(void)
{
    Arena *arena = arena_new();
    const Product *product = a_product(arena);

    CHECK_INT(score(product, ""), -1);
    CHECK_INT(score(product, " -- ;"), -1);
    CHECK_INT(score(product, "a b c d e f g h i j k l m n o p q"), -1);
    arena_free(arena);
}

static void an_empty_product_has_a_text(void)
{
    Product product = THROUGHLINE__CATALOG__V1__PRODUCT__INIT;

    CHECK_INT(score(&product, "anything"), 0);
}

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        { "all_words_must_be_there", all_words_must_be_there },
        { "only_the_last_word_may_be_a_beginning", only_the_last_word_may_be_a_beginning },
        { "better_fields_weigh_more", better_fields_weigh_more },
        { "codes_are_found_whole_and_in_parts", codes_are_found_whole_and_in_parts },
        { "case_is_folded_for_latin_letters", case_is_folded_for_latin_letters },
        { "a_query_without_words_is_none", a_query_without_words_is_none },
        { "an_empty_product_has_a_text", an_empty_product_has_a_text },
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        { .pName = "search", .pTests = tests },
        CU_SUITE_INFO_NULL,
    };

    return test_main("catalog_search", suites, argc, argv);
}
