#include "services/catalog/domain/search.h"

#include "services/catalog/domain/fold.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

typedef enum Field { CODE, TITLE, BRAND, CATEGORY, VARIANT, DESCRIPTION, FIELDS } Field;

/* What finding a word in a field is worth, and how many words the field usually has: in a longer
 * one a word says less. */
static const struct {
    uint32_t weight;
    uint32_t usual_words;
} fields[FIELDS] = {
    [CODE] = { 16, 2 },
    [TITLE] = { 8, 6 },
    [BRAND] = { 4, 1 },
    [CATEGORY] = { 3, 4 },
    [VARIANT] = { 2, 8 },
    [DESCRIPTION] = { 1, 40 },
};

/* As in BM25F (Robertson, Zaragoza, Taylor 2004), in whole numbers and with usual instead of
 * average lengths, so that what a word says about a product does not change with the others. */
enum { UNIT = 64, SATURATION = 4 * UNIT, LENGTH_SHARE = 4, MAX_IMPACT = 255 };

/* A word at one place of a product. */
typedef struct Token {
    const char *text;
    uint64_t start; /* its first bytes, in the order of bytes */
    Field field;
} Token;

typedef struct Tokens {
    Arena *arena;
    size_t n_tokens;
    size_t capacity;
    Token *tokens;
    uint32_t lengths[FIELDS];
} Tokens;

static uint64_t start_of(const char *word, size_t size)
{
    uint64_t start = 0;

    memcpy(&start, word, size < sizeof(start) ? size : sizeof(start));
    return be64toh(start);
}

static void add_token(Tokens *tokens, Field field, const char *word, size_t size)
{
    if (tokens->n_tokens == tokens->capacity) {
        size_t capacity = tokens->capacity ? 2 * tokens->capacity : 64;

        tokens->tokens = arena_grow(
            tokens->arena, tokens->tokens, tokens->capacity, capacity, sizeof(*tokens->tokens));
        tokens->capacity = capacity;
    }
    tokens->tokens[tokens->n_tokens++] =
        (Token){ arena_text_of(tokens->arena, word, size), start_of(word, size), field };
    tokens->lengths[field]++;
}

/* The next word of a text: its folded bytes; 0 at the end of the text. *at is moved behind it. */
static size_t next_word(const char **at, char word[SEARCH_MAX_WORD])
{
    size_t length = 0;

    while (**at) {
        char folded[FOLD_MAX_BYTES];
        int size;

        *at += fold_character(*at, folded, &size);
        if (size < 0 && length > 0)
            return length;
        if (size > 0 && length + (size_t)size <= SEARCH_MAX_WORD) {
            memcpy(word + length, folded, (size_t)size);
            length += (size_t)size;
        }
    }
    return length;
}

static void add_words(Tokens *tokens, Field field, const char *text)
{
    char word[SEARCH_MAX_WORD];
    size_t length;

    while ((length = next_word(&text, word)) > 0)
        add_token(tokens, field, word, length);
}

/* A code is one word even where it has dashes or dots, so that it is found whole and by its
 * beginning; its parts are words too. */
static void add_code(Tokens *tokens, const char *code)
{
    char whole[SEARCH_MAX_WORD];
    size_t length = 0;

    add_words(tokens, CODE, code);
    if (!code[strcspn(code, "_.~-")])
        return;
    while (*code) {
        char folded[FOLD_MAX_BYTES];
        int size;

        code += fold_character(code, folded, &size);
        if (size == 1 && length < SEARCH_MAX_WORD)
            whole[length++] = folded[0];
    }
    if (length > 0)
        add_token(tokens, CODE, whole, length);
}

static void add_product(Tokens *tokens, const Product *product)
{
    for (size_t i = 0; i < product->n_variants; i++) {
        const Variant *variant = product->variants[i];

        add_code(tokens, variant->sku);
        add_code(tokens, variant->gtin);
        add_words(tokens, VARIANT, variant->title);
        for (size_t j = 0; j < variant->n_texts; j++)
            add_words(tokens, VARIANT, variant->texts[j]->title);
        for (size_t j = 0; j < variant->n_attributes; j++)
            add_words(tokens, VARIANT, variant->attributes[j]->value);
    }
    for (size_t i = 0; i < product->n_attributes; i++)
        add_words(tokens, VARIANT, product->attributes[i]->value);
    add_words(tokens, TITLE, product->title);
    add_words(tokens, BRAND, product->brand);
    add_words(tokens, CATEGORY, product->category);
    for (size_t i = 1; i < product->n_category_paths; i++)
        add_words(tokens, CATEGORY, product->category_paths[i]);
    add_words(tokens, DESCRIPTION, product->description);
    for (size_t i = 0; i < product->n_texts; i++) {
        add_words(tokens, TITLE, product->texts[i]->title);
        add_words(tokens, DESCRIPTION, product->texts[i]->description);
    }
}

static int by_text(const void *a, const void *b)
{
    const Token *left = a;
    const Token *right = b;

    if (left->start != right->start)
        return left->start < right->start ? -1 : 1;
    return strcmp(left->text, right->text);
}

/* Of equal tokens, `count` of them. */
static SearchTerm make_term(const Tokens *tokens, const Token *equal, size_t count)
{
    SearchTerm term = { .text = equal->text };
    uint32_t mentions[FIELDS] = { 0 };
    uint32_t frequency = 0;

    for (size_t i = 0; i < count; i++)
        mentions[equal[i].field]++;
    for (int field = 0; field < FIELDS; field++) {
        uint32_t usual = fields[field].usual_words;

        frequency += UNIT * LENGTH_SHARE * usual * fields[field].weight * mentions[field] /
                     ((LENGTH_SHARE - 1) * usual + tokens->lengths[field]);
        term.is_spelled |= mentions[field] > 0 && field != CODE;
    }
    term.impact = (uint8_t)(1 + (MAX_IMPACT - 1) * frequency / (SATURATION + frequency));
    return term;
}

SearchTerms search_terms(const Product *product, Arena *arena)
{
    Tokens tokens = { .arena = arena };
    SearchTerms result = { 0 };

    add_product(&tokens, product);
    if (tokens.n_tokens > 1)
        qsort(tokens.tokens, tokens.n_tokens, sizeof(*tokens.tokens), by_text);
    result.terms = arena_array(arena, tokens.n_tokens, sizeof(*result.terms));
    for (size_t i = 0, count; i < tokens.n_tokens && result.n_terms < SEARCH_MAX_TERMS;
         i += count) {
        for (count = 1; i + count < tokens.n_tokens &&
                        by_text(&tokens.tokens[i], &tokens.tokens[i + count]) == 0;)
            count++;
        result.terms[result.n_terms++] = make_term(&tokens, &tokens.tokens[i], count);
    }
    return result;
}

bool search_read(const char *query, Arena *arena, SearchWords *words)
{
    char word[SEARCH_MAX_WORD];
    size_t length;

    words->n_words = 0;
    while ((length = next_word(&query, word)) > 0) {
        if (words->n_words == SEARCH_MAX_WORDS)
            return false;
        words->words[words->n_words++] = (SearchWord){ .text = arena_text_of(arena, word, length) };
    }
    /* The last word is open when it ends with the query: next_word steps over what ends it. */
    if (words->n_words > 0) {
        char folded[FOLD_MAX_BYTES];
        const char *last = query - 1;
        int size;

        while (((uint8_t)*last & 0xc0) == 0x80)
            last--;
        fold_character(last, folded, &size);
        words->words[words->n_words - 1].is_beginning = size >= 0;
    }
    return words->n_words > 0;
}
