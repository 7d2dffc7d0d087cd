#include "services/catalog/products/import_record.h"

#include "shared/base/clock.h"
#include "shared/codec/message.h"
#include "shared/codec/types.h"

#include <string.h>

enum { KEPT_DAYS = 30 };

static const int64_t day_micros = INT64_C(24) * 3600 * 1000000;

static void take_over(
    Arena *arena, const ImportProductsResponse *before, ImportProductsResponse *result)
{
    const ImportProductsResponse *copy = message_copy(arena, before);

    result->created = copy->created;
    result->updated = copy->updated;
    result->unchanged = copy->unchanged;
    result->refused = copy->refused;
    result->drafted = copy->drafted;
    for (size_t i = 0; i < copy->n_errors && i < IMPORT_MAX_ERRORS; i++)
        result->errors[result->n_errors++] = copy->errors[i];
}

const Error *import_record_open(
    RpcCall *call, const char *name, ImportProductsResponse *result, Import *record)
{
    StoreView steps = store_steps(call->store);
    const Error *error = store_get(&steps, &imports, name, record);

    if (error && error->code != ERROR_NOT_FOUND)
        return error;
    if (!error && !record->is_done) {
        if (record->result)
            take_over(call->arena, record->result, result);
        return NULL;
    }
    message_init(&throughline__catalog__v1__import__descriptor, record);
    record->name = arena_text(call->arena, name);
    record->start_time = timestamp_from_micros(call->arena, call->arrived_at);
    return NULL;
}

const Error *import_record_keep(
    StoreView *view, Import *record, int64_t rows, ImportProductsResponse *result, bool is_done)
{
    StoreView steps = store_steps(view);
    int64_t now = clock_now();
    Import kept = *record;

    if (rows > record->rows)
        record->rows = rows;
    kept.rows = record->rows;
    kept.result = result;
    kept.is_done = is_done;
    kept.update_time = timestamp_from_micros(view->arena, now);
    kept.purge_time = timestamp_from_micros(view->arena, now + KEPT_DAYS * day_micros);
    return store_put(&steps, &imports, &kept, NULL);
}
