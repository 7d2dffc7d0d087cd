/* Filters and counts, over the values that each document has. */
#include "services/catalog/search/search_parts.h"
#include "shared/base/money.h"
#include "shared/codec/message.h"
#include "shared/codec/types.h"

#include <string.h>

typedef Throughline__Catalog__V1__Facet__Value CountedValue;

enum { FACET_DEFAULT_LIMIT = 20, FACET_MAX_LIMIT = 500 };

static uint32_t find_field(const Search *search, const char *field)
{
    return search_values_find(search->index->values, VALUE_NONE, field);
}

static bool is_price(const char *field)
{
    return text_equal(field, "price");
}

/* Accepts the values of a field that are numbers within the bounds; every value without bounds. */
static void accept_range(
    const Search *search, uint32_t field, const SearchFilter *filter, uint16_t bit)
{
    const SearchValues *values = search->index->values;
    int64_t least = INT64_MIN, most = INT64_MAX, number;
    bool has_bounds = *filter->min_number || *filter->max_number;

    facet_number(filter->min_number, &least);
    facet_number(filter->max_number, &most);
    for (uint32_t value = search_values_first(values, field); value;
         value = search_values_next(values, value))
        if (!has_bounds || (facet_number(search_values_text(values, value), &number) &&
                               number >= least && number <= most))
            search->scratch->accepted[value] |= bit;
}

static void plan_filter(
    const Search *search, const SearchFilter *filter, uint16_t bit, FilterPlan *plan)
{
    uint32_t field = find_field(search, filter->field);

    if (is_price(filter->field)) {
        plan->price_bit = bit;
        money_minor(filter->min_price, &plan->min_price);
        money_minor(filter->max_price, &plan->max_price);
        return;
    }
    if (!field)
        return;
    if (filter->n_values == 0)
        accept_range(search, field, filter, bit);
    for (size_t i = 0; i < filter->n_values; i++) {
        uint32_t value = search_values_find(search->index->values, field, filter->values[i]);

        if (value)
            search->scratch->accepted[value] |= bit;
    }
}

/* What nobody asks about: only products that are for sale are found. */
static void plan_state(const Search *search, uint16_t bit)
{
    uint32_t active =
        search_values_find(search->index->values, find_field(search, "state"), "ACTIVE");

    search->scratch->accepted[active] |= bit;
}

static void plan_facet(const Search *search, size_t number, FilterPlan *plan)
{
    const SearchValues *values = search->index->values;
    const char *name = search->query->facets[number]->field;
    uint32_t field = find_field(search, name);

    if (is_price(name)) {
        plan->price_facet = (uint16_t)(number + 1);
        return;
    }
    for (uint32_t value = field ? search_values_first(values, field) : VALUE_NONE; value;
         value = search_values_next(values, value))
        search->scratch->facet[value] = (uint8_t)(number + 1);
}

void search_filter_plan(Search *search, FilterPlan *plan)
{
    const SearchQuery *query = search->query;
    Scratch *scratch = search->scratch;
    size_t n_values = search_values_count(search->index->values);
    const char *fields[SEARCH_MAX_FILTERS + 1] = { NULL };
    size_t n_fields = 0;
    bool has_state = false;

    *plan = (FilterPlan){ .min_price = 0, .max_price = INT64_MAX };
    memset(scratch->accepted, 0, n_values * sizeof(*scratch->accepted));
    memset(scratch->facet, 0, n_values * sizeof(*scratch->facet));
    memset(scratch->counts, 0, n_values * sizeof(*scratch->counts));
    for (; n_fields < query->n_filters; n_fields++) {
        fields[n_fields] = query->filters[n_fields]->field;
        has_state |= text_equal(fields[n_fields], "state");
        plan_filter(search, query->filters[n_fields], (uint16_t)(1U << n_fields), plan);
    }
    if (!has_state) {
        plan_state(search, (uint16_t)(1U << n_fields));
        fields[n_fields++] = "state";
    }
    plan->all = (uint16_t)((1U << n_fields) - 1);
    for (size_t i = 0; i < query->n_facets; i++) {
        plan_facet(search, i, plan);
        plan->other_filters[i] = plan->all;
        for (size_t j = 0; j < n_fields; j++)
            if (text_equal(fields[j], query->facets[i]->field))
                plan->other_filters[i] &= (uint16_t) ~(1U << j);
    }
}

/* Counts a value of a document for its facet, if that leaves out no filter but its own. */
static void count_value(
    const Search *search, const FilterPlan *plan, uint32_t value, uint16_t passed)
{
    uint8_t facet = search->scratch->facet[value];

    if (facet && (plan->other_filters[facet - 1] & ~passed) == 0)
        search->scratch->counts[value]++;
}

