/* The search index: what is found, in which order, with which counts, page by page, and while
 * products change. */
#include "services/catalog/search_index.h"

#include "shared/codec/types.h"
#include "tests/support/test_main.h"
#include "tests/unit/catalog/builders.h"

#include <pthread.h>
#include <string.h>

enum { MANY = 3000, READERS = 3, ROUNDS = 300 };

static Arena *arena;
static SearchIndex *products;

static void set_up(void)
{
    arena = arena_new();
    products = search_index_new();
}

static void tear_down(void)
{
    search_index_free(products);
    arena_free(arena);
}

/* Puts in a product of one variant; returns it, to be changed and put in again. */
static Product *put(const char *name, const char *title, const char *category, int64_t price)
{
    Product *product = a_simple_product(arena, name, category, "EUR", price);

    product->title = text(arena, title);
    product->description = text(arena, "");
    product->etag = text(arena, "1");
    search_index_put(products, product);
    return product;
}

static void put_again(Product *product, int64_t version)
{
    product->etag = arena_printf(arena, "%lld", (long long)version);
    search_index_put(products, product);
}

static SearchQuery query_of(const char *words)
{
    SearchQuery query = { .limit = 10, .resume = "", .currency = "EUR" };

    if (*words)
        CU_ASSERT(search_read(words, arena, &query.words));
    return query;
}

static SearchResult find(const SearchQuery *query)
{
    SearchResult result;

    CHECK_TEXT(error_reason(search_index_find(products, query, arena, &result)), "OK");
    return result;
}

/* The names of what is found, without "products/", with spaces between. */
static const char *names(const SearchResult *result)
{
    const char *all = "";

    for (size_t i = 0; i < result->n_hits; i++)
        all = arena_printf(
            arena, "%s%s%s", all, i > 0 ? " " : "", result->hits[i].name + strlen("products/"));
    return all;
}

static const char *found(const char *words)
{
    SearchQuery query = query_of(words);
    SearchResult result = find(&query);

    return names(&result);
}

/* ---- words ---- */

static void all_words_must_be_there(void)
{
    put("a", "Green tent", "", 100);
    put("b", "Green lamp", "", 100);

    CHECK_TEXT(found("green tent"), "a");
    CHECK_TEXT(found("green "), "a b");
    CHECK_TEXT(found("tent lamp "), "");
    CHECK_TEXT(found("TÉNT "), "a");
}

static void the_last_word_may_be_a_beginning(void)
{
    put("a", "Lantern", "", 100);
    put("b", "Lanyard", "", 100);
    put("c", "Lamp lan", "", 100);

    CHECK_TEXT(found("lan"), "c a b");
    CHECK_TEXT(found("lan "), "c");
    CHECK_TEXT(found("lante"), "a");
}

static void a_word_that_is_nowhere_may_have_mistakes(void)
{
    SearchQuery query = query_of("grene lantirn ");
    SearchResult result;

    put("a", "Green lantern", "", 100);
    put("b", "Green lamp", "", 100);
    result = find(&query);

    CHECK_TEXT(names(&result), "a");
    CHECK_INT(result.n_corrections, 2);
    CHECK_TEXT(result.corrections[0]->word, "grene");
    CHECK_TEXT(result.corrections[0]->read_as[0], "green");
    CHECK_TEXT(result.corrections[1]->read_as[0], "lantern");
    query.is_exact = true;
    result = find(&query);
    CHECK_INT(result.n_hits, 0);
    CHECK_INT(result.n_corrections, 0);
}

/* "form" is a word of its own, but not one that stands with "mattress". */
static void a_mistake_may_be_a_word_too(void)
{
    put("a", "Foam mattress", "", 100);
    put("b", "Order form", "", 100);

    CHECK_TEXT(found("form mattress "), "a");
    CHECK_TEXT(found("form "), "b");
}

static void codes_have_no_mistakes(void)
{
    put("abcdefgh", "Thing", "", 100);

    CHECK_TEXT(found("abcdefgh "), "abcdefgh");
    CHECK_TEXT(found("abcdefgx "), "");
}

static void rare_words_weigh_more(void)
{
    for (int i = 0; i < 20; i++)
        put(arena_printf(arena, "x%02d", i), "Plain tent", "", 100);
    put("a", "Tent tent tent", "Odd", 100);
    put("b", "Tent", "Odd", 100);

    CHECK_TEXT(found("odd tent "), "a b");
    CHECK_INT(strncmp(found("tent "), "a b x00", 7), 0);
}

