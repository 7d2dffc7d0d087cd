/* A catalogue with many products in memory and many promotions in force, on its own: for prices under
 * load. Says on its first line where it listens, which token it takes and which requests to send;
 * ends at SIGTERM. With --time it listens to nobody and says how long quotes of so many carts take from
 * the request's bytes to the answer's. Each promotion takes something off a few products of its own, as
 * the calendars of shops are: the more there are, the fewer apply to one cart. */
#include "services/catalog/catalog.h"
#include "services/catalog/catalog_service.h"
#include "services/catalog/pricing/pricing_rpcs.h"
#include "shared/base/clock.h"
#include "shared/base/config.h"
#include "shared/codec/message.h"
#include "shared/codec/types.h"
#include "tests/support/fixture.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum {
    CART_LINES = 10,
    SKUS_EACH = 10,
    CATEGORIES = 100,
    BRANDS = 200,
    RESET_EVERY = 1000,
    FIRST_CART = 17,
    CART_STRIDE = 7919
};

typedef Throughline__Catalog__V1__CreateQuoteRequest CreateQuoteRequest;
typedef Throughline__Catalog__V1__CreateQuoteResponse CreateQuoteResponse;
typedef Throughline__Catalog__V1__GetPriceRequest GetPriceRequest;
typedef Throughline__Catalog__V1__QuoteContext QuoteContext;

static const Setting settings[] = {
    { "products", SETTING_NUMBER, "100000", "how many there are", CART_LINES, 10000000 },
    { "promotions", SETTING_NUMBER, "1000", "how many are in force", 0, 100000 },
    { "time", SETTING_NUMBER, "0", "quotes to time instead of serving", 0, 1000000 },
    { 0 },
};

static char *sku_of(Arena *arena, int64_t number)
{
    return arena_printf(arena, "sku-%06lld", (long long)number);
}

static Product *a_product(Arena *arena, int64_t number)
{
    Product *product = message_new(arena, &throughline__catalog__v1__product__descriptor);
    Variant *variant = message_new(arena, &throughline__catalog__v1__variant__descriptor);
    Price *price = message_new(arena, &throughline__catalog__v1__price__descriptor);

    product->name = arena_printf(arena, "products/p%lld", (long long)number);
    product->etag = arena_text(arena, "1");
    product->title = arena_printf(arena, "Thing number %lld", (long long)number);
    product->brand = arena_printf(arena, "Brand %lld", (long long)(number % BRANDS));
    product->category = arena_printf(arena, "Things > Kind %lld", (long long)(number % CATEGORIES));
    product->state = PRODUCT_ACTIVE;
    price->amount = money_message(arena, "EUR", 100 + number % 9900);
    variant->sku = sku_of(arena, number);
    variant->n_prices = 1;
    variant->prices = arena_copy(arena, &price, sizeof(price));
    product->n_variants = 1;
    product->variants = arena_copy(arena, &variant, sizeof(variant));
    return product;
}

static void fill(Snapshot *snapshot, int64_t n_products)
{
    Arena *arena = arena_new();

    for (int64_t i = 0; i < n_products; i++) {
        snapshot_put(snapshot, a_product(arena, i));
        if (i % RESET_EVERY == 0)
            arena_reset(arena);
    }
    arena_free(arena);
}

static Promotion *promotion_of(Arena *arena, int64_t number, int64_t n_products)
{
    Promotion *promotion = message_new(arena, &throughline__catalog__v1__promotion__descriptor);
    Throughline__Catalog__V1__Selector *target =
        message_new(arena, &throughline__catalog__v1__selector__descriptor);

    promotion->name = arena_printf(arena, "promotions/%06lld", (long long)number);
    promotion->title = arena_printf(arena, "Offer %lld", (long long)number);
    promotion->basis_points = 500 + (int32_t)(number % 2000);
    promotion->target = target;
    target->skus = arena_array(arena, SKUS_EACH, sizeof(*target->skus));
    for (int i = 0; i < SKUS_EACH; i++)
        target->skus[target->n_skus++] =
            sku_of(arena, (number * SKUS_EACH + i) * 7919 % n_products);
    return promotion;
}

/* 19 % VAT in the prices, and the promotions: one of them off everything. */
static Rules *make_rules(Arena *arena, int64_t n_promotions, int64_t n_products)
{
    RuleSet set = THROUGHLINE__CATALOG__V1__RULE_SET__INIT;
    TaxCategory goods = THROUGHLINE__CATALOG__V1__TAX_CATEGORY__INIT;
    TaxCategory *taxed[] = { &goods };
    TaxRate vat = THROUGHLINE__CATALOG__V1__TAX_RATE__INIT;
    TaxRate *rates[] = { &vat };

    goods.name = arena_text(arena, "taxCategories/goods");
    goods.is_default = true;
    vat.name = arena_text(arena, "taxRates/vat");
    vat.title = arena_text(arena, "VAT");
    vat.country = arena_text(arena, "DE");
    vat.tax_category = goods.name;
    vat.rate_millionths = 190000;
    set.release = 1;
    set.tax_categories = taxed;
    set.n_tax_categories = COUNT(taxed);
    set.tax_rates = rates;
    set.n_tax_rates = COUNT(rates);
    set.promotions = arena_array(arena, (size_t)n_promotions, sizeof(*set.promotions));
    for (int64_t i = 0; i < n_promotions; i++)
        set.promotions[set.n_promotions++] = promotion_of(arena, i, n_products);
    if (set.n_promotions) {
        set.promotions[0]->target = NULL;
        set.promotions[0]->basis_points = 100;
    }
    return rules_compile(&set);
}

