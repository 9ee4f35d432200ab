// SPDX-License-Identifier: Apache-2.0
#include "reconcile/metrics.h"
#include "reconcile/key.h"

#include "base/alloc.h"
#include "reconcile/reconcile.h"
#include "serve/exposition.h"

#include <math.h>
#include <stdio.h>

static void sample(struct text *text, const char *name, double value)
{
    exposition_sample(text, name, NULL, value);
}

static void labelled(struct text *text, const char *name, const char *label, const char *of,
                     double value)
{
    exposition_sample(text, name, (const struct label[]){{label, of}, {0}}, value);
}

static void labelled_twice(struct text *text, const char *name, struct label one, struct label two,
                           double value)
{
    exposition_sample(text, name, (const struct label[]){one, two, {0}}, value);
}

/* ── Rollouts ─────────────────────────────────────────────────────────────────────────────── */

static void add_states(const struct controller *controller, struct text *text)
{
    exposition_family(text, "sluice_rollouts", METRIC_GAUGE, "Rollouts, by kind and state.");
    for (int kind = 0; kind < ROLLOUT_KINDS; kind++)
        for (int state = 0; state < ROLLING_STATES; state++)
            labelled_twice(text, "sluice_rollouts",
                           (struct label){"kind", controller->rollouts[kind].info.kind},
                           (struct label){"state", rolling_state_name((enum rolling_state)state)},
                           (double)controller->rollouts[kind].census.states[state]);
}

static void add_reasons(const struct controller *controller, struct text *text)
{
    exposition_family(text, "sluice_rollouts_by_reason", METRIC_GAUGE,
                      "Rollouts, by the reason why they stand where they do.");
    for (int reason = 0; reason < REASON_CODES; reason++) {
        const char *name = reason_name((enum reason_code)reason);
        bool person = reason_needs_person((enum reason_code)reason);
        size_t count = 0;
        for (int kind = 0; kind < ROLLOUT_KINDS; kind++)
            count += controller->rollouts[kind].census.reasons[reason];
        if (*name)
            labelled_twice(text, "sluice_rollouts_by_reason", (struct label){"reason", name},
                           (struct label){"person", person ? "true" : "false"}, (double)count);
    }
}

/* Where the samples of one kind go. */
struct each_rollout {
    const char *kind;
    struct text *text;
};

static void add_rollout(void *data, const char *key, enum rolling_state state,
                        enum reason_code reason)
{
    const struct each_rollout *each = data;
    char *ns AUTO_FREE = NULL, *name AUTO_FREE = NULL;
    key_split(key, &ns, &name);
    const struct label labels[] = {{"kind", each->kind},
                                   {"namespace", ns},
                                   {"name", name},
                                   {"state", rolling_state_name(state)},
                                   {"reason", reason_name(reason)},
                                   {0}};
    exposition_sample(each->text, "sluice_rollout", labels, 1);
}

static void add_each_rollout(const struct controller *controller, struct text *text)
{
    exposition_family(text, "sluice_rollout", METRIC_GAUGE,
                      "Always 1: a rollout, with its state and reason.");
    for (int i = 0; i < ROLLOUT_KINDS; i++) {
        const struct rollout_kind *kind = &controller->rollouts[i];
        struct each_rollout each = {.kind = kind->info.kind, .text = text};
        census_each(&kind->census, add_rollout, &each);
    }
}

/* ── Passes ───────────────────────────────────────────────────────────────────────────────── */

struct pass_queue {
    const char *kind;
    const struct queue *queue;
};

/* All that there are, ending in one without a kind. */
static void list_queues(const struct controller *controller, struct pass_queue *queues)
{
    for (int i = 0; i < ROLLOUT_KINDS; i++)
        *queues++ =
            (struct pass_queue){controller->rollouts[i].info.kind, controller->rollouts[i].queue};
    *queues++ = (struct pass_queue){"Application", controller->application_queue};
    *queues = (struct pass_queue){0};
}

static void add_histogram(struct text *text, const struct pass_queue *at)
{
    const struct queue_figures *figures = queue_figures(at->queue);
    const struct label kind = {"kind", at->kind};
    uint64_t count = 0;
    for (int i = 0; i < QUEUE_CLASSES; i++) {
        char bound[32] = "+Inf";
        if (queue_bounds_ms[i])
            snprintf(bound, sizeof bound, "%g", queue_bounds_ms[i] / 1000.0);
        count += figures->lasted[i];
        labelled_twice(text, "sluice_pass_duration_seconds_bucket", kind,
                       (struct label){"le", bound}, (double)count);
    }
    labelled(text, "sluice_pass_duration_seconds_sum", "kind", at->kind,
             (double)figures->lasted_us / 1e6);
    labelled(text, "sluice_pass_duration_seconds_count", "kind", at->kind, (double)count);
}

static void add_passes(const struct controller *controller, struct text *text)
{
    struct pass_queue queues[ROLLOUT_KINDS + 2];
    list_queues(controller, queues);
    exposition_family(text, "sluice_passes_total", METRIC_COUNTER,
                      "Passes that have ended; those in trouble are repeated.");
    for (const struct pass_queue *at = queues; at->kind; at++) {
        const struct queue_figures *figures = queue_figures(at->queue);
        const struct label kind = {"kind", at->kind};
        labelled_twice(text, "sluice_passes_total", kind, (struct label){"result", "done"},
                       (double)figures->done);
        labelled_twice(text, "sluice_passes_total", kind, (struct label){"result", "trouble"},
                       (double)figures->troubles);
    }
    exposition_family(text, "sluice_pass_duration_seconds", METRIC_HISTOGRAM,
                      "How long passes took, waiting for answers included.");
    for (const struct pass_queue *at = queues; at->kind; at++)
        add_histogram(text, at);
    exposition_family(text, "sluice_queue_length", METRIC_GAUGE,
                      "Keys that are to have a pass, now or at a time, or have it.");
    for (const struct pass_queue *at = queues; at->kind; at++)
        labelled(text, "sluice_queue_length", "kind", at->kind, (double)queue_length(at->queue));
}

