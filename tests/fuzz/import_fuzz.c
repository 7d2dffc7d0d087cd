/* Catalogue files of any shop, or of none: the reader says what is wrong and in which row, and what it takes for a product, a category
 * or a location is a message that can be sent. */
#include "services/catalog/domain/findings.h"
#include "services/catalog/import/catalog_file.h"
#include "shared/codec/message.h"
#include "shared/codec/scan.h"
#include "tests/fuzz/fuzz.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static void check_message(Arena *arena, const void *message)
{
    const ProtobufCMessage *base = message;

    if (base)
        must(!scan_message(arena, base->descriptor, message_pack(arena, base)));
}

static void check_row(Arena *arena, const CatalogRow *row)
{
    Findings findings = { .arena = arena };

    must((row->product != NULL) + (row->category != NULL) + (row->location != NULL) <= 1);
    for (size_t i = 0; i < row->n_problems; i++)
        must(row->problems[i].row > 0 && row->problems[i].field && *row->problems[i].description);
    must(row->product || row->category || row->location || row->n_problems > 0);
    check_message(arena, row->product);
    check_message(arena, row->category);
    check_message(arena, row->location);
    if (row->product)
        product_check(row->product, &findings);
}

static void read_file(const char *path)
{
    Arena *arena = arena_new(), *row_arena = arena_new();
    CatalogFile *file;
    CatalogRow row;

    if (!catalog_file_open(arena, path, NULL, &file)) {
        must(*catalog_file_format(file) != '\0');
        while (catalog_file_next(file, row_arena, &row)) {
            check_row(row_arena, &row);
            must(catalog_file_progress(file) >= 0 && catalog_file_progress(file) <= 1000);
            arena_reset(row_arena);
        }
        catalog_file_close(file);
    }
    arena_free(row_arena);
    arena_free(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int file = memfd_create("import", 0);
    char path[64];

    must(file >= 0 && write(file, data, size) == (ssize_t)size);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
    read_file(path);
    close(file);
    return 0;
}
