#include "shared/auth/seal.h"

#include <assert.h>
#include <openssl/evp.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

/* After the purpose, and before what is hashed. */
enum { ALONE = 0, TOGETHER = 1, LEAF = 0, NODE = 1 };

enum { MAX_DEPTH = 6 };
_Static_assert(
    SEAL_MAX_TOGETHER == 1 << MAX_DEPTH, "the tree of as many as may be sealed together");

static const uint8_t nothing[SEAL_HASH];

/* Its digest is looked up once for all that it hashes. */
static EVP_MD_CTX *new_hasher(void)
{
    EVP_MD_CTX *hasher = EVP_MD_CTX_new();

    if (!hasher || !EVP_DigestInit_ex(hasher, EVP_sha256(), NULL))
        abort();
    return hasher;
}

static void hash(
    EVP_MD_CTX *hasher, uint8_t kind, Bytes first, Bytes second, uint8_t into[SEAL_HASH])
{
    if (!EVP_DigestInit_ex(hasher, NULL, NULL) || !EVP_DigestUpdate(hasher, &kind, 1) ||
        !EVP_DigestUpdate(hasher, first.data, first.size) ||
        !EVP_DigestUpdate(hasher, second.data, second.size) ||
        !EVP_DigestFinal_ex(hasher, into, NULL))
        abort();
}

static void hash_leaf(EVP_MD_CTX *hasher, Bytes bytes, uint8_t into[SEAL_HASH])
{
    hash(hasher, LEAF, bytes, (Bytes){ 0 }, into);
}

static void hash_node(
    EVP_MD_CTX *hasher, const uint8_t *left, const uint8_t *right, uint8_t into[SEAL_HASH])
{
    hash(hasher, NODE, (Bytes){ left, SEAL_HASH }, (Bytes){ right, SEAL_HASH }, into);
}

/* What is signed. */
static Bytes signed_bytes(const char *purpose, uint8_t kind, Bytes bytes, Arena *arena)
{
    size_t length = strlen(purpose);
    uint8_t *whole = arena_alloc(arena, length + 1 + bytes.size);

    memcpy(whole, purpose, length);
    whole[length] = kind;
    if (bytes.size)
        memcpy(whole + length + 1, bytes.data, bytes.size);
    return (Bytes){ whole, length + 1 + bytes.size };
}

void seal_key_pair(const uint8_t seed[SEAL_SEED], uint8_t public_key[SEAL_PUBLIC_KEY],
    uint8_t secret_key[SEAL_SECRET_KEY])
{
    crypto_sign_seed_keypair(public_key, secret_key, seed);
}

static void sign(const char *purpose, uint8_t kind, Bytes bytes, Arena *arena,
    const uint8_t *secret_key, uint8_t signature[SEAL_SIGNATURE])
{
    Bytes whole = signed_bytes(purpose, kind, bytes, arena);

    crypto_sign_detached(signature, NULL, whole.data, whole.size, secret_key);
}

/* Hashes of one level, from the left. */
typedef uint8_t Level[SEAL_MAX_TOGETHER + 1][SEAL_HASH];

/* Brings each item one hash further, and the level to that above it; how many hashes that has. */
static size_t climb(EVP_MD_CTX *hasher, size_t depth, SealItem *const *items, size_t n_items,
    Level level, size_t n_level)
{
    memcpy(level[n_level], nothing, SEAL_HASH);
    for (size_t i = 0; i < n_items; i++) {
        uint8_t *path = (uint8_t *)items[i]->seal.path.data;

        memcpy(path + depth * SEAL_HASH, level[(i >> depth) ^ 1], SEAL_HASH);
        items[i]->seal.path.size += SEAL_HASH;
    }
    for (size_t i = 0; 2 * i < n_level; i++)
        hash_node(hasher, level[2 * i], level[2 * i + 1], level[i]);
    return (n_level + 1) / 2;
}

static void seal_together(
    const char *purpose, SealItem *const *items, size_t n_items, const uint8_t *secret_key)
{
    EVP_MD_CTX *hasher = new_hasher();
    uint8_t signature[SEAL_SIGNATURE];
    size_t n_level = n_items;
    Level level;

    for (size_t i = 0; i < n_items; i++) {
        items[i]->seal.index = (uint32_t)i;
        items[i]->seal.path.data = arena_alloc(items[i]->arena, MAX_DEPTH * SEAL_HASH);
        hash_leaf(hasher, items[i]->bytes, level[i]);
    }
    for (size_t depth = 0; n_level > 1; depth++)
        n_level = climb(hasher, depth, items, n_items, level, n_level);
    EVP_MD_CTX_free(hasher);
    sign(purpose, TOGETHER, (Bytes){ level[0], SEAL_HASH }, items[0]->arena, secret_key, signature);
    for (size_t i = 0; i < n_items; i++)
        items[i]->seal.signature =
            (Bytes){ arena_copy(items[i]->arena, signature, SEAL_SIGNATURE), SEAL_SIGNATURE };
}

void seal_make(const char *purpose, SealItem *const *items, size_t n_items,
    const uint8_t secret_key[SEAL_SECRET_KEY])
{
    uint8_t signature[SEAL_SIGNATURE];

    assert(n_items >= 1 && n_items <= SEAL_MAX_TOGETHER);
    for (size_t i = 0; i < n_items; i++)
        items[i]->seal = (Seal){ 0 };
    if (n_items > 1) {
        seal_together(purpose, items, n_items, secret_key);
        return;
    }
    sign(purpose, ALONE, items[0]->bytes, items[0]->arena, secret_key, signature);
    items[0]->seal.signature =
        (Bytes){ arena_copy(items[0]->arena, signature, SEAL_SIGNATURE), SEAL_SIGNATURE };
}

/* The root that the leaf's way leads to. */
static void find_root(Bytes bytes, const Seal *seal, uint8_t root[SEAL_HASH])
{
    EVP_MD_CTX *hasher = new_hasher();
    const uint8_t *beside = seal->path.data;

    hash_leaf(hasher, bytes, root);
    for (size_t i = 0; i < seal->path.size / SEAL_HASH; i++, beside += SEAL_HASH) {
        bool is_right = seal->index >> i & 1;

        hash_node(hasher, is_right ? beside : root, is_right ? root : beside, root);
    }
    EVP_MD_CTX_free(hasher);
}

static bool is_well_formed(const Seal *seal)
{
    size_t depth = seal->path.size / SEAL_HASH;

    return seal->signature.size == SEAL_SIGNATURE && seal->path.size % SEAL_HASH == 0 &&
           depth <= SEAL_MAX_PATH && seal->index >> depth == 0;
}

bool seal_holds(
    const char *purpose, Bytes bytes, const Seal *seal, const uint8_t public_key[SEAL_PUBLIC_KEY])
{
    uint8_t root[SEAL_HASH];
    Arena *arena;
    Bytes whole;
    bool holds;

    if (!is_well_formed(seal))
        return false;
    arena = arena_new();
    if (seal->path.size > 0) {
        find_root(bytes, seal, root);
        whole = signed_bytes(purpose, TOGETHER, (Bytes){ root, SEAL_HASH }, arena);
    } else {
        whole = signed_bytes(purpose, ALONE, bytes, arena);
    }
    holds = !crypto_sign_verify_detached(seal->signature.data, whole.data, whole.size, public_key);
    arena_free(arena);
    return holds;
}
