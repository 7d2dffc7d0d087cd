/* Handles, customers and orders over the borders of services: with the real identity and a teller
 * of orders. */
#include "tests/service/feedback/calls.h"

#include "services/feedback/owners.h"
#include "services/identity/identity_service.h"
#include "shared/base/clock.h"

#include "throughline/cart/v1/events.pb-c.h"

#define HANDLE THROUGHLINE__IDENTITY__V1__IDENTIFIER__KIND__SOCIAL_HANDLE

typedef Throughline__Cart__V1__Order CartOrder;

static const Collection told = {
    .name = "told",
    .message = &throughline__cart__v1__order__descriptor,
};
static const Collection *const told_collections[] = { &told, NULL };
static const Service cart_teller = { .name = "cart", .collections = told_collections };
static const Service notification_teller = { .name = "notification",
    .collections = told_collections };

static Fixture *start_all(void)
{
    const Service *others[] = { &identity_service, &cart_teller, &notification_teller, NULL };
    Fixture *fixture = fixture_start_with(&feedback_service, others);

    fixture_act_as(fixture, "care", "agents/kim");
    fixture_act_as(fixture_peer(fixture, "identity"), "care", "agents/kim");
    return fixture;
}

static const char *a_customer(Fixture *fixture, const char *handle)
{
    Throughline__Identity__V1__CreateCustomerRequest request =
        THROUGHLINE__IDENTITY__V1__CREATE_CUSTOMER_REQUEST__INIT;
    Customer customer = THROUGHLINE__IDENTITY__V1__CUSTOMER__INIT, reply = customer;
    Identifier identifier = THROUGHLINE__IDENTITY__V1__IDENTIFIER__INIT;
    Identifier *identifiers[] = { &identifier };

    identifier.kind = HANDLE;
    identifier.value = (char *)handle;
    customer.identifiers = identifiers;
    customer.n_identifiers = *handle ? 1 : 0;
    request.customer = &customer;
    CHECK_TEXT(error_reason(fixture_call(fixture_peer(fixture, "identity"),
                   "CustomerService/CreateCustomer", &request, &reply)),
        "OK");
    return arena_text(fixture_arena(fixture), reply.name);
}

static void change_handle(
    Fixture *fixture, const char *method, const char *customer, const char *handle)
{
    Throughline__Identity__V1__AttachIdentifierRequest attach =
        THROUGHLINE__IDENTITY__V1__ATTACH_IDENTIFIER_REQUEST__INIT;
    Throughline__Identity__V1__DetachIdentifierRequest detach =
        THROUGHLINE__IDENTITY__V1__DETACH_IDENTIFIER_REQUEST__INIT;
    Identifier identifier = THROUGHLINE__IDENTITY__V1__IDENTIFIER__INIT;
    Customer reply = THROUGHLINE__IDENTITY__V1__CUSTOMER__INIT;
    bool is_attach = text_ends_with(method, "AttachIdentifier");

    identifier.kind = HANDLE;
    identifier.value = (char *)handle;
    attach.customer = detach.customer = (char *)customer;
    attach.identifier = detach.identifier = &identifier;
    CHECK_TEXT(error_reason(fixture_call(fixture_peer(fixture, "identity"), method,
                   is_attach ? (void *)&attach : (void *)&detach, &reply)),
        "OK");
}

static void merge(Fixture *fixture, const char *survivor, const char *duplicate)
{
    Throughline__Identity__V1__MergeCustomersRequest request =
        THROUGHLINE__IDENTITY__V1__MERGE_CUSTOMERS_REQUEST__INIT;
    Customer reply = THROUGHLINE__IDENTITY__V1__CUSTOMER__INIT;

    request.survivor = (char *)survivor;
    request.duplicate = (char *)duplicate;
    request.reason = "twins";
    CHECK_TEXT(error_reason(fixture_call(fixture_peer(fixture, "identity"),
                   "CustomerService/MergeCustomers", &request, &reply)),
        "OK");
}

