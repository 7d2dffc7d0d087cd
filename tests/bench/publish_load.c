/* Prices read by several callers at once, in rounds: with nothing else to do, and while releases are published one after the other.
 * Prints the 99th percentiles of both as one line of JSON, a pair a round. */
#include "services/catalog/catalog.h"
#include "services/catalog/catalog_service.h"
#include "shared/base/clock.h"
#include "shared/base/config.h"
#include "shared/codec/message.h"
#include "shared/codec/types.h"
#include "tests/support/fixture.h"

#include "throughline/catalog/v1/governance.pb-c.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    READERS = 4,
    MAX_READS = 1000000, /* of one reader in one round */
    CHANGES_A_DRAFT = 1000,
    SKUS_EACH = 10,
    PUBLISH_PAUSE_MS = 500,
    RESET_EVERY = 1000,
};

static const Setting settings[] = {
    { "products", SETTING_NUMBER, "100000", "how many there are", SKUS_EACH, 10000000 },
    { "promotions", SETTING_NUMBER, "1000", "how many are in force", 1, CHANGES_A_DRAFT },
    { "rounds", SETTING_NUMBER, "5", "pairs of measurements", 1, 1000 },
    { "round-ms", SETTING_NUMBER, "3000", "how long one half of a pair takes", 10, 600000 },
    { 0 },
};

static const char price_method[] = "/throughline.catalog.v1.PricingService/GetPrice";

typedef struct Reader {
    Fixture *fixture;
    Bytes request;
    int64_t until;
    int32_t *micros;
    size_t n_reads;
} Reader;

static void must(const Error *error, const char *what)
{
    if (!error)
        return;
    fprintf(stderr, "%s: %s: %s\n", what, error->reason, error->message);
    exit(1);
}

static char *sku_of(Arena *arena, int64_t number)
{
    return arena_printf(arena, "sku-%06lld", (long long)number);
}

static void fill(Snapshot *snapshot, int64_t n_products)
{
    Arena *arena = arena_new();

    for (int64_t i = 0; i < n_products; i++) {
        Product *product = message_new(arena, &throughline__catalog__v1__product__descriptor);
        Variant *variant = message_new(arena, &throughline__catalog__v1__variant__descriptor);
        Price *price = message_new(arena, &throughline__catalog__v1__price__descriptor);

        product->name = arena_printf(arena, "products/p%lld", (long long)i);
        product->etag = arena_text(arena, "1");
        product->title = arena_printf(arena, "Thing number %lld", (long long)i);
        product->state = PRODUCT_ACTIVE;
        price->amount = money_message(arena, "EUR", 100 + i % 9900);
        variant->sku = sku_of(arena, i);
        variant->n_prices = 1;
        variant->prices = arena_copy(arena, &price, sizeof(price));
        product->n_variants = 1;
        product->variants = arena_copy(arena, &variant, sizeof(variant));
        snapshot_put(snapshot, product);
        if (i % RESET_EVERY == 0)
            arena_reset(arena);
    }
    arena_free(arena);
}

static Throughline__Catalog__V1__Change *change_of(Arena *arena, int64_t number, int64_t n_products)
{
    Throughline__Catalog__V1__Change *change =
        message_new(arena, &throughline__catalog__v1__change__descriptor);
    Promotion *promotion = message_new(arena, &throughline__catalog__v1__promotion__descriptor);

    promotion->name = arena_printf(arena, "promotions/%06lld", (long long)number);
    promotion->title = arena_printf(arena, "Offer %lld", (long long)number);
    promotion->basis_points = 500 + (int32_t)(number % 2000);
    promotion->target = message_new(arena, &throughline__catalog__v1__selector__descriptor);
    promotion->target->skus = arena_array(arena, SKUS_EACH, sizeof(char *));
    for (int i = 0; i < SKUS_EACH; i++)
        promotion->target->skus[promotion->target->n_skus++] =
            sku_of(arena, (number * SKUS_EACH + i) * 7919 % n_products);
    change->rule = promotion->name;
    change->after = message_new(arena, &throughline__catalog__v1__rule__descriptor);
    change->after->kind_case = THROUGHLINE__CATALOG__V1__RULE__KIND_PROMOTION;
    change->after->promotion = promotion;
    return change;
}

static void step(Fixture *fixture, const char *rpc, const char *person, const char *draft)
{
    Arena *arena = fixture_arena(fixture);
    Throughline__Catalog__V1__Draft reply = THROUGHLINE__CATALOG__V1__DRAFT__INIT;
    void *request = message_new(
        arena, message_find(arena_printf(arena, "throughline.catalog.v1.%sRequest", rpc)));

    *(char **)message_field(request, "name") = arena_text(arena, draft);
    fixture_act_as(fixture, person, arena_printf(arena, "agents/%s", person));
    must(fixture_call(fixture, arena_printf(arena, "GovernanceService/%s", rpc), request, &reply),
        rpc);
}

/* The promotions, as one release. */
static void publish_all(Fixture *fixture, int64_t n_promotions, int64_t n_products)
{
    Arena *arena = fixture_arena(fixture);
    Throughline__Catalog__V1__CreateDraftRequest request =
        THROUGHLINE__CATALOG__V1__CREATE_DRAFT_REQUEST__INIT;
    Throughline__Catalog__V1__Draft draft = THROUGHLINE__CATALOG__V1__DRAFT__INIT;

    request.title = arena_text(arena, "All offers");
    request.reason = arena_text(arena, "To have some");
    request.changes = arena_array(arena, (size_t)n_promotions, sizeof(*request.changes));
    for (int64_t i = 0; i < n_promotions; i++)
        request.changes[request.n_changes++] = change_of(arena, i, n_products);
    fixture_act_as(fixture, "ann", "agents/ann");
    must(fixture_call(fixture, "GovernanceService/CreateDraft", &request, &draft), "CreateDraft");
    step(fixture, "SubmitDraft", "ann", draft.name);
    step(fixture, "ApproveDraft", "bob", draft.name);
    step(fixture, "PublishDraft", "bob", draft.name);
}

