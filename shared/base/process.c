#include "shared/base/process.h"

#include "shared/base/clock.h"

#include <dirent.h>
#include <sys/resource.h>
#include <unistd.h>

enum { LABELS_SIZE = 128 };

static double cpu_seconds(void *none)
{
    struct rusage usage;

    (void)none;
    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static double resident_bytes(void *none)
{
    FILE *file = fopen("/proc/self/statm", "re");
    long long total, resident = 0;

    (void)none;
    if (!file)
        return 0;
    if (fscanf(file, "%lld %lld", &total, &resident) != 2)
        resident = 0;
    fclose(file);
    return (double)resident * (double)sysconf(_SC_PAGESIZE);
}

static double open_descriptors(void *none)
{
    DIR *folder = opendir("/proc/self/fd");
    int count = 0;

    (void)none;
    if (!folder)
        return 0;
    for (const struct dirent *entry; (entry = readdir(folder));)
        count += entry->d_name[0] != '.';
    closedir(folder);
    return count - 1; /* the folder's own */
}

static double most_descriptors(void *none)
{
    struct rlimit limit = { 0 };

    (void)none;
    getrlimit(RLIMIT_NOFILE, &limit);
    return (double)limit.rlim_cur;
}

void process_observe(Metrics *metrics, const char *service, const char *version)
{
    char labels[LABELS_SIZE];

    snprintf(labels, sizeof(labels), "service=\"%s\",version=\"%s\"", service, version);
    gauge_set(
        metrics_gauge(metrics, "throughline_build_info", labels, "Which program this is."), 1);
    gauge_set(metrics_gauge(metrics, "process_start_time_seconds", "",
                  "When the process was started, in seconds since 1970."),
        clock_now() / 1000000);
    metrics_counter_asks(metrics, "process_cpu_seconds_total", "",
        "Processor time spent, of user and system.", cpu_seconds, NULL);
    metrics_gauge_asks(metrics, "process_resident_memory_bytes", "", "Memory that is resident.",
        resident_bytes, NULL);
    metrics_gauge_asks(
        metrics, "process_open_fds", "", "Descriptors that are open.", open_descriptors, NULL);
    metrics_gauge_asks(
        metrics, "process_max_fds", "", "Descriptors that may be open.", most_descriptors, NULL);
}
