/* Which rules are for one channel alone, and which a channel sees. */
#include "services/catalog/domain/rule_channel.h"

#include "services/catalog/domain/override.h"
#include "shared/codec/message.h"
#include "tests/support/test_main.h"
#include "tests/unit/catalog/rule_builders.h"

typedef Throughline__Catalog__V1__ChannelGroup ChannelGroup;

static Arena *arena;
static RuleBook *book;

static Rule *new_rule(Throughline__Catalog__V1__Rule__KindCase kind)
{
    Rule *rule = message_new(arena, &throughline__catalog__v1__rule__descriptor);

    rule->kind_case = kind;
    return rule;
}

static Rule *a_promotion_for(const char *name, const char *first, const char *second)
{
    Rule *rule = a_rule(arena, name, 1000);
    Throughline__Catalog__V1__PromotionConditions *conditions =
        message_new(arena, &throughline__catalog__v1__promotion_conditions__descriptor);

    conditions->channel_groups = arena_array(arena, 2, sizeof(char *));
    conditions->channel_groups[conditions->n_channel_groups++] = text(arena, first);
    if (second)
        conditions->channel_groups[conditions->n_channel_groups++] = text(arena, second);
    rule->promotion->conditions = conditions;
    return rule;
}

static Rule *a_row_for(const char *channel_group)
{
    Rule *rule = new_rule(THROUGHLINE__CATALOG__V1__RULE__KIND_PRICE_ROW);

    rule->price_row = message_new(arena, &throughline__catalog__v1__price_row__descriptor);
    rule->price_row->name = text(arena, "priceRows/tent");
    rule->price_row->channel_group = text(arena, channel_group);
    return rule;
}

static Rule *a_limit_for(const char *first, const char *second)
{
    Rule *rule = new_rule(THROUGHLINE__CATALOG__V1__RULE__KIND_OVERRIDE_LIMIT);
    OverrideLimit *limit =
        message_new(arena, &throughline__catalog__v1__override_limit__descriptor);

    limit->channels = arena_array(arena, 2, sizeof(*limit->channels));
    limit->channels[limit->n_channels++] = text(arena, first);
    if (second)
        limit->channels[limit->n_channels++] = text(arena, second);
    rule->override_limit = limit;
    return rule;
}

static Rule *a_stop_of_promotion(const char *name)
{
    Rule *rule = new_rule(THROUGHLINE__CATALOG__V1__RULE__KIND_PRICE_STOP);

    rule->price_stop = message_new(arena, &throughline__catalog__v1__price_stop__descriptor);
    rule->price_stop->what_case = THROUGHLINE__CATALOG__V1__PRICE_STOP__WHAT_PROMOTION;
    rule->price_stop->promotion = text(arena, name);
    return rule;
}

static ChannelGroup *a_group(const char *name, const char *first, const char *second)
{
    ChannelGroup *group = message_new(arena, &throughline__catalog__v1__channel_group__descriptor);

    group->name = text(arena, name);
    group->channels = arena_array(arena, 2, sizeof(*group->channels));
    group->channels[group->n_channels++] = text(arena, first);
    if (second)
        group->channels[group->n_channels++] = text(arena, second);
    return group;
}

/* The groups "own" (web) and "digital" (web, app), and a promotion each for "web" and for all. */
static int open_book(void)
{
    Rule *settings;
    Rule *rules[3];
    Change *changes[COUNT(rules)];
    RuleBook *empty = rule_book_new();

    arena = arena_new();
    settings = new_rule(THROUGHLINE__CATALOG__V1__RULE__KIND_PRICING_SETTINGS);
    settings->pricing_settings =
        message_new(arena, &throughline__catalog__v1__pricing_settings__descriptor);
    settings->pricing_settings->name = text(arena, "pricingSettings/default");
    settings->pricing_settings->channel_groups = arena_array(arena, 2, sizeof(ChannelGroup *));
    settings->pricing_settings->channel_groups[0] = a_group("own", "web", NULL);
    settings->pricing_settings->channel_groups[1] = a_group("digital", "web", "app");
    settings->pricing_settings->n_channel_groups = 2;
    rules[0] = settings;
    rules[1] = a_promotion_for("web", "web", NULL);
    rules[2] = a_rule(arena, "all", 1000);
    for (size_t i = 0; i < COUNT(rules); i++) {
        changes[i] = message_new(arena, &throughline__catalog__v1__change__descriptor);
        changes[i]->rule = text(arena, rule_name(rules[i]));
        changes[i]->after = rules[i];
    }
    book = changes_apply((ChangeList){ changes, COUNT(changes) }, empty, 1, arena);
    rule_book_release(empty);
    return 0;
}

