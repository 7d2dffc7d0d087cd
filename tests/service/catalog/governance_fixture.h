/* People and steps for the tests of governance. */
#ifndef THROUGHLINE_TESTS_GOVERNANCE_FIXTURE_H
#define THROUGHLINE_TESTS_GOVERNANCE_FIXTURE_H

#include "services/catalog/governance/governance.h"
#include "tests/service/catalog/catalog_fixture.h"
#include "tests/unit/catalog/rule_builders.h"

/* "agents/ann" of merchandising, who makes drafts; "agents/bob" of pricing, who approves; "agents/cleo" of operations, who
 * publishes. */
void as_ann(void);
void as_bob(void);
void as_cleo(void);

/* Promotions and the basis points that they are to have, 0: none; a NULL name ends the list. */
typedef struct RuleSetting {
    const char *name;
    int32_t basis_points;
} RuleSetting;

/* Ann's new draft with these changes. */
Draft *make_draft(const RuleSetting *settings);
Draft *make_draft_of(Change **changes, size_t n_changes);

/* Calls an rpc of GovernanceService whose request has name, etag and note and whose answer is a draft: "SubmitDraft". */
const Error *draft_call(const char *rpc, const char *name, const char *etag, Draft *reply);

/* As Ann submits it and Bob approves it. */
Draft *approve(const Draft *draft);

/* As Cleo publishes it at once. */
const Error *try_publish(const char *draft, Draft *reply);

/* Approves and publishes a draft: its release's number. */
int64_t approve_and_publish(const Draft *draft);

/* A draft with these changes, made, approved and published: its release's number. */
int64_t publish_settings(const RuleSetting *settings);

/* Makes, approves and publishes any changes. */
int64_t publish_changes(Change **changes, size_t n_changes);

/* Three releases: "a" is 1, 2 and 3; "b" is there in the first alone, "c" since the second. */
void publish_three(void);

/* Publishes "overrideLimits/goodwill" for "web" and "care": a share of the price and an amount in EUR. */
void publish_limit(int32_t basis_points, int64_t amount);

Draft *get_draft_again(const char *name);
Release *get_release_number(int64_t number);

/* The basis points of a promotion in a release (0: the current one), 0 when it is not there. */
int32_t points_in(const char *name, int64_t release);

#endif
