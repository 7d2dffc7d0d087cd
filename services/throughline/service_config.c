/* throughline service-config: how clients in other languages spread and retry calls, out of what the protos say of each method. */
#include "services/throughline/command.h"

#include "shared/rpc/client.h"

#include <stdio.h>

static const Setting settings[] = { { 0 } };

static int run(const Config *config, Arena *arena)
{
    (void)config;
    printf("%s\n", rpc_client_service_config(arena));
    return EXIT_OK;
}

const Command command_service_config = {
    .name = "service-config",
    .arguments = "",
    .summary = "Prints a service config (JSON) for clients in any language.",
    .details = "\nCalls go round all replicas, keep off those that are not serving, and are tried "
               "again on UNAVAILABLE where "
               "that is safe:\nreads, and changes with a request id. Python: "
               "grpc.insecure_channel(target, "
               "options=[(\"grpc.service_config\", text)]);\nNode: the same name; Go: "
               "grpc.WithDefaultServiceConfig(text).\n",
    .settings = (const Setting *const[]){ settings, NULL },
    .run = run,
};
