/* Finding and comparing what is sold. */
#include "services/catalog/catalog.h"

#include "services/catalog/domain/compare.h"
#include "services/catalog/domain/facet.h"
#include "services/catalog/governance/published.h"
#include "services/catalog/listing.h"
#include "services/catalog/pricing/quote_input.h"
#include "services/catalog/stock/stock_store.h"
#include "shared/base/money.h"
#include "shared/codec/message.h"
#include "shared/codec/types.h"
#include "shared/rpc/check.h"

typedef Throughline__Catalog__V1__SearchProductsRequest SearchProductsRequest;
typedef Throughline__Catalog__V1__SearchProductsResponse SearchProductsResponse;
typedef Throughline__Catalog__V1__CompareProductsRequest CompareProductsRequest;

enum { SEARCH_MAX_VALUES = 100 };

/* Search. */

static void check_bounds(RpcCall *call, const SearchFilter *filter, const char *path)
{
    int64_t number;

    if (*filter->min_number && !facet_number(filter->min_number, &number))
        check_fail(call, check_path(call, "%s.min_number", path), "must be a number like 2.5");
    if (*filter->max_number && !facet_number(filter->max_number, &number))
        check_fail(call, check_path(call, "%s.max_number", path), "must be a number like 2.5");
    if ((*filter->min_number || *filter->max_number) &&
        (filter->n_values > 0 || !text_starts_with(filter->field, facet_attributes)))
        check_fail(call, path, "bounds of numbers are for attributes, without values");
}

static void check_price(RpcCall *call, const SearchFilter *filter, const char *currency,
    const Google__Type__Money *price, const char *path)
{
    int64_t minor;

    if (!price)
        return;
    check_money(call, path, price, 0, INT64_MAX, &minor);
    if (!text_equal(filter->field, "price"))
        check_fail(call, path, "is for the field price");
    else if (!text_equal(price->currency_code, currency))
        check_fail(call, path, "must be in the search's currency");
}

static void check_filter(RpcCall *call, const SearchProductsRequest *req, size_t number)
{
    const SearchFilter *filter = req->filters[number];
    const char *path = check_path(call, "filters[%zu]", number);
    const char *field = check_path(call, "%s.field", path);

    if (!facet_field_is_valid(filter->field))
        check_fail(call, field, "must be category, brand, price, stock, state or attributes.KEY");
    for (size_t i = 0; i < number; i++)
        if (text_equal(req->filters[i]->field, filter->field))
            check_fail(call, field, "is the field of filters[%zu] too", i);
    if (text_equal(filter->field, "price"))
        check_count(call, check_path(call, "%s.values", path), filter->n_values, 0, 0);
    check_count(call, check_path(call, "%s.values", path), filter->n_values, 0, SEARCH_MAX_VALUES);
    check_bounds(call, filter, path);
    check_price(
        call, filter, req->currency, filter->min_price, check_path(call, "%s.min_price", path));
    check_price(
        call, filter, req->currency, filter->max_price, check_path(call, "%s.max_price", path));
}

static void check_facet(RpcCall *call, const SearchProductsRequest *req, size_t number)
{
    const FacetRequest *facet = req->facets[number];
    const char *field = check_path(call, "facets[%zu].field", number);

    if (!facet_field_is_valid(facet->field))
        check_fail(call, field, "must be category, brand, price, stock, state or attributes.KEY");
    for (size_t i = 0; i < number; i++)
        if (text_equal(req->facets[i]->field, facet->field))
            check_fail(call, field, "is the field of facets[%zu] too", i);
    if (facet->limit < 0)
        check_fail(call, check_path(call, "facets[%zu].limit", number), "must not be negative");
}

/* Whether the answer depends on the currency. */
static bool is_about_prices(const SearchProductsRequest *req)
{
    bool is_about =
        req->sort && req->sort->key == THROUGHLINE__CATALOG__V1__SEARCH_SORT__KEY__PRICE;

    for (size_t i = 0; i < req->n_filters; i++)
        is_about |= text_equal(req->filters[i]->field, "price");
    for (size_t i = 0; i < req->n_facets; i++)
        is_about |= text_equal(req->facets[i]->field, "price");
    return is_about;
}

