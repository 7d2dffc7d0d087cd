/* A field's name in JSON: "unit_price" is unitPrice. For shared/codec itself. */
#ifndef THROUGHLINE_CODEC_JSON_NAME_H
#define THROUGHLINE_CODEC_JSON_NAME_H

#include "shared/codec/field.h"

char *json_name(Arena *arena, const Field *field);

/* The field that the name stands for, in camel case or as in the proto; NULL when there is none. */
const Field *json_find_field(const MessageType *type, const char *name);

#endif
