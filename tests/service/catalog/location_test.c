/* Locations, and what they serve for, over gRPC. */
#include "tests/service/catalog/stock_fixture.h"

#include "shared/codec/message.h"

typedef Throughline__Catalog__V1__ImportLocationsRequest ImportLocationsRequest;
typedef Throughline__Catalog__V1__ImportRecordsResponse ImportRecordsResponse;

static Location *a_location(const char *id, bool is_pickup, bool is_ship_from)
{
    Location *location = message_new(arena, &throughline__catalog__v1__location__descriptor);

    location->name = arena_printf(arena, "locations/%s", id);
    location->title = text(arena, id);
    location->is_pickup = is_pickup;
    location->is_ship_from = is_ship_from;
    return location;
}

static ImportRecordsResponse *import_locations(Location *const *list, size_t n)
{
    RpcOutgoing outgoing = fixture_outgoing(fixture);
    RpcClientStream *stream;
    void *reply = NULL;

    CU_ASSERT_PTR_NULL_FATAL(rpc_client_open_stream(fixture_client(fixture), &outgoing,
        &throughline__catalog__v1__location_service__descriptor, "ImportLocations", &stream));
    for (size_t i = 0; i < n; i++) {
        ImportLocationsRequest row = THROUGHLINE__CATALOG__V1__IMPORT_LOCATIONS_REQUEST__INIT;

        row.location = list[i];
        CU_ASSERT_PTR_NULL(rpc_client_send(stream, &row));
    }
    rpc_client_finish_sending(stream);
    CHECK_TEXT(error_reason(rpc_client_receive(stream, arena, &reply)), "OK");
    rpc_client_close_stream(stream);
    return reply;
}

static void locations_serve_for_what_they_are(void)
{
    Location *list[] = { a_location("hall", false, true), a_location("shop", true, false),
        /* Where items have some. */
        a_location("berlin", false, false), a_location("Bad", true, true), NULL };
    ReserveLine *line;
    const ImportRecordsResponse *answer = import_locations(list, COUNT(list));
    Throughline__Catalog__V1__GetStockRequest get_request =
        THROUGHLINE__CATALOG__V1__GET_STOCK_REQUEST__INIT;
    ReserveRequest request = THROUGHLINE__CATALOG__V1__RESERVE_REQUEST__INIT;
    GetStockResponse stock = THROUGHLINE__CATALOG__V1__GET_STOCK_RESPONSE__INIT;
    Reservation reservation = THROUGHLINE__CATALOG__V1__RESERVATION__INIT;

    CHECK_INT(answer->created, 3);
    CHECK_INT(answer->refused, 2);
    import_items(2);
    stock_prepare("item-001", "hall", 5);
    stock_prepare("item-001", "shop", 9);
    line = stock_line("item-001", "", 1);
    request.lines = &line;
    request.n_lines = 1;
    request.purpose = THROUGHLINE__CATALOG__V1__STOCK_PURPOSE__STOCK_PURPOSE_SHIP;
    CU_ASSERT_PTR_NULL(fixture_call(fixture, "StockService/Reserve", &request, &reservation));
    CHECK_TEXT(reservation.lines[0]->location, "hall");
    line->quantity = 5;
    CHECK_TEXT(error_reason(fixture_call(fixture, "StockService/Reserve", &request, &reservation)),
        "OUT_OF_STOCK");
    get_request.sku = text(arena, "item-001");
    get_request.purpose = THROUGHLINE__CATALOG__V1__STOCK_PURPOSE__STOCK_PURPOSE_PICKUP;
    CU_ASSERT_PTR_NULL(fixture_call(fixture, "StockService/GetStock", &get_request, &stock));
    CHECK_INT(stock.available, 9);
}

static void locations_are_shown_and_checked(void)
{
    Throughline__Catalog__V1__PutLocationRequest request =
        THROUGHLINE__CATALOG__V1__PUT_LOCATION_REQUEST__INIT;
    Throughline__Catalog__V1__GetLocationRequest get_request =
        THROUGHLINE__CATALOG__V1__GET_LOCATION_REQUEST__INIT;
    Throughline__Catalog__V1__ListLocationsRequest list_request =
        THROUGHLINE__CATALOG__V1__LIST_LOCATIONS_REQUEST__INIT;
    Throughline__Catalog__V1__ListLocationsResponse page =
        THROUGHLINE__CATALOG__V1__LIST_LOCATIONS_RESPONSE__INIT;
    Location reply = THROUGHLINE__CATALOG__V1__LOCATION__INIT;
    const Error *error;

    request.location = a_location("Berlin", true, true);
    request.location->country = text(arena, "Germany");
    request.location->latitude = 91;
    request.location->longitude = -181;
    error = fixture_call(fixture, "LocationService/PutLocation", &request, &reply);
    CHECK_INT(error->n_violations, 4);
    CU_ASSERT(has_violation(error, "location.name"));
    CU_ASSERT(has_violation(error, "location.country"));
    CU_ASSERT(has_violation(error, "location.latitude"));
    CU_ASSERT(has_violation(error, "location.longitude"));

    request.location = a_location("berlin", true, true);
    CU_ASSERT_PTR_NULL(fixture_call(fixture, "LocationService/PutLocation", &request, &reply));
    request.location = a_location("hall", false, true);
    CU_ASSERT_PTR_NULL(fixture_call(fixture, "LocationService/PutLocation", &request, &reply));
    list_request.is_pickup = true;
    CU_ASSERT_PTR_NULL(
        fixture_call(fixture, "LocationService/ListLocations", &list_request, &page));
    CHECK_INT(page.n_locations, 1);
    get_request.name = text(arena, "locations/berlin");
    CU_ASSERT_PTR_NULL(fixture_call(fixture, "LocationService/GetLocation", &get_request, &reply));
    CHECK_TEXT(reply.title, "berlin");
    get_request.name = text(arena, "locations/none");
    CHECK_TEXT(
        error_reason(fixture_call(fixture, "LocationService/GetLocation", &get_request, &reply)),
        "LOCATION_NOT_FOUND");
}

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        { "locations_serve_for_what_they_are", locations_serve_for_what_they_are },
        { "locations_are_shown_and_checked", locations_are_shown_and_checked },
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        { .pName = "locations",
            .pSetUpFunc = start_catalog,
            .pTearDownFunc = stop_catalog,
            .pTests = tests },
        CU_SUITE_INFO_NULL,
    };

    return test_main("catalog_location_service", suites, argc, argv);
}
