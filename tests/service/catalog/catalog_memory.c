#include "tests/service/catalog/catalog_memory.h"

#include "services/catalog/governance/rule_shelf.h"

void catalog_memory_open(Catalog *catalog)
{
    *catalog = (Catalog){
        .snapshot = snapshot_new(),
        .search = search_index_new(),
        .registry = registry_new(),
        .taxonomy = taxonomy_holder_new(),
        .assortments = assortment_shelf_new(),
        .rules = rules_holder_new(),
    };
    catalog->shelf = rule_shelf_new(catalog->rules);
}

void catalog_memory_close(Catalog *catalog)
{
    snapshot_free(catalog->snapshot);
    search_index_free(catalog->search);
    registry_free(catalog->registry);
    taxonomy_holder_free(catalog->taxonomy);
    assortment_shelf_free(catalog->assortments);
    rule_shelf_free(catalog->shelf);
    rules_holder_free(catalog->rules);
}
