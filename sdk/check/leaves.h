// SPDX-License-Identifier: Apache-2.0
/* The single values inside a request, so that one at a time can be changed. */
#ifndef CHECK_LEAVES_H
#define CHECK_LEAVES_H

#include "base/names.h"

#include <jansson.h>

/* Adds the JSON pointers of all texts, numbers, truths and nulls at or below `pointer`, through
 * objects and arrays, up to some hundreds: a request of a megabyte isn't tried value by value. The
 * caller releases *leaves. */
void leaves_find(const json_t *root, const char *pointer, struct names *leaves);

/* A copy of `root` with another value at the pointer; owns `value`. The caller owns the copy. */
json_t *leaves_with(const json_t *root, const char *pointer, json_t *value_take);

#endif
