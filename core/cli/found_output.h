// SPDX-License-Identifier: Apache-2.0
/* A rollout's object on standard output, as kubectl writes objects. */
#ifndef CLI_FOUND_OUTPUT_H
#define CLI_FOUND_OUTPUT_H

#include "cli/cli.h"
#include "cli/find.h"

/* --output json, yaml or name. */
extern const struct flag flag_object_output;

/* Prints the object as "json" or "yaml", or its "name" as kubectl gives and takes it:
 * "approllouts.core.oam.dev/shop". False, and nothing is printed: the format is none of these. */
bool found_output(const struct found *found, const char *format);

#endif
