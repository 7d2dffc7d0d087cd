#include "shared/base/config.h"

#include "shared/base/text.h"
#include "tests/support/test_main.h"

#include <stdlib.h>
#include <string.h>

static const Setting store_settings[] = {
    { "store-uri", SETTING_TEXT, "embedded:data", "Where records are kept." },
    { "store-timeout", SETTING_DURATION, "5s", "How long a store call may take.", 1, 60000 },
    { "store-cache", SETTING_SIZE, "4m", "Memory for pages.", 0, 1 << 30 },
    { NULL },
};

static const Setting server_settings[] = {
    { "port", SETTING_NUMBER, "7003", "Port of the service.", 0, 65535 },
    { "offset", SETTING_NUMBER, "0", "Any number." },
    { "dev", SETTING_SWITCH, NULL, "For development." },
    { "token", SETTING_TEXT, NULL, "The token of this service." },
    { "store-uri", SETTING_TEXT, "embedded:data", "Where records are kept." },
    { NULL },
};

static const Setting *const tables[] = { store_settings, server_settings, NULL };

static Arena *arena;
static char *complaints;

static void set_up(void)
{
    arena = arena_new();
    complaints = NULL;
}

static void tear_down(void)
{
    unsetenv("THROUGHLINE_STORE_URI");
    unsetenv("THROUGHLINE_STORE_TIMEOUT");
    unsetenv("THROUGHLINE_PORT");
    unsetenv("THROUGHLINE_DEV");
    unsetenv("THROUGHLINE_UNHEARD_OF");
    free(complaints);
    arena_free(arena);
}

/* Reads a command line of up to seven arguments; `complaints` is what was complained about. */
static Config *read_arguments(const char *const arguments[8])
{
    char *argv[9] = { "cart" };
    int argc = 1;
    size_t size;
    FILE *out;
    Config *config;

    free(complaints);
    out = open_memstream(&complaints, &size);
    for (; arguments[argc - 1]; argc++)
        argv[argc] = arena_text(arena, arguments[argc - 1]);
    config = config_read(arena, tables, argc, argv, out);
    fclose(out);
    return config;
}

static Config *read_one(const char *argument)
{
    return read_arguments((const char *const[8]){ argument });
}

static void check_complaint(const char *argument, const char *expected)
{
    CU_ASSERT(read_one(argument) == NULL);
    CHECK_TEXT(complaints, expected);
}

static void without_anything_the_defaults_hold(void)
{
    Config *config = read_one(NULL);

    CU_ASSERT_FATAL(config != NULL);
    CHECK_TEXT(config_text(config, "store-uri"), "embedded:data");
    CHECK_INT(config_number(config, "store-timeout"), 5000);
    CHECK_INT(config_number(config, "store-cache"), 4 << 20);
    CHECK_INT(config_number(config, "port"), 7003);
    CHECK_TEXT(config_text(config, "token"), "");
    CU_ASSERT(!config_switch(config, "dev"));
    CU_ASSERT(!config_is_given(config, "port"));
    CHECK_TEXT(complaints, "");
}

static void a_flag_wins_over_the_environment_and_that_over_the_default(void)
{
    Config *config;

    setenv("THROUGHLINE_STORE_URI", "mongodb://one", 1);
    setenv("THROUGHLINE_PORT", "8000", 1);
    config = read_arguments((const char *const[8]){ "--port", "9000" });

    CU_ASSERT_FATAL(config != NULL);
    CHECK_TEXT(config_text(config, "store-uri"), "mongodb://one");
    CHECK_INT(config_number(config, "port"), 9000);
    CU_ASSERT(config_is_given(config, "store-uri"));
    CU_ASSERT(config_is_given(config, "port"));
    CU_ASSERT(!config_is_given(config, "store-cache"));
}

static void a_value_stays_when_the_environment_changes(void)
{
    Config *config;

    setenv("THROUGHLINE_STORE_URI", "mongodb://one", 1);
    config = read_one(NULL);
    setenv("THROUGHLINE_STORE_URI", "mongodb://other", 1);

    CHECK_TEXT(config_text(config, "store-uri"), "mongodb://one");
}

static void an_empty_variable_counts_as_not_set(void)
{
    Config *config;

    setenv("THROUGHLINE_PORT", "", 1);
    config = read_one(NULL);

    CU_ASSERT_FATAL(config != NULL);
    CHECK_INT(config_number(config, "port"), 7003);
    CU_ASSERT(!config_is_given(config, "port"));
}

static void variables_of_others_are_left_alone(void)
{
    setenv("THROUGHLINE_UNHEARD_OF", "x", 1);

    CU_ASSERT(read_one(NULL) != NULL);
}

