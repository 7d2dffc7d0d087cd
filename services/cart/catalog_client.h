/* What the cart asks of the catalogue, and what it remembers of the answers. */
#ifndef THROUGHLINE_CART_CATALOG_CLIENT_H
#define THROUGHLINE_CART_CATALOG_CLIENT_H

#include "services/cart/domain/credit.h"
#include "services/cart/domain/terms.h"
#include "shared/rpc/call.h"

typedef Throughline__Catalog__V1__FindVariantRequest FindVariantRequest;
typedef Throughline__Catalog__V1__FindVariantResponse FindVariantResponse;
typedef Throughline__Catalog__V1__CreateQuoteResponse CreateQuoteResponse;

/* Any thread. */
typedef struct CatalogClient CatalogClient;
CatalogClient *catalog_client_new(void);
void catalog_client_free(CatalogClient *client);

/* The product with the one variant that was asked for, at most a second old: a cart's price is a
 * hint, the quote decides. Errors: those of ProductService.FindVariant. */
const Error *catalog_find_variant(
    RpcCall *call, const FindVariantRequest *request, FindVariantResponse *found);

/* What is known of a location; NULL: nothing. Errors: those of LocationService.GetLocation. */
const Error *catalog_find_location(RpcCall *call, const char *id, Location **found);

/* A quote bound to the cart as it is. Errors: those of PricingService.CreateQuote. */
const Error *catalog_quote_cart(RpcCall *call, const Cart *cart, CreateQuoteResponse *quoted);

/* Whether a code applies to the lines, beside the codes that are there: NULL, or the error of a
 * quote with it. */
const Error *catalog_try_code(RpcCall *call, const Cart *cart, const char *code);

/* The quote inside, if the catalogue signed it; nobody is asked as long as the key is known.
 * Errors: INVALID_ARGUMENT QUOTE_FORGED; those of PricingService.ListQuoteKeys. */
const Error *catalog_open_quote(RpcCall *call, const SignedQuote *signed_quote, Quote **opened);

/* Reserves what the quote's promotions may be used only so often for; *name is "" when nothing is
 * counted. The same quote is reserved once. Errors: those of CouponService.ReserveUses. */
const Error *catalog_reserve_uses(RpcCall *call, const SignedQuote *signed_quote, char **name);

/* Reserves the pieces of a cart that is bought at this quote, and notes them in its pending work:
 * the stock is "" when none of its variants is counted. Gifts come along when there are some. The
 * same quote is reserved once, for as long as that holds. Errors: those of StockService.Reserve. */
const Error *catalog_reserve_stock(RpcCall *call, Cart *cart, const Quote *quote);

/* Whether what was reserved or counted is there no longer: nobody came back in time. */
bool catalog_is_lost(const Error *error);

/* What an order needs no longer, or can do without: such a loss is logged, and no error. */
const Error *catalog_bear_loss(const char *what, const char *order, const Error *error);

/* Nothing to do for "". Again is as good as once. Errors: those of StockService. */
const Error *catalog_confirm_stock(RpcCall *call, const char *name);
const Error *catalog_release_stock(RpcCall *call, const char *name);

/* Pieces that a note gives back are on hand again. Again is as good as once, for 24 hours. Errors:
 * those of StockService. */
const Error *catalog_restock(RpcCall *call, const CreditNote *note, const ReservedLine *pieces);

/* Nothing to do for "". Again is as good as once. Errors: those of CouponService. */
const Error *catalog_redeem_uses(RpcCall *call, const char *name);
const Error *catalog_return_uses(RpcCall *call, const char *name);

#endif
