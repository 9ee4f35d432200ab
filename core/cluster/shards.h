// SPDX-License-Identifier: Apache-2.0
/*
 * Namespaces in shards, and shards among members. Everybody who knows the same members comes to the
 * same result, so that nobody has to be asked. Pure.
 */
#ifndef CLUSTER_SHARDS_H
#define CLUSTER_SHARDS_H

#include <stddef.h>

enum { SHARDS_MAX = 256 };

/* The shard of a namespace, of `count`. */
unsigned shard_of(const char *ns, unsigned count);

/* Gives each shard to one of the members, as its number: each has as many as any other, or one
 * less. When a member comes or goes few others change hands. No members: nothing is written. */
void shards_assign(const char *const *members, size_t member_count, unsigned count,
                   size_t *ret_members);

#endif
