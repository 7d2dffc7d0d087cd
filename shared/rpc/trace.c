#include "shared/rpc/trace.h"

#include "shared/base/id.h"

#include <string.h>

enum { TRACE_ID_SIZE = 16, SPAN_ID_SIZE = 8, TRACE_BIN_SIZE = 29 };

typedef struct Trace {
    uint8_t trace_id[TRACE_ID_SIZE];
    uint8_t flags;
} Trace;

static const char zeros[TRACE_ID_DIGITS] = "00000000000000000000000000000000";

static int hex_value(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool read_hex(const uint8_t *text, uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        int high = hex_value(text[2 * i]);
        int low = hex_value(text[2 * i + 1]);

        if (high < 0 || low < 0)
            return false;
        bytes[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

/* "00-<32>-<16>-<2>"; later versions may have more behind a further "-". */
static bool read_text(Bytes text, Trace *trace)
{
    const uint8_t *t = text.data;
    uint8_t version, span[SPAN_ID_SIZE];

    if (text.size < TRACEPARENT_DIGITS || !read_hex(t, &version, 1) || version == 0xff ||
        (version == 0 ? text.size != TRACEPARENT_DIGITS
                      : text.size > TRACEPARENT_DIGITS && t[TRACEPARENT_DIGITS] != '-'))
        return false;
    return t[2] == '-' && t[35] == '-' && t[52] == '-' && memcmp(t + 3, zeros, 32) &&
           memcmp(t + 36, zeros, 16) && read_hex(t + 3, trace->trace_id, TRACE_ID_SIZE) &&
           read_hex(t + 36, span, SPAN_ID_SIZE) && read_hex(t + 53, &trace->flags, 1);
}

/* Version 0, then three fields with their numbers in front: trace id, span id, options. */
static bool read_binary(Bytes binary, Trace *trace)
{
    static const uint8_t none[TRACE_ID_SIZE];
    const uint8_t *b = binary.data;

    if (binary.size != TRACE_BIN_SIZE || b[0] != 0 || b[1] != 0 || b[18] != 1 || b[27] != 2 ||
        !memcmp(b + 2, none, TRACE_ID_SIZE))
        return false;
    memcpy(trace->trace_id, b + 2, TRACE_ID_SIZE);
    trace->flags = b[28];
    return true;
}

/* Ids need to differ, not to be secret: a generator of the thread's own saves a system call a
 * call (splitmix64). */
static uint64_t next_random(void)
{
    static _Thread_local uint64_t state;
    uint64_t z;

    if (state == 0)
        id_random(&state, sizeof(state));
    z = state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

static void random_id(uint8_t *id, size_t size)
{
    for (size_t i = 0; i < size; i += sizeof(uint64_t)) {
        uint64_t random = next_random() | 1; /* an id of zeros is none */

        memcpy(id + i, &random, sizeof(random));
    }
}

static char *put_hex(char *out, const uint8_t *bytes, size_t size)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < size; i++) {
        *out++ = digits[bytes[i] >> 4];
        *out++ = digits[bytes[i] & 15];
    }
    return out;
}

const char *trace_child(Arena *arena, Bytes traceparent, Bytes trace_bin)
{
    char *text = arena_alloc(arena, TRACEPARENT_DIGITS + 1);
    uint8_t span[SPAN_ID_SIZE];
    char *out = text;
    Trace trace;

    if (!read_text(traceparent, &trace) && !read_binary(trace_bin, &trace)) {
        random_id(trace.trace_id, TRACE_ID_SIZE);
        trace.flags = 1;
    }
    random_id(span, SPAN_ID_SIZE);
    memcpy(out, "00-", 3);
    out = put_hex(out + 3, trace.trace_id, TRACE_ID_SIZE);
    *out++ = '-';
    out = put_hex(out, span, SPAN_ID_SIZE);
    *out++ = '-';
    put_hex(out, &trace.flags, 1);
    return text;
}
