/* throughline up: the five services on this machine, with keys, accounts and a catalogue; then the demo, then serving until Ctrl-C. */
#include "services/throughline/accounts.h"
#include "services/throughline/catalogue.h"
#include "services/throughline/command.h"
#include "services/throughline/data_folder.h"
#include "services/throughline/journey.h"
#include "services/throughline/processes.h"

#include "shared/base/clock.h"
#include "shared/base/text.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { READY_TIMEOUT_MS = 60000, STOP_GRACE_MS = 30000, WATCH_MS = 200 };

static const Setting settings[] = {
    { "data", SETTING_TEXT, SHOP_DATA, "folder for the embedded store, keys, tokens and logs", 0,
        0 },
    { "store-uri", SETTING_TEXT, "",
        "\"mongodb://…\" instead of the embedded store; default: embedded:DATA/store", 0, 0 },
    { "base-port", SETTING_NUMBER, "7001",
        "identity's port; the others follow, admin ports are 100 higher", 1, 65000 },
    { "catalog", SETTING_TEXT, "", "a file of products to import instead of the demo's own", 0, 0 },
    { "demo", SETTING_SWITCH, "false", "play the cross-channel journey when all is ready", 0, 0 },
    { "once", SETTING_SWITCH, "false", "end after the journey (implies --demo)", 0, 0 },
    { "log-level", SETTING_TEXT, "info", "of the services: debug, info, warn, error", 0, 0 },
    { 0 },
};

static volatile sig_atomic_t stop_asked;

/* Whoever asks twice does not wait for services that take their time. */
static void ask_to_stop(int signal_number)
{
    (void)signal_number;
    stop_asked = stop_asked ? 2 : 1;
}

/* The terminal that is closed, too; whoever wants to outlive it (nohup) has said so. */
static void catch_signals(void)
{
    struct sigaction action = { .sa_handler = ask_to_stop }, before;

    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    if (!sigaction(SIGHUP, NULL, &before) && before.sa_handler != SIG_IGN)
        sigaction(SIGHUP, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
}

/* Everything between "all ready" and "keeps serving". */
static const Error *set_up_shop(Arena *arena, const Config *config, const char *data, Shop *shop)
{
    const Error *error;

    if ((error = accounts_create(arena, data, shop)) ||
        (error = catalogue_import_for_demo(arena, data, shop, config_text(config, "catalog"))))
        return error;
    if (config_switch(config, "demo") || config_switch(config, "once"))
        return journey_play(arena, data, shop);
    return NULL;
}

/* What `call` and `watch` have to be told besides, where the shop is not where they look for it. */
static const char *flags_for(Arena *arena, const Processes *processes, const char *service)
{
    const char *flags = "";

    for (int i = 0; i < SHOP_SERVICES; i++)
        if (text_equal(shop_services[i].name, service) &&
            processes->base_port + i != shop_services[i].port)
            flags =
                arena_printf(arena, " --%s-target=localhost:%d", service, processes->base_port + i);
    return text_equal(processes->data, SHOP_DATA)
               ? flags
               : arena_printf(arena, "%s --data=%s", flags, processes->data);
}

static int serve(Arena *arena, Processes *processes)
{
    const char *self = program_invocation_name;

    printf("\nServing on ports %d to %d (Ctrl-C stops). Tokens are in %s/tokens. Try:\n"
           "  %s call catalog ListProducts '{\"pageSize\": 3}'%s\n"
           "  %s watch events cart%s\n",
        processes->base_port, processes->base_port + SHOP_SERVICES - 1, processes->data, self,
        flags_for(arena, processes, "catalog"), self, flags_for(arena, processes, "cart"));
    fflush(stdout);
    while (!stop_asked) {
        int ended = processes_reap(processes);

        if (ended >= 0) {
            fprintf(stderr, "%s has ended; its log is %s/logs/%s.log.\n", shop_services[ended].name,
                processes->data, shop_services[ended].name);
            return EXIT_FAILED;
        }
        clock_sleep_ms(WATCH_MS);
    }
    printf("\nStopping …\n");
    return EXIT_OK;
}

static const Error *start_all(Arena *arena, Processes *processes)
{
    int64_t start;
    const Error *error;

    if ((error = data_folder_take(arena, processes->data)) ||
        (error = accounts_prepare(arena, processes->data)))
        return error;
    if (text_is_empty(processes->store_uri)) {
        const char *folder = arena_printf(arena, "%s/store", processes->data);

        if ((error = data_folder_make(arena, folder)))
            return error;
        processes->store_uri = arena_printf(arena, "embedded:%s", folder);
    }
    start = clock_monotonic();
    if ((error = processes_start(arena, processes)) ||
        (error = processes_wait_ready(arena, processes, READY_TIMEOUT_MS)))
        return error;
    printf("Five services ready in %.2f s (%s).\n", (double)(clock_monotonic() - start) / 1e6,
        text_starts_with(processes->store_uri, "mongodb") ? "MongoDB" : "embedded store");
    return NULL;
}

static int run(const Config *config, Arena *arena)
{
    Processes processes = {
        .base_port = (int)config_number(config, "base-port"),
        .data = config_text(config, "data"),
        .store_uri = config_text(config, "store-uri"),
        .log_level = config_text(config, "log-level"),
        .stop = &stop_asked,
    };
    const Error *error;
    int code = EXIT_OK;
    Shop shop;

    catch_signals();
    setvbuf(stdout, NULL, _IOLBF, 0); /* also for whoever reads along in a file */
    if (!(error = start_all(arena, &processes))) {
        shop_open_local(&shop, arena, processes.base_port);
        shop.stop = &stop_asked;
        error = set_up_shop(arena, config, processes.data, &shop);
        shop_close(&shop);
    }
    if (error)
        code = shop_complain("up", error);
    else if (!config_switch(config, "once"))
        code = serve(arena, &processes);
    if (!processes_stop(&processes, STOP_GRACE_MS)) {
        fprintf(
            stderr, "Not every service ended cleanly; the logs are in %s/logs.\n", processes.data);
        code = EXIT_FAILED;
    }
    return code;
}

const Command command_up = {
    .name = "up",
    .arguments = "",
    .summary = "Starts the five services on this machine and keeps them running.",
    .details = "\nMakes keys, one account a channel (web, app, store, care, social, "
               "merchandising, governance), imports a catalogue.\n",
    .settings = (const Setting *const[]){ settings, NULL },
    .run = run,
};
