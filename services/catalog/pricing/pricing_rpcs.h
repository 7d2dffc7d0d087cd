/* Rpcs of PricingService that have files of their own. */
#ifndef THROUGHLINE_CATALOG_PRICING_RPCS_H
#define THROUGHLINE_CATALOG_PRICING_RPCS_H

#include "services/catalog/catalog.h"

const Error *create_quote(RpcCall *call, const void *request, void *reply);
const Error *get_price(RpcCall *call, const void *request, void *reply);
const Error *explain_quote(RpcCall *call, const void *request, void *reply);
const Error *requote(RpcCall *call, const void *request, void *reply);
const Error *verify_quote(RpcCall *call, const void *request, void *reply);
const Error *rotate_quote_key(RpcCall *call, const void *request, void *reply);
const Error *list_quote_keys(RpcCall *call, const void *request, void *reply);

#endif
