// SPDX-License-Identifier: Apache-2.0
#include "reconcile/knows.h"

#include "base/alloc.h"
#include "base/json.h"
#include "base/text.h"
#include "oam/revision.h"
#include "reconcile/holder.h"
#include "reconcile/key.h"
#include "reconcile/reconcile.h"
#include "reconcile/workload_kinds.h"

#include <limits.h>

/* The workload that a Rollout names; borrowed from it. */
struct wanted {
    const char *ns, *api_version, *kind, *name;
    const char *rollout;
};

static struct wanted wanted_by(const json_t *rollout)
{
    const char *ns = json_string_at(rollout, "/metadata/namespace");
    return (struct wanted){.ns = ns ? ns : "",
                           .api_version = json_string_at(rollout, "/spec/workloadRef/apiVersion"),
                           .kind = json_string_at(rollout, "/spec/workloadRef/kind"),
                           .name = json_string_at(rollout, "/spec/workloadRef/name"),
                           .rollout = json_string_at(rollout, "/metadata/name")};
}

static bool same_workload(const struct wanted *a, const struct wanted *b)
{
    return str_equal(a->ns, b->ns) && str_equal(a->api_version, b->api_version) &&
           str_equal(a->kind, b->kind) && str_equal(a->name, b->name);
}

static int unhandled(const struct controller *controller, const struct wanted *wanted,
                     struct error *err)
{
    struct text kinds AUTO(text_done) = {0};
    for (size_t i = 0; i < controller->workload_kind_count; i++) {
        const struct workload_kind *kind = controller->workload_kinds[i];
        if (kind->adapter)
            text_addf(&kinds, "%s%s (%s)", kinds.len ? ", " : "", kind->name, kind->api_version);
    }
    return error_at(err, ERR_INVALID, "spec.workloadRef",
                    "found %.63s (%.253s), which no adapter of this controller handles; expected "
                    "one of: %.300s",
                    wanted->kind, wanted->api_version, kinds.len ? kinds.at : "none is enabled");
}

/* ---- others ---- */

static const struct rollout_kind *followers(const struct controller *controller)
{
    return &controller->rollouts[ROLLOUTS_THAT_FOLLOW];
}

/* Does the Rollout with this key follow the workload too? Its name, which the caller frees. */
static char *follows_too(const struct controller *controller, const struct wanted *wanted,
                         const char *key)
{
    char *ns AUTO_FREE = NULL, *name AUTO_FREE = NULL;
    key_split(key, &ns, &name);
    json_t *rollout AUTO_JSON = store_get(followers(controller)->store, ns, name);
    struct wanted other = wanted_by(rollout);
    bool too = same_workload(&other, wanted) && !str_equal(other.rollout, wanted->rollout) &&
               !json_at(rollout, "/metadata/deletionTimestamp");
    return too ? str_copy(name) : NULL;
}

/* One that waits for what happens to the workload, as all do between their passes. */
static char *follower_waiting(const struct controller *controller, const struct wanted *wanted)
{
    char *topic AUTO_FREE = waiters_workload_topic(wanted->kind, wanted->ns, wanted->name);
    const char *key;
    size_t cursor = 0;
    char *found = NULL;
    while (!found && (key = waiters_next(&followers(controller)->waiters, topic, &cursor)))
        found = follows_too(controller, wanted, key);
    return found;
}

/* One that has put its mark on it: it may have a pass just now. */
static char *follower_holding(const struct controller *controller, const struct wanted *wanted,
                              const json_t *workload)
{
    const char *mark = object_mark(workload, MARK_HOLDER);
    char *key AUTO_FREE = mark ? holder_key(mark, followers(controller)->info.kind) : NULL;
    return key ? follows_too(controller, wanted, key) : NULL;
}

static int check_alone(const struct controller *controller, const struct wanted *wanted,
                       const json_t *workload, struct error *err)
{
    char *other AUTO_FREE = follower_waiting(controller, wanted);
    if (!other)
        other = follower_holding(controller, wanted, workload);
    if (!other)
        return OK;
    return error_at(err, ERR_INVALID, "spec.workloadRef",
                    "found %.63s %.253s, which Rollout %.253s follows already; a workload has one "
                    "Rollout, change that one or delete it first",
                    wanted->kind, wanted->name, other);
}

/* ---- sizes ---- */

static int size_of(const json_t *workload)
{
    int64_t size = json_int_at(workload, "/spec/replicas", -1);
    return size < 0 || size > INT_MAX ? -1 : (int)size;
}

int controller_knows(const struct controller *controller, const json_t *rollout, int *ret_size,
                     struct error *err)
{
    struct wanted wanted = wanted_by(rollout);
    *ret_size = -1;
    if (controller->looking || !wanted.kind || !wanted.api_version || !wanted.name)
        return OK;
    const struct workload_kind *kind =
        workload_kind_find(controller, wanted.api_version, wanted.kind);
    if (!kind || !kind->adapter)
        return unhandled(controller, &wanted, err);
    json_t *workload AUTO_JSON =
        kind->store ? store_get(kind->store, wanted.ns, wanted.name) : NULL;
    *ret_size = size_of(workload);
    return check_alone(controller, &wanted, workload, err);
}
