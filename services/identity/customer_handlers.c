/* Customers: their profiles and what they are known by. */
#include "services/identity/customer_records.h"
#include "services/identity/merge_steps.h"
#include "services/identity/timeline_handlers.h"
#include "shared/codec/mask.h"
#include "shared/codec/message.h"
#include "shared/codec/types.h"
#include "shared/rpc/check.h"
#include "shared/rpc/naming.h"
#include "shared/rpc/page.h"

typedef Throughline__Identity__V1__CreateCustomerRequest CreateCustomerRequest;
typedef Throughline__Identity__V1__GetCustomerRequest GetCustomerRequest;
typedef Throughline__Identity__V1__UpdateCustomerRequest UpdateCustomerRequest;
typedef Throughline__Identity__V1__ListCustomersRequest ListCustomersRequest;
typedef Throughline__Identity__V1__ListCustomersResponse ListCustomersResponse;
typedef Throughline__Identity__V1__FindCustomerRequest FindCustomerRequest;
typedef Throughline__Identity__V1__AttachIdentifierRequest AttachIdentifierRequest;
typedef Throughline__Identity__V1__DetachIdentifierRequest DetachIdentifierRequest;
typedef Throughline__Identity__V1__MergeCustomersRequest MergeCustomersRequest;
typedef Throughline__Identity__V1__CustomerCreated CustomerCreated;
typedef Throughline__Identity__V1__CustomerUpdated CustomerUpdated;

static const Error customers_of_others = { ERROR_PERMISSION_DENIED, "CUSTOMERS_OF_OTHERS",
    "Who acts as a customer sees no others: ask for them by GetCustomer." };

/* What an update may not touch. */
static const char *const fixed_fields[] = { "name", "etag", "state", "identifiers", "merged_into",
    "merged_from", "create_time", "update_time", "consents", "merge", NULL };

/* A known kind and a good value, which is normalised in place; else violations below `field`. */
static void check_identifier(RpcCall *call, const char *field, Identifier *identifier)
{
    const Error *error;

    check_present(call, field, identifier);
    if (!identifier)
        return;
    if (!protobuf_c_enum_descriptor_get_value(
            &throughline__identity__v1__identifier__kind__descriptor, identifier->kind) ||
        !identifier->kind) {
        check_enum(call, check_path(call, "%s.kind", field),
            &throughline__identity__v1__identifier__kind__descriptor, identifier->kind);
        return;
    }
    if ((error = identifier_normalise(identifier, call->arena)))
        check_fail(call, check_path(call, "%s.value", field), "%s", error->message);
}

static void check_profile(RpcCall *call, const Customer *customer)
{
    check_text(call, "customer.display_name", customer->display_name, 0, CUSTOMER_MAX_NAME);
    if (!customer_is_language(customer->language))
        check_fail(call, "customer.language", "must be a language tag like en-GB");
    check_count(call, "customer.attributes", customer->n_attributes, 0, CUSTOMER_MAX_ATTRIBUTES);
    for (size_t i = 0; i < customer->n_attributes && i < CUSTOMER_MAX_ATTRIBUTES; i++) {
        check_text(call, check_path(call, "customer.attributes[%zu].key", i),
            customer->attributes[i]->key, 1, CUSTOMER_MAX_ATTRIBUTE_KEY);
        check_text(call, check_path(call, "customer.attributes[%zu].value", i),
            customer->attributes[i]->value, 0, CUSTOMER_MAX_ATTRIBUTE_VALUE);
    }
}

static void check_new_customer(RpcCall *call, const Customer *customer)
{
    check_present(call, "customer", customer);
    if (!customer)
        return;
    check_profile(call, customer);
    check_count(call, "customer.identifiers", customer->n_identifiers, 0, CUSTOMER_MAX_IDENTIFIERS);
    for (size_t i = 0; i < customer->n_identifiers && i < CUSTOMER_MAX_IDENTIFIERS; i++) {
        const char *field = check_path(call, "customer.identifiers[%zu]", i);

        check_identifier(call, field, customer->identifiers[i]);
        for (size_t j = 0; j < i; j++)
            if (!text_is_empty(customer->identifiers[i]->key) &&
                text_equal(customer->identifiers[i]->key, customer->identifiers[j]->key))
                check_fail(call, field, "is there twice");
    }
}

