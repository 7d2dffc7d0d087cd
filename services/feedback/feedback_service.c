#include "services/feedback/feedback_service.h"

#include "services/feedback/consumers.h"
#include "services/feedback/owners.h"

enum { PORT = 7004, SWEEP_INTERVAL_MS = 5000 };

const Service feedback_service = {
    .name = "feedback",
    .port = PORT,
    .rpcs = { &case_rpcs },
    .collections = feedback_collections,
    .peers = { "identity", "cart", "feedback" },
    .consumers = { { "identity", { learn_from_identity, learned_from_identity } },
        { "cart", { learn_from_cart, learned_from_cart } },
        { "feedback", { follow_own_event, followed_own_events } } },
    .jobs = { { "sweep-owners", SWEEP_INTERVAL_MS, sweep_owners } },
};
