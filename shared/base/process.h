/* What every scrape wants to know of a process, by the names that Prometheus' own clients use. */
#ifndef THROUGHLINE_BASE_PROCESS_H
#define THROUGHLINE_BASE_PROCESS_H

#include "shared/base/metrics.h"

/* process_cpu_seconds_total, process_resident_memory_bytes, process_open_fds, process_max_fds, process_start_time_seconds, and
 * throughline_build_info with service and version as labels. Called once, when the process starts. */
void process_observe(Metrics *metrics, const char *service, const char *version);

#endif
