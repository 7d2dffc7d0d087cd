#include "tests/service/identity/calls.h"

#include "shared/base/text.h"

typedef Throughline__Identity__V1__UpdateCustomerRequest UpdateCustomerRequest;
typedef Throughline__Identity__V1__ListCustomersRequest ListCustomersRequest;
typedef Throughline__Identity__V1__ListCustomersResponse ListCustomersResponse;

static void a_new_customer_is_found_by_every_identifier(void)
{
    Fixture *fixture = start_identity();
    CreateCustomerRequest request = THROUGHLINE__IDENTITY__V1__CREATE_CUSTOMER_REQUEST__INIT;
    Customer given = THROUGHLINE__IDENTITY__V1__CUSTOMER__INIT;
    Customer made = THROUGHLINE__IDENTITY__V1__CUSTOMER__INIT, found;
    Identifier *identifiers[] = { an_identifier(fixture, EMAIL, "Jo@Example.com"),
        an_identifier(fixture, HANDLE, "Chirp:jo") };

    given.display_name = "Jo";
    given.language = "en-GB";
    given.identifiers = identifiers;
    given.n_identifiers = COUNT(identifiers);
    request.customer = &given;
    CHECK_TEXT(
        error_reason(fixture_call(fixture, "CustomerService/CreateCustomer", &request, &made)),
        "OK");

    CU_ASSERT_TRUE(text_starts_with(made.name, "customers/"));
    CU_ASSERT_FALSE(text_is_empty(made.etag));
    CHECK_INT(made.state, THROUGHLINE__IDENTITY__V1__CUSTOMER__STATE__ACTIVE);
    CHECK_TEXT(made.identifiers[0]->value, "jo@example.com");
    CHECK_TEXT(made.identifiers[1]->key, "social_handle:chirp:@jo");
    CU_ASSERT_PTR_NULL(find_customer(fixture, EMAIL, "jo@EXAMPLE.com", &found));
    CHECK_TEXT(found.name, made.name);
    CU_ASSERT_PTR_NULL(find_customer(fixture, HANDLE, "chirp:@Jo", &found));
    CHECK_TEXT(found.name, made.name);
    CU_ASSERT_PTR_NULL(get_customer(fixture, made.name, &found));
    CHECK_TEXT(found.language, "en-GB");
    CU_ASSERT_TRUE(found.create_time != NULL);
    CU_ASSERT_PTR_NOT_NULL(fixture_event(fixture, made.name, 1));
    CU_ASSERT_TRUE(fixture_stop(fixture));
}

static void an_identifier_has_one_holder(void)
{
    Fixture *fixture = start_identity();
    const char *bo = (a_customer(fixture, "Jo", "device-1"), a_customer(fixture, "Bo", NULL));
    CreateCustomerRequest request = THROUGHLINE__IDENTITY__V1__CREATE_CUSTOMER_REQUEST__INIT;
    Customer given = THROUGHLINE__IDENTITY__V1__CUSTOMER__INIT;
    Customer reply = THROUGHLINE__IDENTITY__V1__CUSTOMER__INIT;
    Identifier *identifiers[] = { an_identifier(fixture, DEVICE, "device-2"),
        an_identifier(fixture, DEVICE, "device-1") };
    const Error *error;

    given.identifiers = identifiers;
    given.n_identifiers = COUNT(identifiers);
    request.customer = &given;

    error = fixture_call(fixture, "CustomerService/CreateCustomer", &request, &reply);
    CHECK_TEXT(error_reason(error), "IDENTIFIER_TAKEN");
    CHECK_TEXT(error->facts[0].value, "device:device-1");
    error = attach(fixture, bo, DEVICE, "device-1", &reply);
    CHECK_TEXT(error_reason(error), "IDENTIFIER_TAKEN");
    CHECK_TEXT(error->message,
        "Another customer has device:device-1: merge the two, or detach it there first.");
    CU_ASSERT_TRUE(fixture_stop(fixture));
}

