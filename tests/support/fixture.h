/* Real services in the process of a test: on free ports, over an embedded store in a scratch
 * folder, with a token key of their own. What cannot be set up ends the test program with the
 * reason.
 *
 * Fixture *fixture = fixture_start(&cart_service); Cart cart =
 * THROUGHLINE__CART__V1__CART__INIT; fixture_act_as(fixture, "web", "customers/ann");
 * CU_ASSERT_PTR_NULL(fixture_call(fixture, "CartService/OpenCart", &request, &cart));
 * fixture_stop(fixture); */
#ifndef THROUGHLINE_TESTS_SUPPORT_FIXTURE_H
#define THROUGHLINE_TESTS_SUPPORT_FIXTURE_H

#include "shared/service/service.h"

#include <stdbool.h>

typedef struct Fixture Fixture;

/* Starts the service; its peers are not there (UNAVAILABLE). */
Fixture *fixture_start(const Service *service);

/* Starts the service together with others (NULL-ended) that all know each other as peers: their
 * calls and events flow. */
Fixture *fixture_start_with(const Service *service, const Service *const *others);

/* The same with flags for the service under test ("--store-uri", "mongodb://…"), NULL-ended. */
Fixture *fixture_start_flags(
    const Service *service, const Service *const *others, const char *const *flags);

/* One of the others: calls to it, its context. Belongs to the first. */
Fixture *fixture_peer(Fixture *fixture, const char *name);

/* Drains and frees all of them; true when no call had to be cancelled. */
bool fixture_stop(Fixture *fixture);

/* Stops the service alone and starts it again over the same store and port. */
void fixture_restart(Fixture *fixture);

/* Lives until fixture_stop: for requests and what is received. One thread. */
Arena *fixture_arena(Fixture *fixture);

/* A token for "accounts/CHANNEL" with these scopes (space separated, "*": all), of this channel
 * ("": any). */
const char *fixture_token(Fixture *fixture, const char *scopes, const char *channel);

/* Who makes the calls that follow; at first channel "web" and actor "customers/test", with all
 * scopes. */
void fixture_act_as(Fixture *fixture, const char *channel, const char *actor);

/* What goes out with such a call, for those who want to change something in it (token, deadline,
 * on_behalf_of). */
RpcOutgoing fixture_outgoing(Fixture *fixture);

/* Calls a method of the service ("CartService/AddLine"), unary; `reply` is an initialised
 * message of its type. */
const Error *fixture_call(Fixture *fixture, const char *method, const void *request, void *reply);
const Error *fixture_call_with(Fixture *fixture, const RpcOutgoing *outgoing, const char *method,
    const void *request, void *reply);

/* Opens a stream; with a request: sends it and finishes sending. Then rpc_client_receive(stream,
 * fixture_arena(fixture), …), and rpc_client_close_stream. */
const Error *fixture_open(
    Fixture *fixture, const char *method, const void *request, RpcClientStream **stream);

RpcClient *fixture_client(Fixture *fixture);
ServiceContext *fixture_context(Fixture *fixture);
int fixture_port(const Fixture *fixture);
int fixture_admin_port(const Fixture *fixture);

/* A view of the service's store, for looking at documents and preparing them. */
StoreView fixture_view(Fixture *fixture);

/* The aggregate's event with that number (1, 2, 3 …); waits for it up to 5 s, NULL when it does
 * not come. */
const Event *fixture_event(Fixture *fixture, const char *aggregate, int64_t number);

/* Waits until every event of all services is in the log and applied wherever it is consumed;
 * false after 10 s. */
bool fixture_settle(Fixture *fixture);

#endif
