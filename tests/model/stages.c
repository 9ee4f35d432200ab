// SPDX-License-Identifier: Apache-2.0
#include "stages.h"

#include "plans.h"

#define HOOK(type) "{'type':'" type "','name':'h','url':'http://h'}"

struct stage stages[] = {
    {.name = "three batches",
     .plan = "{'rolloutBatches':[{'replicas':1},{'replicas':1},{}]}",
     .edited = "{'numBatches':2}",
     .size = 3},
    {.name = "a tolerance, and a person after the first batch",
     .plan = "{'batchPartition':0,'rolloutBatches':[{'replicas':1,'maxUnavailable':1},{}]}",
     .edited = "{'numBatches':1}",
     .size = 2},
    {.name = "hooks",
     .plan = "{'rolloutWebhooks':[" HOOK("initialize-rollout") "," HOOK(
         "finalize-rollout") "],"
                             "'rolloutBatches':[{'replicas':1,'batchRolloutWebhooks':[" HOOK(
                                 "pre-batch-rollout") "," HOOK("post-batch-rollout") "]},{}]}",
     .size = 2},
    {.name = "a deadline, then pause",
     .plan = "{'progressDeadlineSeconds':600,'numBatches':2}",
     .size = 2},
    {.name = "a deadline, then abandon",
     .plan = "{'progressDeadlineSeconds':600,'onFailure':'Abandon','numBatches':2}",
     .size = 2},
    {.name = "a deadline, then back",
     .plan = "{'progressDeadlineSeconds':600,'onFailure':'Rollback','numBatches':2}",
     .size = 2,
     .reverts = true},
    {.name = "pod by pod",
     .plan = "{'rolloutBatches':[{'instanceInterval':10}]}",
     .edited = "{'rolloutBatches':[{'replicas':1,'instanceInterval':10},{}]}",
     .size = 3},
    {.name = "scaling up",
     .plan = "{'targetSize':3,'rolloutBatches':[{'replicas':1},{}]}",
     .size = 1,
     .scales = true},
    {.name = "scaling down",
     .plan = "{'targetSize':1,'rolloutBatches':[{'replicas':1},{}]}",
     .size = 3,
     .scales = true},
    {.name = "a first deployment", .plan = "{'targetSize':2,'numBatches':2}"},
    {.name = "a first one on every node", .plan = "{'numBatches':2}", .fixed_size = true},
    {.name = "followed",
     .plan = "{'numBatches':2}",
     .edited = "{'numBatches':1}",
     .size = 2,
     .follows = true},
    {.name = "followed, at rest",
     .plan = "{'numBatches':2}",
     .edited = "{'numBatches':1}",
     .size = 2,
     .follows = true,
     .rests = true},
    {.name = "followed, at rest, with a surge",
     .plan = "{'batchPartition':0,'rolloutBatches':[{'replicas':1,'maxUnavailable':1},{}]}",
     .size = 2,
     .follows = true,
     .rests = true,
     .surges = true},
};
const int stage_count = sizeof stages / sizeof *stages;

void stages_init(void)
{
    for (int i = 0; i < stage_count; i++) {
        stages[i].plans[PLAN_FIRST] = plan_of(stages[i].plan);
        if (stages[i].edited)
            stages[i].plans[PLAN_EDITED] = plan_of(stages[i].edited);
    }
}

void stages_done(void)
{
    for (int i = 0; i < stage_count; i++) {
        plan_free(stages[i].plans[PLAN_FIRST]);
        plan_free(stages[i].plans[PLAN_EDITED]);
    }
}
