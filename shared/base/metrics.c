/* Metrics. A family is a name with its kind and help; its series differ by labels. Recording is a
 * relaxed atomic add; the lock is for finding, making and printing series, which are never removed
 * before the end. */
#include "shared/base/metrics.h"

#include "shared/base/text.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* Upper bounds in microseconds; one more bucket is for what is above them all. */
static const int64_t bounds[] = { 100, 250, 500, 1000, 2500, 5000, 10000, 25000, 50000, 100000,
    250000, 500000, 1000000, 2500000, 5000000, 10000000 };

typedef enum Kind { KIND_COUNTER, KIND_GAUGE, KIND_HISTOGRAM } Kind;

static const char *const kind_names[] = { "counter", "gauge", "histogram" };

struct Counter {
    _Atomic uint64_t value;
};

struct Gauge {
    _Atomic int64_t value;
};

struct Histogram {
    _Atomic uint64_t buckets[COUNT(bounds) + 1];
    _Atomic int64_t sum; /* microseconds */
};

typedef struct Series Series;
struct Series {
    Series *next;
    char *labels;
    double (*value)(void *context); /* set: asked instead of the gauge */
    void *context;
    union {
        Counter counter;
        Gauge gauge;
        Histogram histogram;
    };
};

typedef struct Family Family;
struct Family {
    Family *next;
    char *name;
    char *help;
    Kind kind;
    Series *first;
};

struct Metrics {
    pthread_mutex_t lock;
    Family *first;
};

static void *must(void *memory)
{
    if (!memory)
        abort();
    return memory;
}

Metrics *metrics_new(void)
{
    Metrics *metrics = must(calloc(1, sizeof(*metrics)));

    pthread_mutex_init(&metrics->lock, NULL);
    return metrics;
}

void metrics_free(Metrics *metrics)
{
    if (!metrics)
        return;
    for (Family *family = metrics->first, *next_family; family; family = next_family) {
        next_family = family->next;
        for (Series *series = family->first, *next; series; series = next) {
            next = series->next;
            free(series->labels);
            free(series);
        }
        free(family->name);
        free(family->help);
        free(family);
    }
    pthread_mutex_destroy(&metrics->lock);
    free(metrics);
}

static Family *find_family(Metrics *metrics, const char *name, Kind kind, const char *help)
{
    Family **link = &metrics->first;

    for (; *link; link = &(*link)->next) {
        if (!text_equal((*link)->name, name))
            continue;
        assert((*link)->kind == kind);
        return *link;
    }
    *link = must(calloc(1, sizeof(**link)));
    (*link)->name = must(strdup(name));
    (*link)->help = must(strdup(help));
    (*link)->kind = kind;
    return *link;
}

/* In the order of making, which is the order of printing. The lock is held. */
static Series *find_series(
    Metrics *metrics, Kind kind, const char *name, const char *labels, const char *help)
{
    Series **link = &find_family(metrics, name, kind, help)->first;

    for (; *link; link = &(*link)->next)
        if (text_equal((*link)->labels, labels))
            return *link;
    *link = must(calloc(1, sizeof(**link)));
    (*link)->labels = must(strdup(labels));
    return *link;
}

static Series *series_of(
    Metrics *metrics, Kind kind, const char *name, const char *labels, const char *help)
{
    Series *series;

    pthread_mutex_lock(&metrics->lock);
    series = find_series(metrics, kind, name, labels, help);
    pthread_mutex_unlock(&metrics->lock);
    return series;
}

Counter *metrics_counter(Metrics *metrics, const char *name, const char *labels, const char *help)
{
    return &series_of(metrics, KIND_COUNTER, name, labels, help)->counter;
}

Gauge *metrics_gauge(Metrics *metrics, const char *name, const char *labels, const char *help)
{
    return &series_of(metrics, KIND_GAUGE, name, labels, help)->gauge;
}

Histogram *metrics_histogram(
    Metrics *metrics, const char *name, const char *labels, const char *help)
{
    return &series_of(metrics, KIND_HISTOGRAM, name, labels, help)->histogram;
}

static void ask(Metrics *metrics, Kind kind, const char *name, const char *labels, const char *help,
    double (*value)(void *context), void *context)
{
    Series *series;

    pthread_mutex_lock(&metrics->lock);
    series = find_series(metrics, kind, name, labels, help);
    series->value = value;
    series->context = context;
    pthread_mutex_unlock(&metrics->lock);
}

