/* Settings by flag, environment or default, in that order, under one name: --store-uri,
 * THROUGHLINE_STORE_URI. */
#ifndef THROUGHLINE_BASE_CONFIG_H
#define THROUGHLINE_BASE_CONFIG_H

#include "shared/base/arena.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

typedef enum SettingKind {
    SETTING_TEXT,
    SETTING_NUMBER,   /* int64 within min..max */
    SETTING_DURATION, /* "250ms", "30s", "5m", "1h" → milliseconds within min..max */
    SETTING_SIZE,     /* "64k", "4m", "1g" → bytes within min..max */
    SETTING_SWITCH,   /* --flag, or =true/false */
} SettingKind;

typedef struct Setting {
    const char *name; /* "store-uri"; NULL ends a table */
    SettingKind kind;
    const char *fallback;
    const char *help;
    int64_t min, max; /* both 0: no bounds */
} Setting;

typedef struct Config Config;

/* Reads argv and the environment against the tables (a NULL-ended list of tables). Returns NULL and
 * prints what is wrong, naming the setting, to `complaints`, when a setting is unknown or bad.
 * Arguments that do not start with "--" are kept, in order, as words; "--" ends the flags. Lives as
 * long as the arena. */
Config *config_read(
    Arena *arena, const Setting *const *tables, int argc, char **argv, FILE *complaints);

const char *config_text(const Config *config, const char *name);
int64_t config_number(
    const Config *config, const char *name); /* also duration (ms) and size (bytes) */
bool config_switch(const Config *config, const char *name);
bool config_is_given(const Config *config, const char *name); /* by flag or environment */
int config_words(const Config *config, const char *const **words);

/* Every setting with its environment name, default and help: the body of --help. */
void config_print_help(const Setting *const *tables, FILE *out);

#endif
