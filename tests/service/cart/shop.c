#include "tests/service/cart/shop.h"

#include "services/catalog/catalog.h"
#include "services/catalog/catalog_service.h"
#include "shared/base/clock.h"
#include "shared/codec/message.h"
#include "shared/codec/types.h"
#include "tests/support/test_main.h"

#include <string.h>

typedef Throughline__Catalog__V1__ImportProductsRequest ImportProductsRequest;
typedef Throughline__Catalog__V1__ImportProductsResponse ImportProductsResponse;
typedef Throughline__Catalog__V1__CreatePromotionRequest CreatePromotionRequest;
typedef Throughline__Catalog__V1__Promotion Promotion;
typedef Throughline__Catalog__V1__Price Price;

enum { START_MS = 20 * 1000, MAX_PRODUCTS = 8 };

static void must(const Error *error, const char *what)
{
    if (error)
        fprintf(stderr, "%s: %s: %s\n", what, error->reason, error->message);
    CU_ASSERT_PTR_NULL_FATAL(error);
}

/* What is sold. */

static void add_price(Arena *arena, Variant *variant, const char *currency, int64_t minor)
{
    Price *price = message_new(arena, &throughline__catalog__v1__price__descriptor);

    price->amount = money_message(arena, currency, minor);
    variant->prices = arena_grow(
        arena, variant->prices, variant->n_prices, variant->n_prices + 1, sizeof(Price *));
    variant->prices[variant->n_prices++] = price;
}

static Variant *add_variant(Arena *arena, Product *product, const char *sku)
{
    Variant *variant = message_new(arena, &throughline__catalog__v1__variant__descriptor);

    variant->sku = arena_text(arena, sku);
    product->variants = arena_grow(
        arena, product->variants, product->n_variants, product->n_variants + 1, sizeof(Variant *));
    product->variants[product->n_variants++] = variant;
    return variant;
}

static Product *new_product(Arena *arena, const char *id)
{
    Product *product = message_new(arena, &throughline__catalog__v1__product__descriptor);

    product->name = arena_printf(arena, "products/%s", id);
    product->title = arena_printf(arena, "Title of %s", id);
    product->category = arena_text(arena, "Outdoor");
    product->state = THROUGHLINE__CATALOG__V1__PRODUCT__STATE__ACTIVE;
    return product;
}

static Product *simple_product(Arena *arena, const char *id, const char *currency, int64_t minor)
{
    Product *product = new_product(arena, id);

    add_price(arena, add_variant(arena, product, id), currency, minor);
    return product;
}

static size_t all_products(Arena *arena, Product *list[])
{
    Product *tent = simple_product(arena, "tent", "EUR", 19900);
    Product *retired = simple_product(arena, "retired", "EUR", 100);
    Product *many = new_product(arena, "many");
    size_t n = 0;

    add_price(arena, tent->variants[0], "USD", 21900);
    tent->variants[0]->gtin = arena_text(arena, "4006381333931");
    retired->state = THROUGHLINE__CATALOG__V1__PRODUCT__STATE__RETIRED;
    for (int i = 0; i < SHOP_VARIANTS; i++)
        add_price(arena, add_variant(arena, many, arena_printf(arena, "v-%d", i)), "EUR", 100);
    list[n++] = tent;
    list[n++] = retired;
    list[n++] = many;
    list[n++] = simple_product(arena, "rope", "EUR", 333);
    list[n++] = simple_product(arena, "dollar", "USD", 100);
    return n;
}

static const Error *send_all(
    RpcClientStream *stream, Product *list[], size_t n_products, Arena *arena)
{
    ImportProductsResponse *response = NULL;
    const Error *error;

    for (size_t i = 0; i < n_products; i++) {
        ImportProductsRequest request = THROUGHLINE__CATALOG__V1__IMPORT_PRODUCTS_REQUEST__INIT;

        request.product = list[i];
        if ((error = rpc_client_send(stream, &request)))
            return error;
    }
    if ((error = rpc_client_finish_sending(stream)) ||
        (error = rpc_client_receive(stream, arena, (void **)&response)))
        return error;
    CU_ASSERT_PTR_NOT_NULL_FATAL(response);
    CHECK_INT(response->refused, 0);
    return NULL;
}

/* The first call to a service that has just started: on a busy machine the connection may take more
 * than one attempt, and nobody tries a stream again but we. */
