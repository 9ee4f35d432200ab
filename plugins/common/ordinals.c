// SPDX-License-Identifier: Apache-2.0
#include "common/ordinals.h"

#include "common/workload.h"

struct range {
    int64_t first, last;
};

/* One of reserveOrdinals: 3, or "3-5". */
static struct range range_of(json_t *reserved)
{
    if (json_is_integer(reserved))
        return (struct range){json_integer_value(reserved), json_integer_value(reserved)};
    const char *text = json_is_string(reserved) ? json_string_value(reserved) : "";
    char *dash;
    int first = within(strtol(text, &dash, 10), 0, INT32_MAX);
    if (*dash != '-')
        return (struct range){0, -1};
    return (struct range){first, within(strtol(dash + 1, NULL, 10), 0, INT32_MAX)};
}

/* The range that holds `from`, or the next one after it; it begins at INT64_MAX if there is none.
 */
static struct range next_range(json_t *workload, int64_t from)
{
    struct range next = {INT64_MAX, INT64_MAX};
    size_t i;
    json_t *reserved;
    json_array_foreach (sluice_at(workload, "/spec/reserveOrdinals"), i, reserved) {
        struct range range = range_of(reserved);
        if (range.last >= from && range.first < next.first)
            next = range;
    }
    return next;
}

/* How many of [from, to) are reserved, each counted once however often it is named. */
static int64_t reserved_between(json_t *workload, int64_t from, int64_t to)
{
    int64_t count = 0;
    while (from < to) {
        struct range range = next_range(workload, from);
        int64_t begin = range.first > from ? range.first : from;
        if (begin >= to)
            break;
        from = range.last + 1 < to ? range.last + 1 : to;
        count += from - begin;
    }
    return count;
}

int pod_place(json_t *workload, json_t *pod)
{
    const char *dash = strrchr(sluice_string(pod, "/metadata/name"), '-');
    int64_t ordinal = dash ? within(strtol(dash + 1, NULL, 10), -1, INT32_MAX) : -1;
    int64_t start = whole_at(workload, "/spec/ordinals/start", 0);
    if (ordinal < start || reserved_between(workload, ordinal, ordinal + 1))
        return -1;
    int64_t place = ordinal - start - reserved_between(workload, start, ordinal);
    return place < size_of(workload) ? (int)place : -1;
}
