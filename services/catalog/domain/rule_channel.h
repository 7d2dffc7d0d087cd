/* Which channels rules concern, and so who may change them. */
#ifndef THROUGHLINE_CATALOG_RULE_CHANNEL_H
#define THROUGHLINE_CATALOG_RULE_CHANNEL_H

#include "services/catalog/domain/change.h"

/* NULL when the rule is limited to this channel: by its name, or by channel groups in which there is no other. Else why not:
 * "is for all channels". The book says what the groups and, for what stops a promotion, the promotion are. */
const char *rule_channel_refusal(
    const Rule *rule, const char *channel, const RuleBook *book, Arena *arena);

/* The same of a promotion by its name; one that the book does not have is refused, for nobody knows yet whom it will concern. */
const char *promotion_channel_refusal(
    const char *promotion, const char *channel, const RuleBook *book, Arena *arena);

/* Names every rule that is, or would be, for other channels too. */
void changes_check_channel(
    ChangeList changes, const char *channel, const RuleBook *book, Findings *findings);

#endif
