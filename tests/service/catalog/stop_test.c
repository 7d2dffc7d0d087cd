/* Emergency stops of prices, over gRPC. */
#include "services/catalog/domain/stop.h"

#include "shared/codec/message.h"
#include "tests/service/catalog/governance_fixture.h"

typedef Throughline__Catalog__V1__StopPriceRequest StopPriceRequest;
typedef Throughline__Catalog__V1__ConfirmStopRequest ConfirmStopRequest;
typedef Throughline__Catalog__V1__LiftStopRequest LiftStopRequest;

static StopPriceRequest *a_stop_of(const char *sku)
{
    StopPriceRequest *request =
        message_new(arena, &throughline__catalog__v1__stop_price_request__descriptor);

    request->what_case = THROUGHLINE__CATALOG__V1__STOP_PRICE_REQUEST__WHAT_SKU;
    request->sku = text(arena, sku);
    request->reason = text(arena, "A comma is missing");
    return request;
}

static PriceStop *a_stop_reply(void)
{
    return message_new(arena, &throughline__catalog__v1__price_stop__descriptor);
}

static const Error *stop(StopPriceRequest *request, PriceStop *reply)
{
    return fixture_call(fixture, "GovernanceService/StopPrice", request, reply);
}

static PriceStop *make_stop(void)
{
    PriceStop *reply = a_stop_reply();

    as_cleo();
    CHECK_TEXT(error_reason(stop(a_stop_of("tent-green"), reply)), "OK");
    return reply;
}

static const Error *confirm(const char *name, PriceStop *reply)
{
    ConfirmStopRequest request = THROUGHLINE__CATALOG__V1__CONFIRM_STOP_REQUEST__INIT;

    request.name = text(arena, name);
    return fixture_call(fixture, "GovernanceService/ConfirmStop", &request, reply);
}

static const Error *lift(const char *name, const char *note, Release *reply)
{
    LiftStopRequest request = THROUGHLINE__CATALOG__V1__LIFT_STOP_REQUEST__INIT;

    throughline__catalog__v1__release__init(reply);
    request.name = text(arena, name);
    request.note = text(arena, note);
    return fixture_call(fixture, "GovernanceService/LiftStop", &request, reply);
}

static const Rule *current_rule(const char *name)
{
    RuleBook *book = rule_shelf_current(((Catalog *)fixture_context(fixture)->state)->shelf);
    const Rule *rule = book_rule_unpack(rule_book_find(book, name), arena);

    rule_book_release(book);
    return rule;
}

static void a_stop_is_in_force_at_once(void)
{
    const PriceStop *made = make_stop();
    const Release *release = get_release_number(0);
    const Rule *rule = current_rule(made->name);

    CHECK_TEXT(made->sku, "tent-green");
    CHECK_TEXT(made->actor, "agents/cleo");
    CHECK_TEXT(made->account, "accounts/operations");
    CHECK_TEXT(made->confirmer, "");
    CHECK_INT(release->kind, RELEASE_STOP);
    CHECK_TEXT(release->reason, "A comma is missing");
    CU_ASSERT_PTR_NOT_NULL_FATAL(rule);
    CHECK_TEXT(rule->price_stop->sku, "tent-green");
}

static void categories_and_promotions_are_stopped_too(void)
{
    StopPriceRequest *request = a_stop_of("x");
    PriceStop *reply = a_stop_reply();

    publish_settings((RuleSetting[]){ { "spring", 1000 }, { 0 } });
    request->what_case = THROUGHLINE__CATALOG__V1__STOP_PRICE_REQUEST__WHAT_PROMOTION;
    request->promotion = text(arena, "promotions/spring");
    CHECK_TEXT(error_reason(stop(request, reply)), "OK");
    CHECK_TEXT(reply->promotion, "promotions/spring");
    request->what_case = THROUGHLINE__CATALOG__V1__STOP_PRICE_REQUEST__WHAT_CATEGORY;
    request->category = text(arena, "Outdoor > Tents");
    CHECK_TEXT(error_reason(stop(request, reply)), "OK");
    CHECK_TEXT(reply->category, "Outdoor > Tents");
    CHECK_INT(get_release_number(0)->number, 3);
}

static void every_bad_field_of_a_stop_is_named(void)
{
    StopPriceRequest request = THROUGHLINE__CATALOG__V1__STOP_PRICE_REQUEST__INIT;
    const Error *error;

    request.request_id = text(arena, "not an id");
    error = stop(&request, a_stop_reply());

    CHECK_TEXT(error_reason(error), "FIELD_INVALID");
    CU_ASSERT(has_violation(error, "what"));
    CU_ASSERT(has_violation(error, "reason"));
    CU_ASSERT(has_violation(error, "request_id"));
}

