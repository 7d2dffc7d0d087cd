/* Open addressing over groups: all numbers of one text lie side by side. */
#include "services/catalog/domain/lookup.h"

#include "shared/base/text.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { KIND_PRIME = 0x1e3779b1, MAX_KINDS = 64 };

typedef struct Group {
    uint64_t hash;
    const char *text; /* NULL: a free place */
    size_t length;
    int kind;
    uint32_t first;
    uint32_t n_values;
} Group;

struct Lookup {
    uint64_t kinds;  /* a bit for each that is there */
    size_t n_groups; /* a power of two */
    Group *groups;
    uint32_t *values;
};

static uint64_t hash_of(int kind, const char *text, size_t length)
{
    return text_hash(text, length) ^ ((uint64_t)kind * KIND_PRIME);
}

static bool is_of(const Group *group, uint64_t hash, int kind, const char *text, size_t length)
{
    return group->hash == hash && group->kind == kind && group->length == length &&
           !memcmp(group->text, text, length);
}

/* The group of the text, or the free place where it would be. */
static Group *find_group(
    const Lookup *lookup, uint64_t hash, int kind, const char *text, size_t length)
{
    size_t at = hash & (lookup->n_groups - 1);

    while (lookup->groups[at].text && !is_of(&lookup->groups[at], hash, kind, text, length))
        at = (at + 1) & (lookup->n_groups - 1);
    return &lookup->groups[at];
}

static Group *group_of(const Lookup *lookup, const LookupEntry *entry)
{
    size_t length = strlen(entry->text);
    uint64_t hash = hash_of(entry->kind, entry->text, length);
    Group *group = find_group(lookup, hash, entry->kind, entry->text, length);

    if (!group->text)
        *group =
            (Group){ .hash = hash, .text = entry->text, .length = length, .kind = entry->kind };
    return group;
}

const Lookup *lookup_build(Arena *arena, const LookupEntry *entries, size_t n_entries)
{
    Lookup *lookup = arena_alloc(arena, sizeof(*lookup));
    Group **groups = calloc(n_entries + 1, sizeof(*groups));
    uint32_t next = 0;

    if (!groups)
        abort();
    for (lookup->n_groups = 2; lookup->n_groups < 2 * n_entries;)
        lookup->n_groups *= 2;
    lookup->groups = arena_array(arena, lookup->n_groups, sizeof(*lookup->groups));
    lookup->values = arena_array(arena, n_entries, sizeof(*lookup->values));
    for (size_t i = 0; i < n_entries; i++) {
        assert(entries[i].kind >= 0 && entries[i].kind < MAX_KINDS);
        lookup->kinds |= UINT64_C(1) << entries[i].kind;
        groups[i] = group_of(lookup, &entries[i]);
        groups[i]->n_values++;
    }
    for (size_t i = 0; i < lookup->n_groups; i++) {
        lookup->groups[i].first = next;
        next += lookup->groups[i].n_values;
        lookup->groups[i].n_values = 0;
    }
    for (size_t i = 0; i < n_entries; i++)
        lookup->values[groups[i]->first + groups[i]->n_values++] = entries[i].value;
    free(groups);
    return lookup;
}

LookupValues lookup_find(const Lookup *lookup, int kind, const char *text, size_t length)
{
    const Group *group;

    /* Most shops have no rules of most kinds. */
    if (!(lookup->kinds >> kind & 1))
        return (LookupValues){ 0 };
    group = find_group(lookup, hash_of(kind, text, length), kind, text, length);
    return (LookupValues){ lookup->values + group->first, group->n_values };
}