static void import_all(Fixture *catalog)
{
    Arena *arena = fixture_arena(catalog);
    int64_t until = clock_monotonic() + START_MS * INT64_C(1000);
    Product *list[MAX_PRODUCTS];
    size_t n_products = all_products(arena, list);
    const Error *error;

    do {
        RpcClientStream *stream;

        error = fixture_open(catalog, "ProductService/ImportProducts", NULL, &stream);
        if (error)
            continue;
        error = send_all(stream, list, n_products, arena);
        rpc_client_close_stream(stream);
    } while (error && error->code == ERROR_UNAVAILABLE && clock_monotonic() < until);
    must(error, "import");
}

static void promote(Fixture *catalog)
{
    CreatePromotionRequest request = THROUGHLINE__CATALOG__V1__CREATE_PROMOTION_REQUEST__INIT;
    Promotion promotion = THROUGHLINE__CATALOG__V1__PROMOTION__INIT, reply = promotion;

    promotion.title = arena_text(fixture_arena(catalog), "Spring sale");
    promotion.code = arena_text(fixture_arena(catalog), "SPRING-10");
    promotion.basis_points = 1000;
    request.promotion = &promotion;
    must(fixture_call(catalog, "PricingService/CreatePromotion", &request, &reply), "promotion");
}

static Fixture *open_beside(const Service *another, const char *const *flags)
{
    const Service *const others[] = { &catalog_service, another, NULL };
    Fixture *fixture = fixture_start_flags(&cart_service, others, flags);
    Fixture *catalog = fixture_peer(fixture, "catalog");

    import_all(catalog);
    promote(catalog);
    fixture_act_as(fixture, "web", "customers/ann");
    return fixture;
}

Fixture *shop_open_flags(const char *const *flags)
{
    return open_beside(NULL, flags);
}

Fixture *shop_open_beside(const Service *another)
{
    return open_beside(another, NULL);
}

Fixture *shop_open(void)
{
    return open_beside(NULL, NULL);
}

void shop_restart(Fixture *fixture)
{
    Throughline__Cart__V1__GetCartRequest request = THROUGHLINE__CART__V1__GET_CART_REQUEST__INIT;
    int64_t until = clock_monotonic() + START_MS * INT64_C(1000);
    const Error *error;

    fixture_restart(fixture);
    request.name = arena_text(fixture_arena(fixture), "carts/none");
    do {
        Cart reply = THROUGHLINE__CART__V1__CART__INIT;

        error = fixture_call(fixture, "CartService/GetCart", &request, &reply);
    } while (error->code == ERROR_UNAVAILABLE && clock_monotonic() < until);
    CHECK_TEXT(error_reason(error), "CART_NOT_FOUND");
}

void shop_close(Fixture *fixture)
{
    Throughline__Cart__V1__VerifyLedgerRequest request =
        THROUGHLINE__CART__V1__VERIFY_LEDGER_REQUEST__INIT;
    Throughline__Cart__V1__VerifyLedgerResponse report =
        THROUGHLINE__CART__V1__VERIFY_LEDGER_RESPONSE__INIT;

    must(fixture_call(fixture, "OrderService/VerifyLedger", &request, &report), "ledger");
    CHECK_INT(report.n_findings, 0);
    CU_ASSERT(fixture_stop(fixture));
}

const char *shop_limited_promotion(
    Fixture *fixture, const char *code, int64_t total_limit, int64_t customer_limit)
{
    CreatePromotionRequest request = THROUGHLINE__CATALOG__V1__CREATE_PROMOTION_REQUEST__INIT;
    Promotion promotion = THROUGHLINE__CATALOG__V1__PROMOTION__INIT, reply = promotion;

    promotion.title = arena_text(fixture_arena(fixture), "For the first ones");
    promotion.code = arena_text(fixture_arena(fixture), code);
    promotion.basis_points = 2000;
    promotion.total_limit = total_limit;
    promotion.customer_limit = customer_limit;
    request.promotion = &promotion;
    must(fixture_call(
             fixture_peer(fixture, "catalog"), "PricingService/CreatePromotion", &request, &reply),
        "promotion");
    return reply.name;
}

void shop_stock(Fixture *fixture, const char *sku, const char *location, int64_t on_hand)
{
    Throughline__Catalog__V1__CorrectStockRequest request =
        THROUGHLINE__CATALOG__V1__CORRECT_STOCK_REQUEST__INIT;
    Throughline__Catalog__V1__StockLevel level = THROUGHLINE__CATALOG__V1__STOCK_LEVEL__INIT;

    request.sku = arena_text(fixture_arena(fixture), sku);
    request.location = arena_text(fixture_arena(fixture), location);
    request.correction_case = THROUGHLINE__CATALOG__V1__CORRECT_STOCK_REQUEST__CORRECTION_COUNTED;
    request.counted = on_hand;
    request.reason = THROUGHLINE__CATALOG__V1__STOCK_REASON__STOCK_REASON_COUNTED;
    must(fixture_call(
             fixture_peer(fixture, "catalog"), "StockService/CorrectStock", &request, &level),
        "stock");
}