static void place_order(Fixture *fixture, const char *name, const char *customer)
{
    StoreView view = fixture_view(fixture_peer(fixture, "cart"));
    CartOrder order = THROUGHLINE__CART__V1__ORDER__INIT;
    Throughline__Cart__V1__Invoice invoice = THROUGHLINE__CART__V1__INVOICE__INIT;
    Throughline__Cart__V1__Charge charge = THROUGHLINE__CART__V1__CHARGE__INIT;
    Throughline__Cart__V1__Charge *charges[] = { &charge };
    Throughline__Cart__V1__OrderPlaced event = THROUGHLINE__CART__V1__ORDER_PLACED__INIT;

    charge.title = "Trail Lamp";
    invoice.charges = charges;
    invoice.n_charges = 1;
    order.name = (char *)name;
    order.customer = (char *)customer;
    order.invoice = &invoice;
    event.order = &order;
    CHECK_TEXT(error_reason(store_insert(&view, &told, &order, &event)), "OK");
}

/* Runs the job as it would two minutes from now. */
static const Error *run_sweep(Fixture *fixture)
{
    RpcContext context = { "", "services/feedback", "", "", "", "" };
    RpcCall *call = rpc_internal_call(
        fixture_arena(fixture), "job/sweep-owners", &context, fixture_context(fixture));
    StoreView view = fixture_view(fixture);

    view.seal = event_seal;
    view.seal_context = call;
    call->store = &view;
    call->arrived_at += INT64_C(120) * 1000000;
    return sweep_owners(call);
}

static void a_case_of_a_strange_handle_finds_its_customer(void)
{
    Fixture *fixture = start_all();
    const char *jo = a_customer(fixture, "");
    const char *name = complain(fixture, "", "chirp:@jo", "My lamp is broken");
    RecordMentionRequest praise = THROUGHLINE__FEEDBACK__V1__RECORD_MENTION_REQUEST__INIT;
    CaseView view;

    CHECK_TEXT(the_case(fixture, name)->customer, "");
    place_order(fixture, "orders/a", jo);
    note(fixture, jo, "Calls in the morning");
    change_handle(fixture, "CustomerService/AttachIdentifier", jo, "Chirp:Jo");
    CU_ASSERT_TRUE(fixture_settle(fixture));
    CU_ASSERT_PTR_NULL_FATAL(get_case(fixture, name, &view));

    CHECK_TEXT(view.case_record->customer, jo);
    CU_ASSERT_EQUAL_FATAL(view.n_orders, 1);
    CHECK_TEXT(view.orders[0]->name, "orders/a");
    CHECK_TEXT(view.orders[0]->titles[0], "Trail Lamp");
    CHECK_INT((int)view.n_notes, 1);
    CHECK_TEXT(fixture_event(fixture, name, 2)->customer, jo);
    CHECK_TEXT(complain(fixture, jo, "", "Now by phone"), name);
    praise.handle = "chirp:@jo";
    praise.text = "Thanks";
    CU_ASSERT_PTR_NULL(mention(fixture, &praise, &name));
    CHECK_TEXT(name, view.case_record->name);
    CU_ASSERT_TRUE(fixture_stop(fixture));
}

static void a_known_handle_joins_its_customers_case(void)
{
    Fixture *fixture = start_all();
    const char *jo = a_customer(fixture, "chirp:@jo");
    const char *name = complain(fixture, jo, "", "Broken");

    CHECK_TEXT(complain(fixture, "", "chirp:@jo", "And nobody answers"), name);
    CU_ASSERT_TRUE(fixture_settle(fixture));
    CHECK_TEXT(complain(fixture, "", "chirp:@jo", "Nobody"), name);
    CHECK_INT((int)the_case(fixture, name)->n_messages, 3);
    CU_ASSERT_TRUE(fixture_stop(fixture));
}

