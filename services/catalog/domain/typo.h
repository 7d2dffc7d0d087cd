/* How far a word is from another: letters to insert, remove, replace or swap with their
 * neighbour. */
#ifndef THROUGHLINE_CATALOG_TYPO_H
#define THROUGHLINE_CATALOG_TYPO_H

#include <stdint.h>

enum { TYPO_MOST = 2, TYPO_MAX_LETTERS = 60 };

/* How many mistakes a word of this many letters may have: none in up to 3, one in up to 7, else
 * two; none where it has digits. */
int typo_allowed(const char *word);

/* The number of mistakes (optimal string alignment), or `most` + 1 when there are more. Words
 * are valid UTF-8 of at most TYPO_MAX_LETTERS letters. */
int typo_distance(const char *a, const char *b, int most);

/* A bit a letter, some shared. Words that are `n` mistakes apart differ in at most 2n bits: a
 * cheap look before typo_distance. */
uint32_t typo_letters(const char *word);

#endif
