/* Which channels rules concern, and so who may change them and who sees them. */
#ifndef THROUGHLINE_CATALOG_RULE_CHANNEL_H
#define THROUGHLINE_CATALOG_RULE_CHANNEL_H

#include "services/catalog/domain/change.h"
#include "services/catalog/domain/rules.h"

typedef Throughline__Catalog__V1__Audience Audience;

/* One channel before a book, which says what the groups and, for what stops a promotion, the promotions are; both must outlive it. */
typedef struct ChannelDesk {
    const char *channel;
    const RuleBook *book;
    const PricingSettings *settings; /* NULL: none are published */
    Arena *arena;
} ChannelDesk;
ChannelDesk *channel_desk(const char *channel, const RuleBook *book, Arena *arena);

/* Changing. */

/* NULL when the rule is limited to this channel: by its name, or by channel groups in which there is no other. Else why not:
 * "is for all channels". */
const char *rule_channel_refusal(const ChannelDesk *desk, const Rule *rule);

/* The same of a promotion by its name; one that the book does not have is refused, for nobody knows yet whom it will concern. */
const char *promotion_channel_refusal(const ChannelDesk *desk, const char *promotion);

/* Names every rule that is, or would be, for other channels too. What the channel does not see is named only where its own caller
 * has named it. */
void changes_check_channel(
    const ChannelDesk *desk, ChangeList changes, bool are_callers, Findings *findings);

/* Reading. A NULL desk sees everything. */

/* Whether the channel sees a rule: what is for all channels, or for it among others. */
bool rule_is_shown(const ChannelDesk *desk, const Rule *rule);

/* The same of a promotion by its name; of what the book does not have nobody knows whom it concerns: not shown. */
bool promotion_is_shown(const ChannelDesk *desk, const char *promotion);

/* Every channel that sees a rule by name: those that limit it, and those in the groups that do. None of NULL. */
typedef struct RuleChannels {
    const char **names;
    size_t n_names;
    bool is_everywhere; /* all channels see it, named or not */
} RuleChannels;
RuleChannels rule_channels(const ChannelDesk *desk, const Rule *rule);

/* The changes as the channel sees them, in the arena of its desk: a side that it does not see is absent, and a change of which it
 * sees neither is left out. */
ChangeList changes_shown(const ChannelDesk *desk, ChangeList changes);

/* Whom changes concern, on either side, by the groups of the book. */
Audience *changes_audience(ChangeList changes, const RuleBook *book, Arena *arena);

/* How many of the changes concern the channel. An audience that was never noted (NULL) has none. */
int32_t audience_count(const Audience *audience, const char *channel);

#endif
