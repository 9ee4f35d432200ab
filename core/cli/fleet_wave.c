// SPDX-License-Identifier: Apache-2.0
#include "cli/fleet_wave.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/json.h"
#include "cli/resource.h"
#include "cli/restart.h"
#include "cli/workload.h"

#include <stdlib.h>
#include <string.h>

/* As many versions as a turn of the loop may bring, and some more: what is remembered for watches
 * that are behind. */
enum { HISTORY = 4096 };

struct wave {
    const struct fleet_spec *spec;
    int first, count;
    struct simulation simulation;
    struct map spaces; /* namespaces that were made */
    struct map rolled; /* rollouts whose batches have begun: "Rollout default-17/web" */
    json_t *report, *step;
    struct load load; /* of the step */
    int64_t began_ms, moved_ms;
};

/* ── Steps ────────────────────────────────────────────────────────────────────────────────── */

static void on_decision(void *data, const struct witnessed *what)
{
    struct wave *wave = data;
    if (!what->decision->move_count)
        return;
    wave->moved_ms = clock_monotonic_ms();
    if (what->decision->status.rolling != ROLLING_IN_BATCHES)
        return;
    char *label AUTO_FREE = str_format("%s %s/%s", what->kind, what->ns, what->name);
    map_put(&wave->rolled, label, wave);
}

static void step_begin(struct wave *wave, const char *did, const json_t *object)
{
    wave->step = json_pack("{s:s, s:o, s:i}", "did", did, "object",
                           json_sprintf("%s %s", json_string_at(object, "/kind"),
                                        json_string_at(object, "/metadata/name")),
                           "copies", 0);
    json_array_append_new(json_object_get(wave->report, "steps"), wave->step);
    wave->began_ms = wave->moved_ms = clock_monotonic_ms();
    simulation_count(&wave->simulation, &wave->load);
}

static void step_count(struct wave *wave)
{
    json_t *copies = json_object_get(wave->step, "copies");
    json_integer_set(copies, json_integer_value(copies) + 1);
}

/* All that follows. */
static int step_end(struct wave *wave, struct error *err)
{
    int code = simulation_rest(&wave->simulation, err);
    json_object_set_new(wave->step, "seconds",
                        json_real((double)(wave->moved_ms - wave->began_ms) / 1000));
    json_object_set_new(wave->step, "load", load_json(&wave->load));
    simulation_count(&wave->simulation, NULL);
    load_done(&wave->load);
    return code;
}

/* ── Objects ──────────────────────────────────────────────────────────────────────────────── */

static int make_space(struct wave *wave, const char *name, struct error *err)
{
    if (map_get(&wave->spaces, name))
        return OK;
    map_put(&wave->spaces, name, wave);
    return simulation_make_namespace(&wave->simulation, name, err);
}

static int put(struct wave *wave, const struct kind_info *info, const char *ns,
               const json_t *object, struct error *err)
{
    char *path AUTO_FREE = object_path(info, ns, json_string_at(object, "/metadata/name"), NULL);
    int code = ns ? make_space(wave, ns, err) : OK;
    if (code == OK)
        code = simulation_put(&wave->simulation, path, object, err);
    return code;
}

static int put_copies(struct wave *wave, const struct kind_info *info, const char *ns,
                      const json_t *object, struct error *err)
{
    json_t *copy AUTO_JSON = json_deep_copy(object);
    json_remove_at(copy, "/metadata/namespace");
    int code = OK;
    for (int i = 0; i < wave->count && code == OK; i++) {
        char *own AUTO_FREE = str_format("%s-%d", ns, wave->first + i);
        code = put(wave, info, own, copy, err);
        step_count(wave);
    }
    return code;
}

static int put_all(struct wave *wave, const struct kind_info *info, const json_t *object,
                   struct error *err)
{
    const struct simulation_options *options = &wave->spec->simulation;
    const char *said = json_string_at(object, "/metadata/namespace");
    const char *ns = said ? said : options->ns;
    if (!info->namespaced)
        return put(wave, info, NULL, object, err);
    if (str_equal(ns, options->config->definition_namespace))
        return put(wave, info, ns, object, err);
    return put_copies(wave, info, ns, object, err);
}

/* A kind that the sandbox doesn't have can't be what is rolled. */
static int leave_out(struct wave *wave, size_t index, const struct error *why)
{
    json_array_append_new(json_object_get(wave->report, "left out"),
                          json_sprintf("%s: left out: %s", wave->spec->places[index], why->text));
    return OK;
}

