// SPDX-License-Identifier: Apache-2.0
/*
 * The field that holds pods at the old revision. Whatever it counts, here it is the number of pods
 * that are allowed to be at the new one.
 */
#include "generic.h"

/* How the field is to be read and written. */
struct hold {
    const char *pointer; /* NULL: the kind has none */
    bool kept;           /* it counts the pods that stay, not those that may go */
    bool percent;        /* written as "40%" where that says exactly what is meant */
    bool bare;           /* written as 40, which means percent */
    bool down;           /* the kind rounds percentages down */
    bool ordinal;        /* the pods with the lowest numbers are those that stay */
};

static struct hold hold_of(const struct subject *subject)
{
    json_t *options = sluice_at(subject->options, "/partition");
    const char *kept = json_string_value(sluice_at(options, "/kept"));
    const char *as = sluice_string(options, "/as");
    return (struct hold){
        .pointer = kept ? kept : json_string_value(sluice_at(options, "/updated")),
        .kept = kept != NULL,
        .percent = strcmp(as, "percent") == 0,
        .bare = strcmp(as, "percentNumber") == 0,
        .down = strcmp(sluice_string(options, "/rounds"), "down") == 0,
        .ordinal = sluice_bool(options, "/ordinal", false),
    };
}

bool hold_there(const struct subject *subject)
{
    return hold_of(subject).pointer != NULL;
}

/* ---- percentages ---- */

static int64_t of_percent(const struct hold *hold, int64_t percent, int size)
{
    return (percent * size + (hold->down ? 0 : 99)) / 100;
}

/* The whole percentage that means this number of pods to the kind; -1: there is none. */
static int to_percent(const struct hold *hold, int number, int size)
{
    if (size == 0)
        return hold->kept ? 100 : 0;
    int64_t exact = (int64_t)number * 100;
    int percent = (int)((exact + (hold->down ? size - 1 : 0)) / size);
    return of_percent(hold, percent, size) == number ? percent : -1;
}

/* ---- reading and writing ---- */

/* What the field counts, when it is there. */
static int64_t number_of(const struct hold *hold, json_t *field, int size)
{
    int64_t number = json_integer_value(field);
    if (json_is_string(field))
        return of_percent(hold, within(strtol(json_string_value(field), NULL, 10), 0, 100), size);
    return hold->bare ? of_percent(hold, within(number, 0, 100), size) : number;
}

int hold_read(const struct subject *subject, int size)
{
    const struct hold hold = hold_of(subject);
    json_t *field = hold.pointer ? sluice_at(subject->workload, hold.pointer) : NULL;
    if (!field)
        return size;
    int number = within(number_of(&hold, field, size), 0, size);
    return hold.kept ? size - number : number;
}

int32_t hold_write(const struct subject *subject, json_t *object, int size, int allowed)
{
    const struct hold hold = hold_of(subject);
    int number = hold.kept ? size - allowed : allowed;
    int percent = hold.percent || hold.bare ? to_percent(&hold, number, size) : -1;
    if (hold.bare && percent < 0)
        return sluice_fail(subject->request, SLUICE_UNSUPPORTED, "/options/partition/as",
                           "no whole percentage at %s of the %s means %d of %d pods", hold.pointer,
                           kind_of(subject), number, size);
    sluice_put_take(object, hold.pointer,
                    hold.bare      ? json_integer(percent)
                    : percent >= 0 ? json_sprintf("%d%%", percent)
                                   : json_integer(number));
    return SLUICE_OK;
}

/* ---- pods in their order ---- */

/* The number at the end of a pod's name; -1: it has none. */
static int ordinal_of(json_t *pod)
{
    const char *dash = strrchr(sluice_string(pod, "/metadata/name"), '-');
    char *end = NULL;
    long ordinal = dash ? strtol(dash + 1, &end, 10) : -1;
    return dash && end > dash + 1 && !*end && ordinal >= 0 && ordinal <= INT32_MAX ? (int)ordinal
                                                                                   : -1;
}

/* Pods with lower numbers than `partition` that have the new revision all the same. */
static int updated_below(const struct subject *subject, int partition)
{
    int count = 0;
    size_t i;
    json_t *pod;
    json_array_foreach (owned_pods(subject->request), i, pod) {
        int ordinal = ordinal_of(pod);
        count +=
            ordinal >= 0 && ordinal < partition && !pod_leaving(pod) && pod_updated(subject, pod);
    }
    return count;
}

/* The highest partition with which `goal` pods come to the new revision. When a roll goes back
 * halfway, the lowest pods have never left it. */
static int partition_for(const struct subject *subject, int size, int goal)
{
    int partition = size - within(goal, 0, size);
    while (partition < size &&
           size - (partition + 1) + updated_below(subject, partition + 1) >= goal)
        partition++;
    return partition;
}

/* The partition with which no further pod is replaced: above the highest that isn't updated. */
static int partition_at_rest(const struct subject *subject, int size)
{
    int partition = size - hold_read(subject, size);
    size_t i;
    json_t *pod;
    json_array_foreach (owned_pods(subject->request), i, pod) {
        int ordinal = ordinal_of(pod);
        if (ordinal >= partition && ordinal < size && !pod_leaving(pod) &&
            !pod_updated(subject, pod))
            partition = ordinal + 1;
    }
    return partition;
}

/* ---- what must be allowed ---- */

static int greater(int a, int b)
{
    return a > b ? a : b;
}

/* Never less than what is updated: that would take pods back. */
int hold_for_goal(const struct subject *subject, const struct counts *counts, int goal)
{
    int size = counts->size;
    if (hold_of(subject).ordinal)
        return greater(size - partition_for(subject, size, goal), hold_read(subject, size));
    return within(greater(goal, counts->updated), 0, size);
}

/* While the counts may be about another revision, none is allowed. */
int hold_at_rest(const struct subject *subject, const struct counts *counts)
{
    if (!counts->settled)
        return 0;
    if (hold_of(subject).ordinal)
        return counts->size - partition_at_rest(subject, counts->size);
    return within(counts->updated, 0, counts->size);
}
