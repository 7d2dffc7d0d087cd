/* Products out of separated values with a header. */
#include "services/catalog/import/builder.h"
#include "services/catalog/import/columns.h"
#include "services/catalog/import/source.h"
#include "services/catalog/import/specifications.h"
#include "services/catalog/import/table_parts.h"

#include "shared/base/money.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_PROBLEMS = 1000, SHOWN = 40 };

typedef struct Table {
    Source source;
    FILE *file;
    int64_t size;
    Arena *arena; /* the header's */
    CsvReader *reader;
    Columns columns;
    const char *stem;
    const char *currency;
    CsvRow row; /* read and not yet used */
    bool has_row;
} Table;

/* A row by the meaning of its columns. */
typedef struct Record {
    int64_t number;
    const char *const *fields;        /* trimmed unless the row is exact, one a column */
    const char *values[COLUMN_ROLES]; /* the first of its role that is not empty, else "" */
    const char *slug;
    bool is_exact; /* a full name as its id: taken to the letter, as we write it ourselves */
} Record;

static const char name_prefix[] = "products/";

/* What databases write for nothing. */
static bool is_absent(const char *value)
{
    return !*value || text_equal(value, "NULL") || text_equal(value, "N/A");
}

static const char *product_slug(Arena *arena, const Table *table, const Record *record)
{
    const char *id = record->values[COLUMN_ID];

    if (record->is_exact)
        return arena_text(arena, id + strlen(name_prefix));
    /* A bare number says nothing outside its file. */
    if (*id && !id[strspn(id, "0123456789")])
        return build_slug(arena, arena_printf(arena, "%s-%s", table->stem, id));
    if (*id)
        return build_slug(arena, id);
    if (*record->values[COLUMN_SKU])
        return build_slug(arena, record->values[COLUMN_SKU]);
    return build_slug(arena, record->values[COLUMN_TITLE]);
}

static bool has_full_name(const Table *table)
{
    for (size_t i = 0; i < table->row.n_fields; i++)
        if (table->columns.columns[i].role == COLUMN_ID &&
            text_starts_with((const char *)table->row.fields[i].data, name_prefix))
            return true;
    return false;
}

static const char *read_field(Arena *arena, const char *field, bool is_exact)
{
    const char *trimmed;

    if (is_exact)
        return arena_text(arena, field);
    trimmed = text_trim(arena, field);
    return is_absent(trimmed) ? "" : trimmed;
}

/* False when the row has problems; they are added. */
static bool read_record(Arena *arena, const Table *table, CatalogRow *out, Record *record)
{
    const CsvRow *row = &table->row;
    const char **fields;
    size_t before = out->n_problems;

    *record = (Record){ .number = row->number };
    if (row->problem)
        row_problem(arena, out, row->number, "", "%s", row->problem);
    else if (row->n_fields != table->columns.n_columns)
        row_problem(arena, out, row->number, "", "has %zu fields, the header has %zu",
            row->n_fields, table->columns.n_columns);
    if (out->n_problems > before)
        return false;
    record->is_exact = has_full_name(table);
    fields = arena_array(arena, row->n_fields, sizeof(*fields));
    for (size_t i = 0; i < COLUMN_ROLES; i++)
        record->values[i] = "";
    for (size_t i = 0; i < row->n_fields; i++) {
        const Column *column = &table->columns.columns[i];
        const Bytes *field = &row->fields[i];

        if (!text_is_utf8(field->data, field->size)) {
            row_problem(arena, out, row->number, column->header, "is not valid UTF-8");
            continue;
        }
        fields[i] = read_field(arena, (const char *)field->data, record->is_exact);
        if (!*record->values[column->role])
            record->values[column->role] = fields[i];
    }
    record->fields = fields;
    if (out->n_problems > before)
        return false;
    record->slug = product_slug(arena, table, record);
    return true;
}

/* The amount in column `i`, 0 when it is empty. */
static bool read_price(Arena *arena, const Table *table, const Record *record, size_t i,
    const char *currency, CatalogRow *out, int64_t *minor)
{
    *minor = 0;
    if (!*record->fields[i] || build_amount(arena, currency, record->fields[i], minor))
        return true;
    row_problem(arena, out, record->number, table->columns.columns[i].header,
        "\"%s\" is not an amount in %s", build_short(arena, record->fields[i], SHOWN), currency);
    return false;
}

static const char *price_currency(const Table *table, const Record *record, const Column *column)
{
    if (*column->detail)
        return column->detail;
    return *record->values[COLUMN_CURRENCY] ? record->values[COLUMN_CURRENCY] : table->currency;
}

/* The list price that stands beside an amount: the first column of this currency that is not empty.
 */
