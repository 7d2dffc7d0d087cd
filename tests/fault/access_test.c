/* Who may call what: every method of every service, with every kind of token that is not good enough and the one that just is.
 * Generated from the descriptor set, so that a method added to a proto is in it. */
#include "shared/auth/token.h"
#include "shared/base/clock.h"
#include "tests/fault/served.h"
#include "tests/support/test_main.h"
#include "tests/unit/auth/forge.h"

#include <stdio.h>
#include <string.h>

enum { HOUR_SECONDS = 3600, MAX_SCOPES = 64 };

#define CHANNEL "web"
#define ACTOR "customers/ann"

/* No message of any type: who hears MESSAGE_MALFORMED was let in, and nothing was changed. */
static const Bytes unreadable = { (const uint8_t *)"\xff", 1 };

static const char *key_path(const Served *served, Arena *arena)
{
    const char *public_path =
        config_text(fixture_context(served_fixture(served))->config, "token-keys");
    const char *slash = strrchr(public_path, '/');

    return arena_printf(arena, "%.*s/key.json", (int)(slash - public_path), public_path);
}

/* Rightly signed, with claims of one's choice. */
static const char *sign(
    const Served *served, Arena *arena, const char *audience, const char *scope, int64_t expires_in)
{
    const char *path = key_path(served, arena);
    long long now = (long long)(clock_now() / 1000000);
    const char *header = arena_printf(
        arena, "{\"alg\":\"ES256\",\"typ\":\"JWT\",\"kid\":\"%s\"}", forge_key_id(arena, path));

    return forge_signed(arena, path, header,
        arena_printf(arena,
            "{\"iss\":\"throughline\",\"aud\":\"%s\",\"sub\":\"accounts/test\",\"channel\":\"\","
            "\"scope\":\"%s\",\"iat\":%lld,\"exp\":%lld,\"jti\":\"x\"}",
            audience, scope, now - 2 * HOUR_SECONDS, now + expires_in));
}

/* Signed by a key that is nobody's. */
static const char *sign_as_stranger(Arena *arena, const char *scope)
{
    const char *folder = test_folder();
    const char *path = arena_printf(arena, "%s/key.json", folder);
    const char *const scopes[] = { scope };
    Caller caller = { .account = "accounts/test",
        .channel = "",
        .scopes = scopes,
        .n_scopes = 1,
        .expires_at = clock_now() + HOUR_SECONDS * INT64_C(1000000) };
    TokenSigner *signer;
    const char *token = "";

    CU_ASSERT_PTR_NULL_FATAL(
        token_keys_create(arena, path, arena_printf(arena, "%s/keys.json", folder)));
    CU_ASSERT_PTR_NULL_FATAL(token_signer_open(arena, path, &signer));
    CU_ASSERT_PTR_NULL(token_sign(signer, arena, &caller, clock_now(), &token));
    token_signer_close(signer);
    return token;
}

/* One letter of what is signed is another. */
static const char *tamper(Arena *arena, const char *token)
{
    char *copy = arena_text(arena, token);
    char *payload = strchr(copy, '.') + 10;

    *payload = *payload == 'A' ? 'B' : 'A';
    return copy;
}

/* Every scope of every method but this one, and some that look like it. */
static const char *all_scopes_but(Arena *arena, const char *scope)
{
    const char *seen[MAX_SCOPES];
    const char *list =
        arena_printf(arena, "%sx %.*s %s.all", scope, (int)strlen(scope) - 1, scope, scope);
    size_t n_methods, n_seen = 0;
    const RpcMethod *methods = rpc_methods(&n_methods);

    seen[n_seen++] = scope;
    for (size_t i = 0; i < n_methods; i++) {
        const char *other = methods[i].policy.scope;
        bool is_new = !text_is_empty(other) && n_seen < MAX_SCOPES;

        for (size_t k = 0; k < n_seen && is_new; k++)
            is_new = !text_equal(other, seen[k]);
        if (!is_new)
            continue;
        seen[n_seen++] = other;
        list = arena_printf(arena, "%s %s", list, other);
    }
    return list;
}

static const Error *call(const Served *served, Arena *arena, const RawPair *metadata)
{
    return raw_unary(
        served_client(served), arena, served->method->path, metadata, unreadable, NULL);
}

static void check_error(const Error *error, ErrorCode code, const char *reason)
{
    CHECK_TEXT(error ? error_code_name((int)error->code) : "OK", error_code_name(code));
    CHECK_TEXT(error_reason(error), reason);
}

static void check_tokens(const Served *served, Arena *arena)
{
    const char *scope = served->method->policy.scope;
    const char *good = sign(served, arena, "throughline", scope, HOUR_SECONDS);
    const struct {
        const char *token;
        const char *reason;
    } cells[] = {
        { NULL, "TOKEN_MISSING" },
        { "rubbish", "TOKEN_MALFORMED" },
        { sign(served, arena, "throughline", scope, -HOUR_SECONDS), "TOKEN_EXPIRED" },
        { tamper(arena, good), "TOKEN_FORGED" },
        { sign_as_stranger(arena, scope), "TOKEN_KEY_UNKNOWN" },
        { sign(served, arena, "elsewhere", scope, HOUR_SECONDS), "TOKEN_AUDIENCE" },
    };

    for (size_t i = 0; i < COUNT(cells); i++)
        check_error(call(served, arena, served_metadata(arena, cells[i].token, CHANNEL, ACTOR)),
            ERROR_UNAUTHENTICATED, cells[i].reason);
}

