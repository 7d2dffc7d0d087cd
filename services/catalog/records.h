/* Small records that are put by name (categories, types, brands, assortments, locations): one way to store and to import them. */
#ifndef THROUGHLINE_CATALOG_RECORDS_H
#define THROUGHLINE_CATALOG_RECORDS_H

#include "services/catalog/catalog.h"
#include "services/catalog/domain/draft.h"
#include "services/catalog/domain/users.h"

#include "throughline/catalog/v1/events.pb-c.h"

typedef Throughline__Catalog__V1__TaxonomyChanged TaxonomyChanged;
typedef Throughline__Catalog__V1__ImportRecordsResponse ImportRecordsResponse;

enum { RECORDS_BATCH = 500, RECORDS_MAX_ERRORS = 1000 };

/* One kind of record. */
typedef struct RecordKind {
    const Collection *collection;
    /* Its number in TaxonomyChanged.record. */
    Throughline__Catalog__V1__TaxonomyChanged__RecordCase kind;
    /* The field of its import's messages. */
    const char *field;
    /* Names every bad field of one that is to be stored. */
    void (*check)(const void *record, Findings *findings);
    /* Looks at records that are to be written, given as messages of the collection; says what stands against records[i] in
     * refusals[i] (NULL: nothing), and, where they need it, fills `head` with a write that goes before them. NULL: there is nothing to look at. */
    const Error *(*screen)(RpcCall *call, StoreView *view, void *const *records, size_t n_records,
        const Error **refusals, StoreWrite *head);
    /* Sets what a record keeps of the one that is stored (NULL: none). NULL: it keeps nothing. */
    const Error *(*carry)(StoreView *view, const void *stored, void *record);
    /* What stands for one that was deleted: the store's own answer for one that never was. */
    const Error *not_found;
    /* Who uses a record that is to be deleted; NULL: nobody can. */
    const Error *(*find_users)(RpcCall *call, const void *record, Users *users);
    const char *in_use; /* the reason when somebody does */
} RecordKind;

extern const Error record_etag_stale;

/* Fills an event about a record. */
void record_changed(TaxonomyChanged *changed, const RecordKind *kind, void *record, Deed *deed);

/* What it is called, "" for what has no title. */
char *record_title(const void *record);

/* For a put: that the record is there and nothing was found in it; names every bad field below `field`. */
const Error *record_check(RpcCall *call, const char *request_id, const char *field,
    const void *record, const Findings *findings);

/* Creates or replaces a good record, the call's reply, whose etag is the one that was seen ("": any). Errors: ABORTED ETAG_STALE,
 * those of the screen. */
const Error *record_put(RpcCall *call, const RecordKind *kind, void *record);

/* Fills `record`, initialised. Errors: NOT_FOUND. */
const Error *record_get(RpcCall *call, const RecordKind *kind, const char *name, void *record);

/* The request of a Delete. */
void check_delete(RpcCall *call, const char *pattern, const char *name, const char *request_id);

/* Deletes a record that nobody uses; etag "": any version. Errors: NOT_FOUND, FAILED_PRECONDITION kind->in_use, ABORTED ETAG_STALE. */
const Error *record_delete(
    RpcCall *call, const RecordKind *kind, const char *name, const char *etag);

/* Whether what is stored under a name is only what deletion has left. */
bool record_is_deleted(const void *record);
void records_drop_deleted(StorePage *page);

/* What an import's stream brings: a message has the record and its row. Counts and row errors go to `result`, an initialised message. */
const Error *record_import(RpcCall *call, const RecordKind *kind, ImportRecordsResponse *result);

/* Takes a record into memory that was stored here or elsewhere. */
void catalog_put_record(Catalog *catalog, const TaxonomyChanged *changed);

#endif
