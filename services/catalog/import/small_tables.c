/* Tables that are no tables of products: categories ("categoryName"), and pairs of products that may be the same ("left_title",
 * "right_title"), of which every product is taken once. */
#include "services/catalog/import/builder.h"
#include "services/catalog/import/csv.h"
#include "services/catalog/import/source.h"

#include "shared/base/money.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

typedef enum Field { FIELD_ID, FIELD_TITLE, FIELD_BRAND, FIELD_PRICE, FIELDS } Field;

enum { SIDES = 2 };

static const char *const sides[SIDES] = { "left", "right" };
static const char *const pair_columns[FIELDS] = { "id", "title", "manufacturer", "price" };

typedef struct SmallTable {
    Source source;
    FILE *file;
    CsvReader *reader;
    int64_t size;
    char *stem;
    char *currency;
    json_t *seen; /* names that were given out */
    size_t n_columns;
    int columns[SIDES][FIELDS]; /* -1: none */
    CsvRow row;
    int side; /* of the row, the next one to look at */
} SmallTable;

static int progress(const Source *source)
{
    const SmallTable *table = (const SmallTable *)source;
    int64_t at = ftello(table->file);

    return at < table->size ? (int)(at * 1000 / table->size) : 1000;
}

static void close_table(Source *source)
{
    SmallTable *table = (SmallTable *)source;

    csv_close(table->reader);
    fclose(table->file);
    json_decref(table->seen);
    free(table->stem);
    free(table->currency);
    free(table);
}

/* The text of a field, "" where there is none or it is not valid. */
static const char *field_of(Arena *arena, const SmallTable *table, int side, Field field)
{
    int column = table->columns[side][field];
    const Bytes *bytes = column < 0 ? NULL : &table->row.fields[column];

    if (!bytes || !text_is_utf8(bytes->data, bytes->size))
        return "";
    return text_trim(arena, (const char *)bytes->data);
}

/* Reports a row that cannot be used. */
static bool is_usable(Arena *arena, const SmallTable *table, CatalogRow *out)
{
    if (table->row.problem)
        row_problem(arena, out, table->row.number, "", "%s", table->row.problem);
    else if (table->row.n_fields != table->n_columns)
        row_problem(arena, out, table->row.number, "", "has %zu fields, the header has %zu",
            table->row.n_fields, table->n_columns);
    return out->n_problems == 0;
}

static bool is_first(SmallTable *table, const char *name)
{
    if (json_object_get(table->seen, name))
        return false;
    json_object_set_new(table->seen, name, json_true());
    return true;
}

/* Categories. */

static bool next_category(Source *source, Arena *arena, CatalogRow *out)
{
    SmallTable *table = (SmallTable *)source;
    const char *id;
    Category *category;

    if (!csv_next(table->reader, &table->row))
        return false;
    *out = (CatalogRow){ .number = table->row.number };
    if (!is_usable(arena, table, out))
        return true;
    if (!*field_of(arena, table, 0, FIELD_TITLE)) {
        row_problem(arena, out, out->number, "title", "is missing");
        return true;
    }
    id = field_of(arena, table, 0, FIELD_ID);
    category = arena_alloc(arena, sizeof(*category));
    throughline__catalog__v1__category__init(category);
    category->title =
        build_short(arena, field_of(arena, table, 0, FIELD_TITLE), CATEGORY_MAX_TITLE);
    category->name = arena_printf(arena, "categories/%s",
        build_slug(arena, *id ? arena_printf(arena, "%s-%s", table->stem, id) : category->title));
    out->category = category;
    return true;
}

/* Pairs. */

