/* Who makes a call: the account behind the token, as every handler and rule may see it. */
#ifndef THROUGHLINE_AUTH_CALLER_H
#define THROUGHLINE_AUTH_CALLER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct Caller {
    const char *account; /* "accounts/web" */
    const char
        *channel; /* "web"; "" for an account that speaks for any channel (another service) */
    const char *const *scopes; /* "cart.write", "catalog.read", …; "*" stands for all */
    size_t n_scopes;
    int64_t expires_at; /* microseconds since 1970 */
} Caller;

bool caller_has_scope(const Caller *caller, const char *scope);

#endif
