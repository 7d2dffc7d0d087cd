#include "services/cart/cart_service.h"

#include "services/cart/catalog_client.h"
#include "shared/base/money.h"
#include "shared/codec/message.h"
#include "shared/rpc/check.h"
#include "shared/rpc/naming.h"

#include <ctype.h>
#include <string.h>

typedef Throughline__Cart__V1__CreateCartRequest CreateCartRequest;
typedef Throughline__Cart__V1__GetCartRequest GetCartRequest;
typedef Throughline__Cart__V1__FindCartRequest FindCartRequest;
typedef Throughline__Cart__V1__AddLineRequest AddLineRequest;
typedef Throughline__Cart__V1__ChangeLineRequest ChangeLineRequest;
typedef Throughline__Cart__V1__RemoveLineRequest RemoveLineRequest;
typedef Throughline__Cart__V1__AddPromotionRequest AddPromotionRequest;
typedef Throughline__Cart__V1__RemovePromotionRequest RemovePromotionRequest;
typedef Throughline__Cart__V1__JoinCartRequest JoinCartRequest;
typedef Throughline__Cart__V1__LeaveCartRequest LeaveCartRequest;
typedef Throughline__Cart__V1__QuoteCartRequest QuoteCartRequest;
typedef Throughline__Cart__V1__QuoteCartResponse QuoteCartResponse;
typedef Throughline__Cart__V1__CartOpened CartOpened;

enum { OPEN_MAX_TRIES = 10, CODE_MIN = 3, CODE_MAX = 32, SKU_MAX = 64 };

static void check_currency(RpcCall *call, const char *field, const char *currency)
{
    if (money_digits(currency) < 0)
        check_fail(call, field, "must be an ISO 4217 currency, like \"EUR\"");
}

static void check_sku(RpcCall *call, const char *field, const char *sku)
{
    size_t size = strlen(sku);
    bool is_good = size >= 1 && size <= SKU_MAX;

    for (size_t i = 0; is_good && i < size; i++)
        is_good = isalnum((unsigned char)sku[i]) || strchr("_.~-", sku[i]);
    if (!is_good)
        check_fail(call, field, "must be 1 to %d characters of [A-Za-z0-9_.~-]", SKU_MAX);
}

static void check_gtin(RpcCall *call, const char *field, const char *gtin)
{
    size_t size = strlen(gtin);

    if (strspn(gtin, "0123456789") != size || (size != 8 && (size < 12 || size > 14)))
        check_fail(call, field, "must be 8, 12, 13 or 14 digits");
}

