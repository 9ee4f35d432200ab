// SPDX-License-Identifier: Apache-2.0
/*
 * What may stand in a report that somebody attaches where everybody reads it. Pure.
 *
 * Numbers and switches stay. A text stays if its field is known to hold a name or a word, and
 * sentences stay without what is secret in them: of URLs the scheme, the host and the port are
 * left, and what looks like a password, or was left out anywhere else in the same report, is taken
 * out. Every other text says that it was left out.
 */
#ifndef CLI_REDACT_H
#define CLI_REDACT_H

#include <jansson.h>

#define LEFT_OUT "(left out)"

/* The report without what mustn't be in it. The caller owns it. */
json_t *redact(const json_t *report);

#endif
