#include "services/catalog/products/import_offers.h"

#include "shared/base/id.h"
#include "shared/codec/message.h"
#include "shared/rpc/check.h"

static const char default_reason[] = "Import of products";

const Error *import_offers_open(
    RpcCall *call, const ImportProductsRequest *first, ImportOffers *offers)
{
    Draft *draft = message_new(call->arena, &throughline__catalog__v1__draft__descriptor);
    const Error *error;

    check_optional_name(call, "draft", first->draft, "drafts/*");
    check_text(call, "reason", first->reason, 0, GOVERNANCE_MAX_NOTE);
    if ((error = check_result(call)))
        return error;
    *offers = (ImportOffers){
        .call = call,
        .draft = arena_text(call->arena, first->draft),
        .deed = deed_of(call, *first->reason ? first->reason : default_reason),
        .may_publish = caller_has_scope(call->caller, "catalog.publish") && !bound_channel(call),
    };
    if (!*first->draft)
        return NULL;
    if ((error = draft_load(call, offers->draft, "", draft)))
        return error;
    return draft_check_open(draft, call->arena);
}

static void add_change(ImportOffers *offers, const Product *product, Arena *arena)
{
    Change *change = message_new(arena, &throughline__catalog__v1__change__descriptor);
    Rule *rule = message_new(arena, &throughline__catalog__v1__rule__descriptor);

    rule->kind_case = THROUGHLINE__CATALOG__V1__RULE__KIND_PRODUCT_OFFER;
    rule->product_offer = offer_of(product, arena);
    change->rule = rule->product_offer->name;
    change->after = rule;
    offers->changes[offers->n_changes++] = change;
}

/* The row with variants of its own, to be changed. */
static Product *copy_variants(const Product *row, size_t n_more, Arena *arena)
{
    Product *product = arena_copy(arena, row, sizeof(*row));

    product->variants = arena_array(arena, row->n_variants + n_more, sizeof(*product->variants));
    for (size_t i = 0; i < row->n_variants; i++)
        product->variants[i] = arena_copy(arena, row->variants[i], sizeof(Variant));
    return product;
}

static void set_prices(Variant *variant, const Variant *other)
{
    variant->prices = other ? other->prices : NULL;
    variant->n_prices = other ? other->n_prices : 0;
}

/* Into a draft. */

/* With the variants that the row leaves out at the end, without prices: they are sold until the draft is published. */
static Product *with_left_out(const Product *row, const Product *stored, Arena *arena)
{
    size_t n_stored = stored ? stored->n_variants : 0;
    Product *product = copy_variants(row, n_stored, arena);

    for (size_t i = 0; i < n_stored; i++) {
        if (product_variant(row, stored->variants[i]->sku))
            continue;
        product->variants[product->n_variants] =
            arena_copy(arena, stored->variants[i], sizeof(Variant));
        set_prices(product->variants[product->n_variants++], NULL);
    }
    return product;
}

/* All that the row says but for prices and state, which stay as they are stored. */
static Product *withhold(const Product *product, const Product *stored, Arena *arena)
{
    Product *kept = copy_variants(product, 0, arena);

    kept->state = stored ? stored->state : PRODUCT_DRAFT;
    for (size_t i = 0; i < kept->n_variants; i++)
        set_prices(
            kept->variants[i], stored ? product_variant(stored, kept->variants[i]->sku) : NULL);
    return kept;
}

static RowDecision draft_row(ImportOffers *offers, const Product *row, const Product *stored,
    const Product *published, Arena *arena)
{
    Product *wanted = with_left_out(row, stored, arena);

    if (wanted->n_variants > PRODUCT_MAX_VARIANTS)
        return (RowDecision){ .field = "variants",
            .refusal = "are too many together with those that it leaves out" };
    if (!published || offer_difference(published, wanted, arena))
        add_change(offers, wanted, arena);
    return (RowDecision){ .product = withhold(wanted, stored, arena) };
}

/* At once. */

