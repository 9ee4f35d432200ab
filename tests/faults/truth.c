// SPDX-License-Identifier: Apache-2.0
#include "truth.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/json.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PODS "/api/v1/namespaces/default/pods?watch=1&timeoutSeconds=100000000"

void truth_violated(struct truth *truth, const char *format, ...)
{
    va_list args;
    if (truth->violation[0])
        return;
    int length = snprintf(truth->violation, sizeof truth->violation,
                          "at %.1f s: ", (double)(clock_wall_ms() - 1700000000000) / 1000);
    va_start(args, format);
    vsnprintf(truth->violation + length, sizeof truth->violation - (size_t)length, format, args);
    va_end(args);
}

/* ── What must hold ───────────────────────────────────────────────────────────────────────── */

static void count_pods(struct truth *truth)
{
    size_t cursor = 0;
    truth->ready = truth->updated = truth->updated_ready = truth->count = 0;
    for (const struct map_entry *entry; (entry = map_next(&truth->pods, &cursor));) {
        const char *pod = entry->value;
        bool ready = pod[0] == 'y', updated = str_equal(pod + 1, truth->roll.image);
        truth->count++;
        truth->ready += ready;
        truth->updated += updated;
        truth->updated_ready += updated && ready;
    }
}

/* How many pods of the new image there may be. */
static int allowed(const struct roll *roll)
{
    if (roll->held || (roll->hooked && roll->passed < 0))
        return roll->loose;
    int batch = roll->frontier;
    if (roll->hooked && roll->passed < batch)
        batch = roll->passed;
    return roll->until[batch] > roll->loose ? roll->until[batch] : roll->loose;
}

static int promised(const struct roll *roll)
{
    int before = roll->frontier ? roll->until[roll->frontier - 1] : 0;
    return roll->size - (roll->until[roll->frontier] - before) - roll->tolerance - roll->loose -
           roll->missing;
}

static void move_frontier(struct truth *truth)
{
    struct roll *roll = &truth->roll;
    while (roll->frontier + 1 < roll->batches &&
           (roll->partition < 0 || roll->frontier < roll->partition) &&
           truth->updated_ready >= roll->until[roll->frontier] - roll->tolerance)
        roll->frontier++;
}

static void judge(struct truth *truth)
{
    struct roll *roll = &truth->roll;
    count_pods(truth);
    if (!roll->size || !roll->strict)
        return;
    if (truth->updated > allowed(roll))
        truth_violated(truth, "%d pods have %s, in batch %d of %d no more than %d may",
                       truth->updated, roll->image, roll->frontier + 1, roll->batches,
                       allowed(roll));
    if (truth->ready < promised(roll))
        truth_violated(truth, "%d of %d pods are ready, %d are promised in batch %d", truth->ready,
                       roll->size, promised(roll), roll->frontier + 1);
    if (truth->updated > roll->most)
        roll->most = truth->updated;
    if (truth->updated < roll->most && !roll->loose)
        truth_violated(truth, "%d pods have %s, after %d", truth->updated, roll->image, roll->most);
    move_frontier(truth);
}

void truth_let_on(struct truth *truth, int partition)
{
    truth->roll.partition = partition;
    truth->roll.held = false;
    move_frontier(truth);
}

void truth_roll(struct truth *truth, const struct roll *roll)
{
    truth->roll = *roll;
    count_pods(truth);
    truth->roll.loose += truth->updated;
    truth->roll.passed = -1;
    truth->roll.missing = truth->roll.size - truth->ready;
    if (truth->roll.missing < 0)
        truth->roll.missing = 0;
    move_frontier(truth);
}

void truth_passed(struct truth *truth, int batch)
{
    if (batch > truth->roll.passed)
        truth->roll.passed = batch;
}

/* ── Seeing it ────────────────────────────────────────────────────────────────────────────── */

static bool is_ready(const json_t *pod)
{
    const json_t *conditions = json_at(pod, "/status/conditions");
    size_t i;
    json_t *condition;
    json_array_foreach (conditions, i, condition)
        if (str_equal(json_string_at(condition, "/type"), "Ready"))
            return str_equal(json_string_at(condition, "/status"), "True");
    return false;
}

/* One that is told to go is gone, as far as anybody may count on it. */
static void see(struct truth *truth, const json_t *event)
{
    const json_t *pod = json_object_get(event, "object");
    const char *name = json_string_at(pod, "/metadata/name");
    bool gone = str_equal(json_string_at(event, "/type"), "DELETED") ||
                json_string_at(pod, "/metadata/deletionTimestamp");
    if (!name)
        return;
    free(map_remove(&truth->pods, name));
    if (!gone)
        map_put(&truth->pods, name,
                str_format("%c%s", is_ready(pod) ? 'y' : 'n',
                           json_string_at(pod, "/spec/containers/0/image")));
    truth->versions++;
    if (truth->verbose)
        printf("%9.1f s  %s %s %s %s\n", (double)(clock_wall_ms() - 1700000000000) / 1000,
               json_string_at(event, "/type"), name,
               gone            ? "gone"
               : is_ready(pod) ? "ready"
                               : "not ready",
               json_string_at(pod, "/spec/containers/0/image"));
    judge(truth);
}

static void on_some(void *data, int status, const char *bytes, size_t count)
{
    struct truth *truth = data;
    (void)status;
    for (size_t i = 0; i < count; i++) {
        if (bytes[i] != '\n') {
            text_add(&truth->line, bytes + i, 1);
            continue;
        }
        json_t *event AUTO_JSON = json_loadb(truth->line.at, truth->line.len, 0, NULL);
        text_clear(&truth->line);
        see(truth, event);
    }
}

static void on_end(void *data, const struct carried_end *end)
{
    (void)data;
    give_up("the watch of pods has ended with %d", end->status);
}

void truth_open(struct truth *truth, struct stage *stage)
{
    static const struct carried_events events = {on_some, on_end};
    const struct carried_request request = {.method = "GET",
                                            .path = PODS,
                                            .accept = "application/json",
                                            .content_type = "application/json",
                                            .user_agent = "truth"};
    struct carrier carrier = sandbox_carrier(stage->sandbox);
    *truth = (struct truth){.stage = stage};
    truth->watch = carrier.start(carrier.server, &request, &events, truth);
}

void truth_close(struct truth *truth)
{
    sandbox_carrier(truth->stage->sandbox).stop(truth->watch);
    map_done(&truth->pods, free);
    text_done(&truth->line);
}
