#include "services/catalog/domain/bundle.h"

enum { MAX_VISITS = 1000 };

typedef struct Walk {
    const Product *bundle;
    BundleLookup lookup;
    void *context;
    Arena *arena;
    int visits;
} Walk;

static bool is_part(const Relation *relation)
{
    return relation->kind == THROUGHLINE__CATALOG__V1__RELATION__KIND__BUNDLE_PART;
}

bool bundle_is_one(const Product *product)
{
    for (size_t i = 0; i < product->n_relations; i++)
        if (is_part(product->relations[i]))
            return true;
    return false;
}

/* Depth and number of visits are bounded, so that a cycle which two imports have made together ends too. */
static const char *walk(Walk *state, const Product *product, int depth)
{
    for (size_t i = 0; i < product->n_relations; i++) {
        const Relation *relation = product->relations[i];
        const Product *part;
        const char *problem;

        if (!is_part(relation))
            continue;
        if (depth > BUNDLE_MAX_DEPTH)
            return arena_printf(state->arena, "is nested deeper than %d bundles", BUNDLE_MAX_DEPTH);
        if (text_equal(relation->product, state->bundle->name))
            return arena_printf(state->arena, "contains itself, through %s", product->name);
        if (++state->visits > MAX_VISITS)
            return arena_printf(
                state->arena, "has more than %d parts, all bundles unpacked", MAX_VISITS);
        part = state->lookup(state->context, relation->product);
        if (part && (problem = walk(state, part, depth + 1)))
            return problem;
    }
    return NULL;
}

const char *bundle_problem(const Product *product, BundleLookup lookup, void *context, Arena *arena)
{
    Walk state = { .bundle = product, .lookup = lookup, .context = context, .arena = arena };

    return walk(&state, product, 1);
}
