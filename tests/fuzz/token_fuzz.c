/* Tokens: whatever bytes come, none is accepted that our key has not signed; and what it has signed is accepted only when it says for
 * whom, by whom and until when. The first byte chooses: the token itself, or the claims that are signed. */
#include "shared/auth/token.h"
#include "shared/base/text.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/auth/forge.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const int64_t now = INT64_C(1800000000000000);

static struct {
    TokenKeys *keys;
    const char *private_path;
    const char *header;
} fuzz;

static void start(void)
{
    static char folder[] = "/tmp/token-fuzz-XXXXXX";
    static Arena *arena;
    const char *public_path;

    if (arena)
        return;
    arena = arena_new();
    must(mkdtemp(folder) != NULL);
    fuzz.private_path = arena_printf(arena, "%s/private.jwk", folder);
    public_path = arena_printf(arena, "%s/public.jwks", folder);
    must(!token_keys_create(arena, fuzz.private_path, public_path));
    must(!token_keys_open(arena, public_path, &fuzz.keys));
    fuzz.header = arena_printf(
        arena, "{\"alg\":\"ES256\",\"kid\":\"%s\"}", forge_key_id(arena, fuzz.private_path));
}

static void remove_keys(void) __attribute__((destructor));
static void remove_keys(void)
{
    char path[64];

    if (!fuzz.private_path)
        return;
    snprintf(path, sizeof(path), "%.*s", (int)(strrchr(fuzz.private_path, '/') - fuzz.private_path),
        fuzz.private_path);
    unlink(fuzz.private_path);
    strncat(path, "/public.jwks", sizeof(path) - strlen(path) - 1);
    unlink(path);
    *strrchr(path, '/') = '\0';
    rmdir(path);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    bool is_signed = size && data[0] & 1;
    const Caller *caller = NULL;
    const Error *error;
    const char *text;
    Arena *arena;

    if (size < 1)
        return 0;
    start();
    arena = arena_new();
    text = arena_text_of(arena, (const char *)data + 1, size - 1);
    if (is_signed)
        text = forge_signed(arena, fuzz.private_path, fuzz.header, text);
    error = token_verify(fuzz.keys, arena, text, now, &caller);
    must(error ? error->code == ERROR_UNAUTHENTICATED : is_signed);
    if (!error)
        must(caller && text_starts_with(caller->account, "accounts/") && caller->channel &&
             caller->expires_at > now - TOKEN_LEEWAY_SECONDS * INT64_C(1000000));
    arena_free(arena);
    return 0;
}
