/* Words of products and queries, mistakes in them, and what products are counted by. */
#include "services/catalog/domain/search.h"

#include "services/catalog/domain/compare.h"
#include "services/catalog/domain/facet.h"
#include "services/catalog/domain/typo.h"
#include "shared/codec/types.h"
#include "tests/support/test_main.h"
#include "tests/unit/catalog/builders.h"

#include <string.h>

static Arena *arena;

static void set_up(void)
{
    arena = arena_new();
}

static void tear_down(void)
{
    arena_free(arena);
}

/* How much a word says about the product, 0 when it is none of its words. */
static int impact(const Product *product, const char *word)
{
    SearchTerms terms = search_terms(product, arena);

    for (size_t i = 0; i < terms.n_terms; i++)
        if (text_equal(terms.terms[i].text, word))
            return terms.terms[i].impact;
    return 0;
}

/* The words of a query, "*" behind one that may be a beginning; "none" when it has none. */
static const char *read(const char *query)
{
    const char *all = "";
    SearchWords words;

    if (!search_read(query, arena, &words))
        return "none";
    for (size_t i = 0; i < words.n_words; i++)
        all = arena_printf(arena, "%s%s%s%s", all, i > 0 ? " " : "", words.words[i].text,
            words.words[i].is_beginning ? "*" : "");
    return all;
}

/* Words. */

static void better_fields_weigh_more(void)
{
    Product *product = a_product(arena);

    product->variants[0]->sku = text(arena, "incode");
    product->title = text(arena, "intitle lamp");
    product->brand = text(arena, "inbrand");
    product->category = text(arena, "Lamps > incategory");
    product->variants[0]->title = text(arena, "invariant");
    product->description = text(arena, "indescription of a lamp");

    CU_ASSERT(impact(product, "incode") > impact(product, "intitle"));
    CU_ASSERT(impact(product, "intitle") > impact(product, "inbrand"));
    CU_ASSERT(impact(product, "inbrand") > impact(product, "incategory"));
    CU_ASSERT(impact(product, "incategory") > impact(product, "invariant"));
    CU_ASSERT(impact(product, "invariant") > impact(product, "indescription"));
    CU_ASSERT(impact(product, "indescription") > 0);
    CHECK_INT(impact(product, "elsewhere"), 0);
}

static void shorter_titles_and_more_mentions_weigh_more(void)
{
    Product *product = a_product(arena);
    int in_short, in_long, twice;

    product->title = text(arena, "Lantern");
    in_short = impact(product, "lantern");
    product->title = text(arena, "Bag for one lantern and many other things that shine at night");
    in_long = impact(product, "lantern");
    product->description = text(arena, "A lantern is not in it.");
    twice = impact(product, "lantern");

    CU_ASSERT(in_short > in_long);
    CU_ASSERT(twice > in_long);
}

static void attributes_are_words_too(void)
{
    Product *product = a_product(arena);
    Throughline__Catalog__V1__Product__AttributesEntry entry =
        THROUGHLINE__CATALOG__V1__PRODUCT__ATTRIBUTES_ENTRY__INIT;
    Throughline__Catalog__V1__Product__AttributesEntry *entries[] = { &entry };

    entry.key = text(arena, "material");
    entry.value = text(arena, "Ripstop nylon");
    product->attributes = entries;
    product->n_attributes = 1;

    CU_ASSERT(impact(product, "ripstop") > 0);
    CHECK_INT(impact(product, "material"), 0);
}

static void codes_are_found_whole_and_in_parts(void)
{
    const Product *product = a_product(arena);

    CU_ASSERT(impact(product, "green") > 0);
    CU_ASSERT(impact(product, "tentgreen") > 0);
    CU_ASSERT(impact(product, "4006381333931") > 0);
}

static void a_product_of_very_many_words_keeps_some(void)
{
    Product *product = a_product(arena);
    char *description = arena_alloc(arena, 10001);

    for (int i = 0; i < 2500; i++)
        memcpy(description + (size_t)i * 4,
            (char[]){ 'a' + (char)(i / 625), 'a' + (char)(i / 25 % 25), 'a' + (char)(i % 25), ' ' },
            4);
    product->description = description;

    CHECK_INT(search_terms(product, arena).n_terms, SEARCH_MAX_TERMS);
}

static void case_and_accents_are_folded(void)
{
    CHECK_TEXT(read("ÜBERZELT Großraum × ÉTÉ "), "uberzelt grossraum ete");
    CHECK_TEXT(read("Ångström Œuvre Łódź þing"), "angstrom oeuvre lodz thing*");
    CHECK_TEXT(read("cafe\xcc\x81 "), "cafe");
    CHECK_TEXT(read("ПАЛАТКА ΣΚΗΝΗ Ёлка "), "палатка σκηνη ёлка");
    CHECK_TEXT(read("帐篷"), "帐篷*");
}

static void only_the_last_word_may_be_a_beginning(void)
{
    CHECK_TEXT(read("tent fern"), "tent fern*");
    CHECK_TEXT(read("tent fern "), "tent fern");
    CHECK_TEXT(read("tent, \xe2\x80\x9e"
                    "fern\xe2\x80\x9c"),
        "tent fern");
}

