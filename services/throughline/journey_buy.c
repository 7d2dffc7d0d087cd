/* The journey from the first look to the invoice: web, app, store, care desk. */
#include "services/throughline/journey_steps.h"

#include "shared/base/clock.h"
#include "shared/base/text.h"

#include <stdio.h>
#include <string.h>

typedef Throughline__Catalog__V1__Variant Variant;
typedef Throughline__Cart__V1__Cart Cart;

enum { SHIPPING_UNITS = 5 };

#define cart_service (&throughline__cart__v1__cart_service__descriptor)
#define order_service (&throughline__cart__v1__order_service__descriptor)
#define customer_service (&throughline__identity__v1__customer_service__descriptor)
#define consent_service (&throughline__identity__v1__consent_service__descriptor)

static const Error *create_customer(Journey *j)
{
    Throughline__Identity__V1__CreateCustomerRequest request =
        THROUGHLINE__IDENTITY__V1__CREATE_CUSTOMER_REQUEST__INIT;
    Throughline__Identity__V1__Customer wanted = THROUGHLINE__IDENTITY__V1__CUSTOMER__INIT;
    Throughline__Identity__V1__Customer made = THROUGHLINE__IDENTITY__V1__CUSTOMER__INIT;
    Throughline__Identity__V1__Identifier email = THROUGHLINE__IDENTITY__V1__IDENTIFIER__INIT;
    Throughline__Identity__V1__Identifier *identifiers[] = { &email };
    const Error *error;

    email.kind = THROUGHLINE__IDENTITY__V1__IDENTIFIER__KIND__EMAIL;
    email.value = arena_printf(j->arena, "jo.%s@example.com", j->id);
    email.is_verified = true;
    wanted.display_name = "Jo Winter";
    wanted.language = "en-GB";
    wanted.n_identifiers = 1;
    wanted.identifiers = identifiers;
    request.customer = &wanted;
    request.request_id = journey_request_id(j);
    j->app.context.actor = arena_printf(j->arena, "anonymous/phone-%s", j->id);
    if ((error = shop_call(j->shop, &j->app, customer_service, "CreateCustomer", &request, &made)))
        return error;
    j->customer = made.name;
    j->app.context.actor = j->customer;
    journey_say("app", "Jo", "registered last month as %s", j->customer);
    return NULL;
}

static const Error *grant_consent(Journey *j)
{
    Throughline__Identity__V1__SetConsentRequest request =
        THROUGHLINE__IDENTITY__V1__SET_CONSENT_REQUEST__INIT;
    Throughline__Identity__V1__Consent consent = THROUGHLINE__IDENTITY__V1__CONSENT__INIT;
    Throughline__Identity__V1__Customer customer = THROUGHLINE__IDENTITY__V1__CUSTOMER__INIT;
    const Error *error;

    consent.purpose = "service";
    consent.channel = "inbox";
    consent.state = THROUGHLINE__IDENTITY__V1__CONSENT__STATE__GRANTED;
    consent.wording = "service-messages-2";
    request.customer = j->customer;
    request.consent = &consent;
    request.request_id = journey_request_id(j);
    if ((error = shop_call(j->shop, &j->app, consent_service, "SetConsent", &request, &customer)))
        return error;
    journey_say("app", "Jo", "allows service messages in the app's inbox, nothing else");
    return NULL;
}

static const Error *create_cart(Journey *j, Channel *channel, char **cart)
{
    Throughline__Cart__V1__CreateCartRequest request =
        THROUGHLINE__CART__V1__CREATE_CART_REQUEST__INIT;
    Cart made = THROUGHLINE__CART__V1__CART__INIT;
    const Error *error;

    request.currency = j->currency;
    request.request_id = journey_request_id(j);
    if ((error = shop_call(j->shop, channel, cart_service, "CreateCart", &request, &made)))
        return error;
    *cart = made.name;
    return NULL;
}