static QuoteContext *in_germany(Arena *arena)
{
    QuoteContext *context =
        message_new(arena, &throughline__catalog__v1__quote_context__descriptor);

    context->country = arena_text(arena, "DE");
    return context;
}

/* A cart of products from all over the catalogue, the same for the same number. */
static Bytes quote_request(Arena *arena, int64_t n_products, int64_t number)
{
    CreateQuoteRequest request = THROUGHLINE__CATALOG__V1__CREATE_QUOTE_REQUEST__INIT;
    Throughline__Catalog__V1__QuoteLine *lines[CART_LINES];

    request.currency = arena_text(arena, "EUR");
    request.context = in_germany(arena);
    request.lines = lines;
    request.n_lines = CART_LINES;
    for (int i = 0; i < CART_LINES; i++) {
        lines[i] = message_new(arena, &throughline__catalog__v1__quote_line__descriptor);
        lines[i]->sku =
            sku_of(arena, n_products / CART_LINES * i + number % (n_products / CART_LINES));
        lines[i]->quantity = 1 + i % 3;
    }
    return message_pack(arena, &request);
}

static Bytes price_request(Arena *arena, int64_t n_products)
{
    GetPriceRequest request = THROUGHLINE__CATALOG__V1__GET_PRICE_REQUEST__INIT;

    request.sku = sku_of(arena, n_products / 2);
    request.currency = arena_text(arena, "EUR");
    request.context = in_germany(arena);
    return message_pack(arena, &request);
}

/* Of this thread, which waits for nothing: what else the machine does is not in it. */
static double processor_micros(void)
{
    struct timespec time;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (double)time.tv_sec * 1e6 + (double)time.tv_nsec / 1e3;
}

/* Microseconds from the request's bytes to the answer's. */
static double time_quote(ServiceContext *service, Arena *arena, Bytes packed)
{
    static const RpcContext context = { .channel = "web" };
    CreateQuoteResponse reply = THROUGHLINE__CATALOG__V1__CREATE_QUOTE_RESPONSE__INIT;
    RpcCall *call = rpc_internal_call(arena, "CreateQuote", &context, service);
    double start = processor_micros();
    const void *request =
        message_unpack(arena, &throughline__catalog__v1__create_quote_request__descriptor, packed);

    if (create_quote(call, request, &reply))
        abort();
    message_pack(arena, &reply);
    return processor_micros() - start;
}

static int by_size(const void *a, const void *b)
{
    const double *left = a;
    const double *right = b;

    return (*left > *right) - (*left < *right);
}

static void time_quotes(ServiceContext *service, int64_t n_quotes, int64_t n_products)
{
    double *times = calloc((size_t)n_quotes, sizeof(*times));
    Arena *arena = arena_new();

    if (!times)
        abort();
    for (int64_t i = 0; i < n_quotes; i++) {
        arena_reset(arena);
        times[i] = time_quote(service, arena, quote_request(arena, n_products, i * CART_STRIDE));
    }
    qsort(times, (size_t)n_quotes, sizeof(*times), by_size);
    printf("{\"p50_us\":%.1f,\"p99_us\":%.1f}\n", times[n_quotes / 2], times[n_quotes * 99 / 100]);
    arena_free(arena);
    free(times);
}

static void say_hello(Fixture *fixture, int64_t n_products)
{
    Arena *arena = fixture_arena(fixture);
    Bytes quote = quote_request(arena, n_products, FIRST_CART);
    Bytes price = price_request(arena, n_products);

    printf("{\"port\":%d,\"token\":\"%s\",\"quote\":\"%s\",\"price\":\"%s\"}\n",
        fixture_port(fixture), fixture_token(fixture, "*", ""),
        text_hex(arena, quote.data, quote.size), text_hex(arena, price.data, price.size));
    fflush(stdout);
}

static int serve(const Config *config, const sigset_t *signals)
{
    int64_t n_products = config_number(config, "products"),
            n_quotes = config_number(config, "time");
    Fixture *fixture = fixture_start(&catalog_service);
    Arena *arena = fixture_arena(fixture);
    const Catalog *catalog = fixture_context(fixture)->state;
    int caught;

    fill(catalog->snapshot, n_products);
    rules_holder_swap(
        catalog->rules, make_rules(arena, config_number(config, "promotions"), n_products));
    if (n_quotes > 0) {
        time_quotes(fixture_context(fixture), n_quotes, n_products);
    } else {
        say_hello(fixture, n_products);
        sigwait(signals, &caught);
    }
    return fixture_stop(fixture) ? 0 : 1;
}

int main(int argc, char **argv)
{
    const Setting *const tables[] = { settings, NULL };
    Arena *arena = arena_new();
    const Config *config = config_read(arena, tables, argc, argv, stderr);
    sigset_t signals;
    int code = 2;

    /* Before any thread is there, so that all of them have it blocked. */
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    if (config)
        code = serve(config, &signals);
    arena_free(arena);
    return code;
}
