// SPDX-License-Identifier: Apache-2.0
/* What the waves of a fleet come to together, and whether those that were played stand for the
 * others. Pure. */
#include "base/alloc.h"
#include "base/json.h"
#include "cli/fleet.h"

#include <stdlib.h>

static const double alike = 0.01; /* loads that lie within this share of each other are */

/* ── Adding up ────────────────────────────────────────────────────────────────────────────── */

static struct fleet_step *step_at(struct fleet *fleet, size_t index, const json_t *told)
{
    if (index < fleet->step_count)
        return &fleet->steps[index];
    fleet->steps = mem_grow(fleet->steps, ++fleet->step_count * sizeof *fleet->steps);
    fleet->steps[index] = (struct fleet_step){.did = str_copy(json_string_at(told, "/did")),
                                              .object = str_copy(json_string_at(told, "/object"))};
    return &fleet->steps[index];
}

static void add_step(struct fleet *fleet, size_t index, const json_t *told)
{
    struct fleet_step *step = step_at(fleet, index, told);
    double seconds = json_real_value(json_object_get(told, "seconds"));
    step->copies += json_int_at(told, "/copies", 0);
    if (seconds > step->seconds)
        step->seconds = seconds;
    load_add_json(&step->load, json_object_get(told, "load"));
}

/* ── Alike or not ─────────────────────────────────────────────────────────────────────────── */

static double asked_by(const json_t *told)
{
    struct load load = {0};
    size_t i;
    json_t *step;
    json_array_foreach (json_object_get(told, "steps"), i, step)
        load_add_json(&load, json_object_get(step, "load"));
    struct load_share total = load_total(&load);
    load_done(&load);
    return (double)(total.reads + total.writes + total.events);
}

static void sample_add(struct fleet *fleet, const json_t *told)
{
    if (fleet->sampled < FLEET_SAMPLE)
        fleet->sample[fleet->sampled++] =
            (struct fleet_outcome){asked_by(told), json_incref(json_object_get(told, "ends"))};
}

int fleet_add_wave(struct fleet *fleet, const json_t *told, struct error *err)
{
    static const char *const ends[] = {"/ends/succeeded", "/ends/waiting", "/ends/failed",
                                       "/ends/stopped"};
    const char *refused = json_string_at(told, "/refused");
    size_t i;
    json_t *step;
    json_array_foreach (json_object_get(told, "steps"), i, step)
        add_step(fleet, i, step);
    for (i = 0; i < sizeof ends / sizeof *ends; i++)
        fleet->ends[i] += json_int_at(told, ends[i], 0);
    if (!fleet->left_out)
        fleet->left_out = json_incref(json_object_get(told, "left out"));
    fleet->played += (int)json_int_at(told, "/copies", 0);
    sample_add(fleet, told);
    if (!refused)
        return OK;
    bool limit = json_bool_at(told, "/limit", false);
    fleet->limit = fleet->limit || limit;
    return error_set(err, limit ? ERR_LIMIT : ERR_INVALID, "%s", refused);
}

bool fleet_is_alike(struct fleet *fleet)
{
    double least = fleet->sample[0].asked, most = least;
    for (int i = 1; i < fleet->sampled; i++) {
        double asked = fleet->sample[i].asked;
        if (!json_equal(fleet->sample[i].ends, fleet->sample[0].ends))
            return false;
        least = asked < least ? asked : least;
        most = asked > most ? asked : most;
    }
    fleet->spread = most > 0 ? (most - least) / most : 0;
    return fleet->spread <= alike;
}

void fleet_count_rest(struct fleet *fleet, int copies)
{
    double factor = (double)copies / fleet->played;
    for (size_t i = 0; i < fleet->step_count; i++) {
        struct fleet_step *step = &fleet->steps[i];
        step->copies = (int64_t)((double)step->copies * factor + 0.5);
        load_scale(&step->load, factor);
    }
    for (size_t i = 0; i < sizeof fleet->ends / sizeof *fleet->ends; i++)
        fleet->ends[i] = (int64_t)((double)fleet->ends[i] * factor + 0.5);
}

void fleet_done(struct fleet *fleet)
{
    for (size_t i = 0; i < fleet->step_count; i++) {
        free(fleet->steps[i].did);
        free(fleet->steps[i].object);
        load_done(&fleet->steps[i].load);
    }
    for (int i = 0; i < fleet->sampled; i++)
        json_decref(fleet->sample[i].ends);
    free(fleet->steps);
    json_decref(fleet->left_out);
}
