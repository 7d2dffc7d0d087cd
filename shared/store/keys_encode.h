/* How single values are written into an index entry. */
#ifndef THROUGHLINE_STORE_KEYS_ENCODE_H
#define THROUGHLINE_STORE_KEYS_ENCODE_H

#include "shared/store/keys.h"

/* An entry while it is written. */
typedef struct KeyBuffer {
    char bytes[KEYS_MAX_BYTES];
    size_t size;
    bool is_too_long;
} KeyBuffer;

void key_add_number(KeyBuffer *key, int64_t value, bool is_unsigned);
void key_add_text(KeyBuffer *key, const char *text);
/* A text without its end: the start of all that begin so. */
void key_add_escaped(KeyBuffer *key, const char *text);
void key_add_time(KeyBuffer *key, int64_t seconds, int32_t nanos);

bool key_is_unsigned(const ProtobufCFieldDescriptor *field);

#endif
