/* Emergency stops of prices: one acts at once, somebody else looks at it afterwards. */
#ifndef THROUGHLINE_CATALOG_STOP_H
#define THROUGHLINE_CATALOG_STOP_H

#include "services/catalog/domain/draft.h"

typedef Throughline__Catalog__V1__PriceStop PriceStop;

/* The rule that a stop is. */
Rule *stop_rule(PriceStop *stop, Arena *arena);

/* Notes who has made a stop. */
void stop_begin(PriceStop *stop, const Deed *deed);

/* False when the same person has confirmed it before. Errors: PERMISSION_DENIED FOUR_EYES, FAILED_PRECONDITION
 * STOP_CONFIRMED. */
const Error *stop_confirm(PriceStop *stop, const Deed *deed, bool *is_new);

#endif
