/* What a checkout takes from the catalogue, and what is given back: pieces, uses of promotions. */
#include "services/cart/catalog_client.h"

#include "services/cart/catalog_ask.h"
#include "shared/base/id.h"
#include "shared/base/log.h"
#include "shared/codec/message.h"
#include "shared/codec/types.h"

#include "throughline/catalog/v1/coupon.pb-c.h"

typedef Throughline__Catalog__V1__UseReservation UseReservation;
typedef Throughline__Catalog__V1__Reservation Reservation;

/* A checkout that is held up longer is finished all the same: it then does not count for limits,
 * and its pieces are reserved once more, if they are there. */
enum { HOLD_TTL_SECONDS = 3600 };

/* The same request is answered with the same reservation, even when it holds no longer. */
enum { STOCK_MIN_LEFT_SECONDS = 60, STOCK_MAX_TRIES = 8, MICROS = 1000000 };

bool catalog_is_lost(const Error *error)
{
    return error && (error->code == ERROR_FAILED_PRECONDITION || error->code == ERROR_NOT_FOUND);
}

const Error *catalog_bear_loss(const char *what, const char *order, const Error *error)
{
    if (!catalog_is_lost(error))
        return error;
    log_write(LOG_WARN, what,
        (const LogField[]){
            { "order", .text = order }, { "reason", .text = error->reason }, { 0 } });
    return NULL;
}

static const Error *ask_coupons(
    RpcCall *call, const char *method, const void *request, UseReservation *reservation)
{
    return catalog_ask(
        call, &throughline__catalog__v1__coupon_service__descriptor, method, request, reservation);
}

const Error *catalog_reserve_uses(RpcCall *call, const SignedQuote *signed_quote, char **name)
{
    Throughline__Catalog__V1__ReserveUsesRequest request =
        THROUGHLINE__CATALOG__V1__RESERVE_USES_REQUEST__INIT;
    UseReservation reservation = THROUGHLINE__CATALOG__V1__USE_RESERVATION__INIT;
    const Error *error;

    request.signed_quote = (SignedQuote *)signed_quote;
    request.ttl_seconds = HOLD_TTL_SECONDS;
    error = ask_coupons(call, "ReserveUses", &request, &reservation);
    *name = reservation.name;
    return error;
}

const Error *catalog_redeem_uses(RpcCall *call, const char *name)
{
    Throughline__Catalog__V1__RedeemUsesRequest request =
        THROUGHLINE__CATALOG__V1__REDEEM_USES_REQUEST__INIT;
    UseReservation reservation = THROUGHLINE__CATALOG__V1__USE_RESERVATION__INIT;

    request.name = (char *)name;
    return *name ? ask_coupons(call, "RedeemUses", &request, &reservation) : NULL;
}

const Error *catalog_return_uses(RpcCall *call, const char *name)
{
    Throughline__Catalog__V1__ReturnUsesRequest request =
        THROUGHLINE__CATALOG__V1__RETURN_USES_REQUEST__INIT;
    UseReservation reservation = THROUGHLINE__CATALOG__V1__USE_RESERVATION__INIT;

    request.name = (char *)name;
    return *name ? ask_coupons(call, "ReturnUses", &request, &reservation) : NULL;
}

static const Error *ask_stock(
    RpcCall *call, const char *method, const void *request, Reservation *reservation)
{
    return catalog_ask(
        call, &throughline__catalog__v1__stock_service__descriptor, method, request, reservation);
}

/* Follows from what is reserved for what, so that whoever tries again gets what is there. */
static char *stock_request_id(RpcCall *call, const Quote *quote, const char *what, int try)
{
    char id[ID_SIZE];

    id_from(
        arena_printf(call->arena, "%s of %s at %s, %d", what, quote->cart, quote->name, try), id);
    return arena_text(call->arena, id);
}

static const Error *reserve(RpcCall *call, Cart *cart, const Quote *quote, bool has_gifts)
{
    ReserveRequest request = THROUGHLINE__CATALOG__V1__RESERVE_REQUEST__INIT;
    const char *what = has_gifts ? "lines and gifts" : "lines";

    checkout_pieces(cart, quote, has_gifts, call->arena, &request);
    request.ttl_seconds = HOLD_TTL_SECONDS;
    request.skips_uncounted = true;
    for (int try = 0; try < STOCK_MAX_TRIES; try++) {
        Reservation *reservation =
            message_new(call->arena, &throughline__catalog__v1__reservation__descriptor);
        const Error *error;

        request.request_id = stock_request_id(call, quote, what, try);
        if ((error = ask_stock(call, "Reserve", &request, reservation)))
            return error;
        if (!text_is_empty(reservation->name) &&
            timestamp_to_micros(reservation->expire_time) <
                call->arrived_at + (int64_t)STOCK_MIN_LEFT_SECONDS * MICROS)
            continue;
        cart->pending->stock = reservation->name;
        cart->pending->pieces = reservation->lines;
        cart->pending->n_pieces = reservation->n_lines;
        return NULL;
    }
    return &quote_outdated;
}

const Error *catalog_reserve_stock(RpcCall *call, Cart *cart, const Quote *quote)
{
    const Error *error = reserve(call, cart, quote, true);

    /* A gift that is out of stock is owed; only what is bought must be there. */
    if (error && quote->n_gifts && text_equal(error->reason, "OUT_OF_STOCK"))
        error = reserve(call, cart, quote, false);
    return error;
}

const Error *catalog_confirm_stock(RpcCall *call, const char *name)
{
    Throughline__Catalog__V1__ConfirmRequest request =
        THROUGHLINE__CATALOG__V1__CONFIRM_REQUEST__INIT;
    Reservation reservation = THROUGHLINE__CATALOG__V1__RESERVATION__INIT;

    request.name = (char *)name;
    return *name ? ask_stock(call, "Confirm", &request, &reservation) : NULL;
}

const Error *catalog_release_stock(RpcCall *call, const char *name)
{
    Throughline__Catalog__V1__ReleaseRequest request =
        THROUGHLINE__CATALOG__V1__RELEASE_REQUEST__INIT;
    Reservation reservation = THROUGHLINE__CATALOG__V1__RESERVATION__INIT;

    request.name = (char *)name;
    return *name ? ask_stock(call, "Release", &request, &reservation) : NULL;
}

const Error *catalog_restock(RpcCall *call, const CreditNote *note, const ReservedLine *pieces)
{
    Throughline__Catalog__V1__RestockRequest request =
        THROUGHLINE__CATALOG__V1__RESTOCK_REQUEST__INIT;
    Throughline__Catalog__V1__StockLevel level = THROUGHLINE__CATALOG__V1__STOCK_LEVEL__INIT;
    char id[ID_SIZE];

    id_from(
        arena_printf(call->arena, "%s of %s at %s", note->name, pieces->sku, pieces->location), id);
    request.sku = pieces->sku;
    request.location = pieces->location;
    request.quantity = (int32_t)pieces->quantity;
    request.holder = note->order;
    request.request_id = id;
    return catalog_ask(
        call, &throughline__catalog__v1__stock_service__descriptor, "Restock", &request, &level);
}
