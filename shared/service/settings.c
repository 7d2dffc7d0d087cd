/* The settings that every service has. */
#include "shared/service/running.h"

#include "shared/base/text.h"

enum {
    N_TABLES = 4, /* ports, common, targets, the service's own */
    ADMIN_PORT_DISTANCE = 100,
    MAX_PORT = 65535,
    DAY_MS = 24 * 60 * 60 * 1000,
};

static const Error tls_half = { ERROR_INVALID_ARGUMENT, "SETTINGS_INVALID",
    "--tls-cert and --tls-key are given together or not at all." };
static const Error tls_roots_alone = { ERROR_INVALID_ARGUMENT, "SETTINGS_INVALID",
    "--tls-ca without --tls-cert and --tls-key would leave the port in plaintext." };

static const Setting common[] = {
    { "address", SETTING_TEXT, "0.0.0.0", "Where calls and probes are listened for." },
    { "store-uri", SETTING_TEXT, "embedded:./data",
        "The store: embedded:FOLDER, or mongodb://… with everything libmongoc takes." },
    { "token-keys", SETTING_TEXT, "",
        "File with the public keys of tokens (a JWK set); without it no call is let in." },
    { "token-file", SETTING_TEXT, "",
        "File with this service's own token, shown to its peers; read again when it changes." },
    { "log-level", SETTING_TEXT, "info", "debug, info, warn, error or off." },
    { "drain-ms", SETTING_NUMBER, "25000",
        "How long calls under way may go on after SIGTERM, in milliseconds.", 0, DAY_MS },
    { "transport", SETTING_TEXT, "h2",
        "The engine of the gRPC server and of calls to other services: h2 (libnghttp2) or core "
        "(gRPC core)." },
    { "tls-cert", SETTING_TEXT, "", "Certificate chain (PEM); without it plaintext." },
    { "tls-key", SETTING_TEXT, "", "Its private key (PEM)." },
    { "tls-ca", SETTING_TEXT, "",
        "Roots (PEM) that peers are checked against; clients must then show a certificate too." },
    { "workers", SETTING_NUMBER, "128", "Threads for calls that may block.", 1, 4096 },
    { "pollers", SETTING_NUMBER, "0", "Threads of the transport; 0: one a core.", 0, 256 },
    { "max-calls", SETTING_NUMBER, "4096", "Calls in the server at once.", 1, 1000000 },
    { "max-queue", SETTING_NUMBER, "1024", "Calls that wait for a worker.", 1, 1000000 },
    { "max-streams", SETTING_NUMBER, "256", "Calls on one connection at once.", 1, 100000 },
    { "max-message", SETTING_SIZE, "4m", "One message.", 1024, 64 * 1024 * 1024 },
    { "idle-time", SETTING_DURATION, "5m", "After which a connection without calls is closed.",
        1000, DAY_MS },
    { "max-age", SETTING_DURATION, "5m", "After which a connection is asked to come anew.", 1000,
        DAY_MS },
    { "max-connections", SETTING_NUMBER, "20000", "Connections at once.", 1, 1000000 },
    { "max-connections-per-address", SETTING_NUMBER, "500", "The same from one address.", 1,
        1000000 },
    { "max-address-memory", SETTING_SIZE, "40m",
        "What one address makes the server keep: connections, calls, messages.", 1024 * 1024,
        64LL * 1024 * 1024 * 1024 },
    { "max-resets", SETTING_NUMBER, "1000",
        "Calls that a connection may give up at a go; a tenth of it more each second.", 1,
        1000000 },
    { "max-control-frames", SETTING_NUMBER, "10000",
        "The same of frames that carry no call (pings, settings, …).", 1, 1000000 },
    { "max-pending", SETTING_SIZE, "16m",
        "Unfinished messages and untaken replies of a connection.", 65536, 1024 * 1024 * 1024 },
    { "max-held", SETTING_SIZE, "16m", "Replies in all that clients do not take.", 65536,
        64LL * 1024 * 1024 * 1024 },
    { "max-memory", SETTING_SIZE, "0",
        "Memory of the process, above 85 % of which it takes no connections; 0: the system's "
        "limit.",
        0, 1024LL * 1024 * 1024 * 1024 },
    { "handshake-time", SETTING_DURATION, "10s", "For TLS, preface and a block of headers.", 10,
        DAY_MS },
    { "body-time", SETTING_DURATION, "60s", "For a message that has begun.", 10, DAY_MS },
    { "stall-time", SETTING_DURATION, "60s",
        "After which a client that takes nothing of its replies is left.", 10, DAY_MS },
    { "proxy-protocol", SETTING_SWITCH, "false",
        "Every connection begins with a PROXY protocol v2 header, which says who the client is." },
    { 0 },
};