static void flags_take_their_value_behind_a_sign_or_a_space(void)
{
    Config *config = read_arguments((const char *const[8]){
        "--store-uri=a=b", "--store-timeout", "250ms", "--offset", "-5", "--token=" });

    CU_ASSERT_FATAL(config != NULL);
    CHECK_TEXT(config_text(config, "store-uri"), "a=b");
    CHECK_INT(config_number(config, "store-timeout"), 250);
    CHECK_INT(config_number(config, "offset"), -5);
    CHECK_TEXT(config_text(config, "token"), "");
    CU_ASSERT(config_is_given(config, "token"));
}

static void the_last_of_two_equal_flags_counts(void)
{
    Config *config = read_arguments((const char *const[8]){ "--port=1", "--port=2" });

    CHECK_INT(config_number(config, "port"), 2);
}

static void switches_need_no_value_and_take_one_behind_a_sign(void)
{
    const char *const *words;
    Config *config = read_arguments((const char *const[8]){ "--dev", "true" });

    CU_ASSERT(config_switch(config, "dev"));
    CHECK_INT(config_words(config, &words), 1);
    CU_ASSERT(!config_switch(read_one("--dev=false"), "dev"));
    CU_ASSERT(config_switch(read_one("--dev=true"), "dev"));
    setenv("THROUGHLINE_DEV", "true", 1);
    CU_ASSERT(config_switch(read_one(NULL), "dev"));
    CU_ASSERT(!config_switch(read_one("--dev=false"), "dev"));
}

static void words_are_kept_in_order_and_a_double_dash_ends_the_flags(void)
{
    const char *const *words;
    Config *config =
        read_arguments((const char *const[8]){ "call", "--port", "1", "-x", "--", "--port", "--" });

    CU_ASSERT_FATAL(config != NULL);
    CHECK_INT(config_words(config, &words), 4);
    CHECK_TEXT(words[0], "call");
    CHECK_TEXT(words[1], "-x");
    CHECK_TEXT(words[2], "--port");
    CHECK_TEXT(words[3], "--");
    CHECK_INT(config_number(config, "port"), 1);
}

static void durations_and_sizes_have_units(void)
{
    static const struct {
        const char *argument, *name;
        int64_t expected;
    } cases[] = { { "--store-timeout=1ms", "store-timeout", 1 },
        { "--store-timeout=60s", "store-timeout", 60000 },
        { "--store-timeout=1m", "store-timeout", 60000 }, { "--store-cache=0", "store-cache", 0 },
        { "--store-cache=100", "store-cache", 100 }, { "--store-cache=64k", "store-cache", 65536 },
        { "--store-cache=1g", "store-cache", 1 << 30 } };

    for (size_t i = 0; i < COUNT(cases); i++) {
        Config *config = read_one(cases[i].argument);

        CU_ASSERT_FATAL(config != NULL);
        CHECK_INT(config_number(config, cases[i].name), cases[i].expected);
    }
}

static void a_bad_value_is_named_with_its_flag(void)
{
    check_complaint("--port=abc", "--port: \"abc\" is not a whole number\n");
    check_complaint("--port=7003x", "--port: \"7003x\" is not a whole number\n");
    check_complaint("--port=", "--port: \"\" is not a whole number\n");
    check_complaint("--port=99999999999999999999999999",
        "--port: \"99999999999999999999999999\" is not a whole number\n");
    check_complaint("--store-timeout=5",
        "--store-timeout: \"5\" is not a duration such as 250ms, 30s, 5m or 1h\n");
    check_complaint("--store-timeout=s",
        "--store-timeout: \"s\" is not a duration such as 250ms, 30s, 5m or 1h\n");
    check_complaint("--store-cache=9223372036854775807g",
        "--store-cache: \"9223372036854775807g\" is not a size such as 64k, 4m or 1g\n");
    check_complaint(
        "--store-cache=1.5g", "--store-cache: \"1.5g\" is not a size such as 64k, 4m or 1g\n");
    check_complaint("--dev=yes", "--dev: \"yes\" is not true or false\n");
}

static void a_value_out_of_bounds_is_named_with_them(void)
{
    check_complaint("--port=65536", "--port: 65536 is not within 0 and 65535\n");
    check_complaint("--port=-1", "--port: -1 is not within 0 and 65535\n");
    check_complaint("--store-timeout=2m", "--store-timeout: 2m is not within 1 and 60000 ms\n");
    check_complaint("--store-timeout=0", "--store-timeout: 0 is not within 1 and 60000 ms\n");
    check_complaint("--store-cache=2g", "--store-cache: 2g is not within 0 and 1073741824 bytes\n");
}

