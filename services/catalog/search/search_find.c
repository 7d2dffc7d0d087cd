/* One search: words, filters, counts, and the best of what is left. */
#include "services/catalog/search/search_parts.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

typedef Throughline__Catalog__V1__SearchSort__Key SortKey;

static const SortKey BY_PRICE = THROUGHLINE__CATALOG__V1__SEARCH_SORT__KEY__PRICE;
static const SortKey BY_TIME = THROUGHLINE__CATALOG__V1__SEARCH_SORT__KEY__CREATE_TIME;
static const SortKey BY_NAME = THROUGHLINE__CATALOG__V1__SEARCH_SORT__KEY__NAME;

static const Error page_token_invalid = { ERROR_INVALID_ARGUMENT, "PAGE_TOKEN_INVALID",
    "The page token is not one of this search." };

/* Working memory. */

static void *resize(void *memory, size_t count, size_t size)
{
    free(memory);
    memory = calloc(count, size);
    if (!memory)
        abort();
    return memory;
}

/* Under the read lock: as large as the index is now. */
static Scratch *take_scratch(SearchIndex *index)
{
    size_t n_values = search_values_count(index->values);
    Scratch *scratch;

    pthread_mutex_lock(&index->resting);
    scratch = index->scratches;
    if (scratch)
        index->scratches = scratch->next;
    pthread_mutex_unlock(&index->resting);
    if (!scratch)
        scratch = resize(NULL, 1, sizeof(*scratch));
    if (scratch->n_documents < index->n_documents) {
        scratch->n_documents = index->capacity;
        scratch->scores = resize(scratch->scores, index->capacity, sizeof(*scratch->scores));
        scratch->latest = resize(scratch->latest, index->capacity, sizeof(*scratch->latest));
        scratch->n_words = resize(scratch->n_words, index->capacity, sizeof(*scratch->n_words));
        scratch->touched = resize(scratch->touched, index->capacity, sizeof(*scratch->touched));
    }
    if (scratch->n_values < n_values) {
        scratch->n_values = n_values + n_values / 2;
        scratch->accepted =
            resize(scratch->accepted, scratch->n_values, sizeof(*scratch->accepted));
        scratch->facet = resize(scratch->facet, scratch->n_values, sizeof(*scratch->facet));
        scratch->counts = resize(scratch->counts, scratch->n_values, sizeof(*scratch->counts));
    }
    return scratch;
}

static void put_scratch(SearchIndex *index, Scratch *scratch)
{
    pthread_mutex_lock(&index->resting);
    scratch->next = index->scratches;
    index->scratches = scratch;
    pthread_mutex_unlock(&index->resting);
}

/* Order. */

static SortKey sort_key(const SearchQuery *query)
{
    return query->sort ? query->sort->key : THROUGHLINE__CATALOG__V1__SEARCH_SORT__KEY__RELEVANCE;
}

static bool is_descending(const SearchQuery *query)
{
    return query->sort && query->sort->is_descending;
}

static int64_t key_of(const Search *search, uint32_t number)
{
    const SearchQuery *query = search->query;
    const SearchDocument *document = search->index->documents[number];
    SortKey key = sort_key(query);

    if (key == BY_PRICE) {
        const DocumentPrice *price = search_document_price(document, query->currency);

        if (!price)
            return INT64_MIN;
        return is_descending(query) ? price->minor : -price->minor;
    }
    if (key == BY_TIME)
        return is_descending(query) ? document->create_time : -document->create_time;
    return key == BY_NAME ? 0 : search->scratch->scores[number];
}

static bool is_before(const SearchQuery *query, const SearchHit *a, const SearchHit *b)
{
    if (a->key != b->key)
        return a->key > b->key;
    if (sort_key(query) == BY_NAME && is_descending(query))
        return strcmp(a->name, b->name) > 0;
    return strcmp(a->name, b->name) < 0;
}

/* Keeps a hit in its place if it is among the best: one more than is wanted, to know whether there
 * is another page. */
