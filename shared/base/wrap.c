#include "shared/base/wrap.h"

#include "shared/base/text.h"

#include <string.h>

char *wrap_text(Arena *arena, const char *text, int indent, int width)
{
    char *wrapped = arena_text(arena, "");
    int column = indent;

    for (bool is_first = true; *text; is_first = false) {
        size_t size = strcspn(text, " ");
        const char *word = arena_text_of(arena, text, size);
        int length = (int)text_length(word);

        if (is_first) {
            wrapped = arena_text(arena, word);
            column += length;
        } else if (column + 1 + length > width) {
            wrapped = arena_printf(arena, "%s\n%*s%s", wrapped, indent, "", word);
            column = indent + length;
        } else {
            wrapped = arena_printf(arena, "%s %s", wrapped, word);
            column += 1 + length;
        }
        text += size;
        text += strspn(text, " ");
    }
    return wrapped;
}
