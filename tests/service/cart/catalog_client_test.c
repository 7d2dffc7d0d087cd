/* What the cart remembers of the catalogue's answers: variants for a second, keys for good. */
#include "services/cart/catalog_client.h"

#include "services/cart/quote_keys.h"
#include "services/cart/variant_cache.h"
#include "services/catalog/catalog.h"
#include "shared/base/clock.h"
#include "shared/codec/message.h"
#include "shared/codec/types.h"
#include "tests/service/cart/shop.h"
#include "tests/support/test_main.h"

#include <string.h>

typedef Throughline__Catalog__V1__QuoteKey QuoteKey;
typedef Throughline__Catalog__V1__ListQuoteKeysResponse ListQuoteKeysResponse;

enum { SECOND = 1000000 };

static Bytes bytes_of(const char *text)
{
    return (Bytes){ (const uint8_t *)text, strlen(text) };
}

static void an_answer_is_kept_for_a_second(void)
{
    Arena *arena = arena_new();
    VariantCache *cache = variant_cache_new();
    Bytes bytes = { 0 };

    CU_ASSERT_FALSE(variant_cache_get(cache, "sku tent", 0, arena, &bytes));
    variant_cache_put(cache, "sku tent", 5, bytes_of("answer"));
    CU_ASSERT(variant_cache_get(cache, "sku tent", 5 + SECOND - 1, arena, &bytes));
    CHECK_TEXT(arena_text_of(arena, (const char *)bytes.data, bytes.size), "answer");
    CU_ASSERT_FALSE(variant_cache_get(cache, "gtin tent", 5, arena, &bytes));
    CU_ASSERT_FALSE(variant_cache_get(cache, "sku tent", 5 + SECOND, arena, &bytes));
    variant_cache_put(cache, "sku tent", 7, bytes_of("newer"));
    CU_ASSERT(variant_cache_get(cache, "sku tent", 7, arena, &bytes));
    CHECK_TEXT(arena_text_of(arena, (const char *)bytes.data, bytes.size), "newer");
    variant_cache_free(cache);
    arena_free(arena);
}

static void a_cache_has_an_end(void)
{
    enum { KEYS = 20000 };
    Arena *arena = arena_new();
    VariantCache *cache = variant_cache_new();
    Bytes bytes = { arena_alloc(arena, 4096), 4096 };
    int n_kept = 0;

    variant_cache_put(cache, "large", 0, bytes);
    CU_ASSERT_FALSE(variant_cache_get(cache, "large", 0, arena, &bytes));
    for (int i = 0; i < KEYS; i++)
        variant_cache_put(cache, arena_printf(arena, "sku %d", i), 0, bytes_of("x"));
    for (int i = 0; i < KEYS; i++)
        n_kept += variant_cache_get(cache, arena_printf(arena, "sku %d", i), 0, arena, &bytes);
    CU_ASSERT(n_kept > 500 && n_kept <= 1024);
    variant_cache_free(cache);
    arena_free(arena);
}

static QuoteKey *a_key(Arena *arena, const char *name, size_t size)
{
    QuoteKey *key = message_new(arena, &throughline__catalog__v1__quote_key__descriptor);

    key->name = arena_text(arena, name);
    key->public_key.data = arena_alloc(arena, size + 1);
    key->public_key.data[0] = (uint8_t)strlen(name);
    key->public_key.len = size;
    return key;
}

static void keys_are_taken_from_the_newest_list(void)
{
    Arena *arena = arena_new();
    QuoteKeys *keys = quote_keys_new();
    ListQuoteKeysResponse list = THROUGHLINE__CATALOG__V1__LIST_QUOTE_KEYS_RESPONSE__INIT;
    QuoteKey *first[] = { a_key(arena, "quoteKeys/1", 32), a_key(arena, "quoteKeys/short", 31) };
    QuoteKey *second[QUOTE_KEYS_MAX + 5];
    uint8_t key[QUOTE_KEY_BYTES];

    CHECK_INT(quote_keys_asked_at(keys), 0);
    list.keys = first;
    list.n_keys = COUNT(first);
    quote_keys_set(keys, 10, &list);
    CU_ASSERT(quote_keys_find(keys, "quoteKeys/1", key));
    CHECK_INT(key[0], strlen("quoteKeys/1"));
    CU_ASSERT_FALSE(quote_keys_find(keys, "quoteKeys/short", key));
    CHECK_INT(quote_keys_asked_at(keys), 10);
    for (size_t i = 0; i < COUNT(second); i++)
        second[i] = a_key(arena, arena_printf(arena, "quoteKeys/n%zu", i), 32);
    list.keys = second;
    list.n_keys = COUNT(second);
    quote_keys_set(keys, 20, &list);
    CU_ASSERT_FALSE(quote_keys_find(keys, "quoteKeys/1", key));
    CU_ASSERT(quote_keys_find(keys, "quoteKeys/n63", key));
    CU_ASSERT_FALSE(quote_keys_find(keys, "quoteKeys/n64", key));
    quote_keys_free(keys);
    arena_free(arena);
}

static Quote *open_quote(Fixture *fixture, const SignedQuote *signed_quote)
{
    return message_unpack(fixture_arena(fixture), &throughline__catalog__v1__quote__descriptor,
        (Bytes){ signed_quote->payload.data, signed_quote->payload.len });
}