static const Error *check_search(
    RpcCall *call, const SearchProductsRequest *req, SearchWords *words)
{
    check_text(call, "query", req->query, req->n_filters > 0 ? 0 : 1, SEARCH_MAX_QUERY);
    if (*req->query && !search_read(req->query, call->arena, words))
        check_fail(call, "query", "must have 1 to %d words", SEARCH_MAX_WORDS);
    check_count(call, "filters", req->n_filters, 0, SEARCH_MAX_FILTERS);
    for (size_t i = 0; i < req->n_filters && i < SEARCH_MAX_FILTERS; i++)
        check_filter(call, req, i);
    check_count(call, "facets", req->n_facets, 0, SEARCH_MAX_FACETS);
    for (size_t i = 0; i < req->n_facets && i < SEARCH_MAX_FACETS; i++)
        check_facet(call, req, i);
    if (req->sort && req->sort->key)
        check_enum(call, "sort.key", &throughline__catalog__v1__search_sort__key__descriptor,
            (int)req->sort->key);
    if (*req->language && !language_is_valid(req->language))
        check_fail(call, "language", "must be a BCP 47 tag like \"de\" or \"de-CH\"");
    if ((*req->currency || is_about_prices(req)) && money_digits(req->currency) < 0)
        check_fail(call, "currency", "\"%s\" is not an ISO 4217 currency", req->currency);
    return check_result(call);
}

/* All that must not change between pages: not the facets, not the language. */
static const char *search_arguments(RpcCall *call, const SearchProductsRequest *req)
{
    SearchProductsRequest same = *req;
    Bytes packed;

    same.page_size = 0;
    same.page_token = (char *)protobuf_c_empty_string;
    same.n_facets = 0;
    same.language = (char *)protobuf_c_empty_string;
    packed = message_pack(call->arena, &same);
    return text_hex(call->arena, packed.data, packed.size);
}

/* The hits as products, as many as fit. */
static void show_hits(RpcCall *call, const SearchQuery *query, const SearchResult *result,
    const RpcPage *page, const char *language, SearchProductsResponse *res)
{
    Listing listing;
    size_t n_shown = listing_of_hits(call, result->hits,
        result->n_hits < query->limit ? result->n_hits : query->limit, &listing);

    listing_localize(call, &listing, language);
    res->products = listing.products;
    res->n_products = listing.n_products;
    if (n_shown < result->n_hits)
        res->next_page_token = page_token(
            call, page, search_resume(query, result, &result->hits[n_shown - 1], call->arena));
}

/* Filters on what has another name now. */
static SearchFilter **filters_now(RpcCall *call, const SearchProductsRequest *req)
{
    SearchFilter **filters = arena_array(call->arena, req->n_filters, sizeof(*filters));
    Taxonomy *taxonomy = taxonomy_holder_current(catalog_of(call)->taxonomy);

    for (size_t i = 0; i < req->n_filters; i++) {
        SearchFilter *filter = filters[i] =
            arena_copy(call->arena, req->filters[i], sizeof(*filter));
        bool is_category = text_equal(filter->field, "category");

        if (!is_category && !text_equal(filter->field, "brand"))
            continue;
        filter->values = arena_array(call->arena, filter->n_values, sizeof(*filter->values));
        for (size_t j = 0; j < filter->n_values; j++)
            filter->values[j] = arena_text(call->arena,
                is_category ? taxonomy_path_now(taxonomy, req->filters[i]->values[j])
                            : taxonomy_brand_now(taxonomy, req->filters[i]->values[j]));
    }
    taxonomy_release(taxonomy);
    return filters;
}

/* What the caller's channel does not sell is not found. */
static bool sells(const void *call, const char *name, ProductPaths paths)
{
    return catalog_sells(call, name, paths);
}

