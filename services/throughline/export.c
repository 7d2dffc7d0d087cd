/* throughline export: the catalogue's products into a file. */
#include "services/catalog/import/table_export.h"
#include "services/throughline/command.h"
#include "services/throughline/data_folder.h"
#include "services/throughline/export_taxonomy.h"
#include "services/throughline/shop.h"

#include "shared/base/text.h"
#include "shared/codec/json.h"
#include "shared/codec/message.h"

#include <stdio.h>
#include <stdlib.h>

typedef Throughline__Catalog__V1__ExportProductsRequest ExportProductsRequest;

enum { MAX_TRIES = 5 };

static const Setting settings[] = {
    { "format", SETTING_TEXT, "", "jsonl or csv; as the file's ending says when not given", 0, 0 },
    { "category", SETTING_TEXT, "", "only products of this category and those below it", 0, 0 },
    { "with-drafts", SETTING_SWITCH, "false", "drafts too", 0, 0 },
    { "taxonomy", SETTING_SWITCH, "false",
        "categories, types, brands and locations instead of products, as JSON lines", 0, 0 },
    { 0 },
};

/* One export: products go to `lines`, JSON lines; what columns they need is noted where a table is wanted. */
typedef struct Export {
    Arena *arena;
    const Shop *shop;
    const Channel *channel;
    ExportProductsRequest request;
    FILE *lines;
    TableExport *table; /* NULL: no table */
    bool is_taxonomy;
    int64_t n_records;
} Export;

/* What only the service sets says nothing to another catalogue: the same products are the same bytes. */
static void take(Export *export, Arena *one, Product *product)
{
    product_normalize(product);
    fprintf(export->lines, "%s\n", json_from_message(one, product, JSON_COMPACT));
    if (export->table)
        table_export_note(export->table, product);
    export->request.after = arena_text(export->arena, product->name);
    export->n_records++;
}

static const Error *receive_all(Export *export)
{
    const ProtobufCServiceDescriptor *service =
        &throughline__catalog__v1__product_service__descriptor;
    RpcOutgoing outgoing = shop_outgoing(export->shop, export->channel, 0);
    RpcClientStream *stream;
    Arena *one;
    void *product;
    const Error *error;

    outgoing.deadline = INT64_MAX;
    if ((error = rpc_client_open_stream(shop_client(export->shop, service->package), &outgoing,
             service, "ExportProducts", &stream)))
        return error;
    one = arena_new();
    if (!(error = rpc_client_send(stream, &export->request)))
        error = rpc_client_finish_sending(stream);
    while (!error && !(error = rpc_client_receive(stream, one, &product)) && product) {
        take(export, one, product);
        arena_reset(one);
    }
    error = error_copy(export->arena, error);
    arena_free(one);
    rpc_client_close_stream(stream);
    return error;
}

/* A stream that is cut off goes on behind the last product that came. */
static const Error *receive_resumed(Export *export)
{
    const Error *error = receive_all(export);

    for (int i = 1; i < MAX_TRIES && error && error->code == ERROR_UNAVAILABLE; i++)
        error = receive_all(export);
    return error;
}

/* Reads the lines again, now that all columns are known. */
static const Error *write_table(Export *export, FILE *out)
{
    Arena *one = arena_new();
    char *line = NULL;
    size_t capacity = 0;
    ssize_t length;
    const Error *error = NULL;

    rewind(export->lines);
    table_export_header(export->table, out);
    while (!error && (length = getline(&line, &capacity, export->lines)) > 0) {
        void *product;

        if (!(error = json_to_message(one, &throughline__catalog__v1__product__descriptor,
                  (Bytes){ (const uint8_t *)line, (size_t)length }, &product)))
            table_export_rows(export->table, product, out);
        arena_reset(one);
    }
    error = error_copy(export->arena, error);
    arena_free(one);
    free(line);
    return error;
}

static const Error *export_to(Export *export, FILE *out, const char *path)
{
    const Error *error;
    bool is_written;

    export->lines = export->table ? tmpfile() : out;
    if (!export->lines)
        return file_unwritable(export->arena, "A temporary file");
    error = export->is_taxonomy ? export_taxonomy(export->arena, export->shop, export->channel, out,
                                      &export->n_records)
                                : receive_resumed(export);
    if (!error && export->table)
        error = write_table(export, out);
    is_written = !ferror(export->lines) && !ferror(out) && !fflush(out);
    if (export->table)
        fclose(export->lines);
    return error || is_written ? error : file_unwritable(export->arena, path);
}

static int run(const Config *config, Arena *arena)
{
    const char *const *words;
    size_t n_words = (size_t)config_words(config, &words);
    const char *path = n_words == 1 ? words[0] : "-";
    const char *format = config_text(config, "format");
    bool is_table =
        text_equal(format, "csv") || (text_is_empty(format) && text_ends_with(path, ".csv"));
    bool is_output = text_equal(path, "-");
    Export export = { .arena = arena,
        .is_taxonomy = config_switch(config, "taxonomy"),
        .table = is_table ? table_export_new(arena) : NULL };
    Channel channel;
    Shop shop;
    FILE *out;
    const Error *error;

    if (n_words > 1 || !(is_table || text_is_empty(format) || text_equal(format, "jsonl")) ||
        (is_table && export.is_taxonomy)) {
        fprintf(stderr, "Usage: throughline export [FILE] [--format=jsonl|csv]\n");
        return EXIT_USAGE;
    }
    throughline__catalog__v1__export_products_request__init(&export.request);
    export.request.category = arena_text(arena, config_text(config, "category"));
    export.request.with_drafts = config_switch(config, "with-drafts");
    if ((error = shop_channel(arena, config, &channel)))
        return shop_complain("export", error);
    if (!(out = is_output ? stdout : fopen(path, "w")))
        return shop_complain("export", file_unwritable(arena, path));
    shop_open(&shop, arena, config);
    export.shop = &shop;
    export.channel = &channel;
    error = export_to(&export, out, path);
    shop_close(&shop);
    if (!is_output && fclose(out) && !error)
        error = file_unwritable(arena, path);
    if (error)
        return shop_complain("export", error);
    fprintf(stderr, "%lld %s\n", (long long)export.n_records,
        export.is_taxonomy ? "records" : "products");
    return EXIT_OK;
}

const Command command_export = {
    .name = "export",
    .arguments = "[FILE]",
    .summary = "Writes all products to a file, or to standard output.",
    .details =
        "\nJSON lines, or a table (CSV) with one row a variant; `import` reads both as they were.\n"
        "Columns of a table: id (\"products/…\"), sku, gtin, title, variant, description, brand, "
        "category, type,\ncategories (\"categories/…\" with spaces between), state, relations "
        "(\"ACCESSORY products/lamp;\nBUNDLE_PART products/tent tent-green 2\"), title@de, "
        "description@de, variant@de, price_EUR,\nlist_price_EUR, stock_berlin, image, "
        "attribute:KEY, variant_attribute:KEY; more and variant_more have as\nJSON what no column "
        "says. What is the product's stands on its first row.\n"
        "Products name categories and types: into another catalogue import what --taxonomy writes "
        "before them.\n",
    .settings = (const Setting *const[]){ shop_settings, settings, NULL },
    .run = run,
};