/* ---- filters, counts and order ---- */

static SearchFilter *a_filter(const char *field, const char *value)
{
    SearchFilter *filter = arena_alloc(arena, sizeof(*filter));

    throughline__catalog__v1__search_filter__init(filter);
    filter->field = text(arena, field);
    if (value) {
        filter->values = arena_array(arena, 1, sizeof(*filter->values));
        filter->values[filter->n_values++] = text(arena, value);
    }
    return filter;
}

static FacetRequest *a_facet(const char *field)
{
    FacetRequest *facet = arena_alloc(arena, sizeof(*facet));

    throughline__catalog__v1__facet_request__init(facet);
    facet->field = text(arena, field);
    return facet;
}

/* "Fernweh 2, Other 1" */
static const char *counts(const Facet *facet)
{
    const char *all = "";

    for (size_t i = 0; i < facet->n_values; i++)
        all = arena_printf(arena, "%s%s%s %lld", all, i > 0 ? ", " : "", facet->values[i]->value,
            (long long)facet->values[i]->count);
    return all;
}

/* SKUs are called as their products. */
static void stock(const char *sku, const char *location, int64_t version, int64_t available)
{
    search_index_put_stock(
        products, arena_printf(arena, "products/%s", sku), sku, location, version, available);
}

static void put_shop(void)
{
    /* Levels and products may come in either order. */
    stock("b", "berlin", 1, 1);
    stock("d", "berlin", 1, 1);
    put("a", "Tent", "Outdoor > Tents", 19900);
    put("b", "Tent", "Outdoor > Tents", 29900);
    put("c", "Lamp", "Outdoor > Light", 1900);
    put("d", "Desk lamp", "Home", 2500);
    stock("a", "berlin", 1, 1);
    stock("c", "berlin", 1, 1);
}

static void filters_keep_what_fits_all_of_them(void)
{
    SearchFilter *filters[2] = { a_filter("category", "Outdoor"), a_filter("price", NULL) };
    SearchQuery query = query_of("");
    SearchResult result;

    put_shop();
    query.filters = filters;
    query.n_filters = 1;
    result = find(&query);
    CHECK_TEXT(names(&result), "a b c");
    query.n_filters = 2;
    filters[1]->min_price = money_message(arena, "EUR", 1900);
    filters[1]->max_price = money_message(arena, "EUR", 19900);
    result = find(&query);
    CHECK_TEXT(names(&result), "a c");
    CHECK_INT(result.total, 2);
    filters[0]->values[0] = text(arena, "Nowhere");
    result = find(&query);
    CHECK_TEXT(names(&result), "");
}

static void counts_leave_out_the_filter_on_their_own_field(void)
{
    SearchFilter *filters[] = { a_filter("category", "Outdoor > Tents"),
        a_filter("stock", "berlin") };
    FacetRequest *facets[] = { a_facet("category"), a_facet("brand"), a_facet("price") };
    SearchQuery query = query_of("");
    SearchResult result;

    put_shop();
    query.filters = filters;
    query.n_filters = COUNT(filters);
    query.facets = facets;
    query.n_facets = COUNT(facets);
    result = find(&query);

    CHECK_TEXT(counts(result.facets[0]), "Outdoor 3, Outdoor > Tents 2, Home 1, Outdoor > Light 1");
    CHECK_TEXT(counts(result.facets[1]), "Fernweh 2");
    CHECK_INT(result.facets[2]->n_values, 2);
    CHECK_INT(result.facets[2]->values[0]->min_price->units, 100);
    CHECK_INT(result.facets[2]->values[0]->max_price->units, 199);
    CHECK_INT(result.facets[2]->values[0]->count, 1);
}

static void only_so_many_values_are_shown(void)
{
    FacetRequest *facets[] = { a_facet("category") };
    SearchQuery query = query_of("");
    SearchResult result;

    put_shop();
    facets[0]->limit = 2;
    query.facets = facets;
    query.n_facets = 1;
    result = find(&query);

    CHECK_TEXT(counts(result.facets[0]), "Outdoor 3, Outdoor > Tents 2");
    CHECK_INT(result.facets[0]->more_values, 2);
}

static const char *found_in(const char *location)
{
    SearchFilter *filter = a_filter("stock", location);
    SearchQuery query = query_of("");
    SearchResult result;

    query.filters = &filter;
    query.n_filters = 1;
    result = find(&query);
    return names(&result);
}

