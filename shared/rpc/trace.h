/* W3C trace context (https://www.w3.org/TR/trace-context/): read what came in, name this call's
 * own span. */
#ifndef THROUGHLINE_RPC_TRACE_H
#define THROUGHLINE_RPC_TRACE_H

#include "shared/base/arena.h"
#include "shared/base/text.h"

enum { TRACE_ID_DIGITS = 32, TRACEPARENT_DIGITS = 55 };

/* The traceparent of a new span: a child of the one given as text or, where that is none, as
 * grpc-trace-bin; else the first of a new trace. Either may be empty or hostile. */
const char *trace_child(Arena *arena, Bytes traceparent, Bytes trace_bin);

#endif
