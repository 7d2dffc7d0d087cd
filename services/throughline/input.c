#include "services/throughline/input.h"
#include "services/throughline/data_folder.h"

#include "shared/base/text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { CHUNK = 64 * 1024 };

static const Error *unreadable(Arena *arena, const char *path)
{
    return error_new(
        arena, ERROR_INVALID_ARGUMENT, "FILE_UNREADABLE", "%s is no file that can be read.", path);
}

/* The copy has no name and goes with the process. */
static const Error *copy_of(Arena *arena, FILE *in, const char *path, const char **readable)
{
    FILE *copy = tmpfile();
    char chunk[CHUNK];
    size_t size;

    if (!copy)
        return file_unwritable(arena, "A temporary file");
    while ((size = fread(chunk, 1, sizeof(chunk), in)) > 0)
        if (fwrite(chunk, 1, size, copy) != size)
            break;
    if (ferror(copy) || fflush(copy))
        return file_unwritable(arena, "A temporary file");
    if (ferror(in))
        return unreadable(arena, path);
    *readable = arena_printf(arena, "/proc/self/fd/%d", fileno(copy));
    return NULL;
}

const Error *input_path(Arena *arena, const char *path, const char **readable)
{
    bool is_stdin = text_equal(path, "-");
    FILE *in = is_stdin ? stdin : fopen(path, "rb");
    const Error *error = NULL;
    struct stat about;

    if (!in)
        return error_new(
            arena, ERROR_NOT_FOUND, "FILE_NOT_FOUND", "%s: %s.", path, strerror(errno));
    *readable = path;
    if (fstat(fileno(in), &about) || S_ISDIR(about.st_mode))
        error = unreadable(arena, path);
    else if (is_stdin || !S_ISREG(about.st_mode))
        error = copy_of(arena, in, path, readable);
    if (!is_stdin)
        fclose(in);
    return error;
}

const char *input_text(Arena *arena)
{
    char *text = NULL;
    size_t room = 0;
    const char *kept =
        getdelim(&text, &room, '\0', stdin) < 0 ? "" : (const char *)arena_text(arena, text);

    free(text);
    return kept;
}
