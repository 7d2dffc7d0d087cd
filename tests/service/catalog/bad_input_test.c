/* What no merchandiser means and no cart holds: refused before it does anything, with everything named that is wrong, over gRPC. */
#include "tests/service/catalog/asking.h"
#include "tests/service/catalog/governance_fixture.h"

#include <string.h>

enum { MAX_FIELDS = 8 };

static void start_with_a_tent(void)
{
    Product *tent;

    start_catalog();
    as_ann();
    tent = a_product(arena);
    import(&tent, 1);
}

static Answer asked(const char *rpc, const char *request)
{
    RpcOutgoing outgoing = fixture_outgoing(fixture);

    return ask(&outgoing, rpc, request);
}

/* What is refused names these fields and no other; a NULL ends them. */
static void check_blames(const char *rpc, const char *request, const char *const *fields)
{
    const Error *error = asked(rpc, request).error;
    size_t n_fields = 0;

    CHECK_TEXT(error_reason(error), "FIELD_INVALID");
    for (; fields[n_fields]; n_fields++)
        if (!has_violation(error, fields[n_fields]))
            CHECK_TEXT(arena_printf(arena, "%s of %s", fields[n_fields], request), "blamed");
    CHECK_INT(error ? error->n_violations : 0, n_fields);
}

/* A draft with one rule of this kind and name. */
static const char *draft_of(const char *kind, const char *name, const char *rule)
{
    return arena_printf(arena,
        "{'title': 'T', 'reason': 'R', 'changes': [{'rule': '%s', 'after': {'%s': {'name': '%s', "
        "%s}}}]}",
        name, kind, name, rule);
}

static void check_rule(
    const char *kind, const char *name, const char *rule, const char *const *fields)
{
    const char *paths[MAX_FIELDS] = { 0 };

    for (size_t i = 0; fields[i]; i++)
        paths[i] = arena_printf(arena, "changes[0].after.%s", fields[i]);
    check_blames("GovernanceService/CreateDraft", draft_of(kind, name, rule), paths);
}

static void a_price_has_no_more_digits_than_its_currency(void)
{
    static const char *const fields[] = { "price_row.amount", NULL };
    static const char *const amounts[] = { "'currencyCode': 'EUR', 'nanos': 1000000",
        "'currencyCode': 'JPY', 'units': '5', 'nanos': 500000000",
        "'currencyCode': 'KWD', 'nanos': 100000" };

    for (size_t i = 0; i < COUNT(amounts); i++)
        check_rule("priceRow", "priceRows/tent",
            arena_printf(arena, "'sku': 'tent-green', 'amount': {%s}", amounts[i]), fields);
    CHECK_TEXT(error_reason(asked("GovernanceService/CreateDraft",
                   draft_of("priceRow", "priceRows/tent",
                       "'sku': 'tent-green', 'amount': {'currencyCode': 'KWD', 'nanos': 1000000}"))
                                .error),
        "OK");
}

static void a_currency_that_nobody_knows_is_named(void)
{
    static const char *const amount[] = { "price_row.amount", NULL };
    static const char *const currency[] = { "currency", NULL };

    check_rule("priceRow", "priceRows/tent",
        "'sku': 'tent-green', 'amount': {'currencyCode': 'XYZ', 'units': '5'}", amount);
    check_blames("PricingService/GetPrice", "{'sku': 'tent-green', 'currency': 'XYZ'}", currency);
    check_blames("PricingService/CreateQuote",
        "{'currency': 'XYZ', 'lines': [{'sku': 'tent-green', 'quantity': 1}]}", currency);
}

static void a_promotion_that_would_go_below_zero_is_refused(void)
{
    static const struct {
        const char *effect;
        const char *fields[3];
    } bad[] = {
        { "'basisPoints': 10001", { "promotion.basis_points" } },
        { "'amountOff': {'unit': 'ONCE', 'amounts': [{'currencyCode': 'EUR', 'units': '-5'}]}",
            { "promotion.amount_off.amounts[0]" } },
        { "'fixedPrice': {'prices': [{'currencyCode': 'EUR', 'units': '-5'}]}",
            { "promotion.fixed_price.prices[0]" } },
        { "'bundlePrice': {'parts': [{'quantity': 1, 'target': {'skus': ['tent-green']}}], "
          "'prices': [{'currencyCode': 'EUR', 'units': '-5'}]}",
            { "promotion.bundle_price.prices[0]" } },
        { "'cartOff': {'basisPoints': 20000}", { "promotion.cart_off.basis_points" } },
        { "'nthItem': {'n': 1, 'basisPoints': 10001}",
            { "promotion.nth_item.n", "promotion.nth_item.basis_points" } },
        { "'buyXGetY': {'buy': 0, 'get': 1, 'basisPoints': -1}",
            { "promotion.buy_x_get_y.buy", "promotion.buy_x_get_y.basis_points" } },
    };

    for (size_t i = 0; i < COUNT(bad); i++)
        check_rule("promotion", "promotions/below",
            arena_printf(arena, "'title': 'Below', %s", bad[i].effect), bad[i].fields);
}

