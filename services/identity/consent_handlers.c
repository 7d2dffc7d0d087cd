/* Consents: what customers allow, now and at any time before. */
#include "services/identity/customer_records.h"
#include "services/identity/merge_steps.h"
#include "shared/codec/types.h"
#include "shared/rpc/check.h"
#include "shared/rpc/page.h"

typedef Throughline__Identity__V1__SetConsentRequest SetConsentRequest;
typedef Throughline__Identity__V1__CheckConsentRequest CheckConsentRequest;
typedef Throughline__Identity__V1__CheckConsentResponse CheckConsentResponse;
typedef Throughline__Identity__V1__ListConsentHistoryRequest ListConsentHistoryRequest;
typedef Throughline__Identity__V1__ListConsentHistoryResponse ListConsentHistoryResponse;
typedef Throughline__Identity__V1__ConsentChanged ConsentChanged;

static void check_consent_given(RpcCall *call, const Consent *consent)
{
    check_present(call, "consent", consent);
    if (!consent)
        return;
    check_word(call, "consent.purpose", consent->purpose);
    check_word(call, "consent.channel", consent->channel);
    check_enum(call, "consent.state", &throughline__identity__v1__consent__state__descriptor,
        consent->state);
    check_text(call, "consent.wording", consent->wording, 0, CONSENT_MAX_WORDING);
    if (!consent->expire_time)
        return;
    if (consent->state != THROUGHLINE__IDENTITY__V1__CONSENT__STATE__GRANTED)
        check_fail(call, "consent.expire_time", "is for GRANTED only");
    else if (!timestamp_is_valid(consent->expire_time) ||
             timestamp_to_micros(consent->expire_time) <= call->arrived_at)
        check_fail(call, "consent.expire_time", "must be a time to come");
}

/* What is said of a merged record is said of its survivor, who must have its consents first: the
 * last word counts. */
static const Error *load_for_consent(RpcCall *call, const char *name, Customer *customer)
{
    StoreView steps = store_steps(call->store);
    const Error *error;

    if ((error = customer_load(call->store, name, customer)) || !customer_is_merged(customer))
        return error;
    return merge_take_over(call, &steps, name, customer);
}

/* Records a yes or a no with its proof. */
static const Error *set_consent(RpcCall *call, const void *request, void *reply)
{
    const SetConsentRequest *req = request;
    Customer *customer = reply;
    Consent consent;
    const Error *error;
    Race race __attribute__((cleanup(race_end))) = race_start(call, req->customer);

    /* validate */
    check_name(call, "customer", req->customer, "customers/*");
    check_consent_given(call, req->consent);
    check_request_id(call, req->request_id);
    if ((error = check_result(call)))
        return error;
    consent = *req->consent;
    consent.update_time = timestamp_from_micros(call->arena, call->arrived_at);
    consent.given_channel = (char *)call->context.channel;
    consent.given_actor = (char *)call->context.actor;

    do {
        ConsentChanged event = THROUGHLINE__IDENTITY__V1__CONSENT_CHANGED__INIT;

        /* load */
        if ((error = load_for_consent(call, req->customer, customer)) ||
            (error = customer_check_access(call, customer, req->customer)))
            return error;

        /* decide */
        if ((error = consent_set(customer, &consent, call->arena)))
            return error;
        customer->update_time = consent.update_time;

        /* store: the history follows by the event */
        event.customer = customer->name;
        event.consent = &consent;
        error = store_replace(call->store, &customers, customer, &event);
    } while (race_lost(&race, error, ""));
    return error;
}

static const Error *check_consent(RpcCall *call, const void *request, void *reply)
{
    const CheckConsentRequest *req = request;
    CheckConsentResponse *response = reply;
    Customer customer;
    const Error *error;

    check_name(call, "customer", req->customer, "customers/*");
    check_word(call, "purpose", req->purpose);
    if ((error = check_result(call)) ||
        (error = customer_load_survivor(call->store, req->customer, &customer)) ||
        (error = customer_check_access(call, &customer, req->customer)))
        return error;
    response->n_channels = consent_channels(
        &customer, req->purpose, call->arrived_at, call->arena, &response->channels);
    return NULL;
}

static const Error *list_consent_history(RpcCall *call, const void *request, void *reply)
{
    const ListConsentHistoryRequest *req = request;
    ListConsentHistoryResponse *response = reply;
    RpcPage page = page_read(call, req->page_size, req->page_token, req->customer);
    StoreQuery query = { .index = "customer",
        .is_descending = true,
        .limit = page.limit,
        .max_bytes = PAGE_BYTES,
        .resume = page.resume };
    StorePage found;
    Customer customer;
    const Error *error;

    check_name(call, "customer", req->customer, "customers/*");
    if ((error = check_result(call)) ||
        (error = customer_load_survivor(call->store, req->customer, &customer)) ||
        (error = customer_check_access(call, &customer, req->customer)))
        return error;
    query.equal[0] = (StoreValue){ .kind = STORE_TEXT, .text = customer.name };
    if ((error = store_find(call->store, &consent_records, &query, &found)))
        return error;
    response->n_records = found.n_messages;
    response->records = (ConsentRecord **)found.messages;
    response->next_page_token = page_token(call, &page, found.resume);
    return NULL;
}

const RpcService consent_rpcs = THROUGHLINE__IDENTITY__V1__CONSENT_SERVICE__INIT();