static bool find_list_price(Arena *arena, const Table *table, const Record *record,
    const char *currency, CatalogRow *out, int64_t *minor)
{
    *minor = 0;
    for (size_t i = 0; i < table->columns.n_columns; i++) {
        const Column *column = &table->columns.columns[i];

        if (column->role == COLUMN_LIST_PRICE && *record->fields[i] &&
            text_equal(price_currency(table, record, column), currency))
            return read_price(arena, table, record, i, currency, out, minor);
    }
    return true;
}

/* One price a currency, from price columns first; a list price alone is the price. */
static void add_prices(Arena *arena, const Table *table, const Record *record, ColumnRole role,
    CatalogRow *out, Variant *variant)
{
    for (size_t i = 0; i < table->columns.n_columns; i++) {
        const Column *column = &table->columns.columns[i];
        const char *currency = price_currency(table, record, column);
        int64_t amount;
        int64_t list_amount;

        if (column->role != role || !*record->fields[i] || variant_price(variant, currency))
            continue;
        if (money_digits(currency) < 0) {
            row_problem(arena, out, record->number, column->header,
                "\"%s\" is not an ISO 4217 currency", build_short(arena, currency, SHOWN));
            return;
        }
        if (read_price(arena, table, record, i, currency, out, &amount) &&
            find_list_price(arena, table, record, currency, out, &list_amount))
            build_price(arena, variant, currency, amount, list_amount);
    }
}

static void add_stock(
    Arena *arena, const Table *table, const Record *record, CatalogRow *out, Variant *variant)
{
    for (size_t i = 0; i < table->columns.n_columns; i++) {
        const Column *column = &table->columns.columns[i];
        int64_t on_hand;

        if (column->role != COLUMN_STOCK || !*record->fields[i])
            continue;
        if (!text_to_int64(record->fields[i], &on_hand) || on_hand < 0)
            row_problem(arena, out, record->number, column->header,
                "\"%s\" is not a number of pieces", build_short(arena, record->fields[i], SHOWN));
        else
            build_stock(arena, variant,
                record->is_exact && column->exact_detail ? column->exact_detail
                                                         : build_slug(arena, column->detail),
                on_hand);
    }
}

static const char *variant_sku(Arena *arena, const Record *record)
{
    if (*record->values[COLUMN_SKU])
        return build_sku(arena, record->values[COLUMN_SKU]);
    if (*record->values[COLUMN_VARIANT])
        return build_sku(arena, arena_printf(arena, "%s-%s", record->slug,
                                    build_slug(arena, record->values[COLUMN_VARIANT])));
    return record->slug;
}

/* Adds the row's variant unless the row has problems; they are added to the row then. */
static bool add_variant(
    Arena *arena, const Table *table, const Record *record, CatalogRow *out, Product *product)
{
    size_t before = out->n_problems;
    Variant *variant;

    if (product->n_variants == PRODUCT_MAX_VARIANTS) {
        row_problem(arena, out, record->number, "", "a product has at most %d variants",
            PRODUCT_MAX_VARIANTS);
        return false;
    }
    variant =
        build_variant(arena, product, variant_sku(arena, record), record->values[COLUMN_VARIANT]);
    if (record->is_exact)
        variant->title = arena_text(arena, record->values[COLUMN_VARIANT]);
    variant->gtin = arena_text(arena, record->values[COLUMN_GTIN]);
    if (*variant->gtin && !gtin_is_valid(variant->gtin))
        row_problem(arena, out, record->number, "gtin", "\"%s\" is not a GTIN",
            build_short(arena, variant->gtin, SHOWN));
    add_prices(arena, table, record, COLUMN_PRICE, out, variant);
    add_prices(arena, table, record, COLUMN_LIST_PRICE, out, variant);
    add_stock(arena, table, record, out, variant);
    for (size_t i = 0; i < table->columns.n_columns; i++)
        if (table->columns.columns[i].role == COLUMN_VARIANT_ATTRIBUTE)
            build_variant_attribute(
                arena, variant, table->columns.columns[i].header, record->fields[i]);
    table_parts_variant(arena, &table->columns,
        &(TableFields){ record->number, record->fields, record->is_exact }, out, variant);
    if (out->n_problems == before)
        return true;
    product->n_variants--;
    return false;
}

/* What of a product other shops' texts are mended for. */
static void take_exact(Arena *arena, const Record *record, Product *product)
{
    product->title = arena_text(arena, record->values[COLUMN_TITLE]);
    product->description = arena_text(arena, record->values[COLUMN_DESCRIPTION]);
    product->brand = arena_text(arena, record->values[COLUMN_BRAND]);
    product->category = arena_text(arena, record->values[COLUMN_CATEGORY]);
}