static Product *read_side(Arena *arena, const SmallTable *table, int side, CatalogRow *out)
{
    const char *slug = build_slug(
        arena, arena_printf(arena, "%s-%s", sides[side], field_of(arena, table, side, FIELD_ID)));
    const char *title = field_of(arena, table, side, FIELD_TITLE);
    const char *price = field_of(arena, table, side, FIELD_PRICE);
    int64_t minor = 0;
    Product *product;
    Variant *variant;

    if (!*title) {
        row_problem(
            arena, out, out->number, arena_printf(arena, "%s_title", sides[side]), "is missing");
        return NULL;
    }
    product = build_product(arena, slug, title, "");
    product->brand =
        build_short(arena, field_of(arena, table, side, FIELD_BRAND), PRODUCT_MAX_BRAND);
    variant = build_variant(arena, product, slug, "");
    if (*price && build_amount(arena, table->currency, price, &minor))
        build_price(arena, variant, table->currency, minor, minor);
    else if (*price)
        row_problem(arena, out, out->number, arena_printf(arena, "%s_price", sides[side]),
            "\"%s\" is not an amount in %s", build_short(arena, price, 40), table->currency);
    return product;
}

static bool next_of_pair(Source *source, Arena *arena, CatalogRow *out)
{
    SmallTable *table = (SmallTable *)source;

    for (;;) {
        Product *product;

        if (table->side == SIDES && !csv_next(table->reader, &table->row))
            return false;
        table->side %= SIDES;
        *out = (CatalogRow){ .number = table->row.number };
        if (!is_usable(arena, table, out)) {
            table->side = SIDES;
            return true;
        }
        product = read_side(arena, table, table->side++, out);
        if (product && !is_first(table, product->name))
            continue;
        out->product = product;
        return true;
    }
}

/* Opening. */

static int find_column(const CsvRow *header, const char *name)
{
    for (size_t i = 0; i < header->n_fields; i++)
        if (!strcasecmp((const char *)header->fields[i].data, name))
            return (int)i;
    return -1;
}

static bool is_pairs(Arena *arena, SmallTable *table, const CsvRow *header)
{
    for (int side = 0; side < SIDES; side++)
        for (int field = 0; field < FIELDS; field++)
            table->columns[side][field] =
                find_column(header, arena_printf(arena, "%s_%s", sides[side], pair_columns[field]));
    return table->columns[0][FIELD_ID] >= 0 && table->columns[0][FIELD_TITLE] >= 0 &&
           table->columns[1][FIELD_ID] >= 0 && table->columns[1][FIELD_TITLE] >= 0;
}

static bool is_categories(SmallTable *table, const CsvRow *header)
{
    for (int field = 0; field < FIELDS; field++)
        table->columns[0][field] = -1;
    table->columns[0][FIELD_ID] = find_column(header, "categoryID");
    table->columns[0][FIELD_TITLE] = find_column(header, "categoryName");
    return table->columns[0][FIELD_TITLE] >= 0;
}

static bool read_header(SmallTable *table)
{
    Arena *arena = arena_new();
    bool is_known = false;
    CsvRow header;

    if (csv_next(table->reader, &header) && !header.problem) {
        table->n_columns = header.n_fields;
        if (is_pairs(arena, table, &header))
            table->source = (Source){ "pairs of products", next_of_pair, progress, close_table };
        else if (is_categories(table, &header))
            table->source = (Source){ "table of categories", next_category, progress, close_table };
        is_known = table->source.next != NULL;
    }
    arena_free(arena);
    return is_known;
}

Source *small_table_open(FILE *file, const SourceOptions *options)
{
    SmallTable *table = calloc(1, sizeof(*table));
    int64_t start = ftello(file);

    if (!table)
        abort();
    table->file = file;
    table->side = SIDES;
    fseeko(file, 0, SEEK_END);
    table->size = ftello(file);
    fseeko(file, start, SEEK_SET);
    table->reader = csv_open(file, ',');
    if (!read_header(table)) {
        csv_close(table->reader);
        free(table);
        fseeko(file, start, SEEK_SET);
        return NULL;
    }
    table->seen = json_object();
    table->stem = strdup(options->stem);
    table->currency = strdup(options->currency ? options->currency : "USD");
    if (!table->stem || !table->currency)
        abort();
    return &table->source;
}
