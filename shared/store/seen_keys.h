/* Which request keys may have an answer, told from memory: a new request needs no look into the file. A new key may be taken for a
 * known one (one in some hundreds), a known one never for new. Any thread may add and ask at any time. */
#ifndef THROUGHLINE_STORE_SEEN_KEYS_H
#define THROUGHLINE_STORE_SEEN_KEYS_H

#include <stdbool.h>
#include <stdint.h>

typedef struct SeenKeys SeenKeys;

SeenKeys *seen_keys_new(void);
void seen_keys_free(SeenKeys *keys);

/* Before anybody can read the key's answer. `hash`: of the key, 64 bits. */
void seen_keys_add(SeenKeys *keys, uint64_t hash);

/* True for every key until a table was filled and finished. */
bool seen_keys_may_have(SeenKeys *keys, uint64_t hash);

/* A new table is filled, by one thread: begin, seen_keys_fill() for every key that is kept, finish. What others add meanwhile is in
 * it too. Begin says false when the table there is has room or is as large as one gets. */
bool seen_keys_begin(SeenKeys *keys, uint64_t n_expected);
void seen_keys_fill(SeenKeys *keys, uint64_t hash);
void seen_keys_finish(SeenKeys *keys);

#endif