/* A new customer, with the identifiers given. */
static const Error *create_customer(RpcCall *call, const void *request, void *reply)
{
    const CreateCustomerRequest *req = request;
    Customer *customer = reply;
    Timestamp *now = timestamp_from_micros(call->arena, call->arrived_at);
    CustomerCreated event = THROUGHLINE__IDENTITY__V1__CUSTOMER_CREATED__INIT;
    const Error *error;

    /* validate */
    check_new_customer(call, req->customer);
    check_request_id(call, req->request_id);
    if ((error = check_result(call)))
        return error;

    /* decide */
    customer->name = rpc_new_name(call, "customers", req->request_id);
    customer->state = THROUGHLINE__IDENTITY__V1__CUSTOMER__STATE__ACTIVE;
    customer->display_name = req->customer->display_name;
    customer->language = req->customer->language;
    customer->attributes = req->customer->attributes;
    customer->n_attributes = req->customer->n_attributes;
    customer->create_time = customer->update_time = now;
    for (size_t i = 0; i < req->customer->n_identifiers; i++) {
        IdentifierAttached attached = THROUGHLINE__IDENTITY__V1__IDENTIFIER_ATTACHED__INIT;
        bool is_changed;

        if ((error = customer_attach(customer, req->customer->identifiers[i], now, call->arena,
                 &attached, &is_changed)))
            return error;
    }

    /* store */
    event.customer = customer;
    return customer_explain(
        call->store, customer, store_insert(call->store, &customers, customer, &event));
}

static const Error *get_customer(RpcCall *call, const void *request, void *reply)
{
    const GetCustomerRequest *req = request;
    const Error *error;

    check_name(call, "name", req->name, "customers/*");
    if ((error = check_result(call)) ||
        (error = customer_load_survivor(call->store, req->name, reply)))
        return error;
    return customer_check_access(call, reply, req->name);
}

/* Changes the profile's masked fields. */
static const Error *update_customer(RpcCall *call, const void *request, void *reply)
{
    const UpdateCustomerRequest *req = request;
    Customer *customer = reply;
    const char *const *paths =
        req->update_mask ? (const char *const *)req->update_mask->paths : NULL;
    size_t n_paths = req->update_mask ? req->update_mask->n_paths : 0;
    const Error *error;
    Race race __attribute__((cleanup(race_end))) =
        race_start(call, req->customer ? req->customer->name : "");

    /* validate */
    check_present(call, "customer", req->customer);
    if (req->customer) {
        check_name(call, "customer.name", req->customer->name, "customers/*");
        check_profile(call, req->customer);
    }
    check_request_id(call, req->request_id);
    if ((error = check_result(call)) ||
        (error = mask_check(call->arena, &throughline__identity__v1__customer__descriptor, paths,
             n_paths, fixed_fields)))
        return error;

    do {
        CustomerUpdated event = THROUGHLINE__IDENTITY__V1__CUSTOMER_UPDATED__INIT;
        const Customer *before;

        /* load */
        if ((error = customer_load(call->store, req->customer->name, customer)) ||
            (error = customer_check_access(call, customer, req->customer->name)) ||
            (error = customer_check_active(customer)))
            return error;

        /* decide: a caller who names a version means that one; what is so already is no change */
        before = message_copy(call->arena, customer);
        mask_merge(call->arena, req->customer, customer, paths, n_paths, fixed_fields);
        if (!text_is_empty(req->customer->etag))
            customer->etag = req->customer->etag;
        if (message_equal(before, customer))
            return NULL;
        customer->update_time = timestamp_from_micros(call->arena, call->arrived_at);

        /* store */
        event.customer = customer;
        error = store_replace(call->store, &customers, customer, &event);
    } while (race_lost(&race, error, req->customer->etag));
    return error;
}

static const Error *list_customers(RpcCall *call, const void *request, void *reply)
{
    const ListCustomersRequest *req = request;
    ListCustomersResponse *response = reply;
    RpcPage page = page_read(call, req->page_size, req->page_token, "");
    StoreQuery query = { .limit = page.limit, .max_bytes = PAGE_BYTES, .resume = page.resume };
    StorePage found;
    const Error *error;

    if ((error = check_result(call)))
        return error;
    if (customer_asks(call))
        return &customers_of_others;
    if ((error = store_find(call->store, &customers, &query, &found)))
        return error;
    response->n_customers = found.n_messages;
    response->customers = (Customer **)found.messages;
    response->next_page_token = page_token(call, &page, found.resume);
    return NULL;
}

