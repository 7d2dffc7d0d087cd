#include "shared/store/move.h"

#include "shared/codec/message.h"

#include <assert.h>

const Error *store_move(StoreView *view, const Collection *collection, const StoreQuery *query,
    const char *field, const char *value)
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
            const char **text = message_field(page.messages[i], field);

            assert(text && !text_equal(*text, value) && "the query finds what was moved");
            *text = value;
            writes[i] = (StoreWrite){
                .kind = STORE_REPLACE, .collection = collection, .message = page.messages[i]
            };
        }
        error = store_write(view, writes, page.n_messages);
    } while (!error);
    return error;
}
