// SPDX-License-Identifier: Apache-2.0
/* The verbs that change a rollout. */
#include "cli/act.h"
#include "cli/found_output.h"
#include "cli/restart.h"
#include "cli/rollback.h"
#include "cli/session.h"
#include "oam/asked.h"

static const struct flag *const act_flags[] = {&flag_dry_run, &flag_object_output, SESSION_FLAGS,
                                               NULL};

#define RECORDED                                                                                   \
    "It is done to the rollout as it was read: when somebody else changes it at the same time, "   \
    "nothing is done. Who asked is recorded in the annotation " MARK_ASKED "."

static int run_approve(const struct arguments *arguments)
{
    static const struct deed deed = {.prepare = prepare_approve};
    return act_run(arguments, &deed);
}

const struct verb verb_approve = {
    .name = "approve",
    .summary = "let the next batch begin: raises batchPartition",
    .operands = "NAME",
    .least = 1,
    .most = 1,
    .flags = act_flags,
    .text = RECORDED,
    .run = run_approve,
};

static int run_promote(const struct arguments *arguments)
{
    static const struct deed deed = {.prepare = prepare_promote};
    return act_run(arguments, &deed);
}

const struct verb verb_promote = {
    .name = "promote",
    .summary = "let all batches begin: removes batchPartition",
    .operands = "NAME",
    .least = 1,
    .most = 1,
    .flags = act_flags,
    .text = RECORDED,
    .run = run_promote,
};

static int run_pause(const struct arguments *arguments)
{
    static const struct deed deed = {.prepare = prepare_pause};
    return act_run(arguments, &deed);
}

const struct verb verb_pause = {
    .name = "pause",
    .summary = "hold a rollout still, in the middle of a batch too",
    .operands = "NAME",
    .least = 1,
    .most = 1,
    .flags = act_flags,
    .text = RECORDED,
    .run = run_pause,
};

static int run_resume(const struct arguments *arguments)
{
    static const struct deed deed = {.prepare = prepare_resume};
    return act_run(arguments, &deed);
}

const struct verb verb_resume = {
    .name = "resume",
    .summary = "let a paused rollout go on",
    .operands = "NAME",
    .least = 1,
    .most = 1,
    .flags = act_flags,
    .text = RECORDED,
    .run = run_resume,
};

static int run_abort(const struct arguments *arguments)
{
    static const struct deed deed = {.prepare = prepare_abort, .once = true, .planless = true};
    return act_run(arguments, &deed);
}

const struct verb verb_abort = {
    .name = "abort",
    .summary = "stop a roll where it stands, and let it fail",
    .operands = "NAME",
    .least = 1,
    .most = 1,
    .flags = act_flags,
    .text =
        "No further pod is moved: those that have the new revision keep it, the others keep "
        "theirs, "
        "and the rollout ends as rolloutFailed. `sluice rollback` leads back from there, `sluice "
        "retry` begins anew. To hold it still for a while, `sluice pause` is enough.\n\n" RECORDED,
    .run = run_abort,
};

static int run_retry(const struct arguments *arguments)
{
    static const struct deed deed = {.prepare = prepare_retry, .once = true};
    return act_run(arguments, &deed);
}

const struct verb verb_retry = {
    .name = "retry",
    .summary = "begin a roll anew that has failed",
    .operands = "NAME",
    .least = 1,
    .most = 1,
    .flags = act_flags,
    .text =
        "From the first batch on, with the pods as they are: those that have the target's revision "
        "already count. What has failed stays failed until it is retried, or gets another "
        "target.\n\n" RECORDED,
    .run = run_retry,
};

static int run_rollback(const struct arguments *arguments)
{
    static const struct deed deed = {.prepare = prepare_rollback, .of_workload = rollback_prepare};
    return act_run(arguments, &deed);
}

const struct verb verb_rollback = {
    .name = "rollback",
    .summary = "go back: target and source change places, or the old template is put back",
    .operands = "NAME",
    .least = 1,
    .most = 1,
    .flags = act_flags,
    .text = RECORDED,
    .run = run_rollback,
};

static int run_restart(const struct arguments *arguments)
{
    static const struct deed deed = {.prepare = restart_refuse, .of_workload = restart_prepare};
    return act_run(arguments, &deed);
}

const struct verb verb_restart = {
    .name = "restart",
    .summary = "replace all pods of a Rollout's workload, by its plan",
    .operands = "NAME",
    .least = 1,
    .most = 1,
    .flags = act_flags,
    .text = "The workload's template gets the annotation kubectl.kubernetes.io/restartedAt, as "
            "`kubectl rollout restart` sets it, and the plan rolls that. An AppRollout's template "
            "comes from a revision; there it takes a new one.\n\n" RECORDED,
    .run = run_restart,
};
