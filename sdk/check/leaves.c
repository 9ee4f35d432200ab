// SPDX-License-Identifier: Apache-2.0
#include "leaves.h"

#include "base/alloc.h"
#include "base/json.h"

#include <sluice/json.h>

enum { LEAVES_MAX = 300, DEPTH_MAX = 32 };

static void collect(const json_t *value, const char *pointer, int depth, struct names *leaves)
{
    const char *key;
    json_t *inner;
    size_t i;
    if (!value || depth > DEPTH_MAX || leaves->count >= LEAVES_MAX)
        return;
    if (!json_is_object(value) && !json_is_array(value))
        names_add(leaves, pointer);
    json_object_foreach ((json_t *)(uintptr_t)value, key, inner) {
        char *below AUTO_FREE = sluice_pointer_join(pointer, key);
        collect(inner, below, depth + 1, leaves);
    }
    json_array_foreach (value, i, inner) {
        char *below AUTO_FREE = str_format("%s/%zu", pointer, i);
        collect(inner, below, depth + 1, leaves);
    }
}

void leaves_find(const json_t *root, const char *pointer, struct names *leaves)
{
    collect(json_at(root, pointer), pointer, 0, leaves);
}

json_t *leaves_with(const json_t *root, const char *pointer, json_t *value_take)
{
    json_t *copy = json_deep_copy(root);
    json_put_take(copy, pointer, value_take);
    return copy;
}
