#include "services/notification/template_handlers.h"
#include "services/notification/domain/endpoint.h"
#include "services/notification/domain/template.h"
#include "services/notification/notification_service.h"

#include "shared/base/text.h"
#include "shared/codec/types.h"
#include "shared/rpc/check.h"

typedef Throughline__Notification__V1__CreateTemplateRequest CreateTemplateRequest;
typedef Throughline__Notification__V1__GetTemplateRequest GetTemplateRequest;
typedef Throughline__Notification__V1__CreateEndpointRequest CreateEndpointRequest;

enum { MAX_SUBJECT = 200, MAX_BODY = 20000, MAX_URI = 2000, MIN_SECRET = 16, MAX_SECRET = 200 };

static const Error endpoint_exists = { ERROR_ALREADY_EXISTS, "ENDPOINT_EXISTS",
    "There is an endpoint of this name." };

static void check_template(RpcCall *call, const char *field, const char *text, size_t max)
{
    const char *wrong;

    check_text(call, field, text, 1, max);
    if ((wrong = template_check(call->arena, text)))
        check_fail(call, field, "%s", wrong);
}

/* No more than one message may bring. */
static void check_variables(RpcCall *call, const Template *template)
{
    const char *names[TEMPLATE_MAX_VARIABLES + 1];
    const char *whole = arena_printf(call->arena, "%s\n%s", template->subject, template->body);

    if (template_missing(call->arena, whole, NULL, 0, names) > TEMPLATE_MAX_VARIABLES)
        check_fail(call, "template.body", "has with the subject more than %d variables",
            TEMPLATE_MAX_VARIABLES);
}

const Error *create_template(RpcCall *call, const void *request, void *reply)
{
    const CreateTemplateRequest *req = request;
    Template *made = reply;
    const Error *error;

    check_present(call, "template", req->template_);
    if (req->template_) {
        check_name(call, "template.name", req->template_->name, "templates/*");
        check_template(call, "template.subject", req->template_->subject, MAX_SUBJECT);
        check_template(call, "template.body", req->template_->body, MAX_BODY);
        check_variables(call, req->template_);
    }
    check_request_id(call, req->request_id);
    if ((error = check_result(call)))
        return error;
    made->name = req->template_->name;
    made->subject = req->template_->subject;
    made->body = req->template_->body;
    made->create_time = timestamp_from_micros(call->arena, call->arrived_at);
    return store_insert(call->store, &templates, made, NULL);
}

const Error *get_template(RpcCall *call, const void *request, void *reply)
{
    const GetTemplateRequest *req = request;
    const Error *error;

    check_name(call, "name", req->name, "templates/*");
    if ((error = check_result(call)))
        return error;
    return store_get(call->store, &templates, req->name, reply);
}

static void check_uri(RpcCall *call, const char *field, const char *uri)
{
    const char *wrong = text_is_empty(uri) ? NULL : endpoint_check_uri(uri);

    check_text(call, field, uri, 1, MAX_URI);
    if (wrong)
        check_fail(call, field, "%s", wrong);
}

const Error *create_endpoint(RpcCall *call, const void *request, void *reply)
{
    const CreateEndpointRequest *req = request;
    const Endpoint *wanted = req->endpoint;
    Endpoint *made = reply;
    EndpointRecord record = THROUGHLINE__NOTIFICATION__V1__ENDPOINT_RECORD__INIT;
    const Error *error;

    check_present(call, "endpoint", wanted);
    if (wanted) {
        check_name(call, "endpoint.name", wanted->name, "endpoints/*");
        check_uri(call, "endpoint.uri", wanted->uri);
        check_text(call, "endpoint.secret", wanted->secret, MIN_SECRET, MAX_SECRET);
    }
    check_request_id(call, req->request_id);
    if ((error = check_result(call)))
        return error;
    made->name = wanted->name;
    made->uri = wanted->uri;
    made->create_time = timestamp_from_micros(call->arena, call->arrived_at);
    record.name = wanted->name;
    record.endpoint = made;
    record.secret = wanted->secret;
    error = store_insert(call->store, &endpoints, &record, NULL);
    return error && text_equal(error->reason, "ENDPOINT_RECORD_EXISTS") ? &endpoint_exists : error;
}