static void a_bad_variable_is_named(void)
{
    setenv("THROUGHLINE_STORE_TIMEOUT", "soon", 1);

    check_complaint(NULL, "THROUGHLINE_STORE_TIMEOUT: \"soon\" is not a duration such as 250ms, "
                          "30s, 5m or 1h\n");
}

static void an_unknown_flag_is_named_without_its_value(void)
{
    check_complaint("--sorte-uri=secret", "--sorte-uri: there is no such setting\n");
    check_complaint("--store", "--store: there is no such setting\n");
    check_complaint("--=1", "--: there is no such setting\n");
}

static void a_flag_without_its_value_is_named(void)
{
    check_complaint("--port", "--port: needs a whole number\n");
    CU_ASSERT(!read_arguments((const char *const[8]){ "--store-uri", "--dev" }));
    CHECK_TEXT(complaints, "--store-uri: needs a text\n");
}

static void all_that_is_wrong_is_said_at_once(void)
{
    setenv("THROUGHLINE_PORT", "x", 1);

    CU_ASSERT(!read_arguments((const char *const[8]){ "--nope", "--dev=1" }));

    CHECK_TEXT(complaints, "THROUGHLINE_PORT: \"x\" is not a whole number\n"
                           "--nope: there is no such setting\n"
                           "--dev: \"1\" is not true or false\n");
}

static void the_help_shows_every_setting_with_variable_bounds_and_default(void)
{
    char *help = NULL;
    size_t size;
    FILE *out = open_memstream(&help, &size);

    config_print_help(tables, out);
    fclose(out);

    CHECK_CONTAINS(help, "  --store-uri  (THROUGHLINE_STORE_URI)\n"
                         "      Where records are kept. Default: embedded:data.\n");
    CHECK_CONTAINS(help, "  --store-timeout  (THROUGHLINE_STORE_TIMEOUT)\n"
                         "      How long a store call may take. A duration such as 250ms, 30s, 5m "
                         "or 1h. From 1 to 60000 ms. Default: 5s.\n");
    CHECK_CONTAINS(help, "  --token  (THROUGHLINE_TOKEN)\n"
                         "      The token of this service. No default.\n");
    CHECK_CONTAINS(help, "Port of the service. A whole number. From 0 to 65535. Default: 7003.\n");
    CHECK_CONTAINS(help, "Any number. A whole number. Default: 0.\n");
    CHECK_CONTAINS(help, "  --dev");
    CHECK_CONTAINS(help, "  --store-cache");
    free(help);
}

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        { "without_anything_the_defaults_hold", without_anything_the_defaults_hold },
        { "a_flag_wins_over_the_environment_and_that_over_the_default",
            a_flag_wins_over_the_environment_and_that_over_the_default },
        { "a_value_stays_when_the_environment_changes",
            a_value_stays_when_the_environment_changes },
        { "an_empty_variable_counts_as_not_set", an_empty_variable_counts_as_not_set },
        { "variables_of_others_are_left_alone", variables_of_others_are_left_alone },
        { "flags_take_their_value_behind_a_sign_or_a_space",
            flags_take_their_value_behind_a_sign_or_a_space },
        { "the_last_of_two_equal_flags_counts", the_last_of_two_equal_flags_counts },
        { "switches_need_no_value_and_take_one_behind_a_sign",
            switches_need_no_value_and_take_one_behind_a_sign },
        { "words_are_kept_in_order_and_a_double_dash_ends_the_flags",
            words_are_kept_in_order_and_a_double_dash_ends_the_flags },
        { "durations_and_sizes_have_units", durations_and_sizes_have_units },
        { "a_bad_value_is_named_with_its_flag", a_bad_value_is_named_with_its_flag },
        { "a_value_out_of_bounds_is_named_with_them", a_value_out_of_bounds_is_named_with_them },
        { "a_bad_variable_is_named", a_bad_variable_is_named },
        { "an_unknown_flag_is_named_without_its_value",
            an_unknown_flag_is_named_without_its_value },
        { "a_flag_without_its_value_is_named", a_flag_without_its_value_is_named },
        { "all_that_is_wrong_is_said_at_once", all_that_is_wrong_is_said_at_once },
        { "the_help_shows_every_setting_with_variable_bounds_and_default",
            the_help_shows_every_setting_with_variable_bounds_and_default },
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        { .pName = "config", .pSetUpFunc = set_up, .pTearDownFunc = tear_down, .pTests = tests },
        CU_SUITE_INFO_NULL,
    };

    return test_main("base_config", suites, argc, argv);
}
