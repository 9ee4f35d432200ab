// SPDX-License-Identifier: Apache-2.0
/*
 * What is wrong with a rollout that somebody is about to write: all that `sluice lint` finds, where
 * its hooks may go, and what the controller knows of its workload.
 *
 * A change is judged by what it changes. What was wrong before is let pass with a warning: nobody
 * who wants to pause or to mend one thing has to mend another first.
 */
#ifndef CLI_JUDGE_H
#define CLI_JUDGE_H

#include "cli/review.h"
#include "config/config.h"
#include "reconcile/controller.h"

struct judge {
    const struct controller *controller; /* NULL: nothing is known of the cluster */
    const struct config *config;
};

/* ERR_INVALID with the path of the field, and OK with a warning in `err->text`, or without one. */
int judge_review(const struct judge *judge, const struct review *review, struct error *err);

#endif
