// SPDX-License-Identifier: Apache-2.0
#include "follow/rollout.h"

void rollout_read(const json_t *object, struct approllout *ret_rollout)
{
    approllout_read(object, ret_rollout);
    ret_rollout->component_list = NULL;
    ret_rollout->has_finalizer = approllout_has_finalizer(object, FOLLOW_FINALIZER);
    ret_rollout->intent.target = ret_rollout->intent.source = "";
    ret_rollout->intent.keeps_hold = true;
}
