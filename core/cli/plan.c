// SPDX-License-Identifier: Apache-2.0
/* `sluice plan`: what would happen, from a file alone. */
#include "base/alloc.h"
#include "base/json.h"
#include "cli/against.h"
#include "cli/cli.h"
#include "cli/find.h"
#include "cli/manifest.h"
#include "cli/number.h"
#include "cli/output.h"
#include "cli/plan_view.h"
#include "cli/rollout_kinds.h"
#include "oam/approllout.h"

#include <stdio.h>
#include <string.h>

static const struct flag flag_size = {
    .name = "size",
    .value = "N",
    .text = "how many pods the workload has (default: as in the file)",
};

static const struct flag flag_against = {
    .name = "against",
    .text = "compare with the one of the same name in the cluster, too",
};

/* How many pods there are, and who says so. */
struct size {
    int pods; /* -1: not known */
    char from[160];
};

static bool size_take(struct size *size, const json_t *object, const char *pointer)
{
    int64_t pods = json_int_at(object, pointer, -1);
    if (pods < 0 || pods > INT32_MAX)
        return false;
    size->pods = (int)pods;
    snprintf(size->from, sizeof size->from, "%s %s in the file", json_string_at(object, "/kind"),
             json_string_at(object, "/metadata/name"));
    return true;
}

/* An Application tells it where templates use to have it: in the parameter `replicas`. */
static bool size_of_application(struct size *size, const json_t *object, const char *component)
{
    size_t index;
    json_t *entry;
    json_array_foreach (json_at(object, "/spec/components"), index, entry) {
        char *pointer AUTO_FREE = str_format("/spec/components/%zu/properties/replicas", index);
        if (!component || str_equal(json_string_at(entry, "/name"), component))
            return size_take(size, object, pointer);
    }
    return false;
}

/* The first that says it: a workload with the component's name, or the Application. */
static void size_find(struct manifests *manifests, const char *component, struct size *size)
{
    for (size_t i = 0; i < manifests->count && size->pods < 0; i++) {
        struct manifest *manifest = &manifests->items[i];
        json_t *object AUTO_JSON = NULL;
        if (rollout_kind_of(manifest->api_version, manifest->kind) ||
            manifest_object(manifest, &object, NULL) < 0)
            continue;
        if (strcmp(manifest->kind, "Application") == 0)
            size_of_application(size, object, component);
        else if (component && strcmp(manifest->name, component) == 0)
            size_take(size, object, "/spec/replicas");
    }
}

/* ---- the heading ---- */

static void heading_add(struct text *to, const struct rollout_kind *kind, const json_t *object,
                        const struct approllout *rollout, bool scale)
{
    if (kind->follows) {
        text_addf(to, "%s %s: %s %s %s\n", kind->info.kind, rollout->name,
                  scale ? "scales" : "each change of the template of",
                  json_string_at(object, "/spec/workloadRef/kind"),
                  json_string_at(object, "/spec/workloadRef/name"));
        return;
    }
    text_addf(to, "%s %s: %s %s", kind->info.kind, rollout->name, scale ? "scales" : "to",
              rollout->intent.target);
    if (*rollout->intent.source)
        text_addf(to, " from %s", rollout->intent.source);
    text_puts(to, "\n");
}

static void pods_add(struct text *to, const struct size *size, const struct plan *plan, bool scale)
{
    bool first = plan->strategy == STRATEGY_INCREASE_FIRST;
    if (size->pods < 0)
        text_puts(to, "how many pods there are isn't known here; --size N shows them");
    else if (scale)
        text_addf(to, "from %d to %d pods", size->pods, plan->target_size);
    else
        text_addf(to, "%d pods", size->pods);
    text_addf(to, *size->from ? " (%s)\n" : "%s\n", size->from);
    if (!scale)
        text_puts(to, first ? "new pods come before old ones go\n"
                            : "old pods go before new ones come\n");
    text_puts(to, plan->paused ? "paused: nothing moves until it is resumed\n\n" : "\n");
}

/* ---- the plan ---- */

static int refuse(struct manifest *manifest, const struct error *err)
{
    char *place AUTO_FREE = manifest_place(manifest, err->path);
    fprintf(stderr, "%s: %s%s%s\n", place, err->path, *err->path ? ": " : "", err->text);
    return STATUS_REFUSED;
}

static int show(struct manifest *manifest, const struct rollout_kind *kind, const json_t *object,
                const struct approllout *rollout, const struct size *size, struct text *page)
{
    const struct plan *plan = rollout->plan;
    struct error err = {0};
    bool scale = plan->target_size >= 0 && !*rollout->intent.source;
    struct plan_view view = {.plan = plan, .span = {0, size->pods}, .scale = scale};
    if (scale && size->pods >= 0)
        view.span = (struct span){size->pods, plan->target_size};
    if (size->pods >= 0 && plan_check(plan, view.span, &err) < 0)
        return refuse(manifest, &err);
    heading_add(page, kind, object, rollout, scale);
    pods_add(page, size, plan, scale);
    plan_view_add(&view, output_width(), page);
    return STATUS_DONE;
}

/* The one of the same name in the cluster; *ret_live stays NULL when there is none, or when nobody
 * asks for it. The caller owns it. */
