/* throughline import: a file of products, categories or locations into the catalogue. */
#include "services/throughline/catalogue.h"
#include "services/throughline/command.h"

#include <stdio.h>

static const Setting settings[] = {
    { "currency", SETTING_TEXT, "",
        "of prices in the file that name none; default: USD, INR in Flipkart's tables", 0, 0 },
    { "draft", SETTING_TEXT, "",
        "\"drafts/…\" that prices and states go into instead of being in force at once", 0, 0 },
    { "reason", SETTING_TEXT, "", "why prices change, for the audit trail", 0, 0 },
    { 0 },
};

static int run(const Config *config, Arena *arena)
{
    const CatalogueTerms terms = { .currency = config_text(config, "currency"),
        .draft = config_text(config, "draft"),
        .reason = config_text(config, "reason") };
    const char *const *words;
    CatalogueResult result;
    const Error *error;
    Channel channel;
    Shop shop;

    if (config_words(config, &words) != 1) {
        fprintf(stderr, "Usage: throughline import FILE|-\n");
        return EXIT_USAGE;
    }
    if ((error = shop_channel(arena, config, &channel)))
        return shop_complain("import", error);
    shop_open(&shop, arena, config);
    error = catalogue_import(arena, &shop, &channel, words[0], &terms, &result);
    shop_close(&shop);
    if (error)
        return shop_complain("import", error);
    printf("%lld records: %lld new, %lld changed, %lld as they were, %lld refused; %lld problems "
           "in the file\n",
        (long long)result.sent, (long long)result.created, (long long)result.updated,
        (long long)result.unchanged, (long long)result.refused, (long long)result.file_problems);
    if (*terms.draft)
        printf("%lld with other prices or states than published, in %s\n",
            (long long)result.drafted, terms.draft);
    return result.refused || result.file_problems ? EXIT_FAILED : EXIT_OK;
}

const Command command_import = {
    .name = "import",
    .arguments = "FILE|-",
    .summary = "Imports products, categories or stores; again with the same file changes nothing.",
    .details =
        "\nFormats, told by content, packed by gzip or not: JSON lines of products, JSON "
        "(Online Boutique, Saleor's fixture,\ncategories, stores), CSV and other separated "
        "values with a header (see `export --help`; a row whose id is \"products/…\" is taken to "
        "the "
        "letter). An import that was cut off goes on\nwhere it was when the "
        "same file comes again. Good rows are kept whatever the others are; exit code 1 when "
        "some were not, or not whole.\n\"-\" reads standard input.\n",
    .settings = (const Setting *const[]){ shop_settings, settings, NULL },
    .run = run,
};
