/* Finds flipped bits in stored bytes. Not for secrets. */
#ifndef THROUGHLINE_STORE_CHECKSUM_H
#define THROUGHLINE_STORE_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

/* A Fletcher sum over 32-bit words, going on from `start`: any single changed byte changes it; zeros from 0 give 0. */
uint64_t checksum(uint64_t start, const void *bytes, size_t size);

#endif
