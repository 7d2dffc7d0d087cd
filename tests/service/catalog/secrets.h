/* A catalogue in which much is for the channel "app" alone, for tests of what others are told of it. */
#ifndef THROUGHLINE_TESTS_CATALOG_SECRETS_H
#define THROUGHLINE_TESTS_CATALOG_SECRETS_H

#include "tests/service/catalog/asking.h"
#include "tests/service/catalog/governance_fixture.h"

/* What is there for "app" alone, as requests name it; all of it has "hush" in its name or title. */
typedef struct Secrets {
    const char *draft;
    const char *mixed; /* a draft that changes something for "web", too */
    const char *stop;
    const char *campaign;
    const char *code;
    const char *uses;
    const char *quote; /* signed, in JSON */
    int64_t release;
} Secrets;
extern Secrets secrets;

/* Fields of a CreateQuoteRequest, in JSON: one green tent. */
extern const char a_tent[];

/* A suite's set-up: releases 1 (channel groups, for all) and 2 ("promotions/open", for "web" and "app"), then for "app" alone two
 * promotions, a price, a limit, a stop, a campaign, an assortment, a draft, a quote and an order; and an order of "web". */
void start_with_secrets(void);

/* A call with these scopes of an account that is bound to a channel. */
RpcOutgoing outgoing_of(const char *scopes, const char *channel);
/* Of an account of "web" that may do everything there, and of one of head office. */
RpcOutgoing web(void);
RpcOutgoing head_office(void);

/* As head office, at once: changes in JSON. */
void publish_json(const char *title, const char *changes);

#endif
