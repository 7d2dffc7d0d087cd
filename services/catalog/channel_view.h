/* What the caller's channel sees of rules and of what is made of them. Callers without a channel of their own, or with the scope
 * catalog.all_channels, see everything, and pay nothing for being asked. */
#ifndef THROUGHLINE_CATALOG_CHANNEL_VIEW_H
#define THROUGHLINE_CATALOG_CHANNEL_VIEW_H

#include "services/catalog/domain/draft.h"
#include "services/catalog/domain/rule_channel.h"
#include "shared/rpc/call.h"
#include "shared/store/store.h"

/* The channel to which the caller is bound, NULL: none, for it may act for all. */
const char *bound_channel(const RpcCall *call);

/* The caller's channel before a book that outlives the desk; NULL: the caller sees everything. */
ChannelDesk *caller_desk(RpcCall *call, const RuleBook *book);

/* Whether something of this channel ("": of none) is for the caller. */
bool sees_channel(const RpcCall *call, const char *channel);

/* A published promotion, by its name and the current book. */
bool sees_promotion(RpcCall *call, const char *promotion);

bool sees_draft(const RpcCall *call, const Draft *draft);
bool sees_release(const RpcCall *call, const Release *release);

/* As the caller sees it: what speaks of changes for others is counted out and emptied. Not for what is stored again. */
void show_draft(const RpcCall *call, Draft *draft);
void show_release(const RpcCall *call, Release *release);

/* One message of a page: whether the caller sees it; it may be changed to what the caller sees. */
typedef const Error *(*Look)(RpcCall *call, void *message, bool *is_seen);

/* A page of what the caller sees; shorter than asked for where much in between is not for it. */
const Error *find_seen(RpcCall *call, const Collection *collection, const StoreQuery *query,
    Look look, StorePage *page);

#endif
