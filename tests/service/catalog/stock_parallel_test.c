/* The last pieces: as many are sold as there are, whoever wants them, on each engine. */
#include "tests/service/catalog/stock_fixture.h"

#include "shared/base/id.h"
#include "shared/codec/message.h"
#include "tests/support/parallel.h"

#include <stdatomic.h>

enum { CALLERS = 64, PIECES = 10 };

/* What the callers of one test want, and what they got. */
typedef struct Rush {
    const char *skus[2];
    size_t n_skus;
    atomic_int sold;
    atomic_int refused;
} Rush;

static const Error *rush_reserve(Worker *worker, const Rush *rush, Reservation *reservation)
{
    ReserveRequest request = THROUGHLINE__CATALOG__V1__RESERVE_REQUEST__INIT;
    ReserveLine lines[2];
    ReserveLine *list[2];

    for (size_t i = 0; i < rush->n_skus; i++) {
        throughline__catalog__v1__reserve_line__init(&lines[i]);
        /* Half of them ask the other way round. */
        lines[i].sku =
            arena_text(worker->arena, rush->skus[(i + (size_t)worker->index) % rush->n_skus]);
        lines[i].quantity = 1;
        list[i] = &lines[i];
    }
    request.lines = list;
    request.n_lines = rush->n_skus;
    request.request_id = worker_request_id(worker, "rush");
    return worker_call(worker, "services/cart", "StockService/Reserve", &request, reservation);
}

static void buy(Worker *worker)
{
    Rush *rush = worker->context;
    Reservation reservation = THROUGHLINE__CATALOG__V1__RESERVATION__INIT;
    Throughline__Catalog__V1__ConfirmRequest confirm =
        THROUGHLINE__CATALOG__V1__CONFIRM_REQUEST__INIT;
    Reservation sold = THROUGHLINE__CATALOG__V1__RESERVATION__INIT;
    const Error *error = rush_reserve(worker, rush, &reservation);

    if (error && text_equal(error->reason, "OUT_OF_STOCK")) {
        atomic_fetch_add(&rush->refused, 1);
        return;
    }
    worker_expect(worker, error);
    if (error)
        return;
    confirm.name = reservation.name;
    confirm.request_id = worker_request_id(worker, "buy");
    worker_expect(
        worker, worker_call(worker, "services/cart", "StockService/Confirm", &confirm, &sold));
    atomic_fetch_add(&rush->sold, 1);
}

/* Product names of their own: a server of MongoDB's protocol outlives the test. */
static void prepare(Rush *rush, size_t n_skus)
{
    rush->n_skus = n_skus;
    for (size_t i = 0; i < n_skus; i++) {
        char id[ID_SIZE];
        Product *product;

        id_new(id);
        rush->skus[i] = arena_printf(arena, "last-%s", id);
        product = a_simple_product(arena, rush->skus[i], "Last", "EUR", 100);
        import_all(&product, 1);
        stock_prepare(rush->skus[i], "berlin", PIECES);
    }
}

static void check_all_sold(const Rush *rush)
{
    for (size_t i = 0; i < rush->n_skus; i++) {
        GetStockResponse stock = stock_sum(rush->skus[i]);

        CHECK_INT(stock.on_hand, PIECES - rush->sold);
        CHECK_INT(stock.reserved, 0);
    }
}

static void sell_the_last_pieces(void)
{
    Rush rush = { 0 };

    prepare(&rush, 1);
    parallel_run(fixture, CALLERS, buy, &rush);

    CHECK_INT(rush.sold, PIECES);
    CHECK_INT(rush.refused, CALLERS - PIECES);
    check_all_sold(&rush);
}

static void sixty_four_buy_the_last_ten_pieces(void)
{
    start_catalog();
    sell_the_last_pieces();
    stop_catalog();
}

static void sixty_four_buy_the_last_ten_pieces_over_mongo(void)
{
    if (!start_catalog_over_mongo())
        return;
    sell_the_last_pieces();
    stop_catalog();
}

/* All or none: a pair is sold as often as both are there, and nothing stays behind. */
static void pairs_are_sold_whole(void)
{
    Rush rush = { 0 };

    start_catalog();
    prepare(&rush, 2);
    parallel_run(fixture, CALLERS, buy, &rush);

    CU_ASSERT(rush.sold >= 1 && rush.sold <= PIECES);
    check_all_sold(&rush);
    stop_catalog();
}

static void reserve_as_one(Worker *worker)
{
    Rush *rush = worker->context;
    Reservation reservation = THROUGHLINE__CATALOG__V1__RESERVATION__INIT;

    worker->index = 0;
    worker_expect(worker, rush_reserve(worker, rush, &reservation));
}

static void one_request_of_many_callers_reserves_once(void)
{
    Rush rush = { 0 };

    start_catalog();
    prepare(&rush, 1);
    parallel_run(fixture, CALLERS, reserve_as_one, &rush);

    CHECK_INT(stock_sum(rush.skus[0]).reserved, 1);
    stop_catalog();
}

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        { "sixty_four_buy_the_last_ten_pieces", sixty_four_buy_the_last_ten_pieces },
        { "sixty_four_buy_the_last_ten_pieces_over_mongo",
            sixty_four_buy_the_last_ten_pieces_over_mongo },
        { "pairs_are_sold_whole", pairs_are_sold_whole },
        { "one_request_of_many_callers_reserves_once", one_request_of_many_callers_reserves_once },
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        { .pName = "parallel", .pTests = tests },
        CU_SUITE_INFO_NULL,
    };

    return test_main("catalog_stock_parallel_service", suites, argc, argv);
}
