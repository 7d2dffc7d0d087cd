/* Whole rule books in the store, one every so many releases: who needs the rules of a release starts from the nearest. They can be
 * made again at any time and say nothing that the releases do not say; one that is not whole, or does not come to its release's
 * digest, is passed over. */
#ifndef THROUGHLINE_CATALOG_RULE_CHECKPOINT_H
#define THROUGHLINE_CATALOG_RULE_CHECKPOINT_H

#include "services/catalog/domain/rule_book.h"
#include "shared/store/store.h"

extern const Collection rule_checkpoints;
extern const Collection rule_checkpoint_parts;

/* Whether the book is far enough from the newest checkpoint: a hundred releases, and more where there are so many rules that
 * checkpoints would take more room than the changes. */
bool rule_checkpoint_is_due(const RuleBook *book, int64_t newest);

/* Writes the book. Any replica may, at any time: the same book is the same records. */
const Error *rule_checkpoint_write(StoreView *view, const RuleBook *book);

/* The number of the newest, 0 when there is none. */
const Error *rule_checkpoint_newest(StoreView *view, int64_t *number);

/* The newest one; *book is NULL when there is none. rule_book_release it when done. */
const Error *rule_checkpoint_last(StoreView *view, RuleBook **book);

/* The oldest one at or after a release; *book is NULL when there is none. */
const Error *rule_checkpoint_after(StoreView *view, int64_t number, RuleBook **book);

#endif
