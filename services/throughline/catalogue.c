#include "services/throughline/catalogue.h"

#include "services/catalog/import/catalog_file.h"
#include "services/throughline/accounts.h"
#include "services/throughline/command.h"
#include "services/throughline/demo/catalogue.h"

#include "shared/base/clock.h"
#include "shared/base/text.h"
#include "shared/codec/message.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

typedef Throughline__Catalog__V1__ImportProductsRequest ImportProductsRequest;
typedef Throughline__Catalog__V1__ImportProductsResponse ImportProductsResponse;

enum { SHOWN_PROBLEMS = 20, BAR_WIDTH = 40, BAR_EVERY = 200, THOUSAND = 1000 };

#define product_service (&throughline__catalog__v1__product_service__descriptor)

static void draw_bar(int thousandths, int64_t products)
{
    char bar[BAR_WIDTH + 1];
    int filled = thousandths * BAR_WIDTH / THOUSAND;

    if (!isatty(STDERR_FILENO))
        return;
    memset(bar, ' ', BAR_WIDTH);
    memset(bar, '=', (size_t)filled);
    bar[BAR_WIDTH] = 0;
    fprintf(stderr, "\r  [%s] %3d %% %lld products", bar, thousandths / 10, (long long)products);
    if (thousandths == THOUSAND)
        fprintf(stderr, "\n");
}

static void print_problem(CatalogueResult *result, int64_t row, const char *field, const char *what)
{
    if (++result->file_problems <= SHOWN_PROBLEMS)
        fprintf(stderr, "  row %lld: %s%s%s\n", (long long)row, field, *field ? ": " : "", what);
    else if (result->file_problems == SHOWN_PROBLEMS + 1)
        fprintf(stderr, "  … and more\n");
}

static const Error *send_rows(RpcClientStream *stream, CatalogFile *file, CatalogueResult *result)
{
    Arena *one = arena_new();
    const Error *error = NULL;
    CatalogRow row;

    while (!error && catalog_file_next(file, one, &row)) {
        ImportProductsRequest request = THROUGHLINE__CATALOG__V1__IMPORT_PRODUCTS_REQUEST__INIT;

        for (size_t i = 0; i < row.n_problems; i++)
            print_problem(
                result, row.problems[i].row, row.problems[i].field, row.problems[i].description);
        if (row.product) {
            request.product = row.product;
            request.row = row.number;
            error = rpc_client_send(stream, &request);
            if (++result->products % BAR_EVERY == 0)
                draw_bar(catalog_file_progress(file), result->products);
        }
        arena_reset(one);
    }
    arena_free(one);
    return error;
}

/* What the service refused. */
static void print_refusals(const CatalogueResult *result)
{
    const ImportProductsResponse *response = result->response;

    for (size_t i = 0; i < response->n_errors && i < SHOWN_PROBLEMS; i++)
        fprintf(stderr, "  row %lld: %s: %s: %s\n", (long long)response->errors[i]->row,
            response->errors[i]->product, response->errors[i]->field,
            response->errors[i]->description);
    if (response->n_errors > SHOWN_PROBLEMS)
        fprintf(stderr, "  … and more\n");
}

const Error *catalogue_import(Arena *arena, const Shop *shop, const Channel *channel,
    const char *path, const char *currency, CatalogueResult *result)
{
    RpcOutgoing outgoing = shop_outgoing(shop, channel, 0);
    CatalogFile *file = NULL;
    RpcClientStream *stream = NULL;
    void *response = NULL;
    const Error *error;

    *result = (CatalogueResult){ 0 };
    outgoing.deadline = INT64_MAX;
    if ((error = catalog_file_open(arena, path, currency, &file)))
        return error;
    if (!(error = rpc_client_open_stream(shop_client(shop, product_service->package), &outgoing,
              product_service, "ImportProducts", &stream))) {
        /* A send that fails has its reason in the status, which receive tells. */
        send_rows(stream, file, result);
        rpc_client_finish_sending(stream);
        error = rpc_client_receive(stream, arena, &response);
        if (!error && !response)
            error =
                error_new(arena, ERROR_INTERNAL, "ANSWER_MISSING", "The import was not answered.");
        draw_bar(THOUSAND, result->products);
        rpc_client_close_stream(stream);
    }
    catalog_file_close(file);
    if (error)
        return error;
    result->response = response;
    print_refusals(result);
    return NULL;
}

static const Error *write_demo_catalogue(Arena *arena, const char *path)
{
    FILE *file = fopen(path, "w");
    size_t size = (size_t)(demo_catalogue_end - demo_catalogue);
    bool written = file && fwrite(demo_catalogue, 1, size, file) == size;

    if (file && fclose(file))
        written = false;
    return written ? NULL
                   : error_new(arena, ERROR_UNAVAILABLE, "FILE_UNWRITABLE", "%s cannot be written.",
                         path);
}

const Error *catalogue_import_for_demo(
    Arena *arena, const char *data, const Shop *shop, const char *path)
{
    Channel merchandising = { .context = { .channel = "merchandising", .actor = "agents/lee" } };
    int64_t start = clock_monotonic();
    CatalogueResult result;
    const Error *error;

    if ((error = accounts_token(arena, data, "merchandising", &merchandising.token)))
        return error;
    if (text_is_empty(path)) {
        path = arena_printf(arena, "%s/catalogue.jsonl", data);
        if ((error = write_demo_catalogue(arena, path)))
            return error;
    }
    if ((error = catalogue_import(arena, shop, &merchandising, path, NULL, &result)))
        return error;
    printf(
        "Catalogue: %lld products new, %lld changed, %lld as they were, %lld refused (%.1f s).\n",
        (long long)result.response->created, (long long)result.response->updated,
        (long long)result.response->unchanged, (long long)result.response->refused,
        (double)(clock_monotonic() - start) / 1e6);
    return NULL;
}
