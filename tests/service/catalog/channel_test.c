/* What an account that is bound to a channel may change, over gRPC. */
#include "services/catalog/pricing/uses_store.h"
#include "tests/service/catalog/governance_fixture.h"

#include "shared/codec/message.h"

typedef Throughline__Catalog__V1__CreateDraftRequest CreateDraftRequest;
typedef Throughline__Catalog__V1__ChangeDraftRequest ChangeDraftRequest;
typedef Throughline__Catalog__V1__StopPriceRequest StopPriceRequest;
typedef Throughline__Catalog__V1__LiftStopRequest LiftStopRequest;
typedef Throughline__Catalog__V1__RollBackRequest RollBackRequest;
typedef Throughline__Catalog__V1__CreatePromotionRequest CreatePromotionRequest;
typedef Throughline__Catalog__V1__EndPromotionRequest EndPromotionRequest;
typedef Throughline__Catalog__V1__CreateCouponCampaignRequest CreateCouponCampaignRequest;
typedef Throughline__Catalog__V1__EndCouponCampaignRequest EndCouponCampaignRequest;

/* As an account of "web" that may do everything, there alone. */
static RpcOutgoing web_outgoing(void)
{
    RpcOutgoing outgoing = fixture_outgoing(fixture);

    outgoing.token =
        fixture_token(fixture, "catalog.read catalog.write catalog.approve catalog.publish", "web");
    outgoing.context.channel = "web";
    outgoing.context.actor = "agents/wim";
    return outgoing;
}

static const Error *web_call(const char *rpc, const void *request, void *reply)
{
    RpcOutgoing outgoing = web_outgoing();

    return fixture_call_with(fixture, &outgoing, rpc, request, reply);
}

static const char *web_reason(const char *rpc, const void *request, void *reply)
{
    return error_reason(web_call(rpc, request, reply));
}

static Draft *a_reply(void)
{
    return message_new(arena, &throughline__catalog__v1__draft__descriptor);
}

/* Limits a promotion to a channel. */
static void limit_to(Promotion *promotion, const char *channel)
{
    promotion->conditions =
        message_new(arena, &throughline__catalog__v1__promotion_conditions__descriptor);
    promotion->conditions->channel_groups = arena_array(arena, 1, sizeof(char *));
    promotion->conditions->channel_groups[promotion->conditions->n_channel_groups++] =
        text(arena, channel);
}

/* To a promotion of this channel; "": of all. */
static Change *a_change_for(const char *name, const char *channel)
{
    Change *change = a_change(arena, name, 1000);

    if (*channel)
        limit_to(change->after->promotion, channel);
    return change;
}

static int64_t publish_for(const char *name, const char *channel)
{
    Change *change = a_change_for(name, channel);

    return publish_changes(&change, 1);
}

static const Error *web_creates(Change *change, Draft *reply)
{
    CreateDraftRequest request = THROUGHLINE__CATALOG__V1__CREATE_DRAFT_REQUEST__INIT;

    request.title = text(arena, "Web weeks");
    request.reason = text(arena, "The web wants some");
    request.changes = &change;
    request.n_changes = 1;
    return web_call("GovernanceService/CreateDraft", &request, reply);
}

static const Error *web_puts(const char *draft, Change *change, const char *dropped)
{
    ChangeDraftRequest request = THROUGHLINE__CATALOG__V1__CHANGE_DRAFT_REQUEST__INIT;
    char *names[] = { text(arena, dropped) };

    request.name = text(arena, draft);
    request.changes = &change;
    request.n_changes = change ? 1 : 0;
    request.dropped = names;
    request.n_dropped = *dropped ? 1 : 0;
    return web_call("GovernanceService/ChangeDraft", &request, a_reply());
}

static const char *web_steps(const char *rpc, const char *draft)
{
    const ProtobufCMessageDescriptor *type =
        message_find(arena_printf(arena, "throughline.catalog.v1.%sRequest", rpc));
    void *request = message_new(arena, type);

    *(char **)message_field(request, "name") = text(arena, draft);
    if (message_field(request, "note"))
        *(char **)message_field(request, "note") = text(arena, "noted");
    return web_reason(arena_printf(arena, "GovernanceService/%s", rpc), request, a_reply());
}

