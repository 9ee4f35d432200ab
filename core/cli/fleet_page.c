// SPDX-License-Identifier: Apache-2.0
/* What a fleet has asked of the API, for people and for programs. */
#include "base/alloc.h"
#include "base/json.h"
#include "cli/fleet.h"
#include "cli/layout.h"
#include "cli/table.h"

#include <stdint.h>

/* All steps together; of the peaks the highest. */
struct sums {
    double seconds;
    struct load_share total, peak;
};

static uint64_t larger(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static struct sums add_up(const struct fleet *fleet)
{
    struct sums sums = {0};
    for (size_t i = 0; i < fleet->step_count; i++) {
        struct load_share total = load_total(&fleet->steps[i].load);
        struct load_share peak = load_peak(&fleet->steps[i].load);
        sums.seconds += fleet->steps[i].seconds;
        sums.total.reads += total.reads;
        sums.total.writes += total.writes;
        sums.total.events += total.events;
        sums.peak.reads = larger(sums.peak.reads, peak.reads);
        sums.peak.writes = larger(sums.peak.writes, peak.writes);
        sums.peak.events = larger(sums.peak.events, peak.events);
    }
    return sums;
}

static int64_t rollout_count(const struct fleet *fleet)
{
    return fleet->ends[0] + fleet->ends[1] + fleet->ends[2] + fleet->ends[3];
}

static double per_rollout(const struct fleet *fleet, uint64_t count)
{
    int64_t rollouts = rollout_count(fleet);
    return rollouts ? (double)count / (double)rollouts : 0;
}

/* ── For people ───────────────────────────────────────────────────────────────────────────── */

static void add_counts(struct table *table, struct load_share total)
{
    table_cell(table, "%llu", (unsigned long long)total.reads);
    table_cell(table, "%llu", (unsigned long long)total.writes);
    table_cell(table, "%llu", (unsigned long long)total.events);
}

static void add_peaks(struct table *table, struct load_share peak)
{
    table_cell(table, "%llu", (unsigned long long)(peak.reads + peak.writes));
    table_cell(table, "%llu", (unsigned long long)peak.events);
}

static void add_step(struct table *table, const struct fleet_step *step)
{
    table_cell(table, "%s %s%s", step->object, step->did, step->copies ? "" : ", shared");
    table_cell(table, "%.1f s", step->seconds);
    add_counts(table, load_total(&step->load));
    add_peaks(table, load_peak(&step->load));
}

static void add_sums(struct table *table, const struct fleet *fleet)
{
    struct sums sums = add_up(fleet);
    table_cell(table, "in all");
    table_cell(table, "%.1f s", sums.seconds);
    add_counts(table, sums.total);
    add_peaks(table, sums.peak);
    table_cell(table, "a rollout");
    table_cell(table, "%s", "");
    table_cell(table, "%.1f", per_rollout(fleet, sums.total.reads));
    table_cell(table, "%.1f", per_rollout(fleet, sums.total.writes));
    table_cell(table, "%.1f", per_rollout(fleet, sums.total.events));
}

static void add_table(const struct fleet *fleet, int width, struct text *to)
{
    static const char *const heads[] = {"STEP",   "TIME",  "READS", "WRITES",
                                        "EVENTS", "REQ/s", "EV/s"};
    struct table table AUTO(table_done) = {.columns = sizeof heads / sizeof *heads, .heads = heads};
    for (size_t i = 0; i < fleet->step_count; i++)
        add_step(&table, &fleet->steps[i]);
    add_sums(&table, fleet);
    table_write(&table, width, to);
}

static void add_ends(const struct fleet *fleet, int width, struct text *to)
{
    static const char *const words[] = {"succeeded", "wait for a person", "failed", "stand still"};
    struct text line AUTO(text_done) = {0};
    text_addf(&line, "%lld rollouts:", (long long)rollout_count(fleet));
    for (size_t i = 0, told = 0; i < sizeof words / sizeof *words; i++)
        if (fleet->ends[i])
            text_addf(&line, "%s %lld %s", told++ ? "," : "", (long long)fleet->ends[i], words[i]);
    layout_wrap(to, line.at, 0, 2, width);
}

/* Nobody should take for played what was only counted. */
static void add_how(const struct fleet *fleet, int copies, int width, struct text *to)
{
    struct text line AUTO(text_done) = {0};
    text_addf(&line, "%d of %d copies played by the real controller", fleet->played, copies);
    if (fleet->waves > 1)
        text_addf(&line, ", in %d waves that begin at the same moment", fleet->waves);
    if (fleet->played < copies)
        text_addf(&line,
                  "; these came to the same end, with loads within %.2f %% of each other, and the "
                  "other %d copies are counted like them (--every plays each)",
                  fleet->spread * 100, copies - fleet->played);
    text_puts(&line, ".");
    layout_wrap(to, line.at, 0, 2, width);
    text_clear(&line);
    text_addf(&line, "This took %.1f s, %.1f s of CPU and %lld MiB in %d %s.", fleet->seconds,
              fleet->cpu_seconds, (long long)(fleet->memory >> 20), fleet->workers,
              fleet->workers == 1 ? "process" : "processes");
    layout_wrap(to, line.at, 0, 2, width);
}

void fleet_page(const struct fleet *fleet, int copies, int width, struct text *to)
{
    int columns = width ? width : INT32_MAX;
    add_table(fleet, width, to);
    text_puts(to, "\n");
    add_ends(fleet, columns, to);
    add_how(fleet, copies, columns, to);
}

/* ── For programs ─────────────────────────────────────────────────────────────────────────── */

static json_t *share_json(struct load_share share)
{
    return json_pack("{s:I, s:I, s:I}", "reads", (json_int_t)share.reads, "writes",
                     (json_int_t)share.writes, "events", (json_int_t)share.events);
}

static json_t *step_json(const struct fleet_step *step)
{
    return json_pack("{s:s, s:s, s:I, s:f, s:o, s:o, s:o}", "did", step->did, "object",
                     step->object, "copies", (json_int_t)step->copies, "seconds", step->seconds,
                     "total", share_json(load_total(&step->load)), "peak",
                     share_json(load_peak(&step->load)), "load", load_json(&step->load));
}

json_t *fleet_json(const struct fleet *fleet, int copies)
{
    struct sums sums = add_up(fleet);
    json_t *steps = json_array();
    for (size_t i = 0; i < fleet->step_count; i++)
        json_array_append_new(steps, step_json(&fleet->steps[i]));
    return json_pack(
        "{s:i, s:o, s:f, s:o, s:o, s:{s:f, s:f, s:f}, s:{s:I, s:I, s:I, s:I}, "
        "s:{s:i, s:i, s:f, s:i, s:f, s:f, s:I}}",
        "copies", copies, "steps", steps, "seconds", sums.seconds, "total", share_json(sums.total),
        "peak", share_json(sums.peak), "perRollout", "reads", per_rollout(fleet, sums.total.reads),
        "writes", per_rollout(fleet, sums.total.writes), "events",
        per_rollout(fleet, sums.total.events), "ends", "succeeded",
        (json_int_t)fleet->ends[END_SUCCEEDED], "waiting", (json_int_t)fleet->ends[END_WAITING],
        "failed", (json_int_t)fleet->ends[END_FAILED], "stopped",
        (json_int_t)fleet->ends[END_STOPPED], "played", "copies", fleet->played, "waves",
        fleet->waves, "spread", fleet->spread, "processes", fleet->workers, "seconds",
        fleet->seconds, "cpuSeconds", fleet->cpu_seconds, "bytes", (json_int_t)fleet->memory);
}
