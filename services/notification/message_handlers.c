/* Messages: sent once, kept for ever, followed by receipts. */
#include "services/notification/notification_service.h"

#include "services/notification/domain/template.h"
#include "services/notification/template_handlers.h"
#include "shared/base/id.h"
#include "shared/base/text.h"
#include "shared/codec/types.h"
#include "shared/rpc/check.h"
#include "shared/rpc/page.h"
#include "shared/service/aliases.h"

#include "throughline/notification/v1/events.pb-c.h"

typedef Throughline__Notification__V1__SendMessageRequest SendMessageRequest;
typedef Throughline__Notification__V1__GetMessageRequest GetMessageRequest;
typedef Throughline__Notification__V1__ListMessagesRequest ListMessagesRequest;
typedef Throughline__Notification__V1__ListMessagesResponse ListMessagesResponse;
typedef Throughline__Notification__V1__WatchInboxRequest WatchInboxRequest;
typedef Throughline__Notification__V1__WatchInboxResponse WatchInboxResponse;
typedef Throughline__Notification__V1__RecordReceiptRequest RecordReceiptRequest;
typedef Throughline__Notification__V1__MessageCreated MessageCreated;
typedef Throughline__Notification__V1__MessageStateChanged MessageStateChanged;

enum {
    MAX_CHANNELS = 10,
    MAX_VARIABLE_NAME = 40,
    MAX_VARIABLE_VALUE = 2000,
    MAX_KEY = 255,
};

static const Error too_large = { ERROR_INVALID_ARGUMENT, "MESSAGE_TOO_LARGE",
    "The rendered message is larger than 64 KiB." };

static const Error message_not_found = { ERROR_NOT_FOUND, "MESSAGE_NOT_FOUND",
    "There is no such message." };
static const Error customer_not_found = { ERROR_NOT_FOUND, "CUSTOMER_NOT_FOUND",
    "There is no such customer." };

static const Error customer_merged = { ERROR_FAILED_PRECONDITION, "CUSTOMER_MERGED",
    "The customer is part of another record: watch the inbox of that one from the start." };

static const Error *load_message(RpcCall *call, const char *name, Message *message)
{
    const Error *error;

    throughline__notification__v1__message__init(message);
    if ((error = store_get(call->store, &messages, name, message)))
        return error->code == ERROR_NOT_FOUND ? &message_not_found : error;
    return alias_check_reader(call, message->customer, &message_not_found);
}

static const Error *check_send(RpcCall *call, const SendMessageRequest *req)
{
    check_name(call, "customer", req->customer, "customers/*");
    check_name(call, "template", req->template_, "templates/*");
    check_word(call, "purpose", req->purpose);
    check_text(call, "deduplication_key", req->deduplication_key, 1, MAX_KEY);
    check_count(call, "channels", req->n_channels, 0, MAX_CHANNELS);
    check_count(call, "variables", req->n_variables, 0, TEMPLATE_MAX_VARIABLES);
    for (size_t i = 0; i < req->n_channels && i < MAX_CHANNELS; i++)
        check_word(call, check_path(call, "channels[%zu]", i), req->channels[i]);
    for (size_t i = 0; i < req->n_variables && i < TEMPLATE_MAX_VARIABLES; i++) {
        check_text(call, check_path(call, "variables[%zu].key", i), req->variables[i]->key, 1,
            MAX_VARIABLE_NAME);
        check_text(call, check_path(call, "variables[%zu].value", i), req->variables[i]->value, 0,
            MAX_VARIABLE_VALUE);
    }
    check_request_id(call, req->request_id);
    return check_result(call);
}