static void a_channel_drafts_its_own_rules(void)
{
    Draft *draft = a_reply();

    CHECK_TEXT(error_reason(web_creates(a_change_for("spring", "web"), draft)), "OK");
    CHECK_TEXT(
        error_reason(web_puts(draft->name, a_change_for("summer", "web"), "promotions/spring")),
        "OK");
    CHECK_TEXT(web_steps("SubmitDraft", draft->name), "OK");
    as_bob();
    CHECK_TEXT(error_reason(draft_call("ApproveDraft", draft->name, "", a_reply())), "OK");
    CHECK_TEXT(web_steps("PublishDraft", draft->name), "OK");
    CHECK_INT(points_in("summer", 0), 1000);
}

static void a_channel_approves_its_own_rules(void)
{
    Draft *draft = a_reply();

    CHECK_TEXT(error_reason(web_creates(a_change_for("spring", "web"), draft)), "OK");
    CHECK_TEXT(web_steps("SubmitDraft", draft->name), "OK");
    CHECK_TEXT(web_steps("ApproveDraft", draft->name), "FOUR_EYES");
    CHECK_TEXT(web_steps("WithdrawDraft", draft->name), "OK");
    as_ann();
    CHECK_TEXT(error_reason(draft_call("SubmitDraft", draft->name, "", a_reply())), "OK");
    CHECK_TEXT(web_steps("RejectDraft", draft->name), "OK");
}

static void rules_of_others_are_named_with_their_channels(void)
{
    Draft *reply = a_reply();
    const Error *error = web_creates(a_change_for("spring", "app"), reply);

    CHECK_TEXT(error_reason(error), "CHANNEL_NOT_YOURS");
    CHECK_INT(error->code, ERROR_PERMISSION_DENIED);
    CU_ASSERT_EQUAL_FATAL(error->n_violations, 1);
    CHECK_TEXT(error->violations[0].field, "rules[\"promotions/spring\"]");
    CHECK_TEXT(error->violations[0].description, "is for the channel \"app\"");

    error = web_creates(a_change_for("spring", ""), reply);
    CHECK_TEXT(error_reason(error), "CHANNEL_NOT_YOURS");
    CU_ASSERT_EQUAL_FATAL(error->n_violations, 1);
    CHECK_TEXT(error->violations[0].description, "is for all channels");
}

static void rules_are_not_taken_over(void)
{
    publish_for("everywhere", "");
    publish_for("in-app", "app");

    CHECK_TEXT(error_reason(web_creates(a_change_for("everywhere", "web"), a_reply())),
        "CHANNEL_NOT_YOURS");
    CHECK_TEXT(
        error_reason(web_creates(a_change_for("in-app", "web"), a_reply())), "CHANNEL_NOT_YOURS");
    CHECK_TEXT(
        error_reason(web_creates(a_change(arena, "in-app", 0), a_reply())), "CHANNEL_NOT_YOURS");
}

static void a_draft_with_rules_of_others_stays_as_it_is(void)
{
    static const char *const steps[] = { "SubmitDraft", "WithdrawDraft", "ApproveDraft",
        "RejectDraft", "PublishDraft" };
    Draft *open = make_draft((RuleSetting[]){ { "spring", 1000 }, { 0 } });
    Draft *approved = approve(make_draft((RuleSetting[]){ { "summer", 1000 }, { 0 } }));

    CHECK_TEXT(
        error_reason(web_puts(open->name, a_change_for("autumn", "web"), "")), "CHANNEL_NOT_YOURS");
    CHECK_TEXT(error_reason(web_puts(open->name, NULL, "promotions/spring")), "CHANNEL_NOT_YOURS");
    for (size_t i = 0; i < COUNT(steps); i++) {
        CHECK_TEXT(web_steps(steps[i], open->name), "CHANNEL_NOT_YOURS");
        CHECK_TEXT(web_steps(steps[i], approved->name), "CHANNEL_NOT_YOURS");
    }
    CHECK_TEXT(get_draft_again(open->name)->etag, open->etag);
    CHECK_TEXT(get_draft_again(approved->name)->etag, approved->etag);
    CHECK_INT(points_in("summer", 0), 0);
}

static void a_rule_that_became_for_all_is_not_published(void)
{
    Change *change = a_change_for("spring", "web");
    Draft *draft = a_reply();

    CHECK_TEXT(error_reason(web_creates(change, draft)), "OK");
    approve(draft);
    publish_for("spring", "");
    CHECK_TEXT(web_steps("PublishDraft", draft->name), "CHANNEL_NOT_YOURS");
    CHECK_INT(get_draft_again(draft->name)->state, DRAFT_APPROVED);
}

