/* throughline call: any method of any service by its name, JSON in and out, from the descriptors inside. */
#include "services/throughline/command.h"
#include "services/throughline/input.h"
#include "services/throughline/shop.h"

#include "shared/base/text.h"
#include "shared/codec/json.h"
#include "shared/codec/message.h"
#include "shared/rpc/methods.h"

#include "descriptor_set.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const Setting settings[] = {
    { "timeout", SETTING_DURATION, "10s", "how long to wait for a unary answer", 1, 3600000 },
    { 0 },
};

static const ProtobufCServiceDescriptor *find_service(const char *name)
{
    for (size_t i = 0; i < throughline_n_services; i++)
        if (text_equal(throughline_services[i]->name, name))
            return throughline_services[i];
    return NULL;
}

static int print_methods(Arena *arena, const char *service)
{
    const RpcMethod *const *methods;
    size_t n = rpc_methods_of(arena, service, &methods);

    if (n == 0) {
        fprintf(stderr, "call: no service is called \"%s\". There are:", service);
        for (int i = 0; i < SHOP_SERVICES; i++)
            fprintf(stderr, " %s", shop_services[i].name);
        fprintf(stderr, ".\n");
        return EXIT_USAGE;
    }
    for (size_t i = 0; i < n; i++)
        printf("%-20s %s%s -> %s%s\n", methods[i]->name,
            methods[i]->client_streams ? "stream " : "", methods[i]->input->short_name,
            methods[i]->server_streams ? "stream " : "", methods[i]->output->short_name);
    return EXIT_OK;
}

static const RpcMethod *find_method(Arena *arena, const char *service, const char *name)
{
    const RpcMethod *const *methods;
    size_t n = rpc_methods_of(arena, service, &methods);

    for (size_t i = 0; i < n; i++)
        if (text_equal(methods[i]->name, name))
            return methods[i];
    return NULL;
}

/* False when nobody takes it. */
static bool print_message(Arena *arena, const void *message)
{
    printf("%s\n", json_from_message(arena, message, JSON_PRETTY));
    return !fflush(stdout) && !ferror(stdout);
}

/* One request from the command line, or one a line from standard input. */
static const Error *send_requests(
    Arena *arena, RpcClientStream *stream, const RpcMethod *method, const char *json)
{
    char *line = NULL;
    size_t room = 0;
    ssize_t size;
    const Error *error = NULL;
    void *request;

    if (json) {
        if ((error = json_to_message(
                 arena, method->input, (Bytes){ (const uint8_t *)json, strlen(json) }, &request)) ||
            (error = rpc_client_send(stream, request)))
            return error;
        return rpc_client_finish_sending(stream);
    }
    while (!error && (size = getline(&line, &room, stdin)) > 0) {
        Arena *one = arena_new();

        error = json_to_message(
            one, method->input, (Bytes){ (const uint8_t *)line, (size_t)size }, &request);
        /* Errors outlive the line's arena. */
        if (error)
            error = error_copy(arena, error);
        else
            error = rpc_client_send(stream, request);
        arena_free(one);
    }
    free(line);
    return error ? error : rpc_client_finish_sending(stream);
}

static const Error *call_stream(
    const Shop *shop, const Channel *channel, const RpcMethod *method, const char *json)
{
    const ProtobufCServiceDescriptor *service = find_service(method->service);
    RpcOutgoing outgoing = shop_outgoing(shop, channel, 0);
    RpcClientStream *stream = NULL;
    Arena *one = arena_new();
    void *message = NULL;
    const Error *error;

    outgoing.deadline = INT64_MAX;
    error = rpc_client_open_stream(
        shop_client(shop, service->package), &outgoing, service, method->name, &stream);
    if (!error) {
        error = send_requests(shop->arena, stream, method, json);
        while (!error && !(error = rpc_client_receive(stream, one, &message)) && message &&
               print_message(one, message))
            arena_reset(one);
        error = error_copy(shop->arena, error);
        rpc_client_close_stream(stream);
    }
    arena_free(one);
    return error;
}

static const Error *call_unary(const Shop *shop, const Channel *channel, const RpcMethod *method,
    const char *json, int timeout_ms)
{
    const ProtobufCServiceDescriptor *service = find_service(method->service);
    RpcOutgoing outgoing = shop_outgoing(shop, channel, timeout_ms);
    void *reply = message_new(shop->arena, method->output);
    const char *text = !json ? "{}" : text_equal(json, "-") ? input_text(shop->arena) : json;
    void *request;
    const Error *error;

    if ((error = json_to_message(shop->arena, method->input,
             (Bytes){ (const uint8_t *)text, strlen(text) }, &request)) ||
        (error = rpc_client_call(shop_client(shop, service->package), &outgoing, service,
             method->name, request, reply)))
        return error;
    print_message(shop->arena, reply);
    return NULL;
}

static int run(const Config *config, Arena *arena)
{
    const char *const *words;
    int n = config_words(config, &words);
    const RpcMethod *method;
    const Error *error;
    Channel channel;
    Shop shop;

    if (n == 1)
        return print_methods(arena, words[0]);
    if (n < 1 || n > 3) {
        fprintf(stderr, "Usage: throughline call SERVICE [METHOD [JSON]]\n");
        return EXIT_USAGE;
    }
    if (!(method = find_method(arena, words[0], words[1]))) {
        fprintf(stderr, "call: %s has no method \"%s\"; `throughline call %s` lists them.\n",
            words[0], words[1], words[0]);
        return EXIT_USAGE;
    }
    if ((error = shop_channel(arena, config, &channel)))
        return shop_complain("call", error);
    shop_open(&shop, arena, config);
    if (method->client_streams || method->server_streams)
        error = call_stream(
            &shop, &channel, method, n == 3 && !text_equal(words[2], "-") ? words[2] : NULL);
    else
        error = call_unary(&shop, &channel, method, n == 3 ? words[2] : NULL,
            (int)config_number(config, "timeout"));
    shop_close(&shop);
    return error ? shop_complain(method->path, error) : EXIT_OK;
}

const Command command_call = {
    .name = "call",
    .arguments = "SERVICE [METHOD [JSON]]",
    .summary = "Calls a method; lists a service's methods when none is named.",
    .details = "\nSERVICE is identity, catalog, cart, feedback, notification, or a full service "
               "name. Without JSON a unary "
               "request\nis empty, and requests of a stream are read from standard input, one JSON "
               "a line. \"-\" reads\na unary request from there too.\n\n"
               "Example: throughline call catalog FindVariant '{\"sku\": \"LAMP-1\"}'\n",
    .settings = (const Setting *const[]){ shop_settings, settings, NULL },
    .run = run,
};
