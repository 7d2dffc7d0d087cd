/* What an account that is bound to a channel reads, over gRPC: of everything that the catalogue answers about rules nothing that is for
 * another channel. Every rpc whose answer could tell is in the table: one that is missing there fails the test. */
#include "tests/service/catalog/secrets.h"

#include "shared/codec/message.h"
#include "shared/rpc/methods.h"

#include <string.h>

/* All that is for the channel "app" alone has it in its name or title. */
static const char secret[] = "hush";

enum { MAX_ANSWERS = 100, MAX_DEPTH = 12 };

/* One rpc, asked by "web". */
typedef struct Row {
    const char *rpc;
    const char *request;
    const char *reason;
    bool has_secret; /* head office, asking the same, is told */
} Row;

static void check_row(const Row *row)
{
    RpcOutgoing outgoing = web();
    Answer answer = ask(&outgoing, row->rpc, row->request);
    const char *said = arena_printf(arena, "%s: %s", row->rpc, error_reason(answer.error));

    CHECK_TEXT(said, arena_printf(arena, "%s: %s", row->rpc, row->reason));
    if (strcasestr(answer.text, secret))
        CHECK_TEXT(arena_printf(arena, "%s: %s", row->rpc, answer.text), "nothing of it");
    if (!row->has_secret)
        return;
    outgoing = head_office();
    answer = ask(&outgoing, row->rpc, row->request);
    if (!strcasestr(answer.text, secret))
        CHECK_TEXT(arena_printf(arena, "%s: %s", row->rpc, answer.text), secret);
}

/* "{…}" with one text field. */
static const char *with(const char *field, const char *value)
{
    return arena_printf(arena, "{'%s':'%s'}", field, value);
}

static const char *with_note(const char *name)
{
    return arena_printf(arena, "{'name':'%s','note':'noted'}", name);
}

/* Rpcs whose answers are only what the caller has given, or is its own: whoever has a signed quote or makes a rule has what is in it. */
static const char *const own_only[] = {
    "CouponService/CreateCouponCampaign",
    "CouponService/ReserveUses",
    "GovernanceService/CreateDraft",
    "PricingService/CreatePromotion",
    "PricingService/Requote",
    "PricingService/VerifyQuote",
};

