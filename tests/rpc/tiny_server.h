/* The smallest server there can be, straight over a transport's operations: what a call does is in
 * its method. /t.S/Echo answers at once, /t.S/Later from a thread of its own, /t.S/Hold when it is
 * cancelled or released, /t.S/Fail with an error; /t.S/Each sends back what it receives,
 * /t.S/Many sends 100 messages. */
#ifndef THROUGHLINE_TESTS_RPC_TINY_SERVER_H
#define THROUGHLINE_TESTS_RPC_TINY_SERVER_H

#include "shared/rpc/transport.h"

#include <stdatomic.h>

typedef struct Tiny {
    const TransportOps *ops;
    Transport *transport;
    int port;
    Arena *arena;
    atomic_int arrived, cancelled, closed, unsent, broken, ended;
    atomic_int received;     /* once for messages that came together */
    atomic_bool is_released; /* /t.S/Hold may answer */
} Tiny;

extern Tiny tiny;

/* What the last call brought. */
typedef struct TinySeen {
    int64_t deadline;
    bool has_message, is_known;
    size_t size;
    char key[64], address[64], identity[64]; /* key: the metadata "x-key" */
} TinySeen;

TinySeen tiny_seen(void);

void tiny_start(const TransportOps *ops);
TransportOptions tiny_options(void);
/* Listens once more, after the transport was destroyed. */
void tiny_listen(const TransportOptions *options);

#endif