/* Subject and body from the template; every variable it lacks is named. */
static const Error *render(
    RpcCall *call, const SendMessageRequest *req, const Template *text, Message *message)
{
    TemplateVariable *variables =
        arena_array(call->arena, req->n_variables + 1, sizeof(*variables));
    const char *missing[TEMPLATE_MAX_VARIABLES + 1];
    const char *whole = arena_printf(call->arena, "%s\n%s", text->subject, text->body);
    size_t n;

    for (size_t i = 0; i < req->n_variables; i++)
        variables[i] = (TemplateVariable){ req->variables[i]->key, req->variables[i]->value };
    n = template_missing(call->arena, whole, variables, req->n_variables, missing);
    for (size_t i = 0; i < n; i++)
        check_fail(
            call, check_path(call, "variables[%s]", missing[i]), "is needed by the template");
    if (n)
        return check_result(call);
    message->subject = template_render(call->arena, text->subject, variables, req->n_variables);
    message->body = template_render(call->arena, text->body, variables, req->n_variables);
    return message->subject && message->body ? NULL : &too_large;
}

static const Error *has_default_endpoint(RpcCall *call, bool *has)
{
    EndpointRecord record = THROUGHLINE__NOTIFICATION__V1__ENDPOINT_RECORD__INIT;
    const Error *error = store_get(call->store, &endpoints, DEFAULT_ENDPOINT, &record);

    *has = !error;
    return error && error->code == ERROR_NOT_FOUND ? NULL : error;
}

/* One key of one customer is one message, for ever, whoever they were when it was sent. */
static const Error *find_sent(
    RpcCall *call, const char *customer, const char *key, Message *message, bool *is_found)
{
    StoreQuery query = { .index = "key",
        .equal = { { .kind = STORE_TEXT, .text = customer }, { .kind = STORE_TEXT, .text = key } },
        .limit = 1 };
    StorePage page;
    const Error *error;

    if ((error = store_find(call->store, &messages, &query, &page)))
        return error;
    *is_found = page.n_messages > 0;
    if (*is_found)
        *message = *(const Message *)page.messages[0];
    return NULL;
}

/* A twin that was faster has the answer. */
static const Error *store_new(RpcCall *call, Message *message)
{
    MessageCreated event = THROUGHLINE__NOTIFICATION__V1__MESSAGE_CREATED__INIT;
    const char *name = message->name;
    const Error *error;

    event.message = message;
    error = store_insert(call->store, &messages, message, &event);
    if (!error || !text_equal(error->reason, "MESSAGE_EXISTS"))
        return error;
    throughline__notification__v1__message__init(message);
    return store_get(call->store, &messages, name, message);
}

static char *name_of(RpcCall *call, const char *customer, const char *key)
{
    char id[ID_SIZE];

    id_from(arena_printf(call->arena, "%s %s", customer, key), id);
    return arena_printf(call->arena, "messages/%s", id);
}

/* Renders a template and sends it once, over the first channel that is consented to. */
static const Error *send_message(RpcCall *call, const void *request, void *reply)
{
    const SendMessageRequest *req = request;
    Message *message = reply;
    Template text = THROUGHLINE__NOTIFICATION__V1__TEMPLATE__INIT;
    const char *customer, *const *consented;
    size_t n_consented;
    bool is_found, has_endpoint;
    const Error *error;

    /* validate */
    if ((error = check_send(call, req)))
        return error;

    /* load */
    if ((error = alias_survivor(call->store, req->customer, &customer)) ||
        (error = find_sent(call, customer, req->deduplication_key, message, &is_found)) || is_found)
        return error;
    if ((error = store_get(call->store, &templates, req->template_, &text)) ||
        (error = has_default_endpoint(call, &has_endpoint)) ||
        (error = consented_channels(call, customer, req->purpose, &consented, &n_consented)))
        return error;

    /* decide */
    if ((error = render(call, req, &text, message)))
        return error;
    message->name = name_of(call, customer, req->deduplication_key);
    message->customer = (char *)customer;
    message->template_ = req->template_;
    message->purpose = req->purpose;
    message->deduplication_key = req->deduplication_key;
    message->create_time = timestamp_from_micros(call->arena, call->arrived_at);
    message_route(message, (const char *const *)req->channels, req->n_channels, consented,
        n_consented, has_endpoint, call->arrived_at, call->arena);

    /* store */
    return store_new(call, message);
}

