/* The snapshot: versions, codes that move, order, and readers beside a writer. */
#include "services/catalog/products/snapshot.h"

#include "shared/codec/message.h"
#include "tests/support/test_main.h"
#include "tests/unit/catalog/builders.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { MANY = 5000, READERS = 4, ROUNDS = 20000 };

static Arena *arena;
static Snapshot *snapshot;

static void set_up(void)
{
    arena = arena_new();
    snapshot = snapshot_new();
}

static void tear_down(void)
{
    snapshot_free(snapshot);
    arena_free(arena);
}

static Product *version(Product *product, int64_t number)
{
    product->etag = arena_printf(arena, "%lld", (long long)number);
    return product;
}

static const Product *get(const char *name)
{
    Bytes packed;

    if (!snapshot_get(snapshot, name, arena, &packed))
        return NULL;
    return message_unpack(arena, &throughline__catalog__v1__product__descriptor, packed);
}

static const char *owner(SnapshotKey key, const char *code)
{
    Bytes packed;
    const char *sku;
    const Product *product;

    if (!snapshot_find(snapshot, key, code, arena, &packed, &sku))
        return NULL;
    product = message_unpack(arena, &throughline__catalog__v1__product__descriptor, packed);
    return arena_printf(arena, "%s %s", product->name, sku);
}

static void what_is_put_is_found(void)
{
    Product *product = version(a_product(arena), 1);

    snapshot_put(snapshot, product);

    CU_ASSERT(message_equal(get("products/tent"), product));
    CHECK_TEXT(owner(SNAPSHOT_SKU, "tent-red"), "products/tent tent-red");
    CHECK_TEXT(owner(SNAPSHOT_GTIN, "04006381333931"), "products/tent tent-green");
    CU_ASSERT_PTR_NULL(get("products/other"));
    CU_ASSERT_PTR_NULL(owner(SNAPSHOT_SKU, "other"));
    CHECK_INT(snapshot_count(snapshot), 1);
}

static void older_versions_are_passed_over(void)
{
    Product *product = a_product(arena);

    snapshot_put(snapshot, version(product, 10));
    product->title = text(arena, "Old");
    snapshot_put(snapshot, version(product, 9));
    CHECK_TEXT(get("products/tent")->title, "Two-person tent");
    product->title = text(arena, "New");
    snapshot_put(snapshot, version(product, 11));
    CHECK_TEXT(get("products/tent")->title, "New");
    CHECK_INT(snapshot_count(snapshot), 1);
}

static void codes_go_with_the_version_that_had_them(void)
{
    Product *product = a_product(arena);

    snapshot_put(snapshot, version(product, 1));
    product->n_variants = 1;
    product->variants[0]->gtin = text(arena, "");
    snapshot_put(snapshot, version(product, 2));

    CU_ASSERT_PTR_NULL(owner(SNAPSHOT_SKU, "tent-red"));
    CU_ASSERT_PTR_NULL(owner(SNAPSHOT_GTIN, "04006381333931"));
    CHECK_TEXT(owner(SNAPSHOT_SKU, "tent-green"), "products/tent tent-green");
}

/* The news of a code that moves may come in either order. */
static void a_code_that_moves_is_never_lost(void)
{
    Product *from = a_product(arena);
    Product *to = a_simple_product(arena, "heir", "", "EUR", 1);

    snapshot_put(snapshot, version(from, 1));
    to->variants[0]->sku = text(arena, "tent-red");
    snapshot_put(snapshot, version(to, 1));
    CU_ASSERT_PTR_NOT_NULL(owner(SNAPSHOT_SKU, "tent-red"));
    from->n_variants = 1;
    snapshot_put(snapshot, version(from, 2));

    CHECK_TEXT(owner(SNAPSHOT_SKU, "tent-red"), "products/heir tent-red");
}

static void walks_are_in_order_whenever_products_came(void)
{
    SnapshotEntry *entries[100];
    const char *before = "";
    int n_seen = 0;
    size_t n_entries;

    for (int i = 0; i < MANY; i++) {
        const char *name = arena_printf(arena, "p%05d", i * 3571 % MANY);

        snapshot_put(snapshot, version(a_simple_product(arena, name, "", "EUR", 1), 1));
        if (i == MANY / 2) {
            n_entries = snapshot_walk(snapshot, "", entries, 100);
            for (size_t j = 0; j < n_entries; j++)
                snapshot_release(entries[j]);
        }
    }
    do {
        n_entries = snapshot_walk(snapshot, before, entries, 100);
        for (size_t i = 0; i < n_entries; i++, n_seen++) {
            CHECK_TEXT(entries[i]->name, arena_printf(arena, "products/p%05d", n_seen));
            before = arena_text(arena, entries[i]->name);
            snapshot_release(entries[i]);
        }
    } while (n_entries > 0);

    CHECK_INT(n_seen, MANY);
    CHECK_TEXT(owner(SNAPSHOT_SKU, "p04999"), "products/p04999 p04999");
}

