#include "tests/service/identity/calls.h"

#include "shared/base/clock.h"
#include "shared/base/text.h"
#include "shared/codec/types.h"

typedef Throughline__Identity__V1__CreateAccountRequest CreateAccountRequest;
typedef Throughline__Identity__V1__GetAccountRequest GetAccountRequest;
typedef Throughline__Identity__V1__ListAccountsRequest ListAccountsRequest;
typedef Throughline__Identity__V1__ListAccountsResponse ListAccountsResponse;
typedef Throughline__Identity__V1__IssueTokenRequest IssueTokenRequest;
typedef Throughline__Identity__V1__IssueTokenResponse IssueTokenResponse;
typedef Throughline__Identity__V1__DisableAccountRequest DisableAccountRequest;

static const Error *create(
    Fixture *fixture, const char *name, const char *channel, const char *scope, Account *reply)
{
    CreateAccountRequest request = THROUGHLINE__IDENTITY__V1__CREATE_ACCOUNT_REQUEST__INIT;
    Account account = THROUGHLINE__IDENTITY__V1__ACCOUNT__INIT;
    char *scopes[] = { (char *)scope };

    throughline__identity__v1__account__init(reply);
    account.name = (char *)name;
    account.channel = (char *)channel;
    account.scopes = scopes;
    account.n_scopes = scope ? 1 : 0;
    request.account = &account;
    return fixture_call(fixture, "AccountService/CreateAccount", &request, reply);
}

static const Error *issue(
    Fixture *fixture, const char *account, int32_t ttl_seconds, IssueTokenResponse *reply)
{
    IssueTokenRequest request = THROUGHLINE__IDENTITY__V1__ISSUE_TOKEN_REQUEST__INIT;

    throughline__identity__v1__issue_token_response__init(reply);
    request.account = (char *)account;
    request.ttl_seconds = ttl_seconds;
    return fixture_call(fixture, "AccountService/IssueToken", &request, reply);
}

/* An identity that issues tokens with a key of its own, which its own servers do not know. */
static Fixture *start_issuer(TokenKeys **keys)
{
    Arena *arena = arena_new();
    const char *folder = test_folder();
    const char *private_path = arena_printf(arena, "%s/issuer.json", folder);
    const char *public_path = arena_printf(arena, "%s/issuer-keys.json", folder);
    const char *flags[] = { arena_printf(arena, "--token-signing-key=%s", private_path), NULL };
    Fixture *fixture;

    CU_ASSERT_PTR_NULL_FATAL(token_keys_create(arena, private_path, public_path));
    CU_ASSERT_PTR_NULL_FATAL(token_keys_open(arena, public_path, keys));
    fixture = fixture_start_flags(&identity_service, NULL, flags);
    fixture_act_as(fixture, "ops", "agents/admin");
    arena_free(arena);
    return fixture;
}

static void an_account_is_kept(void)
{
    Fixture *fixture = start_identity();
    GetAccountRequest get = THROUGHLINE__IDENTITY__V1__GET_ACCOUNT_REQUEST__INIT;
    ListAccountsRequest list = THROUGHLINE__IDENTITY__V1__LIST_ACCOUNTS_REQUEST__INIT;
    ListAccountsResponse all = THROUGHLINE__IDENTITY__V1__LIST_ACCOUNTS_RESPONSE__INIT;
    Account made, found = THROUGHLINE__IDENTITY__V1__ACCOUNT__INIT;

    CHECK_TEXT(error_reason(create(fixture, "accounts/web", "web", "cart.write", &made)), "OK");
    CU_ASSERT_PTR_NULL(create(fixture, "accounts/app", "app", "*", &found));

    CHECK_TEXT(error_reason(create(fixture, "accounts/web", "web", "cart.write", &found)),
        "ACCOUNT_EXISTS");
    get.name = "accounts/web";
    throughline__identity__v1__account__init(&found);
    CU_ASSERT_PTR_NULL(fixture_call(fixture, "AccountService/GetAccount", &get, &found));
    CHECK_TEXT(found.channel, "web");
    CHECK_TEXT(found.scopes[0], "cart.write");
    CHECK_TEXT(found.etag, made.etag);
    get.name = "accounts/none";
    CHECK_TEXT(error_reason(fixture_call(fixture, "AccountService/GetAccount", &get, &found)),
        "ACCOUNT_NOT_FOUND");
    list.page_size = 1;
    CU_ASSERT_PTR_NULL(fixture_call(fixture, "AccountService/ListAccounts", &list, &all));
    CHECK_INT((int)all.n_accounts, 1);
    CHECK_TEXT(all.accounts[0]->name, "accounts/app");
    list.page_token = all.next_page_token;
    throughline__identity__v1__list_accounts_response__init(&all);
    CU_ASSERT_PTR_NULL(fixture_call(fixture, "AccountService/ListAccounts", &list, &all));
    CHECK_TEXT(all.accounts[0]->name, "accounts/web");
    CHECK_TEXT(all.next_page_token, "");
    CU_ASSERT_TRUE(fixture_stop(fixture));
}

