// SPDX-License-Identifier: Apache-2.0
/*
 * Parsing what the API server sends. An object's metadata.managedFields, which tells who wrote what
 * and is mostly of no use, is often half of it or more: it is stepped over instead of parsed.
 * Integers beyond 64 bits become floating-point numbers, which they are to the server too.
 *
 * NUL characters in strings are allowed, as the server allows them. The caller owns what is
 * returned; NULL: it isn't JSON.
 */
#ifndef CLUSTER_OBJECT_TEXT_H
#define CLUSTER_OBJECT_TEXT_H

#include <jansson.h>
#include <stddef.h>

json_t *object_parse(const char *bytes, size_t count);

/* With managedFields. */
json_t *object_parse_whole(const char *bytes, size_t count);

/* The same for one line of a watch, {"type": …, "object": …}. */
json_t *event_parse(const char *bytes, size_t count);

#endif
