/* The page is read back line by line, as a scraper reads it. */
#include "shared/base/metrics.h"

#include "shared/base/arena.h"
#include "shared/base/process.h"
#include "shared/base/text.h"
#include "tests/support/test_main.h"

#include <fcntl.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { THREADS = 4, ROUNDS = 10000 };

static Arena *arena;
static Metrics *metrics;

static void set_up(void)
{
    arena = arena_new();
    metrics = metrics_new();
}

static void tear_down(void)
{
    metrics_free(metrics);
    arena_free(arena);
}

static const char *page(void)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    const char *copy;

    metrics_print(metrics, out);
    fclose(out);
    copy = arena_text(arena, text);
    free(text);
    return copy;
}

static int count_of(const char *text, const char *part)
{
    int count = 0;

    for (; (text = strstr(text, part)); text++)
        count++;
    return count;
}

/* The value of the series as the page has it, NAN when it is missing or there twice. */
static double value_of(const char *series)
{
    const char *text = page();
    const char *start = arena_printf(arena, "\n%s ", series);
    const char *line = strstr(text, start);
    double value;

    if (!line || count_of(text, start) != 1)
        return NAN;
    line += strlen(start);
    return text_to_double(arena_text_of(arena, line, strcspn(line, "\n")), &value) ? value : NAN;
}

static void a_counter_counts_up(void)
{
    Counter *counter = metrics_counter(metrics, "calls_total", "method=\"a/B\"", "Calls.");

    counter_add(counter, 2);
    counter_add(counter, 40);

    CHECK_INT((long long)counter_value(counter), 42);
    CHECK_TEXT(page(), "# HELP calls_total Calls.\n"
                       "# TYPE calls_total counter\n"
                       "calls_total{method=\"a/B\"} 42\n");
}

static void a_gauge_goes_up_and_down(void)
{
    Gauge *gauge = metrics_gauge(metrics, "calls_running", "", "Running calls.");

    gauge_set(gauge, 5);
    gauge_add(gauge, -7);

    CHECK_INT(gauge_value(gauge), -2);
    CHECK_TEXT(page(), "# HELP calls_running Running calls.\n"
                       "# TYPE calls_running gauge\n"
                       "calls_running -2\n");
}

static void the_same_name_and_labels_are_the_same_series(void)
{
    Counter *one = metrics_counter(metrics, "calls_total", "a=\"1\"", "Calls.");
    Counter *other = metrics_counter(metrics, "calls_total", "a=\"2\"", "Calls.");

    CU_ASSERT(metrics_counter(metrics, "calls_total", "a=\"1\"", "Calls.") == one);
    CU_ASSERT(one != other);
}

static void help_and_type_come_once_a_name_before_all_its_series(void)
{
    const char *text;

    metrics_counter(metrics, "calls_total", "a=\"1\"", "Calls.");
    metrics_gauge(metrics, "queue", "", "Queue.");
    metrics_counter(metrics, "calls_total", "a=\"2\"", "Calls.");
    text = page();

    CHECK_INT(count_of(text, "# HELP calls_total "), 1);
    CHECK_INT(count_of(text, "# TYPE calls_total "), 1);
    CHECK_CONTAINS(text, "calls_total{a=\"1\"} 0\ncalls_total{a=\"2\"} 0\n# HELP queue ");
}

static double half(void *context)
{
    return *(double *)context / 2;
}

static void an_asked_gauge_is_asked_on_every_page(void)
{
    double number = 3;

    metrics_gauge_asks(metrics, "lag_seconds", "", "Lag.", half, &number);

    CU_ASSERT(value_of("lag_seconds") == 1.5);
    number = 1e12;
    CU_ASSERT(value_of("lag_seconds") == 5e11);
    metrics_gauge_asks(metrics, "lag_seconds", "", "Lag.", half, &(double){ 4 });
    CU_ASSERT(value_of("lag_seconds") == 2);
}

static void a_histogram_counts_what_is_at_most_its_bound(void)
{
    Histogram *histogram = metrics_histogram(metrics, "time_seconds", "", "Time.");

    histogram_record(histogram, 0);
    histogram_record(histogram, 100);
    histogram_record(histogram, 101);
    histogram_record(histogram, 10000000);
    histogram_record(histogram, 10000001);

    CHECK_INT((long long)histogram_count(histogram), 5);
    CU_ASSERT(value_of("time_seconds_bucket{le=\"0.0001\"}") == 2);
    CU_ASSERT(value_of("time_seconds_bucket{le=\"0.00025\"}") == 3);
    CU_ASSERT(value_of("time_seconds_bucket{le=\"5\"}") == 3);
    CU_ASSERT(value_of("time_seconds_bucket{le=\"10\"}") == 4);
    CU_ASSERT(value_of("time_seconds_bucket{le=\"+Inf\"}") == 5);
    CU_ASSERT(value_of("time_seconds_count") == 5);
    CU_ASSERT(fabs(value_of("time_seconds_sum") - 20.000202) < 1e-9);
    CHECK_INT(count_of(page(), "_bucket{"), 17);
    CHECK_CONTAINS(page(), "# TYPE time_seconds histogram\n");
}