static void every_bad_field_of_an_account_is_named(void)
{
    Fixture *fixture = start_identity();
    CreateAccountRequest request = THROUGHLINE__IDENTITY__V1__CREATE_ACCOUNT_REQUEST__INIT;
    IssueTokenResponse token;
    Account reply;
    const Error *error = create(fixture, "web", "Web Shop", "no scope", &reply);

    CU_ASSERT_TRUE(blames(error, "account.name"));
    CU_ASSERT_TRUE(blames(error, "account.channel"));
    CU_ASSERT_TRUE(blames(error, "account.scopes[0]"));
    error = create(fixture, "accounts/web", "", NULL, &reply);
    CU_ASSERT_TRUE(blames(error, "account.scopes"));
    error = fixture_call(fixture, "AccountService/CreateAccount", &request, &reply);
    CU_ASSERT_TRUE(blames(error, "account"));
    error = issue(fixture, "", 59, &token);
    CU_ASSERT_TRUE(blames(error, "account") && blames(error, "ttl_seconds"));
    CU_ASSERT_TRUE(fixture_stop(fixture));
}

static void a_token_says_who_the_account_is(void)
{
    TokenKeys *keys;
    Fixture *fixture = start_issuer(&keys);
    IssueTokenResponse token;
    Account account;
    const Caller *caller = NULL;

    CU_ASSERT_PTR_NULL(create(fixture, "accounts/web", "web", "cart.write", &account));
    CHECK_TEXT(error_reason(issue(fixture, "accounts/web", 600, &token)), "OK");

    CHECK_TEXT(
        error_reason(token_verify(keys, fixture_arena(fixture), token.token, clock_now(), &caller)),
        "OK");
    CHECK_TEXT(caller->account, "accounts/web");
    CHECK_TEXT(caller->channel, "web");
    CU_ASSERT_TRUE(caller_has_scope(caller, "cart.write"));
    CU_ASSERT_FALSE(caller_has_scope(caller, "cart.checkout"));
    CHECK_INT(caller->expires_at, timestamp_to_micros(token.expire_time));
    CHECK_TEXT(error_reason(token_verify(keys, fixture_arena(fixture), token.token,
                   caller->expires_at + INT64_C(60) * 1000000, &caller)),
        "TOKEN_EXPIRED");
    CHECK_TEXT(error_reason(issue(fixture, "accounts/none", 0, &token)), "ACCOUNT_NOT_FOUND");
    CU_ASSERT_TRUE(fixture_stop(fixture));
    token_keys_close(keys);
}

/* Through UpdateAccount; the scope and path may be NULL. */
static const Error *update(Fixture *fixture, const char *etag, const char *channel,
    const char *scope, const char *path, Account *reply)
{
    Throughline__Identity__V1__UpdateAccountRequest request =
        THROUGHLINE__IDENTITY__V1__UPDATE_ACCOUNT_REQUEST__INIT;
    Google__Protobuf__FieldMask mask = GOOGLE__PROTOBUF__FIELD_MASK__INIT;
    Account account = THROUGHLINE__IDENTITY__V1__ACCOUNT__INIT;
    char *scopes[] = { (char *)scope }, *paths[] = { (char *)path };

    throughline__identity__v1__account__init(reply);
    account.name = "accounts/web";
    account.etag = (char *)etag;
    account.channel = (char *)channel;
    account.scopes = scopes;
    account.n_scopes = scope ? 1 : 0;
    mask.paths = paths;
    mask.n_paths = path ? 1 : 0;
    request.account = &account;
    request.update_mask = &mask;
    return fixture_call(fixture, "AccountService/UpdateAccount", &request, reply);
}

