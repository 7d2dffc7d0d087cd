/* A message as a stored record: BSON without name and etag, which the store keeps beside it. */
#ifndef THROUGHLINE_STORE_RECORD_H
#define THROUGHLINE_STORE_RECORD_H

#include "shared/store/engine.h"

/* Errors: RESOURCE_EXHAUSTED DOCUMENT_TOO_LARGE. */
const Error *record_encode(Arena *arena, const Collection *collection, const BodyCodec *codec,
    const void *message, Bytes *body);

/* Fills `message` from the body and sets name and etag. Errors: DATA_LOSS STORE_CORRUPT. */
const Error *record_decode(Arena *arena, const Collection *collection, const BodyCodec *codec,
    const EngineDocument *document, void *message);

const char *record_name(const void *message);
const char *record_etag(const void *message);
void record_set_etag(void *message, const char *etag);

/* 0 when the message has no etag, -1 when the etag is none of ours. */
int64_t record_version(const char *etag);
void record_set_version(Arena *arena, void *message, int64_t version);

/* The collection's expire_field in microseconds since 1970; 0: never. */
int64_t record_expire(const Collection *collection, const void *message);

/* CART_NOT_FOUND, CART_EXISTS: named after the message. */
const Error *record_missing(Arena *arena, const Collection *collection, const char *name);
const Error *record_exists(Arena *arena, const Collection *collection, const char *name);
/* BY_EMAIL_TAKEN: named after the index. */
const Error *record_taken(Arena *arena, const Collection *collection, int index);

#endif