static const Error *add_line(
    Journey *j, Channel *channel, char *cart, const Variant *variant, bool by_gtin, int quantity)
{
    Throughline__Cart__V1__AddLineRequest request = THROUGHLINE__CART__V1__ADD_LINE_REQUEST__INIT;
    Cart after = THROUGHLINE__CART__V1__CART__INIT;
    const Error *error;

    request.cart = cart;
    request.quantity = quantity;
    if (by_gtin) {
        request.item_case = THROUGHLINE__CART__V1__ADD_LINE_REQUEST__ITEM_GTIN;
        request.gtin = variant->gtin;
    } else {
        request.item_case = THROUGHLINE__CART__V1__ADD_LINE_REQUEST__ITEM_SKU;
        request.sku = variant->sku;
    }
    request.request_id = journey_request_id(j);
    if ((error = shop_call(j->shop, channel, cart_service, "AddLine", &request, &after)))
        return error;
    for (size_t i = 0; i < after.n_lines; i++)
        if (text_equal(after.lines[i]->sku, variant->sku))
            journey_say(channel->context.channel,
                text_starts_with(channel->context.actor, "anonymous/") ? "a visitor" : "Jo",
                "%s %d × %s at %s; the cart is worth %s", by_gtin ? "scans" : "adds", quantity,
                after.lines[i]->title, journey_money(j, after.lines[i]->unit_price),
                journey_money(j, after.subtotal));
    return NULL;
}

const Error *journey_prepare(Journey *j)
{
    const Error *error;
    char *app_cart = NULL;

    j->agent = "agents/kim";
    j->handle = arena_printf(j->arena, "chirp:@jo%s", j->id);
    j->web.context.actor = arena_printf(j->arena, "anonymous/browser-%s", j->id);
    if ((error = journey_pick(j)) || (error = create_customer(j)) || (error = grant_consent(j)) ||
        (error = create_cart(j, &j->app, &app_cart)))
        return error;
    return add_line(j, &j->app, app_cart, j->picks[0], false, 1);
}

const Error *journey_browse(Journey *j)
{
    const Error *error;

    if ((error = create_cart(j, &j->web, &j->cart)))
        return error;
    journey_say("web", "a visitor", "browses without signing in and gets %s", j->cart);
    if ((error = add_line(j, &j->web, j->cart, j->picks[0], false, 1)))
        return error;
    return add_line(j, &j->web, j->cart, j->picks[1], false, 2);
}

const Error *journey_sign_in(Journey *j)
{
    Throughline__Cart__V1__AttachCustomerRequest request =
        THROUGHLINE__CART__V1__ATTACH_CUSTOMER_REQUEST__INIT;
    Throughline__Cart__V1__AttachCustomerResponse response =
        THROUGHLINE__CART__V1__ATTACH_CUSTOMER_RESPONSE__INIT;
    Channel signing_in = j->app;
    const Error *error;

    /* The app shows the web's cart (by its cookie) and signs the customer in: both holders, one person. */
    signing_in.context.actor = j->web.context.actor;
    signing_in.context.on_behalf_of = j->customer;
    request.cart = j->cart;
    request.customer = j->customer;
    request.mode = THROUGHLINE__CART__V1__ATTACH_CUSTOMER_REQUEST__MODE__SUM;
    request.request_id = journey_request_id(j);
    if ((error = shop_call(
             j->shop, &signing_in, cart_service, "AttachCustomer", &request, &response)))
        return error;
    j->cart = response.cart->name;
    journey_say("app", "Jo", "signs in: the web's cart joins the app's, %zu lines, worth %s",
        response.cart->n_lines, journey_money(j, response.cart->subtotal));
    if (response.cart->n_lines != 2 || !text_equal(response.cart->customer, j->customer))
        return journey_broken(
            j, "The merged cart has %zu lines instead of 2.", response.cart->n_lines);
    return NULL;
}

const Error *journey_hand_over(Journey *j)
{
    Throughline__Cart__V1__CreateHandoffRequest create =
        THROUGHLINE__CART__V1__CREATE_HANDOFF_REQUEST__INIT;
    Throughline__Cart__V1__Handoff handoff = THROUGHLINE__CART__V1__HANDOFF__INIT;
    Throughline__Cart__V1__ClaimHandoffRequest claim =
        THROUGHLINE__CART__V1__CLAIM_HANDOFF_REQUEST__INIT;
    Cart cart = THROUGHLINE__CART__V1__CART__INIT;
    const Error *error;

    create.cart = j->cart;
    if ((error = shop_call(j->shop, &j->app, cart_service, "CreateHandoff", &create, &handoff)))
        return error;
    journey_say("app", "Jo", "shows the code %.4s %s in the store", handoff.code, handoff.code + 4);
    j->store.context.actor = j->customer;
    claim.code = handoff.code;
    claim.request_id = journey_request_id(j);
    if ((error = shop_call(j->shop, &j->store, cart_service, "ClaimHandoff", &claim, &cart)))
        return error;
    if (!text_equal(cart.name, j->cart))
        return journey_broken(j, "The code opened %s instead of %s.", cart.name, j->cart);
    journey_say("store", "till 3", "takes the cart over with the code: same lines, same prices");
    return add_line(j, &j->store, j->cart, j->picks[2], !text_is_empty(j->picks[2]->gtin), 1);
}

