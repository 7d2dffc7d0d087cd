/* The rule books of a replica: the current one in memory, brought forward release by release as the store has them, each whole
 * or not at all; earlier ones made from the changes since. Both start from checkpoints, so that neither takes longer the more
 * releases there are. */
#ifndef THROUGHLINE_CATALOG_RULE_SHELF_H
#define THROUGHLINE_CATALOG_RULE_SHELF_H

#include "services/catalog/domain/draft.h"
#include "services/catalog/governance/rules_holder.h"
#include "shared/store/store.h"

typedef struct RuleShelf RuleShelf;

typedef Throughline__Catalog__V1__ReleaseChange ReleaseChange;

/* Puts what it takes up in force in `rules`, which must outlive it. */
RuleShelf *rule_shelf_new(RulesHolder *rules);
void rule_shelf_free(RuleShelf *shelf);

/* The current book; rule_book_release it when done. Any thread. */
RuleBook *rule_shelf_current(RuleShelf *shelf);

/* Takes up what was published, by whichever replica. Any thread. Errors: DATA_LOSS RELEASE_BROKEN when a release does not come to
 * what its digest says; those of the store. */
const Error *rule_shelf_follow(RuleShelf *shelf, const StoreView *view);

/* The book of any release, 0 and the current one included; rule_book_release it when done. Errors: NOT_FOUND
 * RELEASE_NOT_FOUND. */
const Error *rule_shelf_at(
    RuleShelf *shelf, const StoreView *view, int64_t number, RuleBook **book);

/* Writes a checkpoint of the current book when one is due. For one thread. */
const Error *rule_shelf_keep(RuleShelf *shelf, StoreView *view);

/* What a release changed, in the order of the rules' names, in the view's arena. */
const Error *release_changes_load(
    StoreView *view, const Release *release, ReleaseChange ***changes);

#endif