/* What the actor does. */

Cart *shop_cart(Fixture *fixture)
{
    Throughline__Cart__V1__CreateCartRequest request =
        THROUGHLINE__CART__V1__CREATE_CART_REQUEST__INIT;
    Cart *cart = message_new(fixture_arena(fixture), carts.message);

    request.currency = arena_text(fixture_arena(fixture), "EUR");
    must(fixture_call(fixture, "CartService/CreateCart", &request, cart), "create cart");
    return cart;
}

const Error *shop_try_add(
    Fixture *fixture, const char *cart, const char *sku, int32_t quantity, Cart *reply)
{
    Throughline__Cart__V1__AddLineRequest request = THROUGHLINE__CART__V1__ADD_LINE_REQUEST__INIT;

    request.cart = arena_text(fixture_arena(fixture), cart);
    request.item_case = THROUGHLINE__CART__V1__ADD_LINE_REQUEST__ITEM_SKU;
    request.sku = arena_text(fixture_arena(fixture), sku);
    request.quantity = quantity;
    return fixture_call(fixture, "CartService/AddLine", &request, reply);
}

Cart *shop_add(Fixture *fixture, const char *cart, const char *sku, int32_t quantity)
{
    Cart *reply = message_new(fixture_arena(fixture), carts.message);

    must(shop_try_add(fixture, cart, sku, quantity, reply), "add line");
    return reply;
}

Cart *shop_full_cart(Fixture *fixture)
{
    Cart *cart = shop_cart(fixture);

    shop_add(fixture, cart->name, "tent", 2);
    return shop_add(fixture, cart->name, "rope", 3);
}

Cart *shop_add_code(Fixture *fixture, const char *cart, const char *code)
{
    Throughline__Cart__V1__AddPromotionRequest request =
        THROUGHLINE__CART__V1__ADD_PROMOTION_REQUEST__INIT;
    Cart *reply = message_new(fixture_arena(fixture), carts.message);

    request.cart = arena_text(fixture_arena(fixture), cart);
    request.code = arena_text(fixture_arena(fixture), code);
    must(fixture_call(fixture, "CartService/AddPromotion", &request, reply), "add promotion");
    return reply;
}

SignedQuote *shop_quote(Fixture *fixture, const char *cart)
{
    Throughline__Cart__V1__QuoteCartRequest request =
        THROUGHLINE__CART__V1__QUOTE_CART_REQUEST__INIT;
    Throughline__Cart__V1__QuoteCartResponse reply =
        THROUGHLINE__CART__V1__QUOTE_CART_RESPONSE__INIT;

    request.cart = arena_text(fixture_arena(fixture), cart);
    must(fixture_call(fixture, "CartService/QuoteCart", &request, &reply), "quote");
    return reply.signed_quote;
}

const Error *shop_try_checkout(Fixture *fixture, const char *cart, SignedQuote *signed_quote,
    const char *request_id, Order *order)
{
    Throughline__Cart__V1__CheckoutRequest request = THROUGHLINE__CART__V1__CHECKOUT_REQUEST__INIT;

    request.cart = arena_text(fixture_arena(fixture), cart);
    request.signed_quote = signed_quote;
    request.request_id = arena_text(fixture_arena(fixture), request_id);
    return fixture_call(fixture, "CartService/Checkout", &request, order);
}

Order *shop_checkout(Fixture *fixture, const char *cart, SignedQuote *signed_quote)
{
    Order *order = message_new(fixture_arena(fixture), orders.message);

    must(shop_try_checkout(fixture, cart, signed_quote, "", order), "checkout");
    return order;
}

const char *shop_handoff(Fixture *fixture, const char *cart)
{
    Throughline__Cart__V1__CreateHandoffRequest request =
        THROUGHLINE__CART__V1__CREATE_HANDOFF_REQUEST__INIT;
    Throughline__Cart__V1__Handoff handoff = THROUGHLINE__CART__V1__HANDOFF__INIT;

    request.cart = arena_text(fixture_arena(fixture), cart);
    must(fixture_call(fixture, "CartService/CreateHandoff", &request, &handoff), "handoff");
    return handoff.code;
}