static void the_next_token_says_what_the_account_became(void)
{
    TokenKeys *keys;
    Fixture *fixture = start_issuer(&keys);
    IssueTokenResponse before, after;
    Account account, changed;
    const Caller *caller = NULL;

    CU_ASSERT_PTR_NULL(create(fixture, "accounts/web", "web", "cart.write", &account));
    CU_ASSERT_PTR_NULL(issue(fixture, "accounts/web", 600, &before));
    CHECK_TEXT(
        error_reason(update(fixture, account.etag, "", "cart.checkout", NULL, &changed)), "OK");
    CHECK_TEXT(changed.channel, "web");
    CHECK_INT(timestamp_to_micros(changed.create_time), timestamp_to_micros(account.create_time));
    CU_ASSERT_PTR_NULL(issue(fixture, "accounts/web", 600, &after));

    CU_ASSERT_PTR_NULL(
        token_verify(keys, fixture_arena(fixture), after.token, clock_now(), &caller));
    CU_ASSERT(caller_has_scope(caller, "cart.checkout"));
    CU_ASSERT_FALSE(caller_has_scope(caller, "cart.write"));
    CU_ASSERT_PTR_NULL(
        token_verify(keys, fixture_arena(fixture), before.token, clock_now(), &caller));
    CU_ASSERT_FALSE(caller_has_scope(caller, "cart.checkout"));
    CU_ASSERT_TRUE(fixture_stop(fixture));
    token_keys_close(keys);
}

static void an_account_changes_as_its_mask_says(void)
{
    Fixture *fixture = start_identity();
    Account made, changed;
    const Error *error;

    CU_ASSERT_PTR_NULL(create(fixture, "accounts/web", "web", "cart.write", &made));
    CHECK_TEXT(error_reason(update(fixture, "", "", "cart.checkout", "channel", &changed)), "OK");
    CHECK_TEXT(changed.channel, "");
    CHECK_TEXT(changed.scopes[0], "cart.write");
    CHECK_TEXT(error_reason(update(fixture, made.etag, "app", "*", NULL, &changed)), "ETAG_STALE");
    error = update(fixture, "", "No Channel", "no scope", NULL, &changed);
    CU_ASSERT_TRUE(blames(error, "account.channel") && blames(error, "account.scopes[0]"));
    CU_ASSERT_TRUE(blames(update(fixture, "", "", NULL, "scopes", &changed), "account.scopes"));
    CHECK_TEXT(
        error_reason(update(fixture, "", "", "*", "is_disabled", &changed)), "FIELD_INVALID");
    CU_ASSERT_TRUE(fixture_stop(fixture));
}

static void an_account_that_is_not_there_is_not_changed(void)
{
    Fixture *fixture = start_identity();
    Account changed;

    CHECK_TEXT(error_reason(update(fixture, "", "", "*", NULL, &changed)), "ACCOUNT_NOT_FOUND");
    CU_ASSERT_TRUE(fixture_stop(fixture));
}

/* Who may do what is a matter of record. */
static void every_change_of_an_account_is_in_the_log_once(void)
{
    Fixture *fixture = start_identity();
    DisableAccountRequest disable = THROUGHLINE__IDENTITY__V1__DISABLE_ACCOUNT_REQUEST__INIT;
    Account made, changed, same;
    const Event *event;

    CU_ASSERT_PTR_NULL(create(fixture, "accounts/web", "web", "cart.write", &made));
    CU_ASSERT_PTR_NULL(update(fixture, "", "", "cart.checkout", NULL, &changed));
    CU_ASSERT_PTR_NULL(update(fixture, "", "web", "cart.checkout", NULL, &same));
    CHECK_TEXT(same.etag, changed.etag);
    disable.name = "accounts/web";
    throughline__identity__v1__account__init(&changed);
    CU_ASSERT_PTR_NULL(fixture_call(fixture, "AccountService/DisableAccount", &disable, &changed));

    CU_ASSERT_PTR_NOT_NULL(fixture_event(fixture, "accounts/web", 1));
    event = fixture_event(fixture, "accounts/web", 2);
    CU_ASSERT_PTR_NOT_NULL_FATAL(event);
    CU_ASSERT_PTR_NOT_NULL(event_payload(
        fixture_arena(fixture), event, &throughline__identity__v1__account_changed__descriptor));
    CU_ASSERT(*event->actor);
    CU_ASSERT_PTR_NOT_NULL(fixture_event(fixture, "accounts/web", 3));
    CU_ASSERT_TRUE(fixture_stop(fixture));
}

