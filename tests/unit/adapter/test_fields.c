// SPDX-License-Identifier: Apache-2.0
/*
 * Which fields of a plan each kind honours: the table in docs/oam.md, row by row, against the
 * adapters themselves. "yes" is accepted and "no" is refused by name; a cell that says on what it
 * depends is accepted there and refused elsewhere.
 */
#include "adapters.h"

#include "base/alloc.h"
#include "base/json.h"
#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { FIELDS = 6, KINDS = 7 };

/* Behind each kind, the columns are those of `fields` below. */
static const char *const table[KINDS][1 + FIELDS] = {
    {"Deployment", "yes", "yes", "yes", "no", "yes", "yes"},
    {"StatefulSet", "no", "yes", "yes", "no", "yes", "yes"},
    {"DaemonSet", "no", "yes", "yes", "yes", "yes", "no"},
    {"CloneSet", "yes", "yes", "yes", "updated in place, or with `DecreaseFirst`", "yes", "yes"},
    {"Advanced StatefulSet", "updated in place", "yes", "yes", "`podManagementPolicy: Parallel`",
     "yes", "yes"},
    {"Advanced DaemonSet", "updated in place, or its owner's `maxSurge` above 0", "yes", "yes",
     "no", "yes", "no"},
    {"`generic`", "`strategies.IncreaseFirst`", "`strategies.DecreaseFirst`", "yes", "no",
     "`partition`", "yes"},
};

#define WIDGETS(held)                                                                              \
    "{\"apiVersion\": \"example.com/v1\", \"kind\": \"Widget\", \"resource\": \"widgets\", "       \
    "\"status\": {\"updated\": \"/status/fresh\", \"updatedReady\": \"/status/freshReady\", "      \
    "\"ready\": \"/status/ready\"}, " held "}"
#define PARTED   WIDGETS("\"partition\": {\"kept\": \"/spec/heldBack\"}")
#define PAUSABLE WIDGETS("\"paused\": \"/spec/paused\"")
#define ORDERED                                                                                    \
    WIDGETS("\"partition\": {\"kept\": \"/spec/heldBack\"}, \"strategies\": {"                     \
            "\"IncreaseFirst\": {\"/spec/surge\": 1}, \"DecreaseFirst\": {\"/spec/surge\": 0}}")

static const struct kind {
    const char *adapter, *options, *api_version, *kind;
} kinds[KINDS] = {
    {"deployment", NULL, "apps/v1", "Deployment"},
    {"statefulset", NULL, "apps/v1", "StatefulSet"},
    {"daemonset", NULL, "apps/v1", "DaemonSet"},
    {"cloneset", NULL, "apps.kruise.io/v1alpha1", "CloneSet"},
    {"advanced-statefulset", NULL, "apps.kruise.io/v1beta1", "StatefulSet"},
    {"advanced-daemonset", NULL, "apps.kruise.io/v1alpha1", "DaemonSet"},
    {"generic", PARTED, "example.com/v1", "Widget"},
};

/* A workload of a kind: the adapter's options, and what its spec says beside the selector. */
struct sample {
    const char *options, *spec;
};

#define ROLLING(fields)    "\"updateStrategy\": {\"rollingUpdate\": {" fields "}}"
#define CLONES(type)       "\"updateStrategy\": {\"type\": \"" type "\"}"
#define MANAGEMENT(policy) "\"podManagementPolicy\": \"" policy "\""
#define READINESS_GATE                                                                             \
    "\"template\": {\"spec\": {\"readinessGates\": [{\"conditionType\": "                          \
    "\"InPlaceUpdateReady\"}]}}"

/* For each cell that says on what it depends, a workload that fits the words and one that doesn't.
 */
static const struct condition {
    const char *words;
    struct sample fits, fails;
} conditions[] = {
    {"updated in place, or with `DecreaseFirst`",
     {NULL, CLONES("InPlaceIfPossible")},
     {NULL, CLONES("ReCreate")}},
    {"updated in place",
     {NULL, ROLLING("\"podUpdatePolicy\": \"InPlaceIfPossible\"") ", " READINESS_GATE},
     {NULL, ROLLING("\"podUpdatePolicy\": \"ReCreate\"")}},
    {"`podManagementPolicy: Parallel`",
     {NULL, MANAGEMENT("Parallel")},
     {NULL, MANAGEMENT("OrderedReady")}},
    {"updated in place, or its owner's `maxSurge` above 0",
     {NULL, ROLLING("\"maxSurge\": 1, \"maxUnavailable\": 0")},
     {NULL, ROLLING("\"maxUnavailable\": 1")}},
    {"`strategies.IncreaseFirst`", {ORDERED, NULL}, {PARTED, NULL}},
    {"`strategies.DecreaseFirst`", {ORDERED, NULL}, {PARTED, NULL}},
    {"`partition`", {PARTED, NULL}, {PAUSABLE, NULL}},
};

static const struct condition *condition_of(const char *words)
{
    for (size_t i = 0; i < sizeof conditions / sizeof *conditions; i++)
        if (strcmp(conditions[i].words, words) == 0)
            return &conditions[i];
    fail_msg("nobody knows when \"%s\" is so", words);
    return NULL;
}

/* ---- the fields ---- */

static void ask_increase_first(struct adapter_request *request)
{
    request->strategy = "IncreaseFirst";
    request->strategy_given = true;
}

static void ask_decrease_first(struct adapter_request *request)
{
    request->strategy = "DecreaseFirst";
    request->strategy_given = true;
}

