/* Texts with variables: "Thank you, {{name}}". No logic, no escaping; "{{" always begins a variable. */
#ifndef THROUGHLINE_SERVICES_NOTIFICATION_DOMAIN_TEMPLATE_H
#define THROUGHLINE_SERVICES_NOTIFICATION_DOMAIN_TEMPLATE_H

#include "shared/base/arena.h"

#include <stdbool.h>
#include <stddef.h>

enum { TEMPLATE_MAX_VARIABLES = 50, TEMPLATE_MAX_RENDERED = 64 * 1024 };

typedef struct TemplateVariable {
    const char *name;
    const char *value;
} TemplateVariable;

/* NULL when the text is well formed; else what is wrong, with line and column. */
const char *template_check(Arena *arena, const char *text);

/* Names that the text uses and the variables lack, each once; no more than TEMPLATE_MAX_VARIABLES + 1 are told. */
size_t template_missing(Arena *arena, const char *text, const TemplateVariable *variables,
    size_t n_variables, const char **missing);

/* The text with every variable replaced; NULL when it would be larger than TEMPLATE_MAX_RENDERED. The text is well formed and nothing is
 * missing. Values are put in as they are: a "{{" in a value is text. */
char *template_render(
    Arena *arena, const char *text, const TemplateVariable *variables, size_t n_variables);

#endif
