/* One customer through five channels, step by step, against the running services. */
#ifndef THROUGHLINE_SERVICES_THROUGHLINE_JOURNEY_H
#define THROUGHLINE_SERVICES_THROUGHLINE_JOURNEY_H

#include "services/throughline/shop.h"

/* Plays the journey with the channels' tokens of DATA/tokens and prints who did what in which channel. Every play is a new
 * customer. An error when a step fails or something does not add up at the end (FAILED_PRECONDITION JOURNEY_BROKEN). */
const Error *journey_play(Arena *arena, const char *data, Shop *shop);

#endif
