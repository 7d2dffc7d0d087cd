#include "services/catalog/governance/rules_holder.h"

#include <pthread.h>
#include <stdlib.h>

struct RulesHolder {
    pthread_mutex_t lock; /* held for a few instructions: to read the pointer and count */
    Rules *rules;
    size_t n_gone; /* out of force; each waits for its last reader */
    size_t capacity;
    Rules **gone;
};

RulesHolder *rules_holder_new(void)
{
    RuleSet none = THROUGHLINE__CATALOG__V1__RULE_SET__INIT;
    RulesHolder *holder = calloc(1, sizeof(*holder));

    if (!holder)
        abort();
    pthread_mutex_init(&holder->lock, NULL);
    holder->rules = rules_compile(&none);
    return holder;
}

void rules_holder_free(RulesHolder *holder)
{
    if (!holder)
        return;
    rules_release(holder->rules);
    for (size_t i = 0; i < holder->n_gone; i++)
        rules_release(holder->gone[i]);
    free(holder->gone);
    pthread_mutex_destroy(&holder->lock);
    free(holder);
}

Rules *rules_holder_current(RulesHolder *holder)
{
    Rules *rules;

    pthread_mutex_lock(&holder->lock);
    rules = rules_hold(holder->rules);
    pthread_mutex_unlock(&holder->lock);
    return rules;
}

static void add_gone(RulesHolder *holder, Rules *rules)
{
    if (holder->n_gone == holder->capacity) {
        holder->capacity = 2 * holder->capacity + 4;
        holder->gone = reallocarray(holder->gone, holder->capacity, sizeof(*holder->gone));
        if (!holder->gone)
            abort();
    }
    holder->gone[holder->n_gone++] = rules;
}

void rules_holder_swap(RulesHolder *holder, Rules *rules)
{
    bool is_newer;

    pthread_mutex_lock(&holder->lock);
    is_newer = rules_set(rules)->release > rules_set(holder->rules)->release;
    if (is_newer) {
        add_gone(holder, holder->rules);
        holder->rules = rules;
    }
    pthread_mutex_unlock(&holder->lock);
    if (!is_newer)
        rules_release(rules);
    rules_holder_sweep(holder);
}

/* One that nobody reads any more; NULL when there is none. */
static Rules *take_unread(RulesHolder *holder)
{
    Rules *rules = NULL;

    pthread_mutex_lock(&holder->lock);
    for (size_t i = 0; i < holder->n_gone && !rules; i++)
        if (!rules_are_shared(holder->gone[i])) {
            rules = holder->gone[i];
            holder->gone[i] = holder->gone[--holder->n_gone];
        }
    pthread_mutex_unlock(&holder->lock);
    return rules;
}

void rules_holder_sweep(RulesHolder *holder)
{
    Rules *rules;

    while ((rules = take_unread(holder)))
        rules_release(rules);
}
