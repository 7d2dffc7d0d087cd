/* An anonymous cart gets its customer: as it is, or its lines go into the customer's open cart.
 *
 * The second needs two documents, in this order: the source is closed first, naming the target (so
 * that nobody adds to lines that are on their way), then the target takes the lines and notes the
 * source in merged_from, in one write. A crash in between loses nothing: the source still has its
 * lines and says where they belong. A repetition doubles nothing: a target that names the source
 * has its lines. A target that was closed meanwhile has not taken them and never will: the source
 * is then sent elsewhere. */
#ifndef THROUGHLINE_CART_MERGE_H
#define THROUGHLINE_CART_MERGE_H

#include "services/cart/domain/cart.h"

typedef Throughline__Cart__V1__AttachCustomerRequest__Mode MergeMode;
typedef Throughline__Cart__V1__AttachCustomerResponse MergeReport;
typedef Throughline__Cart__V1__AttachCustomerResponse__LineOutcome LineOutcome;
typedef Throughline__Cart__V1__CustomerAttached CustomerAttached;
typedef Throughline__Cart__V1__CartMerged CartMerged;
typedef Throughline__Cart__V1__CartClosedByMerge CartClosedByMerge;

enum { CART_MAX_MERGED_FROM = 8 };

/* Whether the cart can be attached to this customer: it is open, and nobody's or that of `owner` (a
 * customer who became part of this one; "": nobody's only), or on its way into another cart of theirs.
 * Errors: FAILED_PRECONDITION CART_CLOSED, CART_HAS_CUSTOMER. */
const Error *merge_check_source(
    const Cart *source, const char *customer, const char *owner, Arena *arena);

/* FAILED_PRECONDITION CURRENCY_MISMATCH. */
const Error *merge_check_currency(const Cart *source, const Cart *target);

/* The cart becomes the customer's open cart as it is. */
void merge_attach(
    Cart *source, const char *customer, const Actor *actor, Arena *arena, CustomerAttached *event);

/* Closes the source; it now belongs into the target. */
void merge_close(Cart *source, const Cart *target, MergeMode mode, const Actor *actor, Arena *arena,
    CartClosedByMerge *event);

/* Whether the target has the source's lines. */
bool merge_is_done(const Cart *source, const Cart *target);

/* The lines and codes go into the target; the report says what became of each line. The caller has
 * made room in merged_from. */
void merge_take(const Cart *source, Cart *target, MergeMode mode, const Actor *actor, Arena *arena,
    MergeReport *report, CartMerged *event);

/* The source as it was before merge_close: open, of its owner ("": nobody's). */
void merge_undo(Cart *source, const char *owner, const Actor *actor, Arena *arena,
    Throughline__Cart__V1__CartOpened *event);

#endif
