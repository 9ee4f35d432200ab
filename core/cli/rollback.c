// SPDX-License-Identifier: Apache-2.0
#include "cli/rollback.h"

#include "base/alloc.h"
#include "base/json.h"

/* Is this the template that is on the workload? */
static bool is_on(const json_t *workload, const json_t *template)
{
    const char *pointer;
    json_t *part;
    json_object_foreach ((json_t *)(uintptr_t)template, pointer, part) {
        const json_t *now = json_at(workload, pointer);
        if (!now || !json_equal((json_t *)(uintptr_t)now, part))
            return false;
    }
    return true;
}

/* The caller owns it; NULL: none is known. */
static json_t *earlier(const json_t *workload)
{
    json_t *rolled AUTO_JSON = history_rolled(workload);
    return rolled && !is_on(workload, rolled) ? json_incref(rolled) : history_before(workload);
}

int rollback_prepare(const struct rollout_view *view, const json_t *workload, json_t *patch,
                     struct text *words, struct error *err)
{
    json_t *template AUTO_JSON = earlier(workload);
    char name[TEMPLATE_NAME_SIZE];
    if (!template)
        return error_set(err, ERR_INVALID,
                         "no earlier template of the workload is known to go back to; put it on "
                         "the workload yourself");
    template_name(template, name);
    workload_put_template(patch, workload, template);
    text_addf(words, "%s %s gets template %s back, and goes to it ",
              json_string_at(view->object, "/spec/workloadRef/kind"),
              json_string_at(view->object, "/spec/workloadRef/name"), name);
    plan_words(view->rollout.plan, words);
    return OK;
}
