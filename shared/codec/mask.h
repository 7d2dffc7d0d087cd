/* Field masks (AIP-134, AIP-161): which fields an Update changes. */
#ifndef THROUGHLINE_CODEC_MASK_H
#define THROUGHLINE_CODEC_MASK_H

#include "shared/base/arena.h"
#include "shared/base/error.h"

#include <protobuf-c/protobuf-c.h>

/* INVALID_ARGUMENT FIELD_INVALID naming each path that is not a field of the message, or that `fixed` (NULL-ended
 * names: output-only and immutable fields) forbids. */
const Error *mask_check(Arena *arena, const ProtobufCMessageDescriptor *descriptor,
    const char *const *paths, size_t n_paths, const char *const *fixed);

/* Copies the masked fields of `source` into `target` (same type): scalars and repeated fields are replaced, a sub-message
 * as a whole unless the path goes inside it. No paths: every populated field that is not `fixed`; "*": every field
 * that is not `fixed`. */
void mask_merge(Arena *arena, const void *source, void *target, const char *const *paths,
    size_t n_paths, const char *const *fixed);

#endif
