/* How the audit trail is made of the event log, by whoever reads the log: each thing once, and nothing is missed, whoever stops
 * when. */
#ifndef THROUGHLINE_CATALOG_AUDIT_H
#define THROUGHLINE_CATALOG_AUDIT_H

#include "services/catalog/catalog.h"
#include "shared/event/log.h"

typedef struct AuditTrail AuditTrail;

/* Up to where the trail is, as it was kept. Lives in the call's arena. */
AuditTrail *audit_open(RpcCall *call);

/* The last event of a partition that is in the trail; nothing is behind it when the trail has failed. */
int64_t audit_place(const AuditTrail *trail, int partition);

/* Brings a page of the log into the trail; it may begin before the trail's place, not behind it. When the trail fails, that is told
 * at the end, and the reading goes on without it. */
void audit_take(AuditTrail *trail, StoreView *view, int partition, const LogPage *page);

/* Keeps the place. Entries are written before it moves: whoever comes next, after a crash too, writes the same entries again under the
 * same names. */
const Error *audit_close(AuditTrail *trail);

#endif