static void what_is_held_stays_as_it_was(void)
{
    Product *product = a_product(arena);
    SnapshotEntry *entry;

    snapshot_put(snapshot, version(product, 1));
    CHECK_INT(snapshot_walk(snapshot, "", &entry, 1), 1);
    product->category = text(arena, "Elsewhere");
    snapshot_put(snapshot, version(product, 2));

    CHECK_TEXT(entry->paths.paths[0], "Outdoor > Tents");
    CHECK_INT(entry->version, 1);
    snapshot_release(entry);
}

static void a_reply_packs_to_the_stored_bytes(void)
{
    Product *product = version(a_product(arena), 3);
    Product reply = THROUGHLINE__CATALOG__V1__PRODUCT__INIT;
    Throughline__Catalog__V1__FindVariantResponse around =
        THROUGHLINE__CATALOG__V1__FIND_VARIANT_RESPONSE__INIT;
    const Throughline__Catalog__V1__FindVariantResponse *read;
    Bytes packed;

    snapshot_put(snapshot, product);
    CU_ASSERT_FATAL(snapshot_get(snapshot, "products/tent", arena, &packed));
    snapshot_reply(arena, packed, &reply);
    around.product = &reply;
    around.sku = text(arena, "tent-red");
    read = message_unpack(arena, &throughline__catalog__v1__find_variant_response__descriptor,
        message_pack(arena, &around));

    CU_ASSERT(message_equal(&reply, product));
    CU_ASSERT(message_equal(read->product, product));
    CHECK_TEXT(read->sku, "tent-red");
}

/* Threads. */

static void *read_repeatedly(void *wrong)
{
    Arena *memory = arena_new();
    unsigned seed = 1;

    for (int i = 0; i < ROUNDS; i++) {
        char name[32];
        Bytes packed;
        const char *sku;
        SnapshotEntry *entries[8];
        size_t n_entries;

        snprintf(name, sizeof(name), "q%03d", rand_r(&seed) % 200);
        if (snapshot_find(snapshot, SNAPSHOT_SKU, name, memory, &packed, &sku) &&
            strcmp(sku, name) != 0)
            ++*(int *)wrong;
        n_entries = snapshot_walk(snapshot, name, entries, 8);
        for (size_t j = 0; j < n_entries; j++) {
            if (j > 0 && strcmp(entries[j - 1]->name, entries[j]->name) >= 0)
                ++*(int *)wrong;
            if (j > 0)
                snapshot_release(entries[j - 1]);
        }
        if (n_entries > 0)
            snapshot_release(entries[n_entries - 1]);
        arena_reset(memory);
    }
    arena_free(memory);
    return NULL;
}

static void readers_and_a_writer_do_not_disturb_one_another(void)
{
    pthread_t threads[READERS];
    int wrong[READERS] = { 0 };

    for (int i = 0; i < READERS; i++)
        CU_ASSERT_FATAL(!pthread_create(&threads[i], NULL, read_repeatedly, &wrong[i]));
    for (int round = 1; round <= 20; round++)
        for (int i = 0; i < 200; i++) {
            const char *name = arena_printf(arena, "q%03d", i * 77 % 200);

            snapshot_put(snapshot, version(a_simple_product(arena, name, "", "EUR", 1), round));
        }
    for (int i = 0; i < READERS; i++) {
        pthread_join(threads[i], NULL);
        CHECK_INT(wrong[i], 0);
    }
    CHECK_INT(snapshot_count(snapshot), 200);
}

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        { "what_is_put_is_found", what_is_put_is_found },
        { "older_versions_are_passed_over", older_versions_are_passed_over },
        { "codes_go_with_the_version_that_had_them", codes_go_with_the_version_that_had_them },
        { "a_code_that_moves_is_never_lost", a_code_that_moves_is_never_lost },
        { "walks_are_in_order_whenever_products_came", walks_are_in_order_whenever_products_came },
        { "what_is_held_stays_as_it_was", what_is_held_stays_as_it_was },
        { "a_reply_packs_to_the_stored_bytes", a_reply_packs_to_the_stored_bytes },
        { "readers_and_a_writer_do_not_disturb_one_another",
            readers_and_a_writer_do_not_disturb_one_another },
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        { .pName = "snapshot", .pSetUpFunc = set_up, .pTearDownFunc = tear_down, .pTests = tests },
        CU_SUITE_INFO_NULL,
    };

    return test_main("catalog_snapshot", suites, argc, argv);
}
