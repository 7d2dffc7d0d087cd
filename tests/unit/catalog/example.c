#include "tests/unit/catalog/example.h"

#include "shared/base/clock.h"
#include "shared/base/money.h"
#include "shared/codec/message.h"
#include "shared/codec/types.h"
#include "tests/unit/catalog/builders.h"

#include <stdlib.h>
#include <string.h>

/* Words. */

/* Words are parted by spaces; quotes keep spaces inside one. */
static ExampleLine read_words(Arena *arena, const char *line, int number)
{
    ExampleLine words = { .number = number };
    char *at = arena_text(arena, line);

    while (*at && words.n_words < EXAMPLE_MAX_WORDS) {
        bool is_quoted = false;
        char *to;

        at += strspn(at, " \t");
        if (!*at || *at == '#')
            break;
        words.words[words.n_words++] = at;
        for (to = at; *at && (is_quoted || (*at != ' ' && *at != '\t')); at++)
            if (*at == '"')
                is_quoted = !is_quoted;
            else
                *to++ = *at;
        at += *at != '\0';
        *to = '\0';
    }
    return words;
}

const char *example_option(const ExampleLine *line, const char *key)
{
    size_t length = strlen(key);

    for (size_t i = 1; i < line->n_words; i++)
        if (!strncmp(line->words[i], key, length) && line->words[i][length] == '=')
            return line->words[i] + length + 1;
    return NULL;
}

bool example_flag(const ExampleLine *line, const char *word)
{
    for (size_t i = 1; i < line->n_words; i++)
        if (text_equal(line->words[i], word))
            return true;
    return false;
}

const char *example_word(const ExampleLine *line, size_t at)
{
    return at < line->n_words ? line->words[at] : "";
}

void example_problem(Example *example, const ExampleLine *line, const char *what)
{
    if (!example->problem)
        example->problem = arena_printf(
            example->arena, "line %d (%s): %s", line->number, example_word(line, 0), what);
}

/* Values. */

int64_t example_amount(Example *example, const char *value)
{
    int64_t minor = 0;

    if (!money_parse(example->input.currency, value, &minor) && !example->problem)
        example->problem = arena_printf(example->arena, "\"%s\" is not an amount", value);
    return minor;
}

Google__Type__Money *example_money(Example *example, const char *value)
{
    return money_message(example->arena, example->input.currency, example_amount(example, value));
}

int64_t example_percentage(Example *example, const char *digits, const char *value)
{
    char *number = arena_text(example->arena, value);
    int64_t share = 0;

    number[strcspn(number, "%")] = '\0';
    if (!money_parse(digits, number, &share) && !example->problem)
        example->problem = arena_printf(example->arena, "\"%s\" is not a percentage", value);
    return share;
}

int32_t example_share(Example *example, const char *value)
{
    return (int32_t)example_percentage(example, "EUR", value);
}

Google__Protobuf__Timestamp *example_time(Example *example, const char *value)
{
    int64_t micros = 0;

    if (!value)
        return NULL;
    if (!clock_parse(value, &micros) && !example->problem)
        example->problem = arena_printf(example->arena, "\"%s\" is not a time", value);
    return timestamp_from_micros(example->arena, micros);
}

char **example_list(Example *example, const char *value, size_t *n_texts)
{
    char **texts = arena_array(example->arena, EXAMPLE_MAX, sizeof(*texts));
    char *at = value ? arena_text(example->arena, value) : NULL;

    *n_texts = 0;
    while (at && *n_texts < EXAMPLE_MAX) {
        char *comma = strchr(at, ',');

        if (comma)
            *comma = '\0';
        texts[(*n_texts)++] = at;
        at = comma ? comma + 1 : NULL;
    }
    return texts;
}

char *example_text(Example *example, const char *value)
{
    return arena_text(example->arena, value);
}

char *example_name(Example *example, const char *collection, const char *name)
{
    return name ? arena_printf(example->arena, "%s/%s", collection, name)
                : arena_text(example->arena, "");
}

