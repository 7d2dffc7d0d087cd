/* Categories and stores in JSON, as a large retailer publishes them: categories with the path that leads to each, stores with address,
 * place, hours and services. */
#include "services/catalog/import/builder.h"
#include "services/catalog/import/source.h"

#include <stdlib.h>
#include <string.h>

typedef struct Records {
    Source source;
    json_t *document;
    json_t *seen; /* ids of categories that were given out */
    size_t item;
    size_t step; /* in the item's path */
} Records;

static const char *text_at(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text ? text : "";
}

static int progress(const Source *source)
{
    const Records *records = (const Records *)source;
    size_t count = json_array_size(records->document);

    return count ? (int)(records->item * 1000 / count) : 1000;
}

static void close_records(Source *source)
{
    Records *records = (Records *)source;

    json_decref(records->document);
    json_decref(records->seen);
    free(records);
}

/* Categories. */

static char *category_name(Arena *arena, const char *id)
{
    return arena_printf(arena, "categories/%s", build_slug(arena, id));
}

static void read_category(Arena *arena, const json_t *node, const json_t *above, CatalogRow *out)
{
    const char *title = text_at(node, "name");
    Category *category;

    if (!*title) {
        row_problem(arena, out, out->number, "name", "is missing");
        return;
    }
    category = arena_alloc(arena, sizeof(*category));
    throughline__catalog__v1__category__init(category);
    category->name = category_name(arena, text_at(node, "id"));
    category->title = build_short(arena, title, CATEGORY_MAX_TITLE);
    if (above)
        category->parent = category_name(arena, text_at(above, "id"));
    out->category = category;
}

/* Every step of every path once: some paths lead over categories that are not listed themselves. */
static bool next_category(Source *source, Arena *arena, CatalogRow *out)
{
    Records *records = (Records *)source;
    const json_t *item;

    while ((item = json_array_get(records->document, records->item))) {
        const json_t *path = json_object_get(item, "path");
        const json_t *node = json_array_get(path, records->step);
        const json_t *above = records->step ? json_array_get(path, records->step - 1) : NULL;
        const char *id = text_at(node, "id");

        if (!node) {
            records->item++;
            records->step = 0;
            continue;
        }
        records->step++;
        if (json_object_get(records->seen, id))
            continue;
        json_object_set_new(records->seen, id, json_true());
        *out = (CatalogRow){ .number = (int64_t)records->item + 1 };
        read_category(arena, node, above, out);
        return true;
    }
    return false;
}

/* Stores. */

static char **texts_of(Arena *arena, const json_t *list, size_t *count)
{
    char **texts = arena_array(arena, json_array_size(list), sizeof(*texts));
    size_t i;
    const json_t *text;

    json_array_foreach(list, i, text)
    {
        const char *trimmed = json_is_string(text) ? text_trim(arena, json_string_value(text)) : "";

        if (*trimmed)
            texts[(*count)++] = build_short(arena, trimmed, LOCATION_MAX_LINE);
    }
    return texts;
}

/* People shop there, so they may pick up there, and what is there may be sent from there. */
static void read_store(Arena *arena, const json_t *item, CatalogRow *out)
{
    const json_t *place = json_object_get(item, "location");
    const json_t *id = json_object_get(item, "id");
    Location *location = arena_alloc(arena, sizeof(*location));

    throughline__catalog__v1__location__init(location);
    location->name =
        json_is_integer(id)
            ? arena_printf(arena, "locations/store-%lld", (long long)json_integer_value(id))
            : arena_printf(arena, "locations/%s", build_slug(arena, text_at(item, "id")));
    location->title = build_short(arena, text_at(item, "name"), LOCATION_MAX_TITLE);
    location->is_pickup = true;
    location->is_ship_from = true;
    location->address_lines = arena_array(arena, 2, sizeof(char *));
    if (*text_at(item, "address"))
        location->address_lines[location->n_address_lines++] =
            build_short(arena, text_at(item, "address"), LOCATION_MAX_LINE);
    if (*text_at(item, "address2"))
        location->address_lines[location->n_address_lines++] =
            build_short(arena, text_at(item, "address2"), LOCATION_MAX_LINE);
    location->city = build_short(arena, text_at(item, "city"), LOCATION_MAX_LINE);
    location->region = build_short(arena, text_at(item, "state"), LOCATION_MAX_REGION);
    location->postal_code = build_short(arena, text_at(item, "zip"), LOCATION_MAX_POSTAL_CODE);
    location->latitude = json_number_value(json_object_get(place, "lat"));
    location->longitude = json_number_value(json_object_get(place, "lon"));
    location->hours = build_short(arena, text_at(item, "hours"), LOCATION_MAX_HOURS);
    location->services = texts_of(arena, json_object_get(item, "services"), &location->n_services);
    out->location = location;
}

static bool next_store(Source *source, Arena *arena, CatalogRow *out)
{
    Records *records = (Records *)source;
    const json_t *item = json_array_get(records->document, records->item);

    if (!item)
        return false;
    *out = (CatalogRow){ .number = (int64_t)++records->item };
    if (*text_at(item, "name"))
        read_store(arena, item, out);
    else
        row_problem(arena, out, out->number, "name", "is missing");
    return true;
}

Source *json_records_open(json_t *document)
{
    const json_t *first = json_array_get(document, 0);
    bool is_categories = json_is_array(json_object_get(first, "subCategories")) &&
                         json_is_array(json_object_get(first, "path"));
    bool is_stores =
        json_is_string(json_object_get(first, "address")) && json_object_get(first, "hours");
    Records *records;

    if (!is_categories && !is_stores)
        return NULL;
    records = calloc(1, sizeof(*records));
    if (!records)
        abort();
    records->source = is_categories
                          ? (Source){ "JSON categories", next_category, progress, close_records }
                          : (Source){ "JSON stores", next_store, progress, close_records };
    records->document = document;
    records->seen = json_object();
    return &records->source;
}
