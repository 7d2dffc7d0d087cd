/* Accounts of channels and services, and the tokens they call with. */
#include "services/identity/identity_service.h"
#include "shared/codec/mask.h"
#include "shared/codec/message.h"
#include "shared/codec/types.h"
#include "shared/rpc/check.h"
#include "shared/rpc/page.h"

#include "throughline/identity/v1/events.pb-c.h"

#include <string.h>

typedef Throughline__Identity__V1__CreateAccountRequest CreateAccountRequest;
typedef Throughline__Identity__V1__GetAccountRequest GetAccountRequest;
typedef Throughline__Identity__V1__UpdateAccountRequest UpdateAccountRequest;
typedef Throughline__Identity__V1__AccountChanged AccountChanged;
typedef Throughline__Identity__V1__ListAccountsRequest ListAccountsRequest;
typedef Throughline__Identity__V1__ListAccountsResponse ListAccountsResponse;
typedef Throughline__Identity__V1__IssueTokenRequest IssueTokenRequest;
typedef Throughline__Identity__V1__IssueTokenResponse IssueTokenResponse;
typedef Throughline__Identity__V1__DisableAccountRequest DisableAccountRequest;

enum {
    MAX_SCOPES = 50,
    MAX_SCOPE = 64,
    MIN_TTL_SECONDS = 60,
    MAX_TTL_SECONDS = 365 * 24 * 3600,
    DEFAULT_TTL_SECONDS = 3600,
};

static const Error account_disabled = { ERROR_FAILED_PRECONDITION, "ACCOUNT_DISABLED",
    "The account is disabled: no more tokens are issued for it." };
static const Error token_key_missing = { ERROR_FAILED_PRECONDITION, "TOKEN_KEY_MISSING",
    "This server holds no signing key: start it with --token-signing-key." };

static const char *const fixed_fields[] = { "name", "etag", "is_disabled", "create_time", NULL };

static bool is_scope(const char *text)
{
    size_t size = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789._-");

    return text_equal(text, "*") || (size > 0 && size <= MAX_SCOPE && !text[size]);
}

/* min_scopes: 0 where those that are there stay. */
static void check_account(RpcCall *call, const Account *account, size_t min_scopes)
{
    check_present(call, "account", account);
    if (!account)
        return;
    check_name(call, "account.name", account->name, "accounts/*");
    if (!text_is_empty(account->channel))
        check_word(call, "account.channel", account->channel);
    check_count(call, "account.scopes", account->n_scopes, min_scopes, MAX_SCOPES);
    for (size_t i = 0; i < account->n_scopes && i < MAX_SCOPES; i++)
        if (!is_scope(account->scopes[i]))
            check_fail(call, check_path(call, "account.scopes[%zu]", i),
                "must be a scope like cart.write, or * for all");
}

static const Error *create_account(RpcCall *call, const void *request, void *reply)
{
    const CreateAccountRequest *req = request;
    Account *account = reply;
    AccountChanged event = THROUGHLINE__IDENTITY__V1__ACCOUNT_CHANGED__INIT;
    const Error *error;

    check_account(call, req->account, 1);
    check_request_id(call, req->request_id);
    if ((error = check_result(call)))
        return error;
    account->name = req->account->name;
    account->channel = req->account->channel;
    account->scopes = req->account->scopes;
    account->n_scopes = req->account->n_scopes;
    account->create_time = timestamp_from_micros(call->arena, call->arrived_at);
    event.account = account;
    return store_insert(call->store, &accounts, account, &event);
}

static const Error *get_account(RpcCall *call, const void *request, void *reply)
{
    const GetAccountRequest *req = request;
    const Error *error;

    check_name(call, "name", req->name, "accounts/*");
    if ((error = check_result(call)))
        return error;
    return store_get(call->store, &accounts, req->name, reply);
}

/* The account with its masked fields changed; *is_new when that makes a difference. */
static const Error *merge_account(
    RpcCall *call, const UpdateAccountRequest *req, Account *account, bool *is_new)
{
    const char *const *paths =
        req->update_mask ? (const char *const *)req->update_mask->paths : NULL;
    size_t n_paths = req->update_mask ? req->update_mask->n_paths : 0;
    const Account *before;
    const Error *error;

    message_init(&throughline__identity__v1__account__descriptor, account);
    if ((error = store_get(call->store, &accounts, req->account->name, account)))
        return error;
    before = message_copy(call->arena, account);
    mask_merge(call->arena, req->account, account, paths, n_paths, fixed_fields);
    check_account(call, account, 1);
    if ((error = check_result(call)))
        return error;
    /* A caller who names a version means that one. */
    if (*req->account->etag)
        account->etag = req->account->etag;
    *is_new = !message_equal(before, account);
    return NULL;
}

