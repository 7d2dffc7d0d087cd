#include "services/notification/notification_service.h"

#include "shared/service/aliases.h"

const Collection messages = {
    .name = "messages",
    .message = &throughline__notification__v1__message__descriptor,
    .indexes = { { .name = "customer", .fields = { "customer", "create_time" } },
        { .name = "key", .fields = { "customer", "deduplication_key" } },
        { .name = "due", .fields = { "next_attempt_time" } } },
};

const Collection templates = {
    .name = "templates",
    .message = &throughline__notification__v1__template__descriptor,
};

const Collection endpoints = {
    .name = "endpoints",
    .message = &throughline__notification__v1__endpoint_record__descriptor,
};

const Collection *const notification_collections[] = { &messages, &templates, &endpoints,
    &customer_aliases, NULL };
