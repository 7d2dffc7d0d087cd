/* Random messages of any type, the same ones for the same seed. */
#ifndef THROUGHLINE_TESTS_CODEC_RANDOM_MESSAGE_H
#define THROUGHLINE_TESTS_CODEC_RANDOM_MESSAGE_H

#include "shared/base/arena.h"

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct Random {
    uint64_t state;
    bool with_unknown; /* unknown fields too */
} Random;

uint64_t random_next(Random *random);

/* 0 … below - 1 */
uint32_t random_below(Random *random, uint32_t below);

/* Every kind of value in every field, extremes more often than chance has them; map keys are unique. */
void *random_message(Random *random, Arena *arena, const ProtobufCMessageDescriptor *type);

#endif
