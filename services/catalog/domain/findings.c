#include "services/catalog/domain/findings.h"

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
