#include "shared/rpc/status.h"

#include "shared/base/text.h"
#include "shared/codec/message.h"
#include "shared/codec/scan.h"

#include "google/protobuf/any.pb-c.h"
#include "google/rpc/error_details.pb-c.h"
#include "google/rpc/status.pb-c.h"

#include <limits.h>
#include <string.h>

static const char error_domain[] = "throughline";
static const char type_prefix[] = "type.googleapis.com/";

/* The details are ErrorInfo, BadRequest, RetryInfo. Clients take trailers of 8 KiB by default and drop
 * the whole answer when there is more: what is named has to fit, in base64. */
enum { MAX_DETAILS = 3, MAX_MESSAGE = 400, MAX_FIELD = 200, MAX_VIOLATIONS_BYTES = 4000 };

/* The text, or its beginning and "…". */
static char *shortened(Arena *arena, const char *text, size_t max)
{
    size_t size = 0, step;

    if (strlen(text) <= max)
        return (char *)text;
    while (size < max && (step = text_utf8_step((const uint8_t *)text + size, max - size)) > 0)
        size += step;
    return arena_printf(arena, "%.*s…", (int)size, text);
}

/* Causes inside the server are for its log, never for its callers. */
static bool is_ours_to_hide(const Error *error)
{
    return !error->is_public && (error->code == ERROR_INTERNAL || error->code == ERROR_UNKNOWN ||
                                    error->code == ERROR_DATA_LOSS);
}

static Google__Protobuf__Any *as_any(Arena *arena, const ProtobufCMessage *message)
{
    Google__Protobuf__Any *any = message_new(arena, &google__protobuf__any__descriptor);
    Bytes packed = message_pack(arena, message);

    any->type_url = arena_printf(arena, "%s%s", type_prefix, message->descriptor->name);
    any->value.data = (uint8_t *)packed.data;
    any->value.len = packed.size;
    return any;
}

static Google__Protobuf__Any *error_info(Arena *arena, const Error *error)
{
    typedef Google__Rpc__ErrorInfo__MetadataEntry Entry;
    Google__Rpc__ErrorInfo info = GOOGLE__RPC__ERROR_INFO__INIT;
    size_t n_facts = is_ours_to_hide(error) ? 0 : error->n_facts;

    info.reason = (char *)error->reason;
    info.domain = (char *)error_domain;
    info.metadata = arena_array(arena, n_facts, sizeof(Entry *));
    for (size_t i = 0; i < n_facts; i++) {
        Entry *entry = message_new(arena, &google__rpc__error_info__metadata_entry__descriptor);

        entry->key = (char *)error->facts[i].key;
        entry->value = shortened(arena, error->facts[i].value, MAX_FIELD);
        info.metadata[info.n_metadata++] = entry;
    }
    return as_any(arena, &info.base);
}

static Google__Protobuf__Any *bad_request(Arena *arena, const Error *error)
{
    typedef Google__Rpc__BadRequest__FieldViolation Violation;
    Google__Rpc__BadRequest bad = GOOGLE__RPC__BAD_REQUEST__INIT;

    bad.field_violations = arena_array(arena, error->n_violations, sizeof(Violation *));
    for (size_t i = 0; i < error->n_violations; i++) {
        Violation *one = message_new(arena, &google__rpc__bad_request__field_violation__descriptor);

        one->field = shortened(arena, error->violations[i].field, MAX_FIELD);
        one->description = shortened(arena, error->violations[i].description, MAX_FIELD);
        bad.field_violations[bad.n_field_violations++] = one;
        if (google__rpc__bad_request__get_packed_size(&bad) > MAX_VIOLATIONS_BYTES) {
            bad.n_field_violations--;
            break;
        }
    }
    return as_any(arena, &bad.base);
}

static Google__Protobuf__Any *retry_info(Arena *arena, const Error *error)
{
    Google__Rpc__RetryInfo retry = GOOGLE__RPC__RETRY_INFO__INIT;
    Google__Protobuf__Duration delay = GOOGLE__PROTOBUF__DURATION__INIT;

    delay.seconds = error->retry_after_ms / 1000;
    delay.nanos = error->retry_after_ms % 1000 * 1000000;
    retry.retry_delay = &delay;
    return as_any(arena, &retry.base);
}

