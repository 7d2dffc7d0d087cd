/* The proof that a bill is what was promised: compares an order with the quote that was signed,
 * with its invoice and with what was credited of it, and every sum with its parts, to the minor
 * unit. */
#ifndef THROUGHLINE_CART_LEDGER_H
#define THROUGHLINE_CART_LEDGER_H

#include "services/cart/domain/checkout.h"

typedef Throughline__Cart__V1__VerifyLedgerResponse__Finding Finding;

enum { LEDGER_MAX_FINDINGS = 1000 };

/* What was found, in the arena; beyond LEDGER_MAX_FINDINGS nothing is added. */
typedef struct Findings {
    Arena *arena;
    Finding **items;
    size_t n_items;
} Findings;

/* `promised` is the quote inside order->signed_quote, NULL when it cannot be read. Nothing is
 * allocated but findings. */
void ledger_check(const Order *order, const Quote *promised, Findings *findings);

#endif
