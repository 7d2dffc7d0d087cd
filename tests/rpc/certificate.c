#include "tests/rpc/certificate.h"

#include "tests/support/test_main.h"

#include <stdio.h>
#include <stdlib.h>

enum { PEM_MAX = 65536 };

static const char *read_whole(Arena *arena, const char *path)
{
    char *bytes = arena_alloc(arena, PEM_MAX);
    FILE *file = fopen(path, "re");

    if (!file || fread(bytes, 1, PEM_MAX - 1, file) == 0)
        abort();
    fclose(file);
    return bytes;
}

bool certificate_make(Arena *arena, Certificate *certificate)
{
    const char *folder = test_folder();
    const char *path = arena_printf(arena, "%s/cert.pem", folder);
    const char *key_path = arena_printf(arena, "%s/key.pem", folder);
    const char *command = arena_printf(arena,
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 -subj "
        "/CN=localhost -addext subjectAltName=DNS:localhost,URI:spiffe://shop.local/svc/test "
        "-keyout %s -out %s >/dev/null 2>&1",
        key_path, path);

    if (system(command) != 0)
        return false;
    *certificate =
        (Certificate){ path, key_path, read_whole(arena, path), read_whole(arena, key_path) };
    return true;
}
