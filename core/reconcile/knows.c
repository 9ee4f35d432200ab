// SPDX-License-Identifier: Apache-2.0
#include "reconcile/knows.h"

#include "base/alloc.h"
#include "base/json.h"
#include "base/text.h"
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
    return (struct wanted){.ns = json_string_at(rollout, "/metadata/namespace"),
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

struct search {
    struct wanted wanted;
    char *other; /* the name of a Rollout that follows it already; NULL: none was found */
};

static void on_other(void *data, const json_t *rollout)
{
    struct search *search = data;
    struct wanted other = wanted_by(rollout);
    if (!search->other && same_workload(&other, &search->wanted) &&
        !str_equal(other.rollout, search->wanted.rollout) &&
        !json_at(rollout, "/metadata/deletionTimestamp"))
        search->other = str_copy(other.rollout);
}

static int check_alone(const struct controller *controller, const struct wanted *wanted,
                       struct error *err)
{
    struct search search = {.wanted = *wanted};
    store_each(controller->rollouts[ROLLOUTS_THAT_FOLLOW].store, on_other, &search);
    char *other AUTO_FREE = search.other;
    if (!other)
        return OK;
    return error_at(err, ERR_INVALID, "spec.workloadRef",
                    "found %.63s %.253s, which Rollout %.253s follows already; a workload has one "
                    "Rollout, change that one or delete it first",
                    wanted->kind, wanted->name, other);
}

/* ---- sizes ---- */

static int size_of(const struct workload_kind *kind, const struct wanted *wanted)
{
    json_t *workload AUTO_JSON =
        kind->store ? store_get(kind->store, wanted->ns ? wanted->ns : "", wanted->name) : NULL;
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
    *ret_size = size_of(kind, &wanted);
    return check_alone(controller, &wanted, err);
}
