#include "tests/service/cart/cuts.h"

#include "tests/support/test_main.h"

enum { MAX_OPERATIONS = 60, QUICK_STRIDE = 3 };

const char *cut_request_id(Fixture *fixture, const Cut *cut, int try)
{
    return arena_printf(fixture_arena(fixture), "r-%d-%d-%d-%d", cut->n, (int)cut->fault,
        (int)cut->retry, cut->retry == NEW_REQUEST ? try : 0);
}

void cut_everywhere(
    const char *service, void (*prepare)(Fixture *), bool (*play)(Fixture *, const Cut *))
{
    Fixture *fixture = shop_open();
    int stride = test_size(QUICK_STRIDE, 1, 1), begin = 0;

    if (prepare)
        prepare(fixture);
    for (Retry retry = SAME_REQUEST; retry < N_RETRIES; retry++) {
        for (Fault fault = FAULT_BEFORE; fault <= FAULT_AFTER; fault++) {
            bool was_cut = true;
            int n = 1 + begin++ % stride;

            for (; was_cut && n < MAX_OPERATIONS; n += stride) {
                Cut cut = { service, n, fault, retry };

                was_cut = play(fixture, &cut);
            }
            CU_ASSERT(n - stride > 2 && !was_cut);
        }
    }
    fixture_act_as(fixture, "web", "customers/ann");
    CU_ASSERT(fixture_settle(fixture));
    shop_close(fixture);
}

const char *cut_somebody(Fixture *fixture, const char *kind, const Cut *cut)
{
    return arena_printf(
        fixture_arena(fixture), "%s/%d-%d-%d", kind, cut->n, (int)cut->fault, (int)cut->retry);
}

void cut_arm(const Cut *cut)
{
    failing_store_arm(cut->service, cut->n, cut->fault);
}

bool cut_is_off(const Error *error)
{
    return text_equal(error_reason(error), "CUT_OFF");
}