/* What the row wants: where it says the same as the one before it, that is what is published. */
static const Product *read_news(
    const Product *row, const Product *stored, const Product *published, Arena *arena)
{
    Product *wanted;

    if (published == stored)
        return row;
    wanted = copy_variants(row, 0, arena);
    if (row->state == stored->state)
        wanted->state = published->state;
    for (size_t i = 0; i < row->n_variants; i++) {
        const Variant *before = product_variant(stored, row->variants[i]->sku);

        if (before && !offer_variant_difference(before, row->variants[i], arena))
            set_prices(wanted->variants[i], product_variant(published, before->sku));
    }
    return wanted;
}

static RowDecision refuse(const char *field)
{
    return (RowDecision){ .field = field,
        .refusal = "changes what is on sale: that needs the scope catalog.publish and an account "
                   "for all channels, or a draft that the import puts it into" };
}

static RowDecision publish_row(ImportOffers *offers, Product *row, const Product *stored,
    const Product *published, Arena *arena)
{
    RowDecision decision = { .product = row };
    const Product *wanted;
    char *difference;

    if (!stored)
        return row->state != PRODUCT_DRAFT && !offers->may_publish ? refuse("state") : decision;
    wanted = read_news(row, stored, published, arena);
    difference = offer_difference(published, wanted, arena);
    if (!difference || (published->state == PRODUCT_DRAFT && wanted->state == PRODUCT_DRAFT))
        return decision;
    if (!offers->may_publish)
        return refuse(published->state != wanted->state ? "state" : "variants");
    decision.revaluation =
        message_new(arena, &throughline__catalog__v1__product_revaluation__descriptor);
    decision.revaluation->title = difference;
    decision.revaluation->deed = offers->deed;
    if (published != stored)
        add_change(offers, wanted, arena);
    return decision;
}

RowDecision import_offers_take(
    ImportOffers *offers, Product *row, const Product *stored, Arena *arena)
{
    Rules *rules = rules_holder_current(catalog_of(offers->call)->rules);
    const ProductOffer *offer = stored ? rules_offer(rules, row->name) : NULL;
    /* It must outlive the rules. */
    const Product *published =
        offer_apply(offer ? message_copy(arena, offer) : NULL, stored, arena);
    const char *refusal = stored && row->state != stored->state
                              ? product_state_refusal(published->state, row->state)
                              : NULL;

    rules_release(rules);
    if (refusal)
        return (RowDecision){ .field = "state", .refusal = refusal };
    if (*offers->draft)
        return draft_row(offers, row, stored, published, arena);
    return publish_row(offers, row, stored, published, arena);
}

/* What was taken. */

static const Error *plan_offers(
    RpcCall *call, void *context, const RuleBook *book, ChangeList *changes)
{
    const ImportOffers *offers = context;

    changes->items =
        arena_copy(call->arena, offers->changes, offers->n_changes * sizeof(*offers->changes));
    changes->n_items = offers->n_changes;
    changes_begin(changes->items, changes->n_items, book, call->arena);
    return NULL;
}

static const Error *publish_offers(ImportOffers *offers, StoreView *view)
{
    Release *release = message_new(view->arena, &throughline__catalog__v1__release__descriptor);
    Publication publication = { release, plan_offers, offers, view };

    release->kind = RELEASE_DIRECT;
    release->title = arena_text(view->arena, "Import");
    release->reason = offers->deed->note;
    release->publication = offers->deed;
    return publish(offers->call, &publication);
}

static const Error *draft_offers(ImportOffers *offers, StoreView *view)
{
    Draft *draft = message_new(view->arena, &throughline__catalog__v1__draft__descriptor);
    DraftPut put = {
        .draft = offers->draft,
        .etag = "",
        .part = id_name(view->arena, "draftParts"),
        .changes = offers->changes,
        .n_changes = offers->n_changes,
        .view = view,
    };

    return draft_put(offers->call, &put, draft);
}

const Error *import_offers_settle(ImportOffers *offers, ImportProductsResponse *result)
{
    StoreView view = store_steps(offers->call->store);
    const Error *error;

    if (offers->n_changes == 0)
        return NULL;
    error = *offers->draft ? draft_offers(offers, &view) : publish_offers(offers, &view);
    if (*offers->draft && !error)
        result->drafted += (int64_t)offers->n_changes;
    offers->n_changes = 0;
    return error;
}