static void every_bad_field_of_a_new_customer_is_named(void)
{
    Fixture *fixture = start_identity();
    CreateCustomerRequest request = THROUGHLINE__IDENTITY__V1__CREATE_CUSTOMER_REQUEST__INIT;
    Customer given = THROUGHLINE__IDENTITY__V1__CUSTOMER__INIT;
    Customer reply = THROUGHLINE__IDENTITY__V1__CUSTOMER__INIT;
    Throughline__Identity__V1__Customer__AttributesEntry attribute =
        THROUGHLINE__IDENTITY__V1__CUSTOMER__ATTRIBUTES_ENTRY__INIT;
    Throughline__Identity__V1__Customer__AttributesEntry *attributes[] = { &attribute };
    Identifier *identifiers[] = { an_identifier(fixture, EMAIL, "nobody"),
        an_identifier(fixture, DEVICE, "null"), an_identifier(fixture, 0, "x"),
        an_identifier(fixture, DEVICE, "twice"), an_identifier(fixture, DEVICE, " twice") };
    const Error *error;

    given.language = "english please";
    given.attributes = attributes;
    given.n_attributes = 1;
    given.identifiers = identifiers;
    given.n_identifiers = COUNT(identifiers);
    request.customer = &given;
    request.request_id = "not an id";
    error = fixture_call(fixture, "CustomerService/CreateCustomer", &request, &reply);

    CHECK_TEXT(error_reason(error), "FIELD_INVALID");
    CU_ASSERT_TRUE(blames(error, "customer.language"));
    CU_ASSERT_TRUE(blames(error, "customer.attributes[0].key"));
    CU_ASSERT_TRUE(blames(error, "customer.identifiers[0].value"));
    CU_ASSERT_TRUE(blames(error, "customer.identifiers[1].value"));
    CU_ASSERT_TRUE(blames(error, "customer.identifiers[2].kind"));
    CU_ASSERT_FALSE(blames(error, "customer.identifiers[3]"));
    CU_ASSERT_TRUE(blames(error, "customer.identifiers[4]"));
    CU_ASSERT_TRUE(blames(error, "request_id"));
    request.customer = NULL;
    error = fixture_call(fixture, "CustomerService/CreateCustomer", &request, &reply);
    CU_ASSERT_TRUE(blames(error, "customer"));
    CU_ASSERT_TRUE(fixture_stop(fixture));
}

static void a_create_that_is_repeated_makes_one_customer(void)
{
    Fixture *fixture = start_identity();
    CreateCustomerRequest request = THROUGHLINE__IDENTITY__V1__CREATE_CUSTOMER_REQUEST__INIT;
    Customer given = THROUGHLINE__IDENTITY__V1__CUSTOMER__INIT;
    Customer first = THROUGHLINE__IDENTITY__V1__CUSTOMER__INIT;
    Customer again = THROUGHLINE__IDENTITY__V1__CUSTOMER__INIT;
    ListCustomersRequest list = THROUGHLINE__IDENTITY__V1__LIST_CUSTOMERS_REQUEST__INIT;
    ListCustomersResponse all = THROUGHLINE__IDENTITY__V1__LIST_CUSTOMERS_RESPONSE__INIT;

    given.display_name = "Jo";
    request.customer = &given;
    request.request_id = "create-1";
    CU_ASSERT_PTR_NULL(fixture_call(fixture, "CustomerService/CreateCustomer", &request, &first));
    CU_ASSERT_PTR_NULL(fixture_call(fixture, "CustomerService/CreateCustomer", &request, &again));

    CHECK_TEXT(again.name, first.name);
    CHECK_TEXT(again.etag, first.etag);
    CU_ASSERT_PTR_NULL(fixture_call(fixture, "CustomerService/ListCustomers", &list, &all));
    CHECK_INT((int)all.n_customers, 1);
    given.display_name = "Bo";
    CHECK_TEXT(
        error_reason(fixture_call(fixture, "CustomerService/CreateCustomer", &request, &again)),
        "REQUEST_ID_REUSED");
    CU_ASSERT_TRUE(fixture_stop(fixture));
}