static int apply(struct wave *wave, size_t index, struct error *err)
{
    const json_t *object = json_array_get(wave->spec->objects, index);
    const struct resource resource = {.api_version = json_string_at(object, "/apiVersion"),
                                      .kind = json_string_at(object, "/kind"),
                                      .name = json_string_at(object, "/metadata/name")};
    char *plural AUTO_FREE = NULL;
    struct kind_info info;
    int code = OK;
    if (!resource.name)
        code = error_set(err, ERR_INVALID, "metadata.name: expected a name, found nothing");
    if (code == OK)
        code = resource_kind(&wave->simulation.person, &resource, &info, &plural, err);
    if (code == ERR_MISSING)
        return leave_out(wave, index, err);
    if (code == OK) {
        step_begin(wave, "applied", object);
        code = put_all(wave, &info, object, err);
    }
    if (code < 0)
        error_prefix(err, "%s", wave->spec->places[index]);
    return code < 0 ? code : step_end(wave, err);
}

/* ── Rollouts ─────────────────────────────────────────────────────────────────────────────── */

/* "default-17" is a copy of "default-4". */
static bool is_same_space(const json_t *a, const json_t *b)
{
    const char *left = json_string_at(a, "/metadata/namespace");
    const char *right = json_string_at(b, "/metadata/namespace");
    size_t length = (size_t)(strrchr(left, '-') - left);
    return length == (size_t)(strrchr(right, '-') - right) && strncmp(left, right, length) == 0;
}

static bool are_copies(const struct found *a, const struct found *b)
{
    return a->kind == b->kind && is_same_space(a->object, b->object) &&
           str_equal(json_string_at(a->object, "/metadata/name"),
                     json_string_at(b->object, "/metadata/name"));
}

/* Does something to one rollout, unless there is nothing to do; *ret_did says what was done. */
typedef int act_fn(struct wave *wave, const struct found *found, const char **ret_did,
                   struct error *err);

static int act_on_copies(struct wave *wave, const struct found_list *list, size_t leader,
                         act_fn *act, const char **ret_did, struct error *err)
{
    int code = OK;
    for (size_t i = leader; i < list->count && code == OK; i++) {
        const char *did = NULL;
        if (!are_copies(&list->items[i], &list->items[leader]))
            continue;
        code = act(wave, &list->items[i], &did, err);
        if (did) {
            step_count(wave);
            *ret_did = did;
        }
    }
    return code;
}

/* One rollout and its copies are a step. It is gone again if there was nothing to do. */
static int act_step(struct wave *wave, const struct found_list *list, size_t leader, act_fn *act,
                    bool *ret_any, struct error *err)
{
    json_t *steps = json_object_get(wave->report, "steps");
    const char *did = NULL;
    step_begin(wave, "", list->items[leader].object);
    int code = act_on_copies(wave, list, leader, act, &did, err);
    if (did) {
        json_object_set_new(wave->step, "did", json_string(did));
        code = code < 0 ? code : step_end(wave, err);
    } else {
        simulation_count(&wave->simulation, NULL);
        json_array_remove(steps, json_array_size(steps) - 1);
    }
    *ret_any = did;
    return code;
}

static bool has_leader(const struct found_list *list, size_t index)
{
    for (size_t i = 0; i < index; i++)
        if (are_copies(&list->items[i], &list->items[index]))
            return true;
    return false;
}

static int approve(struct wave *wave, const struct found *found, const char **ret_did,
                   struct error *err)
{
    struct way_on way;
    int code = simulation_way_on(found, &way, err);
    if (way.did)
        code = simulation_ask(&wave->simulation, "PATCH", way.path, PATCH_JSON, way.patch, err);
    *ret_did = way.did;
    way_on_done(&way);
    return code;
}

/* What waits first, with its copies; *ret_any: something did. */
static int approve_next(struct wave *wave, bool *ret_any, struct error *err)
{
    struct found_list list = {0};
    int code = simulation_rollouts(&wave->simulation, &list, err);
    *ret_any = false;
    for (size_t i = 0; i < list.count && code == OK && !*ret_any; i++)
        if (!has_leader(&list, i))
            code = act_step(wave, &list, i, approve, ret_any, err);
    found_list_done(&list);
    return code;
}

