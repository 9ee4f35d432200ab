// SPDX-License-Identifier: Apache-2.0
/* The text that Prometheus reads (format 0.0.4). Families come one after the other, each followed
 * by all its samples. */
#ifndef SERVE_EXPOSITION_H
#define SERVE_EXPOSITION_H

#include "base/text.h"

enum metric_type { METRIC_COUNTER, METRIC_GAUGE, METRIC_HISTOGRAM, METRIC_SUMMARY };

#define EXPOSITION_TYPE "text/plain; version=0.0.4; charset=utf-8"

void exposition_family(struct text *text, const char *name, enum metric_type type,
                       const char *help);

struct label {
    const char *name, *value;
};

/* `labels` end in one without a name; NULL: none. */
void exposition_sample(struct text *text, const char *name, const struct label *labels,
                       double value);

#endif