/* The catalogue comes back with another key. */
static void change_key(Fixture *fixture)
{
    Fixture *catalog = fixture_peer(fixture, "catalog");
    StoreView view = fixture_view(catalog);
    StoreQuery query = { .limit = 1 };
    StorePage page;

    CU_ASSERT_PTR_NULL_FATAL(store_find(&view, &quote_keys, &query, &page));
    CU_ASSERT_FATAL(page.n_messages == 1);
    CU_ASSERT_PTR_NULL_FATAL(
        store_delete(&view, &quote_keys, ((const QuoteKeyRecord *)page.messages[0])->name, ""));
    fixture_restart(catalog);
}

static const Error *quote_when_it_is_back(Fixture *fixture, char *cart, SignedQuote **signed_quote)
{
    Throughline__Cart__V1__QuoteCartRequest request =
        THROUGHLINE__CART__V1__QUOTE_CART_REQUEST__INIT;
    Throughline__Cart__V1__QuoteCartResponse reply;
    int64_t until = clock_monotonic() + 20 * SECOND;
    const Error *error;

    request.cart = cart;
    do {
        throughline__cart__v1__quote_cart_response__init(&reply);
        error = fixture_call(fixture, "CartService/QuoteCart", &request, &reply);
    } while (error && error->code == ERROR_UNAVAILABLE && clock_monotonic() < until);
    *signed_quote = reply.signed_quote;
    return error;
}

static void a_key_that_changed_is_asked_for(void)
{
    Fixture *fixture = shop_open();
    Order order = THROUGHLINE__CART__V1__ORDER__INIT;
    SignedQuote *old, *anew;
    Cart *cart = shop_cart(fixture);

    shop_add(fixture, cart->name, "tent", 1);
    shop_checkout(fixture, cart->name, shop_quote(fixture, cart->name));
    cart = shop_cart(fixture);
    shop_add(fixture, cart->name, "tent", 1);
    old = shop_quote(fixture, cart->name);
    change_key(fixture);
    CU_ASSERT_PTR_NULL_FATAL(quote_when_it_is_back(fixture, cart->name, &anew));

    CU_ASSERT_PTR_NULL(shop_try_checkout(fixture, cart->name, anew, "", &order));
    cart = shop_cart(fixture);
    CHECK_TEXT(
        error_reason(shop_try_checkout(fixture, cart->name, old, "", &order)), "QUOTE_FORGED");
    shop_close(fixture);
}

static void import(Fixture *fixture, int64_t minor)
{
    Throughline__Catalog__V1__ImportProductsRequest request =
        THROUGHLINE__CATALOG__V1__IMPORT_PRODUCTS_REQUEST__INIT;
    Fixture *catalog = fixture_peer(fixture, "catalog");
    StoreView view = fixture_view(catalog);
    Arena *arena = fixture_arena(fixture);
    Product *product = message_new(arena, &throughline__catalog__v1__product__descriptor);
    RpcClientStream *stream;
    void *response;

    CU_ASSERT_PTR_NULL_FATAL(store_get(&view, &products, "products/tent", product));
    product->variants[0]->prices[0]->amount = money_message(arena, "EUR", minor);
    request.product = product;
    CU_ASSERT_PTR_NULL_FATAL(
        fixture_open(catalog, "ProductService/ImportProducts", &request, &stream));
    CU_ASSERT_PTR_NULL(rpc_client_receive(stream, arena, &response));
    rpc_client_close_stream(stream);
}

static void a_new_price_is_in_carts_within_a_second_and_in_quotes_at_once(void)
{
    Fixture *fixture = shop_open();
    Cart *cart = shop_cart(fixture);
    int64_t price = 19900;
    int64_t until = clock_monotonic() + 3 * SECOND;

    shop_add(fixture, cart->name, "tent", 1);
    import(fixture, 17900);
    CHECK_INT(shop_minor(open_quote(fixture, shop_quote(fixture, cart->name))->total), 17900);
    while (price == 19900 && clock_monotonic() < until) {
        cart = shop_add(fixture, cart->name, "tent", 1);
        price = shop_minor(cart->lines[0]->unit_price);
        clock_sleep_ms(20);
    }
    CHECK_INT(price, 17900);
    shop_close(fixture);
}

static void a_catalogue_that_is_away_is_said_so(void)
{
    Fixture *fixture = fixture_start(&cart_service);
    Cart *cart = shop_cart(fixture), reply = THROUGHLINE__CART__V1__CART__INIT;
    const Error *error = shop_try_add(fixture, cart->name, "tent", 1, &reply);

    CHECK_INT(error->code, ERROR_UNAVAILABLE);
    CHECK_INT(shop_stored_cart(fixture, cart->name)->n_lines, 0);
    CU_ASSERT(fixture_stop(fixture));
}

static CU_TestInfo tests[] = {
    { "an_answer_is_kept_for_a_second", an_answer_is_kept_for_a_second },
    { "a_cache_has_an_end", a_cache_has_an_end },
    { "keys_are_taken_from_the_newest_list", keys_are_taken_from_the_newest_list },
    { "a_key_that_changed_is_asked_for", a_key_that_changed_is_asked_for },
    { "a_new_price_is_in_carts_within_a_second_and_in_quotes_at_once",
        a_new_price_is_in_carts_within_a_second_and_in_quotes_at_once },
    { "a_catalogue_that_is_away_is_said_so", a_catalogue_that_is_away_is_said_so },
    CU_TEST_INFO_NULL,
};

int main(int argc, char **argv)
{
    CU_SuiteInfo suites[] = { { .pName = "catalogue client", .pTests = tests },
        CU_SUITE_INFO_NULL };

    return test_main("cart_service_catalog_client", suites, argc, argv);
}
