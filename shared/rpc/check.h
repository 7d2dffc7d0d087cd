/* Checks of a request: each adds a violation to the call, check_result answers with all of them. */
#ifndef THROUGHLINE_RPC_CHECK_H
#define THROUGHLINE_RPC_CHECK_H

#include "shared/rpc/call.h"

#include "google/type/money.pb-c.h"

enum { CHECK_MAX_VIOLATIONS = 100, CHECK_REQUEST_ID_MAX = 255, CHECK_WORD_MAX = 40 };

/* A violation in our own words; `field` is a path of proto names. */
void check_fail(RpcCall *call, const char *field, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Not empty and shaped like "carts/<star>" (text_matches_name). */
void check_name(RpcCall *call, const char *field, const char *value, const char *pattern);
/* Empty or shaped so. */
void check_optional_name(RpcCall *call, const char *field, const char *value, const char *pattern);
/* min … max code points. */
void check_text(RpcCall *call, const char *field, const char *value, size_t min, size_t max);
/* A name that people make up for a channel or a purpose: 1 … CHECK_WORD_MAX lower-case letters, digits and "-". */
void check_word(RpcCall *call, const char *field, const char *value);
void check_range(RpcCall *call, const char *field, int64_t value, int64_t min, int64_t max);
void check_count(RpcCall *call, const char *field, size_t count, size_t min, size_t max);
void check_present(RpcCall *call, const char *field, const void *message);
/* A known enum value other than 0. */
void check_enum(RpcCall *call, const char *field, const ProtobufCEnumDescriptor *type, int value);
/* At most CHECK_REQUEST_ID_MAX of [A-Za-z0-9_.~:-]; empty is fine. */
void check_request_id(RpcCall *call, const char *value);
/* Present, an ISO 4217 currency, at most its digits, min <= minor units <= max; *minor is set
 * when good. */
void check_money(RpcCall *call, const char *field, const Google__Type__Money *money, int64_t min,
    int64_t max, int64_t *minor);

/* "lines[2].quantity", in the call's arena. */
const char *check_path(RpcCall *call, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* NULL, or INVALID_ARGUMENT FIELD_INVALID with every violation. */
const Error *check_result(RpcCall *call);

#endif