static size_t rows_of(Row *rows)
{
    const char *signed_quote = arena_printf(arena, "{'signedQuote':%s}", secrets.quote);
    const char *of_release = arena_printf(arena, "releases/%lld", (long long)secrets.release);
    const Row all[] = {
        { "CouponService/EndCouponCampaign", with("name", secrets.campaign),
            "COUPON_CAMPAIGN_NOT_FOUND" },
        { "CouponService/GenerateCoupons",
            arena_printf(arena, "{'campaign':'%s','count':'1'}", secrets.campaign),
            "COUPON_CAMPAIGN_NOT_FOUND" },
        { "CouponService/GetCoupon", with("code", secrets.code), "COUPON_NOT_FOUND", true },
        { "CouponService/GetCouponCampaign", with("name", secrets.campaign),
            "COUPON_CAMPAIGN_NOT_FOUND", true },
        { "CouponService/GetPromotionUsage", with("promotion", "promotions/hush"),
            "PROMOTION_NOT_FOUND", true },
        { "CouponService/GetUses", with("name", secrets.uses), "USE_RESERVATION_NOT_FOUND", true },
        { "CouponService/ListCouponCampaigns", "{}", "OK", true },
        { "CouponService/RedeemUses", with("name", secrets.uses), "USE_RESERVATION_NOT_FOUND" },
        { "CouponService/ReturnUses", with("name", secrets.uses), "USE_RESERVATION_NOT_FOUND" },
        { "GovernanceService/ApproveDraft", with("name", secrets.draft), "DRAFT_NOT_FOUND" },
        { "GovernanceService/ChangeDraft",
            arena_printf(arena, "{'name':'%s','dropped':['promotions/x']}", secrets.draft),
            "DRAFT_NOT_FOUND" },
        { "GovernanceService/ConfirmStop", with("name", secrets.stop), "PRICE_STOP_NOT_FOUND" },
        { "GovernanceService/DiffReleases", "{}", "OK", true },
        { "GovernanceService/GetDraft", with("name", secrets.draft), "DRAFT_NOT_FOUND", true },
        { "GovernanceService/GetLowestPrice", "{'sku':'tent-green','currency':'EUR'}", "OK" },
        { "GovernanceService/GetRelease", with("name", of_release), "RELEASE_NOT_FOUND", true },
        { "GovernanceService/GetRelease", "{}", "OK", true },
        { "GovernanceService/GetRule", with("name", "promotions/hush"), "RULE_NOT_FOUND", true },
        { "GovernanceService/GetRule", with("name", "promotions/hush-code"), "RULE_NOT_FOUND",
            true },
        { "GovernanceService/GetRule", with("name", "priceRows/hush"), "RULE_NOT_FOUND", true },
        { "GovernanceService/GetRule", with("name", "overrideLimits/hush"), "RULE_NOT_FOUND",
            true },
        { "GovernanceService/GetRule", with("name", secrets.stop), "RULE_NOT_FOUND", true },
        { "GovernanceService/LiftStop", with_note(secrets.stop), "PRICE_STOP_NOT_FOUND" },
        { "GovernanceService/ListAuditEntries", "{}", "OK", true },
        { "GovernanceService/ListDraftChanges", with("name", secrets.draft), "DRAFT_NOT_FOUND",
            true },
        { "GovernanceService/ListDraftChanges", with("name", secrets.mixed), "OK", true },
        { "GovernanceService/ListDrafts", "{}", "OK", true },
        { "GovernanceService/ListReleases", "{}", "OK", true },
        { "GovernanceService/ListRuleHistory", with("rule", "promotions/hush"), "OK", true },
        { "GovernanceService/ListRuleOrders", with("rule", "promotions/open"), "OK", true },
        { "GovernanceService/ListRules", "{}", "OK", true },
        { "GovernanceService/PublishDraft", with("name", secrets.draft), "DRAFT_NOT_FOUND" },
        { "GovernanceService/PublishDraft", with("name", secrets.mixed), "CHANNEL_NOT_YOURS" },
        { "GovernanceService/RejectDraft", with_note(secrets.draft), "DRAFT_NOT_FOUND" },
        { "GovernanceService/ReplayQuote", signed_quote, "CHANNEL_NOT_YOURS", true },
        { "GovernanceService/RollBack", "{'number':'1','reason':'noted'}", "CHANNEL_NOT_YOURS" },
        { "GovernanceService/SimulateDraft", with("draft", secrets.draft), "DRAFT_NOT_FOUND",
            true },
        { "GovernanceService/SimulateDraft", with("draft", secrets.mixed), "OK", true },
        { "GovernanceService/StopPrice", "{'promotion':'promotions/hush','reason':'noted'}",
            "CHANNEL_NOT_YOURS" },
        { "GovernanceService/SubmitDraft", with("name", secrets.draft), "DRAFT_NOT_FOUND" },
        { "GovernanceService/WithdrawDraft", with("name", secrets.draft), "DRAFT_NOT_FOUND" },
        { "PricingService/CreateQuote", arena_printf(arena, "{%s}", a_tent), "OK", true },
        { "PricingService/EndPromotion", with("name", "promotions/hush"), "PROMOTION_NOT_FOUND" },
        { "PricingService/ExplainQuote", arena_printf(arena, "{'request':{%s}}", a_tent), "OK",
            true },
        { "PricingService/ExplainQuote",
            arena_printf(arena, "{'draft':'%s','request':{%s}}", secrets.mixed, a_tent), "OK",
            true },
        { "PricingService/ExplainQuote",
            arena_printf(arena, "{'draft':'%s','request':{%s}}", secrets.draft, a_tent),
            "DRAFT_NOT_FOUND", true },
        { "PricingService/GetPrice", "{'sku':'tent-green','currency':'EUR'}", "OK", true },
        { "PricingService/GetPromotion", with("name", "promotions/hush"), "PROMOTION_NOT_FOUND",
            true },
        { "PricingService/ListPromotions", "{}", "OK", true },
        { "TaxonomyService/DeleteAssortment", with("name", "assortments/app"),
            "CHANNEL_NOT_YOURS" },
        { "TaxonomyService/GetAssortment", with("name", "assortments/app"), "ASSORTMENT_NOT_FOUND",
            true },
        { "TaxonomyService/PutAssortment",
            "{'assortment':{'name':'assortments/app','mode':'ALL_EXCEPT'}}", "CHANNEL_NOT_YOURS" },
    };

    memcpy(rows, all, sizeof(all));
    return COUNT(all);
}

static void nothing_for_another_channel_is_told(void)
{
    Row rows[MAX_ANSWERS];
    size_t n_rows = rows_of(rows);

    for (size_t i = 0; i < n_rows; i++)
        check_row(&rows[i]);
}

