#include "services/catalog/domain/findings.h"

#include "shared/base/text.h"

void findings_add(Findings *findings, const char *field, const char *format, ...)
{
    va_list args;

    if (findings->n_items == FINDINGS_MAX)
        return;
    if (!findings->items)
        findings->items = arena_array(findings->arena, FINDINGS_MAX, sizeof(FieldViolation));
    va_start(args, format);
    findings->items[findings->n_items++] = (FieldViolation){
        .field = field,
        .description = arena_vprintf(findings->arena, format, args),
    };
    va_end(args);
}

void findings_length(
    Findings *findings, const char *field, const char *text, size_t min, size_t max)
{
    size_t length = text_length(text);

    if (length < min || length > max)
        findings_add(findings, field, "must have %zu to %zu characters, has %zu", min, max, length);
}
