/* The keys behind tokens: JWK files, and the set of public keys that verifying looks in. */
#ifndef THROUGHLINE_AUTH_TOKEN_KEYS_H
#define THROUGHLINE_AUTH_TOKEN_KEYS_H

#include "shared/base/arena.h"
#include "shared/base/error.h"

#include <cjose/jwk.h>
#include <stdint.h>

/* A file of public keys (a JWK set) that may be replaced at any time. Any thread. */
typedef struct KeyFile KeyFile;

enum { KEY_FILE_MAX_KEYS = 32, KEY_ID_MAX_LENGTH = 128 };

const Error *key_file_open(Arena *arena, const char *path, KeyFile **file);
void key_file_close(KeyFile *file);

/* The key of that id, NULL when there is none; reads the file again (at most once a second) before
 * it says so. A key that is not NULL must be given back; until then it is not replaced. */
const cjose_jwk_t *key_file_borrow(KeyFile *file, const char *key_id);
void key_file_give_back(KeyFile *file);

/* A number that changes whenever the keys do. */
uint64_t key_file_generation(const KeyFile *file);

/* Reads a private key; the caller releases it. */
const Error *key_read_private(Arena *arena, const char *path, cjose_jwk_t **key);

#endif
