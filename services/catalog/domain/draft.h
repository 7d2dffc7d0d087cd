/* The life of a draft: who may do what when. The rules change the draft; storing it and telling is the caller's.
 *
 *     OPEN -> SUBMITTED -> APPROVED (-> SCHEDULED) -> PUBLISHING -> PUBLISHED
 *                 '-> REJECTED           '-> REFUSED
 *
 * Whatever is not PUBLISHING or PUBLISHED can be opened again, and is approved anew then. */
#ifndef THROUGHLINE_CATALOG_DRAFT_H
#define THROUGHLINE_CATALOG_DRAFT_H

#include "services/catalog/domain/change.h"

typedef Throughline__Catalog__V1__Draft Draft;
typedef Throughline__Catalog__V1__Deed Deed;
typedef Throughline__Catalog__V1__Release Release;

typedef Throughline__Catalog__V1__Draft__State DraftState;

static const DraftState DRAFT_OPEN = THROUGHLINE__CATALOG__V1__DRAFT__STATE__OPEN;
static const DraftState DRAFT_SUBMITTED = THROUGHLINE__CATALOG__V1__DRAFT__STATE__SUBMITTED;
static const DraftState DRAFT_APPROVED = THROUGHLINE__CATALOG__V1__DRAFT__STATE__APPROVED;
static const DraftState DRAFT_SCHEDULED = THROUGHLINE__CATALOG__V1__DRAFT__STATE__SCHEDULED;
static const DraftState DRAFT_PUBLISHING = THROUGHLINE__CATALOG__V1__DRAFT__STATE__PUBLISHING;
static const DraftState DRAFT_PUBLISHED = THROUGHLINE__CATALOG__V1__DRAFT__STATE__PUBLISHED;
static const DraftState DRAFT_REJECTED = THROUGHLINE__CATALOG__V1__DRAFT__STATE__REJECTED;
static const DraftState DRAFT_REFUSED = THROUGHLINE__CATALOG__V1__DRAFT__STATE__REFUSED;

static const Throughline__Catalog__V1__Release__Kind RELEASE_OF_DRAFT =
    THROUGHLINE__CATALOG__V1__RELEASE__KIND__DRAFT;
static const Throughline__Catalog__V1__Release__Kind RELEASE_ROLLBACK =
    THROUGHLINE__CATALOG__V1__RELEASE__KIND__ROLLBACK;
static const Throughline__Catalog__V1__Release__Kind RELEASE_DIRECT =
    THROUGHLINE__CATALOG__V1__RELEASE__KIND__DIRECT;
static const Throughline__Catalog__V1__Release__Kind RELEASE_STOP =
    THROUGHLINE__CATALOG__V1__RELEASE__KIND__STOP;

enum {
    DRAFT_MAX_TITLE = 120,
    DRAFT_MAX_REASON = 1000,
    DRAFT_MAX_CHANGES = 10000,
    DRAFT_MAX_PARTS = 1000,
    DRAFT_MAX_AUTHORS = 100,
    DRAFT_MAX_DAYS_AHEAD = 400,
};

/* Fills an initialised draft. */
void draft_open(Draft *draft, const char *name, const char *title, const char *reason, Deed *author,
    Arena *arena);

/* FAILED_PRECONDITION DRAFT_NOT_OPEN. */
const Error *draft_check_open(const Draft *draft, Arena *arena);

/* Takes a part in; `count` is how many rules the draft changes then. Errors: FAILED_PRECONDITION DRAFT_NOT_OPEN,
 * RESOURCE_EXHAUSTED DRAFT_FULL. */
const Error *draft_change(Draft *draft, const char *part, size_t count, Deed *author, Arena *arena);

/* Errors: FAILED_PRECONDITION DRAFT_NOT_OPEN, DRAFT_EMPTY. */
const Error *draft_submit(Draft *draft, Deed *submission, Arena *arena);

/* Errors: FAILED_PRECONDITION DRAFT_FINAL. */
const Error *draft_withdraw(Draft *draft, Deed *author, Arena *arena);

/* Errors: FAILED_PRECONDITION DRAFT_NOT_SUBMITTED; PERMISSION_DENIED FOUR_EYES. */
const Error *draft_approve(Draft *draft, Deed *approval, Arena *arena);
const Error *draft_reject(Draft *draft, Deed *rejection, Arena *arena);

/* Errors: FAILED_PRECONDITION DRAFT_NOT_APPROVED. */
const Error *draft_schedule(Draft *draft, int64_t publish_time, Deed *publication, Arena *arena);

/* From here on it is published, or found to be impossible. The same error. */
const Error *draft_begin(Draft *draft, Deed *publication, Arena *arena);

void draft_finish(Draft *draft, int64_t release, int64_t now, Arena *arena);

/* It cannot be published as things are: it is approved still. */
void draft_return(Draft *draft, int64_t now, Arena *arena);

/* The same when nobody waits for the answer. */
void draft_refuse(Draft *draft, const char *refusal, int64_t now, Arena *arena);

/* Fills an initialised release of a draft that is PUBLISHING. */
void draft_release(const Draft *draft, Release *release);

#endif
