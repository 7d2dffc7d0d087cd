#include "services/catalog/products/vocabulary.h"

#include "services/catalog/domain/typo.h"

#include <stdlib.h>
#include <string.h>

enum {
    FIRST_SLOTS = 1024,
    MAX_TAIL = 256,
    MAX_RUNS = 40, /* more than memory holds words for: see sort_tail */
    BLOCK_SIZE = 64 * 1024,
    MAX_PLACE = 6
};

/* Memory of words, never given back one by one. */
typedef struct Block {
    struct Block *next;
    char bytes[];
} Block;

/* A word in its order, with what a search for similar ones looks at first. */
typedef struct Entry {
    VocabularyWord *word;
    uint32_t letters;
    uint8_t n_letters;
} Entry;

struct Vocabulary {
    size_t n_words;
    size_t n_slots;         /* a power of two, at most three quarters full */
    VocabularyWord **slots; /* by hash, open addressing */
    size_t capacity;
    Entry *entries; /* runs, each in order, then a tail of at most MAX_TAIL that are not */
    size_t n_runs;
    size_t run_ends[MAX_RUNS];
    Block *blocks;
    size_t left; /* bytes in the newest block */
};

static void *allocate(size_t count, size_t size)
{
    void *memory = calloc(count, size);

    if (!memory)
        abort();
    return memory;
}

static void *resize(void *memory, size_t count, size_t size)
{
    memory = reallocarray(memory, count, size);
    if (!memory)
        abort();
    return memory;
}

Vocabulary *vocabulary_new(void)
{
    Vocabulary *vocabulary = allocate(1, sizeof(*vocabulary));

    vocabulary->n_slots = FIRST_SLOTS;
    vocabulary->slots = allocate(FIRST_SLOTS, sizeof(VocabularyWord *));
    return vocabulary;
}

void vocabulary_free(Vocabulary *vocabulary)
{
    if (!vocabulary)
        return;
    for (size_t i = 0; i < vocabulary->n_words; i++) {
        VocabularyWord *word = vocabulary->entries[i].word;

        if (word->capacity > sizeof(word->places.near))
            free(word->places.far);
    }
    while (vocabulary->blocks) {
        Block *next = vocabulary->blocks->next;

        free(vocabulary->blocks);
        vocabulary->blocks = next;
    }
    free(vocabulary->entries);
    free(vocabulary->slots);
    free(vocabulary);
}

/* Words. */

static uint32_t hash_of(const char *text)
{
    uint64_t hash = text_hash(text, strlen(text));

    return (uint32_t)(hash ^ hash >> 32);
}

/* Where the word is or would be. */
static VocabularyWord **find_slot(const Vocabulary *vocabulary, const char *text, uint32_t hash)
{
    size_t at = hash & (vocabulary->n_slots - 1);

    while (vocabulary->slots[at] &&
           (vocabulary->slots[at]->hash != hash || strcmp(vocabulary->slots[at]->text, text) != 0))
        at = (at + 1) & (vocabulary->n_slots - 1);
    return &vocabulary->slots[at];
}

static void grow_slots(Vocabulary *vocabulary)
{
    free(vocabulary->slots);
    vocabulary->n_slots *= 2;
    vocabulary->slots = allocate(vocabulary->n_slots, sizeof(VocabularyWord *));
    for (size_t i = 0; i < vocabulary->n_words; i++) {
        VocabularyWord *word = vocabulary->entries[i].word;

        *find_slot(vocabulary, word->text, word->hash) = word;
    }
}

static VocabularyWord *allocate_word(Vocabulary *vocabulary, size_t text_size)
{
    size_t align = _Alignof(VocabularyWord);
    size_t size = (sizeof(VocabularyWord) + text_size + align - 1) / align * align;

    if (vocabulary->left < size) {
        Block *block = allocate(1, sizeof(*block) + BLOCK_SIZE);

        block->next = vocabulary->blocks;
        vocabulary->blocks = block;
        vocabulary->left = BLOCK_SIZE;
    }
    vocabulary->left -= size;
    return (VocabularyWord *)(vocabulary->blocks->bytes + vocabulary->left);
}

static int by_text(const void *a, const void *b)
{
    const Entry *left = a;
    const Entry *right = b;

    return strcmp(left->word->text, right->word->text);
}

static size_t run_start(const Vocabulary *vocabulary, size_t run)
{
    return run ? vocabulary->run_ends[run - 1] : 0;
}

