/* A relay that gets only so far in every round, as over a store that is slow: it still gets there. */
#include "shared/event/relay.h"
#include "shared/store/engine_failing.h"
#include "tests/service/event/log_fixture.h"
#include "tests/support/test_main.h"

enum { N_EVENTS = 400, MAX_ROUNDS = 1000 };

static const Error too_late = { ERROR_DEADLINE_EXCEEDED, "DEADLINE_EXCEEDED", "Too late." };

/* Every round ends in an error after so many operations of the store; the relay sees what it forgot to forget. */
static void move_all_in_rounds_of(int n_operations)
{
    StoreFault fault = {
        .operation = STORE_N_OPERATIONS, .nth = n_operations, .is_lasting = true, .error = &too_late
    };
    RelayPartition partitions[STORE_PARTITIONS] = { 0 };
    LogFixture fixture;
    int rounds = 0;

    CU_ASSERT_FATAL(log_fixture_open(&fixture, false));
    for (int i = 0; i < N_EVENTS; i++)
        log_fixture_write(&fixture, i % 2 ? "notes/a" : "notes/b", "customers/ann");
    for (int i = 0; i < STORE_PARTITIONS; i++)
        partitions[i] = (RelayPartition){ .source = "notes", .number = i };

    for (size_t left = N_EVENTS; left > 0 && rounds < MAX_ROUNDS; rounds++) {
        for (int i = 0; i < STORE_PARTITIONS; i++) {
            StoreView view = { .store = fixture.store, .arena = fixture.arena };
            size_t n_moved;

            store_fail(fixture.store, &fault);
            partitions[i].is_known = false; /* as after a lease that came back */
            log_fixture_move(&view, &partitions[i], &n_moved);
        }
        store_fail(fixture.store, NULL);
        left = log_fixture_waiting(&fixture);
    }

    CHECK_INT(log_fixture_waiting(&fixture), 0);
    CHECK_INT(log_fixture_check(&fixture), N_EVENTS);
    log_fixture_close(&fixture);
}

static void a_relay_that_is_always_cut_short_gets_there(void)
{
    move_all_in_rounds_of(40);
}

static void so_it_does_when_hardly_anything_goes_through(void)
{
    move_all_in_rounds_of(6);
}

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        { "a relay that is always cut short gets there",
            a_relay_that_is_always_cut_short_gets_there },
        { "so it does when hardly anything goes through",
            so_it_does_when_hardly_anything_goes_through },
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = { { .pName = "relay", .pTests = tests }, CU_SUITE_INFO_NULL };

    return test_main("fault_relay", suites, argc, argv);
}