static void check_code(RpcCall *call, const char *field, const char *code)
{
    size_t size = strlen(code);

    if (size < CODE_MIN || size > CODE_MAX ||
        strspn(code, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") != size)
        check_fail(call, field, "must be %d to %d of [A-Z0-9-]", CODE_MIN, CODE_MAX);
}

/* What the scanner or the page gave, as the catalogue is asked for it. */
static FindVariantRequest check_item(RpcCall *call, const AddLineRequest *req)
{
    FindVariantRequest wanted = THROUGHLINE__CATALOG__V1__FIND_VARIANT_REQUEST__INIT;

    switch (req->item_case) {
    case THROUGHLINE__CART__V1__ADD_LINE_REQUEST__ITEM_SKU:
        check_sku(call, "sku", req->sku);
        wanted.code_case = THROUGHLINE__CATALOG__V1__FIND_VARIANT_REQUEST__CODE_SKU;
        wanted.sku = req->sku;
        break;
    case THROUGHLINE__CART__V1__ADD_LINE_REQUEST__ITEM_GTIN:
        check_gtin(call, "gtin", req->gtin);
        wanted.code_case = THROUGHLINE__CATALOG__V1__FIND_VARIANT_REQUEST__CODE_GTIN;
        wanted.gtin = req->gtin;
        break;
    default:
        check_fail(call, "item", "needs a sku or a gtin");
    }
    return wanted;
}

static const Error *create_cart(RpcCall *call, const void *request, void *reply)
{
    const CreateCartRequest *req = request;
    const char *name = rpc_new_name(call, "carts", req->request_id);
    Actor actor = actor_of(call);
    Cart *cart = reply;
    const Error *error;

    check_currency(call, "currency", req->currency);
    check_request_id(call, req->request_id);
    if ((error = check_result(call)))
        return error;

    for (int tries = 0;; tries++) {
        CartOpened event = THROUGHLINE__CART__V1__CART_OPENED__INIT;

        /* load: a customer goes on with the cart they have */
        error = actor_is_customer(&actor) ? cart_find_open(call->store, actor.name, cart)
                                          : &cart_not_found;
        if (error != &cart_not_found)
            return error;

        /* decide */
        message_init(carts.message, cart);
        cart_open(cart, name, req->currency, &actor, call->arena);
        event.cart = cart;

        /* store: the index lets one of two that open at once through; the other finds its cart */
        error = store_insert(call->store, &carts, cart, &event);
        if (!error || !text_equal(error->reason, "OPEN_CUSTOMER_TAKEN") || tries == OPEN_MAX_TRIES)
            return error;
    }
}

static const Error *get_cart(RpcCall *call, const void *request, void *reply)
{
    const GetCartRequest *req = request;
    Actor actor = actor_of(call);
    const Error *error;

    check_name(call, "name", req->name, "carts/*");
    if ((error = check_result(call)) || (error = cart_load(call->store, req->name, reply)))
        return error;
    return cart_check_read(reply, &actor);
}

static const Error *find_cart(RpcCall *call, const void *request, void *reply)
{
    const FindCartRequest *req = request;
    Actor actor = actor_of(call);
    const Error *error;

    check_name(call, "customer", req->customer, "customers/*");
    if ((error = check_result(call)) || (error = cart_find_open(call->store, req->customer, reply)))
        return error;
    return cart_check_read(reply, &actor);
}

static const Error *add_line(RpcCall *call, const void *request, void *reply)
{
    const AddLineRequest *req = request;
    FindVariantRequest wanted = check_item(call, req);
    Actor actor = actor_of(call);
    Cart *cart = reply;
    CartChange change __attribute__((cleanup(cart_change_end))) =
        cart_change(call, req->cart, req->etag, cart);
    const Error *error;

    check_name(call, "cart", req->cart, "carts/*");
    check_range(call, "quantity", req->quantity, 1, CART_MAX_QUANTITY);
    check_request_id(call, req->request_id);
    if ((error = check_result(call)))
        return error;

    while (cart_change_loads(&change)) {
        FindVariantResponse found = THROUGHLINE__CATALOG__V1__FIND_VARIANT_RESPONSE__INIT;
        LineAdded event = THROUGHLINE__CART__V1__LINE_ADDED__INIT;

        if ((error = cart_check_open(cart, call->arena)) ||
            (error = catalog_find_variant(call, &wanted, &found)))
            return error;
        change.error = cart_add_line(
            cart, found.product, found.sku, req->quantity, &actor, call->arena, &event);
        cart_change_store(&change, &event);
    }
    return change.error;
}

static const Error *change_line(RpcCall *call, const void *request, void *reply)
{
    const ChangeLineRequest *req = request;
    Actor actor = actor_of(call);
    Cart *cart = reply;
    CartChange change __attribute__((cleanup(cart_change_end))) =
        cart_change(call, req->cart, req->etag, cart);
    const Error *error;

    check_name(call, "cart", req->cart, "carts/*");
    check_sku(call, "sku", req->sku);
    check_range(call, "quantity", req->quantity, 0, CART_MAX_QUANTITY);
    check_request_id(call, req->request_id);
    if ((error = check_result(call)))
        return error;

    while (cart_change_loads(&change)) {
        LineChanged event = THROUGHLINE__CART__V1__LINE_CHANGED__INIT;

        change.error = cart_change_line(cart, req->sku, req->quantity, &actor, call->arena, &event);
        cart_change_store(&change, event.cart ? &event : NULL);
    }
    return change.error;
}

static const Error *remove_line(RpcCall *call, const void *request, void *reply)
{
    const RemoveLineRequest *req = request;
    Actor actor = actor_of(call);
    Cart *cart = reply;
    CartChange change __attribute__((cleanup(cart_change_end))) =
        cart_change(call, req->cart, req->etag, cart);
    const Error *error;

    check_name(call, "cart", req->cart, "carts/*");
    check_sku(call, "sku", req->sku);
    check_request_id(call, req->request_id);
    if ((error = check_result(call)))
        return error;

    while (cart_change_loads(&change)) {
        LineRemoved event = THROUGHLINE__CART__V1__LINE_REMOVED__INIT;

        change.error = cart_remove_line(cart, req->sku, &actor, call->arena, &event);
        cart_change_store(&change, &event);
    }
    return change.error;
}

static const Error *add_promotion(RpcCall *call, const void *request, void *reply)
{
    const AddPromotionRequest *req = request;
    Actor actor = actor_of(call);
    Cart *cart = reply;
    CartChange change __attribute__((cleanup(cart_change_end))) =
        cart_change(call, req->cart, req->etag, cart);
    const Error *error;

    check_name(call, "cart", req->cart, "carts/*");
    check_code(call, "code", req->code);
    check_request_id(call, req->request_id);
    if ((error = check_result(call)))
        return error;

    while (cart_change_loads(&change)) {
        PromotionAdded event = THROUGHLINE__CART__V1__PROMOTION_ADDED__INIT;

        if ((error = cart_check_open(cart, call->arena)) || cart_has_code(cart, req->code) ||
            (error = cart_check_lines(cart)) || (error = catalog_try_code(call, cart, req->code)))
            return error;
        change.error = cart_add_code(cart, req->code, &actor, call->arena, &event);
        cart_change_store(&change, &event);
    }
    return change.error;
}

static const Error *remove_promotion(RpcCall *call, const void *request, void *reply)
{
    const RemovePromotionRequest *req = request;
    Actor actor = actor_of(call);
    Cart *cart = reply;
    CartChange change __attribute__((cleanup(cart_change_end))) =
        cart_change(call, req->cart, req->etag, cart);
    const Error *error;

    check_name(call, "cart", req->cart, "carts/*");
    check_code(call, "code", req->code);
    check_request_id(call, req->request_id);
    if ((error = check_result(call)))
        return error;

    while (cart_change_loads(&change)) {
        PromotionRemoved event = THROUGHLINE__CART__V1__PROMOTION_REMOVED__INIT;

        change.error = cart_remove_code(cart, req->code, &actor, call->arena, &event);
        cart_change_store(&change, event.cart ? &event : NULL);
    }
    return change.error;
}

static const Error *join_cart(RpcCall *call, const void *request, void *reply)
{
    const JoinCartRequest *req = request;
    Actor actor = actor_of(call);
    Cart *cart = reply;
    CartChange change __attribute__((cleanup(cart_change_end))) =
        cart_change(call, req->cart, "", cart);
    const Error *error;

    check_name(call, "cart", req->cart, "carts/*");
    check_request_id(call, req->request_id);
    if ((error = check_result(call)) || (error = actor_check_agent(&actor)))
        return error;

    change.is_for_all = true;
    while (cart_change_loads(&change)) {
        AgentJoined event = THROUGHLINE__CART__V1__AGENT_JOINED__INIT;

        change.error = cart_join(cart, &actor, call->arena, &event);
        cart_change_store(&change, event.cart ? &event : NULL);
    }
    return change.error;
}

static const Error *leave_cart(RpcCall *call, const void *request, void *reply)
{
    const LeaveCartRequest *req = request;
    Actor actor = actor_of(call);
    Cart *cart = reply;
    CartChange change __attribute__((cleanup(cart_change_end))) =
        cart_change(call, req->cart, "", cart);
    const Error *error;

    check_name(call, "cart", req->cart, "carts/*");
    check_request_id(call, req->request_id);
    if ((error = check_result(call)))
        return error;

    change.is_for_all = true;
    while (cart_change_loads(&change)) {
        AgentLeft event = THROUGHLINE__CART__V1__AGENT_LEFT__INIT;

        change.error = cart_leave(cart, &actor, call->arena, &event);
        cart_change_store(&change, &event);
    }
    return change.error;
}

static const Error *quote_cart(RpcCall *call, const void *request, void *reply)
{
    const QuoteCartRequest *req = request;
    CreateQuoteResponse quoted = THROUGHLINE__CATALOG__V1__CREATE_QUOTE_RESPONSE__INIT;
    QuoteCartResponse *response = reply;
    Cart cart = THROUGHLINE__CART__V1__CART__INIT;
    Actor actor = actor_of(call);
    const Error *error;

    check_name(call, "cart", req->cart, "carts/*");
    if ((error = check_result(call)) || (error = cart_load(call->store, req->cart, &cart)) ||
        (error = cart_check_read(&cart, &actor)) || (error = cart_check_open(&cart, call->arena)) ||
        (error = cart_check_lines(&cart)) || (error = catalog_quote_cart(call, &cart, &quoted)))
        return error;
    response->quote = quoted.quote;
    response->signed_quote = quoted.signed_quote;
    return NULL;
}

/* Every rpc of the proto has a function of its name, or this does not compile. */
const RpcService cart_rpcs = THROUGHLINE__CART__V1__CART_SERVICE__INIT();