static Product *make_product(
    Arena *arena, const Table *table, const Record *record, CatalogRow *out)
{
    Product *product;

    if (!*record->values[COLUMN_TITLE]) {
        row_problem(arena, out, record->number, "title", "is missing");
        return NULL;
    }
    product = build_product(
        arena, record->slug, record->values[COLUMN_TITLE], record->values[COLUMN_DESCRIPTION]);
    product->brand = build_short(arena, record->values[COLUMN_BRAND], PRODUCT_MAX_BRAND);
    product->category = build_category(arena, record->values[COLUMN_CATEGORY]);
    if (record->is_exact)
        take_exact(arena, record, product);
    if (text_equal(record->values[COLUMN_RETIRED], "1") ||
        text_equal(text_lower(arena, record->values[COLUMN_RETIRED]), "true"))
        product->state = PRODUCT_RETIRED;
    for (size_t i = 0; i < table->columns.n_columns; i++) {
        const Column *column = &table->columns.columns[i];

        if (column->role == COLUMN_ATTRIBUTE)
            build_attribute(arena, product, column->header, record->fields[i]);
        if (column->role == COLUMN_MEDIA)
            build_media(arena, product, record->fields[i]);
    }
    specifications_add(arena, record->values[COLUMN_SPECIFICATIONS], product);
    table_parts_product(arena, &table->columns,
        &(TableFields){ record->number, record->fields, record->is_exact }, out, product);
    return product;
}

/* The row that is read and not yet used; false at the end of the file. */
static bool peek(Table *table)
{
    if (!table->has_row)
        table->has_row = csv_next(table->reader, &table->row);
    return table->has_row;
}

/* Takes the rows that follow of the same product as its further variants. A malformed row among
 * them is reported and passed over: were the product broken in two there, its second half would
 * replace the first. */
static void take_siblings(Arena *arena, Table *table, const Record *first, CatalogRow *out)
{
    Record record;

    if (!*first->values[COLUMN_ID])
        return;
    while (out->n_problems < MAX_PROBLEMS && peek(table)) {
        if (read_record(arena, table, out, &record)) {
            if (!text_equal(record.slug, first->slug))
                return;
            add_variant(arena, table, &record, out, out->product);
        }
        table->has_row = false;
    }
}

static bool next(Source *source, Arena *arena, CatalogRow *out)
{
    Table *table = (Table *)source;
    Record record;

    if (!peek(table))
        return false;
    *out = (CatalogRow){ .number = table->row.number };
    table->has_row = false;
    if (!read_record(arena, table, out, &record))
        return true;
    out->product = make_product(arena, table, &record, out);
    if (!out->product)
        return true;
    add_variant(arena, table, &record, out, out->product);
    take_siblings(arena, table, &record, out);
    if (out->product->n_variants == 0)
        out->product = NULL;
    return true;
}

static int progress(const Source *source)
{
    const Table *table = (const Table *)source;
    int64_t at = ftello(table->file);

    return at < table->size ? (int)(at * 1000 / table->size) : 1000;
}

static void close_table(Source *source)
{
    Table *table = (Table *)source;

    csv_close(table->reader);
    fclose(table->file);
    arena_free(table->arena);
    free(table);
}

/* The candidate that the first line has most of; a header of ours says it at once. */
static char find_separator(FILE *file)
{
    static const char candidates[] = { ',', ';', '\t', '|' };
    int counts[COUNT(candidates)] = { 0 };
    static const char own[] = "id,sku,gtin,";
    char first[sizeof(own)] = "";
    int64_t start = ftello(file);
    size_t best = 0;
    int byte;

    if (fread(first, 1, sizeof(own) - 1, file) == sizeof(own) - 1 && text_equal(first, own)) {
        fseeko(file, start, SEEK_SET);
        return ',';
    }
    fseeko(file, start, SEEK_SET);

    while ((byte = getc(file)) != EOF && byte != '\n')
        for (size_t i = 0; i < COUNT(candidates); i++)
            counts[i] += byte == candidates[i];
    fseeko(file, start, SEEK_SET);
    for (size_t i = 1; i < COUNT(candidates); i++)
        if (counts[i] > counts[best])
            best = i;
    return candidates[best];
}

Source *table_open(FILE *file, const SourceOptions *options)
{
    Table *table = calloc(1, sizeof(*table));
    CsvRow header;
    int64_t start;

    if (!table)
        abort();
    table->source = (Source){ "separated values", next, progress, close_table };
    table->file = file;
    table->arena = arena_new();
    table->reader = csv_open(file, find_separator(file));
    if (!csv_next(table->reader, &header) ||
        !columns_read(table->arena, &header, &table->columns)) {
        csv_close(table->reader);
        arena_free(table->arena);
        free(table);
        return NULL;
    }
    table->stem = arena_text(table->arena, options->stem);
    table->currency =
        arena_text(table->arena, options->currency ? options->currency : table->columns.currency);
    start = ftello(file);
    fseeko(file, 0, SEEK_END);
    table->size = ftello(file);
    fseeko(file, start, SEEK_SET);
    return &table->source;
}
