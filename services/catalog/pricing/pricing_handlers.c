/* Promotions by themselves, for accounts that may publish: each change is a release of its own. Quotes and keys have files of their
 * own. */
#include "services/catalog/pricing/pricing_rpcs.h"

#include "services/catalog/governance/governance.h"
#include "shared/codec/message.h"
#include "shared/codec/types.h"
#include "shared/rpc/check.h"
#include "shared/rpc/naming.h"

typedef Throughline__Catalog__V1__CreatePromotionRequest CreatePromotionRequest;
typedef Throughline__Catalog__V1__GetPromotionRequest GetPromotionRequest;
typedef Throughline__Catalog__V1__ListPromotionsRequest ListPromotionsRequest;
typedef Throughline__Catalog__V1__ListPromotionsResponse ListPromotionsResponse;
typedef Throughline__Catalog__V1__EndPromotionRequest EndPromotionRequest;

static const Error promotion_exists = { ERROR_ALREADY_EXISTS, "PROMOTION_EXISTS",
    "There is a promotion with this name." };
static const Error promotion_not_found = { ERROR_NOT_FOUND, "PROMOTION_NOT_FOUND",
    "There is no promotion with this name." };
static const Error code_taken = { ERROR_ALREADY_EXISTS, "CODE_TAKEN",
    "Another promotion has this code." };
static const Error etag_stale = { ERROR_ABORTED, "ETAG_STALE",
    "The promotion was changed meanwhile: look at it again." };
/* Not a failure: there is nothing to publish. */
static const Error ended_before = { ERROR_ALREADY_EXISTS, "PROMOTION_ENDED_BEFORE",
    "The promotion has ended before." };

/* A change of one promotion on its way to a release; the answer is the promotion as it is then. */
typedef struct PromotionPlan {
    const char *name;
    const char *etag; /* that the caller saw */
    Promotion *answer;
} PromotionPlan;

/* Versions of a promotion are the releases that made it so. */
static char *etag_of(Arena *arena, int64_t release)
{
    return arena_printf(arena, "%lld", (long long)release);
}

static void add_change(
    RpcCall *call, const PromotionPlan *plan, const RuleBook *book, ChangeList *changes)
{
    Change *change = message_new(call->arena, &throughline__catalog__v1__change__descriptor);
    Rule *rule = message_new(call->arena, &throughline__catalog__v1__rule__descriptor);

    rule->kind_case = THROUGHLINE__CATALOG__V1__RULE__KIND_PROMOTION;
    rule->promotion = message_copy(call->arena, plan->answer);
    change->rule = rule->promotion->name;
    change->after = rule;
    changes->items = arena_array(call->arena, 1, sizeof(*changes->items));
    changes->items[changes->n_items++] = change;
    changes_begin(changes->items, changes->n_items, book, call->arena);
    plan->answer->etag = etag_of(call->arena, rule_book_number(book) + 1);
}

static bool is_code_taken(RpcCall *call, const char *code)
{
    Rules *rules = rules_holder_current(catalog_of(call)->rules);
    bool is_taken = rules_promotion_by_code(rules, code) != NULL;

    rules_release(rules);
    return is_taken;
}

static const Error *plan_creation(
    RpcCall *call, void *context, const RuleBook *book, ChangeList *changes)
{
    const PromotionPlan *plan = context;

    if (rule_book_find(book, plan->answer->name)) {
        /* A twin of this request may have made it. */
        const Error *error = store_find_reply(call->store);

        return error ? error : &promotion_exists;
    }
    if (is_code_taken(call, plan->answer->code))
        return &code_taken;
    add_change(call, plan, book, changes);
    return NULL;
}

static const Error *find_promotion(
    RpcCall *call, const char *name, const RuleBook *book, Promotion *promotion)
{
    const BookRule *rule = rule_book_find(book, name);

    if (!rule || !promotion_is_shown(caller_desk(call, book), name))
        return &promotion_not_found;
    *promotion = *book_rule_unpack(rule, call->arena)->promotion;
    promotion->etag = etag_of(call->arena, rule->changed_in);
    return NULL;
}

