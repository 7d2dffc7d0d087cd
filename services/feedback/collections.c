#include "services/feedback/feedback_service.h"
#include "shared/service/aliases.h"

const Collection cases = {
    .name = "cases",
    .message = &throughline__feedback__v1__case__descriptor,
    .indexes = { { .name = "open_key", .fields = { "open_key" }, .is_unique = true },
        { .name = "customer", .fields = { "customer", "create_time" } },
        { .name = "customer_open", .fields = { "customer", "open_key" } },
        { .name = "identifier", .fields = { "identifier_key", "customer" } } },
};

const Collection mentions = {
    .name = "mentions",
    .message = &throughline__feedback__v1__mention__descriptor,
    .indexes = { { .name = "customer", .fields = { "customer", "create_time" } },
        { .name = "identifier", .fields = { "identifier_key", "customer" } } },
};

const Collection notes = {
    .name = "notes",
    .message = &throughline__feedback__v1__note__descriptor,
    .indexes = { { .name = "customer", .fields = { "customer", "create_time" } } },
};

const Collection order_summaries = {
    .name = "order_summaries",
    .message = &throughline__feedback__v1__order_summary__descriptor,
    .indexes = { { .name = "customer", .fields = { "customer", "create_time" } } },
};

const Collection survey_answers = {
    .name = "survey_answers",
    .message = &throughline__feedback__v1__survey_answer__descriptor,
    .indexes = { { .name = "customer", .fields = { "customer", "create_time" } } },
};

const Collection handle_owners = {
    .name = "handle_owners",
    .message = &throughline__feedback__v1__handle_owner__descriptor,
    .indexes = { { .name = "sweep", .fields = { "sweep_time" } } },
};

const Collection *const feedback_collections[] = { &cases, &mentions, &notes, &order_summaries,
    &survey_answers, &handle_owners, &customer_aliases, NULL };
