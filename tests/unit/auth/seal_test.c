/* Seals, alone and together; what is verified here is verified with another library's hash. */
#include "shared/auth/seal.h"

#include "tests/support/test_main.h"

#include <sodium.h>
#include <string.h>

enum { LARGEST = SEAL_MAX_TOGETHER, MUTATIONS = 20000, BYTES_SIZE = 48 };

static const char purpose[] = "tests.seal.v1";

static Arena *arena;
static uint8_t public_key[SEAL_PUBLIC_KEY], secret_key[SEAL_SECRET_KEY];
static SealItem made[LARGEST];

static void start(void)
{
    const uint8_t seed[SEAL_SEED] = { 42 };

    arena = arena_new();
    seal_key_pair(seed, public_key, secret_key);
}

static void stop(void)
{
    arena_free(arena);
}

/* So many different things, sealed together. */
static void make(size_t n_items)
{
    SealItem *items[LARGEST];

    for (size_t i = 0; i < n_items; i++) {
        uint8_t *bytes = arena_alloc(arena, BYTES_SIZE);

        memset(bytes, (int)i, BYTES_SIZE);
        made[i] = (SealItem){ .bytes = { bytes, BYTES_SIZE }, .arena = arena };
        items[i] = &made[i];
    }
    seal_make(purpose, items, n_items, secret_key);
}

static bool holds(const SealItem *item)
{
    return seal_holds(purpose, item->bytes, &item->seal, public_key);
}

/* The seal of a made item with a path of its own to be changed. */
static Seal seal_of(size_t number)
{
    Seal seal = made[number].seal;
    uint8_t *path = arena_alloc(arena, SEAL_HASH * (SEAL_MAX_PATH + 2));

    if (seal.path.size)
        memcpy(path, seal.path.data, seal.path.size);
    seal.path.data = path;
    return seal;
}

static bool fits(size_t number, const Seal *seal)
{
    return seal_holds(purpose, made[number].bytes, seal, public_key);
}

static void what_is_sealed_alone_is_plainly_signed(void)
{
    uint8_t whole[sizeof(purpose) + BYTES_SIZE];

    make(1);
    memcpy(whole, purpose, sizeof(purpose));
    memcpy(whole + sizeof(purpose), made[0].bytes.data, BYTES_SIZE);

    CU_ASSERT(holds(&made[0]));
    CHECK_INT(made[0].seal.path.size, 0);
    CHECK_INT(
        crypto_sign_verify_detached(made[0].seal.signature.data, whole, sizeof(whole), public_key),
        0);
}

/* As the header says, in so many words. */
static bool is_signed_together(const SealItem *item)
{
    uint8_t hash[32], leaf[1 + BYTES_SIZE] = { 0 }, node[65] = { 1 };
    uint8_t whole[sizeof(purpose) + 32];

    memcpy(leaf + 1, item->bytes.data, BYTES_SIZE);
    crypto_hash_sha256(hash, leaf, sizeof(leaf));
    for (size_t i = 0; i < item->seal.path.size / 32; i++) {
        bool is_right = item->seal.index >> i & 1;

        memcpy(node + 1, is_right ? item->seal.path.data + 32 * i : hash, 32);
        memcpy(node + 33, is_right ? hash : item->seal.path.data + 32 * i, 32);
        crypto_hash_sha256(hash, node, sizeof(node));
    }
    memcpy(whole, purpose, sizeof(purpose));
    whole[sizeof(purpose) - 1] = 1;
    memcpy(whole + sizeof(purpose), hash, 32);
    return !crypto_sign_verify_detached(
        item->seal.signature.data, whole, sizeof(whole), public_key);
}