static void buckets_carry_the_labels_of_their_histogram(void)
{
    histogram_record(metrics_histogram(metrics, "time_seconds", "m=\"a\"", "Time."), 300000);
    histogram_record(metrics_histogram(metrics, "time_seconds", "m=\"b\"", "Time."), 100);

    CU_ASSERT(value_of("time_seconds_bucket{m=\"a\",le=\"0.25\"}") == 0);
    CU_ASSERT(value_of("time_seconds_bucket{m=\"a\",le=\"0.5\"}") == 1);
    CU_ASSERT(value_of("time_seconds_bucket{m=\"b\",le=\"0.0001\"}") == 1);
    CU_ASSERT(value_of("time_seconds_sum{m=\"a\"}") == 0.3);
    CU_ASSERT(value_of("time_seconds_count{m=\"b\"}") == 1);
}

static void bounds_rise_and_counts_never_fall(void)
{
    Histogram *histogram = metrics_histogram(metrics, "t", "", "T.");
    double last_bound = 0;
    double last_count = 0;

    for (int64_t micros = 1; micros < 20000000; micros = micros * 3 / 2 + 1)
        histogram_record(histogram, micros);
    for (const char *line = strstr(page(), "t_bucket"); line; line = strstr(line + 1, "t_bucket")) {
        double bound = strtod(line + strlen("t_bucket{le=\""), NULL);
        double count = strtod(strchr(line, '}') + 2, NULL);

        CU_ASSERT(bound > last_bound && count >= last_count);
        last_bound = bound;
        last_count = count;
    }
    CU_ASSERT(isinf(last_bound) && last_count == (double)histogram_count(histogram));
}

static void line_ends_in_a_help_text_are_escaped(void)
{
    metrics_counter(metrics, "a", "", "One\\two\nthree");

    CU_ASSERT(text_starts_with(page(), "# HELP a One\\\\two\\nthree\n# TYPE a counter\n"));
}

static void an_empty_page_is_empty(void)
{
    CHECK_TEXT(page(), "");
    metrics_free(NULL);
}

static void *record(void *context)
{
    (void)context;
    for (int i = 0; i < ROUNDS; i++) {
        const char *labels = i % 2 ? "x=\"1\"" : "x=\"2\"";

        counter_add(metrics_counter(metrics, "c", labels, "C."), 1);
        gauge_add(metrics_gauge(metrics, "g", "", "G."), i % 2 ? 1 : -1);
        histogram_record(metrics_histogram(metrics, "h", "", "H."), i);
    }
    return NULL;
}

static void many_threads_lose_no_count(void)
{
    pthread_t threads[THREADS];

    for (int i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, record, NULL);
    for (int i = 0; i < 20; i++)
        CU_ASSERT(page() != NULL);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);

    CU_ASSERT(value_of("c{x=\"1\"}") == THREADS * ROUNDS / 2);
    CU_ASSERT(value_of("c{x=\"2\"}") == THREADS * ROUNDS / 2);
    CU_ASSERT(value_of("g") == 0);
    CU_ASSERT(value_of("h_count") == THREADS * ROUNDS);
}

static void a_process_tells_of_itself(void)
{
    double cpu, descriptors;
    int fd;

    process_observe(metrics, "cart", "1.2.3");
    CHECK_CONTAINS(page(), "throughline_build_info{service=\"cart\",version=\"1.2.3\"} 1\n");
    CHECK_CONTAINS(page(), "# TYPE process_cpu_seconds_total counter\n");
    CU_ASSERT(value_of("process_resident_memory_bytes") > 100000);
    CU_ASSERT(fabs(value_of("process_start_time_seconds") - (double)time(NULL)) < 100);
    cpu = value_of("process_cpu_seconds_total");
    descriptors = value_of("process_open_fds");
    fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

    CHECK_INT(value_of("process_open_fds"), descriptors + 1);
    CU_ASSERT(value_of("process_max_fds") > descriptors);
    while (value_of("process_cpu_seconds_total") <= cpu)
        continue;
    close(fd);
}

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        { "a_counter_counts_up", a_counter_counts_up },
        { "a_gauge_goes_up_and_down", a_gauge_goes_up_and_down },
        { "the_same_name_and_labels_are_the_same_series",
            the_same_name_and_labels_are_the_same_series },
        { "help_and_type_come_once_a_name_before_all_its_series",
            help_and_type_come_once_a_name_before_all_its_series },
        { "an_asked_gauge_is_asked_on_every_page", an_asked_gauge_is_asked_on_every_page },
        { "a_histogram_counts_what_is_at_most_its_bound",
            a_histogram_counts_what_is_at_most_its_bound },
        { "buckets_carry_the_labels_of_their_histogram",
            buckets_carry_the_labels_of_their_histogram },
        { "bounds_rise_and_counts_never_fall", bounds_rise_and_counts_never_fall },
        { "line_ends_in_a_help_text_are_escaped", line_ends_in_a_help_text_are_escaped },
        { "an_empty_page_is_empty", an_empty_page_is_empty },
        { "many_threads_lose_no_count", many_threads_lose_no_count },
        { "a_process_tells_of_itself", a_process_tells_of_itself },
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        { .pName = "metrics", .pSetUpFunc = set_up, .pTearDownFunc = tear_down, .pTests = tests },
        CU_SUITE_INFO_NULL,
    };

    return test_main("base_metrics", suites, argc, argv);
}
