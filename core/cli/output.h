// SPDX-License-Identifier: Apache-2.0
/* Standard output: what it is, and objects for programs on it. */
#ifndef CLI_OUTPUT_H
#define CLI_OUTPUT_H

#include <jansson.h>

/* The columns of the terminal, or 0 when the output goes elsewhere. $COLUMNS comes first. */
int output_width(void);

/* Prints the object as "json" or "yaml". */
void output_json(const json_t *json, const char *format);

#endif