static int find_live(struct session *session, const struct rollout_kind *kind, const json_t *object,
                     json_t **ret_live, struct error *err)
{
    struct session own;
    struct found found;
    const char *ns = json_string_at(object, "/metadata/namespace");
    if (!session)
        return OK;
    own = *session;
    own.ns = ns ? ns : session->ns;
    char *operand AUTO_FREE =
        str_format("%s/%s", kind->info.plural, json_string_at(object, "/metadata/name"));
    int code = rollout_find(&own, operand, &found, err);
    if (code == OK)
        *ret_live = found.object;
    return code == ERR_MISSING ? OK : code;
}

static void size_of_live(struct size *size, const json_t *live)
{
    size->pods = against_size(live);
    if (size->pods >= 0)
        snprintf(size->from, sizeof size->from, "as recorded in the cluster");
}

/* What the workload is called, if the rollout says that; else NULL. */
static const char *workload_named(const struct rollout_kind *kind, const json_t *object,
                                  const struct approllout *rollout)
{
    return kind->follows ? json_string_at(object, "/spec/workloadRef/name")
                         : json_string_value(json_array_get(rollout->component_list, 0));
}

/* Everything about one rollout of the file. `session` NULL: no cluster is asked. */
static int plan_object(struct manifests *manifests, struct manifest *manifest,
                       const struct rollout_kind *kind, const json_t *object, struct size size,
                       struct session *session)
{
    struct approllout rollout;
    struct text page AUTO(text_done) = {0};
    json_t *live AUTO_JSON = NULL;
    struct error err = {0};
    if (find_live(session, kind, object, &live, &err) < 0) {
        fprintf(stderr, "sluice plan: %s\n", err.text);
        return STATUS_REFUSED;
    }
    kind->read(object, &rollout);
    if (size.pods < 0)
        size_find(manifests, workload_named(kind, object, &rollout), &size);
    if (size.pods < 0 && live)
        size_of_live(&size, live);
    int status = rollout_plan_check(kind, &rollout, &err) == OK
                     ? show(manifest, kind, object, &rollout, &size, &page)
                     : refuse(manifest, &err);
    if (session && status == STATUS_DONE)
        against_add(kind, &rollout, object, live, &page);
    fputs(page.at ? page.at : "", stdout);
    approllout_done(&rollout);
    return status;
}

static int plan_one(struct manifests *manifests, struct manifest *manifest,
                    const struct rollout_kind *kind, struct size size, struct session *session)
{
    json_t *object AUTO_JSON = NULL;
    struct error err = {0};
    if (manifest_object(manifest, &object, &err) < 0) {
        fprintf(stderr, "%s\n", err.text);
        return STATUS_REFUSED;
    }
    if (rollout_check(kind, object, &err) < 0)
        return refuse(manifest, &err);
    return plan_object(manifests, manifest, kind, object, size, session);
}

static int plan_none(const char *file, const struct manifests *manifests)
{
    char *expected AUTO_FREE = rollout_kinds_words();
    char *words AUTO_FREE = manifests_unfit(file, manifests, expected);
    fprintf(stderr, "sluice plan: %s\n", words);
    return STATUS_REFUSED;
}

static int plan_all(const char *file, struct manifests *manifests, struct size size,
                    struct session *session)
{
    int status = STATUS_DONE, shown = 0;
    for (size_t i = 0; i < manifests->count; i++) {
        struct manifest *manifest = &manifests->items[i];
        const struct rollout_kind *kind = rollout_kind_of(manifest->api_version, manifest->kind);
        if (!kind)
            continue;
        if (shown++)
            puts("");
        if (plan_one(manifests, manifest, kind, size, session) != STATUS_DONE)
            status = STATUS_REFUSED;
    }
    return shown ? status : plan_none(file, manifests);
}

static int plan_file(const struct arguments *arguments, struct size size, struct session *session)
{
    struct manifests manifests;
    struct error err = {0};
    int status = STATUS_REFUSED;
    const char *file = arguments->operands[0];
    if (manifests_read(file, &manifests, &err) < 0)
        fprintf(stderr, "%s\n", err.text);
    else
        status = plan_all(file, &manifests, size, session);
    manifests_done(&manifests);
    return status;
}

static int run_plan(const struct arguments *arguments)
{
    struct size size = {.pods = -1};
    struct session session;
    struct error err = {0};
    if (!number_read(flag_value(arguments, &flag_size), 0, &size.pods))
        return usage_error(arguments->verb, "--size: expected a number of pods, found \"%s\"",
                           flag_value(arguments, &flag_size));
    if (!flag_value(arguments, &flag_against))
        return plan_file(arguments, size, NULL);
    if (session_open(arguments, &session, &err) < 0)
        return verb_refused(arguments->verb, &err);
    int status = plan_file(arguments, size, &session);
    session_close(&session);
    return status;
}

const struct verb verb_plan = {
    .name = "plan",
    .summary = "show what a rollout would do: its batches, how many pods each, its hooks",
    .operands = "FILE",
    .least = 1,
    .most = 1,
    .flags = (const struct flag *const[]){&flag_size, &flag_against, SESSION_FLAGS, NULL},
    .text = "Reads AppRollouts and Rollouts from a file of YAML or JSON; \"-\" is standard input. "
            "Without "
            "--against no cluster is "
            "asked. How many pods there are is taken from --size, from a workload in the same "
            "file that is called like the component or that the Rollout names, or from the "
            "parameter `replicas` of an "
            "Application there. A plan that would be refused is refused here, with the same "
            "words.",
    .run = run_plan,
};
