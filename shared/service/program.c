/* A service as a program, and as a part of another one. */
#include "shared/service/running.h"

#include "shared/admin/timer.h"
#include "shared/base/clock.h"
#include "shared/base/log.h"
#include "shared/base/process.h"

#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { EXIT_BAD_SETTING = 2, EXIT_SECOND_SIGNAL = 130, FOREVER_MS = 60 * 60 * 1000 };

static const Setting questions[] = {
    { "help", SETTING_SWITCH, "false", "Prints this and ends." },
    { "version", SETTING_SWITCH, "false", "Prints the version and ends." },
    { 0 },
};

static const Error settings_invalid = { ERROR_INVALID_ARGUMENT, "SETTINGS_INVALID",
    "A setting of the service is unknown or has a bad value; standard error names it." };

/* Descriptors are what a flood of connections eats first. */
static void raise_limits(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit))
        return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

/* By itself libc gives threads up to eight arenas a core, each of which keeps what it once held. */
static void limit_arenas(void)
{
    mallopt(M_ARENA_MAX, (int)sysconf(_SC_NPROCESSORS_ONLN));
}

static void on_signal(int number, void *context)
{
    (void)number;
    if (!running_ask_to_stop(context))
        _exit(EXIT_SECOND_SIGNAL);
}

static void print_help(const Service *service, const Setting *const *tables)
{
    printf("%s: the %s service of Throughline\n\nEvery setting is a flag or, by the name beside "
           "it, an environment variable.\n\n",
        service->name, service->name);
    config_print_help(tables, stdout);
}

static int fail(const Error *error)
{
    log_write(LOG_ERROR, "not_started",
        (const LogField[]){
            { "reason", .text = error->reason }, { "message", .text = error->message }, { 0 } });
    fprintf(stderr, "%s\n", error->message);
    return error->code == ERROR_INVALID_ARGUMENT ? EXIT_BAD_SETTING : EXIT_FAILURE;
}

/* When it listens, and again when it is ready. */
static void log_ports(RunningService *running, const char *event, int64_t started_at)
{
    log_write(LOG_INFO, event,
        (const LogField[]){ { "port", .number = service_port(running) },
            { "admin_port", .number = service_admin_port(running) },
            { "after_ms", .number = (clock_monotonic() - started_at) / 1000 }, { 0 } });
}

static int run(RunningService *running, int64_t started_at)
{
    int drain_ms = (int)config_number(running->config, "drain-ms");
    const Error *error;
    int code = EXIT_SUCCESS;
    bool is_clean;

    process_observe(running->context.metrics, running->service->name, THROUGHLINE_VERSION);
    if (!(error = running_start(running))) {
        admin_on_signal(running->admin, SIGTERM, on_signal, running);
        admin_on_signal(running->admin, SIGINT, on_signal, running);
        log_ports(running, "listening", started_at);
        error = running_open(running);
    }
    if (!error) {
        log_ports(running, "ready", started_at);
        while (!running_pause(running, FOREVER_MS))
            continue;
    } else if (error->code != ERROR_CANCELLED) {
        code = fail(error);
        drain_ms = 0;
    }
    log_write(LOG_INFO, "draining", NULL);
    is_clean = running_stop(running, drain_ms);
    log_write(LOG_INFO, "stopped",
        (const LogField[]){ { "cancelled_calls", .text = is_clean ? "no" : "yes" }, { 0 } });
    return code;
}

int service_main(int argc, char **argv, const Service *service)
{
    int64_t started_at = clock_monotonic();
    Arena *arena = arena_new();
    const Setting *const *own = service_settings(arena, service, true);
    const Setting *tables[] = { questions, own[0], own[1], own[2], own[3], NULL };
    const char *const *words;
    Config *config;
    LogLevel level;
    int code = EXIT_SUCCESS;

    admin_block_signals();
    signal(SIGPIPE, SIG_IGN);
    raise_limits();
    limit_arenas();
    config = config_read(arena, tables, argc, argv, stderr);
    if (!config) {
        code = EXIT_BAD_SETTING;
    } else if (config_switch(config, "help") ||
               (config_words(config, &words) && text_equal(words[0], "-h"))) {
        print_help(service, tables);
    } else if (config_switch(config, "version")) {
        printf("%s %s\n", service->name, THROUGHLINE_VERSION);
    } else if (config_words(config, &words)) {
        fprintf(stderr, "%s: there are only settings, each begins with --\n", words[0]);
        code = EXIT_BAD_SETTING;
    } else if (!log_level_from(config_text(config, "log-level"), &level)) {
        fprintf(stderr, "--log-level: \"%s\" is not debug, info, warn, error or off\n",
            config_text(config, "log-level"));
        code = EXIT_BAD_SETTING;
    } else {
        log_setup(service->name, level);
        code = run(running_new(arena, service, config), started_at);
    }
    arena_free(arena);
    return code;
}

const Error *service_start(
    Arena *arena, const Service *service, int n_flags, char **flags, RunningService **running)
{
    char **argv = arena_array(arena, (size_t)n_flags + 2, sizeof(*argv));
    RunningService *started;
    Config *config;
    const Error *error;

    argv[0] = arena_text(arena, service->name);
    memcpy(argv + 1, flags, (size_t)n_flags * sizeof(*argv));
    config = config_read(arena, service_settings(arena, service, false), n_flags + 1, argv, stderr);
    if (!config)
        return &settings_invalid;
    started = running_new(arena, service, config);
    if ((error = running_start(started)) || (error = running_open(started))) {
        running_stop(started, 0);
        return error;
    }
    *running = started;
    return NULL;
}

int service_port(const RunningService *running)
{
    return rpc_server_port(running->server);
}

int service_admin_port(const RunningService *running)
{
    return admin_port(running->admin);
}

ServiceContext *service_context(RunningService *running)
{
    return &running->context;
}

int64_t service_waiting(const RunningService *running)
{
    Arena *arena = arena_new();
    StoreView view = { .store = running->context.store, .arena = arena };
    StoreEntry *entries;
    size_t n_entries;
    const Error *error =
        store_outbox_read(&view, STORE_ALL_PARTITIONS, STORE_MAX_PAGE, &entries, &n_entries);

    arena_free(arena);
    return error ? -1 : (int64_t)n_entries;
}

int64_t service_lag(const RunningService *running, const char *source)
{
    for (int i = 0; i < running->n_consumers; i++)
        if (text_equal(running->service->consumers[i].source, source))
            return event_consumer_lag(running->consumers[i]);
    return 0;
}

bool service_stop(RunningService *running, int grace_ms)
{
    return running_stop(running, grace_ms);
}
