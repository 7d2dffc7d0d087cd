/* Structured log: one JSON object a line on standard output. No personal data goes in. Any
 * thread. */
#ifndef THROUGHLINE_BASE_LOG_H
#define THROUGHLINE_BASE_LOG_H

#include <stdbool.h>
#include <stdint.h>

typedef enum LogLevel { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR, LOG_OFF } LogLevel;

typedef struct LogField {
    const char *key;  /* NULL ends the list */
    const char *text; /* NULL: the number counts */
    int64_t number;
} LogField;

/* What every line carries, set once at the start: the service's name and the least level
 * written. */
void log_setup(const char *service, LogLevel least);
bool log_level_from(const char *text, LogLevel *level);
bool log_is_on(LogLevel level);

/* A line of the list, which ends with an empty field: log_write(LOG_INFO, "listening", (const
 * LogField[]){ { "port", .number = 7003 }, { 0 } }); gives
 * {"time":…,"level":"info","service":"cart","event":"call","method":"…",…}: in one write(2). */
void log_write(LogLevel level, const char *event, const LogField *fields);

#endif