const Error *shop_try_claim(Fixture *fixture, const char *code, const char *request_id, Cart *cart)
{
    Throughline__Cart__V1__ClaimHandoffRequest request =
        THROUGHLINE__CART__V1__CLAIM_HANDOFF_REQUEST__INIT;

    request.code = arena_text(fixture_arena(fixture), code);
    request.request_id = arena_text(fixture_arena(fixture), request_id);
    return fixture_call(fixture, "CartService/ClaimHandoff", &request, cart);
}

const Error *shop_try_attach(Fixture *fixture, const char *cart, const char *customer,
    const char *request_id, MergeReport *report)
{
    Throughline__Cart__V1__AttachCustomerRequest request =
        THROUGHLINE__CART__V1__ATTACH_CUSTOMER_REQUEST__INIT;

    request.cart = arena_text(fixture_arena(fixture), cart);
    request.customer = arena_text(fixture_arena(fixture), customer);
    request.request_id = arena_text(fixture_arena(fixture), request_id);
    return fixture_call(fixture, "CartService/AttachCustomer", &request, report);
}

MergeReport *shop_attach(Fixture *fixture, const char *cart, const char *customer)
{
    MergeReport *report = message_new(
        fixture_arena(fixture), &throughline__cart__v1__attach_customer_response__descriptor);

    must(shop_try_attach(fixture, cart, customer, "", report), "attach");
    return report;
}

/* What is there. */

Cart *shop_stored_cart(Fixture *fixture, const char *name)
{
    StoreView view = fixture_view(fixture);
    Cart *cart = message_new(fixture_arena(fixture), carts.message);

    must(store_get(&view, &carts, name, cart), name);
    return cart;
}

size_t shop_count(Fixture *fixture, const Collection *collection)
{
    StoreView view = fixture_view(fixture);
    StoreQuery query = { .limit = STORE_MAX_PAGE };
    StorePage page;

    must(store_find(&view, collection, &query, &page), collection->name);
    return page.n_messages;
}

int32_t shop_quantity(const Cart *cart, const char *sku)
{
    size_t i = cart_line_index(cart, sku);

    return i < cart->n_lines ? cart->lines[i]->quantity : 0;
}

int64_t shop_minor(const Google__Type__Money *money)
{
    int64_t minor = INT64_MIN;

    CU_ASSERT(money_minor(money, &minor));
    return minor;
}

static const QuoteKeyRecord *quote_key(Fixture *fixture)
{
    StoreView view = fixture_view(fixture_peer(fixture, "catalog"));
    StoreQuery query = { .limit = 1 };
    StorePage page;

    must(store_find(&view, &quote_keys, &query, &page), "quote key");
    CU_ASSERT_FATAL(page.n_messages == 1);
    return page.messages[0];
}

SignedQuote *shop_sign(Fixture *fixture, const Quote *quote)
{
    return quote_sign(quote, quote_key(fixture), fixture_arena(fixture));
}

SignedQuote *shop_sign_together(Fixture *fixture, const Quote *quote, const Quote *other)
{
    Arena *arena = fixture_arena(fixture);
    UnsignedQuote *both[] = { quote_serialize(other, arena), quote_serialize(quote, arena) };

    quotes_sign(both, COUNT(both), quote_key(fixture));
    return both[1]->signed_quote;
}

ShopStock shop_stock_of(Fixture *fixture, const char *sku)
{
    Throughline__Catalog__V1__GetStockRequest request =
        THROUGHLINE__CATALOG__V1__GET_STOCK_REQUEST__INIT;
    ShopStock reply = THROUGHLINE__CATALOG__V1__GET_STOCK_RESPONSE__INIT;

    request.sku = arena_text(fixture_arena(fixture), sku);
    must(fixture_call(fixture_peer(fixture, "catalog"), "StockService/GetStock", &request, &reply),
        sku);
    return reply;
}

ShopUsage shop_usage(Fixture *fixture, const char *promotion)
{
    Throughline__Catalog__V1__GetPromotionUsageRequest request =
        THROUGHLINE__CATALOG__V1__GET_PROMOTION_USAGE_REQUEST__INIT;
    ShopUsage reply = THROUGHLINE__CATALOG__V1__PROMOTION_USAGE__INIT;

    request.promotion = arena_text(fixture_arena(fixture), promotion);
    must(fixture_call(
             fixture_peer(fixture, "catalog"), "CouponService/GetPromotionUsage", &request, &reply),
        promotion);
    return reply;
}

const char *shop_fact(const Error *error, const char *key)
{
    for (size_t i = 0; error && i < error->n_facts; i++)
        if (text_equal(error->facts[i].key, key))
            return error->facts[i].value;
    return "";
}
