/* What the effects of promotions share; for the pricing function only. */
#ifndef THROUGHLINE_CATALOG_PRICING_EFFECTS_H
#define THROUGHLINE_CATALOG_PRICING_EFFECTS_H

#include "services/catalog/domain/pricing_engine.h"

int64_t smaller(int64_t a, int64_t b);
int64_t pieces_of(const Engine *engine, uint32_t line);

/* In the currency of the quote, 0 when there is none. */
int64_t amount_of(const Engine *engine, const Amounts *amounts);

/* Takes an exact share of a line, rounded. */
void take_share(Engine *engine, uint32_t line, Wide numerator, Wide denominator);

/* Takes at most `amount` off lines together, in proportion to the weights, none of which is larger
 * than what is left of its line. */
void take_together(
    Engine *engine, const uint32_t *lines, size_t n_lines, const int64_t *weights, int64_t amount);

void take_buy(Engine *engine, const Candidate *candidate, const Deal *deal);
void take_nth(Engine *engine, const Candidate *candidate, const Deal *deal);
void take_bundle(Engine *engine, const Candidate *candidate, const Deal *deal);

#endif