static void what_is_sold_out_is_not_found_there(void)
{
    put_shop();
    CHECK_TEXT(found_in("berlin"), "a b c d");
    stock("b", "berlin", 2, 0);
    stock("c", "hamburg", 1, 5);
    CHECK_TEXT(found_in("berlin"), "a c d");
    CHECK_TEXT(found_in("hamburg"), "c");
    CHECK_TEXT(found_in(NULL), "a c d");
    /* Old news change nothing; a new version of the product keeps what is known. */
    stock("b", "berlin", 1, 1);
    put_again(put("b", "Tent", "Outdoor > Tents", 29900), 2);
    CHECK_TEXT(found_in("berlin"), "a c d");
    stock("b", "berlin", 3, 2);
    stock("b", "berlin", 4, 1);
    CHECK_TEXT(found_in("berlin"), "a b c d");
}

static bool is_outdoor(const void *context, const char *name, const char *category)
{
    return !text_equal(name, context) && text_starts_with(category, "Outdoor");
}

static void what_may_not_be_shown_is_neither_found_nor_counted(void)
{
    FacetRequest *facets[] = { a_facet("category") };
    SearchQuery query = query_of("");
    SearchResult result;

    put_shop();
    query.facets = facets;
    query.n_facets = 1;
    query.shows = is_outdoor;
    query.context = "products/a";
    result = find(&query);

    CHECK_TEXT(names(&result), "b c");
    CHECK_INT(result.total, 2);
    CHECK_TEXT(counts(result.facets[0]), "Outdoor 2, Outdoor > Light 1, Outdoor > Tents 1");
}

static void put_with_weight(const char *name, const char *weight)
{
    Product *product = a_simple_product(arena, name, "", "EUR", 1);
    Variant *variant = product->variants[0];
    Throughline__Catalog__V1__Variant__AttributesEntry *entry = arena_alloc(arena, sizeof(*entry));

    throughline__catalog__v1__variant__attributes_entry__init(entry);
    entry->key = text(arena, "weight");
    entry->value = text(arena, weight);
    variant->attributes = arena_array(arena, 1, sizeof(entry));
    variant->attributes[0] = entry;
    variant->n_attributes = 1;
    product->etag = text(arena, "1");
    search_index_put(products, product);
}

static void attributes_that_are_numbers_have_bounds(void)
{
    SearchFilter *filter = a_filter("attributes.weight", NULL);
    SearchQuery query = query_of("");
    SearchResult result;

    put_with_weight("a", "0.9");
    put_with_weight("b", "2.5");
    put_with_weight("c", "12");
    put_with_weight("d", "heavy");
    put("e", "Without", "", 1);
    query.filters = &filter;
    query.n_filters = 1;

    result = find(&query);
    CHECK_TEXT(names(&result), "a b c d");
    filter->min_number = text(arena, "2.5");
    result = find(&query);
    CHECK_TEXT(names(&result), "b c");
    filter->max_number = text(arena, "3");
    result = find(&query);
    CHECK_TEXT(names(&result), "b");
}

static void what_is_not_for_sale_is_found_only_when_asked_for(void)
{
    SearchFilter *filter = a_filter("state", "RETIRED");
    SearchQuery query = query_of("tent ");
    Product *gone = put("a", "Tent", "", 100);
    SearchResult result;

    gone->state = PRODUCT_RETIRED;
    put_again(gone, 2);
    put("b", "Tent", "", 100);

    CHECK_TEXT(found("tent "), "b");
    query.filters = &filter;
    query.n_filters = 1;
    result = find(&query);
    CHECK_TEXT(names(&result), "a");
}

static void products_are_sorted_as_asked(void)
{
    SearchSort sort = THROUGHLINE__CATALOG__V1__SEARCH_SORT__INIT;
    SearchQuery query = query_of("");
    SearchResult result;
    Product *unsold;

    put_shop();
    unsold = put("e", "Not sold", "", 1);
    unsold->variants[0]->n_prices = 0;
    put_again(unsold, 2);
    query.sort = &sort;
    sort.key = THROUGHLINE__CATALOG__V1__SEARCH_SORT__KEY__PRICE;
    result = find(&query);
    CHECK_TEXT(names(&result), "c d a b e");
    sort.is_descending = true;
    result = find(&query);
    CHECK_TEXT(names(&result), "b a d c e");
    query.currency = "JPY";
    result = find(&query);
    CHECK_TEXT(names(&result), "a b c d e");
    sort.key = THROUGHLINE__CATALOG__V1__SEARCH_SORT__KEY__NAME;
    result = find(&query);
    CHECK_TEXT(names(&result), "e d c b a");
}

