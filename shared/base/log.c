/* A line is put together on the stack, at most PIPE_BUF bytes, and written at once: lines of
 * several threads and processes on one pipe never mix. What does not fit is left out, and the line
 * says so. */
#include "shared/base/log.h"

#include "shared/base/clock.h"
#include "shared/base/text.h"

#include <errno.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { SERVICE_SIZE = 32, KEY_MAX = 64, TEXT_MAX = 1024 };

/* Process-wide as standard output is. The service is set before any thread starts. */
static char service_name[SERVICE_SIZE];
static _Atomic int least_level = LOG_INFO;

typedef struct Line {
    char text[PIPE_BUF];
    size_t length;
    size_t limit; /* keeps room for the mark of an incomplete line and its end */
    bool is_full;
} Line;

static const char *const level_names[] = { "debug", "info", "warn", "error", "off" };
static const char incomplete[] = ",\"incomplete\":true";

void log_setup(const char *service, LogLevel least)
{
    snprintf(service_name, sizeof(service_name), "%s", service);
    atomic_store_explicit(&least_level, (int)least, memory_order_relaxed);
}

bool log_level_from(const char *text, LogLevel *level)
{
    for (int i = 0; i < (int)COUNT(level_names); i++) {
        if (!text_equal(text, level_names[i]))
            continue;
        *level = (LogLevel)i;
        return true;
    }
    return false;
}

bool log_is_on(LogLevel level)
{
    return level < LOG_OFF &&
           (int)level >= atomic_load_explicit(&least_level, memory_order_relaxed);
}

static void add(Line *line, const char *bytes, size_t size)
{
    if (line->is_full || line->limit - line->length < size) {
        line->is_full = true;
        return;
    }
    memcpy(line->text + line->length, bytes, size);
    line->length += size;
}

/* One character of a JSON string; bytes that are not UTF-8 become U+FFFD. */
static size_t add_character(Line *line, const uint8_t *bytes, size_t left)
{
    size_t step = text_utf8_step(bytes, left);
    char escaped[8];

    if (step == 0) {
        add(line, "\xef\xbf\xbd", 3);
        return 1;
    }
    if (*bytes == '"' || *bytes == '\\') {
        escaped[0] = '\\';
        escaped[1] = (char)*bytes;
        add(line, escaped, 2);
    } else if (*bytes < 0x20 || *bytes == 0x7f) {
        add(line, escaped, (size_t)snprintf(escaped, sizeof(escaped), "\\u%04x", *bytes));
    } else {
        add(line, (const char *)bytes, step);
    }
    return step;
}

static void add_string(Line *line, const char *text, size_t most)
{
    size_t size = strlen(text);

    add(line, "\"", 1);
    for (size_t at = 0; at < size && !line->is_full;) {
        if (at >= most) {
            add(line, "…", strlen("…"));
            break;
        }
        at += add_character(line, (const uint8_t *)text + at, size - at);
    }
    add(line, "\"", 1);
}

/* A whole field or none of it. */
static void add_field(Line *line, const char *key, const char *text, int64_t number)
{
    size_t start = line->length;
    char digits[24];

    if (start > 1)
        add(line, ",", 1);
    add_string(line, key, KEY_MAX);
    add(line, ":", 1);
    if (text)
        add_string(line, text, TEXT_MAX);
    else
        add(line, digits, (size_t)snprintf(digits, sizeof(digits), "%lld", (long long)number));
    if (line->is_full)
        line->length = start;
}

/* A log that cannot be written must not stop the service: the line is lost. */
static void write_out(const char *text, size_t size)
{
    while (size > 0) {
        ssize_t written = write(STDOUT_FILENO, text, size);

        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return;
        text += written;
        size -= (size_t)written;
    }
}

void log_write(LogLevel level, const char *event, const LogField *fields)
{
    Line line;
    char time[CLOCK_TEXT_SIZE];

    if (!log_is_on(level))
        return;
    line.length = 0;
    line.limit = sizeof(line.text) - strlen(incomplete) - strlen("}\n");
    line.is_full = false;
    add(&line, "{", 1);
    add_field(&line, "time", clock_print(clock_now(), time), 0);
    add_field(&line, "level", level_names[level], 0);
    add_field(&line, "service", service_name, 0);
    add_field(&line, "event", event, 0);
    for (; fields && fields->key && !line.is_full; fields++)
        add_field(&line, fields->key, fields->text, fields->number);
    line.limit = sizeof(line.text);
    if (line.is_full) {
        line.is_full = false;
        add(&line, incomplete, strlen(incomplete));
    }
    add(&line, "}\n", 2);
    write_out(line.text, line.length);
}
