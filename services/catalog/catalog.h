/* What the parts of the catalogue share. */
#ifndef THROUGHLINE_SERVICES_CATALOG_CATALOG_H
#define THROUGHLINE_SERVICES_CATALOG_CATALOG_H

#include "services/catalog/domain/draft.h"
#include "services/catalog/domain/stock.h"
#include "services/catalog/governance/rules_holder.h"
#include "services/catalog/pricing/key_ring.h"
#include "services/catalog/pricing/signature.h"
#include "services/catalog/products/assortment_shelf.h"
#include "services/catalog/products/registry.h"
#include "services/catalog/products/snapshot.h"
#include "services/catalog/search/search_index.h"
#include "services/catalog/show.h"
#include "shared/service/service.h"

extern const Collection assortments;
extern const Collection brands;
extern const Collection categories;
extern const Collection category_trees;
extern const Collection coupon_campaigns;
extern const Collection coupon_keys;
extern const Collection draft_parts;
extern const Collection drafts;
extern const Collection imports;
extern const Collection locations;
extern const Collection product_types;
extern const Collection products;
extern const Collection quote_keys;
extern const Collection reservations;
extern const Collection stock_levels;
extern const Collection release_changes;
extern const Collection releases;
extern const Collection use_counters;
extern const Collection use_reservations;
extern const Collection *const catalog_collections[];

extern const RpcService coupon_rpcs;
extern const RpcService governance_rpcs;
extern const RpcService product_rpcs;
extern const RpcService pricing_rpcs;
extern const RpcService stock_rpcs;
extern const RpcService taxonomy_rpcs;
extern const RpcService location_rpcs;

/* What a running catalogue holds in memory. */
typedef struct Catalog {
    Snapshot *snapshot;
    SearchIndex *search;
    Registry *registry;       /* categories, product types, brands, locations */
    TaxonomyHolder *taxonomy; /* what products show of these */
    AssortmentShelf *assortments;
    RulesHolder *rules;
    struct RuleShelf *shelf;
    struct RuleBook
        *shown; /* up to which products are found as they are published; the job's own */
    KeyRing *keys;
    int64_t followed[STORE_PARTITIONS]; /* the last event of each partition that is in the snapshot;
                                           the job's own */
} Catalog;

Catalog *catalog_of(const RpcCall *call);

/* Who makes the call, now. */
Deed *deed_of(RpcCall *call, const char *note);

/* Takes a product as it is stored into memory: it is shown and found from now on, as it is published and as its categories and brand are
 * called. */
void catalog_put(Catalog *catalog, const Product *product);

/* The first half of that, without search: whoever does this does the other half soon, whatever happens. */
void catalog_enter(Catalog *catalog, const Product *product);

/* Takes a stock level of this version: where its SKU can be had is found from now on. */
void catalog_put_stock(Catalog *catalog, const StockLevel *level, int64_t version, Arena *arena);

/* Whether the caller's channel sells this product. */
bool catalog_sells(const RpcCall *call, const char *name, ProductPaths paths);

/* Whether the caller's channel does not sell this product, given in wire form: then it is for the caller as if it were not there. */
bool catalog_hides(const RpcCall *call, Bytes packed);

/* PERMISSION_DENIED SCOPE_MISSING when drafts are asked for by an account that may not see them. */
const Error *catalog_check_drafts(const RpcCall *call, bool with_drafts);

/* Rpcs with files of their own. */
const Error *export_products(RpcCall *call, const void *request, void *reply);
const Error *search_products(RpcCall *call, const void *request, void *reply);
const Error *compare_products(RpcCall *call, const void *request, void *reply);
const Error *get_promotion_usage(RpcCall *call, const void *request, void *reply);
const Error *reserve_uses(RpcCall *call, const void *request, void *reply);
const Error *redeem_uses(RpcCall *call, const void *request, void *reply);
const Error *return_uses(RpcCall *call, const void *request, void *reply);
const Error *get_uses(RpcCall *call, const void *request, void *reply);

/* Reads every product of the store into the snapshot. */
const Error *catalog_load(Catalog *catalog, ServiceContext *context);

/* The job: brings what other replicas have imported into the snapshot, and what was done into the audit trail, by the service's own
 * event log. */
const Error *catalog_follow(RpcCall *call);

/* The job: takes up keys that other replicas have made. */
const Error *catalog_take_keys(RpcCall *call);

/* Parts of a job: end reservations of stock and of uses whose time is over. */
const Error *stock_finish_due(RpcCall *call);
const Error *uses_finish_due(RpcCall *call);

#endif
