/* Opens a catalogue file and tells its format by a look inside. */
#include "services/catalog/import/catalog_file.h"

#include "services/catalog/import/source.h"
#include "services/catalog/import/unpack.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct CatalogFile {
    Source *source;
};

enum { MAX_FIRST_LINE = 1024 * 1024, MAX_DOCUMENT = 512 * 1024 * 1024 };

static const Error unreadable = { ERROR_INVALID_ARGUMENT, "FILE_UNREADABLE",
    "This is no catalogue that can be read: JSON lines of products, a JSON array of them, a Saleor "
    "fixture, categories, stores, or separated values with a header that has a title." };

static const Error damaged = { ERROR_INVALID_ARGUMENT, "FILE_UNREADABLE",
    "The packed file is damaged, cut off or too large." };

void row_problem(
    Arena *arena, CatalogRow *row, int64_t number, const char *field, const char *format, ...)
{
    va_list args;

    row->problems = arena_grow(
        arena, row->problems, row->n_problems, row->n_problems + 1, sizeof(*row->problems));
    va_start(args, format);
    row->problems[row->n_problems++] = (CatalogProblem){
        .row = number,
        .field = arena_text(arena, field),
        .description = arena_vprintf(arena, format, args),
    };
    va_end(args);
}

/* Passes a byte order mark and white space; the first byte that says something, EOF when there is
 * none. */
static int first_byte(FILE *file)
{
    char mark[3] = "";
    int byte;

    if (fread(mark, 1, sizeof(mark), file) != sizeof(mark) || memcmp(mark, "\xef\xbb\xbf", 3))
        rewind(file);
    while ((byte = getc(file)) != EOF && strchr(" \t\r\n", byte))
        continue;
    if (byte != EOF)
        fseeko(file, -1, SEEK_CUR);
    return byte;
}

/* Whether the first line alone is an object, and not one that holds an array of products. */
static bool is_json_lines(FILE *file)
{
    int64_t start = ftello(file);
    char *line = NULL;
    size_t capacity = 0;
    ssize_t length = getline(&line, &capacity, file);
    json_t *object = NULL;
    bool is_line;

    if (length > 0 && length <= MAX_FIRST_LINE)
        object = json_loadb(line, (size_t)length, 0, NULL);
    is_line = json_is_object(object) && !json_is_array(json_object_get(object, "products"));
    json_decref(object);
    free(line);
    fseeko(file, start, SEEK_SET);
    return is_line;
}

/* A file of one JSON document; it is closed here. */
static Source *open_document(FILE *file)
{
    int64_t start = ftello(file);
    json_t *document = NULL;
    Source *source = NULL;

    fseeko(file, 0, SEEK_END);
    if (ftello(file) - start <= MAX_DOCUMENT) {
        fseeko(file, start, SEEK_SET);
        document = json_loadf(file, 0, NULL);
    }
    fclose(file);
    if (document && !(source = saleor_open(document)) && !(source = json_records_open(document)) &&
        !(source = json_array_open(document)))
        json_decref(document);
    return source;
}

static Source *open_source(FILE *file, const SourceOptions *options)
{
    int byte = first_byte(file);
    Source *source = NULL;

    if (byte == '{' && is_json_lines(file))
        return json_lines_open(file);
    if (byte == '{' || byte == '[')
        return open_document(file);
    if (byte != EOF && !(source = small_table_open(file, options)))
        source = table_open(file, options);
    if (!source)
        fclose(file);
    return source;
}

/* "/data/shop.en.csv" → "shop.en" */
static const char *stem_of(Arena *arena, const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    const char *dot = strrchr(name, '.');

    return arena_text_of(arena, name, dot && dot > name ? (size_t)(dot - name) : strlen(name));
}

const Error *catalog_file_open(
    Arena *arena, const char *path, const char *currency, CatalogFile **file)
{
    SourceOptions options = { stem_of(arena, path), currency };
    FILE *stream = fopen(path, "rb");
    Source *source;

    if (!stream)
        return error_new(
            arena, ERROR_NOT_FOUND, "FILE_NOT_FOUND", "%s: %s.", path, strerror(errno));
    if (!(stream = unpack(stream)))
        return &damaged;
    if (!(source = open_source(stream, &options)))
        return &unreadable;
    *file = calloc(1, sizeof(**file));
    if (!*file)
        abort();
    (*file)->source = source;
    return NULL;
}

void catalog_file_close(CatalogFile *file)
{
    if (!file)
        return;
    file->source->close(file->source);
    free(file);
}

bool catalog_file_next(CatalogFile *file, Arena *arena, CatalogRow *row)
{
    return file->source->next(file->source, arena, row);
}

int catalog_file_progress(const CatalogFile *file)
{
    return file->source->progress(file->source);
}

const char *catalog_file_format(const CatalogFile *file)
{
    return file->source->format;
}