RpcStatus status_from_error(Arena *arena, const Error *error)
{
    Google__Rpc__Status status = GOOGLE__RPC__STATUS__INIT;
    Google__Protobuf__Any *details[MAX_DETAILS];
    const char *message;

    if (!error)
        return (RpcStatus){ .message = "" };
    message = is_ours_to_hide(error) ? "Something went wrong inside the server; it was logged."
                                     : shortened(arena, error->message, MAX_MESSAGE);
    status.code = (int32_t)error->code;
    status.message = (char *)message;
    status.details = details;
    details[status.n_details++] = error_info(arena, error);
    if (error->n_violations)
        details[status.n_details++] = bad_request(arena, error);
    if (error->retry_after_ms > 0)
        details[status.n_details++] = retry_info(arena, error);
    return (RpcStatus){ (int)error->code, message, message_pack(arena, &status.base) };
}

static void take_info(Error *error, Arena *arena, const Google__Rpc__ErrorInfo *info)
{
    ErrorFact *facts = arena_array(arena, info->n_metadata, sizeof(*facts));

    for (size_t i = 0; i < info->n_metadata; i++)
        facts[i] = (ErrorFact){ info->metadata[i]->key, info->metadata[i]->value };
    if (*info->reason)
        error->reason = info->reason;
    error->facts = facts;
    error->n_facts = info->n_metadata;
}

static void take_violations(Error *error, Arena *arena, const Google__Rpc__BadRequest *bad)
{
    FieldViolation *violations = arena_array(arena, bad->n_field_violations, sizeof(*violations));

    for (size_t i = 0; i < bad->n_field_violations; i++)
        violations[i] = (FieldViolation){ bad->field_violations[i]->field,
            bad->field_violations[i]->description };
    error->violations = violations;
    error->n_violations = bad->n_field_violations;
}

static void take_retry(Error *error, const Google__Rpc__RetryInfo *retry)
{
    const Google__Protobuf__Duration *delay = retry->retry_delay;
    int64_t whole_seconds = INT32_MAX / 1000;

    if (!delay || delay->seconds < 0 || delay->nanos < 0)
        return;
    if (delay->seconds >= whole_seconds)
        error->retry_after_ms = (int32_t)whole_seconds * 1000;
    else
        error->retry_after_ms = (int32_t)(delay->seconds * 1000) + delay->nanos / 1000000;
}

static void take_detail(Error *error, Arena *arena, const Google__Protobuf__Any *any)
{
    const ProtobufCMessage *detail =
        message_from_any(arena, any->type_url, (Bytes){ any->value.data, any->value.len });

    if (!detail)
        return;
    if (detail->descriptor == &google__rpc__error_info__descriptor)
        take_info(error, arena, (const Google__Rpc__ErrorInfo *)detail);
    else if (detail->descriptor == &google__rpc__bad_request__descriptor)
        take_violations(error, arena, (const Google__Rpc__BadRequest *)detail);
    else if (detail->descriptor == &google__rpc__retry_info__descriptor)
        take_retry(error, (const Google__Rpc__RetryInfo *)detail);
}

const Error *status_to_error(Arena *arena, const RpcStatus *status)
{
    const Google__Rpc__Status *rich = NULL;
    Error *error;

    if (status->code == 0)
        return NULL;
    error = arena_alloc(arena, sizeof(*error));
    error->code = status->code >= ERROR_CANCELLED && status->code <= ERROR_UNAUTHENTICATED
                      ? (ErrorCode)status->code
                      : ERROR_UNKNOWN;
    error->reason = error_code_name((int)error->code);
    error->message = arena_text(arena, status->message);
    if (status->details.size &&
        !scan_message(arena, &google__rpc__status__descriptor, status->details))
        rich = message_unpack(arena, &google__rpc__status__descriptor, status->details);
    for (size_t i = 0; rich && i < rich->n_details; i++)
        take_detail(error, arena, rich->details[i]);
    return error;
}
