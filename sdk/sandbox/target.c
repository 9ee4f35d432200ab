// SPDX-License-Identifier: Apache-2.0
#include "target.h"

#include "base/alloc.h"

#include <stdlib.h>
#include <string.h>

enum { STEPS_MAX = 8 };

struct steps {
    char *text;
    char *at[STEPS_MAX];
    size_t count; /* more than STEPS_MAX: too many */
};

static struct steps steps_of(const char *path)
{
    struct steps steps = {.text = str_copy(path)};
    char *rest = steps.text + (*path == '/');
    while (rest) {
        char *step = strsep(&rest, "/");
        if (steps.count < STEPS_MAX)
            steps.at[steps.count] = step;
        steps.count++;
    }
    return steps;
}

/* How many steps name the group version: /api/v1 or /apis/group/version. 0: neither. */
static size_t group_steps(const struct steps *steps)
{
    if (steps->count > 2 && strcmp(steps->at[0], "api") == 0)
        return 2;
    return steps->count > 3 && strcmp(steps->at[0], "apis") == 0 ? 3 : 0;
}

/* namespaces/a/pods is within a namespace; namespaces/a and namespaces/a/status are one. */
static bool is_within_namespace(const struct steps *steps, size_t at)
{
    if (steps->count < at + 3 || strcmp(steps->at[at], "namespaces") != 0)
        return false;
    const char *third = steps->at[at + 2];
    bool own =
        steps->count == at + 3 && (strcmp(third, "status") == 0 || strcmp(third, "finalize") == 0);
    return !own;
}

char *object_key(const char *ns, const char *name)
{
    return ns ? str_format("%s/%s", ns, name) : str_copy(name);
}

static bool resolve(const struct registry *kinds, const struct steps *steps, struct target *target)
{
    size_t at = group_steps(steps);
    if (!at || steps->count > STEPS_MAX)
        return false;
    const char *group = at == 3 ? steps->at[1] : "", *version = steps->at[at - 1];
    bool within = is_within_namespace(steps, at);
    if (within)
        target->ns = str_copy(steps->at[at + 1]);
    at += within ? 2 : 0;
    target->kind = registry_find(kinds, group, version, steps->at[at]);
    if (!target->kind || steps->count > at + 3)
        return false;
    if (steps->count > at + 1)
        target->name = str_copy(steps->at[at + 1]);
    if (steps->count > at + 2)
        target->subresource = str_copy(steps->at[at + 2]);
    if (target->name)
        target->key = object_key(target->ns, target->name);
    bool scoped = target->kind->namespaced ? target->ns || !target->name : !target->ns;
    return scoped && (!target->name || *target->name);
}

bool target_read(const struct registry *kinds, const char *path, struct target *ret_target)
{
    struct steps steps = steps_of(path);
    *ret_target = (struct target){0};
    bool found = resolve(kinds, &steps, ret_target);
    if (found && ret_target->subresource)
        found = kind_has(ret_target->kind, ret_target->subresource);
    free(steps.text);
    return found;
}

void target_done(struct target *target)
{
    free(target->ns);
    free(target->name);
    free(target->subresource);
    free(target->key);
    *target = (struct target){0};
}
