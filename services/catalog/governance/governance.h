/* What the parts of governance share: its records, publication, and the handlers that stand in files of their own. */
#ifndef THROUGHLINE_CATALOG_GOVERNANCE_H
#define THROUGHLINE_CATALOG_GOVERNANCE_H

#include "services/catalog/catalog.h"
#include "services/catalog/channel_view.h"
#include "services/catalog/governance/rule_shelf.h"
#include "shared/rpc/page.h"

typedef Throughline__Catalog__V1__DraftChanged DraftChanged;
typedef Throughline__Catalog__V1__ReleasePublished ReleasePublished;
typedef Throughline__Catalog__V1__ListRulesResponse ListRulesResponse;

typedef Throughline__Catalog__V1__AuditEntry AuditEntry;
typedef Throughline__Catalog__V1__AuditEntry__Action AuditAction;

typedef Throughline__Catalog__V1__PricedOrder PricedOrder;

extern const Collection priced_orders;
extern const Collection audit_entries;
extern const Collection audit_positions;

enum { GOVERNANCE_MAX_NOTE = 1000 };

static const AuditAction AUDIT_DRAFT_CREATED =
    THROUGHLINE__CATALOG__V1__AUDIT_ENTRY__ACTION__DRAFT_CREATED;
static const AuditAction AUDIT_DRAFT_CHANGED =
    THROUGHLINE__CATALOG__V1__AUDIT_ENTRY__ACTION__DRAFT_CHANGED;
static const AuditAction AUDIT_DRAFT_SUBMITTED =
    THROUGHLINE__CATALOG__V1__AUDIT_ENTRY__ACTION__DRAFT_SUBMITTED;
static const AuditAction AUDIT_DRAFT_WITHDRAWN =
    THROUGHLINE__CATALOG__V1__AUDIT_ENTRY__ACTION__DRAFT_WITHDRAWN;
static const AuditAction AUDIT_DRAFT_APPROVED =
    THROUGHLINE__CATALOG__V1__AUDIT_ENTRY__ACTION__DRAFT_APPROVED;
static const AuditAction AUDIT_DRAFT_REJECTED =
    THROUGHLINE__CATALOG__V1__AUDIT_ENTRY__ACTION__DRAFT_REJECTED;
static const AuditAction AUDIT_DRAFT_SCHEDULED =
    THROUGHLINE__CATALOG__V1__AUDIT_ENTRY__ACTION__DRAFT_SCHEDULED;
static const AuditAction AUDIT_DRAFT_REFUSED =
    THROUGHLINE__CATALOG__V1__AUDIT_ENTRY__ACTION__DRAFT_REFUSED;

/* With the etag that the caller saw ("": any). Errors: NOT_FOUND DRAFT_NOT_FOUND (also: not for the caller's channel), ABORTED
 * ETAG_STALE (the draft is filled in). */
const Error *draft_load(RpcCall *call, const char *name, const char *etag, Draft *draft);

/* The same to be changed: nothing in it may be for other channels than the caller's. Errors: those of check_draft_channel. */
const Error *draft_load_own(RpcCall *call, const char *name, const char *etag, Draft *draft);

/* What is put into a draft at once. */
typedef struct DraftPut {
    const char *draft;
    const char *etag; /* that the caller saw, "": any */
    const char *part; /* "draftParts/…": every try of one call has the same */
    Change **changes; /* each rule once */
    size_t n_changes;
    char **dropped;
    size_t n_dropped;
    StoreView *
        view; /* the draft's replacement: the call's own when it decides the call, else its steps */
} DraftPut;

/* Puts the first changes into a draft that is not stored yet. Errors: those of check_channel. */
const Error *draft_fill(RpcCall *call, const DraftPut *put, Draft *draft);

/* Puts good changes into an open draft, whoever else does. Errors: those of draft_load and draft_change. */
const Error *draft_put(RpcCall *call, const DraftPut *put, Draft *draft);

/* What a draft's parts come to, as they were put. */
const Error *draft_changes(RpcCall *call, const Draft *draft, ChangeList *changes);

/* The same, compared with the current release. */
const Error *draft_changes_now(RpcCall *call, const Draft *draft, ChangeList *changes);

/* The rules in force as the draft would change them, whether it could be published or not; rules_release them when done. Errors:
 * NOT_FOUND DRAFT_NOT_FOUND. */
const Error *draft_rules(RpcCall *call, const char *name, Rules **rules);

/* Whether the draft could be published now. Errors: those of publish_changes_of. */
const Error *check_draft(RpcCall *call, const Draft *draft);

/* FAILED_PRECONDITION CHANGE_CONFLICT naming the rule, the release and its draft, when a compared change conflicts. */
const Error *check_conflicts(RpcCall *call, ChangeList changes);

