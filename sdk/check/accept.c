// SPDX-License-Identifier: Apache-2.0
#include "accept.h"

#include "adapter/emissions.h"
#include "base/alloc.h"

#include <string.h>

static int accept_actions(const struct answer *answer, const struct reading *reading,
                          struct error *err)
{
    struct actions actions;
    int result = emissions_actions(answer, reading, &actions, err);
    if (result == OK)
        actions_done(&actions);
    return result;
}

int accept_answer(const struct subject *subject, const struct case_plan *plan,
                  const struct answer *answer, struct error *err)
{
    struct workload_status status;
    const json_t *workload = json_object_get(plan->request, "workload");
    const struct reading reading = {
        .object = json_is_object(workload) ? workload : json_object_get(plan->request, "target"),
        .owned = json_object_get(plan->request, "owned"),
        .pods = json_object_get(plan->request, "pods"),
        .newer = subject->newer};
    int result = OK;
    if (plan->call == CALL_OBSERVE)
        result = emissions_status(answer, &reading, &status, err);
    else if (plan->call == CALL_VALIDATE)
        result = emissions_none(answer, err);
    else if (plan->call != CALL_DESCRIBE)
        result = accept_actions(answer, &reading, err);
    if (result < 0)
        error_prefix(err, "%s", call_name(plan->call));
    return result;
}

static bool list_has(const json_t *list, const char *word)
{
    size_t i;
    const json_t *item;
    json_array_foreach (list, i, item)
        if (str_equal(json_string_value(item), word) || str_equal(json_string_value(item), "*"))
            return true;
    return false;
}

static bool may(const json_t *rights, const char *group, const char *verb)
{
    size_t i;
    const json_t *rule;
    json_array_foreach (rights, i, rule)
        if (list_has(json_object_get(rule, "apiGroups"), group) &&
            list_has(json_object_get(rule, "verbs"), verb))
            return true;
    return false;
}

/* Resources can't be told from kinds without a cluster, so the group has to do. Of what a workload
 * owns, the first two verbs are wanted. */
static int accept_kind(const json_t *rights, const char *api_version, const char *kind,
                       size_t count, struct error *err)
{
    static const char *const verbs[] = {"list", "watch", "patch"};
    static const char *const without[] = {"see", "see", "change"};
    const char *slash = strchr(api_version, '/');
    char *group AUTO_FREE = str_copy_n(api_version, slash ? (size_t)(slash - api_version) : 0);
    for (size_t i = 0; i < count; i++)
        if (!may(rights, group, verbs[i]))
            return error_set(
                err, ERR_BUG,
                "rights: expected a rule with \"%s\" for apiGroups \"%s\", found none: "
                "the controller couldn't %s any %s",
                verbs[i], group, without[i], kind);
    return OK;
}

int accept_rights(const struct subject *subject, struct error *err)
{
    const struct manifest *manifest = &subject->manifest;
    int result = OK;
    for (size_t i = 0; result == OK && i < manifest->kind_count; i++) {
        const struct adapter_kind *kind = &manifest->kinds[i];
        result = accept_kind(manifest->rights, kind->api_version, kind->kind, 3, err);
        for (size_t k = 0; result == OK && k < kind->owned_count; k++)
            result = accept_kind(manifest->rights, kind->owned[k].api_version, kind->owned[k].kind,
                                 2, err);
    }
    return result;
}
