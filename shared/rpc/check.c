#include "shared/rpc/check.h"

#include "shared/base/money.h"

#include <inttypes.h>
#include <string.h>

void check_fail(RpcCall *call, const char *field, const char *format, ...)
{
    va_list args;

    if (call->n_violations == CHECK_MAX_VIOLATIONS)
        return;
    if (!call->violations)
        call->violations =
            arena_array(call->arena, CHECK_MAX_VIOLATIONS, sizeof(*call->violations));
    va_start(args, format);
    call->violations[call->n_violations++] = (FieldViolation){ arena_text(call->arena, field),
        arena_vprintf(call->arena, format, args) };
    va_end(args);
}

void check_name(RpcCall *call, const char *field, const char *value, const char *pattern)
{
    if (text_is_empty(value))
        check_fail(call, field, "is required, as \"%s\"", pattern);
    else
        check_optional_name(call, field, value, pattern);
}

void check_optional_name(RpcCall *call, const char *field, const char *value, const char *pattern)
{
    if (!text_is_empty(value) && !text_matches_name(value, pattern))
        check_fail(call, field, "must be of the form \"%s\"", pattern);
}

void check_text(RpcCall *call, const char *field, const char *value, size_t min, size_t max)
{
    size_t length = value ? text_length(value) : 0;

    if (length == 0 && min > 0)
        check_fail(call, field, "is required");
    else if (length < min || length > max)
        check_fail(call, field, "must have %zu to %zu characters, has %zu", min, max, length);
}

void check_word(RpcCall *call, const char *field, const char *value)
{
    size_t size = strspn(value, "abcdefghijklmnopqrstuvwxyz0123456789-");

    if (size == 0 || size > CHECK_WORD_MAX || value[size])
        check_fail(
            call, field, "must be 1 to %d lower-case letters, digits and \"-\"", CHECK_WORD_MAX);
}

void check_range(RpcCall *call, const char *field, int64_t value, int64_t min, int64_t max)
{
    if (value < min || value > max)
        check_fail(call, field, "must be %" PRId64 " to %" PRId64 ", is %" PRId64, min, max, value);
}

void check_count(RpcCall *call, const char *field, size_t count, size_t min, size_t max)
{
    if (count < min || count > max)
        check_fail(call, field, "must have %zu to %zu items, has %zu", min, max, count);
}

void check_present(RpcCall *call, const char *field, const void *message)
{
    if (!message)
        check_fail(call, field, "is required");
}

void check_enum(RpcCall *call, const char *field, const ProtobufCEnumDescriptor *type, int value)
{
    if (value == 0)
        check_fail(call, field, "is required");
    else if (!protobuf_c_enum_descriptor_get_value(type, value))
        check_fail(call, field, "has no value %d", value);
}

void check_request_id(RpcCall *call, const char *value)
{
    static const char allowed[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.~:-";

    if (text_is_empty(value))
        return;
    if (strlen(value) > CHECK_REQUEST_ID_MAX)
        check_fail(call, "request_id", "must have at most %d characters", CHECK_REQUEST_ID_MAX);
    else if (value[strspn(value, allowed)])
        check_fail(call, "request_id", "may only contain letters, digits and _ . ~ : -");
}

void check_money(RpcCall *call, const char *field, const Google__Type__Money *money, int64_t min,
    int64_t max, int64_t *minor)
{
    int64_t amount;

    if (!money) {
        check_fail(call, field, "is required");
        return;
    }
    if (money_digits(money->currency_code) < 0) {
        check_fail(call, check_path(call, "%s.currency_code", field),
            "must be an ISO 4217 currency, as \"EUR\"");
        return;
    }
    if (!money_from_units(money->currency_code, money->units, money->nanos, &amount)) {
        check_fail(call, field,
            "is not an amount of %s: at most %d digits behind the point, units and "
            "nanos of the same sign",
            money->currency_code, money_digits(money->currency_code));
        return;
    }
    if (amount < min || amount > max) {
        char low[MONEY_TEXT_SIZE], high[MONEY_TEXT_SIZE];

        check_fail(call, field, "must be %s to %s", money_format(money->currency_code, min, low),
            money_format(money->currency_code, max, high));
        return;
    }
    *minor = amount;
}

const char *check_path(RpcCall *call, const char *format, ...)
{
    va_list args;
    const char *path;

    va_start(args, format);
    path = arena_vprintf(call->arena, format, args);
    va_end(args);
    return path;
}

const Error *check_result(RpcCall *call)
{
    Error *error;

    if (call->n_violations == 0)
        return NULL;
    error = arena_alloc(call->arena, sizeof(*error));
    *error = (Error){
        .code = ERROR_INVALID_ARGUMENT,
        .reason = "FIELD_INVALID",
        .message = arena_printf(call->arena, "%s %s%s", call->violations[0].field,
            call->violations[0].description,
            call->n_violations > 1 ? "; the details name every bad field." : "."),
        .n_violations = call->n_violations,
        .violations = call->violations,
    };
    return error;
}
