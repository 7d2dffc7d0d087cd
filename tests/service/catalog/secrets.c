#include "tests/service/catalog/secrets.h"

#include "services/catalog/domain/uses.h"
#include "shared/base/clock.h"
#include "shared/codec/json.h"
#include "shared/codec/message.h"
#include "shared/codec/types.h"

#include <string.h>

enum { PAUSE_MS = 20, WAIT_MICROS = 20000000 };

Secrets secrets;

RpcOutgoing outgoing_of(const char *scopes, const char *channel)
{
    RpcOutgoing outgoing = fixture_outgoing(fixture);

    outgoing.token = fixture_token(fixture, scopes, channel);
    outgoing.context.channel = channel;
    outgoing.context.actor = "agents/wim";
    return outgoing;
}

RpcOutgoing web(void)
{
    return outgoing_of("catalog.read catalog.write catalog.approve catalog.publish stock.reserve "
                       "catalog.price_override",
        "web");
}

RpcOutgoing head_office(void)
{
    return outgoing_of("*", "app");
}

/* As head office; must go well. */
static void *set(const char *rpc, const char *json)
{
    RpcOutgoing outgoing = head_office();
    Answer answer = ask(&outgoing, rpc, json);

    CHECK_TEXT(error_reason(answer.error), "OK");
    CU_ASSERT_PTR_NULL_FATAL(answer.error);
    return answer.message;
}

static Draft *set_draft(const char *title, const char *changes)
{
    return set("GovernanceService/CreateDraft",
        arena_printf(arena, "{'title':'%s','reason':'%s','changes':[%s]}", title, title, changes));
}

static const char hush_changes[] =
    "{'rule': 'promotions/hush', 'after': {'promotion': {'name': 'promotions/hush', 'title': "
    "'hush', 'basisPoints': 1000, 'totalLimit': '5', 'conditions': {'channelGroups': ['app']}}}}, "
    "{'rule': 'promotions/hush-code', 'after': {'promotion': {'name': 'promotions/hush-code', "
    "'title': 'hush', 'basisPoints': 500, 'needsCoupon': true, 'conditions': {'channelGroups': "
    "['mobile']}}}}, {'rule': 'priceRows/hush', 'after': {'priceRow': {'name': 'priceRows/hush', "
    "'sku': 'tent-green', 'amount': {'currencyCode': 'EUR', 'units': '150'}, 'channelGroup': "
    "'app'}}}, {'rule': 'overrideLimits/hush', 'after': {'overrideLimit': {'name': "
    "'overrideLimits/hush', 'title': 'hush', 'channels': ['app'], 'maxBasisPoints': 100, "
    "'maxAmounts': [{'currencyCode': 'EUR', 'units': '1'}]}}}";

static const char open_change[] =
    "{'rule': 'promotions/open', 'after': {'promotion': {'name': 'promotions/open', 'title': "
    "'Open', 'basisPoints': 100, 'conditions': {'channelGroups': ['web', 'app']}}}}";

static const char group_change[] =
    "{'rule': 'pricingSettings/default', 'after': {'pricingSettings': {'name': "
    "'pricingSettings/default', 'channelGroups': [{'name': 'mobile', 'channels': ['app']}]}}}";

void publish_json(const char *title, const char *changes)
{
    const char *name = set_draft(title, changes)->name;

    CU_ASSERT_PTR_NULL_FATAL(try_publish(approve(get_draft_again(name))->name,
        message_new(arena, &throughline__catalog__v1__draft__descriptor)));
}

/* As the cart's event would have left it. */
static void set_order(const char *name, Quote *priced)
{
    StoreView view = fixture_view(fixture);
    PricedOrder *order = message_new(arena, &throughline__catalog__v1__priced_order__descriptor);
    Throughline__Catalog__V1__RuleUse *use =
        message_new(arena, &throughline__catalog__v1__rule_use__descriptor);

    use->rule = text(arena, "promotions/open");
    order->name = text(arena, name);
    order->quote = priced;
    order->order_time = timestamp_from_micros(arena, some_noon);
    order->uses = &use;
    order->n_uses = 1;
    CU_ASSERT_PTR_NULL_FATAL(store_put(&view, &priced_orders, order, NULL));
}

static void set_codes(void)
{
    secrets.campaign =
        ((CouponCampaign *)set("CouponService/CreateCouponCampaign",
             "{'campaign':{'title':'hush','promotion':'promotions/hush-code','prefix':'HUSH'}}"))
            ->name;
    secrets.code =
        ((Throughline__Catalog__V1__GenerateCouponsResponse *)set("CouponService/GenerateCoupons",
             arena_printf(arena, "{'campaign':'%s','count':'1'}", secrets.campaign)))
            ->codes[0];
}

const char a_tent[] = "'currency':'EUR','lines':[{'sku':'tent-green','quantity':1}]";

static void set_quotes(void)
{
    const char *request = arena_printf(arena, "{%s}", a_tent);
    Throughline__Catalog__V1__CreateQuoteResponse *quoted =
        set("PricingService/CreateQuote", request);
    RpcOutgoing outgoing = web();

    secrets.quote = json_from_message(arena, quoted->signed_quote, JSON_COMPACT);
    secrets.uses = ((UseReservation *)set("CouponService/ReserveUses",
                        arena_printf(arena, "{'signedQuote':%s}", secrets.quote)))
                       ->name;
    set_order("orders/hush", quoted->quote);
    quoted = ask(&outgoing, "PricingService/CreateQuote", request).message;
    set_order("orders/other", quoted->quote);
}

/* What was done is in the audit trail a little later. */
static void wait_for_audit(const char *done)
{
    int64_t until = clock_monotonic() + WAIT_MICROS;
    RpcOutgoing outgoing = head_office();

    while (!strstr(ask(&outgoing, "GovernanceService/ListAuditEntries", "{}").text, done)) {
        CU_ASSERT_FATAL(clock_monotonic() < until);
        clock_sleep_ms(PAUSE_MS);
    }
}

void start_with_secrets(void)
{
    Product *tent;

    start_catalog();
    tent = a_product(arena);
    import(&tent, 1);
    publish_json("Groups", group_change);
    publish_json("Open", open_change);
    publish_json("hush", hush_changes);
    secrets.release = get_release_number(0)->number;
    set_codes();
    set_quotes();
    secrets.stop = ((PriceStop *)set("GovernanceService/StopPrice",
                        "{'promotion':'promotions/hush-code','reason':'hush'}"))
                       ->name;
    set("TaxonomyService/PutAssortment", "{'assortment':{'name':'assortments/"
                                         "app','mode':'ALL_EXCEPT','products':['products/hush']}}");
    secrets.draft = set_draft("hush", hush_changes)->name;
    secrets.mixed =
        set_draft("Both", arena_printf(arena, "%s,%s", hush_changes, open_change))->name;
    /* Each of these comes by a partition of its own. */
    wait_for_audit(secrets.mixed);
    wait_for_audit(secrets.draft);
    wait_for_audit(secrets.stop);
    wait_for_audit("assortments/app");
}
