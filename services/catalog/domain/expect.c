#include "services/catalog/domain/expect.h"

#include "services/catalog/domain/product.h"
#include "services/catalog/domain/rules_check.h"
#include "shared/base/money.h"
#include "shared/codec/types.h"

#include <string.h>

const char *expect_path(const Expect *check, const char *field)
{
    return arena_printf(check->findings->arena, "%s.%s", check->path, field);
}

const char *expect_at(const Expect *check, const char *field, size_t index)
{
    return arena_printf(check->findings->arena, "%s[%zu]", field, index);
}

void expect_fail(const Expect *check, const char *field, const char *format, ...)
{
    va_list args;

    if (check->findings->n_items == FINDINGS_MAX)
        return;
    va_start(args, format);
    findings_add(check->findings, expect_path(check, field), "%s",
        arena_vprintf(check->findings->arena, format, args));
    va_end(args);
}

void expect_text(const Expect *check, const char *field, const char *value, size_t min, size_t max)
{
    size_t length = text_length(value);

    if (length < min || length > max)
        expect_fail(check, field, "must have %zu to %zu characters, has %zu", min, max, length);
}

void expect_range(const Expect *check, const char *field, int64_t value, int64_t min, int64_t max)
{
    if (value < min || value > max)
        expect_fail(check, field, "must be %lld to %lld", (long long)min, (long long)max);
}

void expect_count(const Expect *check, const char *field, size_t count, size_t min, size_t max)
{
    if (count < min || count > max)
        expect_fail(check, field, "must be %zu to %zu, are %zu", min, max, count);
}

void expect_name(
    const Expect *check, const char *field, const char *value, const char *pattern, bool is_needed)
{
    if (is_needed ? !text_matches_name(value, pattern)
                  : *value && !text_matches_name(value, pattern))
        expect_fail(check, field, "must be like \"%s\"", pattern);
}

void expect_sku(const Expect *check, const char *field, const char *value)
{
    if (!sku_is_valid(value))
        expect_fail(check, field, "must be 1 to %d characters of [A-Za-z0-9_.~-]", VARIANT_MAX_SKU);
}

void expect_category(const Expect *check, const char *field, const char *value)
{
    if (!*value || !category_is_valid(value))
        expect_fail(check, field, "must be parts joined by \" > \", at most %d characters together",
            PRODUCT_MAX_CATEGORY);
}

void expect_country(const Expect *check, const char *field, const char *value, bool is_needed)
{
    size_t n_capitals = strspn(value, "ABCDEFGHIJKLMNOPQRSTUVWXYZ");

    if (value[n_capitals] || (n_capitals != 2 && (is_needed || n_capitals)))
        expect_fail(check, field, "must be two capitals (ISO 3166-1)");
}

bool expect_money(const Expect *check, const char *field, const Google__Type__Money *money,
    int64_t min, int64_t *minor)
{
    int digits;

    if (!money) {
        expect_fail(check, field, "must be set");
        return false;
    }
    digits = money_digits(money->currency_code);
    if (digits < 0)
        expect_fail(check, field, "\"%s\" is not an ISO 4217 currency", money->currency_code);
    else if (!money_minor(money, minor))
        expect_fail(
            check, field, "is not an amount with at most %d digits behind the point", digits);
    else if (*minor < min)
        expect_fail(check, field, min > 0 ? "must be above zero" : "must not be below zero");
    else
        return true;
    return false;
}

void expect_moneys(const Expect *check, const char *field, Google__Type__Money *const *moneys,
    size_t n_moneys, size_t n_min, int64_t min)
{
    expect_count(check, field, n_moneys, n_min, RULES_MAX_AMOUNTS);
    for (size_t i = 0; i < n_moneys && i < RULES_MAX_AMOUNTS; i++) {
        int64_t minor;

        if (!expect_money(check, expect_at(check, field, i), moneys[i], min, &minor))
            continue;
        for (size_t j = 0; j < i; j++)
            if (text_equal(moneys[j]->currency_code, moneys[i]->currency_code))
                expect_fail(check, expect_at(check, field, i), "is in %s as another one is",
                    moneys[i]->currency_code);
    }
}

static void check_time(
    const Expect *check, const char *field, const Google__Protobuf__Timestamp *time)
{
    if (time && !timestamp_is_valid(time))
        expect_fail(check, field, "is not a time in the years 1 to 9999");
}

void expect_window(const Expect *check, const Google__Protobuf__Timestamp *start,
    const Google__Protobuf__Timestamp *end)
{
    check_time(check, "start_time", start);
    check_time(check, "end_time", end);
    if (start && end && timestamp_to_micros(start) >= timestamp_to_micros(end))
        expect_fail(check, "end_time", "must be after start_time");
}