static void an_update_changes_the_masked_fields(void)
{
    Fixture *fixture = start_identity();
    const char *name = a_customer(fixture, "Jo", "device-1");
    char *paths[] = { "language" };
    const char *etag;
    Google__Protobuf__FieldMask mask = GOOGLE__PROTOBUF__FIELD_MASK__INIT;
    UpdateCustomerRequest request = THROUGHLINE__IDENTITY__V1__UPDATE_CUSTOMER_REQUEST__INIT;
    Customer given = THROUGHLINE__IDENTITY__V1__CUSTOMER__INIT;
    Customer reply = THROUGHLINE__IDENTITY__V1__CUSTOMER__INIT;

    given.name = (char *)name;
    given.display_name = "Not this";
    given.language = "de";
    mask.paths = paths;
    mask.n_paths = 1;
    request.customer = &given;
    request.update_mask = &mask;
    CHECK_TEXT(
        error_reason(fixture_call(fixture, "CustomerService/UpdateCustomer", &request, &reply)),
        "OK");

    CHECK_TEXT(reply.display_name, "Jo");
    CHECK_TEXT(reply.language, "de");
    CHECK_INT((int)reply.n_identifiers, 1);
    etag = arena_text(fixture_arena(fixture), reply.etag);
    CHECK_TEXT(
        error_reason(fixture_call(fixture, "CustomerService/UpdateCustomer", &request, &reply)),
        "OK");
    CHECK_TEXT(reply.etag, etag);
    paths[0] = "identifiers";
    CHECK_TEXT(
        error_reason(fixture_call(fixture, "CustomerService/UpdateCustomer", &request, &reply)),
        "FIELD_INVALID");
    paths[0] = "nickname";
    CHECK_TEXT(
        error_reason(fixture_call(fixture, "CustomerService/UpdateCustomer", &request, &reply)),
        "FIELD_INVALID");
    given.name = "customers/nobody";
    paths[0] = "language";
    CHECK_TEXT(
        error_reason(fixture_call(fixture, "CustomerService/UpdateCustomer", &request, &reply)),
        "CUSTOMER_NOT_FOUND");
    CU_ASSERT_TRUE(fixture_stop(fixture));
}

static void a_stale_version_updates_nothing(void)
{
    Fixture *fixture = start_identity();
    const char *name = a_customer(fixture, "Jo", NULL);
    UpdateCustomerRequest request = THROUGHLINE__IDENTITY__V1__UPDATE_CUSTOMER_REQUEST__INIT;
    Customer given = THROUGHLINE__IDENTITY__V1__CUSTOMER__INIT, seen, reply;

    CU_ASSERT_PTR_NULL(get_customer(fixture, name, &seen));
    CU_ASSERT_PTR_NULL(attach(fixture, name, DEVICE, "device-1", &reply));
    given.name = (char *)name;
    given.etag = seen.etag;
    given.display_name = "Joanna";
    request.customer = &given;
    throughline__identity__v1__customer__init(&reply);
    CHECK_TEXT(
        error_reason(fixture_call(fixture, "CustomerService/UpdateCustomer", &request, &reply)),
        "ETAG_STALE");

    given.etag = "";
    CU_ASSERT_PTR_NULL(fixture_call(fixture, "CustomerService/UpdateCustomer", &request, &reply));
    CHECK_TEXT(reply.display_name, "Joanna");
    CHECK_INT((int)reply.n_identifiers, 1);
    CU_ASSERT_TRUE(fixture_stop(fixture));
}

static void an_identifier_comes_and_goes(void)
{
    Fixture *fixture = start_identity();
    const char *jo = a_customer(fixture, "Jo", NULL), *bo = a_customer(fixture, "Bo", NULL);
    Customer reply, before;

    CU_ASSERT_PTR_NULL(attach(fixture, jo, HANDLE, "chirp:@jo", &before));
    CU_ASSERT_PTR_NULL(attach(fixture, jo, HANDLE, "chirp:@jo", &reply));
    CHECK_TEXT(reply.etag, before.etag);
    CU_ASSERT_PTR_NULL(detach(fixture, jo, HANDLE, "Chirp:@Jo", &reply));
    CHECK_INT((int)reply.n_identifiers, 0);
    CHECK_TEXT(
        error_reason(detach(fixture, jo, HANDLE, "chirp:@jo", &reply)), "IDENTIFIER_NOT_FOUND");
    CHECK_TEXT(
        error_reason(find_customer(fixture, HANDLE, "chirp:@jo", &reply)), "CUSTOMER_NOT_FOUND");
    CU_ASSERT_PTR_NULL(attach(fixture, bo, HANDLE, "chirp:@jo", &reply));
    CU_ASSERT_PTR_NULL(find_customer(fixture, HANDLE, "chirp:@jo", &reply));
    CHECK_TEXT(reply.name, bo);
    CHECK_TEXT(error_reason(attach(fixture, "customers/nobody", DEVICE, "d9", &reply)),
        "CUSTOMER_NOT_FOUND");
    CHECK_TEXT(error_reason(detach(fixture, "customers/nobody", DEVICE, "d9", &reply)),
        "CUSTOMER_NOT_FOUND");
    CU_ASSERT_TRUE(fixture_stop(fixture));
}

