#include "tests/unit/auth/forge.h"

#include "shared/base/text.h"

#include <cjose/cjose.h>
#include <jansson.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>
#include <string.h>

const char *forge_key_id(Arena *arena, const char *private_path)
{
    json_t *json = json_load_file(private_path, 0, NULL);
    const char *key_id = arena_text(arena, json_string_value(json_object_get(json, "kid")));

    json_decref(json);
    return key_id;
}

static const char *encode(Arena *arena, const char *text)
{
    return text_base64url(arena, (const uint8_t *)text, strlen(text));
}

const char *forge_signed(
    Arena *arena, const char *private_path, const char *header, const char *payload)
{
    json_t *key_json = json_load_file(private_path, 0, NULL);
    json_t *header_json = json_loads(header, 0, NULL);
    cjose_jwk_t *key = cjose_jwk_import_json(key_json, NULL);
    cjose_jws_t *jws =
        cjose_jws_sign(key, header_json, (const uint8_t *)payload, strlen(payload), NULL);
    const char *compact;
    const char *token;

    if (!jws || !cjose_jws_export(jws, &compact, NULL))
        abort();
    token = arena_text(arena, compact);
    cjose_jws_release(jws);
    cjose_jwk_release(key);
    json_decref(header_json);
    json_decref(key_json);
    return token;
}

const char *forge_hmac(Arena *arena, const char *secret, const char *header, const char *payload)
{
    const char *input = arena_printf(arena, "%s.%s", encode(arena, header), encode(arena, payload));
    uint8_t mac[EVP_MAX_MD_SIZE];
    unsigned size;

    HMAC(EVP_sha256(), secret, (int)strlen(secret), (const uint8_t *)input, strlen(input), mac,
        &size);
    return arena_printf(arena, "%s.%s", input, text_base64url(arena, mac, size));
}

const char *forge_unsigned(Arena *arena, const char *header, const char *payload)
{
    return arena_printf(arena, "%s.%s.", encode(arena, header), encode(arena, payload));
}
