/* Every worked example in tests/examples/pricing: the quote is as written there, to the cent, and
 * nothing takes anything that is not written there. */
#include "services/catalog/domain/rules_check.h"
#include "shared/base/money.h"
#include "shared/codec/message.h"
#include "shared/codec/types.h"
#include "tests/support/test_main.h"
#include "tests/unit/catalog/example.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

enum { MIN_EXAMPLES = 150, MAX_LINES = 4000, MAX_BYTES = 1 << 20 };

static const char folder[] = SOURCE_ROOT "/tests/examples/pricing";

/* An example with what came out. */
typedef struct Trial {
    Example *example;
    QuoteExplanation explanation;
    const Quote *quote;
    const Error *error;
    const char *file;
    bool is_good;
} Trial;

static void blame(Trial *trial, const ExampleLine *line, const char *format, const char *value)
{
    char *why = arena_printf(trial->example->arena, "%s %s", format, value);

    printf("%s:%d: %s: %s %s %s: %s\n", trial->file, line ? line->number : 0, trial->example->title,
        line ? example_word(line, 0) : "", line ? example_word(line, 1) : "",
        line ? example_word(line, 2) : "", why);
    trial->is_good = false;
}

static const char *shown(const Trial *trial, int64_t minor)
{
    char text[MONEY_TEXT_SIZE];

    return arena_text(
        trial->example->arena, money_format(trial->example->input.currency, minor, text));
}

static int64_t minor(const Google__Type__Money *money)
{
    int64_t value = 0;

    if (money)
        CU_ASSERT_FATAL(money_minor(money, &value));
    return value;
}

static void compare(Trial *trial, const ExampleLine *line, size_t at, int64_t found)
{
    if (example_amount(trial->example, example_word(line, at)) != found)
        blame(trial, line, "it is", shown(trial, found));
}

static const PricedLine *line_of(const Quote *quote, const char *sku)
{
    for (size_t i = 0; i < quote->n_lines; i++)
        if (text_equal(quote->lines[i]->sku, sku))
            return quote->lines[i];
    return NULL;
}

/* Adjustments. */

static const char *short_name(const Adjustment *adjustment)
{
    const char *name = *adjustment->exemption ? adjustment->exemption : adjustment->promotion;

    return strchr(name, '/') + 1;
}

/* What a rule took in all or, with a SKU or "shipping", there. */
static int64_t taken(const Quote *quote, const char *rule, const char *where)
{
    int64_t sum = 0;

    for (size_t i = 0; i < quote->n_lines; i++)
        for (size_t j = 0; j < quote->lines[i]->n_adjustments; j++)
            if (text_equal(short_name(quote->lines[i]->adjustments[j]), rule) &&
                (!*where || text_equal(quote->lines[i]->sku, where)))
                sum += minor(quote->lines[i]->adjustments[j]->amount);
    for (size_t j = 0; quote->shipping && j < quote->shipping->n_adjustments; j++)
        if (text_equal(short_name(quote->shipping->adjustments[j]), rule) &&
            (!*where || text_equal("shipping", where)))
            sum += minor(quote->shipping->adjustments[j]->amount);
    return sum;
}

static void check_taken(Trial *trial, const ExampleLine *line)
{
    const char *where = example_option(line, "from");

    compare(trial, line, 2, taken(trial->quote, example_word(line, 1), where ? where : ""));
}

/* All that was taken must have been written down. */
static void check_nothing_else_is_taken(Trial *trial)
{
    int64_t written = 0;

    for (size_t i = 0; i < trial->example->n_expected; i++) {
        const ExampleLine *line = &trial->example->expected[i];

        if (text_equal(example_word(line, 0), "takes") && !example_option(line, "from"))
            written += example_amount(trial->example, example_word(line, 2));
    }
    if (written != minor(trial->quote->discount_total))
        blame(trial, NULL, "all that is taken together is",
            shown(trial, minor(trial->quote->discount_total)));
}

/* The others. */

static void check_unit(Trial *trial, const ExampleLine *line)
{
    const PricedLine *priced = line_of(trial->quote, example_word(line, 1));

    compare(trial, line, 2, minor(priced->unit_price));
}

static void check_before(Trial *trial, const ExampleLine *line)
{
    const PricedLine *priced = line_of(trial->quote, example_word(line, 1));

    if (!priced->price_before)
        blame(trial, line, "there is no price before", "");
    else
        compare(trial, line, 2, minor(priced->price_before));
}

