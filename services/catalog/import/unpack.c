#include "services/catalog/import/unpack.h"

#include <stdbool.h>
#include <unistd.h>
#include <zlib.h>

enum { CHUNK = 64 * 1024 };

static bool is_packed(FILE *file)
{
    int first = getc(file);
    int second = getc(file);

    rewind(file);
    return first == 0x1f && second == 0x8b;
}

static bool copy_out(gzFile packed, FILE *out)
{
    char chunk[CHUNK];
    long long total = 0;
    int size;

    while ((size = gzread(packed, chunk, sizeof(chunk))) > 0) {
        total += size;
        if (total > UNPACK_MAX || fwrite(chunk, 1, (size_t)size, out) != (size_t)size)
            return false;
    }
    return size == 0 && !fflush(out);
}

FILE *unpack(FILE *file)
{
    FILE *out;
    gzFile packed;
    bool is_good;
    int fd;

    if (!is_packed(file))
        return file;
    fd = dup(fileno(file));
    packed = fd < 0 ? NULL : gzdopen(fd, "rb");
    if (!packed && fd >= 0)
        close(fd);
    fclose(file);
    out = tmpfile();
    is_good = packed && out && copy_out(packed, out);
    /* It is here that a file says that its end is missing. */
    if (packed && gzclose(packed) != Z_OK)
        is_good = false;
    if (!is_good) {
        if (out)
            fclose(out);
        return NULL;
    }
    rewind(out);
    return out;
}