static void products_are_sorted_by_age(void)
{
    SearchSort sort = THROUGHLINE__CATALOG__V1__SEARCH_SORT__INIT;
    SearchQuery query = query_of("");
    SearchResult result;

    for (int i = 0; i < 3; i++) {
        Product *product = put(arena_printf(arena, "%d", i), "Thing", "", 1);

        product->create_time = timestamp_from_micros(arena, some_noon + (i * 2) % 3);
        put_again(product, 2);
    }
    query.sort = &sort;
    sort.key = THROUGHLINE__CATALOG__V1__SEARCH_SORT__KEY__CREATE_TIME;
    result = find(&query);
    CHECK_TEXT(names(&result), "0 2 1");
    sort.is_descending = true;
    result = find(&query);
    CHECK_TEXT(names(&result), "1 2 0");
}

/* ---- pages ---- */

static void pages_go_on_where_the_last_one_ended(void)
{
    SearchQuery query = query_of("thing ");
    bool seen[100] = { false };
    int n_seen = 0;
    SearchResult result;

    for (int i = 0; i < 100; i++)
        put(arena_printf(arena, "p%02d", i * 37 % 100), i % 3 ? "Thing" : "Thing thing", "", 1);
    query.limit = 7;
    do {
        result = find(&query);
        for (size_t i = 0; i < result.n_hits && i < query.limit; i++, n_seen++) {
            int64_t number;

            CU_ASSERT_FATAL(text_to_int64(result.hits[i].name + strlen("products/p"), &number));
            CU_ASSERT(!seen[number]);
            seen[number] = true;
        }
        if (result.n_hits > query.limit)
            query.resume = search_resume(&query, &result, &result.hits[query.limit - 1], arena);
        /* What comes meanwhile makes the word more frequent, but moves nothing. */
        put(arena_printf(arena, "other%d", n_seen), "Other", "", 1);
        put(arena_printf(arena, "a%d", n_seen), "Thing thing thing thing", "", 1);
    } while (result.n_hits > query.limit);

    CHECK_INT(n_seen, 100);
}

static void corrections_hold_on_all_pages(void)
{
    SearchQuery query = query_of("lantirn ");
    SearchResult result;

    put("a", "Lantern", "", 1);
    put("b", "Lantern", "", 1);
    query.limit = 1;
    result = find(&query);
    CHECK_INT(result.n_hits, 2);
    query.resume = search_resume(&query, &result, &result.hits[0], arena);
    put("c", "Lantirn", "", 1);
    query.limit = 10;
    result = find(&query);

    CU_ASSERT(strstr(names(&result), "b") != NULL);
}

static void a_resume_text_of_something_else_is_refused(void)
{
    SearchQuery query = query_of("thing ");
    static const char *const others[] = { "products/a", "1;2", "1,2;0;3;products/a", "1;0;3",
        "x;0;3;a" };
    SearchResult result;

    for (size_t i = 0; i < COUNT(others); i++) {
        query.resume = others[i];
        CHECK_TEXT(error_reason(search_index_find(products, &query, arena, &result)),
            "PAGE_TOKEN_INVALID");
    }
}

/* ---- change ---- */

static void the_newest_version_counts(void)
{
    Product *product = put("a", "Tent", "", 100);

    product->title = text(arena, "Lamp");
    put_again(product, 3);
    product->title = text(arena, "Chair");
    put_again(product, 2);

    CHECK_TEXT(found("tent "), "");
    CHECK_TEXT(found("chair "), "");
    CHECK_TEXT(found("lamp "), "a");
    CHECK_INT(search_index_count(products), 1);
}

/* So many new versions that the old ones are cleaned up. */
static void much_change_loses_nothing(void)
{
    Product *rows[50];
    SearchQuery query = query_of("thing ");
    SearchResult result;

    for (int i = 0; i < 50; i++)
        rows[i] = put(arena_printf(arena, "p%02d", i), "Thing", "", 1);
    for (int round = 2; round < 100; round++)
        for (int i = 0; i < 50; i++) {
            rows[i]->title = arena_printf(arena, "Thing w%dx", round);
            put_again(rows[i], round);
        }
    query.limit = 100;
    result = find(&query);

    CHECK_INT(result.n_hits, 50);
    CHECK_INT(search_index_count(products), 50);
    CHECK_TEXT(found("w50x "), "");
    CHECK_INT(strlen(found("w99x ")), 10 * 4 + 3);
}

