/* Changes of rules: what a draft's parts come to, what a change meets in a release, what tells two releases apart. Lists are in
 * the order of the rules' names, each rule once. */
#ifndef THROUGHLINE_CATALOG_CHANGE_H
#define THROUGHLINE_CATALOG_CHANGE_H

#include "services/catalog/domain/rule_book.h"

#include "throughline/catalog/v1/governance_records.pb-c.h"

typedef Throughline__Catalog__V1__Change Change;
typedef Throughline__Catalog__V1__DraftPart DraftPart;

enum {
    CHANGES_PER_CALL = 1000,
    CHANGE_TAKEN_OUT = -1, /* conflict_release: by which release, only the history says */
};

typedef struct ChangeList {
    Change **items;
    size_t n_items;
} ChangeList;

/* Names what is wrong with the changes of one call: bad names and rules, a rule given twice. */
void changes_check(Change *const *changes, size_t n_changes, Findings *findings);

/* What the parts come to, a later one in the place of an earlier one. The messages are shared with the parts. */
ChangeList changes_fold(DraftPart *const *parts, size_t n_parts, Arena *arena);

/* Changes as they come in: each notes the rule that it is to replace. */
void changes_begin(Change *const *changes, size_t n_changes, const RuleBook *book, Arena *arena);

/* Sets `before` of each change as the book has it, and `conflict_release` where that is not what the change was made for. */
void changes_compare(ChangeList changes, const RuleBook *book, Arena *arena);

/* The first change that conflicts, NULL when none does. */
Change *changes_conflict(ChangeList changes);

/* Those that make a difference to the book, after changes_compare. */
ChangeList changes_effective(ChangeList changes, Arena *arena);

/* What turns the rules of one book into those of another. */
ChangeList changes_between(const RuleBook *from, const RuleBook *to, Arena *arena);

/* The same without reserved rules, which a rollback leaves alone. */
ChangeList changes_to_restore(const RuleBook *from, const RuleBook *to, Arena *arena);

/* The book that follows from this one by these changes. */
RuleBook *changes_apply(ChangeList changes, const RuleBook *book, int64_t number, Arena *arena);

#endif
