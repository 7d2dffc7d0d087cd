/* Who uses a category, type, brand or location: asked before it is deleted. What other replicas have stored in the last moment may be
 * missed; a product that then names what is gone shows the path that it was stored with. */
#ifndef THROUGHLINE_CATALOG_TAXONOMY_USERS_H
#define THROUGHLINE_CATALOG_TAXONOMY_USERS_H

#include "services/catalog/records.h"

const Error *category_users(RpcCall *call, const void *category, Users *users);
const Error *product_type_users(RpcCall *call, const void *type, Users *users);
const Error *brand_users(RpcCall *call, const void *brand, Users *users);
const Error *location_users(RpcCall *call, const void *location, Users *users);

#endif
