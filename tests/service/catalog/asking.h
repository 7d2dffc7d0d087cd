/* Any rpc of the catalogue, asked in JSON: for tests that ask all of them. */
#ifndef THROUGHLINE_TESTS_CATALOG_ASKING_H
#define THROUGHLINE_TESTS_CATALOG_ASKING_H

#include "tests/service/catalog/catalog_fixture.h"

typedef struct Answer {
    const Error *error;
    const char *text; /* every message in JSON, and all that the error says */
    void *message;    /* the last one */
} Answer;

/* "GovernanceService/GetRule", one message to be sent and one or many to come. In the JSON, single quotes stand for double ones. */
Answer ask(const RpcOutgoing *outgoing, const char *rpc, const char *json);

#endif