static void a_repeated_attachment_gets_the_first_answer(void)
{
    Fixture *fixture = start_identity();
    const char *jo = a_customer(fixture, "Jo", NULL);
    AttachIdentifierRequest request = THROUGHLINE__IDENTITY__V1__ATTACH_IDENTIFIER_REQUEST__INIT;
    DetachIdentifierRequest undo = THROUGHLINE__IDENTITY__V1__DETACH_IDENTIFIER_REQUEST__INIT;
    Customer first = THROUGHLINE__IDENTITY__V1__CUSTOMER__INIT;
    Customer again = THROUGHLINE__IDENTITY__V1__CUSTOMER__INIT;
    Customer other = THROUGHLINE__IDENTITY__V1__CUSTOMER__INIT;

    request.customer = undo.customer = (char *)jo;
    request.identifier = undo.identifier = an_identifier(fixture, DEVICE, "device-1");
    request.request_id = "attach-1";
    undo.request_id = "detach-1";
    CU_ASSERT_PTR_NULL(fixture_call(fixture, "CustomerService/AttachIdentifier", &request, &first));
    CU_ASSERT_PTR_NULL(fixture_call(fixture, "CustomerService/DetachIdentifier", &undo, &other));
    CU_ASSERT_PTR_NULL(fixture_call(fixture, "CustomerService/AttachIdentifier", &request, &again));
    CHECK_TEXT(again.etag, first.etag);
    CHECK_TEXT(
        error_reason(find_customer(fixture, DEVICE, "device-1", &other)), "CUSTOMER_NOT_FOUND");
    throughline__identity__v1__customer__init(&other);
    CU_ASSERT_PTR_NULL(fixture_call(fixture, "CustomerService/DetachIdentifier", &undo, &other));
    CHECK_INT((int)other.n_identifiers, 0);
    CU_ASSERT_TRUE(fixture_stop(fixture));
}

static void lists_come_in_pages(void)
{
    Fixture *fixture = start_identity();
    ListCustomersRequest request = THROUGHLINE__IDENTITY__V1__LIST_CUSTOMERS_REQUEST__INIT;
    ListCustomersResponse page = THROUGHLINE__IDENTITY__V1__LIST_CUSTOMERS_RESPONSE__INIT;
    int seen = 0, pages = 0;

    for (int i = 0; i < 7; i++)
        a_customer(fixture, "Jo", NULL);
    request.page_size = 3;
    do {
        throughline__identity__v1__list_customers_response__init(&page);
        CU_ASSERT_PTR_NULL(fixture_call(fixture, "CustomerService/ListCustomers", &request, &page));
        seen += (int)page.n_customers;
        request.page_token = page.next_page_token;
    } while (++pages < 5 && *page.next_page_token);

    CHECK_INT(seen, 7);
    CHECK_INT(pages, 3);
    request.page_token = "nonsense";
    request.page_size = -1;
    CHECK_TEXT(
        error_reason(fixture_call(fixture, "CustomerService/ListCustomers", &request, &page)),
        "FIELD_INVALID");
    CU_ASSERT_TRUE(fixture_stop(fixture));
}

static void names_and_identifiers_that_are_none_are_refused(void)
{
    Fixture *fixture = start_identity();
    Customer reply;

    CU_ASSERT_TRUE(blames(get_customer(fixture, "people/jo", &reply), "name"));
    CU_ASSERT_TRUE(blames(find_customer(fixture, EMAIL, "jo", &reply), "identifier.value"));
    CU_ASSERT_TRUE(blames(find_customer(fixture, 99, "jo", &reply), "identifier.kind"));
    CU_ASSERT_TRUE(blames(attach(fixture, "", EMAIL, "jo", &reply), "customer"));
    CU_ASSERT_TRUE(blames(detach(fixture, "", EMAIL, "jo", &reply), "identifier.value"));
    CHECK_TEXT(
        error_reason(get_customer(fixture, "customers/nobody", &reply)), "CUSTOMER_NOT_FOUND");
    CU_ASSERT_TRUE(fixture_stop(fixture));
}

