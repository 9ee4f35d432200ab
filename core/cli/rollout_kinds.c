// SPDX-License-Identifier: Apache-2.0
#include "cli/rollout_kinds.h"

#include "base/alloc.h"
#include "base/json.h"
#include "base/text.h"
#include "follow/rollout.h"
#include "rollout/fields.h"

#include <stdint.h>
#include <string.h>

enum { COMPONENTS_MAX = 64 };

static int check_name(const struct field *parent, const char *name, bool needed, struct error *err)
{
    struct field field = field_of(parent, name);
    if (field_absent(&field) && !needed)
        return OK;
    if (!json_is_string(field.json) || (needed && json_string_length(field.json) == 0))
        return field_refuse(&field, "a name", err);
    return OK;
}

static int check_components(const struct field *spec, struct error *err)
{
    struct field list = field_of(spec, "componentList");
    if (field_absent(&list))
        return OK;
    int count = field_items(&list, 0, COMPONENTS_MAX, "components", err);
    for (int i = 0; i < count; i++) {
        struct field item = field_nth(&list, (size_t)i);
        if (!json_is_string(item.json) || json_string_length(item.json) == 0)
            return field_refuse(&item, "the name of a component", err);
        for (int k = 0; k < i; k++)
            if (json_equal(item.json, json_array_get(list.json, (size_t)k)))
                return error_at(err, ERR_INVALID, item.path, "component %s is named twice",
                                json_string_value(item.json));
    }
    return count < 0 ? count : OK;
}

static int check_approllout(const json_t *spec_json, struct error *err)
{
    struct field spec = {.json = (json_t *)(uintptr_t)spec_json, .path = "spec"};
    struct field revert = field_of(&spec, "revertOnDelete");
    bool ignored;
    int code = check_name(&spec, "targetAppRevisionName", true, err);
    if (code == OK)
        code = check_name(&spec, "sourceAppRevisionName", false, err);
    if (code == OK)
        code = check_components(&spec, err);
    return code < 0 ? code : read_bool(&revert, &ignored, err);
}

static const char *const approllout_fields[] = {"targetAppRevisionName", "sourceAppRevisionName",
                                                "componentList",         "revertOnDelete",
                                                "rolloutPlan",           NULL};

static int check_rollout(const json_t *spec_json, struct error *err)
{
    static const char *const members[] = {"apiVersion", "kind", "name", NULL};
    struct field spec = {.json = (json_t *)(uintptr_t)spec_json, .path = "spec"};
    struct field ref = field_of(&spec, "workloadRef"), revert = field_of(&spec, "revertOnDelete");
    bool ignored;
    if (!json_is_object(ref.json))
        return field_refuse(&ref, "an object with apiVersion, kind and name", err);
    int code = field_known(&ref, members, err);
    for (size_t i = 0; members[i] && code == OK; i++)
        code = check_name(&ref, members[i], true, err);
    return code < 0 ? code : read_bool(&revert, &ignored, err);
}

static const char *const rollout_fields[] = {"workloadRef", "revertOnDelete", "rolloutPlan", NULL};

static const char *recorded(const json_t *object, const char *pointer)
{
    const char *name = json_string_at(object, pointer);
    return name ? name : "";
}

static void read_rollout(const json_t *object, struct approllout *ret_rollout)
{
    rollout_read(object, ret_rollout);
    ret_rollout->intent.target = recorded(object, "/status/lastTargetAppRevision");
    ret_rollout->intent.source = recorded(object, "/status/LastSourceAppRevision");
}

const struct rollout_kind rollout_kinds[] = {
    {{"core.oam.dev/v1beta1", "AppRollout", "approllouts", true},
     approllout_fields,
     check_approllout,
     false,
     approllout_read},
    {{FOLLOW_API, "Rollout", "rollouts", true}, rollout_fields, check_rollout, true, read_rollout},
    {{NULL, NULL, NULL, false}, NULL, NULL, false, NULL},
};

const struct rollout_kind *rollout_kind_of(const char *api_version, const char *kind)
{
    for (const struct rollout_kind *at = rollout_kinds; at->info.kind; at++)
        if (str_equal(at->info.kind, kind) && str_equal(at->info.api_version, api_version))
            return at;
    return NULL;
}

char *rollout_kinds_words(void)
{
    struct text words = {0};
    for (const struct rollout_kind *at = rollout_kinds; at->info.kind; at++)
        text_addf(&words, "%s%s (%s)", at == rollout_kinds ? "" : " or ", at->info.kind,
                  at->info.api_version);
    return text_steal(&words);
}

int rollout_check(const struct rollout_kind *kind, const json_t *object, struct error *err)
{
    static const char *const members[] = {"apiVersion", "kind", "metadata", "spec", "status", NULL};
    json_t *root = (json_t *)(uintptr_t)object;
    struct field whole = {.json = root}, metadata = {.path = "metadata"}, spec = {.path = "spec"};
    metadata.json = json_object_get(root, "metadata");
    spec.json = json_object_get(root, "spec");
    int code = field_known(&whole, members, err);
    if (code == OK)
        code = check_name(&metadata, "name", true, err);
    if (code == OK)
        code = field_known(&spec, kind->spec_fields, err);
    return code < 0 ? code : kind->check(spec.json, err);
}

int rollout_plan_check(const struct rollout_kind *kind, const struct approllout *rollout,
                       struct error *err)
{
    if (!rollout->plan) {
        *err = rollout->plan_error;
        return err->code;
    }
    return kind->follows ? plan_check_followed(rollout->plan, err) : OK;
}

int rollout_sum_check(const struct plan *plan, int size, struct error *err)
{
    bool scales = plan->target_size >= 0 && plan->target_size != size;
    struct span span = {.from = scales ? size : 0, .to = scales ? plan->target_size : size};
    return plan_check(plan, span, err);
}