static void two_open_cases_stay_two_when_they_meet(void)
{
    Fixture *fixture = start_all();
    const char *jo = a_customer(fixture, "");
    const char *known = complain(fixture, jo, "", "Broken"),
               *strange = complain(fixture, "", "chirp:@jo", "Broken!");

    change_handle(fixture, "CustomerService/AttachIdentifier", jo, "chirp:@jo");
    CU_ASSERT_TRUE(fixture_settle(fixture));

    CHECK_TEXT(the_case(fixture, known)->customer, jo);
    CHECK_TEXT(the_case(fixture, strange)->customer, jo);
    CHECK_INT(the_case(fixture, strange)->state, OPEN);
    CHECK_INT((int)cases_of(fixture, jo).n_cases, 2);
    CHECK_TEXT(complain(fixture, jo, "", "Still"), known);
    CU_ASSERT_TRUE(fixture_stop(fixture));
}

static void what_is_said_while_identity_is_away_is_taken_in(void)
{
    Fixture *fixture = start_feedback();
    const char *name = complain(fixture, "", "chirp:@jo", "Broken");

    CHECK_TEXT(the_case(fixture, name)->customer, "");
    CHECK_TEXT(the_case(fixture, name)->open_key, "social_handle:chirp:@jo");
    CU_ASSERT_TRUE(fixture_stop(fixture));
}

static void a_handle_that_was_taken_away_is_strange_again(void)
{
    Fixture *fixture = start_all();
    const char *jo = a_customer(fixture, "chirp:@jo"), *bo = a_customer(fixture, "");
    const char *first = complain(fixture, "", "chirp:@jo", "Broken"), *second;
    Case reply;

    CU_ASSERT_TRUE(fixture_settle(fixture));
    CU_ASSERT_PTR_NULL(resolve_case(fixture, first, "", &reply));
    change_handle(fixture, "CustomerService/DetachIdentifier", jo, "chirp:@jo");
    CU_ASSERT_TRUE(fixture_settle(fixture));
    second = complain(fixture, "", "chirp:@jo", "Somebody else");
    CHECK_TEXT(the_case(fixture, second)->customer, "");
    change_handle(fixture, "CustomerService/AttachIdentifier", bo, "chirp:@jo");
    CU_ASSERT_TRUE(fixture_settle(fixture));

    CHECK_TEXT(the_case(fixture, first)->customer, jo);
    CHECK_TEXT(the_case(fixture, second)->customer, bo);
    CU_ASSERT_TRUE(fixture_stop(fixture));
}

static void a_merge_brings_everything_to_the_survivor(void)
{
    Fixture *fixture = start_all();
    const char *jo = a_customer(fixture, ""), *bo = a_customer(fixture, "chirp:@bo");
    const char *name = complain(fixture, bo, "", "Broken");
    CaseView view;

    note(fixture, bo, "Calls in the morning");
    place_order(fixture, "orders/a", bo);
    CU_ASSERT_TRUE(fixture_settle(fixture));
    merge(fixture, jo, bo);
    CU_ASSERT_TRUE(fixture_settle(fixture));
    place_order(fixture, "orders/b", bo);
    note(fixture, bo, "Likes ropes");
    CU_ASSERT_TRUE(fixture_settle(fixture));
    CU_ASSERT_PTR_NULL_FATAL(get_case(fixture, name, &view));

    CHECK_TEXT(view.case_record->customer, jo);
    CHECK_INT((int)view.n_orders, 2);
    CHECK_INT((int)view.n_notes, 2);
    CHECK_INT((int)cases_of(fixture, bo).n_cases, 1);
    CHECK_TEXT(complain(fixture, jo, "", "Still"), name);
    CHECK_TEXT(complain(fixture, "", "chirp:@bo", "Still"), name);
    CU_ASSERT_TRUE(fixture_stop(fixture));
}