static void check_chosen(Trial *trial, const ExampleLine *line)
{
    const PricedLine *priced = line_of(trial->quote, example_word(line, 1));
    const char *row = *priced->price_row ? strchr(priced->price_row, '/') + 1 : "own";

    if (!text_equal(row, example_word(line, 2)))
        blame(trial, line, "it is", row);
}

static void check_total(Trial *trial, const ExampleLine *line)
{
    compare(trial, line, 1, minor(trial->quote->total));
}

static void check_paid(Trial *trial, const ExampleLine *line)
{
    const PricedLine *priced = line_of(trial->quote, example_word(line, 1));

    compare(trial, line, 2,
        minor(text_equal(example_word(line, 1), "shipping") ? trial->quote->shipping->total
                                                            : priced->total));
}

/* Tax of a rate in all or, with a SKU or "shipping", there. */
static void check_tax(Trial *trial, const ExampleLine *line)
{
    const char *rate = arena_printf(trial->example->arena, "taxRates/%s", example_word(line, 1));
    const char *where = example_option(line, "from");
    const Quote *quote = trial->quote;
    int64_t sum = 0;

    for (size_t i = 0; i < quote->n_taxes && !where; i++)
        if (text_equal(quote->taxes[i]->rate, rate))
            sum += minor(quote->taxes[i]->amount);
    for (size_t i = 0; i < quote->n_lines && where; i++)
        for (size_t j = 0; j < quote->lines[i]->n_taxes; j++)
            if (text_equal(quote->lines[i]->sku, where) &&
                text_equal(quote->lines[i]->taxes[j]->rate, rate))
                sum += minor(quote->lines[i]->taxes[j]->amount);
    compare(trial, line, 2, sum);
}

static void check_gift(Trial *trial, const ExampleLine *line)
{
    for (size_t i = 0; i < trial->quote->n_gifts; i++)
        if (text_equal(trial->quote->gifts[i]->sku, example_word(line, 2)) &&
            trial->quote->gifts[i]->quantity == atoi(example_word(line, 1)))
            return;
    blame(trial, line, "it is not given", "");
}

static void check_refusal(Trial *trial, const ExampleLine *line)
{
    for (size_t i = 0; i < trial->explanation.n_considered; i++) {
        const Throughline__Catalog__V1__ConsideredRule *rule = trial->explanation.considered[i];

        if (!text_equal(strchr(rule->rule, '/') + 1, example_word(line, 1)))
            continue;
        if (!text_equal(rule->reason, example_word(line, 2)))
            blame(trial, line, "the reason is", *rule->reason ? rule->reason : "that it applies");
        return;
    }
    blame(trial, line, "it was not considered", "");
}

static void check_code(Trial *trial, const ExampleLine *line)
{
    for (size_t i = 0; i < trial->quote->n_codes; i++) {
        const Throughline__Catalog__V1__CodeResult *code = trial->quote->codes[i];
        const ProtobufCEnumValue *state = protobuf_c_enum_descriptor_get_value(
            &throughline__catalog__v1__code_result__state__descriptor, (int)code->state);

        if (text_equal(code->code, example_word(line, 1))) {
            if (!text_equal(state->name, example_word(line, 2)))
                blame(trial, line, "it is", state->name);
            return;
        }
    }
    blame(trial, line, "there is no such code", "");
}

static void check_failure(Trial *trial, const ExampleLine *line)
{
    if (!text_equal(error_reason(trial->error), example_word(line, 1)))
        blame(trial, line, "it is", error_reason(trial->error));
    else if (*example_word(line, 2) &&
             !text_equal(
                 trial->error->facts[trial->error->n_facts - 1].value, example_word(line, 2)))
        blame(trial, line, "its cause is", trial->error->facts[trial->error->n_facts - 1].value);
}

static const struct {
    const char *word;
    void (*check)(Trial *trial, const ExampleLine *line);
} checks[] = {
    { "total", check_total },
    { "pays", check_paid },
    { "takes", check_taken },
    { "unit", check_unit },
    { "before", check_before },
    { "chooses", check_chosen },
    { "owes", check_tax },
    { "gives", check_gift },
    { "refuses", check_refusal },
    { "says", check_code },
};

static bool fails(const Example *example)
{
    return example->n_expected > 0 && text_equal(example_word(&example->expected[0], 0), "fails");
}