static void a_query_without_words_is_none(void)
{
    CHECK_TEXT(read(""), "none");
    CHECK_TEXT(read(" -- ;"), "none");
    CHECK_TEXT(read("a b c d e f g h i j k l m n o p q"), "none");
    CHECK_TEXT(read("a b c d e f g h i j k l m n o p"), "a b c d e f g h i j k l m n o p*");
}

static void long_words_are_cut_alike(void)
{
    Product *product = a_product(arena);
    SearchWords words;

    product->title = arena_printf(arena, "%0*d", 300, 7);
    CU_ASSERT_FATAL(search_read(product->title, arena, &words));

    CHECK_INT(strlen(words.words[0].text), SEARCH_MAX_WORD);
    CU_ASSERT(impact(product, words.words[0].text) > 0);
}

static void an_empty_product_has_no_words(void)
{
    Product product = THROUGHLINE__CATALOG__V1__PRODUCT__INIT;

    CHECK_INT(search_terms(&product, arena).n_terms, 0);
}

/* Mistakes. */

static void mistakes_are_counted(void)
{
    CHECK_INT(typo_distance("lantern", "lantern", 2), 0);
    CHECK_INT(typo_distance("lantern", "lanten", 2), 1);
    CHECK_INT(typo_distance("lantern", "lanterns", 2), 1);
    CHECK_INT(typo_distance("lantern", "lanturn", 2), 1);
    CHECK_INT(typo_distance("lantern", "latnern", 2), 1);
    CHECK_INT(typo_distance("lantern", "altnern", 2), 2);
    CHECK_INT(typo_distance("lantern", "antler", 2), 3);
    CHECK_INT(typo_distance("lantern", "tent", 2), 3);
    CHECK_INT(typo_distance("палатка", "полатка", 2), 1);
    CHECK_INT(typo_distance("", "ab", 2), 2);
}

static void short_words_and_numbers_may_have_no_mistake(void)
{
    CHECK_INT(typo_allowed("abc"), 0);
    CHECK_INT(typo_allowed("tent"), 1);
    CHECK_INT(typo_allowed("lantern"), 1);
    CHECK_INT(typo_allowed("backpack"), 2);
    CHECK_INT(typo_allowed("a4006381"), 0);
}

/* Whatever is done to a word, the cheap look lets it through. */
static void letters_tell_at_least_as_much_as_mistakes(void)
{
    static const char *const words[] = { "lantern", "lanten", "latnern", "lantirn", "xlantern",
        "laterne", "antler", "tent", "ténte", "палатка", "полатка", "" };

    for (size_t i = 0; i < COUNT(words); i++)
        for (size_t j = 0; j < COUNT(words); j++) {
            uint32_t bits = typo_letters(words[i]) ^ typo_letters(words[j]);

            CU_ASSERT(__builtin_popcount(bits) <= 2 * typo_distance(words[i], words[j], 60));
        }
}

/* Filters and counts. */

static bool has_value(const Product *product, const char *field, const char *value)
{
    FacetValue *values;
    size_t n_values = facet_values(product, arena, &values);

    for (size_t i = 0; i < n_values; i++)
        if (text_equal(values[i].field, field) && text_equal(values[i].value, value))
            return true;
    return false;
}

static void a_product_counts_for_its_fields(void)
{
    const Product *product = a_product(arena);

    CU_ASSERT(has_value(product, "category", "Outdoor"));
    CU_ASSERT(has_value(product, "category", "Outdoor > Tents"));
    CU_ASSERT(has_value(product, "brand", "Fernweh"));
    CU_ASSERT(has_value(product, "state", "ACTIVE"));
    /* What an import counted is not what there is. */
    CU_ASSERT_FALSE(has_value(product, "stock", "berlin"));
}

static void fields_are_known(void)
{
    CU_ASSERT(facet_field_is_valid("category"));
    CU_ASSERT(facet_field_is_valid("attributes.colour"));
    CU_ASSERT_FALSE(facet_field_is_valid("attributes."));
    CU_ASSERT_FALSE(facet_field_is_valid("title"));
    CU_ASSERT_FALSE(facet_field_is_valid(""));
}

static void every_price_is_in_one_band(void)
{
    static const int64_t prices[] = { 0, 1, 2, 4, 5, 9, 10, 1999, 2000, 4999, 5000, 99999999,
        INT64_MAX / 2, INT64_MAX - 1 };

    for (size_t i = 0; i < COUNT(prices); i++) {
        int band = facet_band(prices[i]);

        CU_ASSERT(facet_band_start(band) <= prices[i]);
        CU_ASSERT(prices[i] < facet_band_start(band + 1));
    }
    CHECK_INT(facet_band_start(facet_band(1999)), 1000);
    CHECK_INT(facet_band_start(facet_band(2000)), 2000);
}

