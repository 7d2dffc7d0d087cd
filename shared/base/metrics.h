/* Counters, gauges and histograms, written as Prometheus text (version 0.0.4). Any thread, no locks
 * on the hot path. */
#ifndef THROUGHLINE_BASE_METRICS_H
#define THROUGHLINE_BASE_METRICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

typedef struct Metrics Metrics;
typedef struct Counter Counter;
typedef struct Gauge Gauge;
typedef struct Histogram Histogram;

Metrics *metrics_new(void);
void metrics_free(Metrics *metrics);

/* Find or make the series `name{labels}`; labels as written in the output (`grpc_method="a/B"`) or
 * "". The same name and labels give the same series. Labels come from fixed lists, never from a
 * client. Lives as long as Metrics. */
Counter *metrics_counter(Metrics *metrics, const char *name, const char *labels, const char *help);
Gauge *metrics_gauge(Metrics *metrics, const char *name, const char *labels, const char *help);
/* Bounds in seconds from 100 µs to 10 s, fixed. */
Histogram *metrics_histogram(
    Metrics *metrics, const char *name, const char *labels, const char *help);

/* Asked when the page is read. */
void metrics_gauge_asks(Metrics *metrics, const char *name, const char *labels, const char *help,
    double (*value)(void *context), void *context);
void metrics_counter_asks(Metrics *metrics, const char *name, const char *labels, const char *help,
    double (*value)(void *context), void *context);

void counter_add(Counter *counter, uint64_t amount);
uint64_t counter_value(const Counter *counter);
void gauge_set(Gauge *gauge, int64_t value);
void gauge_add(Gauge *gauge, int64_t amount);
int64_t gauge_value(const Gauge *gauge);
void histogram_record(Histogram *histogram, int64_t micros);
uint64_t histogram_count(const Histogram *histogram);

/* The whole page, HELP and TYPE once a name. */
void metrics_print(Metrics *metrics, FILE *out);

#endif
