/* Settings. A table says what there is; every value is read, checked and kept as text and number at
 * the start, so that asking for one later cannot fail. An empty environment variable counts as not
 * set. */
#include "shared/base/config.h"

#include "shared/base/text.h"

#include <assert.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { VARIABLE_SIZE = 128, HELP_INDENT = 6 };

static const char variable_prefix[] = "THROUGHLINE_";

typedef struct Value {
    const Setting *setting;
    const char *text;
    int64_t number;
    bool is_given;
} Value;

struct Config {
    Value *values;
    int n_values;
    const char **words;
    int n_words;
};

typedef struct Unit {
    const char *name;
    int64_t factor;
} Unit;

static const Unit no_units[] = { { "", 1 }, { NULL, 0 } };
static const Unit time_units[] = { { "ms", 1 }, { "s", 1000 }, { "m", 60 * 1000 },
    { "h", 60 * 60 * 1000 }, { NULL, 0 } };
static const Unit size_units[] = { { "", 1 }, { "k", 1 << 10 }, { "m", 1 << 20 }, { "g", 1 << 30 },
    { NULL, 0 } };

/* How a kind is spoken of: in complaints and in the help. */
static const struct {
    const char *shape;
    const Unit *units;
} kinds[] = {
    [SETTING_TEXT] = { "a text", NULL },
    [SETTING_NUMBER] = { "a whole number", no_units },
    [SETTING_DURATION] = { "a duration such as 250ms, 30s, 5m or 1h", time_units },
    [SETTING_SIZE] = { "a size such as 64k, 4m or 1g", size_units },
    [SETTING_SWITCH] = { "true or false", NULL },
};

/* "store-uri" → "THROUGHLINE_STORE_URI" */
static void variable_of(const char *name, char variable[VARIABLE_SIZE])
{
    size_t at = strlen(variable_prefix);

    assert(at + strlen(name) < VARIABLE_SIZE);
    strcpy(variable, variable_prefix);
    for (; *name; name++)
        variable[at++] = *name == '-' ? '_' : (char)toupper((unsigned char)*name);
    variable[at] = '\0';
}

/* Digits and a unit of the list; "0" needs none. */
static bool read_quantity(const char *text, const Unit *units, int64_t *number)
{
    size_t length = strspn(text, "-0123456789");
    char digits[24];
    int64_t count;

    if (length >= sizeof(digits))
        return false;
    memcpy(digits, text, length);
    digits[length] = '\0';
    if (!text_to_int64(digits, &count))
        return false;
    if (count == 0 && !text[length]) {
        *number = 0;
        return true;
    }
    for (; units->name; units++)
        if (text_equal(text + length, units->name))
            return !__builtin_mul_overflow(count, units->factor, number);
    return false;
}

static bool read_number(const Setting *setting, const char *text, int64_t *number)
{
    if (setting->kind == SETTING_TEXT)
        return true;
    if (setting->kind == SETTING_SWITCH) {
        *number = text_equal(text, "true");
        return *number || text_equal(text, "false");
    }
    return read_quantity(text, kinds[setting->kind].units, number);
}

static bool has_bounds(const Setting *setting)
{
    return setting->min != 0 || setting->max != 0;
}

static bool is_within(const Setting *setting, int64_t number)
{
    return !has_bounds(setting) || (number >= setting->min && number <= setting->max);
}

/* Of its bounds. */
static const char *unit_of(const Setting *setting)
{
    return setting->kind == SETTING_DURATION ? " ms"
           : setting->kind == SETTING_SIZE   ? " bytes"
                                             : "";
}

/* Takes a text for a setting; `origin` is what the person wrote it as. */
static bool set_value(Value *value, const char *text, const char *origin, FILE *complaints)
{
    const Setting *setting = value->setting;
    int64_t number = 0;

    if (!read_number(setting, text, &number)) {
        fprintf(complaints, "%s: \"%s\" is not %s\n", origin, text, kinds[setting->kind].shape);
        return false;
    }
    if (!is_within(setting, number)) {
        fprintf(complaints, "%s: %s is not within %lld and %lld%s\n", origin, text,
            (long long)setting->min, (long long)setting->max, unit_of(setting));
        return false;
    }
    value->text = text;
    value->number = number;
    return true;
}

static Value *find_value(const Config *config, const char *name, size_t length)
{
    for (int i = 0; i < config->n_values; i++) {
        const char *known = config->values[i].setting->name;

        if (strlen(known) == length && !memcmp(known, name, length))
            return &config->values[i];
    }
    return NULL;
}

