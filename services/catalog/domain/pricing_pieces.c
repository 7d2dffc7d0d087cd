/* Effects that choose pieces: some given for others, every n-th, bundles. */
#include "services/catalog/domain/pricing_effects.h"

#include <stdlib.h>

/* Pieces of one line among which some are chosen. */
typedef struct Pool {
    uint32_t line;
    uint32_t part;
    int64_t pieces;
    int64_t left; /* of the whole line */
    bool is_paid; /* they can be those that are paid for others */
    int64_t chosen;
} Pool;

/* By the price of one piece, ties by SKU. */
static int by_piece(const void *a, const void *b)
{
    const Pool *left = a;
    const Pool *right = b;
    Wide one = (Wide)left->left * right->pieces;
    Wide two = (Wide)right->left * left->pieces;

    if (one != two)
        return one < two ? -1 : 1;
    return left->line < right->line ? -1 : 1;
}

static int by_dearest(const void *a, const void *b)
{
    const Pool *left = a;
    const Pool *right = b;
    Wide one = (Wide)left->left * right->pieces;
    Wide two = (Wide)right->left * left->pieces;

    if (one != two)
        return one > two ? -1 : 1;
    return left->line < right->line ? -1 : 1;
}

static bool is_reward(const Candidate *candidate, const Line *line)
{
    return !line->is_closed &&
           selector_matches(&candidate->compiled->reward, line->item->product, line->variant);
}

static bool is_among(const Candidate *candidate, uint32_t line)
{
    for (size_t i = 0; i < candidate->n_lines; i++)
        if (candidate->lines[i] == line)
            return true;
    return false;
}

/* Pieces that can be given, and how many can only be paid for. */
static size_t gather_rewards(const Engine *engine, const Candidate *candidate, const Deal *deal,
    Pool *pools, int64_t *n_only_paid)
{
    bool is_own = !candidate->compiled->reward.selector;
    size_t n_pools = 0;

    *n_only_paid = 0;
    for (uint32_t i = 0; i < engine->n_lines; i++) {
        bool is_paid = is_among(candidate, i);
        bool is_given = is_own ? is_paid : is_reward(candidate, &engine->lines[i]);

        if (is_given)
            pools[n_pools++] = (Pool){
                .line = i, .pieces = pieces_of(engine, i), .left = deal->left[i], .is_paid = is_paid
            };
        else if (is_paid)
            *n_only_paid += pieces_of(engine, i);
    }
    return n_pools;
}

/* `buy` pieces paid for each `get` pieces given, which are taken `basis_points` of. */
typedef struct Offer {
    int64_t buy;
    int64_t get;
    int64_t max_times; /* 0: no limit */
    int32_t basis_points;
    bool is_dearest;
} Offer;

static void take_offer(
    Engine *engine, const Candidate *candidate, const Deal *deal, const Offer *offer)
{
    Pool *pools = arena_array(engine->arena, engine->n_lines, sizeof(*pools));
    int64_t only_paid, only_given = 0, both = 0, times, to_give, to_give_of_both;
    size_t n_pools = gather_rewards(engine, candidate, deal, pools, &only_paid);

    for (size_t i = 0; i < n_pools; i++)
        *(pools[i].is_paid ? &both : &only_given) += pools[i].pieces;
    times = smaller((only_given + both) / offer->get, (only_paid + both) / offer->buy);
    times = smaller(times, (only_paid + only_given + both) / (offer->buy + offer->get));
    if (offer->max_times > 0)
        times = smaller(times, offer->max_times);
    to_give = times * offer->get;
    to_give_of_both = both;
    if (times * offer->buy > only_paid)
        to_give_of_both -= times * offer->buy - only_paid;
    if (n_pools > 1)
        qsort(pools, n_pools, sizeof(*pools), offer->is_dearest ? by_dearest : by_piece);
    for (size_t i = 0; i < n_pools && to_give > 0; i++) {
        int64_t n = smaller(pools[i].pieces, to_give);

        if (pools[i].is_paid) {
            n = smaller(n, to_give_of_both);
            to_give_of_both -= n;
        }
        to_give -= n;
        take_share(engine, pools[i].line, (Wide)pools[i].left * n * offer->basis_points,
            (Wide)pools[i].pieces * PROMOTION_WHOLE);
    }
}