const Error *journey_get_help(Journey *j)
{
    Throughline__Cart__V1__JoinCartRequest join = THROUGHLINE__CART__V1__JOIN_CART_REQUEST__INIT;
    Throughline__Cart__V1__AddPromotionRequest add =
        THROUGHLINE__CART__V1__ADD_PROMOTION_REQUEST__INIT;
    Cart cart = THROUGHLINE__CART__V1__CART__INIT;
    const Error *error;

    j->care.context.actor = j->agent;
    j->care.context.on_behalf_of = j->customer;
    join.cart = j->cart;
    join.request_id = journey_request_id(j);
    if ((error = shop_call(j->shop, &j->care, cart_service, "JoinCart", &join, &cart)))
        return error;
    journey_say(
        "care", "agent Kim", "joins the cart on the phone and sees %zu lines", cart.n_lines);
    add.cart = j->cart;
    add.code = j->code;
    add.request_id = journey_request_id(j);
    if ((error = shop_call(j->shop, &j->care, cart_service, "AddPromotion", &add, &cart)))
        return error;
    journey_say("care", "agent Kim", "adds the promotion %s (15 %% off)", j->code);
    return NULL;
}

static const Error *set_fulfilment(Journey *j)
{
    Throughline__Cart__V1__SetFulfilmentRequest request =
        THROUGHLINE__CART__V1__SET_FULFILMENT_REQUEST__INIT;
    Throughline__Cart__V1__Fulfilment fulfilment = THROUGHLINE__CART__V1__FULFILMENT__INIT;
    Throughline__Cart__V1__Place home = THROUGHLINE__CART__V1__PLACE__INIT;
    Cart cart = THROUGHLINE__CART__V1__CART__INIT;

    home.country = JOURNEY_COUNTRY;
    fulfilment.method = THROUGHLINE__CART__V1__FULFILMENT__METHOD__SHIP;
    fulfilment.delivery = &home;
    request.cart = j->cart;
    request.fulfilment = &fulfilment;
    request.request_id = journey_request_id(j);
    return shop_call(j->shop, &j->app, cart_service, "SetFulfilment", &request, &cart);
}

const Error *journey_ship(Journey *j)
{
    Throughline__Cart__V1__SetTermsRequest request = THROUGHLINE__CART__V1__SET_TERMS_REQUEST__INIT;
    Throughline__Cart__V1__Terms terms = THROUGHLINE__CART__V1__TERMS__INIT;
    Throughline__Cart__V1__Shipping shipping = THROUGHLINE__CART__V1__SHIPPING__INIT;
    Google__Type__Money amount = GOOGLE__TYPE__MONEY__INIT;
    Cart cart = THROUGHLINE__CART__V1__CART__INIT;
    const Error *error;

    amount.currency_code = j->currency;
    amount.units = SHIPPING_UNITS;
    shipping.method = "parcel";
    shipping.amount = &amount;
    terms.shipping = &shipping;
    request.cart = j->cart;
    request.terms = &terms;
    request.request_id = journey_request_id(j);
    if ((error = set_fulfilment(j)) ||
        (error = shop_call(j->shop, &j->app, cart_service, "SetTerms", &request, &cart)))
        return error;
    journey_say("app", "Jo", "has it sent home to Germany: %s for the parcel",
        journey_money(j, cart.terms->shipping->amount));
    return NULL;
}

static const Error *is_ordered(Journey *j, bool *done)
{
    Throughline__Cart__V1__ListOrdersRequest request =
        THROUGHLINE__CART__V1__LIST_ORDERS_REQUEST__INIT;
    Throughline__Cart__V1__ListOrdersResponse response =
        THROUGHLINE__CART__V1__LIST_ORDERS_RESPONSE__INIT;
    const Error *error;

    request.customer = j->customer;
    if ((error = shop_call(j->shop, &j->app, order_service, "ListOrders", &request, &response)))
        return error;
    *done = response.n_orders > 0;
    if (response.n_orders > 1)
        return journey_broken(j, "There are %zu orders instead of one.", response.n_orders);
    return NULL;
}

