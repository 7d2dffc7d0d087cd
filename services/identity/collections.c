#include "services/identity/identity_service.h"

const Collection customers = {
    .name = "customers",
    .message = &throughline__identity__v1__customer__descriptor,
    .indexes = { { .name = "identifier", .fields = { "identifiers.claim" }, .is_unique = true },
        { .name = "pending_merge", .fields = { "merge.is_pending", "merge.time" } } },
};

const Collection consent_records = {
    .name = "consent_records",
    .message = &throughline__identity__v1__consent_record__descriptor,
    .indexes = { { .name = "customer", .fields = { "customer", "consent.update_time" } } },
};

const Collection timeline = {
    .name = "timeline",
    .message = &throughline__identity__v1__timeline_entry__descriptor,
    .indexes = { { .name = "customer", .fields = { "customer", "time" } },
        { .name = "aggregate", .fields = { "aggregate", "customer" } },
        { .name = "source", .fields = { "customer", "source" } } },
};

const Collection aggregate_owners = {
    .name = "aggregate_owners",
    .message = &throughline__identity__v1__aggregate_owner__descriptor,
};

const Collection accounts = {
    .name = "accounts",
    .message = &throughline__identity__v1__account__descriptor,
};

const Collection *const identity_collections[] = { &customers, &consent_records, &timeline,
    &aggregate_owners, &accounts, NULL };
