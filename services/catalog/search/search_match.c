/* From words to documents. The words are gone through from the rarest to the most frequent; a
 * document is left behind at the first word that it does not have. */
#include "services/catalog/domain/typo.h"
#include "services/catalog/search/search_parts.h"
#include "shared/codec/message.h"

#include <string.h>

/* How good a reading of a word is, in sixteenths. */
enum { AS_TYPED = 16, AS_BEGINNING = 12, ONE_MISTAKE = 8, TWO_MISTAKES = 4, LOG_UNIT = 64 };

typedef struct Reading {
    const VocabularyWord *word;
    uint32_t quality;
} Reading;

/* A word of the query with all that it may stand for. */
typedef struct Plan {
    size_t n_readings;
    Reading *readings;
    uint64_t n_documents; /* a document that has two of the readings counts twice */
    uint32_t weight;
} Plan;

static void add_reading(Plan *plan, const VocabularyWord *word, uint32_t quality)
{
    plan->readings[plan->n_readings++] = (Reading){ word, quality };
    plan->n_documents += word->n_documents;
}

static void read_as_typed(const Search *search, const SearchWord *word, Plan *plan)
{
    const Vocabulary *vocabulary = search->index->vocabulary;
    const VocabularyWord *exact = vocabulary_find(vocabulary, word->text);
    const VocabularyWord **beginning = NULL;
    size_t n_beginning = 0;

    if (word->is_beginning && !search->query->is_exact)
        n_beginning = vocabulary_beginning(vocabulary, word->text, search->arena, &beginning);
    plan->readings = arena_array(
        search->arena, n_beginning + 1 + VOCABULARY_MAX_SIMILAR, sizeof(*plan->readings));
    if (exact)
        add_reading(plan, exact, AS_TYPED);
    for (size_t i = 0; i < n_beginning; i++)
        if (beginning[i] != exact)
            add_reading(plan, beginning[i], AS_BEGINNING);
}

static SearchCorrection *correction_of(const Search *search, const SearchWord *word)
{
    SearchCorrection *correction =
        message_new(search->arena, &throughline__catalog__v1__search_correction__descriptor);

    correction->word = (char *)word->text;
    correction->read_as =
        arena_array(search->arena, VOCABULARY_MAX_SIMILAR, sizeof(*correction->read_as));
    return correction;
}

static void read_with_mistakes(Search *search, const SearchWord *word, Plan *plan)
{
    SimilarWord similar[VOCABULARY_MAX_SIMILAR];
    size_t n_similar = vocabulary_similar(
        search->index->vocabulary, word->text, typo_allowed(word->text), similar);
    SearchCorrection *correction;

    if (n_similar == 0)
        return;
    correction = correction_of(search, word);
    for (size_t i = 0; i < n_similar; i++) {
        bool is_known = false;

        for (size_t j = 0; j < plan->n_readings; j++)
            is_known |= plan->readings[j].word == similar[i].word;
        if (!is_known)
            add_reading(
                plan, similar[i].word, similar[i].mistakes == 1 ? ONE_MISTAKE : TWO_MISTAKES);
        correction->read_as[correction->n_read_as++] =
            arena_text(search->arena, similar[i].word->text);
    }
    search->result->corrections[search->result->n_corrections++] = correction;
}

/* 64 times the logarithm to base 2, straight between powers of two. */
static uint32_t logarithm(uint64_t number)
{
    uint32_t power = 63 - (uint32_t)__builtin_clzll(number);

    return LOG_UNIT * power + (uint32_t)((number * LOG_UNIT >> power) - LOG_UNIT);
}

/* The rarer a word, the more it says. */
static uint32_t weight_of(const Search *search, uint64_t n_documents)
{
    uint64_t all = search->index->n_documents - search->index->n_gone;

    if (n_documents == 0)
        return LOG_UNIT;
    if (n_documents > all)
        return LOG_UNIT;
    return LOG_UNIT + logarithm(LOG_UNIT * all / n_documents) - logarithm(LOG_UNIT);
}

/* What the words may stand for; those in `corrected` may have mistakes, as may those that stand
 * nowhere. */
