// SPDX-License-Identifier: Apache-2.0
#include "oam/approllout.h"

#include "base/alloc.h"
#include "base/json.h"
#include "oam/asked.h"

#include <string.h>

static const char *text_at(const json_t *object, const char *pointer)
{
    const char *text = json_string_at(object, pointer);
    return text ? text : "";
}

bool approllout_has_finalizer(const json_t *object, const char *finalizer)
{
    size_t index;
    json_t *entry;
    json_array_foreach (json_at(object, "/metadata/finalizers"), index, entry) {
        if (str_equal(json_string_value(entry), finalizer))
            return true;
    }
    return false;
}

static struct intent intent_read(const json_t *object)
{
    struct intent intent = {
        .target = text_at(object, "/spec/targetAppRevisionName"),
        .source = text_at(object, "/spec/sourceAppRevisionName"),
        .generation = json_int_at(object, "/metadata/generation", 0),
        .deleted = json_string_at(object, "/metadata/deletionTimestamp") != NULL,
        .revert_on_delete = json_bool_at(object, "/spec/revertOnDelete", false),
    };
    wish_read(object, &intent.wish);
    return intent;
}

void approllout_read(const json_t *object, struct approllout *ret_rollout)
{
    struct approllout rollout = {
        .ns = text_at(object, "/metadata/namespace"),
        .name = text_at(object, "/metadata/name"),
        .uid = text_at(object, "/metadata/uid"),
        .intent = intent_read(object),
        .component_list = json_at(object, "/spec/componentList"),
        .has_finalizer = approllout_has_finalizer(object, APPROLLOUT_FINALIZER),
    };
    plan_read(json_at(object, "/spec/rolloutPlan"), "spec.rolloutPlan", &rollout.plan,
              &rollout.plan_error);
    *ret_rollout = rollout;
}

void approllout_done(struct approllout *rollout)
{
    plan_free(rollout->plan);
    *rollout = (struct approllout){0};
}