static const Error *plan_end(
    RpcCall *call, void *context, const RuleBook *book, ChangeList *changes)
{
    const PromotionPlan *plan = context;
    const Error *error;

    if ((error = find_promotion(call, plan->name, book, plan->answer)))
        return error;
    if (*plan->etag && !text_equal(plan->etag, plan->answer->etag))
        return &etag_stale;
    if (!promotion_end(plan->answer, call->arrived_at, call->arena))
        return &ended_before;
    add_change(call, plan, book, changes);
    return NULL;
}

static Release *direct_release(RpcCall *call, const char *what, const char *title)
{
    Release *release = message_new(call->arena, &throughline__catalog__v1__release__descriptor);

    release->kind = RELEASE_DIRECT;
    release->title = arena_printf(call->arena, "%s %s", what, title);
    release->publication = deed_of(call, "");
    return release;
}

static const Error *create_promotion(RpcCall *call, const void *request, void *reply)
{
    const CreatePromotionRequest *req = request;
    Promotion *promotion = reply;
    Findings findings = { .arena = call->arena };
    PromotionPlan plan = { .answer = promotion };
    Publication publication = { NULL, plan_creation, &plan, call->store };
    const Error *error;

    check_request_id(call, req->request_id);
    check_present(call, "promotion", req->promotion);
    if (req->promotion)
        promotion_check(req->promotion, &findings);
    for (size_t i = 0; i < findings.n_items; i++)
        check_fail(call, findings.items[i].field, "%s", findings.items[i].description);
    if ((error = check_result(call)))
        return error;

    *promotion = *req->promotion;
    promotion->name = rpc_new_name(call, "promotions", req->request_id);
    promotion->create_time = timestamp_from_micros(call->arena, call->arrived_at);
    publication.release = direct_release(call, "New promotion", promotion->title);
    return publish(call, &publication);
}

static const Error *get_promotion(RpcCall *call, const void *request, void *reply)
{
    const GetPromotionRequest *req = request;
    RuleBook *book;
    const Error *error;

    check_name(call, "name", req->name, "promotions/*");
    if ((error = check_result(call)) ||
        (error = rule_shelf_follow(catalog_of(call)->shelf, call->store)))
        return error;

    book = rule_shelf_current(catalog_of(call)->shelf);
    error = find_promotion(call, req->name, book, reply);
    rule_book_release(book);
    return error;
}

static const Error *list_promotions(RpcCall *call, const void *request, void *reply)
{
    const ListPromotionsRequest *req = request;
    ListPromotionsResponse *res = reply;
    ListRulesResponse rules = THROUGHLINE__CATALOG__V1__LIST_RULES_RESPONSE__INIT;
    RpcPage page = page_read(call, req->page_size, req->page_token, "");
    RuleBook *book;
    const Error *error;

    if ((error = check_result(call)) ||
        (error = rule_shelf_follow(catalog_of(call)->shelf, call->store)))
        return error;

    book = rule_shelf_current(catalog_of(call)->shelf);
    rule_page(call, book, "promotions/", &page, &rules);
    rule_book_release(book);
    res->promotions = arena_array(call->arena, rules.n_rules, sizeof(*res->promotions));
    for (; res->n_promotions < rules.n_rules; res->n_promotions++) {
        Promotion *promotion = rules.rules[res->n_promotions]->rule->promotion;

        promotion->etag = etag_of(call->arena, rules.rules[res->n_promotions]->changed_in);
        res->promotions[res->n_promotions] = promotion;
    }
    res->next_page_token = rules.next_page_token;
    return NULL;
}

/* Ending twice is ending once. */
static const Error *end_promotion(RpcCall *call, const void *request, void *reply)
{
    const EndPromotionRequest *req = request;
    PromotionPlan plan = { req->name, req->etag, reply };
    Publication publication = { NULL, plan_end, &plan, call->store };
    const Error *error;

    check_name(call, "name", req->name, "promotions/*");
    check_request_id(call, req->request_id);
    if ((error = check_result(call)))
        return error;

    publication.release = direct_release(call, "End", req->name);
    error = publish(call, &publication);
    return error == &ended_before ? NULL : error;
}

const RpcService pricing_rpcs = THROUGHLINE__CATALOG__V1__PRICING_SERVICE__INIT();
