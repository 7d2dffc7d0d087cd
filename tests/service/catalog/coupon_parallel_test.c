/* The last uses: as many are redeemed as there are, whoever wants them, on each engine. */
#include "tests/service/catalog/coupon_fixture.h"

#include "shared/base/id.h"
#include "tests/support/parallel.h"

#include <stdatomic.h>

enum { CALLERS = 64, USES = 10 };

typedef struct Rush {
    CreateQuoteResponse quotes[CALLERS]; /* given while there was something left */
    atomic_int redeemed;
    atomic_int refused;
} Rush;

static void check_out(Worker *worker)
{
    Rush *rush = worker->context;
    Throughline__Catalog__V1__ReserveUsesRequest request =
        THROUGHLINE__CATALOG__V1__RESERVE_USES_REQUEST__INIT;
    Throughline__Catalog__V1__RedeemUsesRequest redeem =
        THROUGHLINE__CATALOG__V1__REDEEM_USES_REQUEST__INIT;
    UseReservation reservation = THROUGHLINE__CATALOG__V1__USE_RESERVATION__INIT;
    UseReservation redeemed = THROUGHLINE__CATALOG__V1__USE_RESERVATION__INIT;
    const Error *error;

    request.signed_quote = rush->quotes[worker->index].signed_quote;
    request.request_id = worker_request_id(worker, "reserve");
    error =
        worker_call(worker, "services/cart", "CouponService/ReserveUses", &request, &reservation);
    if (error && text_equal(error->reason, "USED_UP")) {
        atomic_fetch_add(&rush->refused, 1);
        return;
    }
    worker_expect(worker, error);
    if (error)
        return;
    redeem.name = reservation.name;
    redeem.request_id = worker_request_id(worker, "redeem");
    worker_expect(worker,
        worker_call(worker, "services/cart", "CouponService/RedeemUses", &redeem, &redeemed));
    atomic_fetch_add(&rush->redeemed, 1);
}

static void start(void)
{
    start_with_tents();
    fixture_act_as(fixture, "web", "services/cart");
}

static bool start_with_mongo(void)
{
    Product *tent;

    if (!start_catalog_over_mongo())
        return false;
    fixture_act_as(fixture, "web", "services/cart");
    tent = a_product(arena);
    import_all(&tent, 1);
    return true;
}

/* A quote for each, `same` customers or different ones. */
static void quote_for_all(Rush *rush, const char *code, bool same_customer)
{
    char id[ID_SIZE];

    id_new(id);
    for (int i = 0; i < CALLERS; i++)
        CHECK_TEXT(error_reason(quote_tents(1,
                       arena_printf(arena, "customers/%s-%d", id, same_customer ? 0 : i), code,
                       &rush->quotes[i])),
            "OK");
}

/* A code of its own: a server of MongoDB's protocol outlives the test, and so do its counters. */
static const char *campaign_of_ten(void)
{
    CouponCampaign *campaign;
    CouponCampaign created;
    uint32_t number;

    id_random(&number, sizeof(number));
    campaign = a_campaign(arena_printf(arena, "TEN-%u", number), "");
    campaign->total_limit = USES;
    CHECK_TEXT(error_reason(create_campaign(campaign, &created)), "OK");
    return created.code;
}

static void use_up_a_code(void)
{
    Rush *rush = arena_alloc(arena, sizeof(*rush));
    const char *code;
    Coupon coupon;

    publish_tents(0, 0, 0);
    code = campaign_of_ten();
    quote_for_all(rush, code, false);
    parallel_run(fixture, CALLERS, check_out, rush);

    CHECK_INT(rush->redeemed, USES);
    CHECK_INT(rush->refused, CALLERS - USES);
    CHECK_TEXT(error_reason(look_up(code, "", &coupon)), "OK");
    CHECK_INT(coupon.state, COUPON_USED_UP);
}

static void sixty_four_want_the_last_ten_uses_of_a_code(void)
{
    start();
    use_up_a_code();
    stop_catalog();
}

