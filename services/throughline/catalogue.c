#include "services/throughline/catalogue.h"

#include "services/catalog/import/catalog_file.h"
#include "services/throughline/accounts.h"
#include "services/throughline/command.h"
#include "services/throughline/data_folder.h"
#include "services/throughline/demo/catalogue.h"
#include "services/throughline/input.h"
#include "services/throughline/upload.h"

#include "shared/base/clock.h"
#include "shared/base/text.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { SHOWN_PROBLEMS = 20, BAR_WIDTH = 40, BAR_EVERY = 200, THOUSAND = 1000, CHUNK = 64 * 1024 };

static const uint64_t HASH_FACTOR = UINT64_C(0x100000001b3);

static void draw_bar(int thousandths, int64_t records)
{
    char bar[BAR_WIDTH + 1];
    int filled = thousandths * BAR_WIDTH / THOUSAND;

    if (!isatty(STDERR_FILENO))
        return;
    memset(bar, ' ', BAR_WIDTH);
    memset(bar, '=', (size_t)filled);
    bar[BAR_WIDTH] = 0;
    fprintf(stderr, "\r  [%s] %3d %% %lld records", bar, thousandths / 10, (long long)records);
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

/* The same file on the same terms has the same name, wherever it lies. */
static const Error *import_name(
    Arena *arena, const char *path, const CatalogueTerms *terms, const char **name)
{
    const char *words = arena_printf(arena, "%s%s", terms->currency, terms->draft);
    FILE *file = fopen(path, "rb");
    uint64_t hash = text_hash(words, strlen(words));
    char chunk[CHUNK];
    size_t size;

    if (!file)
        return error_new(
            arena, ERROR_NOT_FOUND, "FILE_NOT_FOUND", "%s: %s.", path, strerror(errno));
    while ((size = fread(chunk, 1, sizeof(chunk), file)) > 0)
        hash = hash * HASH_FACTOR ^ text_hash(chunk, size);
    fclose(file);
    *name = arena_printf(arena, "imports/file-%016" PRIx64, hash);
    return NULL;
}

static const Error *send_rows(Upload *upload, CatalogFile *file, CatalogueResult *result)
{
    Arena *one = arena_new();
    const Error *error = NULL;
    CatalogRow row;

    while (!error && catalog_file_next(file, one, &row)) {
        for (size_t i = 0; i < row.n_problems; i++)
            print_problem(
                result, row.problems[i].row, row.problems[i].field, row.problems[i].description);
        /* The row at which it was cut off is sent again: it may have more than one product. */
        if (!row.product || row.number >= result->start_row)
            error = upload_row(upload, &row);
        if (result->sent % BAR_EVERY == 0)
            draw_bar(catalog_file_progress(file), result->sent);
        arena_reset(one);
    }
    arena_free(one);
    return error;
}

const Error *catalogue_import(Arena *arena, const Shop *shop, const Channel *channel,
    const char *path, const CatalogueTerms *terms, CatalogueResult *result)
{
    const char *currency = text_is_empty(terms->currency) ? NULL : terms->currency;
    CatalogFile *file = NULL;
    const char *name;
    Upload *upload;
    const Error *error;

    *result = (CatalogueResult){ 0 };
    if ((error = input_path(arena, path, &path)) ||
        (error = import_name(arena, path, terms, &name)) ||
        (error = catalog_file_open(arena, path, currency, &file)))
        return error;
    upload = upload_begin(arena, shop, channel, name, terms, result);
    if (!(error = upload_find_start(upload, &result->start_row))) {
        if (result->start_row)
            fprintf(stderr, "  goes on at row %lld, where it was cut off\n",
                (long long)result->start_row);
        error = upload_end(upload, send_rows(upload, file, result));
        draw_bar(THOUSAND, result->sent);
    }
    catalog_file_close(file);
    return error;
}

static const Error *write_demo_catalogue(Arena *arena, const char *path)
{
    FILE *file = fopen(path, "w");
    size_t size = (size_t)(demo_catalogue_end - demo_catalogue);
    bool written = file && fwrite(demo_catalogue, 1, size, file) == size;

    if (file && fclose(file))
        written = false;
    return written ? NULL : file_unwritable(arena, path);
}

const Error *catalogue_import_for_demo(
    Arena *arena, const char *data, const Shop *shop, const char *path)
{
    Channel merchandising = { .context = { .channel = "merchandising", .actor = "agents/lee" } };
    const CatalogueTerms terms = { .currency = "", .draft = "", .reason = "First catalogue" };
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
    if ((error = catalogue_import(arena, shop, &merchandising, path, &terms, &result)))
        return error;
    printf(
        "Catalogue: %lld products new, %lld changed, %lld as they were, %lld refused (%.1f s).\n",
        (long long)result.created, (long long)result.updated, (long long)result.unchanged,
        (long long)result.refused, (double)(clock_monotonic() - start) / 1e6);
    return NULL;
}
