#include "services/throughline/journey.h"
#include "services/throughline/accounts.h"
#include "services/throughline/command.h"
#include "services/throughline/journey_steps.h"

#include "shared/base/clock.h"
#include "shared/base/id.h"
#include "shared/base/money.h"
#include "shared/base/text.h"
#include "shared/base/wrap.h"
#include "shared/codec/types.h"

#include <stdarg.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { AWAIT_MS = 180000, ASK_AGAIN_MS = 20, MIN_TEXT_WIDTH = 24 };

/* Of the terminal; 0 where the lines go elsewhere and stay whole. */
static int terminal_width(void)
{
    struct winsize size;

    return isatty(STDOUT_FILENO) && !ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) ? size.ws_col : 0;
}

void journey_print(const char *lead, const char *text)
{
    Arena *arena = arena_new();
    int indent = (int)text_length(lead), width = terminal_width();

    printf("%s%s\n", lead,
        width >= indent + MIN_TEXT_WIDTH ? wrap_text(arena, text, indent, width) : text);
    fflush(stdout);
    arena_free(arena);
}

void journey_say(const char *channel, const char *who, const char *format, ...)
{
    Arena *arena = arena_new();
    va_list args;
    char *text;

    va_start(args, format);
    text = arena_vprintf(arena, format, args);
    va_end(args);
    journey_print(arena_printf(arena, "  %-8s %-20s ", channel, who), text);
    arena_free(arena);
}

const Error *journey_broken(Journey *journey, const char *format, ...)
{
    va_list args;
    char *message;

    va_start(args, format);
    message = arena_vprintf(journey->arena, format, args);
    va_end(args);
    return error_new(journey->arena, ERROR_FAILED_PRECONDITION, "JOURNEY_BROKEN", "%s", message);
}

const char *journey_money(Journey *journey, const Google__Type__Money *money)
{
    char text[MONEY_TEXT_SIZE];
    int64_t minor;

    if (!money || !money_minor(money, &minor))
        return "(no amount)";
    return arena_text(journey->arena, money_format(money->currency_code, minor, text));
}

char *journey_request_id(Journey *journey)
{
    char id[ID_SIZE];

    id_new(id);
    return arena_text(journey->arena, id);
}

const Error *journey_await(
    Journey *journey, const char *what, const Error *(*is_done)(Journey *journey, bool *done))
{
    int64_t end = clock_monotonic() + (int64_t)AWAIT_MS * 1000;
    bool done = false;
    const Error *error;

    while (!(error = is_done(journey, &done)) && !done) {
        if (clock_monotonic() > end)
            return journey_broken(journey, "%s did not happen within %d s.", what, AWAIT_MS / 1000);
        clock_sleep_ms(ASK_AGAIN_MS);
    }
    return error;
}

static const Error *open_channel(
    Journey *journey, const char *data, const char *name, const char *device, Channel *channel)
{
    channel->context = (RpcContext){
        .channel = name,
        .device = device,
        .journey = arena_printf(journey->arena, "journeys/%s", journey->id),
        .purpose = "service",
    };
    return accounts_token(journey->arena, data, name, &channel->token);
}

const Error *journey_play(Arena *arena, const char *data, Shop *shop)
{
    static const Error *(*const steps[])(Journey *) = { journey_govern, journey_prepare,
        journey_find, journey_browse, journey_sign_in, journey_hand_over, journey_get_help,
        journey_ship, journey_check_out, journey_complain, journey_resolve, journey_thank,
        journey_bring_back, journey_report };
    char id[ID_SIZE];
    Journey journey = { .arena = arena, .shop = shop };
    const Error *error = NULL;

    /* A service whose store is slow is away for a moment, and comes back. */
    shop->patience_ms = SHOP_CALL_MS;
    id_new(id);
    /* The random end of the id: its beginning is the time. */
    journey.id = arena_text(arena, id + 16);
    if ((error = open_channel(&journey, data, "web", "browser", &journey.web)) ||
        (error = open_channel(&journey, data, "app", "phone", &journey.app)) ||
        (error = open_channel(&journey, data, "store", "till-3", &journey.store)) ||
        (error = open_channel(&journey, data, "care", "desk-7", &journey.care)) ||
        (error = open_channel(&journey, data, "social", "listener", &journey.social)) ||
        (error = open_channel(&journey, data, "merchandising", "", &journey.merchandising)) ||
        (error = open_channel(&journey, data, "governance", "", &journey.governance)))
        return error;
    printf("\nOne customer, five channels\n\n");
    for (size_t i = 0; i < COUNT(steps) && !error; i++)
        error = steps[i](&journey);
    if (journey.inbox)
        rpc_client_close_stream(journey.inbox);
    return error;
}

static int run_demo(const Config *config, Arena *arena)
{
    Shop shop;
    const Error *error;

    shop_open(&shop, arena, config);
    error = journey_play(arena, config_text(config, "data"), &shop);
    shop_close(&shop);
    return error ? shop_complain("demo", error) : EXIT_OK;
}

const Command command_demo = {
    .name = "demo",
    .arguments = "",
    .summary = "Plays one customer's journey through five channels against running services.",
    .details = "\nUses the channels' tokens in DATA/tokens, which `throughline up` makes.\n",
    .settings = (const Setting *const[]){ shop_settings, NULL },
    .run = run_demo,
};