static int approve_all(struct wave *wave, struct error *err)
{
    bool more = wave->spec->approves;
    int code = OK;
    while (more && code == OK)
        code = approve_next(wave, &more, err);
    return code;
}

static bool has_rolled(const struct wave *wave, const struct found *found)
{
    char *label AUTO_FREE = str_format("%s %s/%s", found->kind->info.kind,
                                       json_string_at(found->object, "/metadata/namespace"),
                                       json_string_at(found->object, "/metadata/name"));
    return map_get(&wave->rolled, label);
}

static int restart_workload(struct wave *wave, const struct found *found,
                            const struct workload *workload, struct error *err)
{
    struct rollout_view view;
    struct text words AUTO(text_done) = {0};
    json_t *patch AUTO_JSON = json_array();
    rollout_view_open(found->kind, found->object, clock_wall_ms(), &view);
    int code = restart_prepare(&view, workload->object, patch, &words, err);
    if (code == OK)
        code = simulation_ask(&wave->simulation, "PATCH", workload->path, PATCH_JSON, patch, err);
    rollout_view_done(&view);
    return code;
}

/* Rollouts whose workloads no file has changed would have nothing to do. */
static int restart(struct wave *wave, const struct found *found, const char **ret_did,
                   struct error *err)
{
    struct workload workload = {0};
    if (!found->kind->follows || has_rolled(wave, found))
        return OK;
    int code = workload_read(&wave->simulation.person, found->object, &workload, err);
    if (code == ERR_MISSING)
        return OK; /* its workload isn't there, as it has said */
    if (code == OK)
        code = restart_workload(wave, found, &workload, err);
    *ret_did = "restarted";
    workload_done(&workload);
    return code;
}

static int restart_untouched(struct wave *wave, struct error *err)
{
    struct found_list list = {0};
    int code = simulation_rollouts(&wave->simulation, &list, err);
    for (size_t i = 0; i < list.count && code == OK; i++) {
        bool any = false;
        if (has_leader(&list, i))
            continue;
        simulation_spoil(&wave->simulation);
        code = act_step(wave, &list, i, restart, &any, err);
        if (any && code == OK)
            code = approve_all(wave, err);
    }
    found_list_done(&list);
    return code;
}

static void tell_ends(struct wave *wave)
{
    static const char *const names[] = {[END_SUCCEEDED] = "succeeded",
                                        [END_WAITING] = "waiting",
                                        [END_FAILED] = "failed",
                                        [END_STOPPED] = "stopped"};
    json_t *ends = json_object_get(wave->report, "ends");
    struct found_list list = {0};
    struct error ignored;
    simulation_rollouts(&wave->simulation, &list, &ignored);
    for (size_t i = 0; i < list.count; i++) {
        const char *name = names[simulation_end(list.items[i].object)];
        json_object_set_new(ends, name,
                            json_integer(json_integer_value(json_object_get(ends, name)) + 1));
    }
    found_list_done(&list);
}

/* ── The wave ─────────────────────────────────────────────────────────────────────────────── */

static int play_all(struct wave *wave, struct error *err)
{
    size_t count = json_array_size(wave->spec->objects);
    int code = OK;
    for (size_t i = 0; i < count && code == OK; i++) {
        if (i + 1 == count)
            simulation_spoil(&wave->simulation);
        code = apply(wave, i, err);
        if (code == OK)
            code = approve_all(wave, err);
    }
    return code < 0 ? code : restart_untouched(wave, err);
}

json_t *fleet_wave(const struct fleet_spec *spec, int first, int count)
{
    struct wave wave = {.spec = spec, .first = first, .count = count};
    struct simulation_options options = spec->simulation;
    struct error err = {0};
    options.history = HISTORY;
    options.on_decision = on_decision;
    options.data = &wave;
    wave.report = json_pack("{s:[], s:[], s:{}, s:b}", "steps", "left out", "ends", "limit", 0);
    int code = simulation_open(&options, &wave.simulation, &err);
    if (code == OK)
        code = play_all(&wave, &err);
    if (code == OK || code == ERR_LIMIT)
        tell_ends(&wave);
    if (code < 0)
        json_object_set_new(wave.report, "refused", json_string(err.text));
    json_object_set_new(wave.report, "limit", json_boolean(code == ERR_LIMIT));
    simulation_close(&wave.simulation);
    map_done(&wave.spaces, NULL);
    map_done(&wave.rolled, NULL);
    load_done(&wave.load);
    return wave.report;
}
