// SPDX-License-Identifier: Apache-2.0
#include "cli/against.h"

#include "base/json.h"

#include <string.h>

int against_size(const json_t *live)
{
    struct rollout_status status;
    approllout_status_read(live, NULL, &status);
    return status.scale || status.target_size < 0 ? status.original_size : status.target_size;
}

/* As the machine asks it: is something else wanted than what was begun? */
static bool retargets(const struct rollout_kind *kind, const struct approllout *file,
                      const struct rollout_status *status)
{
    int wanted = file->plan ? file->plan->target_size : -1;
    if (kind->follows) /* the target isn't for the file to say */
        return status->wanted_size != wanted;
    return strcmp(status->target, file->intent.target) != 0 ||
           strcmp(status->source, file->intent.source) != 0 || status->wanted_size != wanted;
}

static const char *unless_retargeted(const struct rollout_kind *kind, bool ended)
{
    if (!ended)
        return "it goes on with this plan";
    return kind->follows ? "the next change of the template goes by this plan"
                         : "it stays as it is, for only the plan differs";
}

static const char *outcome(const struct rollout_kind *kind, const struct approllout *file,
                           const json_t *file_object, const json_t *live,
                           const struct rollout_status *status)
{
    bool same = json_equal(json_object_get(live, "spec"), json_object_get(file_object, "spec"));
    bool ended = rolling_state_terminal(status->rolling);
    if (same)
        return "nothing changes";
    if (!*status->target)
        return "it begins with this plan";
    if (kind->follows &&
        !json_equal(json_at(live, "/spec/workloadRef"), json_at(file_object, "/spec/workloadRef")))
        return "it is refused, for workloadRef can't be changed";
    if (!retargets(kind, file, status))
        return unless_retargeted(kind, ended);
    return ended ? "it begins anew"
                 : "the workload is given back where it stands, and this roll begins from there";
}

void against_add(const struct rollout_kind *kind, const struct approllout *file,
                 const json_t *file_object, const json_t *live, struct text *to)
{
    struct rollout_status status;
    if (!live) {
        text_puts(to, "\nThe cluster has none of this name. Applied, it begins.\n");
        return;
    }
    approllout_status_read(live, NULL, &status);
    text_addf(to, "\nThe one in the cluster is in %s", rolling_state_name(status.rolling));
    if (status.rolling == ROLLING_IN_BATCHES)
        text_addf(to, " (batch %d, %s)", status.batch + 1, batch_state_name(status.batch_state));
    if (*status.target)
        text_addf(to, ", to %s", status.target);
    text_addf(to, ". Applied, %s.\n", outcome(kind, file, file_object, live, &status));
}
