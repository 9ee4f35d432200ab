// SPDX-License-Identifier: Apache-2.0
#include "cluster/shards.h"

#include "base/alloc.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* FNV-1a, with its bits mixed once more: what differs in the last letter alone differs everywhere.
 */
static uint64_t hash(const char *text, unsigned number)
{
    uint64_t value = 14695981039346656037u;
    for (; *text; text++)
        value = (value ^ (unsigned char)*text) * 1099511628211u;
    value ^= number * 0x9e3779b97f4a7c15u;
    value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9u;
    value = (value ^ value >> 27) * 0x94d049bb133111ebu;
    return value ^ value >> 31;
}

unsigned shard_of(const char *ns, unsigned count)
{
    return (unsigned)(hash(ns, 0) % count);
}

/* A shard goes to whom it likes best of those who have room. */
void shards_assign(const char *const *members, size_t member_count, unsigned count,
                   size_t *ret_members)
{
    if (member_count == 0)
        return;
    size_t *has AUTO_FREE = mem_alloc(member_count * sizeof *has);
    size_t least = count / member_count, spare = count % member_count;
    for (unsigned shard = 0; shard < count; shard++) {
        size_t best = member_count;
        uint64_t liking = 0;
        for (size_t i = 0; i < member_count; i++) {
            uint64_t likes = hash(members[i], shard + 1);
            bool room = has[i] < least || (has[i] == least && spare > 0);
            if (room && (best == member_count || likes > liking ||
                         (likes == liking && strcmp(members[i], members[best]) < 0))) {
                best = i;
                liking = likes;
            }
        }
        if (has[best]++ == least)
            spare--;
        ret_members[shard] = best;
    }
}