/* FAILED_PRECONDITION RULES_INVALID with every violation, when the rules of a book do not go together. */
const Error *check_rules(RpcCall *call, const RuleBook *book);

/* FAILED_PRECONDITION RULES_INVALID naming every change that does not go together with products and coupons: offers of what is not
 * there, codes that are coupons. */
const Error *check_references(RpcCall *call, ChangeList changes);

/* What is to become a release. What it changes is decided anew on each book that it may have to follow. */
typedef struct Publication {
    Release *release; /* initialised; kind, title, reason and deeds filled in */
    /* Errors end the publication. */
    const Error *(*plan)(RpcCall *call, void *context, const RuleBook *book, ChangeList *changes);
    void *context;
    StoreView
        *view; /* the release's insert: the call's own when it decides the call, else its steps */
} Publication;

/* NULL, or PERMISSION_DENIED CHANNEL_NOT_YOURS with every rule that is for other channels than the caller's, as it was in the book or
 * is to be; `before` of each change is set. Rules that the caller does not see are named only where the changes are its own. */
const Error *check_channel(
    RpcCall *call, ChangeList changes, const RuleBook *book, bool are_callers);

/* The same of all that is in a draft, of a published promotion, and of what a field says is for a channel. */
const Error *check_draft_channel(RpcCall *call, const Draft *draft);
const Error *check_promotion_channel(RpcCall *call, const char *promotion);
const Error *check_own_channel(RpcCall *call, const char *field, const char *channel);

/* Publishes whole or not at all: the release's insert is what counts, under a number that only one can have. */
const Error *publish(RpcCall *call, const Publication *publication);

/* Goes on with a draft that is PUBLISHING until its release is there; draft->release is set. Errors: FAILED_PRECONDITION
 * CHANGE_CONFLICT, RULES_INVALID. */
const Error *publish_changes_of(RpcCall *call, Draft *draft);

/* The job: takes up releases, publishes drafts whose time has come, finishes what was left in the middle. */
const Error *govern(RpcCall *call);

/* The consumer of cart's events: keeps every order's quote. */
const Error *learn_from_orders(RpcCall *call, const Event *event);
/* The payloads that tell of them. */
extern const ProtobufCMessageDescriptor *const learned_from_orders[];

/* Whether an order was priced in the caller's channel. */
bool sees_order(const RpcCall *call, const PricedOrder *order);

/* Changes behind `page->resume` (a rule's name) that the caller sees, as many as fit into a page. */
typedef struct ChangePage {
    Change **changes;
    size_t n_changes;
    char *next_page_token;
} ChangePage;
ChangePage change_page(RpcCall *call, const RpcPage *page, ChangeList changes);

/* Rules of a book behind the page's resume key whose names have the prefix and which the caller sees. */
void rule_page(RpcCall *call, const RuleBook *book, const char *prefix, const RpcPage *page,
    ListRulesResponse *res);

/* A change of a release as it is shown. */
Change *release_change(RpcCall *call, const ReleaseChange *record);

/* What a release changed. Errors: NOT_FOUND RELEASE_NOT_FOUND. */
const Error *published_changes(RpcCall *call, int64_t number, ChangeList *changes);

const Error *publish_draft(RpcCall *call, const void *request, void *reply);
const Error *stop_price(RpcCall *call, const void *request, void *reply);
const Error *confirm_stop(RpcCall *call, const void *request, void *reply);
const Error *lift_stop(RpcCall *call, const void *request, void *reply);
const Error *roll_back(RpcCall *call, const void *request, void *reply);
const Error *get_release(RpcCall *call, const void *request, void *reply);
const Error *list_releases(RpcCall *call, const void *request, void *reply);
const Error *diff_releases(RpcCall *call, const void *request, void *reply);
const Error *get_rule(RpcCall *call, const void *request, void *reply);
const Error *list_rules(RpcCall *call, const void *request, void *reply);
/* A page of what an index "rule" has of one rule and the caller sees, newest first, unless the request was found bad. */
const Error *find_by_rule(RpcCall *call, const Collection *collection, const char *rule,
    const RpcPage *page, Look look, StorePage *found);

const Error *list_rule_orders(RpcCall *call, const void *request, void *reply);
const Error *simulate_draft(RpcCall *call, const void *request, void *reply);
const Error *get_lowest_price(RpcCall *call, const void *request, void *reply);
const Error *replay_quote(RpcCall *call, const void *request, void *reply);
const Error *list_audit_entries(RpcCall *call, const void *request, void *reply);
const Error *list_rule_history(RpcCall *call, const void *request, void *reply);

#endif
