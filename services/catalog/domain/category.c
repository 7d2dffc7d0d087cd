#include "services/catalog/domain/category.h"

#include <string.h>

static const Error cycle = { ERROR_FAILED_PRECONDITION, "CATEGORY_CYCLE",
    "The category would be below itself." };
static const Error too_deep = { ERROR_FAILED_PRECONDITION, "CATEGORY_TOO_DEEP",
    "Categories are at most 16 deep." };

void category_check(const Category *category, Findings *findings)
{
    if (!text_matches_name(category->name, "categories/*"))
        findings_add(
            findings, "name", "must be \"categories/\" and 1 to 63 characters of [a-z0-9_.~-]");
    findings_length(findings, "title", category->title, 1, CATEGORY_MAX_TITLE);
    if (strstr(category->title, " > "))
        findings_add(findings, "title", "must not contain \" > \"");
    if (*category->parent && !text_matches_name(category->parent, "categories/*"))
        findings_add(findings, "parent", "must be \"categories/…\" or empty");
    local_texts_check(category->texts, category->n_texts, "texts", CATEGORY_MAX_TITLE, findings);
}

const Error *category_check_parents(const Category *category, CategoryLookup lookup, void *context)
{
    const char *parent = category->parent;

    for (int depth = 1; *parent; depth++) {
        const Category *above;

        if (text_equal(parent, category->name))
            return &cycle;
        if (depth == CATEGORY_MAX_DEPTH)
            return &too_deep;
        if (!(above = lookup(context, parent)))
            return NULL;
        parent = above->parent;
    }
    return NULL;
}

const char *category_path(
    const Category *category, CategoryLookup lookup, void *context, Arena *arena)
{
    const char *path = category->title;

    for (int depth = 1; *category->parent && depth < CATEGORY_MAX_DEPTH; depth++) {
        if (!(category = lookup(context, category->parent)))
            break;
        path = arena_printf(arena, "%s > %s", category->title, path);
    }
    return path;
}
