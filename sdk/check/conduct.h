// SPDX-License-Identifier: Apache-2.0
/*
 * Rules about what an adapter's calls do to a workload, told from what it observes afterwards: no
 * field of the kind is known here. What the case doesn't allow to tell is let pass.
 */
#ifndef CHECK_CONDUCT_H
#define CHECK_CONDUCT_H

#include "contract.h"

int conduct_begin(const struct subject *subject, const struct specimen *specimen,
                  struct error *err);
int conduct_hold(const struct subject *subject, const struct specimen *specimen, struct error *err);
int conduct_goal(const struct subject *subject, const struct specimen *specimen, struct error *err);
int conduct_pause(const struct subject *subject, const struct specimen *specimen,
                  struct error *err);
int conduct_finish(const struct subject *subject, const struct specimen *specimen,
                   struct error *err);

#endif
