// SPDX-License-Identifier: Apache-2.0
/* Rules about what stays in an adapter from one call to the next: nothing may. */
#ifndef CHECK_MEMORY_H
#define CHECK_MEMORY_H

#include "contract.h"

/* The answer to a case is the same after all others have been asked. */
int memory_of_calls(const struct subject *subject, const struct specimen *specimen,
                    struct error *err);

/* What a call allocates is released, as far as this process's malloc() tells. */
int memory_released(const struct subject *subject, const struct specimen *specimen,
                    struct error *err);

#endif
