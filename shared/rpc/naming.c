#include "shared/rpc/naming.h"

#include "shared/base/id.h"

char *rpc_new_name(const RpcCall *call, const char *collection, const char *request_id)
{
    char id[ID_SIZE];

    if (text_is_empty(request_id))
        return id_name(call->arena, collection);
    id_from(arena_printf(call->arena, "%s\n%s\n%s", call->caller ? call->caller->account : "",
                call->method, request_id),
        id);
    return arena_printf(call->arena, "%s/%s", collection, id);
}
