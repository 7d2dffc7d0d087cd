#include "tests/service/notification/calls.h"

#include <string.h>

static const Error *create(Fixture *fixture, char *name, char *subject, char *body, Template *made)
{
    Throughline__Notification__V1__CreateTemplateRequest request =
        THROUGHLINE__NOTIFICATION__V1__CREATE_TEMPLATE_REQUEST__INIT;
    Template wanted = THROUGHLINE__NOTIFICATION__V1__TEMPLATE__INIT;

    throughline__notification__v1__template__init(made);
    wanted.name = name;
    wanted.subject = subject;
    wanted.body = body;
    request.template_ = &wanted;
    return fixture_call(fixture, "MessageService/CreateTemplate", &request, made);
}

static const Error *get(Fixture *fixture, char *name, Template *found)
{
    Throughline__Notification__V1__GetTemplateRequest request =
        THROUGHLINE__NOTIFICATION__V1__GET_TEMPLATE_REQUEST__INIT;

    throughline__notification__v1__template__init(found);
    request.name = name;
    return fixture_call(fixture, "MessageService/GetTemplate", &request, found);
}

static void a_template_is_kept_and_its_name_taken_once(void)
{
    Fixture *fixture = start_notification(NULL);
    Template made, found;

    CHECK_TEXT(error_reason(create(fixture, "templates/a", "Hi", "{{x}}", &made)), "OK");
    CHECK_TEXT(
        error_reason(create(fixture, "templates/a", "Ho", "{{y}}", &made)), "TEMPLATE_EXISTS");

    CHECK_TEXT(error_reason(get(fixture, "templates/a", &found)), "OK");
    CHECK_TEXT(found.body, "{{x}}");
    CHECK_TEXT(error_reason(get(fixture, "templates/b", &found)), "TEMPLATE_NOT_FOUND");
    fixture_stop(fixture);
}

static void a_bad_template_is_refused_with_every_bad_field(void)
{
    Fixture *fixture = start_notification(NULL);
    Template made;
    const Error *error = create(fixture, "Bad Name", "", "line\n {{oops", &made);

    CHECK_TEXT(error_reason(error), "FIELD_INVALID");
    CHECK_INT(error->n_violations, 3);
    CHECK_TEXT(error->violations[2].field, "template.body");
    CU_ASSERT_PTR_NOT_NULL(strstr(error->violations[2].description, "line 2, column 2"));
    fixture_stop(fixture);
}

static char *many_variables(Fixture *fixture, char begin, int n)
{
    char *text = arena_text(fixture_arena(fixture), "");

    for (int i = 0; i < n; i++)
        text = arena_printf(fixture_arena(fixture), "%s{{%c%d}}{{%c%d}}", text, begin, i, begin, i);
    return text;
}

static void a_template_has_no_more_variables_than_a_message_may_bring(void)
{
    Fixture *fixture = start_notification(NULL);
    char *subject = many_variables(fixture, 's', 10);
    Template made;
    const Error *error;

    error = create(fixture, "templates/a", subject, many_variables(fixture, 'b', 40), &made);
    CHECK_TEXT(error_reason(error), "OK");
    error = create(fixture, "templates/b", subject, many_variables(fixture, 'b', 41), &made);

    CHECK_TEXT(error_reason(error), "FIELD_INVALID");
    CHECK_TEXT(error->violations[0].field, "template.body");
    fixture_stop(fixture);
}

static void an_endpoint_must_be_http_and_is_made_once(void)
{
    Fixture *fixture = start_notification(NULL);
    Throughline__Notification__V1__CreateEndpointRequest request =
        THROUGHLINE__NOTIFICATION__V1__CREATE_ENDPOINT_REQUEST__INIT;
    Endpoint wanted = THROUGHLINE__NOTIFICATION__V1__ENDPOINT__INIT;
    Endpoint made = THROUGHLINE__NOTIFICATION__V1__ENDPOINT__INIT;
    const Error *error;

    an_endpoint(fixture, "https://example.com/hook");
    wanted.name = DEFAULT_ENDPOINT;
    wanted.uri = "ftp://example.com";
    wanted.secret = "short";
    request.endpoint = &wanted;
    error = fixture_call(fixture, "MessageService/CreateEndpoint", &request, &made);
    CHECK_INT(error->n_violations, 2);
    wanted.uri = "https:///nowhere";
    error = fixture_call(fixture, "MessageService/CreateEndpoint", &request, &made);
    CHECK_INT(error->n_violations, 2);

    wanted.uri = "https://example.com/other";
    wanted.secret = "0123456789abcdef";
    CHECK_TEXT(
        error_reason(fixture_call(fixture, "MessageService/CreateEndpoint", &request, &made)),
        "ENDPOINT_EXISTS");
    fixture_stop(fixture);
}

CU_TestInfo template_tests[] = { { "a_template_is_kept_and_its_name_taken_once",
                                     a_template_is_kept_and_its_name_taken_once },
    { "a_bad_template_is_refused_with_every_bad_field",
        a_bad_template_is_refused_with_every_bad_field },
    { "a_template_has_no_more_variables_than_a_message_may_bring",
        a_template_has_no_more_variables_than_a_message_may_bring },
    { "an_endpoint_must_be_http_and_is_made_once", an_endpoint_must_be_http_and_is_made_once },
    CU_TEST_INFO_NULL };