static void a_repeated_stop_is_one(void)
{
    StopPriceRequest *request = a_stop_of("tent-green");
    PriceStop *first = a_stop_reply(), *second = a_stop_reply();

    request->request_id = text(arena, "once");
    CHECK_TEXT(error_reason(stop(request, first)), "OK");
    CHECK_TEXT(error_reason(stop(request, second)), "OK");

    CU_ASSERT(message_equal(first, second));
    CHECK_INT(get_release_number(0)->number, 1);
}

static void a_stop_is_confirmed_by_somebody_else(void)
{
    const char *name = make_stop()->name;
    PriceStop *reply = a_stop_reply();

    CHECK_TEXT(error_reason(confirm(name, reply)), "FOUR_EYES");
    fixture_act_as(fixture, "pricing", "agents/cleo");
    CHECK_TEXT(error_reason(confirm(name, reply)), "FOUR_EYES");
    fixture_act_as(fixture, "operations", "agents/bob");
    CHECK_TEXT(error_reason(confirm(name, reply)), "FOUR_EYES");
    as_bob();
    CHECK_TEXT(error_reason(confirm(name, reply)), "OK");
    CHECK_TEXT(reply->confirmer, "agents/bob");
    CHECK_INT(get_release_number(0)->number, 2);
    CHECK_TEXT(error_reason(confirm(name, reply)), "OK");
    CHECK_INT(get_release_number(0)->number, 2);
    as_ann();
    CHECK_TEXT(error_reason(confirm(name, a_stop_reply())), "STOP_CONFIRMED");
}

static void a_stop_is_lifted_with_a_reason(void)
{
    const char *name = make_stop()->name;
    Release release;

    CU_ASSERT(has_violation(lift(name, "", &release), "note"));
    CHECK_TEXT(error_reason(lift(name, "The comma is back", &release)), "OK");
    CHECK_INT(release.kind, RELEASE_STOP);
    CHECK_TEXT(release.reason, "The comma is back");
    CU_ASSERT_PTR_NULL(current_rule(name));
    CHECK_TEXT(error_reason(lift(name, "again", &release)), "PRICE_STOP_NOT_FOUND");
    CHECK_TEXT(error_reason(confirm(name, a_stop_reply())), "PRICE_STOP_NOT_FOUND");
}

static void a_rollback_leaves_a_stop_in_force(void)
{
    Throughline__Catalog__V1__RollBackRequest request =
        THROUGHLINE__CATALOG__V1__ROLL_BACK_REQUEST__INIT;
    Release release = THROUGHLINE__CATALOG__V1__RELEASE__INIT;
    const char *name;

    publish_settings((RuleSetting[]){ { "spring", 1000 }, { 0 } });
    publish_settings((RuleSetting[]){ { "spring", 2000 }, { 0 } });
    name = make_stop()->name;
    request.number = 1;
    request.reason = text(arena, "Back");
    CHECK_TEXT(
        error_reason(fixture_call(fixture, "GovernanceService/RollBack", &request, &release)),
        "OK");

    CHECK_INT(points_in("spring", 0), 1000);
    CU_ASSERT_PTR_NOT_NULL(current_rule(name));
}

static void no_draft_touches_a_stop(void)
{
    Throughline__Catalog__V1__CreateDraftRequest request =
        THROUGHLINE__CATALOG__V1__CREATE_DRAFT_REQUEST__INIT;
    Change *change = a_change(arena, "x", 0);
    Draft draft = THROUGHLINE__CATALOG__V1__DRAFT__INIT;
    const Error *error;

    change->rule = text(arena, make_stop()->name);
    request.title = text(arena, "Sneaky");
    request.reason = text(arena, "None");
    request.changes = &change;
    request.n_changes = 1;
    error = fixture_call(fixture, "GovernanceService/CreateDraft", &request, &draft);

    CU_ASSERT(has_violation(error, "changes[0].rule"));
}

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        { "a_stop_is_in_force_at_once", a_stop_is_in_force_at_once },
        { "categories_and_promotions_are_stopped_too", categories_and_promotions_are_stopped_too },
        { "every_bad_field_of_a_stop_is_named", every_bad_field_of_a_stop_is_named },
        { "a_repeated_stop_is_one", a_repeated_stop_is_one },
        { "a_stop_is_confirmed_by_somebody_else", a_stop_is_confirmed_by_somebody_else },
        { "a_stop_is_lifted_with_a_reason", a_stop_is_lifted_with_a_reason },
        { "a_rollback_leaves_a_stop_in_force", a_rollback_leaves_a_stop_in_force },
        { "no_draft_touches_a_stop", no_draft_touches_a_stop },
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        { .pName = "stop",
            .pSetUpFunc = start_catalog,
            .pTearDownFunc = stop_catalog,
            .pTests = tests },
        CU_SUITE_INFO_NULL,
    };

    return test_main("catalog_stop_service", suites, argc, argv);
}