/* What a call stored that had looked before the owner changed. */
static void a_late_look_finds_what_was_stored_meanwhile(void)
{
    Fixture *fixture = start_all();
    const char *jo = a_customer(fixture, ""), *bo = a_customer(fixture, "");
    StoreView view = fixture_view(fixture);
    Case late = THROUGHLINE__FEEDBACK__V1__CASE__INIT;
    Note remark = THROUGHLINE__FEEDBACK__V1__NOTE__INIT;
    CaseView found;

    change_handle(fixture, "CustomerService/AttachIdentifier", jo, "chirp:@jo");
    merge(fixture, jo, bo);
    CU_ASSERT_TRUE(fixture_settle(fixture));
    late.name = "cases/late";
    late.identifier_key = late.open_key = "social_handle:chirp:@jo";
    late.state = OPEN;
    CU_ASSERT_PTR_NULL(store_insert(&view, &cases, &late, NULL));
    remark.name = "notes/late";
    remark.customer = (char *)bo;
    CU_ASSERT_PTR_NULL(store_insert(&view, &notes, &remark, NULL));
    CHECK_TEXT(error_reason(run_sweep(fixture)), "OK");
    CU_ASSERT_PTR_NULL(get_case(fixture, "cases/late", &found));

    CHECK_TEXT(found.case_record->customer, jo);
    CHECK_INT((int)found.n_notes, 1);
    CHECK_TEXT(error_reason(run_sweep(fixture)), "OK");
    CU_ASSERT_TRUE(fixture_stop(fixture));
}

static void a_mention_kept_for_nobody_finds_its_customer(void)
{
    Fixture *fixture = start_all();
    const char *jo = a_customer(fixture, "");
    RecordMentionRequest praise = THROUGHLINE__FEEDBACK__V1__RECORD_MENTION_REQUEST__INIT;
    Throughline__Identity__V1__ListTimelineRequest request =
        THROUGHLINE__IDENTITY__V1__LIST_TIMELINE_REQUEST__INIT;
    Throughline__Identity__V1__ListTimelineResponse story =
        THROUGHLINE__IDENTITY__V1__LIST_TIMELINE_RESPONSE__INIT;
    const char *case_name;

    praise.handle = "chirp:@jo";
    praise.text = "Lovely lamps";
    CU_ASSERT_PTR_NULL(mention(fixture, &praise, &case_name));
    CU_ASSERT_TRUE(fixture_settle(fixture));
    change_handle(fixture, "CustomerService/AttachIdentifier", jo, "chirp:@jo");
    CU_ASSERT_TRUE(fixture_settle(fixture));
    request.customer = (char *)jo;
    CU_ASSERT_PTR_NULL(fixture_call(
        fixture_peer(fixture, "identity"), "CustomerService/ListTimeline", &request, &story));

    CU_ASSERT_EQUAL_FATAL(story.n_entries, 4);
    CHECK_TEXT(story.entries[0]->summary, "A mention turned out to be theirs");
    CHECK_TEXT(story.entries[3]->type, "CustomerCreated");
    CHECK_TEXT(story.entries[1]->type, "IdentifierAttached");
    CHECK_TEXT(story.entries[2]->summary, "Said: Lovely lamps");
    CU_ASSERT_TRUE(fixture_stop(fixture));
}

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        { "a_case_of_a_strange_handle_finds_its_customer",
            a_case_of_a_strange_handle_finds_its_customer },
        { "a_known_handle_joins_its_customers_case", a_known_handle_joins_its_customers_case },
        { "two_open_cases_stay_two_when_they_meet", two_open_cases_stay_two_when_they_meet },
        { "what_is_said_while_identity_is_away_is_taken_in",
            what_is_said_while_identity_is_away_is_taken_in },
        { "a_handle_that_was_taken_away_is_strange_again",
            a_handle_that_was_taken_away_is_strange_again },
        { "a_merge_brings_everything_to_the_survivor", a_merge_brings_everything_to_the_survivor },
        { "a_late_look_finds_what_was_stored_meanwhile",
            a_late_look_finds_what_was_stored_meanwhile },
        { "a_mention_kept_for_nobody_finds_its_customer",
            a_mention_kept_for_nobody_finds_its_customer },
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        { .pName = "link", .pTests = tests },
        CU_SUITE_INFO_NULL,
    };

    return test_main("feedback_link_service", suites, argc, argv);
}
