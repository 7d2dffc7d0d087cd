#include "services/throughline/export_taxonomy.h"

#include "shared/codec/json.h"
#include "shared/codec/message.h"

#include "throughline/catalog/v1/events.pb-c.h"
#include "throughline/catalog/v1/location.pb-c.h"
#include "throughline/catalog/v1/taxonomy.pb-c.h"

#include <stddef.h>

typedef Throughline__Catalog__V1__TaxonomyChanged TaxonomyChanged;
typedef Throughline__Catalog__V1__TaxonomyChanged__RecordCase RecordCase;
typedef Throughline__Catalog__V1__Category Category;
typedef Throughline__Catalog__V1__Brand Brand;

enum { PAGE_SIZE = 500 };

/* A List rpc: its request has page_size and page_token, its answer begins with the records. */
typedef struct Listing {
    const ProtobufCServiceDescriptor *service;
    const char *method;
    const ProtobufCMessageDescriptor *request;
    const ProtobufCMessageDescriptor *reply;
    RecordCase kind;
} Listing;

static const Listing listings[] = {
    { &throughline__catalog__v1__taxonomy_service__descriptor, "ListCategories",
        &throughline__catalog__v1__list_categories_request__descriptor,
        &throughline__catalog__v1__list_categories_response__descriptor,
        THROUGHLINE__CATALOG__V1__TAXONOMY_CHANGED__RECORD_CATEGORY },
    { &throughline__catalog__v1__taxonomy_service__descriptor, "ListProductTypes",
        &throughline__catalog__v1__list_product_types_request__descriptor,
        &throughline__catalog__v1__list_product_types_response__descriptor,
        THROUGHLINE__CATALOG__V1__TAXONOMY_CHANGED__RECORD_PRODUCT_TYPE },
    { &throughline__catalog__v1__taxonomy_service__descriptor, "ListBrands",
        &throughline__catalog__v1__list_brands_request__descriptor,
        &throughline__catalog__v1__list_brands_response__descriptor,
        THROUGHLINE__CATALOG__V1__TAXONOMY_CHANGED__RECORD_BRAND },
    { &throughline__catalog__v1__location_service__descriptor, "ListLocations",
        &throughline__catalog__v1__list_locations_request__descriptor,
        &throughline__catalog__v1__list_locations_response__descriptor,
        THROUGHLINE__CATALOG__V1__TAXONOMY_CHANGED__RECORD_LOCATION },
};

typedef struct Taxonomies {
    Arena *arena;
    const Shop *shop;
    const Channel *channel;
    FILE *out;
    int64_t n_records;
} Taxonomies;

/* What only the service sets is left out. */
static void strip(void *record, RecordCase kind)
{
    *(char **)message_field(record, "etag") = (char *)protobuf_c_empty_string;
    if (kind == THROUGHLINE__CATALOG__V1__TAXONOMY_CHANGED__RECORD_CATEGORY) {
        ((Category *)record)->path = (char *)protobuf_c_empty_string;
        ((Category *)record)->n_former_paths = 0;
    } else if (kind == THROUGHLINE__CATALOG__V1__TAXONOMY_CHANGED__RECORD_BRAND) {
        ((Brand *)record)->n_former_titles = 0;
    }
}

static const Error *write_all(Taxonomies *taxonomies, const Listing *listing, const char *parent);

static const Error *write_record(Taxonomies *taxonomies, const Listing *listing, void *record)
{
    TaxonomyChanged line = THROUGHLINE__CATALOG__V1__TAXONOMY_CHANGED__INIT;

    strip(record, listing->kind);
    line.record_case = listing->kind;
    line.category = record;
    fprintf(taxonomies->out, "%s\n", json_from_message(taxonomies->arena, &line, JSON_COMPACT));
    taxonomies->n_records++;
    return listing->kind == THROUGHLINE__CATALOG__V1__TAXONOMY_CHANGED__RECORD_CATEGORY
               ? write_all(taxonomies, listing, line.category->name)
               : NULL;
}

/* All pages; of categories those below the parent, each with its own. */
static const Error *write_all(Taxonomies *taxonomies, const Listing *listing, const char *parent)
{
    void *request = message_new(taxonomies->arena, listing->request);
    char **above = message_field(request, "parent");
    const Error *error = NULL;
    const char *token;

    *(int32_t *)message_field(request, "page_size") = PAGE_SIZE;
    if (above)
        *above = arena_text(taxonomies->arena, parent);
    do {
        char *reply = message_new(taxonomies->arena, listing->reply);
        const ProtobufCFieldDescriptor *field = &listing->reply->fields[0];
        void **records;
        size_t n_records;

        if ((error = shop_call(taxonomies->shop, taxonomies->channel, listing->service,
                 listing->method, request, reply)))
            return error;
        records = *(void ***)(void *)(reply + field->offset);
        n_records = *(size_t *)(void *)(reply + field->quantifier_offset);
        for (size_t i = 0; i < n_records && !error; i++)
            error = write_record(taxonomies, listing, records[i]);
        token = *(char **)message_field(reply, "next_page_token");
        *(char **)message_field(request, "page_token") = (char *)token;
    } while (!error && *token);
    return error;
}

const Error *export_taxonomy(
    Arena *arena, const Shop *shop, const Channel *channel, FILE *out, int64_t *n_records)
{
    Taxonomies taxonomies = { .arena = arena, .shop = shop, .channel = channel, .out = out };
    const Error *error = NULL;

    for (size_t i = 0; i < COUNT(listings) && !error; i++)
        error = write_all(&taxonomies, &listings[i], "");
    *n_records = taxonomies.n_records;
    return error;
}