static void what_needs_no_draft_is_for_the_own_channel_too(void)
{
    CreatePromotionRequest made = THROUGHLINE__CATALOG__V1__CREATE_PROMOTION_REQUEST__INIT;
    EndPromotionRequest ended = THROUGHLINE__CATALOG__V1__END_PROMOTION_REQUEST__INIT;
    RollBackRequest back = THROUGHLINE__CATALOG__V1__ROLL_BACK_REQUEST__INIT;
    Promotion *reply = message_new(arena, &throughline__catalog__v1__promotion__descriptor);
    Release *release = message_new(arena, &throughline__catalog__v1__release__descriptor);

    back.number = publish_for("spring", "");
    back.reason = text(arena, "It was good");
    publish_for("summer", "");
    made.promotion = a_promotion(arena, "AUTUMN", 1000);
    made.promotion->name = text(arena, "");
    CHECK_TEXT(web_reason("PricingService/CreatePromotion", &made, reply), "CHANNEL_NOT_YOURS");
    limit_to(made.promotion, "web");
    CHECK_TEXT(web_reason("PricingService/CreatePromotion", &made, reply), "OK");
    ended.name = reply->name;
    CHECK_TEXT(web_reason("PricingService/EndPromotion", &ended, reply), "OK");
    ended.name = text(arena, "promotions/spring");
    CHECK_TEXT(web_reason("PricingService/EndPromotion", &ended, reply), "CHANNEL_NOT_YOURS");
    CHECK_TEXT(web_reason("GovernanceService/RollBack", &back, release), "CHANNEL_NOT_YOURS");
}

static const char *web_stops(const char *sku, const char *promotion, PriceStop *reply)
{
    StopPriceRequest request = THROUGHLINE__CATALOG__V1__STOP_PRICE_REQUEST__INIT;

    request.what_case = *sku ? THROUGHLINE__CATALOG__V1__STOP_PRICE_REQUEST__WHAT_SKU
                             : THROUGHLINE__CATALOG__V1__STOP_PRICE_REQUEST__WHAT_PROMOTION;
    request.sku = text(arena, *sku ? sku : promotion);
    request.reason = text(arena, "A comma is missing");
    return web_reason("GovernanceService/StopPrice", &request, reply);
}

static void a_channel_stops_its_own_promotions(void)
{
    PriceStop *stop = message_new(arena, &throughline__catalog__v1__price_stop__descriptor);
    Release *release = message_new(arena, &throughline__catalog__v1__release__descriptor);
    LiftStopRequest lifted = THROUGHLINE__CATALOG__V1__LIFT_STOP_REQUEST__INIT;

    publish_for("spring", "web");
    publish_for("summer", "");
    CHECK_TEXT(web_stops("tent-green", "", stop), "CHANNEL_NOT_YOURS");
    CHECK_TEXT(web_stops("", "promotions/summer", stop), "CHANNEL_NOT_YOURS");
    CHECK_TEXT(web_stops("", "promotions/spring", stop), "OK");
    lifted.name = stop->name;
    lifted.note = text(arena, "It is there now");
    CHECK_TEXT(web_reason("GovernanceService/LiftStop", &lifted, release), "OK");
}

static CouponCampaign *a_campaign_of(const char *promotion, const char *code)
{
    CouponCampaign *campaign = message_new(arena, coupon_campaigns.message);

    campaign->title = text(arena, "Newsletter");
    campaign->promotion = arena_printf(arena, "promotions/%s", promotion);
    campaign->code = text(arena, code);
    return campaign;
}

static void a_channel_has_campaigns_for_its_own_promotions(void)
{
    CreateCouponCampaignRequest made =
        THROUGHLINE__CATALOG__V1__CREATE_COUPON_CAMPAIGN_REQUEST__INIT;
    EndCouponCampaignRequest ended = THROUGHLINE__CATALOG__V1__END_COUPON_CAMPAIGN_REQUEST__INIT;
    CouponCampaign *reply = message_new(arena, coupon_campaigns.message);

    publish_for("spring", "web");
    publish_for("summer", "");
    made.campaign = a_campaign_of("spring", "SPRING-26");
    CHECK_TEXT(web_reason("CouponService/CreateCouponCampaign", &made, reply), "OK");
    ended.name = reply->name;
    CHECK_TEXT(web_reason("CouponService/EndCouponCampaign", &ended, reply), "OK");
    made.campaign = a_campaign_of("autumn", "AUTUMN-26");
    CHECK_TEXT(web_reason("CouponService/CreateCouponCampaign", &made, reply), "CHANNEL_NOT_YOURS");
    made.campaign = a_campaign_of("summer", "SUMMER-26");
    CHECK_TEXT(web_reason("CouponService/CreateCouponCampaign", &made, reply), "CHANNEL_NOT_YOURS");
    CHECK_TEXT(
        error_reason(fixture_call(fixture, "CouponService/CreateCouponCampaign", &made, reply)),
        "OK");
    ended.name = reply->name;
    CHECK_TEXT(web_reason("CouponService/EndCouponCampaign", &ended, reply), "CHANNEL_NOT_YOURS");
}

