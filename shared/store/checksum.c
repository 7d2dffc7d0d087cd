#include "shared/store/checksum.h"

#include <string.h>

uint64_t checksum(uint64_t start, const void *bytes, size_t size)
{
    const uint8_t *at = bytes;
    uint32_t sum = (uint32_t)start, weighted = (uint32_t)(start >> 32), word;

    for (; size >= sizeof(word); size -= sizeof(word), at += sizeof(word)) {
        memcpy(&word, at, sizeof(word));
        sum += word;
        weighted += sum;
    }
    if (size) {
        word = 0;
        memcpy(&word, at, size);
        sum += word;
        weighted += sum;
    }
    return (uint64_t)weighted << 32 | sum;
}
