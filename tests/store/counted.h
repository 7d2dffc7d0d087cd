/* Documents that count their changes: the document, its index entry, its event and its answer all say which change they are of. So
 * it shows after any accident whether something is lost, doubled or half there. */
#ifndef THROUGHLINE_TESTS_STORE_COUNTED_H
#define THROUGHLINE_TESTS_STORE_COUNTED_H

#include "tests/store/store_fixture.h"

enum { COUNTED_DOCUMENTS = 40 };

/* What the documents of one store must hold. */
typedef struct Counted {
    int32_t acknowledged[COUNTED_DOCUMENTS]; /* changes of each that the store said it keeps */
    int64_t trimmed[COUNTED_DOCUMENTS];      /* events of each that were read and removed */
    int32_t noted;                           /* relaxed notes that must be there */
    int lost; /* acknowledged changes, and notes, that were not there any more */
} Counted;

const Error *counted_open(Arena *arena, const char *uri, Store **store);

/* One more change of a document, with so many numbers as ballast; `count` is how many it has had with this one. */
const Error *counted_change(
    Store *store, Arena *arena, int document, size_t ballast, int32_t *count);

/* The relaxed effect of event `number`, then the position behind it: each a document of its own. The effect may be there already. */
const Error *counted_note(Store *store, Arena *arena, int32_t number);

/* Opens the store and checks that each document has the changes that were acknowledged, or one more, whole; then these are the
 * acknowledged ones, and the outbox is empty. Of the notes there are those that must be, and further ones without a gap, the last
 * perhaps without its position: `noted` becomes the position. */
void counted_check(Counted *counted, const char *uri);

/* SQLite's own opinion of the file, where there is one. */
void counted_check_integrity(const char *folder);

#endif