/* The catalogue. */

static void read_attributes(Example *example, const ExampleLine *line, Product *product)
{
    product->attributes =
        arena_array(example->arena, EXAMPLE_MAX_WORDS, sizeof(*product->attributes));
    for (size_t i = 3; i < line->n_words; i++) {
        Throughline__Catalog__V1__Product__AttributesEntry *entry;
        const char *equals = strchr(line->words[i], '=');

        if (!text_starts_with(line->words[i], "has.") || !equals)
            continue;
        entry = message_new(
            example->arena, &throughline__catalog__v1__product__attributes_entry__descriptor);
        entry->key = arena_text_of(example->arena, line->words[i] + strlen("has."),
            (size_t)(equals - line->words[i]) - strlen("has."));
        entry->value = arena_text(example->arena, equals + 1);
        product->attributes[product->n_attributes++] = entry;
    }
}

static void read_product(Example *example, const ExampleLine *line)
{
    const char *category = example_option(line, "category");
    const char *brand = example_option(line, "brand");
    Product *product =
        a_simple_product(example->arena, example_word(line, 1), category ? category : "",
            example->input.currency, example_amount(example, example_word(line, 2)));

    product->brand = example_text(example, brand);
    if (example_flag(line, "retired"))
        product->state = PRODUCT_RETIRED;
    if (example_flag(line, "unpriced"))
        product->variants[0]->n_prices = 0;
    if (example_option(line, "was"))
        product->variants[0]->prices[0]->list_amount =
            example_money(example, example_option(line, "was"));
    read_attributes(example, line, product);
    example->products[example->n_products++] = product;
}

/* The cart. */

static const Product *find_product(const Example *example, const char *sku)
{
    for (size_t i = 0; i < example->n_products; i++)
        if (product_variant(example->products[i], sku))
            return example->products[i];
    return NULL;
}

static void read_line(Example *example, const ExampleLine *line)
{
    QuoteLine *asked =
        message_new(example->arena, &throughline__catalog__v1__quote_line__descriptor);

    asked->quantity = atoi(example_word(line, 1));
    asked->sku = example_text(example, example_word(line, 2));
    example->items[example->input.n_items] =
        (PricingItem){ asked, find_product(example, asked->sku) };
    if (!example->items[example->input.n_items++].product)
        example_problem(example, line, "there is no such product");
}

static void read_context(Example *example, const ExampleLine *line)
{
    PricingContext *context = &example->input.context;
    size_t n_segments;
    char **segments = example_list(example, example_option(line, "segments"), &n_segments);

    context->country = example_option(line, "country");
    context->region = example_option(line, "region");
    context->location = example_option(line, "location");
    context->channel = example_option(line, "channel");
    if (example_option(line, "customer"))
        context->customer = example_name(example, "customers", example_option(line, "customer"));
    context->is_first_order = example_flag(line, "first-order");
    if (example_option(line, "offset"))
        context->utc_offset_minutes = atoi(example_option(line, "offset"));
    for (size_t i = 0; i < n_segments; i++)
        example->segments[i] = example_name(example, "segments", segments[i]);
    context->segments = example->segments;
    context->n_segments = n_segments;
}

static void read_shipping(Example *example, const ExampleLine *line)
{
    example->shipping = (PricingShipping){
        .method = example_word(line, 1),
        .minor = example_amount(example, example_word(line, 2)),
        .is_net = example_flag(line, "net"),
    };
    example->input.shipping = &example->shipping;
}

static void read_usage(Example *example, const ExampleLine *line)
{
    const char *uses = example_option(line, "left");
    const char *own = example_option(line, "customer-left");
    const char *budget = example_option(line, "budget-left");
    const char *own_budget = example_option(line, "customer-budget-left");

    example->usages[example->input.n_usages++] = (PricingUsage){
        .promotion = example_name(example, "promotions", example_word(line, 1)),
        .uses_left = uses ? atoi(uses) : INT64_MAX,
        .customer_uses_left = own ? atoi(own) : INT64_MAX,
        .budget_left = budget ? example_amount(example, budget) : INT64_MAX,
        .customer_budget_left = own_budget ? example_amount(example, own_budget) : INT64_MAX,
    };
}

