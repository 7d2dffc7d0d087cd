#include "services/catalog/domain/rule_channel.h"

#include "services/catalog/domain/override.h"
#include "services/catalog/domain/promotion.h"
#include "shared/codec/message.h"

typedef Throughline__Catalog__V1__ChannelGroup ChannelGroup;

/* What limits a rule to channels. */
typedef struct Limits {
    char *const *words; /* a channel's own name or a group's; none: it is for all channels */
    size_t n_words;
    bool are_channels; /* no word is a group */
    bool is_unknown;   /* it is about a promotion that the book does not have */
} Limits;

ChannelDesk *channel_desk(const char *channel, const RuleBook *book, Arena *arena)
{
    const Rule *rule = book_rule_unpack(rule_book_find(book, "pricingSettings/default"), arena);
    ChannelDesk *desk = arena_alloc(arena, sizeof(*desk));

    *desk = (ChannelDesk){ channel, book, rule ? rule->pricing_settings : NULL, arena };
    return desk;
}

static Limits limits_of_promotion(const Promotion *promotion)
{
    const Throughline__Catalog__V1__PromotionConditions *conditions = promotion->conditions;

    return conditions ? (Limits){ conditions->channel_groups, conditions->n_channel_groups }
                      : (Limits){ 0 };
}

static Limits limits_of_promotion_named(const ChannelDesk *desk, const char *name)
{
    const Rule *rule = book_rule_unpack(rule_book_find(desk->book, name), desk->arena);

    return rule ? limits_of_promotion(rule->promotion) : (Limits){ .is_unknown = true };
}

static Limits limits_of(const ChannelDesk *desk, const Rule *rule)
{
    switch (rule->kind_case) {
    case THROUGHLINE__CATALOG__V1__RULE__KIND_PROMOTION:
        return limits_of_promotion(rule->promotion);
    case THROUGHLINE__CATALOG__V1__RULE__KIND_PRICE_ROW:
        return (Limits){ &rule->price_row->channel_group, *rule->price_row->channel_group ? 1 : 0 };
    case THROUGHLINE__CATALOG__V1__RULE__KIND_OVERRIDE_LIMIT:
        return (Limits){ rule->override_limit->channels, rule->override_limit->n_channels,
            .are_channels = true };
    case THROUGHLINE__CATALOG__V1__RULE__KIND_PRICE_STOP:
        return rule->price_stop->what_case == THROUGHLINE__CATALOG__V1__PRICE_STOP__WHAT_PROMOTION
                   ? limits_of_promotion_named(desk, rule->price_stop->promotion)
                   : (Limits){ 0 };
    default:
        return (Limits){ 0 };
    }
}

/* The group that a word names, NULL when none. */
static const ChannelGroup *find_group(
    const PricingSettings *settings, const Limits *limits, const char *word)
{
    for (size_t i = 0; settings && !limits->are_channels && i < settings->n_channel_groups; i++)
        if (text_equal(settings->channel_groups[i]->name, word))
            return settings->channel_groups[i];
    return NULL;
}

/* Changing. */

static const char *refuse_word(const ChannelDesk *desk, const Limits *limits, const char *word)
{
    const ChannelGroup *group = find_group(desk->settings, limits, word);

    for (size_t i = 0; group && i < group->n_channels; i++)
        if (!text_equal(group->channels[i], desk->channel))
            return arena_printf(desk->arena, "is for the channel \"%s\" in the group \"%s\"",
                group->channels[i], group->name);
    return group || text_equal(word, desk->channel)
               ? NULL
               : arena_printf(desk->arena, "is for the channel \"%s\"", word);
}

static const char *refuse_limits(const ChannelDesk *desk, const Limits *limits)
{
    const char *refusal = NULL;

    if (limits->is_unknown)
        return "is not published: nobody knows its channels";
    if (limits->n_words == 0)
        return "is for all channels";
    for (size_t i = 0; i < limits->n_words && !refusal; i++)
        refusal = refuse_word(desk, limits, limits->words[i]);
    return refusal;
}

const char *rule_channel_refusal(const ChannelDesk *desk, const Rule *rule)
{
    Limits limits = limits_of(desk, rule);

    return refuse_limits(desk, &limits);
}

const char *promotion_channel_refusal(const ChannelDesk *desk, const char *promotion)
{
    Limits limits = limits_of_promotion_named(desk, promotion);

    return refuse_limits(desk, &limits);
}

void changes_check_channel(
    const ChannelDesk *desk, ChangeList changes, bool are_callers, Findings *findings)
{
    bool has_others = false;

    for (size_t i = 0; i < changes.n_items; i++) {
        const Change *change = changes.items[i];
        const char *refusal = NULL;

        if (change->before)
            refusal = rule_channel_refusal(desk, change->before);
        if (!refusal && change->after)
            refusal = rule_channel_refusal(desk, change->after);
        if (refusal &&
            (are_callers || changes_shown(desk, (ChangeList){ &changes.items[i], 1 }).n_items > 0))
            findings_add(findings, arena_printf(findings->arena, "rules[\"%s\"]", change->rule),
                "%s", refusal);
        else if (refusal)
            has_others = true;
    }
    if (has_others)
        findings_add(findings, "rules", "some are for other channels");
}

/* Reading. */

RuleChannels rule_channels(const ChannelDesk *desk, const Rule *rule)
{
    Limits limits = rule ? limits_of(desk, rule) : (Limits){ .is_unknown = true };
    RuleChannels channels = { .is_everywhere = limits.n_words == 0 && !limits.is_unknown };
    size_t most = limits.n_words;

    for (size_t i = 0; i < limits.n_words; i++) {
        const ChannelGroup *group = find_group(desk->settings, &limits, limits.words[i]);

        most += group ? group->n_channels : 0;
    }
    channels.names = arena_array(desk->arena, most, sizeof(*channels.names));
    for (size_t i = 0; i < limits.n_words; i++) {
        const ChannelGroup *group = find_group(desk->settings, &limits, limits.words[i]);

        channels.names[channels.n_names++] = limits.words[i];
        for (size_t j = 0; group && j < group->n_channels; j++)
            channels.names[channels.n_names++] = group->channels[j];
    }
    return channels;
}

bool rule_is_shown(const ChannelDesk *desk, const Rule *rule)
{
    RuleChannels channels;

    if (!desk)
        return true;
    channels = rule_channels(desk, rule);
    for (size_t i = 0; i < channels.n_names; i++)
        if (text_equal(channels.names[i], desk->channel))
            return true;
    return channels.is_everywhere;
}

bool promotion_is_shown(const ChannelDesk *desk, const char *promotion)
{
    const Rule *rule =
        desk ? book_rule_unpack(rule_book_find(desk->book, promotion), desk->arena) : NULL;

    return !desk || (rule && rule_is_shown(desk, rule));
}

ChangeList changes_shown(const ChannelDesk *desk, ChangeList changes)
{
    ChangeList shown = { 0 };

    if (!desk)
        return changes;
    shown.items = arena_array(desk->arena, changes.n_items, sizeof(*shown.items));
    for (size_t i = 0; i < changes.n_items; i++) {
        Change *change = message_new(desk->arena, &throughline__catalog__v1__change__descriptor);

        *change = *changes.items[i];
        if (change->before && !rule_is_shown(desk, change->before))
            change->before = NULL;
        if (change->after && !rule_is_shown(desk, change->after))
            change->after = NULL;
        if (change->before || change->after)
            shown.items[shown.n_items++] = change;
    }
    return shown;
}
