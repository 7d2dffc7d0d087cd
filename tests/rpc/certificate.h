/* A certificate for tests: self-signed, so that it is server, client and authority at once. */
#ifndef THROUGHLINE_TESTS_RPC_CERTIFICATE_H
#define THROUGHLINE_TESTS_RPC_CERTIFICATE_H

#include "shared/base/arena.h"

#include <stdbool.h>

typedef struct Certificate {
    const char *path, *key_path;
    const char *text, *key_text; /* PEM */
} Certificate;

/* For "localhost" and spiffe://shop.local/svc/test, for a day. False where openssl is not there. */
bool certificate_make(Arena *arena, Certificate *certificate);

#endif