/* Every setting once, even when two tables have it, with its default. */
static void list_settings(Arena *arena, Config *config, const Setting *const *tables)
{
    int most = 0;

    for (const Setting *const *table = tables; *table; table++)
        for (const Setting *setting = *table; setting->name; setting++)
            most++;
    config->values = arena_array(arena, (size_t)most, sizeof(Value));
    for (; *tables; tables++)
        for (const Setting *setting = *tables; setting->name; setting++) {
            Value *value = &config->values[config->n_values];
            bool is_good;

            if (find_value(config, setting->name, strlen(setting->name)))
                continue;
            value->setting = setting;
            value->text = setting->fallback ? setting->fallback : "";
            is_good = !setting->fallback || read_number(setting, value->text, &value->number);
            assert(is_good);
            config->n_values++;
        }
}

static bool read_environment(Config *config, FILE *complaints)
{
    bool is_good = true;

    for (int i = 0; i < config->n_values; i++) {
        Value *value = &config->values[i];
        char variable[VARIABLE_SIZE];
        const char *text;

        variable_of(value->setting->name, variable);
        text = getenv(variable);
        if (text_is_empty(text))
            continue;
        value->is_given = true;
        if (!set_value(value, text, variable, complaints))
            is_good = false;
    }
    return is_good;
}

/* Reads the flag argv[*at], and the argument behind it when it is the flag's value. */
static bool read_flag(
    Arena *arena, Config *config, int argc, char **argv, int *at, FILE *complaints)
{
    const char *name = argv[*at] + 2;
    size_t length = strcspn(name, "=");
    Value *value = find_value(config, name, length);
    const char *origin = arena_printf(arena, "--%.*s", (int)length, name);
    const char *text;

    if (!value) {
        fprintf(complaints, "%s: there is no such setting\n", origin);
        return false;
    }
    if (name[length] == '=') {
        text = name + length + 1;
    } else if (value->setting->kind == SETTING_SWITCH) {
        text = "true";
    } else if (*at + 1 < argc && !text_starts_with(argv[*at + 1], "--")) {
        text = argv[++*at];
    } else {
        fprintf(complaints, "%s: needs %s\n", origin, kinds[value->setting->kind].shape);
        return false;
    }
    value->is_given = true;
    return set_value(value, text, origin, complaints);
}

Config *config_read(
    Arena *arena, const Setting *const *tables, int argc, char **argv, FILE *complaints)
{
    Config *config = arena_alloc(arena, sizeof(*config));
    bool is_good;
    bool has_flags = true;

    list_settings(arena, config, tables);
    config->words = arena_array(arena, (size_t)argc + 1, sizeof(*config->words));
    is_good = read_environment(config, complaints);
    for (int i = 1; i < argc; i++) {
        if (has_flags && text_equal(argv[i], "--"))
            has_flags = false;
        else if (!has_flags || !text_starts_with(argv[i], "--"))
            config->words[config->n_words++] = arena_text(arena, argv[i]);
        else if (!read_flag(arena, config, argc, argv, &i, complaints))
            is_good = false;
    }
    /* The environment may change and argv be overwritten; the values stay. */
    for (int i = 0; i < config->n_values; i++)
        config->values[i].text = arena_text(arena, config->values[i].text);
    return is_good ? config : NULL;
}

static const Value *value_of(const Config *config, const char *name)
{
    const Value *value = find_value(config, name, strlen(name));

    assert(value);
    return value;
}

const char *config_text(const Config *config, const char *name)
{
    return value_of(config, name)->text;
}

int64_t config_number(const Config *config, const char *name)
{
    return value_of(config, name)->number;
}

bool config_switch(const Config *config, const char *name)
{
    return value_of(config, name)->number != 0;
}

bool config_is_given(const Config *config, const char *name)
{
    return value_of(config, name)->is_given;
}

int config_words(const Config *config, const char *const **words)
{
    *words = config->words;
    return config->n_words;
}

void config_print_help(const Setting *const *tables, FILE *out)
{
    for (; *tables; tables++)
        for (const Setting *setting = *tables; setting->name; setting++) {
            char variable[VARIABLE_SIZE];

            variable_of(setting->name, variable);
            fprintf(out, "  --%s  (%s)\n%*s%s", setting->name, variable, HELP_INDENT, "",
                setting->help ? setting->help : "");
            if (setting->kind != SETTING_TEXT && setting->kind != SETTING_SWITCH)
                fprintf(out, " %c%s.", toupper(kinds[setting->kind].shape[0]),
                    kinds[setting->kind].shape + 1);
            if (has_bounds(setting))
                fprintf(out, " From %lld to %lld%s.", (long long)setting->min,
                    (long long)setting->max, unit_of(setting));
            if (text_is_empty(setting->fallback))
                fprintf(out, " No default.\n");
            else
                fprintf(out, " Default: %s.\n", setting->fallback);
        }
}
