/* Who uses a record that is to be deleted. */
#include "services/catalog/domain/users.h"
#include "tests/support/test_main.h"
#include "tests/unit/catalog/builders.h"
#include "tests/unit/catalog/rule_builders.h"

#include <string.h>

static const char *const category_fields[] = { "category", "categories", "excluded_categories",
    NULL };

static void all_users_are_counted_and_the_first_named(void)
{
    Arena *arena = arena_new();
    Users users = { .arena = arena };
    const Error *error;

    CU_ASSERT_PTR_NULL(users_refusal(&users, "TYPE_IN_USE"));
    for (int i = 1; i <= USERS_NAMED; i++)
        users_add(&users, "products", arena_printf(arena, "products/%d", i));
    users_add(&users, "rules", "promotions/x");
    error = users_refusal(&users, "TYPE_IN_USE");
    CHECK_TEXT(error->message,
        "It is still used by products: 3 (products/1, products/2, products/3); "
        "rules: 1 (promotions/x).");

    users_add(&users, "products", "products/4");
    error = users_refusal(&users, "TYPE_IN_USE");
    CHECK_TEXT(error_reason(error), "TYPE_IN_USE");
    CHECK_INT(error->code, ERROR_FAILED_PRECONDITION);
    CU_ASSERT_PTR_NOT_NULL(
        strstr(error->message, "products: 4 (products/1, products/2, products/3, …);"));
    CHECK_INT(error->n_facts, 2);
    CHECK_TEXT(error->facts[0].key, "products");
    CHECK_TEXT(error->facts[0].value, "4");
    arena_free(arena);
}

static void rules_use_what_they_name_however_deep(void)
{
    Arena *arena = arena_new();
    Users users = { .arena = arena };
    Throughline__Catalog__V1__Selector others = THROUGHLINE__CATALOG__V1__SELECTOR__INIT;
    Throughline__Catalog__V1__BuyXGetY deal = THROUGHLINE__CATALOG__V1__BUY_XGET_Y__INIT;
    char *named[] = { text(arena, "Outdoor"), text(arena, "Outdoor > Tents") };
    Promotion *plain = a_promotion(arena, "PLAIN", 1000);
    Promotion *deep = a_promotion(arena, "DEEP", 0);
    Promotion *other = a_promotion(arena, "OTHER", 1000);
    Promotion *promotions[] = { plain, deep, other };
    RuleSet set = THROUGHLINE__CATALOG__V1__RULE_SET__INIT;

    plain->category = text(arena, "Outdoor > Tents");
    others.excluded_categories = named;
    others.n_excluded_categories = 2;
    deal.reward = &others;
    deep->effect_case = THROUGHLINE__CATALOG__V1__PROMOTION__EFFECT_BUY_X_GET_Y;
    deep->buy_x_get_y = &deal;
    other->title = text(arena, "Outdoor > Tents");
    set.promotions = promotions;
    set.n_promotions = COUNT(promotions);

    users_add_rules(&users, &set, category_fields, "Outdoor > Tents");
    CHECK_INT(users.n_kinds, 1);
    CHECK_INT(users.kinds[0].count, 2);
    CHECK_TEXT(users.kinds[0].names[0], plain->name);
    CHECK_TEXT(users.kinds[0].names[1], deep->name);
    arena_free(arena);
}

static void who_may_not_see_all_is_told_the_kinds_alone(void)
{
    Arena *arena = arena_new();
    Users users = { .arena = arena, .is_discreet = true };
    const Error *error;

    users_add(&users, "products", "products/1");
    users_add(&users, "rules", "promotions/x");
    error = users_refusal(&users, "TYPE_IN_USE");
    CHECK_TEXT(error->message, "It is still used by products, rules.");
    CHECK_INT(error->n_facts, 0);
    arena_free(arena);
}

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        { "all_users_are_counted_and_the_first_named", all_users_are_counted_and_the_first_named },
        { "rules_use_what_they_name_however_deep", rules_use_what_they_name_however_deep },
        { "who_may_not_see_all_is_told_the_kinds_alone",
            who_may_not_see_all_is_told_the_kinds_alone },
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        { .pName = "users", .pTests = tests },
        CU_SUITE_INFO_NULL,
    };

    return test_main("catalog_users", suites, argc, argv);
}