/* Changes what tokens will say from now on. */
static const Error *update_account(RpcCall *call, const void *request, void *reply)
{
    const UpdateAccountRequest *req = request;
    AccountChanged event = THROUGHLINE__IDENTITY__V1__ACCOUNT_CHANGED__INIT;
    Race race __attribute__((cleanup(race_end))) =
        race_start(call, req->account ? req->account->name : "");
    const Error *error;
    bool is_new;

    check_account(call, req->account, 0);
    check_request_id(call, req->request_id);
    if ((error = check_result(call)) ||
        (error = mask_check(call->arena, &throughline__identity__v1__account__descriptor,
             req->update_mask ? (const char *const *)req->update_mask->paths : NULL,
             req->update_mask ? req->update_mask->n_paths : 0, fixed_fields)))
        return error;

    event.account = reply;
    do {
        if ((error = merge_account(call, req, reply, &is_new)) || !is_new)
            return error;
        error = store_replace(call->store, &accounts, reply, &event);
    } while (race_lost(&race, error, req->account->etag));
    return error;
}

static const Error *list_accounts(RpcCall *call, const void *request, void *reply)
{
    const ListAccountsRequest *req = request;
    ListAccountsResponse *response = reply;
    RpcPage page = page_read(call, req->page_size, req->page_token, "");
    StoreQuery query = { .limit = page.limit, .max_bytes = PAGE_BYTES, .resume = page.resume };
    StorePage found;
    const Error *error;

    if ((error = check_result(call)) ||
        (error = store_find(call->store, &accounts, &query, &found)))
        return error;
    response->n_accounts = found.n_messages;
    response->accounts = (Account **)found.messages;
    response->next_page_token = page_token(call, &page, found.resume);
    return NULL;
}

/* A bearer token, shown once. */
static const Error *issue_token(RpcCall *call, const void *request, void *reply)
{
    const IssueTokenRequest *req = request;
    IssueTokenResponse *response = reply;
    const IdentityState *state = service_of(call)->state;
    Account account = THROUGHLINE__IDENTITY__V1__ACCOUNT__INIT;
    int64_t ttl_seconds = req->ttl_seconds ? req->ttl_seconds : DEFAULT_TTL_SECONDS;
    Caller caller;
    const char *token;
    const Error *error;

    check_name(call, "account", req->account, "accounts/*");
    check_range(call, "ttl_seconds", ttl_seconds, MIN_TTL_SECONDS, MAX_TTL_SECONDS);
    if ((error = check_result(call)) ||
        (error = store_get(call->store, &accounts, req->account, &account)))
        return error;
    if (account.is_disabled)
        return &account_disabled;
    if (!state->signer)
        return &token_key_missing;
    caller = (Caller){ .account = account.name,
        .channel = account.channel,
        .scopes = (const char *const *)account.scopes,
        .n_scopes = account.n_scopes,
        .expires_at = call->arrived_at + ttl_seconds * 1000000 };
    if ((error = token_sign(state->signer, call->arena, &caller, call->arrived_at, &token)))
        return error;
    response->token = (char *)token;
    response->expire_time =
        timestamp_from_micros(call->arena, caller.expires_at / 1000000 * 1000000);
    return NULL;
}

static const Error *disable_account(RpcCall *call, const void *request, void *reply)
{
    const DisableAccountRequest *req = request;
    Account *account = reply;
    AccountChanged event = THROUGHLINE__IDENTITY__V1__ACCOUNT_CHANGED__INIT;
    const Error *error;

    check_name(call, "name", req->name, "accounts/*");
    check_request_id(call, req->request_id);
    if ((error = check_result(call)) ||
        (error = store_get(call->store, &accounts, req->name, account)))
        return error;
    if (account->is_disabled)
        return NULL;
    account->is_disabled = true;
    event.account = account;
    return store_replace(call->store, &accounts, account, &event);
}

const RpcService account_rpcs = THROUGHLINE__IDENTITY__V1__ACCOUNT_SERVICE__INIT();