/* Makes the last two runs one. */
static void merge_runs(Vocabulary *vocabulary)
{
    Entry *entries = vocabulary->entries;
    size_t start = run_start(vocabulary, vocabulary->n_runs - 2);
    size_t left = vocabulary->run_ends[vocabulary->n_runs - 2];
    size_t at = vocabulary->run_ends[vocabulary->n_runs - 1];
    size_t n_right = at - left;
    Entry *right;

    vocabulary->n_runs--;
    vocabulary->run_ends[vocabulary->n_runs - 1] = at;
    /* Words often come in order: then the two are one already. */
    if (by_text(&entries[left - 1], &entries[left]) < 0)
        return;
    right = resize(NULL, n_right, sizeof(*right));
    memcpy(right, entries + left, n_right * sizeof(*right));
    while (n_right > 0)
        if (left > start && by_text(&entries[left - 1], &right[n_right - 1]) > 0)
            entries[--at] = entries[--left];
        else
            entries[--at] = right[--n_right];
    free(right);
}

static size_t run_size(const Vocabulary *vocabulary, size_t run)
{
    return vocabulary->run_ends[run] - run_start(vocabulary, run);
}

/* The tail becomes a run, and takes in those before it that are no longer: all have different lengths, of twice and twice MAX_TAIL, so
 * there are few, and a word is moved few times however many there are. */
static void sort_tail(Vocabulary *vocabulary)
{
    size_t start = run_start(vocabulary, vocabulary->n_runs);

    qsort(vocabulary->entries + start, vocabulary->n_words - start, sizeof(Entry), by_text);
    vocabulary->run_ends[vocabulary->n_runs++] = vocabulary->n_words;
    while (vocabulary->n_runs > 1 && run_size(vocabulary, vocabulary->n_runs - 2) <=
                                         run_size(vocabulary, vocabulary->n_runs - 1))
        merge_runs(vocabulary);
}

static void add_entry(Vocabulary *vocabulary, VocabularyWord *word)
{
    if (vocabulary->n_words == vocabulary->capacity) {
        vocabulary->capacity =
            vocabulary->capacity ? vocabulary->capacity + vocabulary->capacity / 2 : FIRST_SLOTS;
        vocabulary->entries =
            resize(vocabulary->entries, vocabulary->capacity, sizeof(*vocabulary->entries));
    }
    vocabulary->entries[vocabulary->n_words++] =
        (Entry){ word, typo_letters(word->text), (uint8_t)text_length(word->text) };
    if (vocabulary->n_words - run_start(vocabulary, vocabulary->n_runs) == MAX_TAIL)
        sort_tail(vocabulary);
}

static VocabularyWord *add_word(Vocabulary *vocabulary, const SearchTerm *term, uint32_t hash)
{
    size_t size = strlen(term->text) + 1;
    VocabularyWord *word;

    if (vocabulary->n_words + 1 > vocabulary->n_slots / 4 * 3)
        grow_slots(vocabulary);
    word = allocate_word(vocabulary, size);
    memcpy(word->text, term->text, size);
    word->hash = hash;
    word->capacity = sizeof(word->places.near);
    word->is_spelled = term->is_spelled;
    *find_slot(vocabulary, word->text, hash) = word;
    add_entry(vocabulary, word);
    return word;
}

const VocabularyWord *vocabulary_find(const Vocabulary *vocabulary, const char *text)
{
    return *find_slot(vocabulary, text, hash_of(text));
}

/* Places. */

PlaceReader place_reader(const VocabularyWord *word)
{
    bool is_near = word->capacity == sizeof(word->places.near);
    const uint8_t *bytes = is_near ? word->places.near : word->places.far;

    return (PlaceReader){ bytes, bytes + word->size, 0 };
}

static uint8_t *room_for_place(VocabularyWord *word)
{
    if (word->size + MAX_PLACE > word->capacity && word->capacity == sizeof(word->places.near)) {
        uint8_t *far = allocate(1, 3 * sizeof(word->places.near));

        memcpy(far, word->places.near, word->size);
        word->places.far = far;
        word->capacity = 3 * sizeof(word->places.near);
    } else if (word->size + MAX_PLACE > word->capacity) {
        word->capacity += word->capacity / 2;
        word->places.far = resize(word->places.far, word->capacity, 1);
    }
    return (word->capacity == sizeof(word->places.near) ? word->places.near : word->places.far) +
           word->size;
}

static void add_place(VocabularyWord *word, uint32_t document, uint8_t impact)
{
    uint32_t step = word->n_documents ? document - word->last_document : document + 1;
    uint8_t *start = room_for_place(word);
    uint8_t *at = start;

    for (; step >= 0x80; step >>= 7)
        *at++ = (uint8_t)(step | 0x80);
    *at++ = (uint8_t)step;
    *at++ = impact;
    word->size += (uint32_t)(at - start);
    word->last_document = document;
    word->n_documents++;
}

