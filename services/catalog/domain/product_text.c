/* Products in other languages. */
#include "services/catalog/domain/product.h"

#include <string.h>
#include <strings.h>

enum { MAX_LANGUAGE = 35, MAX_SUBTAG = 8 };

bool language_is_valid(const char *language)
{
    const char *at = language;

    if (strlen(language) > MAX_LANGUAGE)
        return false;
    for (;;) {
        size_t length =
            strspn(at, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789");

        if (length < 1 || length > MAX_SUBTAG)
            return false;
        if (!at[length])
            return true;
        if (at[length] != '-')
            return false;
        at += length + 1;
    }
}

/* The text of the first `length` characters of a language that has what is asked for; NULL when there is none. */
static const char *find(
    LocalText *const *texts, size_t n_texts, const char *language, size_t length, bool is_title)
{
    for (size_t i = 0; i < n_texts; i++) {
        const char *text = is_title ? texts[i]->title : texts[i]->description;

        if (*text && strlen(texts[i]->language) == length &&
            !strncasecmp(texts[i]->language, language, length))
            return text;
    }
    return NULL;
}

/* "de-CH-1996", then "de-CH", then "de", then `otherwise`. */
static char *choose(
    LocalText *const *texts, size_t n_texts, const char *language, bool is_title, char *otherwise)
{
    size_t length = strlen(language);

    while (length > 0) {
        const char *found = find(texts, n_texts, language, length, is_title);

        if (found)
            return (char *)found;
        while (length > 0 && language[length - 1] != '-')
            length--;
        if (length > 0)
            length--;
    }
    return otherwise;
}

void product_localize(Product *product, const char *language)
{
    if (!*language)
        return;
    product->title = choose(product->texts, product->n_texts, language, true, product->title);
    product->description =
        choose(product->texts, product->n_texts, language, false, product->description);
    product->n_texts = 0;
    for (size_t i = 0; i < product->n_variants; i++) {
        Variant *variant = product->variants[i];

        variant->title = choose(variant->texts, variant->n_texts, language, true, variant->title);
        variant->n_texts = 0;
    }
}