static void check_expectations(Trial *trial)
{
    bool has_total = false;

    for (size_t i = 0; i < trial->example->n_expected; i++) {
        const ExampleLine *line = &trial->example->expected[i];

        has_total = has_total || text_equal(example_word(line, 0), "total");
        for (size_t j = 0; j < COUNT(checks); j++)
            if (text_equal(example_word(line, 0), checks[j].word))
                checks[j].check(trial, line);
    }
    if (!has_total)
        blame(trial, NULL, "says no", "total");
    check_nothing_else_is_taken(trial);
}

static void check_rules(Trial *trial)
{
    Findings findings = { .arena = trial->example->arena };

    rules_check(&trial->example->set, &findings);
    for (size_t i = 0; i < findings.n_items; i++)
        blame(trial, NULL, findings.items[i].field, findings.items[i].description);
}

static bool try_example(Example *example, const char *file)
{
    Trial trial = { .example = example, .file = file, .is_good = true };
    Quote *quote = message_new(example->arena, &throughline__catalog__v1__quote__descriptor);
    Rules *rules;

    if (example->problem) {
        blame(&trial, NULL, "it can't be read:", example->problem);
        return false;
    }
    check_rules(&trial);
    rules = rules_compile(&example->set);
    for (size_t i = 0; i < example->input.n_codes; i++)
        example->codes[i].promotion = rules_promotion_by_code(rules, example->codes[i].code);
    example->input.rules = rules;
    trial.error = pricing_quote(&example->input, example->arena, quote);
    trial.quote = quote;
    throughline__catalog__v1__explain_quote_response__init(&trial.explanation);
    if (!trial.error) {
        CU_ASSERT_PTR_NULL_FATAL(
            pricing_explain(&example->input, example->arena, &trial.explanation));
        /* Explaining changes nothing. */
        CU_ASSERT(message_equal(trial.explanation.quote, quote));
    }
    if (fails(example))
        check_failure(&trial, &example->expected[0]);
    else if (trial.error)
        blame(&trial, NULL, "it fails:", trial.error->message);
    else
        check_expectations(&trial);
    rules_release(rules);
    return trial.is_good;
}

/* Files. */

static char *read_file(Arena *arena, const char *path)
{
    FILE *file = fopen(path, "r");
    char *text = arena_alloc(arena, MAX_BYTES);
    size_t size;

    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    size = fread(text, 1, MAX_BYTES - 1, file);
    CU_ASSERT_FATAL(size < MAX_BYTES - 1);
    fclose(file);
    return text;
}

/* Lines of a file; what stands above the first title belongs to every example. */
static size_t try_file(const char *name)
{
    Arena *arena = arena_new();
    char *at = read_file(arena, arena_printf(arena, "%s/%s", folder, name));
    char **lines = arena_array(arena, MAX_LINES, sizeof(*lines));
    Example *example = arena_alloc(arena, sizeof(*example));
    size_t n_lines = 0, first, n_examples = 0;

    while (*at && n_lines < MAX_LINES) {
        char *end = at + strcspn(at, "\n");

        lines[n_lines++] = at;
        at = *end ? end + 1 : end;
        *end = '\0';
    }
    CU_ASSERT_FATAL(n_lines < MAX_LINES);
    for (first = 0; first < n_lines && lines[first][0] != '=';)
        first++;
    for (size_t i = first; i < n_lines;) {
        size_t to = i + 1;

        while (to < n_lines && lines[to][0] != '=')
            to++;
        example_start(example, arena, lines[i] + 2);
        for (size_t j = 0; j < first; j++)
            example_line(example, lines[j], (int)j + 1);
        for (size_t j = i + 1; j < to; j++)
            example_line(example, lines[j], (int)j + 1);
        CU_ASSERT(try_example(example, name));
        n_examples++;
        i = to;
    }
    arena_free(arena);
    return n_examples;
}

static void every_example_comes_out_as_it_is_written(void)
{
    DIR *list = opendir(folder);
    size_t n_examples = 0;
    struct dirent *entry;

    CU_ASSERT_PTR_NOT_NULL_FATAL(list);
    while ((entry = readdir(list)))
        if (text_ends_with(entry->d_name, ".txt"))
            n_examples += try_file(entry->d_name);
    closedir(list);

    printf("%zu examples\n", n_examples);
    CU_ASSERT(n_examples >= MIN_EXAMPLES);
}

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        { "every_example_comes_out_as_it_is_written", every_example_comes_out_as_it_is_written },
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        { .pName = "pricing_examples", .pTests = tests },
        CU_SUITE_INFO_NULL,
    };

    return test_main("catalog_pricing_examples", suites, argc, argv);
}