/* Imports a cheaper tent as the account of "web". */
static const Error *web_imports(const char *draft, ImportProductsResponse **reply)
{
    RpcOutgoing outgoing = web_outgoing();
    ImportProductsRequest message = THROUGHLINE__CATALOG__V1__IMPORT_PRODUCTS_REQUEST__INIT;

    message.draft = text(arena, draft);
    message.product = a_product(arena);
    set_price(arena, message.product->variants[0], "EUR", 9900);
    return import_message(&outgoing, &message, reply);
}

static void an_import_of_a_channel_changes_no_price(void)
{
    Draft *draft = make_draft((RuleSetting[]){ { "spring", 1000 }, { 0 } });
    Product *tent = a_product(arena);
    ImportProductsResponse *reply = NULL;

    import(&tent, 1);
    CHECK_TEXT(error_reason(web_imports("", &reply)), "OK");
    CU_ASSERT_PTR_NOT_NULL_FATAL(reply);
    CHECK_INT(reply->refused, 1);
    CHECK_TEXT(reply->errors[0]->field, "variants");
    CHECK_TEXT(error_reason(web_imports(draft->name, &reply)), "CHANNEL_NOT_YOURS");
    CHECK_INT(get_draft_again(draft->name)->change_count, 1);
}

static void head_office_with_a_channel_has_a_scope_for_it(void)
{
    RpcOutgoing outgoing = fixture_outgoing(fixture);
    CreateDraftRequest request = THROUGHLINE__CATALOG__V1__CREATE_DRAFT_REQUEST__INIT;
    Change *change = a_change_for("spring", "");

    request.title = text(arena, "Spring");
    request.reason = text(arena, "It is spring");
    request.changes = &change;
    request.n_changes = 1;
    outgoing.context.channel = "web";
    outgoing.token = fixture_token(fixture, "catalog.write", "web");
    CHECK_TEXT(error_reason(fixture_call_with(
                   fixture, &outgoing, "GovernanceService/CreateDraft", &request, a_reply())),
        "CHANNEL_NOT_YOURS");
    outgoing.token = fixture_token(fixture, "catalog.write catalog.all_channels", "web");
    CHECK_TEXT(error_reason(fixture_call_with(
                   fixture, &outgoing, "GovernanceService/CreateDraft", &request, a_reply())),
        "OK");
    outgoing.token = fixture_token(fixture, "catalog.write", "");
    CHECK_TEXT(error_reason(fixture_call_with(
                   fixture, &outgoing, "GovernanceService/CreateDraft", &request, a_reply())),
        "OK");
}

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        { "a_channel_drafts_its_own_rules", a_channel_drafts_its_own_rules },
        { "a_channel_approves_its_own_rules", a_channel_approves_its_own_rules },
        { "rules_of_others_are_named_with_their_channels",
            rules_of_others_are_named_with_their_channels },
        { "rules_are_not_taken_over", rules_are_not_taken_over },
        { "a_draft_with_rules_of_others_stays_as_it_is",
            a_draft_with_rules_of_others_stays_as_it_is },
        { "a_rule_that_became_for_all_is_not_published",
            a_rule_that_became_for_all_is_not_published },
        { "what_needs_no_draft_is_for_the_own_channel_too",
            what_needs_no_draft_is_for_the_own_channel_too },
        { "a_channel_stops_its_own_promotions", a_channel_stops_its_own_promotions },
        { "a_channel_has_campaigns_for_its_own_promotions",
            a_channel_has_campaigns_for_its_own_promotions },
        { "an_import_of_a_channel_changes_no_price", an_import_of_a_channel_changes_no_price },
        { "head_office_with_a_channel_has_a_scope_for_it",
            head_office_with_a_channel_has_a_scope_for_it },
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        { .pName = "channel",
            .pSetUpFunc = start_catalog,
            .pTearDownFunc = stop_catalog,
            .pTests = tests },
        CU_SUITE_INFO_NULL,
    };

    return test_main("catalog_channel_service", suites, argc, argv);
}
