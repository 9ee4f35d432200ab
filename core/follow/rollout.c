// SPDX-License-Identifier: Apache-2.0
#include "follow/rollout.h"

#include "base/hash.h"
#include "base/json.h"

#include <string.h>

void rollout_read(const json_t *object, struct approllout *ret_rollout)
{
    approllout_read(object, ret_rollout);
    ret_rollout->component_list = NULL;
    ret_rollout->has_finalizer = approllout_has_finalizer(object, FOLLOW_FINALIZER);
    ret_rollout->intent = (struct intent){
        .target = "",
        .source = "",
        .generation = ret_rollout->intent.generation,
        .deleted = ret_rollout->intent.deleted,
        .keeps_hold = true,
    };
}

int template_hash(const json_t *workload, char ret_hash[TEMPLATE_HASH_SIZE], struct error *err)
{
    const json_t *template = json_at(workload, "/spec/template");
    char hash[HASH_HEX_SIZE];
    if (!json_is_object(template))
        return error_at(err, ERR_INVALID, "spec.workloadRef",
                        "expected a workload with a spec.template, which is what is rolled when it "
                        "changes; %s %s has none",
                        json_string_at(workload, "/kind"),
                        json_string_at(workload, "/metadata/name"));
    json_hash(template, hash);
    memcpy(ret_hash, hash, TEMPLATE_HASH_SIZE - 1);
    ret_hash[TEMPLATE_HASH_SIZE - 1] = '\0';
    return OK;
}