static void read_override(Example *example, const ExampleLine *line)
{
    example->overrides[example->input.n_overrides++] = (PricingOverride){
        .sku = example_word(line, 1),
        .unit_minor = example_amount(example, example_word(line, 2)),
        .reason = "goodwill",
        .actor = "agents/ann",
    };
}

static void read_currency(Example *example, const ExampleLine *line)
{
    example->input.currency = example_word(line, 1);
}

static void read_instant(Example *example, const ExampleLine *line)
{
    example->input.now = timestamp_to_micros(example_time(example, example_word(line, 1)));
}

static void read_code(Example *example, const ExampleLine *line)
{
    example->codes[example->input.n_codes++] = (PricingCode){ .code = example_word(line, 1) };
}

static void read_lenient(Example *example, const ExampleLine *line)
{
    (void)line;
    example->input.allows_unused_codes = true;
}

/* Examples. */

static const struct {
    const char *word;
    void (*read)(Example *example, const ExampleLine *line);
} readers[] = {
    { "currency", read_currency },
    { "at", read_instant },
    { "product", read_product },
    { "used", read_usage },
    { "buy", read_line },
    { "code", read_code },
    { "codes-may-fail", read_lenient },
    { "customer", read_context },
    { "ship", read_shipping },
    { "override", read_override },
};

/* What is said of the quote that must come out. */
static const char *const expectations[] = { "total", "pays", "takes", "unit", "before", "owes",
    "gives", "refuses", "says", "fails", "chooses" };

void example_start(Example *example, Arena *arena, const char *title)
{
    RuleSet *set = &example->set;

    *example = (Example){ .arena = arena, .title = title };
    throughline__catalog__v1__rule_set__init(set);
    set->release = 1;
    set->price_rows = arena_array(arena, EXAMPLE_MAX, sizeof(*set->price_rows));
    set->promotions = arena_array(arena, EXAMPLE_MAX, sizeof(*set->promotions));
    set->tax_categories = arena_array(arena, EXAMPLE_MAX, sizeof(*set->tax_categories));
    set->tax_rates = arena_array(arena, EXAMPLE_MAX, sizeof(*set->tax_rates));
    set->tax_exemptions = arena_array(arena, EXAMPLE_MAX, sizeof(*set->tax_exemptions));
    set->item_costs = arena_array(arena, EXAMPLE_MAX, sizeof(*set->item_costs));
    set->price_stops = arena_array(arena, EXAMPLE_MAX, sizeof(*set->price_stops));
    set->settings = message_new(arena, &throughline__catalog__v1__pricing_settings__descriptor);
    set->settings->roundings = arena_array(arena, EXAMPLE_MAX, sizeof(*set->settings->roundings));
    set->settings->channel_groups =
        arena_array(arena, EXAMPLE_MAX, sizeof(*set->settings->channel_groups));
    example->input = (PricingInput){
        .currency = "EUR",
        .now = some_noon,
        .items = example->items,
        .codes = example->codes,
        .usages = example->usages,
        .overrides = example->overrides,
    };
}

void example_line(Example *example, const char *line_text, int number)
{
    ExampleLine line = read_words(example->arena, line_text, number);

    if (line.n_words == 0)
        return;
    for (size_t i = 0; i < COUNT(readers); i++)
        if (text_equal(line.words[0], readers[i].word)) {
            readers[i].read(example, &line);
            return;
        }
    if (example_rule(example, &line))
        return;
    for (size_t i = 0; i < COUNT(expectations); i++)
        if (text_equal(line.words[0], expectations[i])) {
            example->expected[example->n_expected++] = line;
            return;
        }
    example_problem(example, &line, "there is no such word");
}