/* ── The API ──────────────────────────────────────────────────────────────────────────────── */

static void add_requests(const struct cluster_counts *counts, struct text *text)
{
    exposition_family(text, "sluice_api_requests_total", METRIC_COUNTER,
                      "Requests to the API server that have ended; code \"none\": unanswered.");
    for (int verb = 0; verb < REQUEST_VERBS; verb++)
        for (int code = 0; code < REQUEST_CODES; code++)
            if (counts->requests[verb][code])
                labelled_twice(text, "sluice_api_requests_total",
                               (struct label){"verb", request_verbs[verb]},
                               (struct label){"code", request_codes[code]},
                               (double)counts->requests[verb][code]);
}

static void add_single(struct text *text, const char *name, enum metric_type type, const char *help,
                       double value)
{
    exposition_family(text, name, type, help);
    sample(text, name, value);
}

static void add_api(const struct controller *controller, struct text *text)
{
    const struct cluster_counts counts = cluster_counts(controller->cluster);
    add_requests(&counts, text);
    add_single(text, "sluice_api_retries_total", METRIC_COUNTER,
               "Requests that were sent again after trouble.", (double)counts.retries);
    add_single(text, "sluice_watch_events_total", METRIC_COUNTER, "Changes that watches told.",
               (double)counts.watch_events);
    add_single(text, "sluice_watch_restarts_total", METRIC_COUNTER,
               "Watches that were begun anew; each is every five to ten minutes.",
               (double)counts.watch_restarts);
    add_single(text, "sluice_watches_failing", METRIC_GAUGE,
               "Watches that bring nothing, because of trouble or a right that is missing.",
               (double)counts.watches_failing);
    add_single(text, "sluice_undecodable_objects_total", METRIC_COUNTER,
               "Objects that were left out because they can't be read.",
               (double)counts.undecodable);
    add_single(text, "sluice_events_dropped_total", METRIC_COUNTER,
               "Events about rollouts that couldn't be written.",
               (double)recorder_dropped(controller->recorder));
}

/* ── Adapters ─────────────────────────────────────────────────────────────────────────────── */

typedef double figure_fn(const struct adapter *adapter);

static double calls_of(const struct adapter *adapter)
{
    return (double)adapter_figures(adapter)->calls;
}

static double slow_of(const struct adapter *adapter)
{
    return (double)adapter_figures(adapter)->slow;
}

static double restarts_of(const struct adapter *adapter)
{
    return (double)adapter_figures(adapter)->restarts;
}

static double in_use(const struct adapter *adapter)
{
    return adapter_refusal(adapter) ? 0 : 1;
}

static void add_figure(const struct controller *controller, struct text *text, const char *name,
                       figure_fn *figure)
{
    const struct adapters *adapters = controller->adapters;
    for (size_t i = 0; i < adapters_count(adapters); i++)
        labelled(text, name, "adapter", adapter_name(adapters_nth(adapters, i)),
                 figure(adapters_nth(adapters, i)));
}

static void add_latency(struct text *text, const struct adapter *adapter, unsigned percent,
                        const char *quantile)
{
    const struct adapter_figures *figures = adapter_figures(adapter);
    double seconds = figures->calls ? (double)adapter_latency_us(figures, percent) / 1e6 : NAN;
    labelled_twice(text, "sluice_adapter_call_duration_seconds",
                   (struct label){"adapter", adapter_name(adapter)},
                   (struct label){"quantile", quantile}, seconds);
}

static void add_latencies(const struct controller *controller, struct text *text)
{
    exposition_family(text, "sluice_adapter_call_duration_seconds", METRIC_SUMMARY,
                      "How long calls of adapters took, since each was loaded.");
    for (size_t i = 0; i < adapters_count(controller->adapters); i++) {
        const struct adapter *adapter = adapters_nth(controller->adapters, i);
        add_latency(text, adapter, 50, "0.5");
        add_latency(text, adapter, 99, "0.99");
        labelled(text, "sluice_adapter_call_duration_seconds_count", "adapter",
                 adapter_name(adapter), calls_of(adapter));
    }
}

static void add_adapters(const struct controller *controller, struct text *text)
{
    static const struct {
        const char *name;
        enum metric_type type;
        const char *help;
        figure_fn *figure;
    } families[] = {
        {"sluice_adapter_in_use", METRIC_GAUGE, "1, or 0 for an adapter that is refused.", in_use},
        {"sluice_adapter_calls_total", METRIC_COUNTER, "Calls of adapters.", calls_of},
        {"sluice_adapter_slow_calls_total", METRIC_COUNTER,
         "Calls that took longer than their deadline.", slow_of},
        {"sluice_adapter_restarts_total", METRIC_COUNTER,
         "How often an adapter's own process was started anew.", restarts_of},
    };
    for (size_t i = 0; i < sizeof families / sizeof *families; i++) {
        exposition_family(text, families[i].name, families[i].type, families[i].help);
        add_figure(controller, text, families[i].name, families[i].figure);
    }
    add_latencies(controller, text);
}

void controller_metrics(const struct controller *controller, struct text *text)
{
    add_states(controller, text);
    add_reasons(controller, text);
    if (controller->config->rollout_metrics)
        add_each_rollout(controller, text);
    add_passes(controller, text);
    add_api(controller, text);
    add_adapters(controller, text);
}