static void budgets_of_two_currencies_are_refused(void)
{
    static const char *const fields[] = { "promotion.customer_budget", NULL };

    check_rule("promotion", "promotions/budgets",
        "'title': 'Budgets', 'basisPoints': 100, 'budget': {'currencyCode': 'EUR', 'units': '5'}, "
        "'customerBudget': {'currencyCode': 'USD', 'units': '1'}",
        fields);
}

/* A sale never has to choose: a draft of two rows for the same can't be submitted, and both are named with their times. */
static void prices_whose_windows_overlap_are_not_submitted(void)
{
    const Draft *draft;
    Answer submitted;

    draft = asked("GovernanceService/CreateDraft",
        "{'title': 'T', 'reason': 'R', 'changes': ["
        "{'rule': 'priceRows/may', 'after': {'priceRow': {'name': 'priceRows/may', 'sku': "
        "'tent-green', 'amount': {'currencyCode': 'EUR', 'units': '90'}, 'startTime': "
        "'2027-05-01T00:00:00Z', 'endTime': '2027-06-01T00:00:00Z'}}}, "
        "{'rule': 'priceRows/late-may', 'after': {'priceRow': {'name': 'priceRows/late-may', "
        "'sku': 'tent-green', 'amount': {'currencyCode': 'EUR', 'units': '80'}, 'startTime': "
        "'2027-05-31T00:00:00Z', 'endTime': '2027-06-07T00:00:00Z'}}}]}")
                .message;
    submitted =
        asked("GovernanceService/SubmitDraft", arena_printf(arena, "{'name': '%s'}", draft->name));
    CHECK_TEXT(error_reason(submitted.error), "RULES_INVALID");
    CU_ASSERT_EQUAL_FATAL(submitted.error->n_violations, 1);
    CU_ASSERT_PTR_NOT_NULL(strstr(submitted.text, "priceRows/may"));
    CU_ASSERT_PTR_NOT_NULL(strstr(submitted.text, "priceRows/late-may"));
    CU_ASSERT_PTR_NOT_NULL(strstr(submitted.text, "2027-05-01"));
}

static void quantities_that_nobody_buys_are_refused(void)
{
    static const char *const line[] = { "lines[0].quantity", NULL };
    static const char *const price[] = { "quantity", NULL };
    static const char *const quantities[] = { "0", "-1", "1000001", "2147483647", "-2147483648" };

    for (size_t i = 0; i < COUNT(quantities); i++) {
        check_blames("PricingService/CreateQuote",
            arena_printf(arena,
                "{'currency': 'EUR', 'lines': [{'sku': 'tent-green', 'quantity': %s}]}",
                quantities[i]),
            line);
        if (i > 0)
            check_blames("PricingService/GetPrice",
                arena_printf(arena, "{'sku': 'tent-green', 'currency': 'EUR', 'quantity': %s}",
                    quantities[i]),
                price);
    }
}

static void everything_that_is_wrong_is_named_at_once(void)
{
    static const char *const fields[] = { "currency", "lines[0].sku", "lines[0].quantity",
        "lines[2].sku", "codes[1]", "ttl_seconds", NULL };

    check_blames("PricingService/CreateQuote",
        "{'currency': 'euro', 'lines': [{'sku': 'no sku', 'quantity': 0}, {'sku': 'tent-green', "
        "'quantity': 1}, {'sku': 'tent-green', 'quantity': 2}], 'codes': ['A', 'A'], "
        "'ttlSeconds': 1}",
        fields);
}

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        { "a_price_has_no_more_digits_than_its_currency",
            a_price_has_no_more_digits_than_its_currency },
        { "a_currency_that_nobody_knows_is_named", a_currency_that_nobody_knows_is_named },
        { "a_promotion_that_would_go_below_zero_is_refused",
            a_promotion_that_would_go_below_zero_is_refused },
        { "budgets_of_two_currencies_are_refused", budgets_of_two_currencies_are_refused },
        { "prices_whose_windows_overlap_are_not_submitted",
            prices_whose_windows_overlap_are_not_submitted },
        { "quantities_that_nobody_buys_are_refused", quantities_that_nobody_buys_are_refused },
        { "everything_that_is_wrong_is_named_at_once", everything_that_is_wrong_is_named_at_once },
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        { .pName = "bad_input",
            .pSetUpFunc = start_with_a_tent,
            .pTearDownFunc = stop_catalog,
            .pTests = tests },
        CU_SUITE_INFO_NULL,
    };

    return test_main("catalog_bad_input_service", suites, argc, argv);
}
