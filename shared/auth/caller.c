#include "shared/auth/caller.h"

#include "shared/base/text.h"

bool caller_has_scope(const Caller *caller, const char *scope)
{
    for (size_t i = 0; i < caller->n_scopes; i++)
        if (text_equal(caller->scopes[i], scope) || text_equal(caller->scopes[i], "*"))
            return true;
    return false;
}
