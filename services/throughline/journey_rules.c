/* Before the customer comes: merchandising prepares a promotion, and somebody else has to agree to it. */
#include "services/throughline/journey_steps.h"

#include "shared/base/text.h"

#include "throughline/catalog/v1/governance.pb-c.h"

typedef Throughline__Catalog__V1__Draft Draft;

enum { PROMOTION_BASIS_POINTS = 1500, VAT_MILLIONTHS = 190000 };

#define governance_service (&throughline__catalog__v1__governance_service__descriptor)

/* What is sold is taxed like this where the customer lives; in every play the same. */
static void add_taxes(
    Throughline__Catalog__V1__Change *kind, Throughline__Catalog__V1__Change *rate)
{
    kind->rule = kind->after->tax_category->name = "taxCategories/goods";
    kind->after->kind_case = THROUGHLINE__CATALOG__V1__RULE__KIND_TAX_CATEGORY;
    kind->after->tax_category->title = "Goods";
    kind->after->tax_category->is_default = true;
    rate->rule = rate->after->tax_rate->name = "taxRates/vat-de";
    rate->after->kind_case = THROUGHLINE__CATALOG__V1__RULE__KIND_TAX_RATE;
    rate->after->tax_rate->title = "VAT 19 %";
    rate->after->tax_rate->country = JOURNEY_COUNTRY;
    rate->after->tax_rate->tax_category = kind->rule;
    rate->after->tax_rate->rate_millionths = VAT_MILLIONTHS;
}

static const Error *prepare_draft(Journey *j, Draft *draft)
{
    Throughline__Catalog__V1__CreateDraftRequest request =
        THROUGHLINE__CATALOG__V1__CREATE_DRAFT_REQUEST__INIT;
    Throughline__Catalog__V1__Change code = THROUGHLINE__CATALOG__V1__CHANGE__INIT;
    Throughline__Catalog__V1__Change kind = code, rate = code, *changes[] = { &code, &kind, &rate };
    Throughline__Catalog__V1__Rule rule = THROUGHLINE__CATALOG__V1__RULE__INIT;
    Throughline__Catalog__V1__Rule goods = rule, vat = rule;
    Throughline__Catalog__V1__Promotion promotion = THROUGHLINE__CATALOG__V1__PROMOTION__INIT;
    Throughline__Catalog__V1__TaxCategory category = THROUGHLINE__CATALOG__V1__TAX_CATEGORY__INIT;
    Throughline__Catalog__V1__TaxRate tax = THROUGHLINE__CATALOG__V1__TAX_RATE__INIT;

    j->code = arena_printf(j->arena, "CARE-%s", j->id);
    for (char *c = j->code; *c; c++)
        *c = (char)(*c >= 'a' && *c <= 'z' ? *c - 'a' + 'A' : *c);
    promotion.name = code.rule = arena_printf(j->arena, "promotions/care-%s", j->id);
    promotion.code = j->code;
    promotion.title = "A thank-you for waiting";
    promotion.basis_points = PROMOTION_BASIS_POINTS;
    rule.kind_case = THROUGHLINE__CATALOG__V1__RULE__KIND_PROMOTION;
    rule.promotion = &promotion;
    code.after = &rule;
    goods.tax_category = &category;
    kind.after = &goods;
    vat.tax_rate = &tax;
    rate.after = &vat;
    add_taxes(&kind, &rate);
    request.title = "Something for those who had to wait; what Germany taxes";
    request.reason = "The care desk and the books ask for it.";
    request.changes = changes;
    request.n_changes = COUNT(changes);
    request.request_id = journey_request_id(j);
    return shop_call(
        j->shop, &j->merchandising, governance_service, "CreateDraft", &request, draft);
}

static const Error *approve(Journey *j, Channel *channel, const Draft *draft, Draft *approved)
{
    Throughline__Catalog__V1__ApproveDraftRequest request =
        THROUGHLINE__CATALOG__V1__APPROVE_DRAFT_REQUEST__INIT;

    request.name = draft->name;
    request.request_id = journey_request_id(j);
    return shop_call(j->shop, channel, governance_service, "ApproveDraft", &request, approved);
}

/* Lee's own approval does not count, not even through the account of those who approve. */
static const Error *approve_own(Journey *j, const Draft *draft)
{
    Channel lee = j->governance;
    Draft approved = THROUGHLINE__CATALOG__V1__DRAFT__INIT;
    const Error *error;

    lee.context.actor = j->merchandising.context.actor;
    error = approve(j, &lee, draft, &approved);
    if (!error)
        return journey_broken(j, "Lee could approve what Lee had written.");
    if (!text_equal(error->reason, "FOUR_EYES"))
        return error;
    journey_say("office", "Lee", "may not approve it: that takes a second pair of eyes");
    return NULL;
}

static const Error *publish(Journey *j, const Draft *draft)
{
    Throughline__Catalog__V1__PublishDraftRequest request =
        THROUGHLINE__CATALOG__V1__PUBLISH_DRAFT_REQUEST__INIT;
    Draft published = THROUGHLINE__CATALOG__V1__DRAFT__INIT;
    const Error *error;

    request.name = draft->name;
    request.request_id = journey_request_id(j);
    if ((error = shop_call(
             j->shop, &j->governance, governance_service, "PublishDraft", &request, &published)))
        return error;
    journey_say("office", "Ada", "approves and publishes it: release %lld holds in every channel",
        (long long)published.release);
    return NULL;
}

const Error *journey_govern(Journey *j)
{
    Throughline__Catalog__V1__SubmitDraftRequest submit =
        THROUGHLINE__CATALOG__V1__SUBMIT_DRAFT_REQUEST__INIT;
    Draft draft = THROUGHLINE__CATALOG__V1__DRAFT__INIT;
    Draft submitted = THROUGHLINE__CATALOG__V1__DRAFT__INIT;
    Draft approved = THROUGHLINE__CATALOG__V1__DRAFT__INIT;
    const Error *error;

    j->merchandising.context.actor = "agents/lee";
    j->governance.context.actor = "agents/ada";
    if ((error = prepare_draft(j, &draft)))
        return error;
    submit.name = draft.name;
    submit.request_id = journey_request_id(j);
    if ((error = shop_call(
             j->shop, &j->merchandising, governance_service, "SubmitDraft", &submit, &submitted)))
        return error;
    journey_say("office", "Lee",
        "drafts the promotion %s, 15 %% off, and Germany's VAT; asks for approval", j->code);
    if ((error = approve_own(j, &submitted)) ||
        (error = approve(j, &j->governance, &submitted, &approved)))
        return error;
    return publish(j, &approved);
}