const Error *search_products(RpcCall *call, const void *request, void *reply)
{
    const SearchProductsRequest *req = request;
    SearchProductsResponse *res = reply;
    RpcPage page = page_read(call, req->page_size, req->page_token, search_arguments(call, req));
    SearchQuery query = {
        .is_exact = req->is_exact,
        .n_filters = req->n_filters,
        .facets = req->facets,
        .n_facets = req->n_facets,
        .sort = req->sort,
        .currency = req->currency,
        .limit = (size_t)page.limit,
        .resume = page.resume,
    };
    SearchResult result;
    const Error *error;

    if ((error = check_search(call, req, &query.words)))
        return error;
    query.filters = filters_now(call, req);
    if (assortment_shelf_has(catalog_of(call)->assortments, call->context.channel)) {
        query.shows = sells;
        query.context = call;
    }

    if ((error = search_index_find(catalog_of(call)->search, &query, call->arena, &result)))
        return error;

    show_hits(call, &query, &result, &page, req->language, res);
    res->total_size = result.total;
    res->facets = result.facets;
    res->n_facets = result.n_facets;
    res->corrections = result.corrections;
    res->n_corrections = result.n_corrections;
    return NULL;
}

/* Comparison. */

static const Error *check_comparison(RpcCall *call, const CompareProductsRequest *req)
{
    check_count(call, "skus", req->n_skus, COMPARE_MIN_ITEMS, COMPARE_MAX_ITEMS);
    for (size_t i = 0; i < req->n_skus && i < COMPARE_MAX_ITEMS; i++) {
        const char *path = check_path(call, "skus[%zu]", i);

        if (!sku_is_valid(req->skus[i]))
            check_fail(call, path, "must be 1 to 64 characters of [A-Za-z0-9_.~-]");
        for (size_t j = 0; j < i; j++)
            if (text_equal(req->skus[i], req->skus[j]))
                check_fail(call, path, "is skus[%zu] too", j);
    }
    if (money_digits(req->currency) < 0)
        check_fail(call, "currency", "\"%s\" is not an ISO 4217 currency", req->currency);
    quote_context_check(call, "context.", req->context);
    check_optional_name(call, "customer", req->customer, "customers/*");
    return check_result(call);
}

/* What one piece costs; NULL when it can't be bought so. */
static const Error *price_item(
    RpcCall *call, const CompareProductsRequest *req, const Rules *rules, CompareItem *item)
{
    QuoteLine line = THROUGHLINE__CATALOG__V1__QUOTE_LINE__INIT;
    Quote quote = THROUGHLINE__CATALOG__V1__QUOTE__INIT;
    PricingInput input;
    const Error *error;

    line.sku = item->variant->sku;
    line.quantity = 1;
    if ((error = price_input_load(call, &line, req->currency, rules, &input)))
        return error;
    input.now = call->arrived_at;
    input.context = pricing_context(call, req->context, req->customer);
    error = pricing_quote(&input, call->arena, &quote);
    if (!error)
        item->line = quote.lines[0];
    return error && error->code != ERROR_FAILED_PRECONDITION ? error : NULL;
}

static const Error *load_item(RpcCall *call, const char *sku, CompareItem *item)
{
    StockLevel **levels;
    size_t n_levels;
    const Error *error;
    const char *found;
    Bytes packed;

    if (!published_find(catalog_of(call), SNAPSHOT_SKU, sku, call->arena, &packed, &found) ||
        catalog_hides(call, packed))
        return error_with_fact(call->arena,
            error_new(call->arena, ERROR_NOT_FOUND, "VARIANT_NOT_FOUND",
                "No product has a variant with the SKU \"%s\".", sku),
            "sku", sku);
    item->product =
        message_unpack(call->arena, &throughline__catalog__v1__product__descriptor, packed);
    item->variant = product_variant(item->product, found);
    if ((error = stock_load_all(call->store, found, &levels, &n_levels)))
        return error;
    for (size_t i = 0; i < n_levels; i++)
        item->available += levels[i]->available;
    return NULL;
}

const Error *compare_products(RpcCall *call, const void *request, void *reply)
{
    const CompareProductsRequest *req = request;
    CompareItem items[COMPARE_MAX_ITEMS] = { { 0 } };
    Rules *rules;
    const Error *error;

    if ((error = check_comparison(call, req)))
        return error;

    rules = rules_holder_current(catalog_of(call)->rules);
    for (size_t i = 0; i < req->n_skus && !error; i++)
        if (!(error = load_item(call, req->skus[i], &items[i])))
            error = price_item(call, req, rules, &items[i]);
    rules_release(rules);
    if (error)
        return error;

    compare(items, req->n_skus, call->arena, reply);
    return NULL;
}
