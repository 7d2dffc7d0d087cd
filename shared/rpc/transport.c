#include "shared/rpc/transport.h"

static const TransportOps *const engines[] = { &transport_core, &transport_h2 };

const TransportOps *transport_find(const char *name)
{
    for (size_t i = 0; i < COUNT(engines); i++)
        if (text_equal(engines[i]->name, name))
            return engines[i];
    return NULL;
}
