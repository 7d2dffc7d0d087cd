#include "services/notification/domain/template.h"

#include "shared/base/text.h"

#include <stdint.h>
#include <string.h>

enum { MAX_NAME = 40 };

static bool is_name_character(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

/* The variable that begins at `text` ("{{ name }}"): its name's start and length, and how long it is with its braces. 0: it is
 * not one. */
static size_t read_variable(const char *text, const char **name, size_t *length)
{
    const char *c = text + 2;

    while (*c == ' ')
        c++;
    *name = c;
    while (is_name_character(*c))
        c++;
    *length = (size_t)(c - *name);
    while (*c == ' ')
        c++;
    if (*length == 0 || *length > MAX_NAME || c[0] != '}' || c[1] != '}')
        return 0;
    return (size_t)(c + 2 - text);
}

const char *template_check(Arena *arena, const char *text)
{
    int line = 1, column = 1;

    for (const char *c = text; *c;) {
        const char *name;
        size_t length, size = 1;

        if (c[0] == '{' && c[1] == '{') {
            if ((size = read_variable(c, &name, &length)) == 0)
                return arena_printf(arena,
                    "line %d, column %d: \"{{\" begins no variable: a name of a-z, 0-9 and _, then "
                    "\"}}\"",
                    line, column);
        }
        if (*c == '\n') {
            line++;
            column = 0;
        }
        column += (int)size;
        c += size;
    }
    return NULL;
}

static const TemplateVariable *find(
    const TemplateVariable *variables, size_t n, const char *name, size_t length)
{
    for (size_t i = 0; i < n; i++)
        if (strlen(variables[i].name) == length && !memcmp(variables[i].name, name, length))
            return &variables[i];
    return NULL;
}

size_t template_missing(Arena *arena, const char *text, const TemplateVariable *variables,
    size_t n_variables, const char **missing)
{
    size_t n = 0;

    for (const char *c = text; (c = strstr(c, "{{"));) {
        const char *name;
        size_t length, size = read_variable(c, &name, &length), known = 0;

        if (!find(variables, n_variables, name, length)) {
            const char *copy = arena_text_of(arena, name, length);

            while (known < n && !text_equal(missing[known], copy))
                known++;
            if (known == n && n <= TEMPLATE_MAX_VARIABLES)
                missing[n++] = copy;
        }
        c += size ? size : 2;
    }
    return n;
}

/* Renders into `out`, or only measures when it is NULL. */
static size_t render(
    char *out, const char *text, const TemplateVariable *variables, size_t n_variables)
{
    size_t total = 0;

    while (*text) {
        const char *name, *piece = text;
        size_t length, size = 1, piece_size = 1;

        if (text[0] == '{' && text[1] == '{' && (size = read_variable(text, &name, &length))) {
            const TemplateVariable *variable = find(variables, n_variables, name, length);

            piece = variable ? variable->value : "";
            piece_size = strlen(piece);
        }
        if (out)
            memcpy(out + total, piece, piece_size);
        total += piece_size;
        text += size ? size : 1;
    }
    return total;
}

char *template_render(
    Arena *arena, const char *text, const TemplateVariable *variables, size_t n_variables)
{
    size_t size = render(NULL, text, variables, n_variables);
    char *out;

    if (size > TEMPLATE_MAX_RENDERED)
        return NULL;
    out = arena_alloc(arena, size + 1);
    render(out, text, variables, n_variables);
    return out;
}
