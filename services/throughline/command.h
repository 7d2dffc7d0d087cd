/* The command line's own frame: each command is a row with its settings and a function. */
#ifndef THROUGHLINE_SERVICES_THROUGHLINE_COMMAND_H
#define THROUGHLINE_SERVICES_THROUGHLINE_COMMAND_H

#include "shared/base/arena.h"
#include "shared/base/config.h"

/* Exit codes of every command. */
enum { EXIT_OK = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

typedef struct Command {
    const char *name;
    const char *arguments;          /* "SERVICE METHOD [JSON]" */
    const char *summary;            /* one line */
    const char *details;            /* what --help says beside the settings */
    const Setting *const *settings; /* NULL-ended tables */
    int (*run)(const Config *config, Arena *arena);
} Command;

extern const Command command_up;
extern const Command command_demo;
extern const Command command_import;
extern const Command command_export;
extern const Command command_call;
extern const Command command_service_config;
extern const Command command_watch;
extern const Command command_token;
extern const Command command_completion;

/* Where the five services are and who is asking: shared by all commands that call them. */
extern const Setting shop_settings[];

#endif