static void plan_words(Search *search, uint32_t corrected, Plan *plans)
{
    const SearchWords *words = &search->query->words;
    SearchResult *result = search->result;

    result->n_corrections = 0;
    result->corrections = arena_array(search->arena, words->n_words, sizeof(*result->corrections));
    for (size_t i = 0; i < words->n_words; i++) {
        plans[i] = (Plan){ 0 };
        read_as_typed(search, &words->words[i], &plans[i]);
        if (plans[i].n_readings == 0 && !search->is_resumed && !search->query->is_exact)
            corrected |= UINT32_C(1) << i;
        if (corrected & UINT32_C(1) << i)
            read_with_mistakes(search, &words->words[i], &plans[i]);
        if (!search->is_resumed)
            result->weights[i] = weight_of(search, plans[i].n_documents);
        plans[i].weight = result->weights[i];
    }
    result->corrected = corrected;
}

/* Adds what a reading of word `number` (in the order of going through) says about documents that
 * have all words before; of several readings the best counts. */
static void add_scores(Search *search, const Reading *reading, uint32_t weight, uint8_t number)
{
    Scratch *scratch = search->scratch;
    PlaceReader reader = place_reader(reading->word);
    uint32_t document, impact;

    weight = weight * reading->quality / AS_TYPED;
    while (place_next(&reader, &document, &impact)) {
        uint32_t score = impact * weight;

        if (scratch->n_words[document] == number) {
            scratch->n_words[document]++;
            scratch->latest[document] = score;
            scratch->scores[document] += score;
            if (number == 0)
                scratch->touched[search->n_touched++] = document;
        } else if (scratch->n_words[document] == number + 1 && scratch->latest[document] < score) {
            scratch->scores[document] += score - scratch->latest[document];
            scratch->latest[document] = score;
        }
    }
}

/* Moves the documents that have all words to the front. */
static void gather(Search *search, size_t n_words)
{
    Scratch *scratch = search->scratch;

    for (size_t i = 0; i < search->n_touched; i++) {
        uint32_t document = scratch->touched[i];

        if (scratch->n_words[document] < n_words || !search->index->documents[document])
            continue;
        scratch->touched[i] = scratch->touched[search->n_candidates];
        scratch->touched[search->n_candidates++] = document;
    }
}

static void score_words(Search *search, const Plan *plans, size_t n_words)
{
    bool is_done[SEARCH_MAX_WORDS] = { false };

    for (uint8_t number = 0; number < n_words; number++) {
        size_t rarest = n_words;

        for (size_t i = 0; i < n_words; i++)
            if (!is_done[i] &&
                (rarest == n_words || plans[i].n_documents < plans[rarest].n_documents))
                rarest = i;
        is_done[rarest] = true;
        for (size_t i = 0; i < plans[rarest].n_readings; i++)
            add_scores(search, &plans[rarest].readings[i], plans[rarest].weight, number);
        if (search->n_touched == 0)
            return;
    }
    gather(search, n_words);
}

static void take_all(Search *search)
{
    for (size_t i = 0; i < search->index->n_documents; i++)
        if (search->index->documents[i])
            search->scratch->touched[search->n_touched++] = (uint32_t)i;
    search->n_candidates = search->n_touched;
}

/* The words that may have mistakes, a bit each. */
static uint32_t correctable(const SearchWords *words)
{
    uint32_t bits = 0;

    for (size_t i = 0; i < words->n_words; i++)
        if (typo_allowed(words->words[i].text) > 0)
            bits |= UINT32_C(1) << i;
    return bits;
}

void search_match(Search *search)
{
    const SearchWords *words = &search->query->words;
    Plan plans[SEARCH_MAX_WORDS];
    uint32_t rest;

    if (words->n_words == 0) {
        take_all(search);
        return;
    }
    plan_words(search, search->result->corrected, plans);
    score_words(search, plans, words->n_words);
    rest = correctable(words) & ~search->result->corrected;
    if (search->n_candidates > 0 || search->is_resumed || search->query->is_exact || !rest)
        return;
    /* Each word stands somewhere, but never together: one may be a mistake that is a word too. */
    search_forget(search);
    plan_words(search, search->result->corrected | rest, plans);
    score_words(search, plans, words->n_words);
}

void search_forget(Search *search)
{
    Scratch *scratch = search->scratch;

    for (size_t i = 0; i < search->n_touched; i++) {
        scratch->scores[scratch->touched[i]] = 0;
        scratch->n_words[scratch->touched[i]] = 0;
    }
    search->n_touched = 0;
    search->n_candidates = 0;
}
