#include "shared/store/move.h"

#include "shared/codec/message.h"

#include <assert.h>

static void move_one(void *message, const char *field, const char *value, const char *origin)
{
    const char **text = message_field(message, field);
    const char **first = origin ? message_field(message, origin) : NULL;

    assert(text && !text_equal(*text, value) && "the query finds what was moved");
    assert(!origin || first);
    if (first && text_is_empty(*first))
        *first = *text;
    *text = value;
}

const Error *store_move_keeping(StoreView *view, const Collection *collection,
    const StoreQuery *query, const char *field, const char *value, const char *origin)
{
    StoreQuery batch = *query;
    StorePage page;
    const Error *error;

    batch.limit = STORE_MOVE_BATCH;
    batch.resume = NULL;
    do {
        StoreWrite writes[STORE_MOVE_BATCH] = { 0 };

        if ((error = store_find(view, collection, &batch, &page)) || page.n_messages == 0)
            return error;
        for (size_t i = 0; i < page.n_messages; i++) {
            move_one(page.messages[i], field, value, origin);
            writes[i] = (StoreWrite){
                .kind = STORE_REPLACE, .collection = collection, .message = page.messages[i]
            };
        }
        error = store_write(view, writes, page.n_messages);
    } while (!error);
    return error;
}

const Error *store_move(StoreView *view, const Collection *collection, const StoreQuery *query,
    const char *field, const char *value)
{
    return store_move_keeping(view, collection, query, field, value, NULL);
}
