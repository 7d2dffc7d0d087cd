/* A month of a real shop: every invoice is priced through quotes, one rule set for all, and comes out
 * to the penny. A product's own price is what it first sold for; whatever else was charged is a price
 * row for that invoice alone. Rows that are no sale are listed with the reason. */
#include "services/catalog/domain/rules_check.h"
#include "services/catalog/import/csv.h"
#include "shared/base/money.h"
#include "shared/codec/message.h"
#include "shared/codec/types.h"
#include "tests/support/test_main.h"
#include "tests/unit/catalog/builders.h"
#include "tests/unit/catalog/data_file.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

enum {
    INVOICE = 0,
    SKU = 1,
    QUANTITY = 3,
    PRICE = 5,
    COLUMNS = 8,
    MAX_ROWS = 100000,
    MAX_SKUS = 10000,
    EXPECTED_ROWS = 42481,
    EXPECTED_INVOICES = 2025,
};

/* One line of an invoice. */
typedef struct Sale {
    const char *invoice;
    const char *sku;
    int64_t quantity;
    int64_t price;
    const char *problem; /* why it can't be quoted; NULL: it can */
    size_t order;        /* in the files */
    int part;            /* the quote of the invoice that prices it */
} Sale;

typedef struct Replay {
    Arena *arena;
    size_t n_sales;
    Sale *sales;
    size_t n_products;
    Product **products; /* by SKU */
    size_t n_listed;
    size_t n_quotes;
    size_t n_invoices;
    int64_t total;
} Replay;

/* Reading. */

static const char *column(Replay *replay, const CsvRow *row, size_t at)
{
    return arena_text_of(replay->arena, (const char *)row->fields[at].data, row->fields[at].size);
}

static const char *problem_of(const Sale *sale)
{
    if (sale->quantity <= 0)
        return "pieces that came back or were written off are no sale";
    if (sale->quantity > QUOTE_MAX_QUANTITY)
        return "more pieces than a line may have";
    if (!sku_is_valid(sale->sku))
        return "a charge of the bank, not a SKU";
    return sale->price < 0 ? "a price below zero" : NULL;
}

static void read_sale(Replay *replay, const CsvRow *row)
{
    Sale *sale = &replay->sales[replay->n_sales];

    if (row->problem || row->n_fields != COLUMNS || row->number == 1)
        return;
    sale->invoice = column(replay, row, INVOICE);
    sale->sku = column(replay, row, SKU);
    sale->order = replay->n_sales++;
    CU_ASSERT_FATAL(replay->n_sales < MAX_ROWS);
    CU_ASSERT_FATAL(text_to_int64(column(replay, row, QUANTITY), &sale->quantity));
    CU_ASSERT_FATAL(money_parse("GBP", column(replay, row, PRICE), &sale->price));
    sale->problem = problem_of(sale);
}

static void read_sales(Replay *replay, const char *path)
{
    FILE *file = fopen(path, "r");
    CsvReader *reader;
    CsvRow row;

    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    reader = csv_open(file, ',');
    while (csv_next(reader, &row))
        read_sale(replay, &row);
    csv_close(reader);
    fclose(file);
}

static int is_csv(const struct dirent *entry)
{
    return text_ends_with(entry->d_name, ".csv");
}

static void read_month(Replay *replay, const char *folder)
{
    struct dirent **entries;
    int n_entries = scandir(folder, &entries, is_csv, alphasort);

    CU_ASSERT_FATAL(n_entries > 0);
    for (int i = 0; i < n_entries; i++) {
        read_sales(replay, arena_printf(replay->arena, "%s/%s", folder, entries[i]->d_name));
        free(entries[i]);
    }
    free(entries);
}

/* The catalogue and its prices. */

static int by_sku(const void *a, const void *b)
{
    const Sale *left = a;
    const Sale *right = b;
    int order = strcmp(left->sku, right->sku);

    return order ? order : (left->order < right->order ? -1 : 1);
}

static int by_invoice(const void *a, const void *b)
{
    const Sale *left = a;
    const Sale *right = b;
    int order = strcmp(left->invoice, right->invoice);

    if (!order)
        order = strcmp(left->sku, right->sku);
    if (!order && left->price != right->price)
        order = left->price < right->price ? -1 : 1;
    return order ? order : (left->order < right->order ? -1 : 1);
}

