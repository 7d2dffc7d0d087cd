#include "services/catalog/import/specifications.h"

#include "services/catalog/import/builder.h"

#include <jansson.h>
#include <string.h>

/* The same as JSON: "=>" and nil outside texts become ":" and null. */
static const char *ruby_to_json(Arena *arena, const char *ruby)
{
    char *json = arena_alloc(arena, 2 * strlen(ruby) + 1);
    size_t size = 0;
    bool is_inside = false;

    for (const char *at = ruby; *at; at++) {
        if (*at == '"' && (at == ruby || at[-1] != '\\'))
            is_inside = !is_inside;
        if (!is_inside && text_starts_with(at, "=>")) {
            json[size++] = ':';
            at++;
        } else if (!is_inside && text_starts_with(at, "nil")) {
            memcpy(json + size, "null", 4);
            size += 4;
            at += 2;
        } else {
            json[size++] = *at;
        }
    }
    return json;
}

static void add_pair(Arena *arena, const json_t *pair, Product *product)
{
    const char *key = json_string_value(json_object_get(pair, "key"));
    const char *value = json_string_value(json_object_get(pair, "value"));

    if (key && value)
        build_attribute(arena, product, key, value);
}

void specifications_add(Arena *arena, const char *text, Product *product)
{
    json_t *document = json_loads(ruby_to_json(arena, text), 0, NULL);
    const json_t *pairs = json_object_get(document, "product_specification");
    size_t i;
    json_t *pair;

    if (json_is_object(pairs))
        add_pair(arena, pairs, product);
    json_array_foreach(pairs, i, pair) add_pair(arena, pair, product);
    json_decref(document);
}
