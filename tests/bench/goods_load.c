/* The catalogue's goods under load, each in a mode of its own: products imported over gRPC into the whole service; the same bytes
 * into plain SQLite; what a snapshot takes in memory; and many callers who want the last pieces. Prints what it did as one line of
 * JSON. */
#include "services/catalog/catalog.h"
#include "services/catalog/catalog_service.h"
#include "shared/base/clock.h"
#include "shared/base/config.h"
#include "shared/codec/message.h"
#include "shared/codec/types.h"
#include "tests/support/fixture.h"

#include "throughline/catalog/v1/stock.pb-c.h"

#include <malloc.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef Throughline__Catalog__V1__ImportProductsRequest ImportProductsRequest;
typedef Throughline__Catalog__V1__ImportProductsResponse ImportProductsResponse;
typedef Throughline__Catalog__V1__Reservation Reservation;

enum {
    BATCH = 1000,
    MESSAGE = 50,
    CALLERS = 64,
    PIECES = 10,
    DESCRIPTION = 240,
    WAIT_SECONDS = 600
};

static const Setting settings[] = {
    { "mode", SETTING_TEXT, "import", "import, plain, snapshot or rush", 0, 0 },
    { "store-uri", SETTING_TEXT, "", "where the store is; a folder for plain", 0, 0 },
    { "products", SETTING_NUMBER, "100000", "how many there are", 1, 10000000 },
    { 0 },
};

static Product *a_product(Arena *arena, int64_t number)
{
    Product *product = message_new(arena, &throughline__catalog__v1__product__descriptor);
    Variant *variant = message_new(arena, &throughline__catalog__v1__variant__descriptor);
    Price *price = message_new(arena, &throughline__catalog__v1__price__descriptor);
    char *description = arena_alloc(arena, DESCRIPTION + 1);

    memset(description, 'x', DESCRIPTION);
    for (size_t i = 7; i < DESCRIPTION; i += 8)
        description[i] = ' ';
    product->name = arena_printf(arena, "products/p%08lld", (long long)number);
    product->title = arena_printf(arena, "Thing number %lld of many", (long long)number);
    product->description = description;
    product->brand = arena_printf(arena, "Brand %lld", (long long)(number % 800));
    product->category = arena_printf(
        arena, "Part %lld > Shelf %lld", (long long)(number % 12), (long long)(number % 120));
    product->state = PRODUCT_ACTIVE;
    variant->sku = arena_printf(arena, "SKU-%08lld", (long long)number);
    price->amount = money_message(arena, "EUR", 100 + number % 50000);
    variant->prices = arena_copy(arena, &price, sizeof(Price *));
    variant->n_prices = 1;
    product->variants = arena_copy(arena, &variant, sizeof(Variant *));
    product->n_variants = 1;
    return product;
}

static void must(const Error *error, const char *what)
{
    if (!error)
        return;
    fprintf(stderr, "goods_load: %s: %s: %s\n", what, error->reason, error->message);
    exit(1);
}

static Fixture *start(const char *uri)
{
    const char *const flags[] = { "--store-uri", uri, NULL };
    Fixture *fixture =
        *uri ? fixture_start_flags(&catalog_service, NULL, flags) : fixture_start(&catalog_service);

    fixture_act_as(fixture, "web", "services/bench");
    return fixture;
}

/* Import. */

static ImportProductsResponse *import(Fixture *fixture, int64_t first, int64_t n_products)
{
    RpcOutgoing outgoing = fixture_outgoing(fixture);
    Arena *one = arena_new();
    RpcClientStream *stream;
    void *reply = NULL;

    outgoing.deadline = clock_monotonic() + WAIT_SECONDS * INT64_C(1000000);
    must(rpc_client_open_stream(fixture_client(fixture), &outgoing,
             &throughline__catalog__v1__product_service__descriptor, "ImportProducts", &stream),
        "import");
    for (int64_t i = 0; i < n_products; i += MESSAGE) {
        ImportProductsRequest message = THROUGHLINE__CATALOG__V1__IMPORT_PRODUCTS_REQUEST__INIT;
        Throughline__Catalog__V1__ImportRow *rows[MESSAGE];

        message.rows = rows;
        while (message.n_rows < MESSAGE && i + (int64_t)message.n_rows < n_products) {
            Throughline__Catalog__V1__ImportRow *row =
                message_new(one, &throughline__catalog__v1__import_row__descriptor);

            row->product = a_product(one, first + i + (int64_t)message.n_rows);
            rows[message.n_rows++] = row;
        }
        must(rpc_client_send(stream, &message), "import");
        arena_reset(one);
    }
    must(rpc_client_finish_sending(stream), "import");
    must(rpc_client_receive(stream, fixture_arena(fixture), &reply), "import");
    rpc_client_close_stream(stream);
    arena_free(one);
    return reply;
}

