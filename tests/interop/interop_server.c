/* The server of the interoperability cases as a program, on the engine that is asked for. Its first
 * line is its port; it serves until SIGTERM. */
#include "shared/base/config.h"
#include "shared/base/log.h"
#include "shared/rpc/server.h"
#include "shared/rpc/transport.h"
#include "tests/interop/test_service.h"

#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

enum { GRACE_MS = 5000 };

static const Setting settings[] = {
    { "address", SETTING_TEXT, "127.0.0.1", "where to listen" },
    { "port", SETTING_NUMBER, "0", "the port; 0 picks a free one", 0, 65535 },
    { "transport", SETTING_TEXT, "core", "the engine: core or h2" },
    { "tls-certificate", SETTING_TEXT, "", "PEM file; none: plaintext" },
    { "tls-key", SETTING_TEXT, "", "PEM file" },
    { "max-connections-per-address", SETTING_NUMBER, "0", "0: the default", 0, 1000000 },
    { "max-address-memory", SETTING_SIZE, "0", "0: the default", 0, 1024LL * 1024 * 1024 },
    { 0 },
};

static int run(Arena *arena, const Config *config, const sigset_t *signals)
{
    const RpcService *const services[] = { &test_rpcs, NULL };
    RpcServerOptions options = {
        .address = config_text(config, "address"),
        .port = (int)config_number(config, "port"),
        .limits = {
            .max_connections_per_address =
                (int32_t)config_number(config, "max-connections-per-address"),
            .max_address_bytes = config_number(config, "max-address-memory"),
        },
        .services = services,
    };
    RpcServer *server;
    const Error *error;
    int caught;

    if (*config_text(config, "tls-certificate")) {
        options.tls_certificate = config_text(config, "tls-certificate");
        options.tls_key = config_text(config, "tls-key");
    }
    if ((error = transport_find(arena, config_text(config, "transport"), &options.transport)) ||
        (error = rpc_server_start(arena, &options, &server))) {
        fprintf(stderr, "interop_server: %s: %s\n", error->reason, error->message);
        return 1;
    }
    rpc_server_set_serving(server, true);
    printf("%d\n", rpc_server_port(server));
    fflush(stdout);
    sigwait(signals, &caught);
    return rpc_server_stop(server, GRACE_MS) ? 0 : 1;
}

int main(int argc, char **argv)
{
    Arena *arena = arena_new();
    const Setting *const tables[] = { settings, NULL };
    const Config *config = config_read(arena, tables, argc, argv, stderr);
    sigset_t signals;
    int code = 2;

    if (config) {
        mallopt(M_ARENA_MAX, (int)sysconf(_SC_NPROCESSORS_ONLN)); /* as the services do */
        log_setup("interop", LOG_ERROR);
        sigemptyset(&signals);
        sigaddset(&signals, SIGTERM);
        sigaddset(&signals, SIGINT);
        pthread_sigmask(SIG_BLOCK, &signals, NULL);
        code = run(arena, config, &signals);
    } else {
        config_print_help(tables, stderr);
    }
    arena_free(arena);
    return code;
}
