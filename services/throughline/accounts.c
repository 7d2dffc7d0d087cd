#include "services/throughline/accounts.h"
#include "services/throughline/data_folder.h"

#include "shared/auth/token.h"
#include "shared/base/clock.h"
#include "shared/base/text.h"

#include "throughline/identity/v1/account.pb-c.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { YEAR_SECONDS = 365 * 24 * 3600, MAX_SCOPES = 50 };

typedef struct DemoAccount {
    const char *name; /* also its channel, unless it is a service */
    const char *scopes;
} DemoAccount;

/* What services ask of each other. */
static const DemoAccount services[] = {
    { "identity", "events.read" },
    { "catalog", "events.read" },
    { "cart", "events.read catalog.read stock.reserve identity.read" },
    { "feedback", "events.read identity.read order.read" },
    { "notification", "events.read identity.read" },
};

static const DemoAccount channels[] = {
    { "web", "catalog.read cart.read cart.write cart.terms cart.checkout order.read order.cancel "
             "identity.read feedback.write notification.read" },
    { "app", "catalog.read cart.read cart.write cart.terms cart.checkout order.read order.cancel "
             "identity.read identity.write identity.consent feedback.read feedback.write "
             "notification.read" },
    { "store", "catalog.read catalog.price_override cart.read cart.write cart.terms cart.checkout "
               "order.read order.cancel order.return identity.read feedback.read feedback.write" },
    { "care", "catalog.read catalog.price_override cart.read cart.write cart.terms cart.assist "
              "order.read order.cancel order.return identity.read identity.write identity.merge "
              "feedback.read feedback.write notification.read notification.send" },
    { "social", "feedback.write" },
    { "merchandising", "catalog.read catalog.write catalog.publish catalog.all_channels "
                       "notification.admin notification.read" },
    /* Who looks over what merchandising wants to change. */
    { "governance", "catalog.read catalog.approve catalog.publish catalog.all_channels" },
};

static const Error *write_token(Arena *arena, const char *data, const char *name, const char *token)
{
    const char *path = arena_printf(arena, "%s/tokens/%s.token", data, name);
    const char *fresh = arena_printf(arena, "%s.new", path);
    int fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    size_t size = strlen(token);
    bool written = fd >= 0 && write(fd, token, size) == (ssize_t)size;

    if (fd >= 0 && close(fd))
        written = false;
    if (!written || rename(fresh, path))
        return file_unwritable(arena, path);
    return NULL;
}

/* "a b c" → three texts. */
static size_t split_scopes(Arena *arena, const char *scopes, char **list)
{
    char *rest = arena_text(arena, scopes), *scope;
    size_t n = 0;

    while (n < MAX_SCOPES && (scope = strtok_r(rest, " ", &rest)))
        list[n++] = scope;
    return n;
}

const Error *accounts_sign(Arena *arena, const char *key_path, const char *name,
    const char *channel, const char *scopes, int64_t ttl_seconds, const char **token)
{
    char *list[MAX_SCOPES];
    size_t n = split_scopes(arena, scopes, list);
    int64_t now = clock_now();
    Caller caller = { .account = arena_printf(arena, "accounts/%s", name),
        .channel = channel,
        .scopes = (const char *const *)list,
        .n_scopes = n,
        .expires_at = now + ttl_seconds * 1000000 };
    TokenSigner *signer = NULL;
    const Error *error = token_signer_open(arena, key_path, &signer);

    if (error)
        return error;
    error = token_sign(signer, arena, &caller, now, token);
    token_signer_close(signer);
    return error;
}

const Error *accounts_prepare(Arena *arena, const char *data)
{
    const char *key = arena_printf(arena, "%s/keys/signing.jwk", data);
    const char *token = NULL;
    const Error *error;

    if ((error = data_folder_make(arena, arena_printf(arena, "%s/keys", data))) ||
        (error = data_folder_make(arena, arena_printf(arena, "%s/tokens", data))))
        return error;
    if (access(key, R_OK) &&
        (error = token_keys_create(arena, key, arena_printf(arena, "%s/keys/public.jwks", data))))
        return error;
    for (size_t i = 0; i < COUNT(services); i++)
        if ((error = accounts_sign(
                 arena, key, services[i].name, "", services[i].scopes, YEAR_SECONDS, &token)) ||
            (error = write_token(arena, data, services[i].name, token)))
            return error;
    if ((error = accounts_sign(arena, key, "admin", "", "*", YEAR_SECONDS, &token)))
        return error;
    return write_token(arena, data, "admin", token);
}

const Error *accounts_token(Arena *arena, const char *data, const char *name, const char **token)
{
    return shop_read_token(arena, arena_printf(arena, "%s/tokens/%s.token", data, name), token);
}

static const Error *create_one(Arena *arena, const char *data, const Shop *shop,
    const Channel *admin, const DemoAccount *account)
{
    Throughline__Identity__V1__CreateAccountRequest create =
        THROUGHLINE__IDENTITY__V1__CREATE_ACCOUNT_REQUEST__INIT;
    Throughline__Identity__V1__UpdateAccountRequest update =
        THROUGHLINE__IDENTITY__V1__UPDATE_ACCOUNT_REQUEST__INIT;
    Throughline__Identity__V1__IssueTokenRequest issue =
        THROUGHLINE__IDENTITY__V1__ISSUE_TOKEN_REQUEST__INIT;
    Throughline__Identity__V1__Account wanted = THROUGHLINE__IDENTITY__V1__ACCOUNT__INIT;
    Throughline__Identity__V1__Account made = THROUGHLINE__IDENTITY__V1__ACCOUNT__INIT;
    Throughline__Identity__V1__IssueTokenResponse issued =
        THROUGHLINE__IDENTITY__V1__ISSUE_TOKEN_RESPONSE__INIT;
    char *scopes[MAX_SCOPES];
    const Error *error;

    wanted.name = arena_printf(arena, "accounts/%s", account->name);
    wanted.channel = arena_text(arena, account->name);
    wanted.n_scopes = split_scopes(arena, account->scopes, scopes);
    wanted.scopes = scopes;
    create.account = &wanted;
    error = shop_call(shop, admin, &throughline__identity__v1__account_service__descriptor,
        "CreateAccount", &create, &made);
    /* There since an earlier start, perhaps of an earlier version: it may do what it is for today. */
    if (error && text_equal(error->reason, "ACCOUNT_EXISTS")) {
        update.account = &wanted;
        error = shop_call(shop, admin, &throughline__identity__v1__account_service__descriptor,
            "UpdateAccount", &update, &made);
    }
    if (error)
        return error;
    issue.account = wanted.name;
    issue.ttl_seconds = YEAR_SECONDS;
    if ((error = shop_call(shop, admin, &throughline__identity__v1__account_service__descriptor,
             "IssueToken", &issue, &issued)))
        return error;
    return write_token(arena, data, account->name, issued.token);
}

const Error *accounts_create(Arena *arena, const char *data, const Shop *shop)
{
    Channel admin = { .context = { .channel = "operator", .actor = "services/throughline" } };
    const Error *error = accounts_token(arena, data, "admin", &admin.token);

    for (size_t i = 0; i < COUNT(channels) && !error; i++)
        error = create_one(arena, data, shop, &admin, &channels[i]);
    return error;
}