static int run_import(const Config *config)
{
    int64_t n_products = config_number(config, "products");
    Fixture *fixture = start(config_text(config, "store-uri"));
    int64_t begin = clock_monotonic();
    const ImportProductsResponse *answer = import(fixture, 0, n_products);
    double seconds = (double)(clock_monotonic() - begin) / 1e6;
    bool is_whole = answer->created == n_products;

    printf("{\"products\": %lld, \"seconds\": %.6f}\n", (long long)answer->created, seconds);
    fixture_stop(fixture);
    return is_whole ? 0 : 1;
}

/* Plain. */

static void sql(int result, int expected)
{
    if (result == expected)
        return;
    fprintf(stderr, "goods_load: SQLite answers %d\n", result);
    exit(1);
}

static int run_plain(const Config *config)
{
    int64_t n_products = config_number(config, "products");
    Arena *one = arena_new();
    sqlite3 *db;
    sqlite3_stmt *insert;
    int64_t begin;

    sql(sqlite3_open(arena_printf(one, "%s/plain.db", config_text(config, "store-uri")), &db),
        SQLITE_OK);
    sql(sqlite3_exec(db,
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
            "CREATE TABLE products (name TEXT PRIMARY KEY, body BLOB)",
            NULL, NULL, NULL),
        SQLITE_OK);
    sql(sqlite3_prepare_v2(db, "INSERT INTO products VALUES (?1, ?2)", -1, &insert, NULL),
        SQLITE_OK);
    begin = clock_monotonic();
    for (int64_t i = 0; i < n_products; i++) {
        const Product *product = a_product(one, i);
        Bytes body = message_pack(one, product);

        if (i % BATCH == 0)
            sql(sqlite3_exec(db, "BEGIN", NULL, NULL, NULL), SQLITE_OK);
        sqlite3_bind_text(insert, 1, product->name, -1, SQLITE_STATIC);
        sqlite3_bind_blob(insert, 2, body.data, (int)body.size, SQLITE_STATIC);
        sql(sqlite3_step(insert), SQLITE_DONE);
        sql(sqlite3_reset(insert), SQLITE_OK);
        if (i % BATCH == BATCH - 1 || i == n_products - 1)
            sql(sqlite3_exec(db, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
        arena_reset(one);
    }
    printf("{\"products\": %lld, \"seconds\": %.6f}\n", (long long)n_products,
        (double)(clock_monotonic() - begin) / 1e6);
    sqlite3_finalize(insert);
    sqlite3_close(db);
    arena_free(one);
    return 0;
}

/* Snapshot. */

static size_t memory_in_use(void)
{
    struct mallinfo2 info = mallinfo2();

    return info.uordblks + info.hblkhd;
}

static int run_snapshot(const Config *config)
{
    int64_t n_products = config_number(config, "products");
    Arena *one = arena_new();
    Snapshot *snapshot = snapshot_new();
    size_t before = memory_in_use();
    size_t packed = 0;

    for (int64_t i = 0; i < n_products; i++) {
        Product *product = a_product(one, i);

        product->etag = arena_text(one, "1");
        packed += protobuf_c_message_get_packed_size(&product->base);
        snapshot_put(snapshot, product);
        arena_reset(one);
    }
    printf("{\"skus\": %lld, \"bytes_per_sku\": %.1f, \"packed_per_sku\": %.1f}\n",
        (long long)n_products, (double)(memory_in_use() - before) / (double)n_products,
        (double)packed / (double)n_products);
    snapshot_free(snapshot);
    arena_free(one);
    return 0;
}

/* Rush. */

typedef struct Buyer {
    Fixture *fixture;
    pthread_t thread;
    atomic_int *sold;
    const char *sku;
} Buyer;

/* Buys one piece, or finds out that there is none. */
static void *buy(void *argument)
{
    Buyer *buyer = argument;
    Arena *arena = arena_new();
    RpcOutgoing outgoing = fixture_outgoing(buyer->fixture);
    Throughline__Catalog__V1__ReserveRequest reserve =
        THROUGHLINE__CATALOG__V1__RESERVE_REQUEST__INIT;
    Throughline__Catalog__V1__ConfirmRequest confirm =
        THROUGHLINE__CATALOG__V1__CONFIRM_REQUEST__INIT;
    Throughline__Catalog__V1__ReserveLine line = THROUGHLINE__CATALOG__V1__RESERVE_LINE__INIT;
    Throughline__Catalog__V1__ReserveLine *lines[] = { &line };
    Reservation held = THROUGHLINE__CATALOG__V1__RESERVATION__INIT;
    Reservation sold = THROUGHLINE__CATALOG__V1__RESERVATION__INIT;
    const Error *error;

    outgoing.arena = arena;
    outgoing.deadline = clock_monotonic() + WAIT_SECONDS * INT64_C(1000000);
    line.sku = arena_text(arena, buyer->sku);
    line.quantity = 1;
    reserve.lines = lines;
    reserve.n_lines = 1;
    error = fixture_call_with(buyer->fixture, &outgoing, "StockService/Reserve", &reserve, &held);
    if (!error) {
        confirm.name = held.name;
        must(fixture_call_with(buyer->fixture, &outgoing, "StockService/Confirm", &confirm, &sold),
            "confirm");
        atomic_fetch_add(buyer->sold, 1);
    } else if (!text_equal(error->reason, "OUT_OF_STOCK")) {
        must(error, "reserve");
    }
    arena_free(arena);
    return NULL;
}

static int64_t count_stock(Fixture *fixture, const char *sku, int64_t counted)
{
    Throughline__Catalog__V1__CorrectStockRequest request =
        THROUGHLINE__CATALOG__V1__CORRECT_STOCK_REQUEST__INIT;
    Throughline__Catalog__V1__StockLevel level = THROUGHLINE__CATALOG__V1__STOCK_LEVEL__INIT;

    request.sku = arena_text(fixture_arena(fixture), sku);
    request.location = arena_text(fixture_arena(fixture), "main");
    request.correction_case = THROUGHLINE__CATALOG__V1__CORRECT_STOCK_REQUEST__CORRECTION_COUNTED;
    request.counted = counted;
    request.reason = THROUGHLINE__CATALOG__V1__STOCK_REASON__STOCK_REASON_COUNTED;
    must(fixture_call(fixture, "StockService/CorrectStock", &request, &level), "stock");
    return level.on_hand;
}

static int run_rush(const Config *config)
{
    Fixture *fixture = start(config_text(config, "store-uri"));
    /* A server of MongoDB's protocol outlives this run. */
    int64_t number = clock_now() % 100000000;
    const char *sku = arena_printf(fixture_arena(fixture), "SKU-%08lld", (long long)number);
    atomic_int sold = 0;
    Buyer buyers[CALLERS];

    import(fixture, number, 1);
    count_stock(fixture, sku, PIECES);
    for (int i = 0; i < CALLERS; i++) {
        buyers[i] = (Buyer){ .fixture = fixture, .sold = &sold, .sku = sku };
        if (pthread_create(&buyers[i].thread, NULL, buy, &buyers[i]))
            abort();
    }
    for (int i = 0; i < CALLERS; i++)
        pthread_join(buyers[i].thread, NULL);
    printf("{\"pieces\": %d, \"sold\": %d}\n", PIECES, atomic_load(&sold));
    fixture_stop(fixture);
    return 0;
}

static int run(const Config *config)
{
    const char *mode = config_text(config, "mode");

    if (text_equal(mode, "import"))
        return run_import(config);
    if (text_equal(mode, "plain"))
        return run_plain(config);
    if (text_equal(mode, "snapshot"))
        return run_snapshot(config);
    return text_equal(mode, "rush") ? run_rush(config) : 2;
}

int main(int argc, char **argv)
{
    const Setting *const tables[] = { settings, NULL };
    Arena *arena = arena_new();
    const Config *config = config_read(arena, tables, argc, argv, stderr);
    int code = config ? run(config) : 2;

    arena_free(arena);
    return code;
}
