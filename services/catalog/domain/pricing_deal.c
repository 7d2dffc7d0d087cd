/* Which of the promotions that fit apply: of a stacking group the best, an exclusive one instead of
 * all others where it takes more, codes and automatic ones together or the better of both. */
#include "services/catalog/domain/pricing_engine.h"

#include <stdlib.h>
#include <string.h>

/* A choice of candidates, in the order of their turns. */
typedef struct Choice {
    size_t n_chosen;
    uint32_t *chosen;
} Choice;

static Choice new_choice(const Engine *engine)
{
    return (Choice){ 0, arena_array(engine->arena, engine->n_candidates, sizeof(uint32_t)) };
}

static const Promotion *promotion_of(const Engine *engine, uint32_t candidate)
{
    return engine->candidates[candidate].compiled->promotion;
}

static Deal *new_deal(const Engine *engine)
{
    Deal *deal = arena_alloc(engine->arena, sizeof(*deal));

    deal->left = arena_array(engine->arena, engine->n_lines + 1, sizeof(*deal->left));
    for (size_t i = 0; i < engine->n_lines; i++)
        deal->left[i] = engine->lines[i].list;
    if (engine->input->shipping)
        deal->left[engine->n_lines] = engine->input->shipping->minor;
    deal->gifts = arena_array(engine->arena, engine->n_candidates, sizeof(*deal->gifts));
    return deal;
}

static Deal *deal_of(Engine *engine, const Choice *choice)
{
    Deal *deal = new_deal(engine);

    for (size_t i = 0; i < choice->n_chosen; i++)
        apply_promotion(engine, choice->chosen[i], deal);
    return deal;
}

static int64_t taken_alone(Engine *engine, uint32_t candidate)
{
    return deal_of(engine, &(Choice){ 1, &candidate })->taken;
}

/* What a member of a stacking group takes by itself. */
typedef struct Member {
    const char *group;
    int64_t taken;
    uint32_t candidate;
} Member;

/* Of one group the one that takes most first, then the one whose turn is first. */
static int by_group(const void *a, const void *b)
{
    const Member *left = a;
    const Member *right = b;
    int order = strcmp(left->group, right->group);

    if (!order && left->taken != right->taken)
        order = left->taken > right->taken ? -1 : 1;
    return order ? order : (left->candidate < right->candidate ? -1 : 1);
}

/* Leaves one of each group. */
static void refuse_beaten(Engine *engine, const Choice *fitting)
{
    Member *members = arena_array(engine->arena, fitting->n_chosen, sizeof(*members));
    size_t n_members = 0;

    for (size_t i = 0; i < fitting->n_chosen; i++) {
        uint32_t candidate = fitting->chosen[i];
        const char *group = promotion_of(engine, candidate)->stacking_group;

        if (*group)
            members[n_members++] = (Member){ group, taken_alone(engine, candidate), candidate };
    }
    if (n_members > 1)
        qsort(members, n_members, sizeof(*members), by_group);
    for (size_t i = 1, first = 0; i < n_members; i++) {
        if (!text_equal(members[i].group, members[first].group)) {
            first = i;
            continue;
        }
        engine->candidates[members[i].candidate].refusal = REFUSED_GROUP;
        engine->candidates[members[i].candidate].winner =
            promotion_of(engine, members[first].candidate);
    }
}

static void refuse(Engine *engine, const Choice *choice, Refusal refusal, const Promotion *winner)
{
    for (size_t i = 0; i < choice->n_chosen; i++) {
        engine->candidates[choice->chosen[i]].refusal = refusal;
        engine->candidates[choice->chosen[i]].winner = winner;
    }
}

/* The one that takes most by itself of those that exclude others; n_chosen when there is none. */
static size_t best_exclusive(Engine *engine, const Choice *exclusive, int64_t *taken)
{
    size_t best = exclusive->n_chosen;

    for (size_t i = 0; i < exclusive->n_chosen; i++) {
        int64_t alone = taken_alone(engine, exclusive->chosen[i]);

        if (best == exclusive->n_chosen || alone > *taken) {
            best = i;
            *taken = alone;
        }
    }
    return best;
}

/* What applies of those that fit; the others are told why not. */
static Deal *best_of(Engine *engine, const Choice *fitting)
{
    Choice together = new_choice(engine);
    Choice exclusive = new_choice(engine);
    const Promotion *winner = NULL;
    int64_t alone = 0;
    size_t best;
    Deal *deal;

    refuse_beaten(engine, fitting);
    for (size_t i = 0; i < fitting->n_chosen; i++) {
        uint32_t candidate = fitting->chosen[i];

        if (engine->candidates[candidate].refusal)
            continue;
        if (promotion_of(engine, candidate)->is_exclusive)
            exclusive.chosen[exclusive.n_chosen++] = candidate;
        else
            together.chosen[together.n_chosen++] = candidate;
    }
    deal = deal_of(engine, &together);
    if (together.n_chosen > 0)
        winner = promotion_of(engine, together.chosen[0]);
    best = best_exclusive(engine, &exclusive, &alone);
    if (best < exclusive.n_chosen && (alone > deal->taken || together.n_chosen == 0)) {
        deal = deal_of(engine, &(Choice){ 1, &exclusive.chosen[best] });
        winner = promotion_of(engine, exclusive.chosen[best]);
        exclusive.chosen[best] = exclusive.chosen[--exclusive.n_chosen];
        refuse(engine, &together, REFUSED_EXCLUSIVE, winner);
    }
    refuse(engine, &exclusive, REFUSED_EXCLUSIVE, winner);
    return deal;
}

static bool takes_best_deal(const Engine *engine)
{
    const PricingSettings *settings = engine->rules ? engine->rules->set->settings : NULL;

    return settings && settings->code_combination ==
                           THROUGHLINE__CATALOG__V1__PRICING_SETTINGS__CODE_COMBINATION__BEST_DEAL;
}

Deal *make_deal(Engine *engine)
{
    Choice automatic = new_choice(engine);
    Choice typed = new_choice(engine);
    Deal *deal, *other;

    for (uint32_t i = 0; i < engine->n_candidates; i++) {
        const Candidate *candidate = &engine->candidates[i];
        Choice *choice = candidate->code && takes_best_deal(engine) ? &typed : &automatic;

        if (!candidate->refusal)
            choice->chosen[choice->n_chosen++] = i;
    }
    deal = best_of(engine, &automatic);
    if (typed.n_chosen > 0) {
        other = best_of(engine, &typed);
        refuse(
            engine, other->taken >= deal->taken ? &automatic : &typed, REFUSED_BETTER_DEAL, NULL);
        if (other->taken >= deal->taken)
            deal = other;
    }
    for (size_t i = 0; i < deal->n_takes; i++)
        engine->candidates[deal->takes[i].candidate].taken += deal->takes[i].amount;
    return deal;
}
