#include "services/identity/identity_service.h"

#include "services/identity/merge_steps.h"
#include "services/identity/timeline.h"

enum { PORT = 7001, MERGE_INTERVAL_MS = 2000 };

static const Setting settings[] = {
    { "token-signing-key", SETTING_TEXT, "",
        "file with the private key (JWK) that tokens are signed with; empty: none are issued", 0,
        0 },
    { 0 },
};

static const Error *open_state(ServiceContext *context)
{
    IdentityState *state = arena_alloc(context->arena, sizeof(*state));
    const char *path = config_text(context->config, "token-signing-key");

    context->state = state;
    return text_is_empty(path) ? NULL : token_signer_open(context->arena, path, &state->signer);
}

static void close_state(ServiceContext *context)
{
    IdentityState *state = context->state;

    if (state && state->signer)
        token_signer_close(state->signer);
}

const Service identity_service = {
    .name = "identity",
    .port = PORT,
    .rpcs = { &customer_rpcs, &consent_rpcs, &account_rpcs },
    .collections = identity_collections,
    .peers = { "cart", "feedback", "notification", "identity" },
    .consumers = { { "cart", { .apply_all = tell_events, .is_relaxed = true } },
        { "feedback", { .apply_all = tell_events, .is_relaxed = true } },
        { "notification", { .apply_all = tell_events, .is_relaxed = true } },
        { "identity", { tell_own_event, .is_relaxed = true } } },
    .jobs = { { "finish-merges", MERGE_INTERVAL_MS, finish_merges } },
    .settings = settings,
    .open = open_state,
    .close = close_state,
};
