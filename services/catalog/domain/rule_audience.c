/* Whom the changes of a draft or a release concern, channel by channel. */
#include "services/catalog/domain/rule_channel.h"

#include "shared/codec/message.h"

#include <stdlib.h>
#include <string.h>

typedef Throughline__Catalog__V1__Audience__Channel AudienceChannel;

enum { MENTIONS_STEP = 64 };

/* A channel, or a group, that a change names. */
typedef struct Mention {
    const char *name;
    size_t change;
} Mention;

typedef struct Mentions {
    Mention *items;
    size_t n_items;
    Arena *arena;
} Mentions;

static int by_name(const void *a, const void *b)
{
    const Mention *left = a;
    const Mention *right = b;
    int order = strcmp(left->name, right->name);

    return order ? order : (left->change > right->change) - (left->change < right->change);
}

static void add_mentions(Mentions *mentions, RuleChannels channels, size_t change)
{
    for (size_t i = 0; i < channels.n_names; i++) {
        if (mentions->n_items % MENTIONS_STEP == 0)
            mentions->items = arena_grow(mentions->arena, mentions->items, mentions->n_items,
                mentions->n_items + MENTIONS_STEP, sizeof(*mentions->items));
        mentions->items[mentions->n_items++] = (Mention){ channels.names[i], change };
    }
}

static AudienceChannel *add_channel(Audience *audience, const char *name, Arena *arena)
{
    AudienceChannel *channel =
        message_new(arena, &throughline__catalog__v1__audience__channel__descriptor);

    channel->name = arena_text(arena, name);
    audience->channels[audience->n_channels++] = channel;
    return channel;
}

/* Each channel once, with how many changes name it. */
static void count_mentions(Audience *audience, Mentions *mentions)
{
    AudienceChannel *channel = NULL;

    if (mentions->n_items > 1)
        qsort(mentions->items, mentions->n_items, sizeof(*mentions->items), by_name);
    audience->channels =
        arena_array(mentions->arena, mentions->n_items, sizeof(*audience->channels));
    for (size_t i = 0; i < mentions->n_items; i++) {
        const Mention *mention = &mentions->items[i];

        if (i > 0 && by_name(mention, mention - 1) == 0)
            continue;
        if (!channel || !text_equal(channel->name, mention->name))
            channel = add_channel(audience, mention->name, mentions->arena);
        channel->change_count++;
    }
}

Audience *changes_audience(ChangeList changes, const RuleBook *book, Arena *arena)
{
    const ChannelDesk *desk = channel_desk("", book, arena);
    Audience *audience = message_new(arena, &throughline__catalog__v1__audience__descriptor);
    Mentions mentions = { .arena = arena };

    for (size_t i = 0; i < changes.n_items; i++) {
        const Change *change = changes.items[i];
        RuleChannels before = rule_channels(desk, change->before);
        RuleChannels after = rule_channels(desk, change->after);

        if (before.is_everywhere || after.is_everywhere) {
            audience->everywhere_count++;
            continue;
        }
        add_mentions(&mentions, before, i);
        add_mentions(&mentions, after, i);
    }
    count_mentions(audience, &mentions);
    return audience;
}

int32_t audience_count(const Audience *audience, const char *channel)
{
    if (!audience)
        return 0;
    for (size_t i = 0; i < audience->n_channels; i++)
        if (text_equal(audience->channels[i]->name, channel))
            return audience->everywhere_count + audience->channels[i]->change_count;
    return audience->everywhere_count;
}
