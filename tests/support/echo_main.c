/* The echo service as a program: the baseline that figures of services are measured against.
 * Says on its first line where it listens and which token it takes. */
#include "shared/base/clock.h"
#include "shared/base/config.h"
#include "shared/base/log.h"
#include "shared/rpc/transport.h"
#include "tests/support/echo_service.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { GRACE_MS = 5000 };

static const Setting settings[] = {
    { "address", SETTING_TEXT, "127.0.0.1", "where to listen" },
    { "port", SETTING_NUMBER, "0", "the port; 0 picks a free one", 0, 65535 },
    { "transport", SETTING_TEXT, "h2", "the engine: h2 or core" },
    { "tls-certificate", SETTING_TEXT, "", "PEM file; none: plaintext" },
    { "tls-key", SETTING_TEXT, "", "PEM file" },
    { "pollers", SETTING_NUMBER, "0", "transport threads; 0: as many as cores", 0, 64 },
    { "workers", SETTING_NUMBER, "0", "threads that may block; 0: the run time's default", 0,
        1024 },
    { "detach", SETTING_SWITCH, "false", "EchoMany goes on without a thread" },
    { "log-level", SETTING_TEXT, "warn", "debug, info, warn or error" },
    { 0 },
};

static const char *const scopes[] = { "*" };

/* Keys that nobody else has, and a token for a day. */
static const Error *make_token(Arena *arena, TokenKeys **keys, const char **token)
{
    char folder[] = "/tmp/echo-keys-XXXXXX";
    const char *private_path, *public_path;
    TokenSigner *signer = NULL;
    int64_t now = clock_now();
    Caller caller = { "accounts/echo", "", scopes, COUNT(scopes), now + 86400000000 };
    const Error *error;

    if (!mkdtemp(folder))
        abort();
    private_path = arena_printf(arena, "%s/private.jwk", folder);
    public_path = arena_printf(arena, "%s/public.jwks", folder);
    if (!(error = token_keys_create(arena, private_path, public_path)) &&
        !(error = token_keys_open(arena, public_path, keys)) &&
        !(error = token_signer_open(arena, private_path, &signer)))
        error = token_sign(signer, arena, &caller, now, token);
    token_signer_close(signer);
    unlink(private_path);
    unlink(public_path);
    rmdir(folder);
    return error;
}

static int run(Arena *arena, const Config *config, const sigset_t *signals)
{
    const RpcService *const services[] = { &echo_rpcs, NULL };
    EchoState state = { .detaches = config_switch(config, "detach") };
    RpcServerOptions options = {
        .address = config_text(config, "address"),
        .port = (int)config_number(config, "port"),
        .hooks = echo_hooks(&state),
        .services = services,
    };
    RpcServer *server;
    const char *token;
    const Error *error;
    bool is_clean;
    int caught;

    if (*config_text(config, "tls-certificate")) {
        options.tls_certificate = config_text(config, "tls-certificate");
        options.tls_key = config_text(config, "tls-key");
    }
    options.limits.pollers = (int32_t)config_number(config, "pollers");
    options.limits.workers = (int32_t)config_number(config, "workers");
    if ((error = transport_find(arena, config_text(config, "transport"), &options.transport)) ||
        (error = make_token(arena, &options.keys, &token)) ||
        (error = rpc_server_start(arena, &options, &server))) {
        fprintf(stderr, "echo_server: %s: %s\n", error->reason, error->message);
        return 1;
    }
    rpc_server_set_serving(server, true);
    printf("{\"port\":%d,\"token\":\"%s\"}\n", rpc_server_port(server), token);
    fflush(stdout);
    sigwait(signals, &caught);
    is_clean = rpc_server_stop(server, GRACE_MS);
    token_keys_close(options.keys);
    return is_clean ? 0 : 1;
}

int main(int argc, char **argv)
{
    Arena *arena = arena_new();
    const Setting *const tables[] = { settings, NULL };
    const Config *config = config_read(arena, tables, argc, argv, stderr);
    LogLevel level = LOG_WARN;
    sigset_t signals;
    int code;

    if (!config || !log_level_from(config_text(config, "log-level"), &level)) {
        config_print_help(tables, stderr);
        arena_free(arena);
        return 2;
    }
    log_setup("echo", level);
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    code = run(arena, config, &signals);
    arena_free(arena);
    return code;
}
