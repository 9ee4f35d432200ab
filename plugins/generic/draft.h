// SPDX-License-Identifier: Apache-2.0
/*
 * The manifest that is being made from the options: which fields of the workload it keeps, and
 * which of them are spoken for. Private to this folder.
 */
#ifndef GENERIC_DRAFT_H
#define GENERIC_DRAFT_H

#include "generic.h"

/* All but the subject is owned by whoever made it. */
struct draft {
    const struct subject *subject;
    json_t *keep;  /* pointers of the workload */
    json_t *taken; /* pointers of fields that are written, or make a revision: {pointer: option} */
};

/* Names the option, what was expected and what was found (NULL: nothing). SLUICE_INVALID. */
int32_t refuse(const struct draft *draft, const char *name, const char *expected, json_t *found);

/* Could the text be a pointer? Its steps may lead through arrays, but none is a wildcard. */
bool is_pointer(const char *text);
/* Through objects only, and below /spec. */
bool is_pointer_of_spec(const char *text);
bool through_objects_only(const char *pointer);

/* What is only read is kept as it is named, as far as the host can follow it. */
void keep_read(const struct draft *draft, const char *pointer);
/* What is written may have to be added with what is around it: that must be known whole. */
void keep_written(const struct draft *draft, const char *pointer);

/* Nobody else may have the field, or one around it or in it. */
void take(const struct draft *draft, const char *name, const char *pointer);
/* Refuses the pointer where another option has taken it. */
int32_t apart(const struct draft *draft, const char *name, const char *pointer);

#endif