static void keep(const SearchQuery *query, SearchResult *result, SearchHit hit)
{
    size_t low = 0;
    size_t high = result->n_hits;

    if (high == query->limit + 1 && !is_before(query, &hit, &result->hits[high - 1]))
        return;
    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (is_before(query, &hit, &result->hits[middle]))
            high = middle;
        else
            low = middle + 1;
    }
    result->n_hits += result->n_hits <= query->limit;
    memmove(&result->hits[low + 1], &result->hits[low],
        (result->n_hits - 1 - low) * sizeof(*result->hits));
    result->hits[low] = hit;
}

/* Pages. */

/* "320,64;0;1234;products/tent": weights, corrected words, and the last hit of the page before. */
static bool read_resume(Search *search)
{
    size_t n_words = search->query->words.n_words;
    const char *at = search->query->resume;
    char *end = NULL;

    for (size_t i = 0; i < n_words; i++, at = end + 1) {
        search->result->weights[i] = (uint32_t)strtoul(at, &end, 10);
        if (*end != (i + 1 < n_words ? ',' : ';'))
            return false;
    }
    search->result->corrected = (uint32_t)strtoul(at, &end, 10);
    if (*end != ';')
        return false;
    search->after.key = strtoll(end + 1, &end, 10);
    search->after.name = end + 1;
    search->is_resumed = *end == ';';
    return search->is_resumed;
}

const char *search_resume(
    const SearchQuery *query, const SearchResult *result, const SearchHit *hit, Arena *arena)
{
    const char *text = "";

    for (size_t i = 0; i < query->words.n_words; i++)
        text = arena_printf(
            arena, "%s%u%c", text, result->weights[i], i + 1 < query->words.n_words ? ',' : ';');
    return arena_printf(
        arena, "%s%u;%lld;%s", text, result->corrected, (long long)hit->key, hit->name);
}

/* The search. */

/* Whether the caller may see it at all. */
static bool is_shown(Search *search, const SearchDocument *document)
{
    const SearchQuery *query = search->query;
    const char **paths;

    if (!query->shows)
        return true;
    paths = search->paths;
    if (document->n_paths > search->n_paths) {
        search->n_paths = document->n_paths;
        paths = search->paths = arena_array(search->arena, search->n_paths, sizeof(*search->paths));
    }
    for (uint32_t i = 0; i < document->n_paths; i++)
        paths[i] = search_values_text(search->index->values, document->paths[i]);
    return query->shows(query->context, document->name, (ProductPaths){ document->n_paths, paths });
}

static void choose(Search *search)
{
    SearchResult *result = search->result;
    FilterPlan plan;

    search_filter_plan(search, &plan);
    for (size_t i = 0; i < search->n_candidates; i++) {
        uint32_t number = search->scratch->touched[i];
        const SearchDocument *document = search->index->documents[number];
        SearchHit hit;

        if (!is_shown(search, document) || !search_filter_pass(search, &plan, document))
            continue;
        result->total++;
        hit = (SearchHit){ key_of(search, number), document->name };
        if (!search->is_resumed || is_before(search->query, &search->after, &hit))
            keep(search->query, result, hit);
    }
    search_facets(search, &plan);
    for (size_t i = 0; i < result->n_hits; i++)
        result->hits[i].name = arena_text(search->arena, result->hits[i].name);
}

const Error *search_index_find(
    SearchIndex *index, const SearchQuery *query, Arena *arena, SearchResult *result)
{
    Search search = { .index = index, .query = query, .arena = arena, .result = result };

    *result = (SearchResult){ 0 };
    result->hits = arena_array(arena, query->limit + 2, sizeof(*result->hits));
    if (*query->resume && !read_resume(&search))
        return &page_token_invalid;
    pthread_rwlock_rdlock(&index->lock);
    search.scratch = take_scratch(index);
    search_match(&search);
    choose(&search);
    search_forget(&search);
    put_scratch(index, search.scratch);
    pthread_rwlock_unlock(&index->lock);
    return NULL;
}
