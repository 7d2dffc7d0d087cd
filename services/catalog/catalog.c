/* What the handlers ask of the catalogue in memory. */
#include "services/catalog/catalog.h"

#include "shared/codec/message.h"
#include "shared/codec/types.h"

Catalog *catalog_of(const RpcCall *call)
{
    return service_of(call)->state;
}

bool catalog_sells(const RpcCall *call, const char *name, ProductPaths paths)
{
    const char *channel = call->context.channel;

    return !*channel || assortment_shelf_shows(catalog_of(call)->assortments, channel, name, paths);
}

bool catalog_hides(const RpcCall *call, Bytes packed)
{
    const Product *product;

    if (!*call->context.channel ||
        !assortment_shelf_has(catalog_of(call)->assortments, call->context.channel))
        return false;
    product = message_unpack(call->arena, &throughline__catalog__v1__product__descriptor, packed);
    return !catalog_sells(call, product->name, product_paths(product, call->arena));
}

void catalog_put_stock(Catalog *catalog, const StockLevel *level, int64_t version, Arena *arena)
{
    const char *product = snapshot_owner(catalog->snapshot, SNAPSHOT_SKU, level->sku, arena);

    search_index_put_stock(catalog->search, product ? product : "", level->sku, level->location,
        version, level->available);
}

Deed *deed_of(RpcCall *call, const char *note)
{
    Deed *deed = message_new(call->arena, &throughline__catalog__v1__deed__descriptor);

    deed->actor = arena_text(call->arena, call->context.actor);
    deed->account = arena_text(call->arena, call->caller ? call->caller->account : "");
    deed->channel = arena_text(call->arena, call->context.channel);
    deed->time = timestamp_from_micros(call->arena, call->arrived_at);
    deed->note = arena_text(call->arena, note);
    return deed;
}