static void numbers_are_read_to_the_millionth(void)
{
    int64_t number;

    CU_ASSERT(facet_number("2.5", &number) && number == 2500000);
    CU_ASSERT(facet_number("-0.000001", &number) && number == -1);
    CU_ASSERT(facet_number("999999999999", &number) && number == INT64_C(999999999999000000));
    CU_ASSERT_FALSE(facet_number("1234567890123", &number));
    CU_ASSERT_FALSE(facet_number("0.1234567", &number));
    CU_ASSERT_FALSE(facet_number("", &number));
    CU_ASSERT_FALSE(facet_number("-", &number));
    CU_ASSERT_FALSE(facet_number("1.", &number));
    CU_ASSERT_FALSE(facet_number(".5", &number));
    CU_ASSERT_FALSE(facet_number("12 cm", &number));
}

/* Comparison. */

static void a_comparison_marks_what_differs(void)
{
    Product *tent = a_product(arena);
    Throughline__Catalog__V1__Variant__AttributesEntry weight[2] = {
        THROUGHLINE__CATALOG__V1__VARIANT__ATTRIBUTES_ENTRY__INIT,
        THROUGHLINE__CATALOG__V1__VARIANT__ATTRIBUTES_ENTRY__INIT,
    };
    Throughline__Catalog__V1__Variant__AttributesEntry *first[] = { &weight[0] };
    Throughline__Catalog__V1__Variant__AttributesEntry *second[] = { &weight[1] };
    PricedLine line = THROUGHLINE__CATALOG__V1__PRICED_LINE__INIT;
    CompareItem items[] = {
        { .product = tent, .variant = tent->variants[0], .line = &line, .available = 7 },
        { .product = tent, .variant = tent->variants[1], .available = 7 },
    };
    Comparison comparison = THROUGHLINE__CATALOG__V1__COMPARE_PRODUCTS_RESPONSE__INIT;

    weight[0].key = text(arena, "weight");
    weight[0].value = text(arena, "2.1");
    weight[1].key = text(arena, "colour");
    weight[1].value = text(arena, "red");
    tent->variants[0]->attributes = first;
    tent->variants[0]->n_attributes = 1;
    tent->variants[1]->attributes = second;
    tent->variants[1]->n_attributes = 1;
    line.total = money_message(arena, "EUR", 19900);
    line.list_total = money_message(arena, "EUR", 24900);
    compare(items, 2, arena, &comparison);

    CHECK_TEXT(comparison.items[1]->title, "Two-person tent, red");
    CHECK_INT(comparison.items[0]->price_before->units, 249);
    CU_ASSERT_PTR_NULL(comparison.items[1]->price);
    CHECK_INT(comparison.n_rows, 6);
    CHECK_TEXT(comparison.rows[0]->field, "brand");
    CU_ASSERT_FALSE(comparison.rows[0]->is_different);
    CHECK_TEXT(comparison.rows[2]->values[0], "199.00 EUR");
    CHECK_TEXT(comparison.rows[2]->values[1], "");
    CU_ASSERT(comparison.rows[2]->is_different);
    CU_ASSERT_FALSE(comparison.rows[3]->is_different);
    CHECK_TEXT(comparison.rows[4]->field, "attributes.colour");
    CHECK_TEXT(comparison.rows[4]->values[0], "");
    CHECK_TEXT(comparison.rows[4]->values[1], "red");
    CHECK_TEXT(comparison.rows[5]->field, "attributes.weight");
}

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        { "better_fields_weigh_more", better_fields_weigh_more },
        { "shorter_titles_and_more_mentions_weigh_more",
            shorter_titles_and_more_mentions_weigh_more },
        { "attributes_are_words_too", attributes_are_words_too },
        { "codes_are_found_whole_and_in_parts", codes_are_found_whole_and_in_parts },
        { "a_product_of_very_many_words_keeps_some", a_product_of_very_many_words_keeps_some },
        { "case_and_accents_are_folded", case_and_accents_are_folded },
        { "only_the_last_word_may_be_a_beginning", only_the_last_word_may_be_a_beginning },
        { "a_query_without_words_is_none", a_query_without_words_is_none },
        { "long_words_are_cut_alike", long_words_are_cut_alike },
        { "an_empty_product_has_no_words", an_empty_product_has_no_words },
        { "mistakes_are_counted", mistakes_are_counted },
        { "short_words_and_numbers_may_have_no_mistake",
            short_words_and_numbers_may_have_no_mistake },
        { "letters_tell_at_least_as_much_as_mistakes", letters_tell_at_least_as_much_as_mistakes },
        { "a_product_counts_for_its_fields", a_product_counts_for_its_fields },
        { "fields_are_known", fields_are_known },
        { "every_price_is_in_one_band", every_price_is_in_one_band },
        { "numbers_are_read_to_the_millionth", numbers_are_read_to_the_millionth },
        { "a_comparison_marks_what_differs", a_comparison_marks_what_differs },
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        { .pName = "search", .pSetUpFunc = set_up, .pTearDownFunc = tear_down, .pTests = tests },
        CU_SUITE_INFO_NULL,
    };

    return test_main("catalog_search", suites, argc, argv);
}
