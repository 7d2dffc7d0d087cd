/* Words as they are compared: without case and without accents. */
#ifndef THROUGHLINE_CATALOG_FOLD_H
#define THROUGHLINE_CATALOG_FOLD_H

#include <stddef.h>
#include <stdint.h>

enum { FOLD_MAX_BYTES = 8 }; /* that one character may become */

/* As fold_character, for what is not ASCII. */
size_t fold_wide_character(const char *text, char folded[FOLD_MAX_BYTES], int *size);

/* Folds the first character of a valid UTF-8 text into `folded` and returns its bytes; *size is how
 * many were written: 0 for an accent of its own, and for what separates words *size is -1. Latin
 * letters lose case and accents ("Ü" and "u" are one, "ß" is "ss"), Greek and Cyrillic ones their
 * case; others stay. */
static inline size_t fold_character(const char *text, char folded[FOLD_MAX_BYTES], int *size)
{
    char byte = *text;

    if ((uint8_t)byte >= 0x80)
        return fold_wide_character(text, folded, size);
    if (byte >= 'A' && byte <= 'Z')
        byte = (char)(byte + 'a' - 'A');
    *folded = byte;
    *size = (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9') ? 1 : -1;
    return 1;
}

#endif
