/* throughline token: signs a token for an account with the private key, for places where `up` does not run. */
#include "services/throughline/accounts.h"
#include "services/throughline/command.h"

#include "shared/base/text.h"

#include <stdio.h>

static const Setting settings[] = {
    { "signing-key", SETTING_TEXT, "throughline-data/keys/signing.jwk", "the private key (JWK)", 0,
        0 },
    { "channel", SETTING_TEXT, "", "the channel the account speaks for; empty: any", 0, 0 },
    { "scopes", SETTING_TEXT, "", "space separated: \"cart.read cart.write\"; \"*\": all", 0, 0 },
    { "ttl", SETTING_DURATION, "1h", "how long it is good", 1000, 31536000000 },
    { 0 },
};

static int run(const Config *config, Arena *arena)
{
    const char *const *words;
    const char *token;
    const Error *error;

    if (config_words(config, &words) != 1) {
        fprintf(stderr, "Usage: throughline token ACCOUNT --scopes \"…\"\n");
        return EXIT_USAGE;
    }
    error = accounts_sign(arena, config_text(config, "signing-key"), words[0],
        config_text(config, "channel"), config_text(config, "scopes"),
        config_number(config, "ttl") / 1000, &token);
    if (error)
        return shop_complain("token", error);
    printf("%s\n", token);
    return EXIT_OK;
}

const Command command_token = {
    .name = "token",
    .arguments = "ACCOUNT",
    .summary = "Signs a token for an account with the private key.",
    .details =
        "\nExample: throughline token web --channel web --scopes \"catalog.read cart.write\"\n",
    .settings = (const Setting *const[]){ settings, NULL },
    .run = run,
};