void take_buy(Engine *engine, const Candidate *candidate, const Deal *deal)
{
    const Throughline__Catalog__V1__BuyXGetY *buy = candidate->compiled->promotion->buy_x_get_y;

    if (buy->buy < 1 || buy->get < 1)
        return;
    take_offer(engine, candidate, deal,
        &(Offer){
            .buy = buy->buy,
            .get = buy->get,
            .max_times = buy->max_times,
            .basis_points = buy->basis_points ? share_of(buy->basis_points) : PROMOTION_WHOLE,
            .is_dearest = buy->choice == THROUGHLINE__CATALOG__V1__BUY_XGET_Y__CHOICE__DEAREST,
        });
}

void take_nth(Engine *engine, const Candidate *candidate, const Deal *deal)
{
    const Throughline__Catalog__V1__NthItem *nth = candidate->compiled->promotion->nth_item;

    if (nth->n >= 2)
        take_offer(engine, candidate, deal,
            &(Offer){ .buy = nth->n - 1, .get = 1, .basis_points = share_of(nth->basis_points) });
}

/* Bundles. */

/* Chooses the dearest pieces for so many bundles; what they cost now. */
static Wide choose_pieces(
    const Engine *engine, const Candidate *candidate, Pool *pools, size_t n_pools, int64_t times)
{
    Wide value = 0;

    for (uint32_t part = 0; part < candidate->compiled->n_parts; part++) {
        int64_t wanted = times * candidate->compiled->parts[part].quantity;

        for (size_t i = 0; i < n_pools; i++) {
            if (pools[i].part != part)
                continue;
            pools[i].chosen = smaller(wanted, pools[i].pieces);
            wanted -= pools[i].chosen;
            value += round_share(
                engine->rounding, (Wide)pools[i].left * pools[i].chosen, pools[i].pieces, NULL);
        }
    }
    return value;
}

static int64_t count_bundles(const Candidate *candidate, const Pool *pools, size_t n_pools)
{
    const CompiledPromotion *compiled = candidate->compiled;
    int64_t times = compiled->promotion->bundle_price->max_times;

    if (times <= 0)
        times = INT64_MAX;
    for (uint32_t part = 0; part < compiled->n_parts; part++) {
        int64_t pieces = 0;

        for (size_t i = 0; i < n_pools; i++)
            if (pools[i].part == part)
                pieces += pools[i].pieces;
        times = compiled->parts[part].quantity < 1
                    ? 0
                    : smaller(times, pieces / compiled->parts[part].quantity);
    }
    return times;
}

static Wide bundles_save(
    const Engine *engine, const Candidate *candidate, Pool *pools, size_t n_pools, int64_t times)
{
    return choose_pieces(engine, candidate, pools, n_pools, times) -
           (Wide)times * amount_of(engine, &candidate->compiled->amounts);
}

/* Dear pieces go first, so each bundle saves no more than the one before: as many are made as still
 * save. */
static int64_t most_saving(
    const Engine *engine, const Candidate *candidate, Pool *pools, size_t n_pools)
{
    int64_t low = 0;
    int64_t high = count_bundles(candidate, pools, n_pools);

    while (low < high) {
        int64_t middle = low + (high - low + 1) / 2;

        if (bundles_save(engine, candidate, pools, n_pools, middle) >
            bundles_save(engine, candidate, pools, n_pools, middle - 1))
            low = middle;
        else
            high = middle - 1;
    }
    return low;
}

void take_bundle(Engine *engine, const Candidate *candidate, const Deal *deal)
{
    size_t n_pools = candidate->n_lines;
    Pool *pools = arena_array(engine->arena, n_pools, sizeof(*pools));
    uint32_t *lines = arena_array(engine->arena, n_pools, sizeof(*lines));
    int64_t *weights = arena_array(engine->arena, n_pools, sizeof(*weights));
    int64_t times;
    Wide saved;

    for (size_t i = 0; i < n_pools; i++)
        pools[i] = (Pool){ .line = candidate->lines[i],
            .part = candidate->parts[i],
            .pieces = pieces_of(engine, candidate->lines[i]),
            .left = deal->left[candidate->lines[i]] };
    if (n_pools > 1)
        qsort(pools, n_pools, sizeof(*pools), by_dearest);
    times = most_saving(engine, candidate, pools, n_pools);
    saved = bundles_save(engine, candidate, pools, n_pools, times);
    if (saved <= 0)
        return;
    for (size_t i = 0; i < n_pools; i++) {
        lines[i] = pools[i].line;
        weights[i] = round_share(
            engine->rounding, (Wide)pools[i].left * pools[i].chosen, pools[i].pieces, NULL);
    }
    take_together(engine, lines, n_pools, weights, (int64_t)saved);
}
