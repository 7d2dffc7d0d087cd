#include "services/catalog/rules_holder.h"

#include <pthread.h>
#include <stdlib.h>

struct RulesHolder {
    pthread_mutex_t lock; /* held for a few instructions: to read the pointer and count */
    Rules *rules;
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

void rules_holder_swap(RulesHolder *holder, Rules *rules)
{
    Rules *gone = rules;

    pthread_mutex_lock(&holder->lock);
    if (rules_set(rules)->release > rules_set(holder->rules)->release) {
        gone = holder->rules;
        holder->rules = rules;
    }
    pthread_mutex_unlock(&holder->lock);
    rules_release(gone);
}