void vocabulary_add(Vocabulary *vocabulary, const SearchTerm *term, uint32_t document)
{
    uint32_t hash = hash_of(term->text);
    VocabularyWord *word = *find_slot(vocabulary, term->text, hash);

    if (!word)
        word = add_word(vocabulary, term, hash);
    word->is_spelled |= term->is_spelled;
    add_place(word, document, term->impact);
}

Vocabulary *vocabulary_copy(const Vocabulary *vocabulary, const int64_t *numbers)
{
    Vocabulary *copy = vocabulary_new();

    for (size_t i = 0; i < vocabulary->n_words; i++) {
        const VocabularyWord *word = vocabulary->entries[i].word;
        PlaceReader reader = place_reader(word);
        VocabularyWord *copied = NULL;
        uint32_t document, impact;

        while (place_next(&reader, &document, &impact)) {
            SearchTerm term = { word->text, (uint8_t)impact, word->is_spelled };

            if (numbers[document] == VOCABULARY_GONE)
                continue;
            if (!copied)
                copied = add_word(copy, &term, word->hash);
            add_place(copied, (uint32_t)numbers[document], term.impact);
        }
    }
    return copy;
}

/* Words that are like another. */

/* The first entry of a run that is not below the text. */
static size_t find_first(const Vocabulary *vocabulary, size_t run, const char *text)
{
    size_t low = run_start(vocabulary, run);
    size_t high = vocabulary->run_ends[run];

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (strcmp(vocabulary->entries[middle].word->text, text) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

size_t vocabulary_beginning(
    const Vocabulary *vocabulary, const char *prefix, Arena *arena, const VocabularyWord ***words)
{
    size_t firsts[MAX_RUNS + 1], ends[MAX_RUNS + 1];
    size_t n_runs = vocabulary->n_runs;
    size_t most = 0, n_words = 0;

    for (size_t run = 0; run < n_runs; run++) {
        size_t end = firsts[run] = find_first(vocabulary, run, prefix);

        while (end < vocabulary->run_ends[run] &&
               text_starts_with(vocabulary->entries[end].word->text, prefix))
            end++;
        most += (ends[run] = end) - firsts[run];
    }
    firsts[n_runs] = run_start(vocabulary, n_runs);
    ends[n_runs] = vocabulary->n_words;
    *words = arena_array(arena, most + ends[n_runs] - firsts[n_runs], sizeof(**words));
    for (size_t run = 0; run <= n_runs; run++)
        for (size_t i = firsts[run]; i < ends[run]; i++)
            if (run < n_runs || text_starts_with(vocabulary->entries[i].word->text, prefix))
                (*words)[n_words++] = vocabulary->entries[i].word;
    return n_words;
}

/* By words that do not change with the order in which products came. */
static bool is_nearer(const SimilarWord *a, const SimilarWord *b)
{
    if (a->mistakes != b->mistakes)
        return a->mistakes < b->mistakes;
    if (a->word->n_documents != b->word->n_documents)
        return a->word->n_documents > b->word->n_documents;
    return strcmp(a->word->text, b->word->text) < 0;
}

/* Keeps it in its place if it is among the nearest. */
static void keep(SimilarWord *similar, size_t *n_similar, SimilarWord one)
{
    size_t at = *n_similar;

    while (at > 0 && is_nearer(&one, &similar[at - 1]))
        at--;
    if (at == VOCABULARY_MAX_SIMILAR)
        return;
    *n_similar += *n_similar < VOCABULARY_MAX_SIMILAR;
    memmove(&similar[at + 1], &similar[at], (*n_similar - 1 - at) * sizeof(*similar));
    similar[at] = one;
}

size_t vocabulary_similar(const Vocabulary *vocabulary, const char *text, int mistakes,
    SimilarWord similar[VOCABULARY_MAX_SIMILAR])
{
    uint32_t letters = typo_letters(text);
    int n_letters = (int)text_length(text);
    size_t n_similar = 0;

    for (size_t i = 0; i < vocabulary->n_words; i++) {
        const Entry *entry = &vocabulary->entries[i];
        int longer = entry->n_letters - n_letters;
        SimilarWord one = { .word = entry->word };

        if (longer > mistakes || longer < -mistakes ||
            __builtin_popcount(entry->letters ^ letters) > 2 * mistakes || !entry->word->is_spelled)
            continue;
        one.mistakes = typo_distance(text, entry->word->text, mistakes);
        if (one.mistakes > 0 && one.mistakes <= mistakes)
            keep(similar, &n_similar, one);
    }
    return n_similar;
}
