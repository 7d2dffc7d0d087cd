/* Prices set by hand in a quote: let through within the published limits, and kept in the audit trail. */
#ifndef THROUGHLINE_CATALOG_OVERRIDES_H
#define THROUGHLINE_CATALOG_OVERRIDES_H

#include "services/catalog/pricing/quote_input.h"

/* Checks every override of a priced quote against its limit, notes the limit on the line, and writes who set which price why; the
 * quote must not be given out unless it returns NULL. Errors: PERMISSION_DENIED OVERRIDE_NOT_ALLOWED; those of the store. */
const Error *overrides_approve(RpcCall *call, const CreateQuoteRequest *req, Quote *quote);

#endif
