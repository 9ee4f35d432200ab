// SPDX-License-Identifier: Apache-2.0
/* What is the case: from the workload's own status, or from its pods. */
#include "generic.h"

struct value status_value(const struct subject *subject, const char *name)
{
    static const char *const full[] = {
        "status.observedGeneration", "status.settled",         "status.updated",
        "status.updatedReady",       "status.ready",           "status.healthy",
        "status.updateRevision",     "status.currentRevision", "status.reason",
    };
    struct value value = {.name = "status",
                          .json = json_object_get(sluice_at(subject->options, "/status"), name)};
    for (size_t i = 0; i < sizeof full / sizeof *full; i++)
        if (strcmp(full[i] + strlen("status."), name) == 0)
            value.name = full[i];
    return value;
}

/* ---- pods ---- */

/* The revision that updated pods have: where an option says, else the one in the status. */
static const char *revision_of(const struct subject *subject)
{
    const char *pointer = option_text(
        subject->options, "/pods/revision",
        option_text(subject->options, "/status/updateRevision", "/status/updateRevision"));
    const char *revision = json_string_value(value_at(subject->workload, pointer));
    return revision ? revision : "";
}

/* The label is the revision's name, or the hash at its end. */
static bool same_revision(const char *label, const char *revision)
{
    size_t whole = strlen(revision), part = strlen(label);
    if (part == 0 || part > whole || strcmp(revision + whole - part, label) != 0)
        return false;
    return part == whole || revision[whole - part - 1] == '-';
}

bool pod_updated(const struct subject *subject, json_t *pod)
{
    const char *key = option_text(subject->options, "/pods/label", "");
    const char *label = json_string_value(json_object_get(sluice_at(pod, "/metadata/labels"), key));
    return label && same_revision(label, revision_of(subject));
}

static void count_pods(const struct subject *subject, struct counts *counts)
{
    size_t i;
    json_t *pod;
    json_array_foreach (owned_pods(subject->request), i, pod) {
        bool updated = !pod_leaving(pod) && pod_updated(subject, pod);
        counts->updated += updated;
        counts->updated_ready += updated && pod_ready(pod);
        counts->ready += pod_ready(pod);
    }
}

/* ---- the status ---- */

/* Counts that are told take the place of those that were counted. */
static int32_t read_told(const struct subject *subject, struct counts *counts)
{
    const struct {
        const char *name;
        int *count;
    } told[] = {{"updated", &counts->updated},
                {"updatedReady", &counts->updated_ready},
                {"ready", &counts->ready}};
    int32_t result = SLUICE_OK;
    for (size_t i = 0; result == SLUICE_OK && i < sizeof told / sizeof *told; i++) {
        struct value value = status_value(subject, told[i].name);
        if (value.json)
            result = value_count(subject, &value, told[i].count);
    }
    return result;
}

static bool observed(const struct subject *subject)
{
    const char *pointer =
        option_text(subject->options, "/status/observedGeneration", "/status/observedGeneration");
    return json_integer_value(value_at(subject->workload, pointer)) >=
           sluice_int(subject->workload, "/metadata/generation", 0);
}

/* Where pods are counted, nothing is known before the revision has a name. */
static int32_t read_settled(const struct subject *subject, bool *ret_settled)
{
    struct value told = status_value(subject, "settled");
    bool settled = true;
    int32_t result = told.json ? value_truth(subject, &told, &settled) : SLUICE_OK;
    if (!told.json || status_value(subject, "observedGeneration").json)
        settled = settled && observed(subject);
    if (sluice_at(subject->options, "/pods"))
        settled = settled && *revision_of(subject);
    *ret_settled = settled;
    return result;
}

/* An unhealthy workload has no pod that counts as ready at the new revision. */
static int32_t read_health(const struct subject *subject, struct counts *counts)
{
    struct value value = status_value(subject, "healthy");
    bool healthy = true;
    int32_t result = value.json ? value_truth(subject, &value, &healthy) : SLUICE_OK;
    if (!healthy)
        counts->updated_ready = 0;
    return result;
}

static int smaller(int a, int b)
{
    return a < b ? a : b;
}

int32_t counts_read(const struct subject *subject, struct counts *ret_counts)
{
    json_t *size = json_string(replicas_pointer(subject));
    const struct value replicas = {.name = "replicas", .json = size};
    struct counts counts = {.size = 1}; /* of a workload that doesn't say */
    int32_t result = SLUICE_OK;
    if (value_at(subject->workload, replicas_pointer(subject)))
        result = value_count(subject, &replicas, &counts.size);
    json_decref(size);
    if (sluice_at(subject->options, "/pods"))
        count_pods(subject, &counts);
    if (result != SLUICE_OK || (result = read_told(subject, &counts)) != SLUICE_OK ||
        (result = read_settled(subject, &counts.settled)) != SLUICE_OK ||
        (result = read_health(subject, &counts)) != SLUICE_OK)
        return result;
    /* Counts that were written at different moments may contradict each other. */
    counts.updated_ready = smaller(counts.updated_ready, smaller(counts.updated, counts.ready));
    *ret_counts = counts;
    return SLUICE_OK;
}