/* The customer that an identifier belongs to. */
static const Error *find_customer(RpcCall *call, const void *request, void *reply)
{
    const FindCustomerRequest *req = request;
    const Error *error;

    check_identifier(call, "identifier", req->identifier);
    if ((error = check_result(call)) ||
        (error = customer_find(call->store, req->identifier->key, reply)))
        return error;
    return customer_check_access(call, reply, NULL);
}

static const Error *attach_identifier(RpcCall *call, const void *request, void *reply)
{
    const AttachIdentifierRequest *req = request;
    Customer *customer = reply;
    Timestamp *now = timestamp_from_micros(call->arena, call->arrived_at);
    const Error *error;
    Race race __attribute__((cleanup(race_end))) = race_start(call, req->customer);

    /* validate */
    check_name(call, "customer", req->customer, "customers/*");
    check_identifier(call, "identifier", req->identifier);
    check_request_id(call, req->request_id);
    if ((error = check_result(call)))
        return error;

    do {
        IdentifierAttached event = THROUGHLINE__IDENTITY__V1__IDENTIFIER_ATTACHED__INIT;
        bool is_changed;

        /* load */
        if ((error = customer_load(call->store, req->customer, customer)) ||
            (error = customer_check_access(call, customer, req->customer)))
            return error;

        /* decide */
        if ((error = customer_attach(
                 customer, req->identifier, now, call->arena, &event, &is_changed)) ||
            !is_changed)
            return error;
        customer->update_time = now;

        /* store */
        error = store_replace(call->store, &customers, customer, &event);
        error = customer_explain(call->store, customer, error);
    } while (race_lost(&race, error, ""));
    return error;
}

/* The record that holds an inherited identifier lets go of it first: until the survivor is stored,
 * doing both again is harmless. */
static const Error *release_at_origin(
    RpcCall *call, Race *race, const char *origin, const char *key)
{
    StoreView steps = store_steps(call->store);
    const Error *error;

    do {
        Customer holder;

        if ((error = customer_load(&steps, origin, &holder)) ||
            !customer_release(&holder, key, call->arena))
            return error;
        error = store_replace(&steps, &customers, &holder, NULL);
    } while (race_lost(race, error, ""));
    return error;
}

static const Error *detach_identifier(RpcCall *call, const void *request, void *reply)
{
    const DetachIdentifierRequest *req = request;
    Customer *customer = reply;
    const Error *error;
    Race race __attribute__((cleanup(race_end))) = race_start(call, req->customer);

    /* validate */
    check_name(call, "customer", req->customer, "customers/*");
    check_identifier(call, "identifier", req->identifier);
    check_request_id(call, req->request_id);
    if ((error = check_result(call)))
        return error;

    do {
        IdentifierDetached event = THROUGHLINE__IDENTITY__V1__IDENTIFIER_DETACHED__INIT;

        /* load */
        if ((error = customer_load(call->store, req->customer, customer)) ||
            (error = customer_check_access(call, customer, req->customer)))
            return error;

        /* decide */
        if ((error = customer_detach(customer, req->identifier->key, call->arena, &event)))
            return error;
        customer->update_time = timestamp_from_micros(call->arena, call->arrived_at);

        /* store */
        if (!text_is_empty(event.identifier->origin) &&
            (error =
                    release_at_origin(call, &race, event.identifier->origin, req->identifier->key)))
            return error;
        error = store_replace(call->store, &customers, customer, &event);
    } while (race_lost(&race, error, ""));
    return error;
}

/* Two records are one person. */
static const Error *merge_customers(RpcCall *call, const void *request, void *reply)
{
    const MergeCustomersRequest *req = request;
    const Error *error;

    check_name(call, "survivor", req->survivor, "customers/*");
    check_name(call, "duplicate", req->duplicate, "customers/*");
    if (text_equal(req->survivor, req->duplicate))
        check_fail(call, "duplicate", "must be another customer than the survivor");
    check_text(call, "reason", req->reason, 1, MERGE_MAX_REASON);
    check_request_id(call, req->request_id);
    if ((error = check_result(call)))
        return error;
    return merge_customers_into(call, req->survivor, req->duplicate, req->reason, reply);
}

const RpcService customer_rpcs = THROUGHLINE__IDENTITY__V1__CUSTOMER_SERVICE__INIT();