static void as_many_as_may_be_share_one_signature(void)
{
    for (size_t n = 2, depth = 1; n <= LARGEST; n++) {
        depth += n > (size_t)1 << depth;
        make(n);
        for (size_t i = 0; i < n; i++) {
            CU_ASSERT(holds(&made[i]));
            CU_ASSERT(is_signed_together(&made[i]));
            CHECK_INT(made[i].seal.index, (int64_t)i);
            CHECK_INT(made[i].seal.path.size, (int64_t)(depth * SEAL_HASH));
            CU_ASSERT(
                !memcmp(made[i].seal.signature.data, made[0].seal.signature.data, SEAL_SIGNATURE));
        }
    }
}

static void the_same_is_sealed_the_same(void)
{
    Seal first;

    make(7);
    first = seal_of(5);
    make(7);

    CU_ASSERT(!memcmp(first.path.data, made[5].seal.path.data, first.path.size));
    CU_ASSERT(!memcmp(first.signature.data, made[5].seal.signature.data, SEAL_SIGNATURE));
}

/* Whether the seal of item 3 is refused with any bit of the bytes the other way round. */
static void check_bits(const uint8_t *bytes, size_t size, const Seal *seal)
{
    uint8_t *changed = (uint8_t *)(uintptr_t)bytes;

    for (size_t bit = 0; bit < 8 * size; bit++) {
        changed[bit / 8] ^= (uint8_t)(1 << bit % 8);
        CU_ASSERT(!fits(3, seal));
        changed[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    CU_ASSERT(fits(3, seal));
}

static void any_changed_bit_breaks_it(void)
{
    Seal seal;

    make(5);
    seal = seal_of(3);
    check_bits(made[3].bytes.data, BYTES_SIZE, &seal);
    check_bits(seal.signature.data, SEAL_SIGNATURE, &seal);
    check_bits(seal.path.data, seal.path.size, &seal);
    check_bits((const uint8_t *)&seal.index, sizeof(seal.index), &seal);
}

static void the_way_of_another_leads_elsewhere(void)
{
    make(6);
    for (size_t i = 0; i < 6; i++)
        for (size_t j = 0; j < 6; j++) {
            Seal seal = seal_of(j);

            CHECK_INT(fits(i, &seal), i == j);
            seal.index = (uint32_t)i;
            CHECK_INT(fits(i, &seal), i == j);
        }
}

static void a_way_in_another_order_leads_elsewhere(void)
{
    Seal seal;
    uint8_t *path;

    make(8);
    seal = seal_of(3);
    path = (uint8_t *)(uintptr_t)seal.path.data;
    memcpy(path, made[3].seal.path.data + SEAL_HASH, SEAL_HASH);
    memcpy(path + SEAL_HASH, made[3].seal.path.data, SEAL_HASH);
    CU_ASSERT(!fits(3, &seal));
}

static void a_way_of_another_length_leads_elsewhere(void)
{
    make(8);
    for (size_t size = 0; size <= SEAL_HASH * (SEAL_MAX_PATH + 2); size++) {
        Seal seal = seal_of(0);

        seal.path.size = size;
        CHECK_INT(fits(0, &seal), size == 3 * SEAL_HASH);
    }
}

/* What stands above a leaf must not pass for one. */
static void a_node_is_no_leaf(void)
{
    uint8_t *inside = arena_alloc(arena, 2 * SEAL_HASH);
    uint8_t leaf[1 + BYTES_SIZE] = { 0 };
    Seal seal;

    make(4);
    memcpy(leaf + 1, made[0].bytes.data, BYTES_SIZE);
    crypto_hash_sha256(inside, leaf, sizeof(leaf));
    memcpy(inside + SEAL_HASH, made[0].seal.path.data, SEAL_HASH);
    seal = (Seal){ made[0].seal.signature, 0,
        { made[0].seal.path.data + SEAL_HASH, made[0].seal.path.size - SEAL_HASH } };

    CU_ASSERT(!seal_holds(purpose, (Bytes){ inside, 2 * SEAL_HASH }, &seal, public_key));
}

static void signatures_of_one_and_of_many_are_not_taken_for_each_other(void)
{
    uint8_t root[SEAL_HASH], leaf[1 + BYTES_SIZE] = { 0 }, node[65] = { 1 };
    Seal seal;

    make(2);
    memcpy(leaf + 1, made[0].bytes.data, BYTES_SIZE);
    crypto_hash_sha256(node + 1, leaf, sizeof(leaf));
    memcpy(node + 33, made[0].seal.path.data, SEAL_HASH);
    crypto_hash_sha256(root, node, sizeof(node));
    seal = (Seal){ .signature = made[0].seal.signature };

    CU_ASSERT(!seal_holds(purpose, (Bytes){ root, sizeof(root) }, &seal, public_key));
    CU_ASSERT(!fits(0, &seal));
}

static void a_seal_is_for_its_purpose_and_key_only(void)
{
    uint8_t other_key[SEAL_PUBLIC_KEY], other_secret[SEAL_SECRET_KEY];
    const uint8_t seed[SEAL_SEED] = { 43 };

    seal_key_pair(seed, other_key, other_secret);
    for (size_t n = 1; n <= 2; n++) {
        make(n);
        CU_ASSERT(!seal_holds("tests.seal.v2", made[0].bytes, &made[0].seal, public_key));
        CU_ASSERT(!seal_holds("", made[0].bytes, &made[0].seal, public_key));
        CU_ASSERT(!seal_holds(purpose, made[0].bytes, &made[0].seal, other_key));
        made[0].seal.signature.size--;
        CU_ASSERT(!holds(&made[0]));
        made[0].seal.signature.size = 0;
        CU_ASSERT(!holds(&made[0]));
    }
}

/* The same sequence every time. */
static uint32_t next_number(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*state >> 33);
}

static void no_noise_makes_a_seal(void)
{
    uint64_t state = 1;

    make(LARGEST);
    for (int i = 0; i < MUTATIONS; i++) {
        size_t number = next_number(&state) % LARGEST;
        Seal seal = seal_of(number);
        uint8_t *path = (uint8_t *)(uintptr_t)seal.path.data;
        bool is_changed;

        seal.index = next_number(&state) % 3 ? seal.index : next_number(&state) % LARGEST;
        if (next_number(&state) % 2)
            path[next_number(&state) % seal.path.size] ^= (uint8_t)next_number(&state);
        if (next_number(&state) % 4 == 0)
            seal.path.size = next_number(&state) % (SEAL_HASH * (SEAL_MAX_PATH + 2));
        is_changed = seal.index != made[number].seal.index ||
                     seal.path.size != made[number].seal.path.size ||
                     memcmp(path, made[number].seal.path.data, seal.path.size) != 0;
        CHECK_INT(fits(number, &seal), !is_changed);
        if (i % 1000 == 0) {
            arena_reset(arena);
            make(LARGEST);
        }
    }
}

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        { "what_is_sealed_alone_is_plainly_signed", what_is_sealed_alone_is_plainly_signed },
        { "as_many_as_may_be_share_one_signature", as_many_as_may_be_share_one_signature },
        { "the_same_is_sealed_the_same", the_same_is_sealed_the_same },
        { "any_changed_bit_breaks_it", any_changed_bit_breaks_it },
        { "the_way_of_another_leads_elsewhere", the_way_of_another_leads_elsewhere },
        { "a_way_in_another_order_leads_elsewhere", a_way_in_another_order_leads_elsewhere },
        { "a_way_of_another_length_leads_elsewhere", a_way_of_another_length_leads_elsewhere },
        { "a_node_is_no_leaf", a_node_is_no_leaf },
        { "signatures_of_one_and_of_many_are_not_taken_for_each_other",
            signatures_of_one_and_of_many_are_not_taken_for_each_other },
        { "a_seal_is_for_its_purpose_and_key_only", a_seal_is_for_its_purpose_and_key_only },
        { "no_noise_makes_a_seal", no_noise_makes_a_seal },
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        { .pName = "seal", .pTests = tests, .pSetUpFunc = start, .pTearDownFunc = stop },
        CU_SUITE_INFO_NULL,
    };

    return test_main("auth_seal", suites, argc, argv);
}