/* Sends the checkout and hangs up without reading the answer, as a phone in a tunnel does. */
static const Error *check_out_and_lose_the_answer(
    Journey *j, const Throughline__Cart__V1__CheckoutRequest *request)
{
    RpcOutgoing outgoing = shop_outgoing(j->shop, &j->app, SHOP_CALL_MS);
    RpcClientStream *stream = NULL;
    const Error *error;

    if ((error = rpc_client_open_stream(shop_client(j->shop, cart_service->package), &outgoing,
             cart_service, "Checkout", &stream)))
        return error;
    if (!(error = rpc_client_send(stream, request)) && !(error = rpc_client_finish_sending(stream)))
        error = journey_await(j, "The order", is_ordered);
    rpc_client_close_stream(stream);
    return error;
}

static const Error *get_quote(Journey *j)
{
    Throughline__Cart__V1__QuoteCartRequest ask = THROUGHLINE__CART__V1__QUOTE_CART_REQUEST__INIT;
    Throughline__Cart__V1__QuoteCartResponse quoted =
        THROUGHLINE__CART__V1__QUOTE_CART_RESPONSE__INIT;
    const Error *error;

    ask.cart = j->cart;
    if ((error = shop_call(j->shop, &j->app, cart_service, "QuoteCart", &ask, &quoted)))
        return error;
    j->quote = quoted.quote;
    j->signed_quote = quoted.signed_quote;
    journey_say("app", "Jo", "gets a signed quote: %s − %s = %s",
        journey_money(j, j->quote->list_total), journey_money(j, j->quote->discount_total),
        journey_money(j, j->quote->total));
    for (size_t i = 0; i < j->quote->n_taxes; i++)
        journey_say("app", "Jo", "reads in it: %s of %s",
            journey_money(j, j->quote->taxes[i]->amount), j->quote->taxes[i]->title);
    return j->quote->n_taxes ? NULL : journey_broken(j, "The quote shows no taxes.");
}

/* What the till sees of the first article. */
static const Error *say_shelf(Journey *j, const char *words)
{
    bool is_counted;
    int64_t available;
    const Error *error;

    if ((error = journey_shelf(j, j->picks[0]->sku, &is_counted, &available)) || !is_counted)
        return error;
    journey_say("store", "till 3", "sees %lld × %s on the shelves%s", (long long)available,
        j->pick_products[0]->title, words);
    return NULL;
}

static const Error *buy(Journey *j)
{
    Throughline__Cart__V1__CheckoutRequest check_out =
        THROUGHLINE__CART__V1__CHECKOUT_REQUEST__INIT;
    const Error *error;
    bool done = false;

    j->order = arena_alloc(j->arena, sizeof(*j->order));
    throughline__cart__v1__order__init(j->order);
    check_out.cart = j->cart;
    check_out.signed_quote = j->signed_quote;
    check_out.request_id = journey_request_id(j);
    if ((error = check_out_and_lose_the_answer(j, &check_out)))
        return error;
    journey_say("app", "Jo", "checks out in a tunnel: the answer is lost");
    if ((error = shop_call(j->shop, &j->app, cart_service, "Checkout", &check_out, j->order)) ||
        (error = is_ordered(j, &done)))
        return error;
    journey_say("app", "Jo", "tries again: still one order, %s", j->order->name);
    return NULL;
}

const Error *journey_check_out(Journey *j)
{
    Throughline__Cart__V1__GetInvoiceRequest get = THROUGHLINE__CART__V1__GET_INVOICE_REQUEST__INIT;
    const Error *error;

    if ((error = get_quote(j)) || (error = say_shelf(j, "")) || (error = buy(j)) ||
        (error = say_shelf(j, " now: reserved at checkout, sold with the order")))
        return error;
    j->invoice = arena_alloc(j->arena, sizeof(*j->invoice));
    throughline__cart__v1__invoice__init(j->invoice);
    get.order = j->order->name;
    if ((error = shop_call(j->shop, &j->app, order_service, "GetInvoice", &get, j->invoice)))
        return error;
    journey_say("app", "Jo", "has the invoice: %s", journey_money(j, j->invoice->total));
    return NULL;
}