static void ask_max_unavailable(struct adapter_request *request)
{
    request->max_unavailable = 1;
}

static json_t *pod_names; /* of all pods that there are */

static void ask_pods(struct adapter_request *request)
{
    request->pod_names = pod_names;
}

static void ask_interval(struct adapter_request *request)
{
    request->in_steps = true;
}

static void ask_size(struct adapter_request *request)
{
    request->scale = true;
}

static const struct {
    const char *name;
    void (*ask)(struct adapter_request *request);
    const char *told; /* how a refusal names it */
} fields[FIELDS] = {
    {"`IncreaseFirst`", ask_increase_first, "rolloutStrategy: expected "},
    {"`DecreaseFirst`", ask_decrease_first, "rolloutStrategy: expected "},
    {"`maxUnavailable`", ask_max_unavailable, "maxUnavailable"},
    {"`podList`", ask_pods, "podList"},
    {"`instanceInterval`", ask_interval, "instanceInterval"},
    {"`targetSize`", ask_size, "it can't scale"},
};

/* ---- asking ---- */

/* As it is there and as it is to be, which differ in what was applied. */
static json_t *object_of(const struct kind *kind, const char *spec, const char *applied)
{
    char *text AUTO_FREE = str_format(
        "{\"apiVersion\": \"%s\", \"kind\": \"%s\", \"metadata\": {\"name\": \"web\", "
        "\"namespace\": \"shop\", \"annotations\": {\"rollout.sluice.dev/applied\": \"%s\"}}, "
        "\"spec\": {\"selector\": {\"matchLabels\": {\"app\": \"web\"}}%s%s}}",
        kind->api_version, kind->kind, applied, spec ? ", " : "", spec ? spec : "");
    return json(text);
}

/* What the adapter, or the host in its place, says to a plan with this field. */
static int judge(const struct kind *kind, size_t field, const struct sample *sample,
                 struct error *err)
{
    char *file AUTO_FREE = str_format("%s/%s/%s.so", PLUGINS_DIR, kind->adapter, kind->adapter);
    struct loaded loaded = loaded_open(kind->adapter, file, sample->options);
    json_t *workload AUTO_JSON = object_of(kind, sample->spec, "before");
    json_t *target AUTO_JSON = object_of(kind, sample->spec, "after");
    json_t *pods AUTO_JSON = json("[{\"kind\": \"Pod\", \"metadata\": {\"name\": \"web-0\"}}]");
    struct adapter_request request = {.workload = workload,
                                      .target = target,
                                      .owned = pods,
                                      .pods = pods,
                                      .strategy = "IncreaseFirst"};
    if (adapter_refusal(loaded.adapter))
        fail_msg("%s", adapter_refusal(loaded.adapter)->text);
    fields[field].ask(&request);
    int result = adapter_validate(loaded.adapter, &request, err);
    loaded_close(&loaded);
    return result;
}

static void assert_accepted(size_t kind, size_t field, const struct sample *sample)
{
    struct error err = {0};
    if (judge(&kinds[kind], field, sample, &err) < 0)
        fail_msg("%s, %s: %s: %s", table[kind][0], fields[field].name, err.path, err.text);
}

static void assert_refused(size_t kind, size_t field, const struct sample *sample)
{
    struct error err = {0};
    if (judge(&kinds[kind], field, sample, &err) != ERR_INVALID)
        fail_msg("%s, %s is accepted", table[kind][0], fields[field].name);
    char *words AUTO_FREE = str_format("%s: %s", err.path, err.text);
    assert_contains(words, fields[field].told);
}

static void assert_cell(size_t kind, size_t field)
{
    const char *words = table[kind][1 + field];
    const struct sample plain = {kinds[kind].options, NULL};
    if (strcmp(words, "yes") == 0) {
        assert_accepted(kind, field, &plain);
    } else if (strcmp(words, "no") == 0) {
        assert_refused(kind, field, &plain);
    } else {
        assert_accepted(kind, field, &condition_of(words)->fits);
        assert_refused(kind, field, &condition_of(words)->fails);
    }
}

static void test_every_cell(void **state)
{
    pod_names = json("[\"web-0\"]");
    for (size_t kind = 0; kind < KINDS; kind++)
        for (size_t field = 0; field < FIELDS; field++)
            assert_cell(kind, field);
    json_decref(pod_names);
}

/* ---- the table in the documentation ---- */

static char *read_document(void)
{
    FILE *file = fopen(DOCUMENT, "r");
    struct text text AUTO(text_done) = {0};
    char part[4096];
    size_t count;
    assert_non_null(file);
    while ((count = fread(part, 1, sizeof part, file)) > 0)
        text_add(&text, part, count);
    fclose(file);
    return text_steal(&text);
}

static void test_documentation_says_the_same(void **state)
{
    char *document AUTO_FREE = read_document();
    struct text wanted AUTO(text_done) = {0};
    text_puts(&wanted, "| kind |");
    for (size_t field = 0; field < FIELDS; field++)
        text_addf(&wanted, " %s |", fields[field].name);
    text_puts(&wanted, "\n| --- | --- | --- | --- | --- | --- | --- |\n");
    for (size_t kind = 0; kind < KINDS; kind++) {
        for (size_t cell = 0; cell < 1 + FIELDS; cell++)
            text_addf(&wanted, "| %s ", table[kind][cell]);
        text_puts(&wanted, "|\n");
    }
    if (!strstr(document, wanted.at))
        fail_msg("docs/oam.md hasn't got this table:\n%s", wanted.at);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_cell),
        cmocka_unit_test(test_documentation_says_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
