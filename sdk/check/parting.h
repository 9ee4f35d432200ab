// SPDX-License-Identifier: Apache-2.0
/* Rules about how a workload is left: after success as its owner has it, else standing still. */
#ifndef CHECK_PARTING_H
#define CHECK_PARTING_H

#include "contract.h"

/* Nothing that holds pods stays behind, and no note. */
int parting_clean(const struct subject *subject, const struct specimen *specimen,
                  struct error *err);

/* A roll that hasn't succeeded lets no further pod go. */
int parting_still(const struct subject *subject, const struct specimen *specimen,
                  struct error *err);

#endif
