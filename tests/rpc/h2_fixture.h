/* The h2 engine under a small server with limits of the test's own, which counts what reaches them. */
#ifndef THROUGHLINE_TESTS_RPC_H2_FIXTURE_H
#define THROUGHLINE_TESTS_RPC_H2_FIXTURE_H

#include "shared/base/metrics.h"
#include "tests/rpc/h2_client.h"
#include "tests/rpc/tiny_server.h"
#include "tests/support/test_main.h"

/* Types and codes of HTTP/2 (RFC 9113, sections 6 and 7). */
enum { DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE };
enum { END_STREAM = 1, END_HEADERS = 4, CONTINUATION = 9, PROTOCOL_ERROR = 1, CALM = 11 };

extern Metrics *metrics;

void h2_start(void);
void h2_stop(void);

/* The server anew, with these options. */
void listen_with(const TransportOptions *options);

/* How often a limit was reached. */
uint64_t reached(const char *reason);

/* A message of gRPC with so many bytes. */
Bytes message_of(size_t size);

void well_behaved_clients_are_served(void);

/* The connection ends in this GOAWAY, for this reason, and the next one is served. */
void is_sent_away(H2Client *client, const char *reason, int64_t expected);

#endif
