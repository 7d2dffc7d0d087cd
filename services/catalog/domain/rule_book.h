/* All rules of one release, in the order of their names. A book never changes: the next release is a new book that shares
 * the rules that stayed. Books are counted by reference; any thread. */
#ifndef THROUGHLINE_CATALOG_RULE_BOOK_H
#define THROUGHLINE_CATALOG_RULE_BOOK_H

#include "services/catalog/domain/rule.h"

enum { RULE_BOOK_DIGEST = 32 };

typedef struct RuleBook RuleBook;

/* One rule as a book has it. */
typedef struct BookRule {
    const char *name;
    int64_t changed_in; /* the release that made it so */
    Bytes packed;       /* a Rule in wire form */
} BookRule;

/* What becomes of one rule. */
typedef struct BookChange {
    const char *rule;
    const Rule *after; /* NULL: it is taken out */
    int64_t changed_in;
} BookChange;

/* The book before the first release: number 0, no rules. */
RuleBook *rule_book_new(void);

/* The book `number` that follows from this one. At most one change a rule, in any order; a change that takes out what is not
 * there is none. */
RuleBook *rule_book_next(
    const RuleBook *book, int64_t number, const BookChange *changes, size_t n_changes);

RuleBook *rule_book_hold(RuleBook *book);
/* NULL is allowed. */
void rule_book_release(RuleBook *book);

int64_t rule_book_number(const RuleBook *book);
size_t rule_book_count(const RuleBook *book);

/* BLAKE2b over the names and contents of all rules: equal for books with equal rules, whatever their numbers. */
const uint8_t *rule_book_digest(const RuleBook *book);

/* index < rule_book_count */
const BookRule *rule_book_at(const RuleBook *book, size_t index);

/* NULL when it has none of this name. */
const BookRule *rule_book_find(const RuleBook *book, const char *name);

/* The index of the first rule whose name is not before `name`. */
size_t rule_book_seek(const RuleBook *book, const char *name);

/* The rule, unpacked into the arena; NULL for NULL. */
Rule *book_rule_unpack(const BookRule *rule, Arena *arena);

/* "releases/<number>". */
char *release_name(Arena *arena, int64_t number);

#endif
