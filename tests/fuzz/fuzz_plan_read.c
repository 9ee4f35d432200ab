// SPDX-License-Identifier: Apache-2.0
/* Any bytes as a rolloutPlan: they are read into a plan whose arithmetic holds, or refused with a
 * field and words. */
#include "base/json.h"
#include "rollout/plan.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

static void must(bool condition)
{
    if (!condition)
        abort();
}

static bool is_text(const char *words)
{
    json_t *json = json_string(words);
    json_decref(json);
    return json && *words;
}

/* From one end to the other, never back, never beyond. */
static void check_targets(const struct plan *plan, struct span span)
{
    int before = span.from;
    for (int batch = 0; batch <= (int)plan->batch_count; batch++) {
        int target = plan_target(plan, span, batch);
        must(span.to >= span.from ? target >= before && target <= span.to
                                  : target <= before && target >= span.to);
        must(plan_tolerance(plan, batch, span.to) >= 0);
        before = target;
    }
    must(before == span.to);
}

static void check_plan(const struct plan *plan)
{
    static const struct span spans[] = {{0, 0},  {0, 1},          {0, 5}, {3, 10},
                                        {10, 3}, {0, 1000000000}, {7, 0}};
    for (size_t i = 0; i < sizeof spans / sizeof *spans; i++) {
        struct error err = {0};
        check_targets(plan, spans[i]);
        must(plan_check(plan, spans[i], &err) == OK || (err.path[0] && is_text(err.text)));
    }
    for (int gate = HOOK_INITIALIZE; gate <= HOOK_FINALIZE; gate++)
        for (int i = 0; plan_hook(plan, (enum hook_type)gate, 0, i); i++)
            must(i < 32);
    must(plan->partition < (int)plan->batch_count);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    json_t *json AUTO_JSON = NULL;
    struct plan *plan = NULL;
    struct error err = {0};
    if (json_parse((const char *)bytes, count, &json, NULL) < 0)
        return 0;
    if (plan_read(json, "spec.rolloutPlan", &plan, &err) == OK)
        check_plan(plan);
    else
        must(err.code == ERR_INVALID && is_text(err.path) && is_text(err.text));
    plan_free(plan);
    return 0;
}
