/* Under TLS it shows the server's own certificate and takes any: it asks whether the port
 * answers, not who does. */
#include "shared/rpc/probe.h"

#include "shared/base/text.h"

#include <grpc/grpc.h>
#include <grpc/grpc_security.h>
#include <grpc/slice.h>
#include <grpc/support/time.h>
#include <stdio.h>
#include <string.h>

enum { PROBE_TIMEOUT_MS = 1000, TARGET_SIZE = 300 };

static const Error probe_failed = { ERROR_UNAVAILABLE, "PROBE_FAILED",
    "The server did not answer a call through its own port within a second." };

static void print_target(const RpcProbe *probe, char target[TARGET_SIZE])
{
    const char *address = probe->address;

    if (text_equal(address, "0.0.0.0"))
        address = "127.0.0.1";
    else if (text_equal(address, "::"))
        address = "::1";
    snprintf(target, TARGET_SIZE, strchr(address, ':') ? "[%s]:%d" : "%s:%d", address, probe->port);
}

static grpc_channel_credentials *credentials_of(const RpcProbe *probe)
{
    grpc_tls_credentials_options *options;
    grpc_tls_certificate_provider *provider;
    grpc_tls_certificate_verifier *verifier;
    grpc_channel_credentials *credentials;

    if (!probe->tls_certificate)
        return grpc_insecure_credentials_create();
    options = grpc_tls_credentials_options_create();
    provider = grpc_tls_certificate_provider_file_watcher_create(
        probe->tls_key, probe->tls_certificate, NULL, 3600);
    grpc_tls_credentials_options_set_certificate_provider(options, provider);
    grpc_tls_credentials_options_watch_identity_key_cert_pairs(options);
    grpc_tls_credentials_options_set_verify_server_cert(options, 0);
    grpc_tls_credentials_options_set_check_call_host(options, 0);
    verifier = grpc_tls_certificate_verifier_no_op_create();
    grpc_tls_credentials_options_set_certificate_verifier(options, verifier);
    grpc_tls_certificate_verifier_release(verifier);
    credentials = grpc_tls_credentials_create(options);
    grpc_tls_certificate_provider_release(provider);
    return credentials;
}

/* A pool of its own, or the connection of an earlier probe would be used again and prove nothing
 * about the listener. */
static grpc_channel *open_channel(const RpcProbe *probe)
{
    grpc_arg args[] = {
        { GRPC_ARG_INTEGER, (char *)GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, { .integer = 1 } },
        { GRPC_ARG_INTEGER, (char *)GRPC_ARG_ENABLE_RETRIES, { .integer = 0 } },
    };
    grpc_channel_credentials *credentials = credentials_of(probe);
    char target[TARGET_SIZE];
    grpc_channel *channel;

    print_target(probe, target);
    channel = grpc_channel_create(target, credentials, &(grpc_channel_args){ COUNT(args), args });
    grpc_channel_credentials_release(credentials);
    return channel;
}

static grpc_status_code call_check(grpc_channel *channel, grpc_completion_queue *queue)
{
    gpr_timespec deadline = gpr_time_add(
        gpr_now(GPR_CLOCK_MONOTONIC), gpr_time_from_millis(PROBE_TIMEOUT_MS, GPR_TIMESPAN));
    grpc_slice method = grpc_slice_from_static_string("/grpc.health.v1.Health/Check");
    grpc_call *call = grpc_channel_create_call(
        channel, NULL, GRPC_PROPAGATE_DEFAULTS, queue, method, NULL, deadline, NULL);
    grpc_slice empty = grpc_empty_slice();
    grpc_byte_buffer *request = grpc_raw_byte_buffer_create(&empty, 1);
    grpc_byte_buffer *reply = NULL;
    grpc_metadata_array initial, trailing;
    grpc_status_code status = GRPC_STATUS_UNKNOWN;
    grpc_slice details = grpc_empty_slice();
    grpc_op ops[] = {
        { .op = GRPC_OP_SEND_INITIAL_METADATA },
        { .op = GRPC_OP_SEND_MESSAGE, .data.send_message.send_message = request },
        { .op = GRPC_OP_SEND_CLOSE_FROM_CLIENT },
        { .op = GRPC_OP_RECV_INITIAL_METADATA,
            .data.recv_initial_metadata.recv_initial_metadata = &initial },
        { .op = GRPC_OP_RECV_MESSAGE, .data.recv_message.recv_message = &reply },
        { .op = GRPC_OP_RECV_STATUS_ON_CLIENT,
            .data.recv_status_on_client = { &trailing, &status, &details, NULL } },
    };

    grpc_metadata_array_init(&initial);
    grpc_metadata_array_init(&trailing);
    if (grpc_call_start_batch(call, ops, COUNT(ops), call, NULL) == GRPC_CALL_OK)
        grpc_completion_queue_pluck(queue, call, gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL);
    grpc_slice_unref(details);
    grpc_metadata_array_destroy(&initial);
    grpc_metadata_array_destroy(&trailing);
    grpc_byte_buffer_destroy(request);
    if (reply)
        grpc_byte_buffer_destroy(reply);
    grpc_call_unref(call);
    return status;
}

const Error *probe_check(const RpcProbe *probe)
{
    grpc_completion_queue *queue;
    grpc_channel *channel;
    grpc_status_code status;

    grpc_init();
    queue = grpc_completion_queue_create_for_pluck(NULL);
    channel = open_channel(probe);
    status = call_check(channel, queue);
    grpc_channel_destroy(channel);
    grpc_completion_queue_shutdown(queue);
    grpc_completion_queue_destroy(queue);
    grpc_shutdown();
    return status == GRPC_STATUS_OK ? NULL : &probe_failed;
}
