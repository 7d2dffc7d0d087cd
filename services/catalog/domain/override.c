#include "services/catalog/domain/override.h"

#include "services/catalog/domain/rules_check.h"
#include "shared/base/money.h"
#include "shared/codec/types.h"

static void check_channels(const OverrideLimit *limit, const char *path, Findings *findings)
{
    Arena *arena = findings->arena;

    if (limit->n_channels < 1 || limit->n_channels > OVERRIDE_MAX_CHANNELS) {
        findings_add(findings, arena_printf(arena, "%s.channels", path), "must be 1 to %d",
            OVERRIDE_MAX_CHANNELS);
        return;
    }
    for (size_t i = 0; i < limit->n_channels; i++) {
        size_t length = text_length(limit->channels[i]);

        if (length < 1 || length > RULES_MAX_WORD)
            findings_add(findings, arena_printf(arena, "%s.channels[%zu]", path, i),
                "must have 1 to %d characters", RULES_MAX_WORD);
    }
}

static void check_amounts(const OverrideLimit *limit, const char *path, Findings *findings)
{
    Arena *arena = findings->arena;

    if (limit->n_max_amounts < 1 || limit->n_max_amounts > RULES_MAX_AMOUNTS) {
        findings_add(findings, arena_printf(arena, "%s.max_amounts", path), "must be 1 to %d",
            RULES_MAX_AMOUNTS);
        return;
    }
    for (size_t i = 0; i < limit->n_max_amounts; i++) {
        const char *field = arena_printf(arena, "%s.max_amounts[%zu]", path, i);
        const char *currency = limit->max_amounts[i]->currency_code;
        int64_t minor;

        if (money_digits(currency) < 0)
            findings_add(findings, field, "\"%s\" is not an ISO 4217 currency", currency);
        else if (!money_minor(limit->max_amounts[i], &minor) || minor <= 0)
            findings_add(findings, field,
                "must be above zero, with at most %d digits behind the point",
                money_digits(currency));
        for (size_t j = 0; j < i; j++)
            if (text_equal(limit->max_amounts[j]->currency_code, currency))
                findings_add(findings, field, "there is an amount in %s already", currency);
    }
}

void override_limit_check(const OverrideLimit *limit, const char *path, Findings *findings)
{
    size_t length = text_length(limit->title);

    if (length < 1 || length > RULES_MAX_TITLE)
        findings_add(findings, arena_printf(findings->arena, "%s.title", path),
            "must have 1 to %d characters", RULES_MAX_TITLE);
    if (limit->max_basis_points < 1 || limit->max_basis_points > PROMOTION_WHOLE)
        findings_add(findings, arena_printf(findings->arena, "%s.max_basis_points", path),
            "must be 1 to %d", PROMOTION_WHOLE);
    check_channels(limit, path, findings);
    check_amounts(limit, path, findings);
}

static bool has_channel(const OverrideLimit *limit, const char *channel)
{
    for (size_t i = 0; i < limit->n_channels; i++)
        if (text_equal(limit->channels[i], channel))
            return true;
    return false;
}

/* How much less one piece may cost; false when not at all in this currency. */
static bool find_allowance(const OverrideLimit *limit, const OverrideWish *wish, int64_t *minor)
{
    /* Rounded down, so that the share is never above what the limit says; in two parts, so that it fits. */
    int64_t share = wish->rule_minor / PROMOTION_WHOLE * limit->max_basis_points +
                    wish->rule_minor % PROMOTION_WHOLE * limit->max_basis_points / PROMOTION_WHOLE;

    for (size_t i = 0; i < limit->n_max_amounts; i++) {
        if (!text_equal(limit->max_amounts[i]->currency_code, wish->currency))
            continue;
        if (!money_minor(limit->max_amounts[i], minor))
            return false;
        *minor = share < *minor ? share : *minor;
        return true;
    }
    return false;
}

static const Error *not_allowed(const OverrideWish *wish, const char *why, Arena *arena)
{
    const Error *error = error_new(arena, ERROR_PERMISSION_DENIED, "OVERRIDE_NOT_ALLOWED",
        "The price of \"%s\" cannot be set so: %s.", wish->sku, why);

    return error_with_fact(arena, error, "sku", wish->sku);
}

const Error *override_check(const OverrideLimit *limit, const OverrideWish *wish, Arena *arena)
{
    char text[MONEY_TEXT_SIZE];
    int64_t allowance;
    const Error *error;

    if (!limit)
        return not_allowed(wish, "no published limit is named as the reason", arena);
    if (!has_channel(limit, wish->channel))
        return not_allowed(wish,
            arena_printf(arena, "the limit is not for the channel \"%s\"", wish->channel), arena);
    if (wish->unit_minor > wish->rule_minor)
        return not_allowed(wish, "it would cost more than by the rules", arena);
    if (!find_allowance(limit, wish, &allowance))
        return not_allowed(
            wish, arena_printf(arena, "the limit has no amount in %s", wish->currency), arena);
    if (wish->rule_minor - wish->unit_minor <= allowance)
        return NULL;
    money_format(wish->currency, wish->rule_minor - allowance, text);
    error = not_allowed(wish, arena_printf(arena, "it must cost at least %s", text), arena);
    return error_with_fact(arena, error, "lowest", arena_text(arena, text));
}
