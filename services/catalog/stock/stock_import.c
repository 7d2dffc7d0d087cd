#include "services/catalog/stock/stock_import.h"

#include "shared/codec/message.h"

enum { MAX_ROUNDS = 8 };

/* One number of pieces at one place. */
typedef struct Count {
    size_t product;
    size_t variant;
    size_t stock;
    const char *name;
    const char *sku;
    const char *location;
    int64_t on_hand;
} Count;

typedef struct Counting {
    RpcCall *call;
    StoreView *view;
    size_t n_counts;
    Count *counts; /* those that are still to be set */
    size_t n_problems;
    StockProblem *problems;
} Counting;

static size_t count_stock(Product *const *list, size_t n_products)
{
    size_t n = 0;

    for (size_t i = 0; i < n_products; i++)
        for (size_t j = 0; j < list[i]->n_variants; j++)
            n += list[i]->variants[j]->n_stock;
    return n;
}

static void gather(Counting *counting, Product *const *list, size_t n_products)
{
    for (size_t i = 0; i < n_products; i++)
        for (size_t j = 0; j < list[i]->n_variants; j++) {
            const Variant *variant = list[i]->variants[j];

            for (size_t k = 0; k < variant->n_stock; k++)
                counting->counts[counting->n_counts++] = (Count){
                    .product = i,
                    .variant = j,
                    .stock = k,
                    .name = stock_level_name(
                        counting->view->arena, variant->sku, variant->stock[k]->location),
                    .sku = variant->sku,
                    .location = variant->stock[k]->location,
                    .on_hand = variant->stock[k]->on_hand,
                };
        }
}

static void add_problem(Counting *counting, const Count *count, const char *description)
{
    counting->problems[counting->n_problems++] = (StockProblem){
        .product = count->product,
        .field = arena_printf(counting->view->arena, "variants[%zu].stock[%zu].on_hand",
            count->variant, count->stock),
        .description = description,
    };
}

/* Makes the write of a count; false when there is none to make. */
static bool prepare(Counting *counting, const Count *count, StockLevel *level, StoreWrite *write)
{
    StockChanged event = THROUGHLINE__CATALOG__V1__STOCK_CHANGED__INIT;
    int64_t before = level->on_hand;
    const Error *error;

    if (!stock_is_news(level, count->on_hand))
        return false;
    if ((error = stock_set(level, count->on_hand, counting->view->arena))) {
        add_problem(counting, count, error->message);
        return false;
    }
    level->is_imported = true;
    level->imported = count->on_hand;
    event.reason = THROUGHLINE__CATALOG__V1__STOCK_REASON__STOCK_REASON_IMPORT;
    stock_write(counting->call, counting->view->arena, level, &event, before, write);
    return true;
}

/* One try at all counts; those that lost a race stay. */
static const Error *set_once(Counting *counting)
{
    Arena *arena = counting->view->arena;
    const char **names = arena_array(arena, counting->n_counts, sizeof(*names));
    void **levels = arena_array(arena, counting->n_counts, sizeof(*levels));
    StoreWrite *writes = arena_array(arena, counting->n_counts, sizeof(*writes));
    Count *written = arena_array(arena, counting->n_counts, sizeof(*written));
    size_t n_writes = 0;
    const Error *error;

    for (size_t i = 0; i < counting->n_counts; i++)
        names[i] = counting->counts[i].name;
    if ((error = store_get_many(counting->view, &stock_levels, names, counting->n_counts, levels)))
        return error;
    for (size_t i = 0; i < counting->n_counts; i++) {
        StockLevel *level = levels[i];

        if (!level) {
            level = message_new(arena, &throughline__catalog__v1__stock_level__descriptor);
            stock_level_init(arena, counting->counts[i].sku, counting->counts[i].location, level);
        }
        if (prepare(counting, &counting->counts[i], level, &writes[n_writes]))
            written[n_writes++] = counting->counts[i];
    }
    counting->n_counts = 0;
    error = store_write(counting->view, writes, n_writes);
    for (size_t i = 0; i < n_writes; i++) {
        const Error *own = writes[i].error;

        if (own && own->code != ERROR_ABORTED && own->code != ERROR_ALREADY_EXISTS)
            return own;
        if (own)
            counting->counts[counting->n_counts++] = written[i];
        /* The error of the whole is that of some write, unless none was tried. */
        if (own == error)
            error = NULL;
    }
    return error;
}

const Error *stock_import(RpcCall *call, StoreView *view, Product *const *list, size_t n_products,
    StockProblem **problems, size_t *n_problems)
{
    size_t n_counts = count_stock(list, n_products);
    Counting counting = { .call = call, .view = view };
    const Error *error = NULL;

    counting.counts = arena_array(view->arena, n_counts, sizeof(*counting.counts));
    counting.problems = arena_array(view->arena, n_counts, sizeof(*counting.problems));
    gather(&counting, list, n_products);
    for (int round = 0; round < MAX_ROUNDS && counting.n_counts > 0 && !error; round++)
        error = set_once(&counting);
    for (size_t i = 0; i < counting.n_counts && !error; i++)
        add_problem(&counting, &counting.counts[i],
            "was changed by somebody else all the time; send it again");
    *problems = counting.problems;
    *n_problems = counting.n_problems;
    return error;
}
