#include "services/catalog/domain/rule_book.h"

#include "shared/base/id.h"
#include "shared/codec/message.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* A rule that several books share. */
typedef struct SharedRule {
    BookRule head;
    atomic_int references;
    uint8_t digest[RULE_BOOK_DIGEST];
    char memory[]; /* the name, then the packed rule */
} SharedRule;

struct RuleBook {
    atomic_int references;
    int64_t number;
    uint8_t digest[RULE_BOOK_DIGEST];
    size_t n_rules;
    SharedRule *rules[];
};

static void *allocate(size_t size)
{
    void *memory = calloc(1, size);

    if (!memory)
        abort();
    return memory;
}

static SharedRule *share(const char *name, const Rule *rule, int64_t changed_in)
{
    size_t name_size = strlen(name) + 1;
    size_t size = protobuf_c_message_get_packed_size(&rule->base);
    SharedRule *shared = allocate(sizeof(*shared) + name_size + size);
    uint8_t *packed = (uint8_t *)shared->memory + name_size;

    memcpy(shared->memory, name, name_size);
    protobuf_c_message_pack(&rule->base, packed);
    id_digest(shared->memory, name_size + size, shared->digest);
    shared->head = (BookRule){ shared->memory, changed_in, { packed, size } };
    atomic_init(&shared->references, 1);
    return shared;
}

static SharedRule *hold(SharedRule *rule)
{
    atomic_fetch_add_explicit(&rule->references, 1, memory_order_relaxed);
    return rule;
}

static void let_go(SharedRule *rule)
{
    if (atomic_fetch_sub_explicit(&rule->references, 1, memory_order_acq_rel) == 1)
        free(rule);
}

static RuleBook *book_new(int64_t number, size_t capacity)
{
    RuleBook *book = allocate(sizeof(*book) + capacity * sizeof(SharedRule *));

    atomic_init(&book->references, 1);
    book->number = number;
    return book;
}

static void seal(RuleBook *book)
{
    uint8_t *digests = allocate(book->n_rules * RULE_BOOK_DIGEST + 1);

    for (size_t i = 0; i < book->n_rules; i++)
        memcpy(digests + i * RULE_BOOK_DIGEST, book->rules[i]->digest, RULE_BOOK_DIGEST);
    id_digest(digests, book->n_rules * RULE_BOOK_DIGEST, book->digest);
    free(digests);
}

RuleBook *rule_book_new(void)
{
    RuleBook *book = book_new(0, 0);

    seal(book);
    return book;
}

static int by_rule(const void *a, const void *b)
{
    const BookChange *const *left = a;
    const BookChange *const *right = b;

    return strcmp((*left)->rule, (*right)->rule);
}

/* The changes in the order of the rules' names. */
static const BookChange **sort_changes(const BookChange *changes, size_t n_changes)
{
    const BookChange **sorted = allocate((n_changes + 1) * sizeof(BookChange *));

    for (size_t i = 0; i < n_changes; i++)
        sorted[i] = &changes[i];
    qsort(sorted, n_changes, sizeof(BookChange *), by_rule);
    return sorted;
}

RuleBook *rule_book_next(
    const RuleBook *book, int64_t number, const BookChange *changes, size_t n_changes)
{
    RuleBook *next = book_new(number, book->n_rules + n_changes);
    const BookChange **sorted = sort_changes(changes, n_changes);
    size_t old = 0;

    for (size_t i = 0; i < n_changes; i++) {
        const BookChange *change = sorted[i];

        assert((!i || strcmp(sorted[i - 1]->rule, change->rule) < 0) && "one change a rule");
        while (old < book->n_rules && strcmp(book->rules[old]->head.name, change->rule) < 0)
            next->rules[next->n_rules++] = hold(book->rules[old++]);
        if (old < book->n_rules && text_equal(book->rules[old]->head.name, change->rule))
            old++;
        if (change->after)
            next->rules[next->n_rules++] = share(change->rule, change->after, change->changed_in);
    }
    while (old < book->n_rules)
        next->rules[next->n_rules++] = hold(book->rules[old++]);
    free(sorted);
    seal(next);
    return next;
}

RuleBook *rule_book_hold(RuleBook *book)
{
    atomic_fetch_add_explicit(&book->references, 1, memory_order_relaxed);
    return book;
}

void rule_book_release(RuleBook *book)
{
    if (!book || atomic_fetch_sub_explicit(&book->references, 1, memory_order_acq_rel) > 1)
        return;
    for (size_t i = 0; i < book->n_rules; i++)
        let_go(book->rules[i]);
    free(book);
}

int64_t rule_book_number(const RuleBook *book)
{
    return book->number;
}

size_t rule_book_count(const RuleBook *book)
{
    return book->n_rules;
}

const uint8_t *rule_book_digest(const RuleBook *book)
{
    return book->digest;
}

const BookRule *rule_book_at(const RuleBook *book, size_t index)
{
    assert(index < book->n_rules);
    return &book->rules[index]->head;
}

size_t rule_book_seek(const RuleBook *book, const char *name)
{
    size_t low = 0, high = book->n_rules;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (strcmp(book->rules[middle]->head.name, name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

const BookRule *rule_book_find(const RuleBook *book, const char *name)
{
    size_t index = rule_book_seek(book, name);

    if (index == book->n_rules || !text_equal(book->rules[index]->head.name, name))
        return NULL;
    return &book->rules[index]->head;
}

Rule *book_rule_unpack(const BookRule *rule, Arena *arena)
{
    return rule ? message_unpack(arena, &throughline__catalog__v1__rule__descriptor, rule->packed)
                : NULL;
}

char *release_name(Arena *arena, int64_t number)
{
    return arena_printf(arena, "releases/%lld", (long long)number);
}