static const Error *get_message(RpcCall *call, const void *request, void *reply)
{
    const GetMessageRequest *req = request;
    const Error *error;

    check_name(call, "name", req->name, "messages/*");
    if ((error = check_result(call)))
        return error;
    return load_message(call, req->name, reply);
}

static const Error *list_messages(RpcCall *call, const void *request, void *reply)
{
    const ListMessagesRequest *req = request;
    ListMessagesResponse *response = reply;
    RpcPage page = page_read(call, req->page_size, req->page_token, req->customer);
    StoreQuery query = { .index = "customer",
        .is_descending = true,
        .limit = page.limit,
        .max_bytes = PAGE_BYTES,
        .resume = page.resume };
    StorePage found;
    const char *customer;
    const Error *error;

    check_name(call, "customer", req->customer, "customers/*");
    if ((error = check_result(call)) ||
        (error = alias_survivor(call->store, req->customer, &customer)) ||
        (error = alias_check_reader(call, customer, &customer_not_found)))
        return error;
    query.equal[0] = (StoreValue){ .kind = STORE_TEXT, .text = customer };
    if ((error = store_find(call->store, &messages, &query, &found)))
        return error;
    response->n_messages = found.n_messages;
    response->messages = (Message **)found.messages;
    response->next_page_token = page_token(call, &page, found.resume);
    return NULL;
}

/* An accepted inbox message, as the stream shows it; everything else that happens to the customer is passed over. */
static const void *render_arrival(void *context, Arena *arena, const Event *event)
{
    MessageCreated *created =
        event_payload(arena, event, &throughline__notification__v1__message_created__descriptor);
    WatchInboxResponse *response;

    (void)context;
    if (!created || !created->message || !text_equal(created->message->channel, "inbox"))
        return NULL;
    response = arena_alloc(arena, sizeof(*response));
    throughline__notification__v1__watch_inbox_response__init(response);
    response->message = created->message;
    response->sequence = event->sequence;
    return response;
}

static const Error *watch_inbox(RpcCall *call, const void *request, void *reply)
{
    const WatchInboxRequest *req = request;
    EventInterest interest = {
        .customer = req->customer, .after = req->after, .render = render_arrival
    };
    const char *customer;
    const Error *error;

    (void)reply;
    check_name(call, "customer", req->customer, "customers/*");
    if ((error = check_result(call)) ||
        (error = alias_survivor(call->store, req->customer, &customer)) ||
        (error = alias_check_reader(call, customer, &customer_not_found)))
        return error;
    /* Sequences are those of one record's events. */
    if (!text_equal(customer, req->customer))
        return error_with_fact(call->arena, &customer_merged, "merged_into", customer);
    if ((error = event_check_after(call, &interest)))
        return error;
    return event_hub_follow(service_of(call)->hub, call, &interest);
}

static const Error *record_receipt(RpcCall *call, const void *request, void *reply)
{
    const RecordReceiptRequest *req = request;
    Message *message = reply;
    MessageStateChanged event = THROUGHLINE__NOTIFICATION__V1__MESSAGE_STATE_CHANGED__INIT;
    const Error *error;
    Race race __attribute__((cleanup(race_end))) = race_start(call, req->name);

    check_name(call, "name", req->name, "messages/*");
    if (req->state < THROUGHLINE__NOTIFICATION__V1__MESSAGE__STATE__DELIVERED ||
        req->state > THROUGHLINE__NOTIFICATION__V1__MESSAGE__STATE__CLICKED)
        check_fail(call, "state", "must be DELIVERED, OPENED or CLICKED");
    check_request_id(call, req->request_id);
    if ((error = check_result(call)))
        return error;
    event.message = message;
    do {
        if ((error = load_message(call, req->name, message)) ||
            (error = message_check_receipt(message)) ||
            !message_advance(message, req->state, call->arrived_at, call->arena))
            return error;
        error = store_replace(call->store, &messages, message, &event);
    } while (race_lost(&race, error, ""));
    return error;
}

const RpcService message_rpcs = THROUGHLINE__NOTIFICATION__V1__MESSAGE_SERVICE__INIT();
