#include "services/catalog/search/search_parts.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_SLOTS = 1024, MIN_GONE = 1000 };

static void *check(void *memory)
{
    if (!memory)
        abort();
    return memory;
}

SearchIndex *search_index_new(void)
{
    SearchIndex *index = check(calloc(1, sizeof(*index)));
    pthread_rwlockattr_t attributes;

    /* A steady stream of searches must not keep an import waiting. */
    pthread_rwlockattr_init(&attributes);
    pthread_rwlockattr_setkind_np(&attributes, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
    pthread_rwlock_init(&index->lock, &attributes);
    pthread_rwlockattr_destroy(&attributes);
    pthread_mutex_init(&index->writing, NULL);
    pthread_mutex_init(&index->resting, NULL);
    index->vocabulary = vocabulary_new();
    index->values = search_values_new();
    index->stock = search_stock_new();
    index->n_slots = FIRST_SLOTS;
    index->slots = check(calloc(FIRST_SLOTS, sizeof(*index->slots)));
    return index;
}

static void free_scratch(Scratch *scratch)
{
    free(scratch->scores);
    free(scratch->latest);
    free(scratch->n_words);
    free(scratch->touched);
    free(scratch->accepted);
    free(scratch->facet);
    free(scratch->counts);
    free(scratch);
}

void search_index_free(SearchIndex *index)
{
    if (!index)
        return;
    for (size_t i = 0; i < index->n_documents; i++)
        search_document_free(index->documents[i]);
    while (index->scratches) {
        Scratch *next = index->scratches->next;

        free_scratch(index->scratches);
        index->scratches = next;
    }
    vocabulary_free(index->vocabulary);
    search_values_free(index->values);
    search_stock_free(index->stock);
    free(index->documents);
    free(index->slots);
    pthread_rwlock_destroy(&index->lock);
    pthread_mutex_destroy(&index->writing);
    pthread_mutex_destroy(&index->resting);
    free(index);
}

/* Names. */

static uint32_t *find_slot(const SearchIndex *index, const char *name)
{
    size_t at = text_hash(name, strlen(name)) & (index->n_slots - 1);

    while (index->slots[at] && strcmp(index->documents[index->slots[at] - 1]->name, name) != 0)
        at = (at + 1) & (index->n_slots - 1);
    return &index->slots[at];
}

static void grow_slots(SearchIndex *index)
{
    free(index->slots);
    index->n_slots *= 2;
    index->slots = check(calloc(index->n_slots, sizeof(*index->slots)));
    for (size_t i = 0; i < index->n_documents; i++)
        if (index->documents[i])
            *find_slot(index, index->documents[i]->name) = (uint32_t)i + 1;
}

/* Putting in. */

static bool is_newer(
    const SearchIndex *index, const Product *product, int64_t release, bool is_again)
{
    uint32_t slot = *find_slot(index, product->name);
    const SearchDocument *document = slot ? index->documents[slot - 1] : NULL;
    int64_t version = 0;

    /* What was never for sale is not found; what is not any more is still there, to be left out. */
    if (!document || !text_to_int64(product->etag, &version))
        return !document && product->state != PRODUCT_DRAFT;
    if (document->version == version)
        return document->release < release || (is_again && document->release == release);
    return document->version < version;
}

/* A new version is a new document: the old one's places stay until there are too many of them. */
static void put_document(SearchIndex *index, const Product *product, int64_t release,
    const SearchTerms *terms, Arena *arena)
{
    SearchDocument *document =
        search_document_new(product, release, index->values, index->stock, arena);
    uint32_t number = (uint32_t)index->n_documents;
    uint32_t *slot;

    if (index->n_documents == index->capacity) {
        index->capacity = index->capacity ? index->capacity + index->capacity / 2 : FIRST_SLOTS;
        index->documents =
            check(reallocarray(index->documents, index->capacity, sizeof(*index->documents)));
    }
    if (index->n_documents - index->n_gone + 1 > index->n_slots / 4 * 3)
        grow_slots(index);
    index->documents[index->n_documents++] = document;
    slot = find_slot(index, document->name);
    if (*slot) {
        search_document_free(index->documents[*slot - 1]);
        index->documents[*slot - 1] = NULL;
        index->n_gone++;
    }
    *slot = number + 1;
    for (size_t i = 0; i < terms->n_terms; i++)
        vocabulary_add(index->vocabulary, &terms->terms[i], number);
}

/* Leaves out what is gone. Searches go on meanwhile: only this writer changes anything, and it
 * works on a copy. */
static void clean(SearchIndex *index)
{
    int64_t *numbers = check(calloc(index->n_documents, sizeof(*numbers)));
    SearchDocument **documents = check(calloc(index->capacity, sizeof(*documents)));
    Vocabulary *before = index->vocabulary;
    Vocabulary *vocabulary;
    SearchDocument **old = index->documents;
    uint32_t *slots = check(calloc(index->n_slots, sizeof(*slots)));
    uint32_t *old_slots = index->slots;
    size_t n_documents = 0;

    for (size_t i = 0; i < index->n_documents; i++) {
        numbers[i] = index->documents[i] ? (int64_t)n_documents : VOCABULARY_GONE;
        if (index->documents[i])
            documents[n_documents++] = index->documents[i];
    }
    for (size_t i = 0; i < index->n_slots; i++)
        slots[i] = old_slots[i] ? (uint32_t)numbers[old_slots[i] - 1] + 1 : 0;
    vocabulary = vocabulary_copy(before, numbers);
    pthread_rwlock_wrlock(&index->lock);
    index->vocabulary = vocabulary;
    index->documents = documents;
    index->n_documents = n_documents;
    index->n_gone = 0;
    index->slots = slots;
    pthread_rwlock_unlock(&index->lock);
    vocabulary_free(before);
    free(old);
    free(old_slots);
    free(numbers);
}

static void put(SearchIndex *index, const Product *product, int64_t release, bool is_again)
{
    Arena *arena = arena_new();
    bool is_needed;

    pthread_rwlock_rdlock(&index->lock);
    is_needed = is_newer(index, product, release, is_again);
    pthread_rwlock_unlock(&index->lock);
    if (is_needed) {
        SearchTerms terms = search_terms(product, arena);

        pthread_mutex_lock(&index->writing);
        pthread_rwlock_wrlock(&index->lock);
        if (is_newer(index, product, release, is_again))
            put_document(index, product, release, &terms, arena);
        pthread_rwlock_unlock(&index->lock);
        if (index->n_gone > MIN_GONE && index->n_gone > index->n_documents / 3)
            clean(index);
        pthread_mutex_unlock(&index->writing);
    }
    arena_free(arena);
}

void search_index_put(SearchIndex *index, const Product *product, int64_t release)
{
    put(index, product, release, false);
}

void search_index_refresh(SearchIndex *index, const Product *product, int64_t release)
{
    put(index, product, release, true);
}

void search_index_put_stock(SearchIndex *index, const char *product, const char *sku,
    const char *location, int64_t version, int64_t available)
{
    StockPlace place = { .version = version, .is_available = available > 0 };
    uint32_t slot;
    int change;

    pthread_mutex_lock(&index->writing);
    pthread_rwlock_wrlock(&index->lock);
    place.location = search_values_add(
        index->values, search_values_add(index->values, VALUE_NONE, "stock"), location);
    change = search_stock_put(index->stock, sku, &place);
    slot = *find_slot(index, product);
    if (change && slot)
        search_document_stock(index->documents[slot - 1], place.location, change);
    pthread_rwlock_unlock(&index->lock);
    pthread_mutex_unlock(&index->writing);
}

size_t search_index_count(SearchIndex *index)
{
    size_t count;

    pthread_rwlock_rdlock(&index->lock);
    count = index->n_documents - index->n_gone;
    pthread_rwlock_unlock(&index->lock);
    return count;
}