static int close_book(void)
{
    rule_book_release(book);
    arena_free(arena);
    return 0;
}

/* What is said against it where "web" asks, "" when nothing is. */
static const char *said(const Rule *rule)
{
    const char *refusal = rule_channel_refusal(channel_desk("web", book, arena), rule);

    return refusal ? refusal : "";
}

static void what_is_limited_to_the_channel_is_its_own(void)
{
    CHECK_TEXT(said(a_promotion_for("a", "web", NULL)), "");
    CHECK_TEXT(said(a_row_for("web")), "");
    CHECK_TEXT(said(a_limit_for("web", NULL)), "");
}

static void a_group_of_no_other_channel_is_its_own(void)
{
    CHECK_TEXT(said(a_promotion_for("a", "own", "web")), "");
    CHECK_TEXT(said(a_row_for("own")), "");
    CHECK_TEXT(said(a_row_for("digital")), "is for the channel \"app\" in the group \"digital\"");
    CHECK_TEXT(said(a_promotion_for("a", "own", "digital")),
        "is for the channel \"app\" in the group \"digital\"");
}

static void what_is_for_another_channel_too_is_not(void)
{
    CHECK_TEXT(said(a_promotion_for("a", "web", "app")), "is for the channel \"app\"");
    CHECK_TEXT(said(a_row_for("app")), "is for the channel \"app\"");
    CHECK_TEXT(said(a_limit_for("web", "care")), "is for the channel \"care\"");
}

static void what_names_no_channel_is_for_all(void)
{
    CHECK_TEXT(said(a_rule(arena, "a", 1000)), "is for all channels");
    CHECK_TEXT(said(a_row_for("")), "is for all channels");
    CHECK_TEXT(
        said(new_rule(THROUGHLINE__CATALOG__V1__RULE__KIND_TAX_RATE)), "is for all channels");
    CHECK_TEXT(
        said(new_rule(THROUGHLINE__CATALOG__V1__RULE__KIND_PRODUCT_OFFER)), "is for all channels");
    CHECK_TEXT(said(new_rule(THROUGHLINE__CATALOG__V1__RULE__KIND_PRICING_SETTINGS)),
        "is for all channels");
}

static void a_stop_is_for_whom_the_promotion_is(void)
{
    Rule *of_sku = a_stop_of_promotion("promotions/web");

    of_sku->price_stop->what_case = THROUGHLINE__CATALOG__V1__PRICE_STOP__WHAT_SKU;
    CHECK_TEXT(said(a_stop_of_promotion("promotions/web")), "");
    CHECK_TEXT(said(a_stop_of_promotion("promotions/all")), "is for all channels");
    CHECK_TEXT(said(a_stop_of_promotion("promotions/none")),
        "is not published: nobody knows its channels");
    CHECK_TEXT(said(of_sku), "is for all channels");
}

static void a_promotion_is_known_by_its_name(void)
{
    CU_ASSERT_PTR_NULL(
        promotion_channel_refusal(channel_desk("web", book, arena), "promotions/web"));
    CU_ASSERT_PTR_NOT_NULL(
        promotion_channel_refusal(channel_desk("app", book, arena), "promotions/web"));
    CU_ASSERT_PTR_NOT_NULL(
        promotion_channel_refusal(channel_desk("web", book, arena), "promotions/all"));
    CU_ASSERT_PTR_NOT_NULL(
        promotion_channel_refusal(channel_desk("web", book, arena), "promotions/none"));
}

