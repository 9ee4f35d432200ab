// SPDX-License-Identifier: Apache-2.0
/* A verb that changes a rollout, or the workload that it follows, run from the first look to the
 * last word. */
#ifndef CLI_ACT_H
#define CLI_ACT_H

#include "cli/act_prepare.h"
#include "cli/cli.h"

extern const struct flag flag_dry_run;

struct deed {
    prepare_fn *prepare;
    workload_prepare_fn *of_workload; /* instead, of a rollout that follows its workload; or NULL */
    bool once;                        /* it holds for the very version that was read */
    bool planless;                    /* a plan that can't be read is no hindrance */
};

/* The exit status. */
int act_run(const struct arguments *arguments, const struct deed *deed);

#endif