/* Whether messages of this type can tell of rules: by the words that all that do use for their fields. */
static bool can_tell(const ProtobufCMessageDescriptor *type, int depth)
{
    static const char *const words[] = { "audience", "channel", "channel_groups", "channels",
        "codes", "draft", "price_row", "promotion", "promotions", "rule", "rules" };

    for (unsigned i = 0; i < type->n_fields && depth < MAX_DEPTH; i++) {
        const ProtobufCFieldDescriptor *field = &type->fields[i];

        for (size_t j = 0; j < COUNT(words); j++)
            if (text_equal(field->name, words[j]))
                return true;
        if (field->type == PROTOBUF_C_TYPE_MESSAGE && can_tell(field->descriptor, depth + 1))
            return true;
    }
    return text_equal(type->short_name, "GetLowestPriceResponse") ||
           text_equal(type->short_name, "Assortment");
}

static bool is_listed(const char *rpc, const Row *rows, size_t n_rows)
{
    for (size_t i = 0; i < n_rows; i++)
        if (text_equal(rows[i].rpc, rpc))
            return true;
    for (size_t i = 0; i < COUNT(own_only); i++)
        if (text_equal(own_only[i], rpc))
            return true;
    return false;
}

static void every_rpc_that_could_tell_is_asked(void)
{
    Row rows[MAX_ANSWERS];
    size_t n_rows = rows_of(rows), n_methods, n_telling = 0;
    const RpcMethod *methods = rpc_methods(&n_methods);

    for (size_t i = 0; i < n_methods; i++) {
        const char *rpc =
            arena_printf(arena, "%s/%s", strrchr(methods[i].service, '.') + 1, methods[i].name);

        if (!text_starts_with(methods[i].service, "throughline.catalog.") ||
            !can_tell(methods[i].output, 0))
            continue;
        n_telling++;
        if (!is_listed(rpc, rows, n_rows))
            CHECK_TEXT(rpc, "in the table of what 'web' asks");
    }
    CU_ASSERT(n_telling > COUNT(own_only));
}

static Answer web_asks(const char *rpc, const char *request)
{
    RpcOutgoing outgoing = web();
    Answer answer = ask(&outgoing, rpc, request);

    CHECK_TEXT(error_reason(answer.error), "OK");
    return answer;
}

static void an_assortment_of_another_channel_leaves_no_trace(void)
{
    RpcOutgoing outgoing = head_office();
    const char *subject = "{'subject': 'assortments/app'}";

    CHECK_INT(((Throughline__Catalog__V1__ListAuditEntriesResponse *)ask(
                   &outgoing, "GovernanceService/ListAuditEntries", subject)
                      .message)
                  ->n_entries,
        1);
    CHECK_INT(((Throughline__Catalog__V1__ListAuditEntriesResponse *)web_asks(
                   "GovernanceService/ListAuditEntries", subject)
                      .message)
                  ->n_entries,
        0);
}

static void of_what_is_for_several_channels_each_sees_its_part(void)
{
    const Draft *seen = web_asks("GovernanceService/GetDraft", with("name", secrets.mixed)).message;
    const Throughline__Catalog__V1__ListDraftChangesResponse *changes =
        web_asks("GovernanceService/ListDraftChanges", with("name", secrets.mixed)).message;
    const Throughline__Catalog__V1__ListDraftsResponse *list =
        web_asks("GovernanceService/ListDrafts", "{}").message;

    CHECK_INT(seen->change_count, 1);
    CU_ASSERT_PTR_NULL(seen->audience);
    CU_ASSERT_EQUAL_FATAL(changes->n_changes, 1);
    CHECK_TEXT(changes->changes[0]->rule, "promotions/open");
    CHECK_INT(list->n_drafts, 3);
    CHECK_INT(list->drafts[0]->change_count, 1);
    CHECK_INT(get_draft_again(secrets.mixed)->change_count, 5);
    CHECK_INT(get_draft_again(secrets.mixed)->audience->n_channels, 3);
}

static void releases_speak_of_no_other_rules(void)
{
    const Throughline__Catalog__V1__ListReleasesResponse *list =
        web_asks("GovernanceService/ListReleases", "{}").message;
    const Release *newest = web_asks("GovernanceService/GetRelease", "{}").message;

    CHECK_INT(list->n_releases, 2);
    CHECK_INT(newest->change_count, 1);
    CHECK_INT(newest->rule_count, 0);
    CHECK_INT(newest->digest.len, 0);
    CHECK_INT(get_release_number(2)->rule_count, 2);
}

/* A rule that goes from one channel to another ends for the one and begins for the other. */
static void of_a_change_each_sees_its_side(void)
{
    const Throughline__Catalog__V1__ListRuleHistoryResponse *history;

    publish_json("Moved",
        "{'rule':'promotions/hush','after':{'promotion':{'name':'promotions/hush','title':'Now "
        "here','basisPoints':1000,'conditions':{'channelGroups':['web']}}}}");
    history =
        web_asks("GovernanceService/ListRuleHistory", with("rule", "promotions/hush")).message;
    CU_ASSERT_EQUAL_FATAL(history->n_entries, 1);
    CU_ASSERT_PTR_NULL(history->entries[0]->change->before);
    CHECK_TEXT(history->entries[0]->change->after->promotion->title, "Now here");
}

