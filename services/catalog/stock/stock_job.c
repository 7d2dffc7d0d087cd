/* Ends reservations whose time is over, and carries out what was decided and left: a process died, a store was away. */
#include "services/catalog/stock/stock_store.h"

#include "shared/base/log.h"
#include "shared/codec/message.h"

enum { DUE_PAGE = 100 };

const Error *stock_finish_due(RpcCall *call)
{
    StoreQuery query = {
        .index = "due",
        .below = { .kind = STORE_TEXT, .text = reservation_due(call->arena, call->arrived_at, "") },
        .limit = DUE_PAGE,
    };
    StorePage page = { 0 };
    const Error *error = store_find(call->store, &reservations, &query, &page);

    for (size_t i = 0; i < page.n_messages && !error && !rpc_should_stop(call); i++) {
        Reservation *reservation = page.messages[i];
        const Error *failure =
            reservation_end(call, reservation->name, RESERVATION_FINISH, false, reservation);

        /* One that cannot be finished now must not hold up the others. */
        if (failure)
            log_write(LOG_WARN, "reservation_due",
                (const LogField[]){ { "reason", .text = failure->reason },
                    { "message", .text = failure->message }, { 0 } });
    }
    return error;
}
