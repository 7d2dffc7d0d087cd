#include "tests/service/catalog/governance_fixture.h"

#include "services/catalog/domain/override.h"
#include "shared/codec/message.h"
#include "shared/codec/types.h"

#include <stdio.h>

typedef Throughline__Catalog__V1__CreateDraftRequest CreateDraftRequest;
typedef Throughline__Catalog__V1__GetRuleRequest GetRuleRequest;

void as_ann(void)
{
    fixture_act_as(fixture, "merchandising", "agents/ann");
}

void as_bob(void)
{
    fixture_act_as(fixture, "pricing", "agents/bob");
}

void as_cleo(void)
{
    fixture_act_as(fixture, "operations", "agents/cleo");
}

Draft *make_draft_of(Change **changes, size_t n_changes)
{
    CreateDraftRequest request = THROUGHLINE__CATALOG__V1__CREATE_DRAFT_REQUEST__INIT;
    Draft *draft = message_new(arena, &throughline__catalog__v1__draft__descriptor);

    request.title = text(arena, "Spring sale");
    request.reason = text(arena, "It is spring");
    request.changes = changes;
    request.n_changes = n_changes;
    as_ann();
    CHECK_TEXT(
        error_reason(fixture_call(fixture, "GovernanceService/CreateDraft", &request, draft)),
        "OK");
    return draft;
}

Draft *make_draft(const RuleSetting *settings)
{
    size_t n = 0;
    Change **changes;

    while (settings[n].name)
        n++;
    changes = arena_array(arena, n, sizeof(*changes));
    for (size_t i = 0; i < n; i++)
        changes[i] = a_change(arena, settings[i].name, settings[i].basis_points);
    return make_draft_of(changes, n);
}

/* The request's type is the rpc's name with "Request" behind it. */
const Error *draft_call(const char *rpc, const char *name, const char *etag, Draft *reply)
{
    const ProtobufCMessageDescriptor *type =
        message_find(arena_printf(arena, "throughline.catalog.v1.%sRequest", rpc));
    void *request = message_new(arena, type);

    *(char **)message_field(request, "name") = text(arena, name);
    *(char **)message_field(request, "etag") = text(arena, etag);
    if (message_field(request, "note"))
        *(char **)message_field(request, "note") = text(arena, "noted");
    message_init(&throughline__catalog__v1__draft__descriptor, reply);
    return fixture_call(fixture, arena_printf(arena, "GovernanceService/%s", rpc), request, reply);
}

Draft *approve(const Draft *draft)
{
    Draft *reply = message_new(arena, &throughline__catalog__v1__draft__descriptor);

    as_ann();
    CHECK_TEXT(error_reason(draft_call("SubmitDraft", draft->name, "", reply)), "OK");
    as_bob();
    CHECK_TEXT(error_reason(draft_call("ApproveDraft", draft->name, "", reply)), "OK");
    return reply;
}

const Error *try_publish(const char *draft, Draft *reply)
{
    as_cleo();
    return draft_call("PublishDraft", draft, "", reply);
}

int64_t approve_and_publish(const Draft *draft)
{
    Draft *reply = message_new(arena, &throughline__catalog__v1__draft__descriptor);

    CHECK_TEXT(error_reason(try_publish(approve(draft)->name, reply)), "OK");
    return reply->release;
}

int64_t publish_settings(const RuleSetting *settings)
{
    return approve_and_publish(make_draft(settings));
}

int64_t publish_changes(Change **changes, size_t n_changes)
{
    return approve_and_publish(make_draft_of(changes, n_changes));
}

void publish_three(void)
{
    publish_settings((RuleSetting[]){ { "a", 1 }, { "b", 1 }, { 0 } });
    publish_settings((RuleSetting[]){ { "a", 2 }, { "b", 0 }, { "c", 2 }, { 0 } });
    publish_settings((RuleSetting[]){ { "a", 3 }, { 0 } });
}

void publish_limit(int32_t basis_points, int64_t amount)
{
    Change *change = message_new(arena, &throughline__catalog__v1__change__descriptor);
    OverrideLimit *limit =
        message_new(arena, &throughline__catalog__v1__override_limit__descriptor);
    char *channels[] = { text(arena, "web"), text(arena, "care") };
    Google__Type__Money *amounts[] = { money_message(arena, "EUR", amount) };

    limit->name = text(arena, "overrideLimits/goodwill");
    limit->title = text(arena, "Goodwill");
    limit->max_basis_points = basis_points;
    limit->channels = channels;
    limit->n_channels = COUNT(channels);
    limit->max_amounts = amounts;
    limit->n_max_amounts = COUNT(amounts);
    change->rule = limit->name;
    change->after = message_new(arena, &throughline__catalog__v1__rule__descriptor);
    change->after->kind_case = THROUGHLINE__CATALOG__V1__RULE__KIND_OVERRIDE_LIMIT;
    change->after->override_limit = limit;
    publish_changes(&change, 1);
}

Draft *get_draft_again(const char *name)
{
    Throughline__Catalog__V1__GetDraftRequest request =
        THROUGHLINE__CATALOG__V1__GET_DRAFT_REQUEST__INIT;
    Draft *draft = message_new(arena, &throughline__catalog__v1__draft__descriptor);

    request.name = text(arena, name);
    CHECK_TEXT(
        error_reason(fixture_call(fixture, "GovernanceService/GetDraft", &request, draft)), "OK");
    return draft;
}

Release *get_release_number(int64_t number)
{
    Throughline__Catalog__V1__GetReleaseRequest request =
        THROUGHLINE__CATALOG__V1__GET_RELEASE_REQUEST__INIT;
    Release *release = message_new(arena, &throughline__catalog__v1__release__descriptor);
    const Error *error;

    request.name = number ? release_name(arena, number) : text(arena, "");
    error = fixture_call(fixture, "GovernanceService/GetRelease", &request, release);
    if (!error)
        return release;
    CHECK_TEXT(error_reason(error), "RELEASE_NOT_FOUND");
    return NULL;
}

int32_t points_in(const char *name, int64_t release)
{
    GetRuleRequest request = THROUGHLINE__CATALOG__V1__GET_RULE_REQUEST__INIT;
    Throughline__Catalog__V1__PublishedRule rule = THROUGHLINE__CATALOG__V1__PUBLISHED_RULE__INIT;
    const Error *error;

    request.name = arena_printf(arena, "promotions/%s", name);
    request.release = release;
    error = fixture_call(fixture, "GovernanceService/GetRule", &request, &rule);
    if (!error)
        return rule.rule->promotion->basis_points;
    CHECK_TEXT(error_reason(error), "RULE_NOT_FOUND");
    return 0;
}
