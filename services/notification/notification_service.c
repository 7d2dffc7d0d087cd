#include "services/notification/notification_service.h"

#include "shared/service/aliases.h"

enum { PORT = 7005, DELIVERY_INTERVAL_MS = 250, SWEEP_INTERVAL_MS = 5000 };

static const Setting settings[] = {
    { "webhook-allow-private", SETTING_SWITCH, "false",
        "deliver to loopback, private and link-local addresses too", 0, 0 },
    { "webhook-timeout", SETTING_DURATION, "8s", "how long one delivery may take", 100, 10000 },
    { 0 },
};

const Service notification_service = {
    .name = "notification",
    .port = PORT,
    .rpcs = { &message_rpcs },
    .collections = notification_collections,
    .peers = { "identity" },
    .consumers = { { "identity", { messages_follow_merge, alias_events } } },
    .jobs = { { "deliver", DELIVERY_INTERVAL_MS, deliver_due_messages },
        { "sweep-merges", SWEEP_INTERVAL_MS, messages_sweep_merges } },
    .settings = settings,
};
