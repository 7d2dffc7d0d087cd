#include "services/catalog/domain/coupon.h"

#include "services/catalog/domain/promotion.h"
#include "shared/base/text.h"
#include "shared/codec/types.h"

static void check_limit(int64_t limit, const char *field, Findings *findings)
{
    if (limit < 0)
        findings_add(findings, field, "must not be negative");
}

static void check_times(const CouponCampaign *campaign, Findings *findings)
{
    if (campaign->start_time && !timestamp_is_valid(campaign->start_time))
        findings_add(findings, "campaign.start_time", "is no time");
    if (campaign->end_time && !timestamp_is_valid(campaign->end_time))
        findings_add(findings, "campaign.end_time", "is no time");
    else if (campaign->end_time &&
             timestamp_to_micros(campaign->end_time) <= timestamp_to_micros(campaign->start_time))
        findings_add(findings, "campaign.end_time", "must be after start_time");
}

void campaign_check(const CouponCampaign *campaign, Findings *findings)
{
    size_t length = text_length(campaign->title);

    if (length < 1 || length > CAMPAIGN_MAX_TITLE)
        findings_add(
            findings, "campaign.title", "must have 1 to %d characters", CAMPAIGN_MAX_TITLE);
    if (!text_matches_name(campaign->promotion, "promotions/*"))
        findings_add(findings, "campaign.promotion", "must be like \"promotions/…\"");
    if (*campaign->code && !promotion_code_is_valid(campaign->code))
        findings_add(findings, "campaign.code", "must be %d to %d of [A-Z0-9-]", PROMOTION_MIN_CODE,
            PROMOTION_MAX_CODE);
    if (*campaign->prefix && !coupon_prefix_is_valid(campaign->prefix))
        findings_add(findings, "campaign.prefix", "must be %d to %d of [A-Z0-9]", COUPON_MIN_PREFIX,
            COUPON_MAX_PREFIX);
    if (!*campaign->code == !*campaign->prefix)
        findings_add(findings, "campaign.code", "either a code or a prefix must be given");
    if (*campaign->code && coupon_prefix(campaign->code, findings->arena))
        findings_add(findings, "campaign.code", "looks like a generated code");
    if (campaign->is_personal && !*campaign->prefix)
        findings_add(findings, "campaign.is_personal", "only generated codes can be");
    check_limit(campaign->total_limit, "campaign.total_limit", findings);
    check_limit(campaign->code_limit, "campaign.code_limit", findings);
    check_limit(campaign->customer_limit, "campaign.customer_limit", findings);
    check_times(campaign, findings);
}

Throughline__Catalog__V1__Coupon__State campaign_state(const CouponCampaign *campaign, int64_t now)
{
    if (campaign->end_time && now >= timestamp_to_micros(campaign->end_time))
        return COUPON_ENDED;
    if (campaign->start_time && now < timestamp_to_micros(campaign->start_time))
        return COUPON_NOT_STARTED;
    return COUPON_USABLE;
}

int64_t campaign_code_limit(const CouponCampaign *campaign)
{
    return *campaign->prefix && campaign->code_limit == 0 ? 1 : campaign->code_limit;
}

bool campaign_end(CouponCampaign *campaign, int64_t now, Arena *arena)
{
    if (campaign_state(campaign, now) == COUPON_ENDED)
        return false;
    campaign->end_time = timestamp_from_micros(arena, now);
    return true;
}