static void a_customer_sees_only_themselves_through_a_channel(void)
{
    Fixture *fixture = start_identity();
    const char *jo = a_customer(fixture, "Jo", "device-1"), *bo = a_customer(fixture, "Bo", NULL);
    ListCustomersRequest list = THROUGHLINE__IDENTITY__V1__LIST_CUSTOMERS_REQUEST__INIT;
    ListCustomersResponse page = THROUGHLINE__IDENTITY__V1__LIST_CUSTOMERS_RESPONSE__INIT;
    Customer reply;

    fixture_act_as(fixture, "web", bo);

    CHECK_TEXT(error_reason(fixture_call(fixture, "CustomerService/ListCustomers", &list, &page)),
        "CUSTOMERS_OF_OTHERS");
    CHECK_TEXT(get_customer(fixture, jo, &reply)->message,
        arena_printf(fixture_arena(fixture), "There is no \"%s\".", jo));
    CU_ASSERT_PTR_NULL(get_customer(fixture, bo, &reply));
    CHECK_TEXT(error_reason(get_customer(fixture, jo, &reply)), "CUSTOMER_NOT_FOUND");
    CHECK_TEXT(
        error_reason(find_customer(fixture, DEVICE, "device-1", &reply)), "CUSTOMER_NOT_FOUND");
    CHECK_TEXT(error_reason(attach(fixture, jo, DEVICE, "device-2", &reply)), "CUSTOMER_NOT_FOUND");
    CHECK_TEXT(error_reason(detach(fixture, jo, DEVICE, "device-1", &reply)), "CUSTOMER_NOT_FOUND");
    CHECK_TEXT(error_reason(set_consent(fixture, jo, "surveys", "inbox", 1, &reply)),
        "CUSTOMER_NOT_FOUND");
    CU_ASSERT_TRUE(fixture_stop(fixture));
}

static void a_token_without_the_scope_is_refused(void)
{
    Fixture *fixture = start_identity();
    const char *jo = a_customer(fixture, "Jo", NULL);
    RpcOutgoing outgoing = fixture_outgoing(fixture);
    AttachIdentifierRequest attachment = THROUGHLINE__IDENTITY__V1__ATTACH_IDENTIFIER_REQUEST__INIT;
    MergeCustomersRequest merging = THROUGHLINE__IDENTITY__V1__MERGE_CUSTOMERS_REQUEST__INIT;
    Customer reply = THROUGHLINE__IDENTITY__V1__CUSTOMER__INIT;
    const Error *error;

    attachment.customer = merging.survivor = (char *)jo;
    attachment.identifier = an_identifier(fixture, DEVICE, "device-1");
    outgoing.token = fixture_token(fixture, "identity.read", "care");
    error = fixture_call_with(
        fixture, &outgoing, "CustomerService/AttachIdentifier", &attachment, &reply);
    CHECK_INT(error ? error->code : 0, ERROR_PERMISSION_DENIED);
    outgoing.token = fixture_token(fixture, "identity.write", "care");
    error =
        fixture_call_with(fixture, &outgoing, "CustomerService/MergeCustomers", &merging, &reply);
    CHECK_INT(error ? error->code : 0, ERROR_PERMISSION_DENIED);
    CU_ASSERT_TRUE(fixture_stop(fixture));
}

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        { "a_new_customer_is_found_by_every_identifier",
            a_new_customer_is_found_by_every_identifier },
        { "an_identifier_has_one_holder", an_identifier_has_one_holder },
        { "every_bad_field_of_a_new_customer_is_named",
            every_bad_field_of_a_new_customer_is_named },
        { "a_create_that_is_repeated_makes_one_customer",
            a_create_that_is_repeated_makes_one_customer },
        { "an_update_changes_the_masked_fields", an_update_changes_the_masked_fields },
        { "a_stale_version_updates_nothing", a_stale_version_updates_nothing },
        { "an_identifier_comes_and_goes", an_identifier_comes_and_goes },
        { "a_repeated_attachment_gets_the_first_answer",
            a_repeated_attachment_gets_the_first_answer },
        { "lists_come_in_pages", lists_come_in_pages },
        { "names_and_identifiers_that_are_none_are_refused",
            names_and_identifiers_that_are_none_are_refused },
        { "a_customer_sees_only_themselves_through_a_channel",
            a_customer_sees_only_themselves_through_a_channel },
        { "a_token_without_the_scope_is_refused", a_token_without_the_scope_is_refused },
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        { .pName = "customer", .pTests = tests },
        CU_SUITE_INFO_NULL,
    };

    return test_main("identity_customer_service", suites, argc, argv);
}
