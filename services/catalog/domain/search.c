#include "services/catalog/domain/search.h"

#include <string.h>

/* One character in front of each field's words says what finding a word there is worth. */
enum {
    WEIGHT_CODE = 16,
    WEIGHT_TITLE = 8,
    WEIGHT_BRAND = 4,
    WEIGHT_CATEGORY = 3,
    WEIGHT_VARIANT = 2,
    WEIGHT_DESCRIPTION = 1,
};

static const struct {
    char mark; /* no word can contain it */
    int weight;
} fields[] = {
    { '\x01', WEIGHT_CODE },
    { '\x02', WEIGHT_TITLE },
    { '\x03', WEIGHT_BRAND },
    { '\x04', WEIGHT_CATEGORY },
    { '\x05', WEIGHT_VARIANT },
    { '\x06', WEIGHT_DESCRIPTION },
};

typedef struct Writer {
    char *text;
    size_t size;
} Writer;

static bool is_word_byte(uint8_t byte)
{
    return byte >= 0x80 || (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') ||
           (byte >= 'A' && byte <= 'Z');
}

/* Lower case of a byte, given the one before: Latin-1's capitals are 0xC3 and 0x80 to 0x9E, all but
 * the multiplication sign. */
static char fold(uint8_t before, uint8_t byte)
{
    if (byte >= 'A' && byte <= 'Z')
        return (char)(byte + 'a' - 'A');
    if (before == 0xc3 && byte >= 0x80 && byte <= 0x9e && byte != 0x97)
        return (char)(byte + 0x20);
    return (char)byte;
}

/* Appends " word word " behind what is there; the space between two texts is shared. */
static void write_words(Writer *writer, const char *text)
{
    uint8_t before = 0;

    for (; *text; text++) {
        uint8_t byte = (uint8_t)*text;

        if (is_word_byte(byte))
            writer->text[writer->size++] = fold(before, byte);
        else if (writer->text[writer->size - 1] != ' ')
            writer->text[writer->size++] = ' ';
        before = byte;
    }
    if (writer->text[writer->size - 1] != ' ')
        writer->text[writer->size++] = ' ';
}

static void begin_field(Writer *writer, size_t field)
{
    writer->text[writer->size++] = fields[field].mark;
    writer->text[writer->size++] = ' ';
}

/* A code is one word even where it has dashes or dots, so that it is found whole and by its
 * beginning; its parts are words too. */
static void write_code(Writer *writer, const char *code)
{
    if (!*code)
        return;
    write_words(writer, code);
    if (!code[strcspn(code, "_.~-")])
        return;
    for (; *code; code++)
        if (is_word_byte((uint8_t)*code))
            writer->text[writer->size++] = fold(0, (uint8_t)*code);
    writer->text[writer->size++] = ' ';
}

static size_t text_bound(const Product *product)
{
    size_t size = 2 * COUNT(fields) + strlen(product->title) + strlen(product->brand) +
                  strlen(product->category) + strlen(product->description) + 8;

    for (size_t i = 0; i < product->n_variants; i++)
        size += 2 * strlen(product->variants[i]->sku) + strlen(product->variants[i]->gtin) +
                strlen(product->variants[i]->title) + 8;
    return size;
}

Bytes search_text(const Product *product, Arena *arena)
{
    Writer writer = { arena_alloc(arena, text_bound(product)), 0 };

    begin_field(&writer, 0);
    for (size_t i = 0; i < product->n_variants; i++) {
        write_code(&writer, product->variants[i]->sku);
        write_code(&writer, product->variants[i]->gtin);
    }
    begin_field(&writer, 1);
    write_words(&writer, product->title);
    begin_field(&writer, 2);
    write_words(&writer, product->brand);
    begin_field(&writer, 3);
    write_words(&writer, product->category);
    begin_field(&writer, 4);
    for (size_t i = 0; i < product->n_variants; i++)
        write_words(&writer, product->variants[i]->title);
    begin_field(&writer, 5);
    write_words(&writer, product->description);
    return (Bytes){ (const uint8_t *)writer.text, writer.size + 1 };
}

bool search_read(const char *query, Arena *arena, SearchWords *words)
{
    Writer writer = { arena_alloc(arena, strlen(query) + 3), 1 };
    size_t length = strlen(query);
    bool is_open = length > 0 && is_word_byte((uint8_t)query[length - 1]);
    char *at;

    writer.text[0] = ' ';
    write_words(&writer, query);
    words->n_words = 0;
    for (at = writer.text; at[1]; at = strchr(at + 1, ' ')) {
        size_t size = strcspn(at + 1, " ") + 2;

        if (words->n_words == SEARCH_MAX_WORDS)
            return false;
        if (is_open && !at[size])
            size--;
        words->words[words->n_words++] = arena_text_of(arena, at, size);
    }
    return words->n_words > 0;
}

/* The weight of the field that a place in the text is in. */
static int weight_at(const char *text, const char *place)
{
    int weight = 0;

    for (size_t i = 0; i < COUNT(fields); i++) {
        const char *start = strchr(text, fields[i].mark);

        if (start && start < place)
            weight = fields[i].weight;
    }
    return weight;
}

int search_score(const char *text, const SearchWords *words)
{
    int score = 0;

    for (size_t i = 0; i < words->n_words; i++) {
        /* Fields stand in the order of their weights: the first place is the best. */
        const char *place = strstr(text, words->words[i]);

        if (!place)
            return 0;
        score += weight_at(text, place);
    }
    return score;
}
