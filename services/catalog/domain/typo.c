#include "services/catalog/domain/typo.h"

#include "shared/base/text.h"

#include <string.h>

static int min(int a, int b)
{
    return a < b ? a : b;
}

/* The letters of a word, each as a number of its own. */
static int read_letters(const char *word, uint32_t letters[TYPO_MAX_LETTERS])
{
    int n_letters = 0;

    while (*word && n_letters < TYPO_MAX_LETTERS) {
        size_t step = text_utf8_step((const uint8_t *)word, strnlen(word, 4));
        uint32_t letter = 0;

        for (step = step ? step : 1; step > 0; step--)
            letter = letter << 8 | (uint8_t)*word++;
        letters[n_letters++] = letter;
    }
    return n_letters;
}

int typo_allowed(const char *word)
{
    size_t length = text_length(word);

    if (word[strcspn(word, "0123456789")] || length <= 3)
        return 0;
    return length <= 7 ? 1 : TYPO_MOST;
}

/* One row of the table of distances between beginnings; `rows` are this one, the one before and the
 * one before that. Returns the row's smallest. */
static int fill_row(
    const uint32_t *a, int i, const uint32_t *b, int n_b, int rows[3][TYPO_MAX_LETTERS + 1])
{
    int *row = rows[i % 3];
    const int *before = rows[(i + 2) % 3];
    const int *earlier = rows[(i + 1) % 3];
    int smallest = row[0] = i;

    for (int j = 1; j <= n_b; j++) {
        row[j] = min(min(row[j - 1], before[j]) + 1, before[j - 1] + (a[i - 1] != b[j - 1]));
        if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
            row[j] = min(row[j], earlier[j - 2] + 1);
        smallest = min(smallest, row[j]);
    }
    return smallest;
}

int typo_distance(const char *a, const char *b, int most)
{
    uint32_t a_letters[TYPO_MAX_LETTERS];
    uint32_t b_letters[TYPO_MAX_LETTERS];
    int n_a = read_letters(a, a_letters);
    int n_b = read_letters(b, b_letters);
    int rows[3][TYPO_MAX_LETTERS + 1];
    int before = 0;

    if (n_a - n_b > most || n_b - n_a > most)
        return most + 1;
    for (int j = 0; j <= n_b; j++)
        rows[0][j] = j;
    for (int i = 1; i <= n_a; i++) {
        int smallest = fill_row(a_letters, i, b_letters, n_b, rows);

        /* A swap reaches back over one row. */
        if (smallest > most && before > most)
            return most + 1;
        before = smallest;
    }
    return min(rows[n_a % 3][n_b], most + 1);
}

uint32_t typo_letters(const char *word)
{
    uint32_t letters = 0;

    for (; *word; word++) {
        uint8_t byte = (uint8_t)*word;

        /* Of a character of several bytes only the last counts, so that it is one letter. */
        if (((uint8_t)word[1] & 0xc0) != 0x80)
            letters |= UINT32_C(1) << (byte % 32);
    }
    return letters;
}
