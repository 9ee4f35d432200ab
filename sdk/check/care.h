// SPDX-License-Identifier: Apache-2.0
/*
 * Rules about what an adapter must leave alone, and what it may count with. What a case doesn't
 * allow to tell is let pass.
 */
#ifndef CHECK_CARE_H
#define CHECK_CARE_H

#include "contract.h"

/* advance and finish change neither the size nor the template, and advance keeps the marks. */
int care_leaves_alone(const struct subject *subject, const struct specimen *specimen,
                      struct error *err);

/* A batch that has come stays. */
int care_never_back(const struct subject *subject, const struct specimen *specimen,
                    struct error *err);

/* Counts of the former revision, which begin finds in the status, let no pod go. */
int care_unsettled(const struct subject *subject, const struct specimen *specimen,
                   struct error *err);

/* advance counts with the live size, and tests it. */
int care_live_size(const struct subject *subject, const struct specimen *specimen,
                   struct error *err);

/* What an apply patch leaves out is taken away by the server. */
int care_whole_apply(const struct subject *subject, const struct specimen *specimen,
                     struct error *err);

#endif
