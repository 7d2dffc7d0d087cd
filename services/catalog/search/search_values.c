#include "services/catalog/search/search_values.h"

#include "shared/base/text.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_SLOTS = 256 };

typedef struct Value {
    uint32_t hash;
    uint32_t field;
    uint32_t next;  /* of the same field */
    uint32_t first; /* when it is a field */
    char text[];
} Value;

struct SearchValues {
    size_t n_values; /* with VALUE_NONE */
    size_t capacity;
    Value **values; /* by number */
    size_t n_slots; /* a power of two, at most three quarters full */
    uint32_t *slots;
};

static void *check(void *memory)
{
    if (!memory)
        abort();
    return memory;
}

static Value *new_value(uint32_t hash, uint32_t field, const char *text)
{
    size_t size = strlen(text) + 1;
    Value *value = check(calloc(1, sizeof(*value) + size));

    memcpy(value->text, text, size);
    value->hash = hash;
    value->field = field;
    return value;
}

SearchValues *search_values_new(void)
{
    SearchValues *values = check(calloc(1, sizeof(*values)));

    values->n_slots = FIRST_SLOTS;
    values->slots = check(calloc(FIRST_SLOTS, sizeof(*values->slots)));
    values->capacity = FIRST_SLOTS;
    values->values = check(calloc(FIRST_SLOTS, sizeof(Value *)));
    values->values[values->n_values++] = new_value(0, VALUE_NONE, "");
    return values;
}

void search_values_free(SearchValues *values)
{
    if (!values)
        return;
    for (size_t i = 0; i < values->n_values; i++)
        free(values->values[i]);
    free(values->values);
    free(values->slots);
    free(values);
}

static uint32_t hash_of(uint32_t field, const char *text)
{
    uint64_t hash = (text_hash(text, strlen(text)) ^ field) * UINT64_C(0x9e3779b97f4a7c15);

    return (uint32_t)(hash >> 32);
}

static uint32_t *find_slot(
    const SearchValues *values, uint32_t hash, uint32_t field, const char *text)
{
    size_t at = hash & (values->n_slots - 1);

    for (; values->slots[at]; at = (at + 1) & (values->n_slots - 1)) {
        const Value *value = values->values[values->slots[at]];

        if (value->hash == hash && value->field == field && text_equal(value->text, text))
            break;
    }
    return &values->slots[at];
}

static void grow_slots(SearchValues *values)
{
    free(values->slots);
    values->n_slots *= 2;
    values->slots = check(calloc(values->n_slots, sizeof(*values->slots)));
    for (uint32_t i = 1; i < values->n_values; i++) {
        const Value *value = values->values[i];

        *find_slot(values, value->hash, value->field, value->text) = i;
    }
}

uint32_t search_values_find(const SearchValues *values, uint32_t field, const char *text)
{
    return *find_slot(values, hash_of(field, text), field, text);
}

uint32_t search_values_add(SearchValues *values, uint32_t field, const char *text)
{
    uint32_t hash = hash_of(field, text);
    uint32_t number = *find_slot(values, hash, field, text);
    Value *value;

    if (number)
        return number;
    if (values->n_values + 1 > values->n_slots / 4 * 3)
        grow_slots(values);
    if (values->n_values == values->capacity) {
        values->capacity += values->capacity / 2;
        values->values =
            check(reallocarray(values->values, values->capacity, sizeof(*values->values)));
    }
    number = (uint32_t)values->n_values;
    value = new_value(hash, field, text);
    value->next = values->values[field]->first;
    values->values[field]->first = number;
    values->values[values->n_values++] = value;
    *find_slot(values, hash, field, text) = number;
    return number;
}

const char *search_values_text(const SearchValues *values, uint32_t value)
{
    return values->values[value]->text;
}

uint32_t search_values_first(const SearchValues *values, uint32_t field)
{
    return values->values[field]->first;
}

uint32_t search_values_next(const SearchValues *values, uint32_t value)
{
    return values->values[value]->next;
}

size_t search_values_count(const SearchValues *values)
{
    return values->n_values;
}
