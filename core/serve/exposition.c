// SPDX-License-Identifier: Apache-2.0
#include "serve/exposition.h"

#include <math.h>

void exposition_family(struct text *text, const char *name, enum metric_type type, const char *help)
{
    static const char *const types[] = {"counter", "gauge", "histogram", "summary"};
    text_addf(text, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, types[type]);
}

static void add_label(struct text *text, const struct label *label)
{
    text_addf(text, "%s=\"", label->name);
    for (const char *at = label->value; *at; at++) {
        if (*at == '\n')
            text_puts(text, "\\n");
        else if (*at == '"' || *at == '\\')
            text_addf(text, "\\%c", *at);
        else
            text_add(text, at, 1);
    }
    text_puts(text, "\"");
}

void exposition_sample(struct text *text, const char *name, const struct label *labels,
                       double value)
{
    text_puts(text, name);
    for (const struct label *label = labels; label && label->name; label++) {
        text_puts(text, label == labels ? "{" : ",");
        add_label(text, label);
    }
    text_puts(text, labels && labels->name ? "} " : " ");
    if (isnan(value))
        text_puts(text, "NaN\n");
    else
        text_addf(text, "%.15g\n", value);
}
