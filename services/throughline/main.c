/* throughline: starts the shop on this machine, plays the demo, and calls any method of any service. */
#include "services/throughline/command.h"

#include "shared/base/text.h"

#include <stdio.h>
#include <string.h>

static const Command *const commands[] = { &command_up, &command_demo, &command_import,
    &command_export, &command_call, &command_service_config, &command_watch, &command_token,
    &command_completion };

static int print_usage(FILE *out)
{
    fprintf(out, "Usage: throughline COMMAND [ARGUMENTS] [--settings]\n\nCommands:\n");
    for (size_t i = 0; i < COUNT(commands); i++)
        fprintf(out, "  %-14s %-24s %s\n", commands[i]->name, commands[i]->arguments,
            commands[i]->summary);
    fprintf(out, "  %-14s %-24s %s\n", "version", "", "Prints the version.");
    fprintf(out, "\n`throughline COMMAND --help` tells more. Exit codes: 0 done, 1 failed, 2 wrong "
                 "usage.\n");
    return out == stderr ? EXIT_USAGE : EXIT_OK;
}

static int print_help(const Command *command)
{
    printf("Usage: throughline %s %s [--settings]\n\n%s\n%s\nSettings (each also from the "
           "environment):\n",
        command->name, command->arguments, command->summary, command->details);
    config_print_help(command->settings, stdout);
    return EXIT_OK;
}

static bool is_help(const char *word)
{
    return text_equal(word, "--help") || text_equal(word, "-h");
}

static int run(const Command *command, int argc, char **argv)
{
    Arena *arena = arena_new();
    const char *const *words;
    Config *config;
    int code = EXIT_USAGE;

    for (int i = 1; i < argc && !text_equal(argv[i], "--"); i++)
        if (is_help(argv[i])) {
            arena_free(arena);
            return print_help(command);
        }
    config = config_read(arena, command->settings, argc, argv, stderr);
    if (config && text_is_empty(command->arguments) && config_words(config, &words))
        fprintf(
            stderr, "throughline %s: takes no argument like \"%s\".\n", command->name, words[0]);
    else if (config)
        code = command->run(config, arena);
    else
        fprintf(stderr, "`throughline %s --help` lists the settings.\n", command->name);
    arena_free(arena);
    return code;
}

static int choose(int argc, char **argv)
{
    if (argc < 2)
        return print_usage(stderr);
    if (is_help(argv[1]) || text_equal(argv[1], "help"))
        return print_usage(stdout);
    if (text_equal(argv[1], "--version") || text_equal(argv[1], "version")) {
        printf("throughline %s\n", THROUGHLINE_VERSION);
        return EXIT_OK;
    }
    for (size_t i = 0; i < COUNT(commands); i++)
        if (text_equal(argv[1], commands[i]->name))
            return run(commands[i], argc - 1, argv + 1);
    fprintf(stderr, "throughline: there is no command \"%s\".\n\n", argv[1]);
    return print_usage(stderr);
}

/* What could not be printed was not done, whatever became of it. */
int main(int argc, char **argv)
{
    int code = choose(argc, argv);

    if (!fflush(stdout) && !ferror(stdout))
        return code;
    fprintf(stderr, "throughline: standard output cannot be written.\n");
    return code == EXIT_OK ? EXIT_FAILED : code;
}
