/* Tokens that the product would never make, for tests of what it refuses. */
#ifndef THROUGHLINE_TESTS_UNIT_AUTH_FORGE_H
#define THROUGHLINE_TESTS_UNIT_AUTH_FORGE_H

#include "shared/base/arena.h"

/* The key id in a JWK file. */
const char *forge_key_id(Arena *arena, const char *private_path);

/* Any payload under any header, rightly signed with ES256 by the private key in the file. */
const char *forge_signed(
    Arena *arena, const char *private_path, const char *header, const char *payload);

/* Signed with HS256 under a secret. */
const char *forge_hmac(Arena *arena, const char *secret, const char *header, const char *payload);

/* Header and payload and no signature: "header.payload." */
const char *forge_unsigned(Arena *arena, const char *header, const char *payload);

#endif
