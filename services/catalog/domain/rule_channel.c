#include "services/catalog/domain/rule_channel.h"

#include "services/catalog/domain/override.h"
#include "services/catalog/domain/promotion.h"

typedef Throughline__Catalog__V1__ChannelGroup ChannelGroup;
typedef Throughline__Catalog__V1__PricingSettings PricingSettings;

/* What a rule is held against. */
typedef struct Desk {
    const char *channel;
    const RuleBook *book;
    Arena *arena;
} Desk;

static const char everywhere[] = "is for all channels";

static const char *is_for_channel(const Desk *desk, const char *channel)
{
    return arena_printf(desk->arena, "is for the channel \"%s\"", channel);
}

static const char *refuse_group(const Desk *desk, const ChannelGroup *group)
{
    for (size_t i = 0; i < group->n_channels; i++)
        if (!text_equal(group->channels[i], desk->channel))
            return arena_printf(desk->arena, "is for the channel \"%s\" in the group \"%s\"",
                group->channels[i], group->name);
    return NULL;
}

/* A word that limits a rule is a channel's own name or a group's. */
static const char *refuse_word(const Desk *desk, const char *word)
{
    const Rule *rule =
        book_rule_unpack(rule_book_find(desk->book, "pricingSettings/default"), desk->arena);
    const PricingSettings *settings = rule ? rule->pricing_settings : NULL;

    for (size_t i = 0; settings && i < settings->n_channel_groups; i++)
        if (text_equal(settings->channel_groups[i]->name, word))
            return refuse_group(desk, settings->channel_groups[i]);
    return text_equal(word, desk->channel) ? NULL : is_for_channel(desk, word);
}

static const char *refuse_promotion(const Desk *desk, const Promotion *promotion)
{
    const Throughline__Catalog__V1__PromotionConditions *conditions = promotion->conditions;
    const char *refusal = NULL;

    if (!conditions || !conditions->n_channel_groups)
        return everywhere;
    for (size_t i = 0; i < conditions->n_channel_groups && !refusal; i++)
        refusal = refuse_word(desk, conditions->channel_groups[i]);
    return refusal;
}

static const char *refuse_limit(const Desk *desk, const OverrideLimit *limit)
{
    if (!limit->n_channels)
        return everywhere;
    for (size_t i = 0; i < limit->n_channels; i++)
        if (!text_equal(limit->channels[i], desk->channel))
            return is_for_channel(desk, limit->channels[i]);
    return NULL;
}

static const char *refuse_promotion_named(const Desk *desk, const char *name)
{
    const Rule *rule = book_rule_unpack(rule_book_find(desk->book, name), desk->arena);

    return rule ? refuse_promotion(desk, rule->promotion)
                : "is not published: nobody knows its channels";
}

const char *rule_channel_refusal(
    const Rule *rule, const char *channel, const RuleBook *book, Arena *arena)
{
    Desk desk = { channel, book, arena };

    switch (rule->kind_case) {
    case THROUGHLINE__CATALOG__V1__RULE__KIND_PROMOTION:
        return refuse_promotion(&desk, rule->promotion);
    case THROUGHLINE__CATALOG__V1__RULE__KIND_PRICE_ROW:
        return *rule->price_row->channel_group ? refuse_word(&desk, rule->price_row->channel_group)
                                               : everywhere;
    case THROUGHLINE__CATALOG__V1__RULE__KIND_OVERRIDE_LIMIT:
        return refuse_limit(&desk, rule->override_limit);
    case THROUGHLINE__CATALOG__V1__RULE__KIND_PRICE_STOP:
        return rule->price_stop->what_case == THROUGHLINE__CATALOG__V1__PRICE_STOP__WHAT_PROMOTION
                   ? refuse_promotion_named(&desk, rule->price_stop->promotion)
                   : everywhere;
    default:
        return everywhere;
    }
}

const char *promotion_channel_refusal(
    const char *promotion, const char *channel, const RuleBook *book, Arena *arena)
{
    return refuse_promotion_named(&(Desk){ channel, book, arena }, promotion);
}

void changes_check_channel(
    ChangeList changes, const char *channel, const RuleBook *book, Findings *findings)
{
    for (size_t i = 0; i < changes.n_items; i++) {
        const Change *change = changes.items[i];
        const char *refusal = NULL;

        if (change->before)
            refusal = rule_channel_refusal(change->before, channel, book, findings->arena);
        if (!refusal && change->after)
            refusal = rule_channel_refusal(change->after, channel, book, findings->arena);
        if (refusal)
            findings_add(findings, arena_printf(findings->arena, "rules[\"%s\"]", change->rule),
                "%s", refusal);
    }
}