void metrics_gauge_asks(Metrics *metrics, const char *name, const char *labels, const char *help,
    double (*value)(void *context), void *context)
{
    ask(metrics, KIND_GAUGE, name, labels, help, value, context);
}

void metrics_counter_asks(Metrics *metrics, const char *name, const char *labels, const char *help,
    double (*value)(void *context), void *context)
{
    ask(metrics, KIND_COUNTER, name, labels, help, value, context);
}

void counter_add(Counter *counter, uint64_t amount)
{
    atomic_fetch_add_explicit(&counter->value, amount, memory_order_relaxed);
}

uint64_t counter_value(const Counter *counter)
{
    return atomic_load_explicit(&counter->value, memory_order_relaxed);
}

void gauge_set(Gauge *gauge, int64_t value)
{
    atomic_store_explicit(&gauge->value, value, memory_order_relaxed);
}

void gauge_add(Gauge *gauge, int64_t amount)
{
    atomic_fetch_add_explicit(&gauge->value, amount, memory_order_relaxed);
}

int64_t gauge_value(const Gauge *gauge)
{
    return atomic_load_explicit(&gauge->value, memory_order_relaxed);
}

void histogram_record(Histogram *histogram, int64_t micros)
{
    size_t bucket = 0;

    while (bucket < COUNT(bounds) && micros > bounds[bucket])
        bucket++;
    atomic_fetch_add_explicit(&histogram->buckets[bucket], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&histogram->sum, micros, memory_order_relaxed);
}

uint64_t histogram_count(const Histogram *histogram)
{
    uint64_t count = 0;

    for (size_t i = 0; i <= COUNT(bounds); i++)
        count += atomic_load_explicit(&histogram->buckets[i], memory_order_relaxed);
    return count;
}

static void print_help(const char *help, FILE *out)
{
    for (; *help; help++) {
        if (*help == '\n')
            fputs("\\n", out);
        else if (*help == '\\')
            fputs("\\\\", out);
        else
            fputc(*help, out);
    }
}

/* name{labels} with the label part left out when there is none. */
static void print_name(const char *name, const char *suffix, const char *labels, FILE *out)
{
    fprintf(out, "%s%s", name, suffix);
    if (*labels)
        fprintf(out, "{%s}", labels);
    fputc(' ', out);
}

/* The count is the sum of the buckets as read here, so that a page never contradicts itself. */
static void print_histogram(const char *name, const Series *series, FILE *out)
{
    const Histogram *histogram = &series->histogram;
    const char *comma = *series->labels ? "," : "";
    uint64_t count = 0;

    for (size_t i = 0; i < COUNT(bounds); i++) {
        count += atomic_load_explicit(&histogram->buckets[i], memory_order_relaxed);
        fprintf(out, "%s_bucket{%s%sle=\"%g\"} %llu\n", name, series->labels, comma,
            (double)bounds[i] / 1e6, (unsigned long long)count);
    }
    count += atomic_load_explicit(&histogram->buckets[COUNT(bounds)], memory_order_relaxed);
    fprintf(out, "%s_bucket{%s%sle=\"+Inf\"} %llu\n", name, series->labels, comma,
        (unsigned long long)count);
    print_name(name, "_sum", series->labels, out);
    fprintf(
        out, "%.6f\n", (double)atomic_load_explicit(&histogram->sum, memory_order_relaxed) / 1e6);
    print_name(name, "_count", series->labels, out);
    fprintf(out, "%llu\n", (unsigned long long)count);
}

static void print_series(const Family *family, const Series *series, FILE *out)
{
    if (family->kind == KIND_HISTOGRAM) {
        print_histogram(family->name, series, out);
        return;
    }
    print_name(family->name, "", series->labels, out);
    if (series->value)
        fprintf(out, "%.15g\n", series->value(series->context));
    else if (family->kind == KIND_GAUGE)
        fprintf(out, "%lld\n", (long long)gauge_value(&series->gauge));
    else
        fprintf(out, "%llu\n", (unsigned long long)counter_value(&series->counter));
}

void metrics_print(Metrics *metrics, FILE *out)
{
    pthread_mutex_lock(&metrics->lock);
    for (const Family *family = metrics->first; family; family = family->next) {
        fprintf(out, "# HELP %s ", family->name);
        print_help(family->help, out);
        fprintf(out, "\n# TYPE %s %s\n", family->name, kind_names[family->kind]);
        for (const Series *series = family->first; series; series = series->next)
            print_series(family, series, out);
    }
    pthread_mutex_unlock(&metrics->lock);
}
