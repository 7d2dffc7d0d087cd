/* What filters keep, what is counted, and in which order products come. */
#include "tests/unit/catalog/search_fixture.h"

#include "shared/codec/types.h"

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

static bool is_outdoor(const void *context, const char *name, ProductPaths paths)
{
    return !text_equal(name, context) && text_starts_with(paths.paths[0], "Outdoor");
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
    search_index_put(products, product, 0);
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

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
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
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        { .pName = "search filters",
            .pSetUpFunc = search_set_up,
            .pTearDownFunc = search_tear_down,
            .pTests = tests },
        CU_SUITE_INFO_NULL,
    };

    return test_main("catalog_search_filters", suites, argc, argv);
}