static void a_change_is_held_against_before_and_after(void)
{
    static const char *const names[] = { "made", "kept", "taken", "given", "ended" };
    Rule *own = a_promotion_for("a", "web", NULL), *foreign = a_rule(arena, "a", 1000);
    Rule *before[] = { NULL, own, foreign, own, foreign };
    Rule *after[] = { own, own, own, foreign, NULL };
    Change *changes[COUNT(names)];
    Findings findings = { .arena = arena };

    for (size_t i = 0; i < COUNT(names); i++) {
        changes[i] = a_change(arena, names[i], 0);
        changes[i]->before = before[i];
        changes[i]->after = after[i];
    }
    changes_check_channel(
        channel_desk("web", book, arena), (ChangeList){ changes, COUNT(changes) }, true, &findings);

    CHECK_INT(findings.n_items, 3);
    CU_ASSERT(has_finding(&findings, "rules[\"promotions/taken\"]"));
    CU_ASSERT(has_finding(&findings, "rules[\"promotions/given\"]"));
    CU_ASSERT(has_finding(&findings, "rules[\"promotions/ended\"]"));
}

static bool web_sees(const Rule *rule)
{
    return rule_is_shown(channel_desk("web", book, arena), rule);
}

static void a_channel_sees_what_is_for_it_or_for_all(void)
{
    CU_ASSERT(web_sees(a_promotion_for("a", "web", NULL)));
    CU_ASSERT(web_sees(a_promotion_for("a", "app", "web")));
    CU_ASSERT(web_sees(a_promotion_for("a", "app", "digital")));
    CU_ASSERT(web_sees(a_rule(arena, "a", 1000)));
    CU_ASSERT(web_sees(a_row_for("digital")));
    CU_ASSERT(web_sees(a_row_for("")));
    CU_ASSERT(web_sees(a_limit_for("care", "web")));
    CU_ASSERT(web_sees(a_stop_of_promotion("promotions/web")));
    CU_ASSERT(web_sees(new_rule(THROUGHLINE__CATALOG__V1__RULE__KIND_TAX_RATE)));
    CU_ASSERT(promotion_is_shown(channel_desk("web", book, arena), "promotions/all"));
}

static void a_channel_does_not_see_what_is_for_others_alone(void)
{
    CU_ASSERT_FALSE(web_sees(a_promotion_for("a", "app", "care")));
    CU_ASSERT_FALSE(web_sees(a_row_for("app")));
    CU_ASSERT_FALSE(web_sees(a_limit_for("care", NULL)));
    /* A limit names channels, never groups. */
    CU_ASSERT_FALSE(web_sees(a_limit_for("digital", NULL)));
    CU_ASSERT_FALSE(web_sees(a_stop_of_promotion("promotions/none")));
    CU_ASSERT_FALSE(
        rule_is_shown(channel_desk("app", book, arena), a_stop_of_promotion("promotions/web")));
    CU_ASSERT_FALSE(promotion_is_shown(channel_desk("app", book, arena), "promotions/web"));
    CU_ASSERT_FALSE(promotion_is_shown(channel_desk("web", book, arena), "promotions/none"));
}

static void nobody_in_particular_sees_everything(void)
{
    CU_ASSERT(rule_is_shown(NULL, a_row_for("app")));
    CU_ASSERT(promotion_is_shown(NULL, "promotions/none"));
    CHECK_INT(changes_shown(NULL, (ChangeList){ NULL, 3 }).n_items, 3);
}

/* Made, kept, moved here, moved away, moved elsewhere. */
static ChangeList five_changes(void)
{
    static const char *const names[] = { "made", "kept", "come", "gone", "moved" };
    Rule *own = a_promotion_for("a", "web", NULL), *other = a_promotion_for("a", "app", NULL);
    Rule *before[] = { NULL, own, other, own, other };
    Rule *after[] = { own, own, own, other, a_promotion_for("a", "care", NULL) };
    Change **changes = arena_array(arena, COUNT(names), sizeof(*changes));

    for (size_t i = 0; i < COUNT(names); i++) {
        changes[i] = a_change(arena, names[i], 0);
        changes[i]->before = before[i];
        changes[i]->after = after[i];
    }
    return (ChangeList){ changes, COUNT(names) };
}