static void *read_prices(void *context)
{
    Reader *reader = context;
    RpcOutgoing outgoing = fixture_outgoing(reader->fixture);
    Arena *arena = arena_new();

    outgoing.arena = arena;
    reader->n_reads = 0;
    while (reader->n_reads < MAX_READS && clock_monotonic() < reader->until) {
        int64_t start = clock_monotonic();
        Bytes reply;

        outgoing.deadline = start + INT64_C(10) * 1000000;
        must(rpc_client_call_raw(
                 fixture_client(reader->fixture), &outgoing, price_method, reader->request, &reply),
            "GetPrice");
        reader->micros[reader->n_reads++] = (int32_t)(clock_monotonic() - start);
        arena_reset(arena);
    }
    arena_free(arena);
    return NULL;
}

/* One release after the other until the time has come. */
static void publish_until(Fixture *fixture, int64_t until, int64_t *number)
{
    Arena *arena = fixture_arena(fixture);

    while (clock_monotonic() < until) {
        Throughline__Catalog__V1__CreatePromotionRequest request =
            THROUGHLINE__CATALOG__V1__CREATE_PROMOTION_REQUEST__INIT;
        Promotion promotion = THROUGHLINE__CATALOG__V1__PROMOTION__INIT, reply = promotion;

        promotion.title = arena_text(arena, "One more");
        promotion.code = arena_printf(arena, "MORE-%lld", (long long)(*number)++);
        promotion.basis_points = 100;
        request.promotion = &promotion;
        must(fixture_call(fixture, "PricingService/CreatePromotion", &request, &reply),
            "CreatePromotion");
        clock_sleep_ms(PUBLISH_PAUSE_MS);
    }
}

static int by_size(const void *a, const void *b)
{
    const int32_t *left = a;
    const int32_t *right = b;

    return (*left > *right) - (*left < *right);
}

static double p99_of(Reader *readers)
{
    size_t n = 0;
    int32_t *all = calloc((size_t)READERS * MAX_READS, sizeof(*all));
    double p99;

    if (!all)
        abort();
    for (int i = 0; i < READERS; i++)
        for (size_t j = 0; j < readers[i].n_reads; j++)
            all[n++] = readers[i].micros[j];
    qsort(all, n, sizeof(*all), by_size);
    p99 = n ? all[n * 99 / 100] : 0;
    free(all);
    return p99;
}

/* Microseconds; `number` NULL: nothing is published. */
static double run_half(Fixture *fixture, Reader *readers, int64_t round_ms, int64_t *number)
{
    pthread_t threads[READERS];
    int64_t until = clock_monotonic() + round_ms * 1000;

    for (int i = 0; i < READERS; i++) {
        readers[i].until = until;
        if (pthread_create(&threads[i], NULL, read_prices, &readers[i]))
            abort();
    }
    if (number)
        publish_until(fixture, until, number);
    for (int i = 0; i < READERS; i++)
        pthread_join(threads[i], NULL);
    return p99_of(readers);
}

static void measure(Fixture *fixture, const Config *config, Bytes request)
{
    Reader readers[READERS] = { 0 };
    int64_t round_ms = config_number(config, "round-ms"), number = 0;

    for (int i = 0; i < READERS; i++) {
        readers[i] = (Reader){ .fixture = fixture, .request = request };
        readers[i].micros = calloc(MAX_READS, sizeof(*readers[i].micros));
        if (!readers[i].micros)
            abort();
    }
    run_half(fixture, readers, round_ms, NULL);
    printf("{\"p99_us\":[");
    for (int64_t i = 0; i < config_number(config, "rounds"); i++) {
        double quiet = run_half(fixture, readers, round_ms, NULL);
        double busy = run_half(fixture, readers, round_ms, &number);

        printf("%s[%.1f,%.1f]", i ? "," : "", busy, quiet);
    }
    printf("],\"releases\":%lld}\n", (long long)number);
    for (int i = 0; i < READERS; i++)
        free(readers[i].micros);
}

int main(int argc, char **argv)
{
    const Setting *const tables[] = { settings, NULL };
    Arena *arena = arena_new();
    const Config *config = config_read(arena, tables, argc, argv, stderr);
    Throughline__Catalog__V1__GetPriceRequest request =
        THROUGHLINE__CATALOG__V1__GET_PRICE_REQUEST__INIT;
    Fixture *fixture;
    bool is_clean;

    if (!config)
        return 2;
    fixture = fixture_start(&catalog_service);
    fill(((const Catalog *)fixture_context(fixture)->state)->snapshot,
        config_number(config, "products"));
    publish_all(fixture, config_number(config, "promotions"), config_number(config, "products"));
    request.sku = sku_of(arena, config_number(config, "products") / 2);
    request.currency = arena_text(arena, "EUR");
    measure(fixture, config, message_pack(arena, &request));
    is_clean = fixture_stop(fixture);
    arena_free(arena);
    return is_clean ? 0 : 1;
}
