/* All words of the catalogue and where each stands: an inverted index in memory. A word's places
 * are a run of bytes: how far each document is behind the one before, and the word's impact there.
 * Words and places are only added; vocabulary_copy leaves out what is gone. Its owner keeps
 * writers and readers apart. */
#ifndef THROUGHLINE_CATALOG_VOCABULARY_H
#define THROUGHLINE_CATALOG_VOCABULARY_H

#include "services/catalog/domain/search.h"

enum { VOCABULARY_MAX_SIMILAR = 16, VOCABULARY_GONE = -1 };

typedef struct Vocabulary Vocabulary;

typedef struct VocabularyWord {
    uint32_t hash;
    uint32_t n_documents;
    uint32_t last_document;
    uint32_t size; /* bytes of places */
    uint32_t capacity;
    union {
        uint8_t *far;
        uint8_t near[8]; /* most words stand in one document only */
    } places;
    bool is_spelled;
    char text[];
} VocabularyWord;

Vocabulary *vocabulary_new(void);
void vocabulary_free(Vocabulary *vocabulary);

/* Documents come in the order of their numbers. */
void vocabulary_add(Vocabulary *vocabulary, const SearchTerm *term, uint32_t document);

/* The same without the documents that numbers[] maps to VOCABULARY_GONE; the others get these
 * numbers, in the same order. */
Vocabulary *vocabulary_copy(const Vocabulary *vocabulary, const int64_t *numbers);

/* NULL when no document has it. */
const VocabularyWord *vocabulary_find(const Vocabulary *vocabulary, const char *text);

/* Every word that begins so, in the arena. */
size_t vocabulary_beginning(
    const Vocabulary *vocabulary, const char *prefix, Arena *arena, const VocabularyWord ***words);

/* A spelled word that is nearly this one. */
typedef struct SimilarWord {
    const VocabularyWord *word;
    int mistakes;
} SimilarWord;

/* The nearest ones, of equally near ones those in most documents; the word itself is none. */
size_t vocabulary_similar(const Vocabulary *vocabulary, const char *text, int mistakes,
    SimilarWord similar[VOCABULARY_MAX_SIMILAR]);

/* Reads a word's places. */
typedef struct PlaceReader {
    const uint8_t *at;
    const uint8_t *end;
    uint32_t document; /* the first one is 1 too high, as all are counted from 1 */
} PlaceReader;

PlaceReader place_reader(const VocabularyWord *word);

/* False at the end. */
static inline bool place_next(PlaceReader *reader, uint32_t *document, uint32_t *impact)
{
    uint32_t step = 0;
    int shift = 0;

    if (reader->at == reader->end)
        return false;
    while (*reader->at & 0x80) {
        step |= (uint32_t)(*reader->at++ & 0x7f) << shift;
        shift += 7;
    }
    step |= (uint32_t)*reader->at++ << shift;
    reader->document += step;
    *document = reader->document - 1;
    *impact = *reader->at++;
    return true;
}

#endif