static void make_products(Replay *replay)
{
    replay->products = arena_array(replay->arena, MAX_SKUS, sizeof(Product *));
    qsort(replay->sales, replay->n_sales, sizeof(Sale), by_sku);
    for (size_t i = 0; i < replay->n_sales; i++) {
        const Sale *sale = &replay->sales[i];

        if (sale->problem ||
            (replay->n_products > 0 &&
                text_equal(replay->products[replay->n_products - 1]->variants[0]->sku, sale->sku)))
            continue;
        CU_ASSERT_FATAL(replay->n_products < MAX_SKUS);
        replay->products[replay->n_products++] =
            a_simple_product(replay->arena, sale->sku, "", "GBP", sale->price);
    }
}

static const Product *find_product(const Replay *replay, const char *sku)
{
    size_t low = 0;
    size_t high = replay->n_products;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(sku, replay->products[middle]->variants[0]->sku);

        if (order == 0)
            return replay->products[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

/* A quote has a SKU once and at most QUOTE_MAX_LINES of them: what is more goes into another quote of
 * the same invoice. Equal SKUs at equal prices are one line. */
static void share_out(Replay *replay)
{
    int n_lines = 0;

    qsort(replay->sales, replay->n_sales, sizeof(Sale), by_invoice);
    for (size_t i = 0; i < replay->n_sales; i++) {
        Sale *sale = &replay->sales[i];
        const Sale *before = i > 0 ? sale - 1 : NULL;
        bool is_same_invoice = before && text_equal(before->invoice, sale->invoice);

        if (!is_same_invoice)
            n_lines = 0;
        if (is_same_invoice && text_equal(before->sku, sale->sku))
            sale->part = before->part + (before->price != sale->price);
        else
            sale->part = 1000 * (n_lines++ / (QUOTE_MAX_LINES / 2));
    }
}

static char *segment_of(Replay *replay, const Sale *sale)
{
    return text_lower(replay->arena,
        arena_printf(replay->arena, "segments/invoice-%s-%d", sale->invoice, sale->part));
}

static PriceRow *new_row(Replay *replay, const Sale *sale)
{
    PriceRow *row = message_new(replay->arena, &throughline__catalog__v1__price_row__descriptor);

    row->name = arena_printf(replay->arena, "priceRows/sale-%zu", sale->order);
    row->sku = text(replay->arena, sale->sku);
    row->segment = segment_of(replay, sale);
    row->amount = money_message(replay->arena, "GBP", sale->price);
    return row;
}

static int64_t own_price(const Replay *replay, const Sale *sale)
{
    const Price *price = find_product(replay, sale->sku)->variants[0]->prices[0];
    int64_t minor = -1;

    money_minor(price->amount, &minor);
    return minor;
}

static Rules *publish(Replay *replay)
{
    RuleSet set = THROUGHLINE__CATALOG__V1__RULE_SET__INIT;
    Findings findings = { .arena = replay->arena };
    const Sale *last = NULL;

    set.release = 1;
    set.price_rows = arena_array(replay->arena, replay->n_sales, sizeof(*set.price_rows));
    for (size_t i = 0; i < replay->n_sales; i++) {
        const Sale *sale = &replay->sales[i];

        if (sale->problem || own_price(replay, sale) == sale->price)
            continue;
        if (!last || !text_equal(last->invoice, sale->invoice) ||
            !text_equal(last->sku, sale->sku) || last->part != sale->part)
            set.price_rows[set.n_price_rows++] = new_row(replay, sale);
        last = sale;
    }
    rules_check(&set, &findings);
    CHECK_INT(findings.n_items, 0);
    printf("%zu products, %zu price rows\n", replay->n_products, set.n_price_rows);
    return rules_compile(&set);
}

/* Invoices. */

static int64_t price_part(
    Replay *replay, const Rules *rules, const Sale *first, PricingItem *items, size_t n_items)
{
    const char *segment = segment_of(replay, first);
    Quote quote = THROUGHLINE__CATALOG__V1__QUOTE__INIT;
    PricingInput input = {
        .currency = "GBP",
        .now = some_noon,
        .items = items,
        .n_items = n_items,
        .rules = rules,
        .context = { .segments = &segment, .n_segments = 1 },
    };
    const Error *error = pricing_quote(&input, replay->arena, &quote);
    int64_t total = -1;

    if (error)
        printf("invoice %s: %s\n", first->invoice, error->message);
    CU_ASSERT_PTR_NULL_FATAL(error);
    CU_ASSERT_FATAL(money_minor(quote.total, &total));
    replay->n_quotes++;
    return total;
}

/* The sales of one part of an invoice as lines; equal SKUs together. */
static size_t gather(
    Replay *replay, const Sale *sales, size_t n_sales, int part, PricingItem *items)
{
    size_t n_items = 0;

    for (size_t i = 0; i < n_sales; i++) {
        QuoteLine *line;

        if (sales[i].problem || sales[i].part != part)
            continue;
        if (n_items > 0 && text_equal(items[n_items - 1].line->sku, sales[i].sku)) {
            ((QuoteLine *)items[n_items - 1].line)->quantity += (int32_t)sales[i].quantity;
            continue;
        }
        line = message_new(replay->arena, &throughline__catalog__v1__quote_line__descriptor);
        line->sku = text(replay->arena, sales[i].sku);
        line->quantity = (int32_t)sales[i].quantity;
        items[n_items++] = (PricingItem){ line, find_product(replay, sales[i].sku) };
    }
    return n_items;
}

/* Whether the quotes of the invoice come to what was charged. */
static bool replay_invoice(Replay *replay, const Rules *rules, const Sale *sales, size_t n_sales)
{
    PricingItem *items = arena_array(replay->arena, n_sales, sizeof(*items));
    int64_t charged = 0, quoted = 0;
    int done[64];
    size_t n_done = 0;

    for (size_t i = 0; i < n_sales; i++) {
        bool is_done = sales[i].problem != NULL;
        size_t n_items;

        if (!is_done)
            charged += sales[i].quantity * sales[i].price;
        for (size_t j = 0; j < n_done && !is_done; j++)
            is_done = done[j] == sales[i].part;
        if (is_done)
            continue;
        CU_ASSERT_FATAL(n_done < COUNT(done));
        done[n_done++] = sales[i].part;
        n_items = gather(replay, sales, n_sales, sales[i].part, items);
        quoted += price_part(replay, rules, &sales[i], items, n_items);
    }
    if (quoted != charged)
        printf("invoice %s: charged %lld, quoted %lld\n", sales[0].invoice, (long long)charged,
            (long long)quoted);
    replay->n_invoices++;
    replay->total += quoted;
    return quoted == charged;
}

static void list_rows(Replay *replay)
{
    for (size_t i = 0; i < replay->n_sales; i++) {
        const Sale *sale = &replay->sales[i];

        if (!sale->problem)
            continue;
        printf("not quoted: invoice %s, \"%s\", %lld pieces: %s\n", sale->invoice, sale->sku,
            (long long)sale->quantity, sale->problem);
        replay->n_listed++;
    }
}

static void every_invoice_of_a_month_is_quoted_to_the_penny(void)
{
    Replay replay = { .arena = arena_new() };
    const char *folder = data_file(replay.arena, "uci-online-retail");
    Rules *rules;
    size_t n_wrong = 0;

    if (!folder) {
        arena_free(replay.arena);
        return;
    }
    replay.sales = arena_array(replay.arena, MAX_ROWS, sizeof(Sale));
    read_month(&replay, folder);
    make_products(&replay);
    share_out(&replay);
    rules = publish(&replay);
    list_rows(&replay);

    for (size_t i = 0, next; i < replay.n_sales; i = next) {
        for (next = i + 1; next < replay.n_sales &&
                           text_equal(replay.sales[next].invoice, replay.sales[i].invoice);)
            next++;
        n_wrong += !replay_invoice(&replay, rules, &replay.sales[i], next - i);
    }

    printf("%zu invoices in %zu quotes, %zu rows of %zu not quoted, %lld pence\n",
        replay.n_invoices, replay.n_quotes, replay.n_listed, replay.n_sales,
        (long long)replay.total);
    CHECK_INT(n_wrong, 0);
    CHECK_INT(replay.n_sales, EXPECTED_ROWS);
    CHECK_INT(replay.n_invoices, EXPECTED_INVOICES);
    rules_release(rules);
    arena_free(replay.arena);
}

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        { "every_invoice_of_a_month_is_quoted_to_the_penny",
            every_invoice_of_a_month_is_quoted_to_the_penny },
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        { .pName = "retail_replay", .pTests = tests },
        CU_SUITE_INFO_NULL,
    };

    return test_main("catalog_retail_replay", suites, argc, argv);
}
