#include "tests/fault/served.h"

#include "shared/base/text.h"
#include "shared/codec/message.h"

#include "grpc/health/v1/health.pb-c.h"

#include <CUnit/TestRun.h>
#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_SERVED = 256, MAX_PAIRS = 4 };

extern const Service identity_service, catalog_service, cart_service, feedback_service,
    notification_service;

static const Service *const services[SERVED_SERVICES] = { &identity_service, &catalog_service,
    &cart_service, &feedback_service, &notification_service };

/* What every service serves beside its own. */
static const char *const common[] = { "throughline.event.v1.", "grpc.health.v1.",
    "grpc.reflection." };

static Served all[MAX_SERVED];
static size_t n_all;

static Fixture *fixtures[SERVED_SERVICES];
static RawClient *clients[SERVED_SERVICES];

static bool is_common(const char *service)
{
    for (size_t i = 0; i < COUNT(common); i++)
        if (text_starts_with(service, common[i]))
            return true;
    return false;
}

static bool is_own(Arena *arena, const char *service, const char *name)
{
    return text_starts_with(service, arena_printf(arena, "throughline.%s.v", name));
}

const Served *served_methods(size_t *count)
{
    size_t n_methods;
    const RpcMethod *methods = rpc_methods(&n_methods);
    static Arena *labels;

    if (!labels) {
        labels = arena_new();
        for (size_t m = 0; m < n_methods; m++) {
            for (int s = 0; s < SERVED_SERVICES; s++) {
                if (!is_common(methods[m].service) &&
                    !is_own(labels, methods[m].service, services[s]->name))
                    continue;
                assert(n_all < MAX_SERVED);
                all[n_all++] = (Served){
                    .label = arena_printf(labels, "%s %s", services[s]->name, methods[m].path),
                    .service = s,
                    .method = &methods[m],
                };
            }
        }
    }
    *count = n_all;
    return all;
}

int served_start(void)
{
    const Service *const others[] = { services[1], services[2], services[3], services[4], NULL };

    fixtures[0] = fixture_start_with(services[0], others);
    for (int i = 0; i < SERVED_SERVICES; i++) {
        fixtures[i] = fixture_peer(fixtures[0], services[i]->name);
        clients[i] = raw_open(fixture_port(fixtures[i]));
    }
    return 0;
}

int served_stop(void)
{
    for (int i = 0; i < SERVED_SERVICES; i++)
        raw_close(clients[i]);
    return fixture_stop(fixtures[0]) ? 0 : 1;
}

Fixture *served_fixture(const Served *served)
{
    return fixtures[served->service];
}

RawClient *served_client(const Served *served)
{
    return clients[served->service];
}

CU_TestInfo *served_tests(CU_TestFunc test, bool everywhere)
{
    static CU_TestInfo tests[MAX_SERVED + 1];
    size_t count, n = 0;
    const Served *methods = served_methods(&count);

    for (size_t i = 0; i < count; i++)
        if (everywhere || methods[i].service == 0 || !is_common(methods[i].method->service))
            tests[n++] = (CU_TestInfo){ methods[i].label, test };
    return tests;
}

const Served *served_current(void)
{
    const char *name = CU_get_current_test()->pName;
    size_t count;
    const Served *methods = served_methods(&count);

    for (size_t i = 0; i < count; i++)
        if (text_equal(methods[i].label, name))
            return &methods[i];
    abort();
}

const RawPair *served_metadata(
    Arena *arena, const char *token, const char *channel, const char *actor)
{
    RawPair *pairs = arena_array(arena, MAX_PAIRS, sizeof(*pairs));
    size_t n = 0;

    if (token)
        pairs[n++] = (RawPair){ "authorization", arena_printf(arena, "Bearer %s", token) };
    if (channel)
        pairs[n++] = (RawPair){ "throughline-channel", channel };
    if (actor)
        pairs[n++] = (RawPair){ "throughline-actor", actor };
    return pairs;
}

bool served_is_healthy(const Served *served)
{
    Grpc__Health__V1__HealthCheckRequest request = GRPC__HEALTH__V1__HEALTH_CHECK_REQUEST__INIT;
    const Grpc__Health__V1__HealthCheckResponse *reply;
    Arena *arena = arena_new();
    bool is_healthy = false;
    Bytes bytes;

    if (!raw_unary(served_client(served), arena, "/grpc.health.v1.Health/Check", NULL,
            message_pack(arena, &request), &bytes)) {
        reply = message_unpack(arena, &grpc__health__v1__health_check_response__descriptor, bytes);
        is_healthy = reply && reply->status ==
                                  GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__SERVING;
    }
    arena_free(arena);
    return is_healthy;
}
