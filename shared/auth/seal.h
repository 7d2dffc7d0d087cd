/* Seals: Ed25519 signatures (RFC 8032) over bytes of one purpose, which whoever holds the public key
 * verifies without asking. What is sealed at the same moment shares one signature, over the root of
 * a tree of hashes; each seal then says where in the tree its bytes stand.
 *
 * Alone, what is signed is the purpose, a byte 0 and the bytes; together, the purpose, a byte 1 and
 * the root. Leaves are SHA-256 of a byte 0 and the bytes, nodes SHA-256 of a byte 1 and the two hashes
 * below; where a level has an odd number of them, 32 bytes 0 stand in for the last. */
#ifndef THROUGHLINE_BASE_SEAL_H
#define THROUGHLINE_BASE_SEAL_H

#include "shared/base/arena.h"
#include "shared/base/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    SEAL_SEED = 32,
    SEAL_PUBLIC_KEY = 32,
    SEAL_SECRET_KEY = 64, /* seed and public key */
    SEAL_SIGNATURE = 64,
    SEAL_HASH = 32,
    SEAL_MAX_TOGETHER = 64,
    SEAL_MAX_PATH = 16, /* that is verified */
};

typedef struct Seal {
    Bytes signature;
    uint32_t index; /* of the leaf */
    Bytes path;     /* hashes beside the way from the leaf to the root; none: sealed alone */
} Seal;

/* Something to be sealed, and the arena that its seal lives in. */
typedef struct SealItem {
    Bytes bytes;
    Arena *arena;
    Seal seal;
} SealItem;

void seal_key_pair(const uint8_t seed[SEAL_SEED], uint8_t public_key[SEAL_PUBLIC_KEY],
    uint8_t secret_key[SEAL_SECRET_KEY]);

/* Seals 1 to SEAL_MAX_TOGETHER items. */
void seal_make(const char *purpose, SealItem *const *items, size_t n_items,
    const uint8_t secret_key[SEAL_SECRET_KEY]);

/* Whether the seal is that of these bytes; any seal may be asked for. */
bool seal_holds(
    const char *purpose, Bytes bytes, const Seal *seal, const uint8_t public_key[SEAL_PUBLIC_KEY]);

#endif
