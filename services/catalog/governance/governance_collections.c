#include "services/catalog/governance/governance.h"
#include "services/catalog/governance/rule_checkpoint.h"

const Collection audit_entries = {
    .name = "audit_entries",
    .message = &throughline__catalog__v1__audit_entry__descriptor,
    .indexes = { { .name = "time", .fields = { "deed.time" } },
        { .name = "subject", .fields = { "subject", "deed.time" } },
        { .name = "actor", .fields = { "deed.actor", "deed.time" } } },
};

const Collection audit_positions = {
    .name = "audit_positions",
    .message = &throughline__catalog__v1__audit_position__descriptor,
};

const Collection drafts = {
    .name = "drafts",
    .message = &throughline__catalog__v1__draft__descriptor,
    .indexes = { { .name = "state", .fields = { "state", "create_time" } },
        { .name = "due", .fields = { "state", "publish_time" } },
        { .name = "time", .fields = { "create_time" } },
        { .name = "touched", .fields = { "state", "update_time" } } },
};

const Collection draft_parts = {
    .name = "draft_parts",
    .message = &throughline__catalog__v1__draft_part__descriptor,
};

const Collection releases = {
    .name = "releases",
    .message = &throughline__catalog__v1__release__descriptor,
    .indexes = { { .name = "draft", .fields = { "draft" }, .is_unique = true },
        { .name = "number", .fields = { "number" } } },
};

const Collection release_changes = {
    .name = "release_changes",
    .message = &throughline__catalog__v1__release_change__descriptor,
    .indexes = { { .name = "change_set", .fields = { "change_set", "rule" } },
        { .name = "rule", .fields = { "rule", "release" } } },
};

const Collection priced_orders = {
    .name = "priced_orders",
    .message = &throughline__catalog__v1__priced_order__descriptor,
    .indexes = { { .name = "time", .fields = { "order_time" } },
        { .name = "rule", .fields = { "uses.rule", "order_time" } } },
};

const Collection rule_checkpoints = {
    .name = "rule_checkpoints",
    .message = &throughline__catalog__v1__rule_checkpoint__descriptor,
    .indexes = { { .name = "release", .fields = { "release" } } },
};

const Collection rule_checkpoint_parts = {
    .name = "rule_checkpoint_parts",
    .message = &throughline__catalog__v1__rule_checkpoint_part__descriptor,
};
