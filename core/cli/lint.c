// SPDX-License-Identifier: Apache-2.0
/* `sluice lint`: what the controller would refuse, found before it is applied. */
#include "base/alloc.h"
#include "base/json.h"
#include "base/nearest.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/manifest.h"
#include "cli/number.h"
#include "cli/rollout_kinds.h"
#include "oam/revision.h"
#include "rollout/plan.h"

#include <stdio.h>
#include <string.h>

static const struct flag flag_size = {
    .name = "size",
    .value = "N",
    .text = "hold the batches against a workload of N pods",
};

struct lint {
    int size;          /* pods of the workload; -1: not known */
    int checked;       /* objects */
    int findings;      /* told so far */
    struct text unfit; /* a line for each file that holds nothing to check */
};

static void tell(struct lint *lint, const char *place, const struct error *err)
{
    lint->findings++;
    printf("%s: %s%s%s\n", place, err->path, *err->path ? ": " : "", err->text);
}

/* Tells the failure of one check of an object, if it is one. */
static void judge(struct lint *lint, struct manifest *manifest, int code, const struct error *err)
{
    if (code == OK)
        return;
    char *place AUTO_FREE = manifest_place(manifest, err->path);
    tell(lint, place, err);
}

enum { ANY_SIZE = 100 }; /* percentages that don't add up for it add up for no larger one */

static bool only_percentages(const struct plan *plan)
{
    for (size_t i = 0; i < plan->batch_count; i++)
        if (plan->batches[i].replicas.unit == AMOUNT_PODS)
            return false;
    return true;
}

/* How the batches add up depends on how many pods there are. */
static int check_sum(const struct lint *lint, const struct plan *plan, struct error *err)
{
    if (lint->size >= 0)
        return rollout_sum_check(plan, lint->size, err);
    return only_percentages(plan) ? plan_check(plan, (struct span){0, ANY_SIZE}, err) : OK;
}

static void check_plan(struct lint *lint, struct manifest *manifest,
                       const struct rollout_kind *kind, const json_t *object)
{
    struct approllout rollout;
    struct error err = {0};
    kind->read(object, &rollout);
    int code = rollout_plan_check(kind, &rollout, &err);
    if (code == OK)
        code = check_sum(lint, rollout.plan, &err);
    judge(lint, manifest, code, &err);
    approllout_done(&rollout);
}

static void check_rollout(struct lint *lint, struct manifest *manifest,
                          const struct rollout_kind *kind, const json_t *object)
{
    struct error err = {0};
    int code = rollout_check(kind, object, &err);
    judge(lint, manifest, code, &err);
    if (json_is_object(json_object_get(object, "spec")))
        check_plan(lint, manifest, kind, object);
}

static bool is_application(const struct manifest *manifest)
{
    return strcmp(manifest->kind, "Application") == 0 &&
           strcmp(manifest->api_version, rollout_kinds[0].info.api_version) == 0;
}

static void check_application(struct lint *lint, struct manifest *manifest, const json_t *object)
{
    struct error err = {0};
    if (application_is_template(object))
        judge(lint, manifest, application_check(object, &err), &err);
}

/* A kind of ours in another group, or a slip in its name: it would be applied and do nothing, or
 * not be applied at all. */
static void check_strange(struct lint *lint, struct manifest *manifest)
{
    struct error err = {0};
    const char *names[] = {NULL, NULL};
    for (const struct rollout_kind *kind = rollout_kinds; kind->info.kind; kind++) {
        names[0] = kind->info.kind;
        bool same_kind = strcmp(manifest->kind, kind->info.kind) == 0;
        bool same_group = strcmp(manifest->api_version, kind->info.api_version) == 0;
        char *hint AUTO_FREE = nearest_hint(manifest->kind, names);
        if (same_group && *hint)
            judge(
                lint, manifest,
                error_at(&err, ERR_INVALID, "kind", "unknown kind \"%s\"%s", manifest->kind, hint),
                &err);
        else if (same_kind &&
                 strstr(manifest->api_version, kind->follows ? "sluice.dev" : "oam.dev"))
            judge(lint, manifest,
                  error_at(&err, ERR_INVALID, "apiVersion", "expected %s, found \"%s\"",
                           kind->info.api_version, manifest->api_version),
                  &err);
    }
}

static void check_manifest(struct lint *lint, struct manifest *manifest)
{
    const struct rollout_kind *kind = rollout_kind_of(manifest->api_version, manifest->kind);
    struct error err = {0};
    json_t *object AUTO_JSON = NULL;
    if (!kind && !is_application(manifest)) {
        check_strange(lint, manifest);
        return;
    }
    lint->checked++;
    if (manifest_object(manifest, &object, &err) < 0) {
        lint->findings++;
        puts(err.text); /* it begins with the place */
    } else if (kind) {
        check_rollout(lint, manifest, kind, object);
    } else {
        check_application(lint, manifest, object);
    }
}

static void unfit_add(struct lint *lint, const char *file, const struct manifests *manifests)
{
    char *kinds AUTO_FREE = rollout_kinds_words();
    char *expected AUTO_FREE =
        str_format("Application (%s), %s", rollout_kinds[0].info.api_version, kinds);
    char *words AUTO_FREE = manifests_unfit(file, manifests, expected);
    text_addf(&lint->unfit, "sluice lint: %s\n", words);
}

static void check_file(struct lint *lint, const char *file)
{
    struct manifests manifests;
    struct error err = {0};
    int code = manifests_read(file, &manifests, &err), before = lint->checked;
    for (size_t i = 0; i < manifests.count; i++)
        check_manifest(lint, &manifests.items[i]);
    if (code < 0) {
        lint->findings++;
        puts(err.text);
    }
    if (lint->checked == before)
        unfit_add(lint, file, &manifests);
    manifests_done(&manifests);
}

static int run_lint(const struct arguments *arguments)
{
    struct lint lint = {.size = -1};
    if (!number_read(flag_value(arguments, &flag_size), 0, &lint.size))
        return usage_error(arguments->verb, "--size: expected a number of pods, found \"%s\"",
                           flag_value(arguments, &flag_size));
    for (int i = 0; i < arguments->operand_count; i++)
        check_file(&lint, arguments->operands[i]);
    if (!lint.checked && !lint.findings)
        fputs(lint.unfit.at, stderr);
    text_done(&lint.unfit);
    if (!lint.checked || lint.findings)
        return STATUS_REFUSED;
    printf("%d %s checked, nothing to complain about\n", lint.checked,
           lint.checked == 1 ? "object" : "objects");
    return STATUS_DONE;
}

const struct verb verb_lint = {
    .name = "lint",
    .summary = "check files for what the controller would refuse",
    .operands = "FILE…",
    .least = 1,
    .most = OPERANDS_MAX,
    .flags = (const struct flag *const[]){&flag_size, NULL},
    .text = "Reads AppRollouts, Rollouts, and the Applications that are rolled, from files of YAML "
            "or JSON; "
            "\"-\" is standard input. What else is in them isn't looked at. Each finding is a line "
            "FILE:LINE:COLUMN: FIELD: WHAT on standard output. Needs no cluster.\n"
            "\n"
            "Whether the batches add up can depend on how many pods there are: percentages are "
            "held against any number, whole numbers against --size.",
    .run = run_lint,
};