static void of_a_change_the_sides_are_shown_that_are_for_it(void)
{
    ChangeList all = five_changes();
    ChangeList shown = changes_shown(channel_desk("web", book, arena), all);

    CU_ASSERT_EQUAL_FATAL(shown.n_items, 4);
    CU_ASSERT_PTR_NOT_NULL(shown.items[1]->before);
    CU_ASSERT_PTR_NULL(shown.items[2]->before);
    CU_ASSERT_PTR_NOT_NULL(shown.items[2]->after);
    CU_ASSERT_PTR_NOT_NULL(shown.items[3]->before);
    CU_ASSERT_PTR_NULL(shown.items[3]->after);
    CU_ASSERT_PTR_NOT_NULL(all.items[2]->before);
}

/* What a channel is told it sees is what it sees. */
static void an_audience_counts_what_is_shown(void)
{
    static const char *const channels[] = { "web", "app", "care", "nobody" };
    ChangeList changes = five_changes();
    Audience *audience;

    changes.items[1]->after = a_rule(arena, "a", 1000);
    changes.items[0]->after = a_promotion_for("a", "web", "digital");
    audience = changes_audience(changes, book, arena);
    CHECK_INT(audience->everywhere_count, 1);
    for (size_t i = 0; i < COUNT(channels); i++)
        CHECK_INT(audience_count(audience, channels[i]),
            changes_shown(channel_desk(channels[i], book, arena), changes).n_items);
    CHECK_INT(audience_count(audience, "web"), 4);
    CHECK_INT(audience_count(NULL, "web"), 0);
}

static void what_is_not_seen_is_named_to_those_alone_who_have_named_it(void)
{
    ChangeList changes = five_changes();
    Findings own = { .arena = arena }, others = { .arena = arena };

    changes.items += changes.n_items - 1;
    changes.n_items = 1;
    changes_check_channel(channel_desk("web", book, arena), changes, true, &own);
    changes_check_channel(channel_desk("web", book, arena), changes, false, &others);
    CU_ASSERT(has_finding(&own, "rules[\"promotions/moved\"]"));
    CHECK_INT(others.n_items, 1);
    CHECK_TEXT(others.items[0].field, "rules");
    CHECK_TEXT(others.items[0].description, "some are for other channels");
}

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        { "what_is_limited_to_the_channel_is_its_own", what_is_limited_to_the_channel_is_its_own },
        { "a_group_of_no_other_channel_is_its_own", a_group_of_no_other_channel_is_its_own },
        { "what_is_for_another_channel_too_is_not", what_is_for_another_channel_too_is_not },
        { "what_names_no_channel_is_for_all", what_names_no_channel_is_for_all },
        { "a_stop_is_for_whom_the_promotion_is", a_stop_is_for_whom_the_promotion_is },
        { "a_promotion_is_known_by_its_name", a_promotion_is_known_by_its_name },
        { "a_change_is_held_against_before_and_after", a_change_is_held_against_before_and_after },
        { "a_channel_sees_what_is_for_it_or_for_all", a_channel_sees_what_is_for_it_or_for_all },
        { "a_channel_does_not_see_what_is_for_others_alone",
            a_channel_does_not_see_what_is_for_others_alone },
        { "nobody_in_particular_sees_everything", nobody_in_particular_sees_everything },
        { "of_a_change_the_sides_are_shown_that_are_for_it",
            of_a_change_the_sides_are_shown_that_are_for_it },
        { "an_audience_counts_what_is_shown", an_audience_counts_what_is_shown },
        { "what_is_not_seen_is_named_to_those_alone_who_have_named_it",
            what_is_not_seen_is_named_to_those_alone_who_have_named_it },
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        { .pName = "rule_channel",
            .pInitFunc = open_book,
            .pCleanupFunc = close_book,
            .pTests = tests },
        CU_SUITE_INFO_NULL,
    };

    return test_main("catalog_rule_channel", suites, argc, argv);
}