static void check_scope(const Served *served, Arena *arena)
{
    const char *scope = served->method->policy.scope;
    const char *weak = fixture_token(served_fixture(served), all_scopes_but(arena, scope), "");
    const Error *error = call(served, arena, served_metadata(arena, weak, CHANNEL, ACTOR));

    check_error(error, ERROR_PERMISSION_DENIED, "SCOPE_MISSING");
    CHECK_CONTAINS(error ? error->message : "", arena_printf(arena, "\"%s\"", scope));
    CU_ASSERT_FATAL(error && error->n_facts == 1);
    CHECK_TEXT(error->facts[0].value, scope);
}

static void check_context(const Served *served, Arena *arena, const char *token)
{
    const struct {
        const char *channel, *actor;
        const char *missing;
    } cells[] = {
        { NULL, NULL, "throughline-channel and throughline-actor" },
        { NULL, ACTOR, "throughline-channel" },
        { CHANNEL, NULL, "throughline-actor" },
    };

    for (size_t i = 0; i < COUNT(cells); i++) {
        const Error *error =
            call(served, arena, served_metadata(arena, token, cells[i].channel, cells[i].actor));

        if (!served->method->policy.is_mutation) {
            check_error(error, ERROR_INVALID_ARGUMENT, "MESSAGE_MALFORMED");
            continue;
        }
        check_error(error, ERROR_FAILED_PRECONDITION, "CONTEXT_MISSING");
        CHECK_CONTAINS(error ? error->message : "", cells[i].missing);
    }
}

static void check_right(const Served *served, Arena *arena)
{
    const char *scope = served->method->policy.scope;
    const char *right = fixture_token(served_fixture(served), scope, "");
    const char *of_channel = fixture_token(served_fixture(served), scope, "app");

    check_error(call(served, arena, served_metadata(arena, right, CHANNEL, ACTOR)),
        ERROR_INVALID_ARGUMENT, "MESSAGE_MALFORMED");
    check_error(call(served, arena, served_metadata(arena, of_channel, CHANNEL, ACTOR)),
        ERROR_PERMISSION_DENIED, "CHANNEL_MISMATCH");
    check_context(served, arena, right);
}

static void a_method_lets_in_whom_its_policy_says(void)
{
    const Served *served = served_current();
    Arena *arena = arena_new();

    if (served->method->policy.access == THROUGHLINE__API__V1__METHOD_POLICY__ACCESS__OPEN) {
        check_error(call(served, arena, NULL), ERROR_INVALID_ARGUMENT, "MESSAGE_MALFORMED");
    } else {
        check_tokens(served, arena);
        check_scope(served, arena);
        check_right(served, arena);
    }
    arena_free(arena);
}

static bool has_request_id(const RpcMethod *method)
{
    return protobuf_c_message_descriptor_get_field_by_name(method->input, "request_id");
}

/* "cart.write" */
static bool is_scope(const char *scope)
{
    const char *dot = strchr(scope, '.');

    return dot && dot != scope && dot[1] &&
           strspn(scope, "abcdefghijklmnopqrstuvwxyz.") == strlen(scope);
}

static void every_method_has_a_policy(void)
{
    size_t count;
    const RpcMethod *methods = rpc_methods(&count);

    for (size_t i = 0; i < count; i++) {
        const RpcMethod *method = &methods[i];
        bool is_open = text_starts_with(method->service, "grpc.");

        if (text_starts_with(method->service, "throughline.echo."))
            continue; /* the tests' own, with a scope of one word */
        CHECK_INT(method->policy.access, is_open
                                             ? THROUGHLINE__API__V1__METHOD_POLICY__ACCESS__OPEN
                                             : THROUGHLINE__API__V1__METHOD_POLICY__ACCESS__SCOPE);
        CU_ASSERT(is_open ? text_is_empty(method->policy.scope) : is_scope(method->policy.scope));
        /* What carries an idempotency key changes something, and may be sent again. */
        if (has_request_id(method))
            CU_ASSERT(method->policy.is_mutation && method->policy.is_idempotent);
        if (is_open)
            CU_ASSERT(!method->policy.is_mutation);
    }
}

int main(int argc, char **argv)
{
    CU_TestInfo policies[] = {
        { "every method has a policy", every_method_has_a_policy },
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        { .pName = "policies", .pTests = policies },
        { .pName = "matrix",
            .pInitFunc = served_start,
            .pCleanupFunc = served_stop,
            .pTests = served_tests(a_method_lets_in_whom_its_policy_says, true) },
        CU_SUITE_INFO_NULL,
    };

    return test_main("fault_access", suites, argc, argv);
}
