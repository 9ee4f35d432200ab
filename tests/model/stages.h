// SPDX-License-Identifier: Apache-2.0
/* What is explored. */
#ifndef TESTS_MODEL_STAGES_H
#define TESTS_MODEL_STAGES_H

#include "trial.h"

extern struct stage stages[];
extern const int stage_count;

/* Reads their plans, and lets go of them. */
void stages_init(void);
void stages_done(void);

#endif