/* Counts a document that `passed` these filters for each facet whose other filters it passed. */
static void count(Search *search, FilterPlan *plan, const SearchDocument *document,
    const DocumentPrice *price, uint16_t passed)
{
    for (uint32_t i = 0; i < document->n_values; i++)
        count_value(search, plan, document->values[i], passed);
    for (uint32_t i = 0; i < document->n_stock; i++)
        if (document->stock[i].n_skus > 0)
            count_value(search, plan, document->stock[i].location, passed);
    if (plan->price_facet && price && (plan->other_filters[plan->price_facet - 1] & ~passed) == 0)
        plan->bands[price->band]++;
}

bool search_filter_pass(Search *search, FilterPlan *plan, const SearchDocument *document)
{
    const uint16_t *accepted = search->scratch->accepted;
    const DocumentPrice *price = NULL;
    uint16_t passed = 0;
    uint16_t missing;

    for (uint32_t i = 0; i < document->n_values; i++)
        passed |= accepted[document->values[i]];
    for (uint32_t i = 0; i < document->n_stock; i++)
        if (document->stock[i].n_skus > 0)
            passed |= accepted[document->stock[i].location];
    if (plan->price_bit || plan->price_facet)
        price = search_document_price(document, search->query->currency);
    if (plan->price_bit && price && price->minor >= plan->min_price &&
        price->minor <= plan->max_price)
        passed |= plan->price_bit;
    missing = (uint16_t)(plan->all & ~passed);
    /* A facet leaves out one filter at most: its own. */
    if (search->query->n_facets > 0 && (missing & (missing - 1)) == 0)
        count(search, plan, document, price, passed);
    return missing == 0;
}

/* The answer. */

static bool is_before(const Search *search, uint32_t a, uint32_t b)
{
    const Scratch *scratch = search->scratch;

    if (scratch->counts[a] != scratch->counts[b])
        return scratch->counts[a] > scratch->counts[b];
    return strcmp(search_values_text(search->index->values, a),
               search_values_text(search->index->values, b)) < 0;
}

/* The most frequent values of a field, and how many there are in all. */
static size_t find_most_frequent(
    const Search *search, const char *field, size_t limit, uint32_t *best, size_t *n_best)
{
    const SearchValues *values = search->index->values;
    uint32_t number = find_field(search, field);
    size_t n_all = 0;

    *n_best = 0;
    for (uint32_t value = number ? search_values_first(values, number) : VALUE_NONE; value;
         value = search_values_next(values, value)) {
        size_t at = *n_best;

        if (search->scratch->counts[value] == 0)
            continue;
        n_all++;
        while (at > 0 && is_before(search, value, best[at - 1]))
            at--;
        if (at == limit)
            continue;
        *n_best += *n_best < limit;
        memmove(&best[at + 1], &best[at], (*n_best - 1 - at) * sizeof(*best));
        best[at] = value;
    }
    return n_all;
}

static CountedValue *new_value(const Search *search, Facet *facet, uint32_t n_products)
{
    CountedValue *value =
        message_new(search->arena, &throughline__catalog__v1__facet__value__descriptor);

    value->count = n_products;
    facet->values[facet->n_values++] = value;
    return value;
}

static void show_values(const Search *search, size_t limit, Facet *facet)
{
    uint32_t best[FACET_MAX_LIMIT];
    size_t n_best;
    size_t n_all = find_most_frequent(search, facet->field, limit, best, &n_best);

    facet->values = arena_array(search->arena, n_best, sizeof(*facet->values));
    for (size_t i = 0; i < n_best; i++)
        new_value(search, facet, search->scratch->counts[best[i]])->value =
            arena_text(search->arena, search_values_text(search->index->values, best[i]));
    facet->more_values = (int32_t)(n_all - n_best);
}

static void show_bands(const Search *search, const FilterPlan *plan, Facet *facet)
{
    const char *currency = search->query->currency;

    facet->values = arena_array(search->arena, FACET_BANDS, sizeof(*facet->values));
    for (int band = 0; band < FACET_BANDS; band++) {
        CountedValue *value;

        if (plan->bands[band] == 0)
            continue;
        value = new_value(search, facet, plan->bands[band]);
        value->min_price = money_message(search->arena, currency, facet_band_start(band));
        value->max_price = money_message(search->arena, currency, facet_band_start(band + 1) - 1);
    }
}

void search_facets(Search *search, const FilterPlan *plan)
{
    const SearchQuery *query = search->query;
    SearchResult *result = search->result;

    result->facets = arena_array(search->arena, query->n_facets, sizeof(*result->facets));
    for (size_t i = 0; i < query->n_facets; i++) {
        Facet *facet = message_new(search->arena, &throughline__catalog__v1__facet__descriptor);
        int32_t limit = query->facets[i]->limit ? query->facets[i]->limit : FACET_DEFAULT_LIMIT;

        facet->field = query->facets[i]->field;
        if (is_price(facet->field))
            show_bands(search, plan, facet);
        else
            show_values(search, (size_t)(limit < FACET_MAX_LIMIT ? limit : FACET_MAX_LIMIT), facet);
        result->facets[result->n_facets++] = facet;
    }
}
