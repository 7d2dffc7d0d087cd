/* What is in memory and the audit trail, both made of one reading of the event log, without a server around them. */
#include "shared/codec/message.h"
#include "shared/codec/types.h"
#include "shared/store/engine_failing.h"
#include "tests/service/catalog/bare_catalog.h"
#include "tests/support/test_main.h"
#include "tests/unit/catalog/builders.h"

typedef Throughline__Catalog__V1__ProductChanged ProductChanged;

enum { MANY = 450 }; /* more than two pages */

static const Error disk_full = { ERROR_RESOURCE_EXHAUSTED, "STORE_FULL", "Full, says the test." };

static BareCatalog bare;
static Arena *arena;

static void set_up(void)
{
    bare_catalog_open(&bare);
    arena = bare.arena;
}

static void tear_down(void)
{
    bare_catalog_close(&bare);
}

static const char *follow(void)
{
    return error_reason(catalog_follow(bare_catalog_call(&bare)));
}

/* Stores a product as another replica does; with `is_revalued` it has a price that somebody changed. */
static void store_product(const char *name, bool is_revalued)
{
    ProductChanged event = THROUGHLINE__CATALOG__V1__PRODUCT_CHANGED__INIT;
    Product *product = a_simple_product(arena, name, "Tents", "EUR", 100);

    event.product = product;
    if (is_revalued) {
        event.revaluation =
            message_new(arena, &throughline__catalog__v1__product_revaluation__descriptor);
        event.revaluation->title = text(arena, "EUR 1.00 -> 2.00");
        event.revaluation->deed = message_new(arena, &throughline__catalog__v1__deed__descriptor);
        event.revaluation->deed->actor = text(arena, "agents/ann");
        event.revaluation->deed->time = timestamp_from_micros(arena, 1);
    }
    CHECK_TEXT(
        error_reason(store_insert(bare_catalog_call(&bare)->store, &products, product, &event)),
        "OK");
}

static bool is_in_memory(const char *name)
{
    return snapshot_product(bare.catalog.snapshot, arena_printf(arena, "products/%s", name), arena);
}

static size_t n_entries(void)
{
    StoreQuery query = { .index = "actor", .limit = STORE_MAX_PAGE };
    StorePage page = { 0 };

    query.equal[0] = (StoreValue){ .kind = STORE_TEXT, .text = "agents/ann" };
    CHECK_TEXT(
        error_reason(store_find(bare_catalog_call(&bare)->store, &audit_entries, &query, &page)),
        "OK");
    return page.n_messages;
}

static void one_reading_serves_memory_and_trail(void)
{
    store_product("a", true);
    store_product("b", false);
    CHECK_TEXT(follow(), "OK");

    CHECK_INT(is_in_memory("a"), true);
    CHECK_INT(is_in_memory("b"), true);
    CHECK_INT(n_entries(), 1);
    CHECK_TEXT(follow(), "OK");
    CHECK_INT(n_entries(), 1);
}

static void many_pages_are_read_to_their_end(void)
{
    for (int i = 0; i < MANY; i++)
        store_product(arena_printf(arena, "p%d", i), i % 2 == 0);
    CHECK_TEXT(follow(), "OK");

    CHECK_INT(snapshot_count(bare.catalog.snapshot), MANY);
    CHECK_INT(n_entries(), MANY / 2);
}

static void memory_goes_on_while_the_trail_cannot_be_written(void)
{
    StoreFault fault = {
        .operation = STORE_OP_WRITE, .nth = 1, .is_lasting = true, .error = &disk_full
    };

    store_product("a", true);
    store_fail(bare.store, &fault);
    CHECK_TEXT(follow(), "STORE_FULL");
    store_fail(bare.store, NULL);
    store_product("b", true);

    CHECK_INT(is_in_memory("a"), true);
    CHECK_INT(n_entries(), 0);
    CHECK_TEXT(follow(), "OK");
    CHECK_INT(is_in_memory("b"), true);
    CHECK_INT(n_entries(), 2);
}

static void memory_goes_on_while_the_trail_cannot_be_read(void)
{
    StoreFault fault = { .operation = STORE_OP_GET, .nth = 1, .error = &disk_full };

    store_product("a", true);
    store_fail(bare.store, &fault);
    CHECK_TEXT(follow(), "STORE_FULL");

    CHECK_INT(is_in_memory("a"), true);
    CHECK_TEXT(follow(), "OK");
    CHECK_INT(n_entries(), 1);
}

/* After a crash: memory is loaded anew and stands at the end of the log, the trail does not. */
static void a_trail_that_is_behind_catches_up(void)
{
    StoreView *view = bare_catalog_call(&bare)->store;

    for (int i = 0; i < MANY; i++)
        store_product(arena_printf(arena, "p%d", i), true);
    for (int i = 0; i < STORE_PARTITIONS; i++)
        CHECK_TEXT(error_reason(event_log_head(view, i, &bare.catalog.followed[i])), "OK");
    store_product("last", true);
    CHECK_TEXT(follow(), "OK");

    CHECK_INT(snapshot_count(bare.catalog.snapshot), 1);
    CHECK_INT(is_in_memory("last"), true);
    CHECK_INT(n_entries(), MANY + 1);
}

/* What is newer in memory than its event stays. */
static void an_event_that_comes_late_changes_nothing(void)
{
    Product *newer = a_simple_product(arena, "a", "Tents", "EUR", 200);

    store_product("a", false);
    newer->etag = text(arena, "2");
    catalog_put(&bare.catalog, newer);
    CHECK_TEXT(follow(), "OK");

    CHECK_TEXT(snapshot_product(bare.catalog.snapshot, "products/a", arena)->etag, "2");
}

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        { "one_reading_serves_memory_and_trail", one_reading_serves_memory_and_trail },
        { "many_pages_are_read_to_their_end", many_pages_are_read_to_their_end },
        { "memory_goes_on_while_the_trail_cannot_be_written",
            memory_goes_on_while_the_trail_cannot_be_written },
        { "memory_goes_on_while_the_trail_cannot_be_read",
            memory_goes_on_while_the_trail_cannot_be_read },
        { "a_trail_that_is_behind_catches_up", a_trail_that_is_behind_catches_up },
        { "an_event_that_comes_late_changes_nothing", an_event_that_comes_late_changes_nothing },
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        { .pName = "follow", .pSetUpFunc = set_up, .pTearDownFunc = tear_down, .pTests = tests },
        CU_SUITE_INFO_NULL,
    };

    return test_main("catalog_follow", suites, argc, argv);
}
