/* What tests of prices ask the catalogue for. */
#ifndef THROUGHLINE_TESTS_PRICING_FIXTURE_H
#define THROUGHLINE_TESTS_PRICING_FIXTURE_H

#include "tests/service/catalog/catalog_fixture.h"

typedef Throughline__Catalog__V1__CreateQuoteRequest CreateQuoteRequest;
typedef Throughline__Catalog__V1__CreateQuoteResponse CreateQuoteResponse;
typedef Throughline__Catalog__V1__VerifyQuoteRequest VerifyQuoteRequest;
typedef Throughline__Catalog__V1__ListQuoteKeysRequest ListQuoteKeysRequest;
typedef Throughline__Catalog__V1__ListQuoteKeysResponse ListQuoteKeysResponse;
typedef Throughline__Catalog__V1__CreatePromotionRequest CreatePromotionRequest;
typedef Throughline__Catalog__V1__GetPromotionRequest GetPromotionRequest;
typedef Throughline__Catalog__V1__ListPromotionsRequest ListPromotionsRequest;
typedef Throughline__Catalog__V1__ListPromotionsResponse ListPromotionsResponse;
typedef Throughline__Catalog__V1__EndPromotionRequest EndPromotionRequest;

/* A catalogue with a_product(): a suite's set-up. */
void start_with_tents(void);

QuoteLine *a_line(Arena *memory, const char *sku, int32_t quantity);

/* A request in EUR for some green tents. */
CreateQuoteRequest *a_request(Arena *memory, int32_t quantity);
void add_code(CreateQuoteRequest *request, const char *code);

/* Asks for a quote; what came is in `answer`. */
extern CreateQuoteResponse answer;
const Error *quote(const CreateQuoteRequest *request);
const Error *verify(SignedQuote *signed_quote, Quote *inside);

const Error *create(Promotion *promotion, const char *request_id, Promotion *created);
const Error *end_it(const char *name, const char *etag, const char *request_id, Promotion *ended);
const Error *get_one(const char *name, Promotion *promotion);

/* Minor units; the amount must be there. */
int64_t minor(const Google__Type__Money *money);

#endif