static void a_disabled_account_gets_no_token(void)
{
    TokenKeys *keys;
    Fixture *fixture = start_issuer(&keys);
    DisableAccountRequest request = THROUGHLINE__IDENTITY__V1__DISABLE_ACCOUNT_REQUEST__INIT;
    IssueTokenResponse token;
    Account account, again = THROUGHLINE__IDENTITY__V1__ACCOUNT__INIT;

    CU_ASSERT_PTR_NULL(create(fixture, "accounts/web", "web", "cart.write", &account));
    request.name = "accounts/web";
    CHECK_TEXT(
        error_reason(fixture_call(fixture, "AccountService/DisableAccount", &request, &account)),
        "OK");
    CU_ASSERT_TRUE(account.is_disabled);
    CHECK_TEXT(error_reason(issue(fixture, "accounts/web", 0, &token)), "ACCOUNT_DISABLED");
    CU_ASSERT_PTR_NULL(fixture_call(fixture, "AccountService/DisableAccount", &request, &again));
    CHECK_TEXT(again.etag, account.etag);
    request.name = "accounts/none";
    CHECK_TEXT(
        error_reason(fixture_call(fixture, "AccountService/DisableAccount", &request, &again)),
        "ACCOUNT_NOT_FOUND");
    CU_ASSERT_TRUE(fixture_stop(fixture));
    token_keys_close(keys);
}

static void a_server_without_a_key_issues_no_tokens(void)
{
    Fixture *fixture = start_identity();
    IssueTokenResponse token;
    Account account;

    CU_ASSERT_PTR_NULL(create(fixture, "accounts/web", "web", "cart.write", &account));

    CHECK_TEXT(error_reason(issue(fixture, "accounts/web", 0, &token)), "TOKEN_KEY_MISSING");
    CU_ASSERT_TRUE(fixture_stop(fixture));
}

static void only_administrators_may_look_at_accounts(void)
{
    Fixture *fixture = start_identity();
    RpcOutgoing outgoing = fixture_outgoing(fixture);
    ListAccountsRequest list = THROUGHLINE__IDENTITY__V1__LIST_ACCOUNTS_REQUEST__INIT;
    ListAccountsResponse all = THROUGHLINE__IDENTITY__V1__LIST_ACCOUNTS_RESPONSE__INIT;
    const Error *error;

    outgoing.token = fixture_token(fixture, "identity.read identity.write", "care");
    error = fixture_call_with(fixture, &outgoing, "AccountService/ListAccounts", &list, &all);
    CHECK_INT(error ? error->code : 0, ERROR_PERMISSION_DENIED);
    CU_ASSERT_TRUE(fixture_stop(fixture));
}

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        { "an_account_is_kept", an_account_is_kept },
        { "every_bad_field_of_an_account_is_named", every_bad_field_of_an_account_is_named },
        { "a_token_says_who_the_account_is", a_token_says_who_the_account_is },
        { "the_next_token_says_what_the_account_became",
            the_next_token_says_what_the_account_became },
        { "an_account_changes_as_its_mask_says", an_account_changes_as_its_mask_says },
        { "an_account_that_is_not_there_is_not_changed",
            an_account_that_is_not_there_is_not_changed },
        { "every_change_of_an_account_is_in_the_log_once",
            every_change_of_an_account_is_in_the_log_once },
        { "a_disabled_account_gets_no_token", a_disabled_account_gets_no_token },
        { "a_server_without_a_key_issues_no_tokens", a_server_without_a_key_issues_no_tokens },
        { "only_administrators_may_look_at_accounts", only_administrators_may_look_at_accounts },
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        { .pName = "account", .pTests = tests },
        CU_SUITE_INFO_NULL,
    };

    return test_main("identity_account_service", suites, argc, argv);
}
