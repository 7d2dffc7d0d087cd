/* What a connection makes the server keep, nearly and on the safe side, summed up by address: a
 * stranger has few of them. Above the limit an address gets nothing new until it has taken, or given
 * up, what it has. */
#include "shared/rpc/transport_h2.h"

enum {
    CONNECTION_BYTES = 27 * 1024, /* with nghttp2's session, of which half is seldom touched */
    TLS_BYTES = 24 * 1024,
    HANDSHAKE_BYTES = 32 * 1024,
    CALL_BYTES = 2 * 1024,     /* with nghttp2's stream */
    ARRIVED_BYTES = 10 * 1024, /* the run time's part of a call, with its arena */
    FRAME_BYTES = 512,         /* that waits inside nghttp2 */
    BLOCK_FACTOR = 2,          /* Huffman's codes are up to so much shorter than their texts */
    STEP_BYTES = 4 * 1024,     /* all connections of an address share a sum, and touch it seldom */
};

static int64_t weight_of(const H2Connection *connection)
{
    size_t weight = connection->in_bytes + connection->out_bytes + connection->work_bytes +
                    connection->n_calls * CALL_BYTES;

    if (!connection->session)
        return (int64_t)weight;
    if (connection->ssl)
        weight += connection->is_secure ? TLS_BYTES : HANDSHAKE_BYTES;
    weight += CONNECTION_BYTES + connection->pending_size + connection->block_bytes * BLOCK_FACTOR +
              nghttp2_session_get_outbound_queue_size(connection->session) * FRAME_BYTES;
    return (int64_t)weight;
}

void h2_weigh(H2Connection *connection)
{
    int64_t step = weight_of(connection) - connection->weight;

    if (step < STEP_BYTES && step > -STEP_BYTES)
        return;
    connection->weight += step;
    h2_peers_weigh(connection->peer, step);
}

bool h2_is_heavy(const H2Connection *connection)
{
    int64_t others = h2_peers_weight(connection->peer) - connection->weight;

    return others + weight_of(connection) > connection->loop->transport->limits.max_address_bytes;
}

void h2_weigh_arrival(H2Call *call, size_t message_bytes)
{
    call->work_bytes = ARRIVED_BYTES + message_bytes;
    call->connection->work_bytes += call->work_bytes;
}

void h2_weigh_end(H2Call *call)
{
    call->connection->work_bytes -= call->work_bytes;
}
