/* What the pricing function is given for a request: checked, with products, promotions and rules. */
#ifndef THROUGHLINE_CATALOG_QUOTE_INPUT_H
#define THROUGHLINE_CATALOG_QUOTE_INPUT_H

#include "services/catalog/catalog.h"
#include "services/catalog/domain/pricing.h"

typedef Throughline__Catalog__V1__CreateQuoteRequest CreateQuoteRequest;
typedef Throughline__Catalog__V1__QuoteContext QuoteContext;

/* INVALID_ARGUMENT with every bad field under `path` ("" or "request."), or PERMISSION_DENIED
 * SCOPE_MISSING where there are overrides that the caller may not make. */
const Error *quote_request_check(RpcCall *call, const char *path, const CreateQuoteRequest *req);
void quote_context_check(RpcCall *call, const char *path, const QuoteContext *context);

/* The rules in force, held for the caller. Codes are often given out and ended in a hurry: a request that names one is priced with
 * what any replica has published by now, if the store answers. */
Rules *quote_rules(RpcCall *call, const CreateQuoteRequest *req);

/* Everything that prices a good request at a moment with rules that outlive the input. Errors:
 * NOT_FOUND VARIANT_NOT_FOUND; those of the store. */
const Error *quote_input_load(RpcCall *call, const CreateQuoteRequest *req, const Rules *rules,
    int64_t now, PricingInput *input);

/* The same for one line without codes; nothing blocks. */
const Error *price_input_load(RpcCall *call, const QuoteLine *line, const char *currency,
    const Rules *rules, PricingInput *input);
PricingContext pricing_context(
    const RpcCall *call, const QuoteContext *context, const char *customer);

/* The quote inside, in an initialised message, if one of our keys signed it and it has not expired
 * at that moment. Errors: INVALID_ARGUMENT QUOTE_FORGED; FAILED_PRECONDITION QUOTE_EXPIRED. */
const Error *quote_open(RpcCall *call, const SignedQuote *signed_quote, int64_t now, Quote *quote);

/* The request that would have led to the quote, but for prices set by hand. */
CreateQuoteRequest *quote_request_of(RpcCall *call, const Quote *quote, int32_t ttl_seconds);

#endif
