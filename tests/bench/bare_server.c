/* A server of gRPC core and nothing else: one method, which sends back what it gets. What a service
 * needs beyond it is ours. Says on its first line where it listens; ends at SIGTERM, without
 * ceremony. */
#include <grpc/byte_buffer.h>
#include <grpc/grpc.h>
#include <grpc/grpc_security.h>
#include <grpc/support/time.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { REQUESTS = 64 };

typedef struct Bare {
    grpc_server *server;
    grpc_completion_queue *queue;
    void *method;
} Bare;

typedef struct BareCall {
    grpc_call *call;
    gpr_timespec deadline;
    grpc_metadata_array metadata;
    grpc_byte_buffer *message;
    int is_cancelled;
    int is_answered;
} BareCall;

static void request_call(Bare *bare)
{
    BareCall *call = calloc(1, sizeof(*call));

    if (!call)
        abort();
    grpc_metadata_array_init(&call->metadata);
    if (grpc_server_request_registered_call(bare->server, bare->method, &call->call,
            &call->deadline, &call->metadata, &call->message, bare->queue, bare->queue, call))
        abort();
}

static void answer(BareCall *call)
{
    grpc_op ops[4] = { { .op = GRPC_OP_SEND_INITIAL_METADATA }, { .op = GRPC_OP_SEND_MESSAGE },
        { .op = GRPC_OP_SEND_STATUS_FROM_SERVER }, { .op = GRPC_OP_RECV_CLOSE_ON_SERVER } };
    grpc_call *handle = call->call;

    ops[1].data.send_message.send_message = call->message;
    ops[2].data.send_status_from_server.status = GRPC_STATUS_OK;
    ops[3].data.recv_close_on_server.cancelled = &call->is_cancelled;
    call->is_answered = 1;
    if (grpc_call_start_batch(handle, ops, 4, call, NULL))
        abort();
}

static void free_call(BareCall *call)
{
    grpc_byte_buffer_destroy(call->message);
    grpc_metadata_array_destroy(&call->metadata);
    grpc_call_unref(call->call);
    free(call);
}

static void *serve(void *context)
{
    Bare *bare = context;

    for (;;) {
        grpc_event event =
            grpc_completion_queue_next(bare->queue, gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL);
        BareCall *call = event.tag;

        if (call->is_answered) {
            free_call(call);
            continue;
        }
        request_call(bare);
        answer(call);
    }
    return NULL;
}

int main(void)
{
    grpc_server_credentials *credentials;
    long threads = sysconf(_SC_NPROCESSORS_ONLN);
    pthread_t thread;
    Bare bare;
    int port;

    grpc_init();
    bare.server = grpc_server_create(NULL, NULL);
    bare.queue = grpc_completion_queue_create_for_next(NULL);
    grpc_server_register_completion_queue(bare.server, bare.queue, NULL);
    bare.method = grpc_server_register_method(
        bare.server, "/bench.Bare/Echo", NULL, GRPC_SRM_PAYLOAD_READ_INITIAL_BYTE_BUFFER, 0);
    credentials = grpc_insecure_server_credentials_create();
    port = grpc_server_add_http2_port(bare.server, "127.0.0.1:0", credentials);
    grpc_server_credentials_release(credentials);
    if (!port)
        return 1;
    grpc_server_start(bare.server);
    for (int i = 0; i < REQUESTS; i++)
        request_call(&bare);
    for (long i = 1; i < threads; i++)
        if (pthread_create(&thread, NULL, serve, &bare))
            return 1;
    printf("{\"port\":%d}\n", port);
    fflush(stdout);
    serve(&bare);
}
