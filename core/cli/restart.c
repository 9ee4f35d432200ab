// SPDX-License-Identifier: Apache-2.0
#include "cli/restart.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/json_patch.h"

#define TEMPLATE "/spec/template"
#define NOTES    TEMPLATE "/metadata/annotations"
#define MARK     NOTES "/kubectl.kubernetes.io~1restartedAt"

static void step_add(json_t *patch, const char *path, json_t *value_take)
{
    json_array_append_new(patch, json_patch_step_take("add", path, value_take));
}

static void mark_add(json_t *patch, const json_t *workload, int64_t now_ms)
{
    static const char *const ways[] = {TEMPLATE "/metadata", NOTES};
    char now[CLOCK_TEXT_SIZE];
    clock_format(now_ms, now);
    for (size_t i = 0; i < 2; i++)
        if (!json_at(workload, ways[i]))
            step_add(patch, ways[i], json_object());
    step_add(patch, MARK, json_string(now));
}

int restart_prepare(const struct rollout_view *view, const json_t *workload, json_t *patch,
                    struct text *words, struct error *err)
{
    const char *kind = json_string_at(view->object, "/spec/workloadRef/kind");
    const char *name = json_string_at(view->object, "/spec/workloadRef/name");
    if (!json_is_object(json_at(workload, TEMPLATE)))
        return error_set(err, ERR_INVALID,
                         "%s %s has no spec.template to mark; change its template yourself", kind,
                         name);
    mark_add(patch, workload, view->now_ms);
    text_addf(words, "%s %s gets new pods from the template that it has, ", kind, name);
    plan_words(view->rollout.plan, words);
    if (!rolling_state_terminal(view->parts[0].status.rolling))
        text_puts(words, "; the roll that is under way is left for that");
    return OK;
}

int restart_refuse(const struct rollout_view *view, json_t *patch, struct text *words,
                   struct error *err)
{
    (void)patch;
    (void)words;
    return error_set(err, ERR_INVALID,
                     "its pods' template is that of revision %s, and new pods take a new revision: "
                     "change something in the Application that its template shows in the pods, an "
                     "annotation is enough, and name the revision that is recorded then as "
                     "targetAppRevisionName",
                     view->rollout.intent.target);
}
