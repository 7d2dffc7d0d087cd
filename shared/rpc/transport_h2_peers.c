/* How many connections each address has. Any thread. */
#include "shared/rpc/transport_h2.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

enum { BUCKETS = 1024, ADDRESS_BYTES = 16 };

struct H2Peer {
    H2Peer *next;
    uint8_t address[ADDRESS_BYTES];
    int32_t connections;
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

static void key_of(const struct sockaddr_storage *address, uint8_t key[ADDRESS_BYTES])
{
    memset(key, 0, ADDRESS_BYTES);
    if (address->ss_family == AF_INET6)
        memcpy(key, &((const struct sockaddr_in6 *)address)->sin6_addr, ADDRESS_BYTES);
    else
        memcpy(key, &((const struct sockaddr_in *)address)->sin_addr, 4);
}

static H2Peer **slot_of(H2Peers *peers, const uint8_t key[ADDRESS_BYTES])
{
    H2Peer **slot = &peers->buckets[text_hash(key, ADDRESS_BYTES) % BUCKETS];

    while (*slot && memcmp((*slot)->address, key, ADDRESS_BYTES) != 0)
        slot = &(*slot)->next;
    return slot;
}

H2Peer *h2_peers_add(H2Peers *peers, const struct sockaddr_storage *address, int32_t max)
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
    peer = (*slot)->connections < max ? *slot : NULL;
    if (peer)
        peer->connections++;
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