static void a_page_is_filled_with_what_is_seen(void)
{
    const Throughline__Catalog__V1__ListRulesResponse *rules =
        web_asks("GovernanceService/ListRules", "{'pageSize':1,'prefix':'promotions/'}").message;
    const Throughline__Catalog__V1__ListReleasesResponse *found =
        web_asks("GovernanceService/ListReleases", "{'pageSize':1}").message;

    CU_ASSERT_EQUAL_FATAL(rules->n_rules, 1);
    CHECK_TEXT(rules->rules[0]->name, "promotions/open");
    CHECK_TEXT(rules->next_page_token, "");
    CU_ASSERT_EQUAL_FATAL(found->n_releases, 1);
    CHECK_INT(found->releases[0]->number, 2);
    found = web_asks("GovernanceService/ListReleases",
        arena_printf(arena, "{'pageSize':1,'pageToken':'%s'}", found->next_page_token))
                .message;
    CU_ASSERT_EQUAL_FATAL(found->n_releases, 1);
    CHECK_INT(found->releases[0]->number, 1);
}

static void orders_of_the_own_channel_are_counted_alone(void)
{
    const Throughline__Catalog__V1__ListRuleOrdersResponse *orders =
        web_asks("GovernanceService/ListRuleOrders", with("rule", "promotions/open")).message;
    const Throughline__Catalog__V1__SimulateDraftResponse *last =
        web_asks("GovernanceService/SimulateDraft", with("draft", secrets.mixed)).message;

    CU_ASSERT_EQUAL_FATAL(orders->n_orders, 1);
    CHECK_TEXT(orders->orders[0]->name, "orders/other");
    CU_ASSERT_PTR_NOT_NULL_FATAL(last->summary);
    CHECK_INT(last->summary->order_count, 1);
}

static void prices_of_another_channel_are_refused(void)
{
    static const char *const rpcs[] = { "PricingService/GetPrice",
        "GovernanceService/GetLowestPrice" };
    RpcOutgoing outgoing = web();

    outgoing.context.channel = "app";
    for (size_t i = 0; i < COUNT(rpcs); i++)
        CHECK_TEXT(
            error_reason(ask(&outgoing, rpcs[i], "{'sku':'tent-green','currency':'EUR'}").error),
            "CHANNEL_MISMATCH");
}

/* As the cart asks: an account without a channel, for whichever channel its caller is of. */
static void an_account_for_all_channels_prices_in_each(void)
{
    static const char *const channels[] = { "app", "web" };
    static const int64_t units[] = { 133, 197 };

    for (size_t i = 0; i < COUNT(channels); i++) {
        RpcOutgoing outgoing = outgoing_of("catalog.read", "");
        const Throughline__Catalog__V1__GetPriceResponse *price;

        outgoing.context.channel = channels[i];
        price = ask(&outgoing, "PricingService/GetPrice", "{'sku':'tent-green','currency':'EUR'}")
                    .message;
        CHECK_INT(price->line->total->units, units[i]);
    }
}

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        { "nothing_for_another_channel_is_told", nothing_for_another_channel_is_told },
        { "every_rpc_that_could_tell_is_asked", every_rpc_that_could_tell_is_asked },
        { "an_assortment_of_another_channel_leaves_no_trace",
            an_assortment_of_another_channel_leaves_no_trace },
        { "of_what_is_for_several_channels_each_sees_its_part",
            of_what_is_for_several_channels_each_sees_its_part },
        { "releases_speak_of_no_other_rules", releases_speak_of_no_other_rules },
        { "of_a_change_each_sees_its_side", of_a_change_each_sees_its_side },
        { "a_page_is_filled_with_what_is_seen", a_page_is_filled_with_what_is_seen },
        { "orders_of_the_own_channel_are_counted_alone",
            orders_of_the_own_channel_are_counted_alone },
        { "prices_of_another_channel_are_refused", prices_of_another_channel_are_refused },
        { "an_account_for_all_channels_prices_in_each",
            an_account_for_all_channels_prices_in_each },
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        { .pName = "channel_reading",
            .pSetUpFunc = start_with_secrets,
            .pTearDownFunc = stop_catalog,
            .pTests = tests },
        CU_SUITE_INFO_NULL,
    };

    return test_main("catalog_channel_reading_service", suites, argc, argv);
}
