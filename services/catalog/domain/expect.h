/* Expectations that rules of every kind share. `field` may be a path of its own ("parts[2].target"). */
#ifndef THROUGHLINE_CATALOG_EXPECT_H
#define THROUGHLINE_CATALOG_EXPECT_H

#include "services/catalog/domain/findings.h"

#include "google/protobuf/timestamp.pb-c.h"
#include "google/type/money.pb-c.h"

#include <stdbool.h>

/* Where findings are put and under which path. */
typedef struct Expect {
    const char *path;
    Findings *findings;
} Expect;

void expect_fail(const Expect *check, const char *field, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* "path.field" and "field[index]", in the arena of the findings. */
const char *expect_path(const Expect *check, const char *field);
const char *expect_at(const Expect *check, const char *field, size_t index);

void expect_text(const Expect *check, const char *field, const char *value, size_t min, size_t max);
void expect_range(const Expect *check, const char *field, int64_t value, int64_t min, int64_t max);
void expect_count(const Expect *check, const char *field, size_t count, size_t min, size_t max);

/* Empty, or shaped like the pattern; with is_needed not empty. */
void expect_name(
    const Expect *check, const char *field, const char *value, const char *pattern, bool is_needed);

void expect_sku(const Expect *check, const char *field, const char *value);
void expect_category(const Expect *check, const char *field, const char *value);

/* Two capitals; with is_needed not empty. */
void expect_country(const Expect *check, const char *field, const char *value, bool is_needed);

/* Present, of a known currency, with no more digits than it has, at least `min`. */
bool expect_money(const Expect *check, const char *field, const Google__Type__Money *money,
    int64_t min, int64_t *minor);

/* Each good, one a currency, at least `n_min` of them. */
void expect_moneys(const Expect *check, const char *field, Google__Type__Money *const *moneys,
    size_t n_moneys, size_t n_min, int64_t min);

/* Fields "start_time" and "end_time": times, the end after the start. */
void expect_window(const Expect *check, const Google__Protobuf__Timestamp *start,
    const Google__Protobuf__Timestamp *end);

#endif
