/* The journey's parts: what they share, and one function a step. */
#ifndef THROUGHLINE_SERVICES_THROUGHLINE_JOURNEY_STEPS_H
#define THROUGHLINE_SERVICES_THROUGHLINE_JOURNEY_STEPS_H

#include "services/throughline/shop.h"

#include "throughline/cart/v1/cart.pb-c.h"
#include "throughline/cart/v1/order.pb-c.h"
#include "throughline/catalog/v1/pricing.pb-c.h"
#include "throughline/catalog/v1/product.pb-c.h"
#include "throughline/catalog/v1/stock.pb-c.h"
#include "throughline/feedback/v1/case.pb-c.h"
#include "throughline/identity/v1/consent.pb-c.h"
#include "throughline/identity/v1/customer.pb-c.h"
#include "throughline/notification/v1/message.pb-c.h"

enum { JOURNEY_PICKS = 3, JOURNEY_MAX_QUERY = 100 };

/* Where the customer lives. */
#define JOURNEY_COUNTRY "DE"

typedef struct Journey {
    Arena *arena;
    const Shop *shop;
    Channel web, app, store, care, social, merchandising, governance;
    const char *id; /* tells this play from others: in e-mail, handle, codes */
    char *customer; /* "customers/…" */
    char *agent;    /* "agents/kim" */
    char *handle;   /* "chirp:@jo…" */
    char *currency;
    char *code; /* of the promotion */
    char *cart; /* the one that is bought */
    char *case_name;
    /* Two things to buy, and one to scan, from the catalogue that is there. */
    Throughline__Catalog__V1__Variant *picks[JOURNEY_PICKS];
    Throughline__Catalog__V1__Product *pick_products[JOURNEY_PICKS];
    Throughline__Catalog__V1__Quote *quote;
    Throughline__Catalog__V1__SignedQuote *signed_quote;
    Throughline__Cart__V1__Order *order;
    Throughline__Cart__V1__Invoice *invoice;
    RpcClientStream *inbox;
} Journey;

/* "  store   Jo at the till     scans …": one line of the story. */
void journey_say(const char *channel, const char *who, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The text behind its lead; on a terminal wrapped there, so that columns stay columns. */
void journey_print(const char *lead, const char *text);

/* FAILED_PRECONDITION JOURNEY_BROKEN with what did not add up. */
const Error *journey_broken(Journey *journey, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* "34.20 EUR". */
const char *journey_money(Journey *journey, const Google__Type__Money *money);

/* A new idempotency key. */
char *journey_request_id(Journey *journey);

/* Asks again every 20 ms until `is_done` says so; for effects that arrive by event. JOURNEY_BROKEN after three minutes. */
const Error *journey_await(
    Journey *journey, const char *what, const Error *(*is_done)(Journey *journey, bool *done));

/* The first products of the catalogue that can be bought in one currency, whatever catalogue it is. */
const Error *journey_pick(Journey *journey);

/* How many can be bought; `is_counted` false: nobody counts them. */
const Error *journey_shelf(Journey *journey, char *sku, bool *is_counted, int64_t *available);

/* Steps, in order; each prints its lines. */
const Error *journey_govern(Journey *journey);
const Error *journey_prepare(Journey *journey);
const Error *journey_find(Journey *journey);
const Error *journey_browse(Journey *journey);
const Error *journey_sign_in(Journey *journey);
const Error *journey_hand_over(Journey *journey);
const Error *journey_get_help(Journey *journey);
const Error *journey_ship(Journey *journey);
const Error *journey_check_out(Journey *journey);
const Error *journey_complain(Journey *journey);
const Error *journey_resolve(Journey *journey);
const Error *journey_thank(Journey *journey);
const Error *journey_bring_back(Journey *journey);
const Error *journey_report(Journey *journey);

#endif
