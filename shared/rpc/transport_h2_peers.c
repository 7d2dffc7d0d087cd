/* How many connections each address has, and what they weigh. Any thread. */
#include "shared/rpc/transport_h2.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

enum { BUCKETS = 1024, ADDRESS_BYTES = 16, NETWORK_BYTES = 8 };

struct H2Peer {
    H2Peer *next;
    uint8_t address[ADDRESS_BYTES];
    int32_t connections;
    _Atomic int64_t bytes;
};

struct H2Peers {
    pthread_mutex_t lock;
    H2Peer *buckets[BUCKETS];
};

H2Peers *h2_peers_new(void)
{
    H2Peers *peers = calloc(1, sizeof(*peers));

    if (!peers)
        abort();
    pthread_mutex_init(&peers->lock, NULL);
    return peers;
}

/* Without connections there are no peers either. */
void h2_peers_free(H2Peers *peers)
{
    pthread_mutex_destroy(&peers->lock);
    free(peers);
}

/* Whoever has one address of IPv6 has all of its network. */
static void key_of(const struct sockaddr_storage *address, uint8_t key[ADDRESS_BYTES])
{
    const struct in6_addr *wide = &((const struct sockaddr_in6 *)address)->sin6_addr;

    memset(key, 0, ADDRESS_BYTES);
    if (address->ss_family != AF_INET6)
        memcpy(key, &((const struct sockaddr_in *)address)->sin_addr, 4);
    else
        memcpy(key, wide, IN6_IS_ADDR_V4MAPPED(wide) ? ADDRESS_BYTES : NETWORK_BYTES);
}

static H2Peer **slot_of(H2Peers *peers, const uint8_t key[ADDRESS_BYTES])
{
    H2Peer **slot = &peers->buckets[text_hash(key, ADDRESS_BYTES) % BUCKETS];

    while (*slot && memcmp((*slot)->address, key, ADDRESS_BYTES) != 0)
        slot = &(*slot)->next;
    return slot;
}

H2Peer *h2_peers_add(
    H2Peers *peers, const struct sockaddr_storage *address, const RpcLimits *limits)
{
    uint8_t key[ADDRESS_BYTES];
    H2Peer **slot, *peer;

    key_of(address, key);
    pthread_mutex_lock(&peers->lock);
    slot = slot_of(peers, key);
    if (!*slot) {
        *slot = calloc(1, sizeof(**slot));
        if (!*slot)
            abort();
        memcpy((*slot)->address, key, ADDRESS_BYTES);
    }
    peer = *slot;
    if (peer->connections < limits->max_connections_per_address &&
        h2_peers_weight(peer) < limits->max_address_bytes)
        peer->connections++;
    else
        peer = NULL;
    pthread_mutex_unlock(&peers->lock);
    return peer;
}

void h2_peers_drop(H2Peers *peers, H2Peer *peer)
{
    if (!peer)
        return;
    pthread_mutex_lock(&peers->lock);
    if (--peer->connections == 0) {
        H2Peer **slot = slot_of(peers, peer->address);

        *slot = peer->next;
        free(peer);
    }
    pthread_mutex_unlock(&peers->lock);
}

void h2_peers_weigh(H2Peer *peer, int64_t step)
{
    if (peer)
        atomic_fetch_add_explicit(&peer->bytes, step, memory_order_relaxed);
}

int64_t h2_peers_weight(const H2Peer *peer)
{
    return peer ? atomic_load_explicit(&peer->bytes, memory_order_relaxed) : 0;
}
