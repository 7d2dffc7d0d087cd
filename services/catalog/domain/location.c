#include "services/catalog/domain/location.h"

#include <ctype.h>
#include <string.h>

static void check_list(
    Findings *findings, const char *field, char *const *list, size_t count, size_t max)
{
    if (count > max)
        findings_add(findings, field, "must be at most %zu", max);
    for (size_t i = 0; i < count && i < max; i++)
        findings_length(findings, arena_printf(findings->arena, "%s[%zu]", field, i), list[i], 1,
            LOCATION_MAX_LINE);
}

static bool is_country(const char *country)
{
    return strlen(country) == 2 && isupper((unsigned char)country[0]) &&
           isupper((unsigned char)country[1]);
}

void location_check(const Location *location, Findings *findings)
{
    static const char prefix[] = "locations/";

    if (!text_starts_with(location->name, prefix) ||
        !location_is_valid(location->name + strlen(prefix)))
        findings_add(findings, "name", "must be \"locations/\" and 1 to %d characters of [a-z0-9-]",
            LOCATION_MAX_ID);
    findings_length(findings, "title", location->title, 1, LOCATION_MAX_TITLE);
    check_list(findings, "address_lines", location->address_lines, location->n_address_lines,
        LOCATION_MAX_LINES);
    findings_length(findings, "city", location->city, 0, LOCATION_MAX_LINE);
    findings_length(findings, "region", location->region, 0, LOCATION_MAX_REGION);
    findings_length(findings, "postal_code", location->postal_code, 0, LOCATION_MAX_POSTAL_CODE);
    if (*location->country && !is_country(location->country))
        findings_add(findings, "country", "must be two capital letters of ISO 3166-1");
    /* Written so that what is no number fails too. */
    if (!(location->latitude >= -90 && location->latitude <= 90))
        findings_add(findings, "latitude", "must be -90 to 90");
    if (!(location->longitude >= -180 && location->longitude <= 180))
        findings_add(findings, "longitude", "must be -180 to 180");
    findings_length(findings, "hours", location->hours, 0, LOCATION_MAX_HOURS);
    check_list(
        findings, "services", location->services, location->n_services, LOCATION_MAX_SERVICES);
}

void brand_check(const Brand *brand, Findings *findings)
{
    if (!text_matches_name(brand->name, "brands/*"))
        findings_add(
            findings, "name", "must be \"brands/\" and 1 to 63 characters of [a-z0-9_.~-]");
    findings_length(findings, "title", brand->title, 1, PRODUCT_MAX_BRAND);
    if (*brand->logo_uri && !uri_is_valid(brand->logo_uri))
        findings_add(findings, "logo_uri", "must be an http or https URI or a path");
    if (*brand->site_uri && !uri_is_valid(brand->site_uri))
        findings_add(findings, "site_uri", "must be an http or https URI or a path");
    local_texts_check(brand->texts, brand->n_texts, "texts", PRODUCT_MAX_BRAND, findings);
}

bool location_serves(const Location *location, StockPurpose purpose)
{
    if (!location)
        return true;
    if (purpose == THROUGHLINE__CATALOG__V1__STOCK_PURPOSE__STOCK_PURPOSE_PICKUP)
        return location->is_pickup;
    if (purpose == THROUGHLINE__CATALOG__V1__STOCK_PURPOSE__STOCK_PURPOSE_SHIP)
        return location->is_ship_from;
    return true;
}