static const struct {
    const char *name;
    const char *target;
} known_targets[] = {
    { "identity", "localhost:7001" },
    { "catalog", "localhost:7002" },
    { "cart", "localhost:7003" },
    { "feedback", "localhost:7004" },
    { "notification", "localhost:7005" },
};

static const char *default_target(const char *peer)
{
    for (size_t i = 0; i < COUNT(known_targets); i++)
        if (text_equal(known_targets[i].name, peer))
            return known_targets[i].target;
    return "";
}

static const Setting *ports(Arena *arena, const Service *service, bool is_program)
{
    Setting *settings = arena_array(arena, 3, sizeof(*settings));
    int port = is_program ? service->port : 0;
    int admin_port = is_program ? service->port + ADMIN_PORT_DISTANCE : 0;

    settings[0] = (Setting){ "port", SETTING_NUMBER, arena_printf(arena, "%d", port),
        "Port of the gRPC server; 0: any free one.", 0, MAX_PORT };
    settings[1] = (Setting){ "admin-port", SETTING_NUMBER, arena_printf(arena, "%d", admin_port),
        "Port of /healthz, /readyz, /metrics and /version; 100 above the other when not given.", 0,
        MAX_PORT };
    return settings;
}

static const Setting *targets(Arena *arena, const Service *service)
{
    Setting *settings = arena_array(arena, SERVICE_MAX_PEERS + 1, sizeof(*settings));

    for (int i = 0; i < SERVICE_MAX_PEERS && service->peers[i]; i++)
        settings[i] = (Setting){ arena_printf(arena, "%s-target", service->peers[i]), SETTING_TEXT,
            default_target(service->peers[i]),
            arena_printf(arena, "Where the %s service is: a gRPC target.", service->peers[i]) };
    return settings;
}

const Setting *const *service_settings(Arena *arena, const Service *service, bool is_program)
{
    const Setting **tables = arena_array(arena, N_TABLES + 1, sizeof(*tables));

    tables[0] = ports(arena, service, is_program);
    tables[1] = common;
    tables[2] = targets(arena, service);
    tables[3] = service->settings;
    return tables;
}

RpcLimits service_limits(const Config *config)
{
    return (RpcLimits){
        .max_message_bytes = config_number(config, "max-message"),
        .max_calls = (int32_t)config_number(config, "max-calls"),
        .max_queue = (int32_t)config_number(config, "max-queue"),
        .max_streams = (int32_t)config_number(config, "max-streams"),
        .workers = (int32_t)config_number(config, "workers"),
        .pollers = (int32_t)config_number(config, "pollers"),
        .idle_ms = config_number(config, "idle-time"),
        .max_age_ms = config_number(config, "max-age"),
        .max_connections = (int32_t)config_number(config, "max-connections"),
        .max_connections_per_address =
            (int32_t)config_number(config, "max-connections-per-address"),
        .max_address_bytes = config_number(config, "max-address-memory"),
        .max_resets = (int32_t)config_number(config, "max-resets"),
        .max_control_frames = (int32_t)config_number(config, "max-control-frames"),
        .max_pending_bytes = config_number(config, "max-pending"),
        .max_held_bytes = config_number(config, "max-held"),
        .max_memory_bytes = config_number(config, "max-memory"),
        .handshake_ms = config_number(config, "handshake-time"),
        .body_ms = config_number(config, "body-time"),
        .stall_ms = config_number(config, "stall-time"),
    };
}

const Error *service_check_tls(const Config *config)
{
    bool has_certificate = service_text(config, "tls-cert");

    if (has_certificate != !!service_text(config, "tls-key"))
        return &tls_half;
    return service_text(config, "tls-ca") && !has_certificate ? &tls_roots_alone : NULL;
}

int service_admin_port_setting(const Config *config)
{
    int64_t port = config_number(config, "port");

    if (config_is_given(config, "admin-port") || !config_is_given(config, "port") || port == 0)
        return (int)config_number(config, "admin-port");
    return port + ADMIN_PORT_DISTANCE <= MAX_PORT ? (int)port + ADMIN_PORT_DISTANCE : 0;
}

const char *service_text(const Config *config, const char *name)
{
    const char *text = config_text(config, name);

    return text_is_empty(text) ? NULL : text;
}
