// SPDX-License-Identifier: Apache-2.0
/* Counting calls; see struct adapter_figures. For this folder only. */
#ifndef ADAPTER_FIGURES_H
#define ADAPTER_FIGURES_H

#include "adapter/adapter.h"

void figures_call(struct adapter_figures *figures, int64_t took_us);
void figures_refusal(struct adapter_figures *figures, const char *words);

#endif
