// SPDX-License-Identifier: Apache-2.0
#include "cli/process_metrics.h"

#include "serve/exposition.h"

#include <dirent.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

static double seconds(struct timeval time)
{
    return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

static void add(struct text *text, const char *name, enum metric_type type, const char *help,
                double value)
{
    if (value < 0)
        return;
    exposition_family(text, name, type, help);
    exposition_sample(text, name, NULL, value);
}

static double resident_bytes(void)
{
    long pages = -1;
    FILE *file = fopen("/proc/self/statm", "re");
    if (!file)
        return -1;
    if (fscanf(file, "%*d %ld", &pages) != 1)
        pages = -1;
    fclose(file);
    return pages < 0 ? -1 : (double)pages * (double)sysconf(_SC_PAGESIZE);
}

/* Without "." and "..", and the one that the counting takes. */
static double open_descriptors(void)
{
    DIR *folder = opendir("/proc/self/fd");
    int count = -3;
    if (!folder)
        return -1;
    while (readdir(folder))
        count++;
    closedir(folder);
    return count;
}

void process_metrics(struct text *text)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    add(text, "process_cpu_seconds_total", METRIC_COUNTER, "Time on the CPU, in seconds.",
        seconds(usage.ru_utime) + seconds(usage.ru_stime));
    add(text, "process_resident_memory_bytes", METRIC_GAUGE, "Resident memory, in bytes.",
        resident_bytes());
    add(text, "process_open_fds", METRIC_GAUGE, "Descriptors that are open.", open_descriptors());
}