static void sixty_four_want_the_last_ten_uses_of_a_code_over_mongo(void)
{
    if (!start_with_mongo())
        return;
    use_up_a_code();
    stop_catalog();
}

static void a_promotions_budget_pays_for_ten(void)
{
    Rush *rush;

    start();
    rush = arena_alloc(arena, sizeof(*rush));
    publish_open_tents(0, 0, USES * 1990 + 500);
    quote_for_all(rush, "", false);
    parallel_run(fixture, CALLERS, check_out, rush);

    CHECK_INT(rush->redeemed, USES);
    CHECK_INT(minor(usage_of_tents("").spent), USES * 1990);
    CHECK_INT(usage_of_tents("").reserved, 0);
    stop_catalog();
}

static void spend_a_customers_budget(void)
{
    Rush *rush = arena_alloc(arena, sizeof(*rush));

    publish_customer_budget(
        USES * 1990 + 500, THROUGHLINE__CATALOG__V1__PROMOTION__LIMIT_PERIOD__YEAR);
    quote_for_all(rush, "", true);
    parallel_run(fixture, CALLERS, check_out, rush);

    CHECK_INT(rush->redeemed, USES);
    CHECK_INT(rush->refused, CALLERS - USES);
}

static void a_customers_budget_pays_for_ten(void)
{
    start();
    spend_a_customers_budget();
    stop_catalog();
}

static void a_customers_budget_pays_for_ten_over_mongo(void)
{
    if (!start_with_mongo())
        return;
    spend_a_customers_budget();
    stop_catalog();
}

static void one_customer_many_devices_one_use(void)
{
    Rush *rush;

    start();
    rush = arena_alloc(arena, sizeof(*rush));
    publish_open_tents(0, 1, 0);
    quote_for_all(rush, "", true);
    parallel_run(fixture, CALLERS, check_out, rush);

    CHECK_INT(rush->redeemed, 1);
    stop_catalog();
}

static void reserve_the_first(Worker *worker)
{
    Rush *rush = worker->context;
    Throughline__Catalog__V1__ReserveUsesRequest request =
        THROUGHLINE__CATALOG__V1__RESERVE_USES_REQUEST__INIT;
    UseReservation reservation = THROUGHLINE__CATALOG__V1__USE_RESERVATION__INIT;

    request.signed_quote = rush->quotes[0].signed_quote;
    worker_expect(worker,
        worker_call(worker, "services/cart", "CouponService/ReserveUses", &request, &reservation));
}

static void one_quote_of_many_callers_counts_once(void)
{
    Rush *rush;

    start();
    rush = arena_alloc(arena, sizeof(*rush));
    publish_open_tents(USES, USES, 0);
    quote_for_all(rush, "", true);
    parallel_run(fixture, CALLERS, reserve_the_first, rush);

    CHECK_INT(usage_of_tents("").reserved, 1);
    stop_catalog();
}

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        { "sixty_four_want_the_last_ten_uses_of_a_code",
            sixty_four_want_the_last_ten_uses_of_a_code },
        { "sixty_four_want_the_last_ten_uses_of_a_code_over_mongo",
            sixty_four_want_the_last_ten_uses_of_a_code_over_mongo },
        { "a_promotions_budget_pays_for_ten", a_promotions_budget_pays_for_ten },
        { "a_customers_budget_pays_for_ten", a_customers_budget_pays_for_ten },
        { "a_customers_budget_pays_for_ten_over_mongo",
            a_customers_budget_pays_for_ten_over_mongo },
        { "one_customer_many_devices_one_use", one_customer_many_devices_one_use },
        { "one_quote_of_many_callers_counts_once", one_quote_of_many_callers_counts_once },
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        { .pName = "parallel", .pTests = tests },
        CU_SUITE_INFO_NULL,
    };

    return test_main("catalog_coupon_parallel_service", suites, argc, argv);
}