typedef struct Reader {
    pthread_t thread;
    int wrong;
} Reader;

static void *search_repeatedly(void *context)
{
    Reader *reader = context;
    Arena *memory = arena_new();

    for (int i = 0; i < ROUNDS; i++) {
        SearchQuery query = { .limit = 5, .resume = "", .currency = "EUR" };
        FacetRequest facet = THROUGHLINE__CATALOG__V1__FACET_REQUEST__INIT;
        FacetRequest *facets[] = { &facet };
        SearchResult result;

        facet.field = arena_text(memory, "brand");
        query.facets = facets;
        query.n_facets = 1;
        search_read("thing", memory, &query.words);
        /* Every product has the word at every moment. */
        if (search_index_find(products, &query, memory, &result) || result.total != MANY ||
            result.facets[0]->values[0]->count != MANY)
            reader->wrong++;
        arena_reset(memory);
    }
    arena_free(memory);
    return NULL;
}

static void searches_see_whole_products_while_they_change(void)
{
    Reader readers[READERS] = { 0 };

    for (int i = 0; i < MANY; i++)
        put(arena_printf(arena, "p%d", i), "Thing", "", 1);
    for (int i = 0; i < READERS; i++)
        CU_ASSERT_FATAL(!pthread_create(&readers[i].thread, NULL, search_repeatedly, &readers[i]));
    for (int i = 0; i < 2 * MANY; i++) {
        Product *product =
            a_simple_product(arena, arena_printf(arena, "p%d", i % MANY), "", "EUR", 1);

        product->title = arena_printf(arena, "Thing w%d", i);
        put_again(product, 2 + i);
    }
    for (int i = 0; i < READERS; i++) {
        pthread_join(readers[i].thread, NULL);
        CHECK_INT(readers[i].wrong, 0);
    }
}

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        { "all_words_must_be_there", all_words_must_be_there },
        { "the_last_word_may_be_a_beginning", the_last_word_may_be_a_beginning },
        { "a_word_that_is_nowhere_may_have_mistakes", a_word_that_is_nowhere_may_have_mistakes },
        { "a_mistake_may_be_a_word_too", a_mistake_may_be_a_word_too },
        { "codes_have_no_mistakes", codes_have_no_mistakes },
        { "rare_words_weigh_more", rare_words_weigh_more },
        { "filters_keep_what_fits_all_of_them", filters_keep_what_fits_all_of_them },
        { "counts_leave_out_the_filter_on_their_own_field",
            counts_leave_out_the_filter_on_their_own_field },
        { "only_so_many_values_are_shown", only_so_many_values_are_shown },
        { "what_is_sold_out_is_not_found_there", what_is_sold_out_is_not_found_there },
        { "what_may_not_be_shown_is_neither_found_nor_counted",
            what_may_not_be_shown_is_neither_found_nor_counted },
        { "attributes_that_are_numbers_have_bounds", attributes_that_are_numbers_have_bounds },
        { "what_is_not_for_sale_is_found_only_when_asked_for",
            what_is_not_for_sale_is_found_only_when_asked_for },
        { "products_are_sorted_as_asked", products_are_sorted_as_asked },
        { "products_are_sorted_by_age", products_are_sorted_by_age },
        { "pages_go_on_where_the_last_one_ended", pages_go_on_where_the_last_one_ended },
        { "corrections_hold_on_all_pages", corrections_hold_on_all_pages },
        { "a_resume_text_of_something_else_is_refused",
            a_resume_text_of_something_else_is_refused },
        { "the_newest_version_counts", the_newest_version_counts },
        { "much_change_loses_nothing", much_change_loses_nothing },
        { "searches_see_whole_products_while_they_change",
            searches_see_whole_products_while_they_change },
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        { .pName = "search index",
            .pSetUpFunc = set_up,
            .pTearDownFunc = tear_down,
            .pTests = tests },
        CU_SUITE_INFO_NULL,
    };

    return test_main("catalog_search_index", suites, argc, argv);
}
